"""Secrets: who may read and change them, and which hooks they lead to."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from testbed.juju.errors import ToolError
from testbed.juju.state import secrets
from testbed.juju.state.secrets import Secret, Settings

NOW = datetime(2026, 11, 25, tzinfo=timezone.utc)


def secret(owner: str = "app", **settings: Any) -> Secret:
    empty = Secret("x", owner, label="own")
    given = Settings(content={"key": "one"}, **settings)
    return secrets.changed(empty, given)


def test_the_same_content_again_is_not_a_new_revision() -> None:
    same = secrets.changed(secret(), Settings(content={"key": "one"}))
    other = secrets.changed(same, Settings(content={"key": "two"}))

    assert (same.latest, other.latest) == (1, 2)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1h30m", NOW + timedelta(minutes=90)),
        ("2026-12-01T00:00:00Z", datetime(2026, 12, 1, tzinfo=timezone.utc)),
        ("2026-12-01T00:00:00", datetime(2026, 12, 1, tzinfo=timezone.utc)),
    ],
)
def test_an_expiry_is_a_duration_or_a_time(text: str, moment: datetime) -> None:
    assert secrets.parse_expire(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "tomorrow", "5"])
def test_an_expiry_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ToolError, match="not valid"):
        secrets.parse_expire(text, NOW)


@pytest.mark.parametrize("key", ["ab", "1ab", "a_b", "ab-"])
def test_keys_have_jujus_form(key: str) -> None:
    assert secrets.parse_content(["key=", "private-key="], str) == {"key": "", "private-key": ""}
    with pytest.raises(ToolError, match="not valid"):
        secrets.parse_content([f"{key}="], str)

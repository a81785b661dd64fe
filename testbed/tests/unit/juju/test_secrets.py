"""Secrets: who may read and change them, and which hooks they lead to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from testbed.juju.errors import ToolError
from testbed.juju.state import secretevents, secrets
from testbed.juju.state.secrets import Consumer, Secret, Settings

NOW = datetime(2026, 11, 25, tzinfo=timezone.utc)


def secret(owner: str = "app", **settings: Any) -> Secret:
    empty = Secret("x", owner, label="own")
    given = Settings(content={"key": "one"}, **settings)
    return secrets.changed(empty, given)


@pytest.mark.parametrize(
    ("owner", "unit", "leader", "manages", "reads"),
    [
        ("app", "app/0", True, True, True),
        ("app", "app/1", False, False, True),
        ("app/0", "app/0", False, True, True),
        ("app/0", "app/1", True, False, False),
        ("app", "other/0", True, False, False),
    ],
)
def test_owners_manage_and_their_application_reads(
    owner: str, unit: str, leader: bool, manages: bool, reads: bool
) -> None:
    found = secret(owner)

    assert found.managed_by(unit, leader=leader) is manages
    assert found.readable_by(unit) is reads


def test_the_same_content_again_is_not_a_new_revision() -> None:
    same = secrets.changed(secret(), Settings(content={"key": "one"}))
    other = secrets.changed(same, Settings(content={"key": "two"}))

    assert (same.latest, other.latest) == (1, 2)


def test_a_new_revision_leads_to_hooks_of_readers_and_owners() -> None:
    read = replace(secret(), consumers={"other/0": Consumer("theirs", 1)})
    changed = secrets.changed(read, Settings(content={"key": "two"}))

    (event,) = secretevents.events_for("other/0", leader=False, secrets=[changed])
    nothing_yet = secretevents.events_for("app/0", leader=True, secrets=[changed])
    followed = replace(changed, consumers={"other/0": Consumer("theirs", 2)})
    (obsolete,) = secretevents.events_for("app/0", leader=True, secrets=[followed])

    assert (event.kind, event.label, event.revision) == ("secret-changed", "theirs", 2)
    assert nothing_yet == []
    assert (obsolete.kind, obsolete.label, obsolete.revision) == ("secret-remove", "own", 1)


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

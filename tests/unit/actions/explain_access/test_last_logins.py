"""When mappings last let somebody in, as `list-mappings` and `explain-access` say it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.fakes.acting import refused
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.login_lines import BEGIN, KEY, ROLE, SESSION, login

DAY = 86400


def listed(model: Model, **params: Any) -> dict[str, str]:
    """The day of each mapping that is listed."""
    results = model.action("list-mappings", format="json", **params)
    return {each["name"]: each["last_login"] for each in json.loads(results["mappings"])}


def add(api: FakeCluster, name: str, arn: str, created: str = "1970-01-01T00:00:00Z") -> None:
    api.add_mapping(name, arn)
    api.objects[f"{MAPPINGS}/{name}"]["metadata"]["creationTimestamp"] = created


@pytest.fixture
def three(deployed: Model, api: FakeCluster) -> Model:
    """A mapping that is used just now, one that is not, and one that is new."""
    add(api, "dev", ROLE)
    add(api, "ops", "arn:aws:iam::111122223333:role/ops")
    add(api, "new", "arn:aws:iam::111122223333:role/new", "2026-11-20T00:00:00Z")
    deployed.hook()
    api.clock.now = BEGIN.timestamp() + 60
    api.add_log("a", "".join(f"{line}\n" for line in login()).encode())
    return deployed


def test_given_a_login_that_nothing_has_recorded_yet_then_the_list_has_its_day(three: Model):
    assert listed(three) == {"dev": "2026-11-27", "new": "", "ops": ""}


def test_given_a_recorded_login_when_its_pod_has_gone_then_the_list_has_its_day(
    three: Model, api: FakeCluster
):
    three.hook()
    api.add_log("a", b"")

    assert listed(three)["dev"] == "2026-11-27"
    results = three.action("list-mappings")
    assert "LAST LOGIN" in results["mappings"].splitlines()[0]
    assert results["logins"].startswith("known since 2026-11-27; ")


def test_given_a_time_then_only_older_mappings_that_let_nobody_in_for_so_long_are_listed(
    three: Model, api: FakeCluster
):
    # The record does not go back so far: what is unknown is not unused.
    assert set(listed(three, unused="90d")) == set()

    three.hook()
    said = three.action("list-mappings", unused="90d")["logins"]
    assert said.endswith("; nothing counts as unused before 90 whole days are known")
    assert "nothing counts" not in three.action("list-mappings")["logins"]
    api.clock.sleep(91 * DAY)
    api.add_lines("a", (91 * DAY + 1, b"{}\n"))
    three.hook()

    assert set(listed(three, unused="90d")) == {"dev", "new", "ops"}
    assert "nothing counts" not in three.action("list-mappings", unused="90d")["logins"]


def test_given_no_duration_then_the_action_says_what_one_is(three: Model):
    assert refused(listed, three, unused="90").startswith("'90' is not a duration such as ")


def test_given_a_login_when_explained_then_it_has_when_whom_session_and_key(three: Model):
    assert three.action("explain-access", arn=SESSION)["last-logins"] == (
        f"let in at 2026-11-27T10:01:00Z as dev, session alice@example.com, access key {KEY}"
    )


def test_given_nobody_who_logged_in_when_explained_then_it_says_so(three: Model):
    three.hook()
    results = three.action("explain-access", arn="arn:aws:iam::111122223333:role/ops")
    assert results["last-logins"].splitlines() == [
        "no login is known since 2026-11-27",
        (
            "the log reaches back to 2026-11-27T10:01:00Z: earlier logins of the last hour are "
            "not known"
        ),
    ]

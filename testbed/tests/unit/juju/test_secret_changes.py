"""What several secret-* calls of one hook come to, as in Juju 3.6."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from testbed.juju.hooktools.secretchanges import SecretChanges
from testbed.juju.manner import Manner
from testbed.juju.state.secrets import Secret, Settings, changed
from unit.juju.charms import PRINCIPAL, pack
from unit.juju.conftest import Juju, a_controller

NOW = datetime(2026, 11, 25, tzinfo=timezone.utc)
LATER = NOW + timedelta(days=1)
EMPTY = Secret("x", "app", label="own")
STORED = changed(EMPTY, Settings(content={"key": "one"}))


def given(text: str, **settings: Any) -> Settings:
    return Settings(content={"key": text}, **settings)


def committed(changes: SecretChanges, stored: Secret | None = STORED) -> Secret | None:
    """Return the secret after a hook with these changes."""
    secrets = {stored.id: stored} if stored else {}
    changes.commit(secrets, "app/0")
    return secrets.get("x")


def updated(*settings: Settings) -> SecretChanges:
    changes = SecretChanges()
    for each in settings:
        changes.update("x", each, STORED)
    return changes


def test_an_addition_and_its_updates_are_one_revision() -> None:
    changes = SecretChanges()
    changes.create(EMPTY, given("one", label="first"))
    changes.update("x", Settings(expire=LATER), None)
    changes.update("x", given("two", label="second"), None)

    secret = committed(changes, None)

    assert secret is not None
    assert (secret.latest, secret.label) == (1, "second")
    assert (secret.revisions[1].content, secret.revisions[1].expire) == ({"key": "two"}, LATER)


@pytest.mark.parametrize(
    ("settings", "content", "expire"),
    [
        ([Settings(expire=LATER), given("two")], {1: "one", 2: "two"}, LATER),
        ([given("two"), Settings(expire=LATER)], {1: "one", 2: "two"}, LATER),
        ([given("two"), given("three")], {1: "one", 2: "three"}, None),
        ([given("two"), given("one")], {1: "one", 2: "two"}, None),
        ([Settings(expire=LATER), given("one")], {1: "one"}, LATER),
        ([given("two"), Settings(description="what it is")], {1: "one", 2: "two"}, None),
    ],
)
def test_updates_of_one_hook_are_one_revision(
    settings: list[Settings], content: dict[int, str], expire: datetime | None
) -> None:
    secret = committed(updated(*settings))

    assert secret is not None
    assert {n: r.content["key"] for n, r in secret.revisions.items()} == content
    assert secret.revisions[secret.latest].expire == expire


def test_a_removal_drops_what_was_given_before() -> None:
    changes = updated(given("two"))
    changes.remove("x", 5)

    assert changes.metadata("x", STORED) is None
    assert committed(changes) == STORED


def test_an_update_takes_a_removal_back() -> None:
    changes = SecretChanges()
    changes.remove("x", None)
    changes.update("x", given("two"), STORED)

    secret = committed(changes)

    assert secret is not None
    assert list(secret.revisions) == [1, 2]


@pytest.fixture(scope="module")
def juju() -> Iterator[Juju]:
    with a_controller() as operator:
        pack(operator.folder, PRINCIPAL)
        operator("deploy", "./host.charm")
        operator.settle()
        yield operator


def inside(juju: Juju, *lines: str) -> list[str]:
    """Run the lines as one hook of the unit, and return what they print."""
    return juju("exec", "--unit", "host/0", "--", " && ".join(lines)).splitlines()


def test_a_hook_sees_its_update_where_it_asks_for_the_newest(juju: Juju) -> None:
    (uri,) = inside(juju, "secret-add --label mine key=one")
    inside(juju, f"secret-get {uri}")

    seen = inside(
        juju,
        f"secret-set {uri} key=two",
        f"secret-get {uri} key",
        f"secret-get {uri} --peek key",
        f"secret-info-get {uri} --format=json",
        f"secret-get {uri} --refresh key",
    )
    after = inside(juju, f"secret-get {uri} key", f"secret-info-get {uri} --format=json")

    assert [seen[0], seen[1], seen[3], after[0]] == ["one", "two", "two", "two"]
    revisions = [next(iter(json.loads(line).values()))["revision"] for line in (seen[2], after[1])]
    assert revisions == [1, 2]


NOWHERE = "secret:d00000000000000000a0"
# Writes to its peers, and sets a secret that is not there.
SETS_WHAT_IS_GONE = f"""
if [ "$JUJU_HOOK_NAME" = config-changed ]; then
    relation-set -r "$(relation-ids friends)" --app key=value
    secret-set {NOWHERE} key=one && juju-log "went on"
fi
"""


@pytest.mark.parametrize("manner", Manner)
def test_a_hook_that_sets_a_missing_secret_fails_whole_at_its_end_on_3_6_alone(
    manner: Manner,
) -> None:
    with a_controller(manner) as juju:
        pack(juju.folder, PRINCIPAL, behaviour=SETS_WHAT_IS_GONE)
        juju("model-config", "automatically-retry-hooks=false")
        juju("deploy", "./host.charm")
        juju.settle()

        fails = manner is Manner.JUJU_3_6
        log = juju("debug-log")
        assert "went on" in log
        assert (f'failed: updating secrets: secret "{NOWHERE}" not found' in log) is fails
        written = juju.shown("host/0", "friends")["application-data"]
        assert written == ({} if fails else {"key": "value"})

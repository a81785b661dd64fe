"""Secrets of a charm, between two units."""

from __future__ import annotations

import json
import re
import time

import pytest

from operators import Operator
from testbed.juju.manner import Manner
from unit.juju.charms import STARTS, pack

OWNER = "name: owner\npeers: {us: {interface: us}}\n"
TELLING = (
    STARTS
    + """
case "$JUJU_HOOK_NAME" in secret-*)
  juju-log "told of $JUJU_SECRET_ID: $JUJU_HOOK_NAME ${JUJU_SECRET_REVISION-none}" ;;
esac
"""
)
NOWHERE = "secret:d00000000000000000a0"


@pytest.fixture(scope="module")
def pair(juju: Operator) -> Operator:
    """Deploy two owners."""
    pack(juju.folder, OWNER, behaviour=TELLING)
    juju("deploy", "./owner.charm", "-n", "2")
    juju.settle()
    return juju


@pytest.fixture(scope="module")
def lead(pair: Operator) -> str:
    return next(n for n in ("owner/0", "owner/1") if pair.unit(n).get("leader"))


@pytest.fixture(scope="module")
def follower(lead: str) -> str:
    return "owner/1" if lead == "owner/0" else "owner/0"


def told(juju: Operator, unit: str, uri: str) -> list[str]:
    """Return what a unit was told of a secret, in order, after a while."""
    juju.settle()
    return re.findall(rf"told of \S*{uri[-20:]}: (.*)$", juju.log(unit), re.MULTILINE)


def test_a_follower_reads_a_new_revision_on_refresh(
    pair: Operator, lead: str, follower: str
) -> None:
    uri = pair.inside(lead, "secret-add --label mine user=a pass=b")

    first = pair.inside(follower, f"secret-get {uri} --format=json")
    pair.inside(lead, f"secret-set {uri} user=a pass=c")
    changed = told(pair, follower, uri)
    kept = pair.inside(follower, f"secret-get {uri} pass")
    peeked = pair.inside(follower, f"secret-get {uri} --peek pass")
    refreshed = pair.inside(follower, f"secret-get {uri} --refresh pass")

    assert re.fullmatch(r"secret://[0-9a-f-]{36}/[0-9a-v]{20}", uri)
    assert json.loads(first) == {"user": "a", "pass": "b"}
    assert (kept, peeked, refreshed) == ("b", "c", "c")
    assert changed == ["secret-changed none"]
    assert told(pair, lead, uri) == ["secret-remove 1"]


def test_an_applications_secret_is_managed_by_its_leader_alone(
    pair: Operator, lead: str, follower: str
) -> None:
    uri = pair.inside(lead, "secret-add --label managed --description 'what it is' user=a")

    shown = pair.inside(lead, "secret-info-get --label managed --format=json")
    (info,) = json.loads(shown).values()

    assert (info["revision"], info["owner"], info["label"]) == (1, "application", "managed")
    assert info["description"] == "what it is"
    assert pair.inside(follower, "secret-get --label managed") == "user: a"
    assert "not found" in pair.refused_inside(follower, f"secret-info-get {uri}")
    assert "not the leader" in pair.refused_inside(follower, "secret-add user=a")
    pair.try_("exec", "--unit", follower, "--", f"secret-set {uri} user=x")
    assert pair.inside(lead, f"secret-get {uri} user") == "a"


def test_a_units_secret_is_its_own(pair: Operator, lead: str, follower: str) -> None:
    uri = pair.inside(lead, "secret-add --owner unit key=one")

    refusal = pair.refused_inside(follower, f"secret-get {uri}")

    allowed = f'"{follower}" is not allowed to read this secret'
    assert ("permission denied" if pair.manner is Manner.JUJU_3_6 else allowed) in refusal


def test_a_missing_secret_is_not_found_but_may_be_removed(pair: Operator, lead: str) -> None:
    uri = pair.inside(lead, "secret-add key=one")
    pair.inside(lead, f"secret-remove {uri} --revision 7 && secret-remove {NOWHERE}")

    assert pair.inside(lead, f"secret-get {uri} key") == "one"
    for tool in ("get", "info-get"):
        assert "not found" in pair.refused_inside(lead, f"secret-{tool} {NOWHERE}")


def test_a_label_is_of_one_secret_only(pair: Operator, lead: str) -> None:
    pair.inside(lead, "secret-add --label only key=one")

    done = pair.try_("exec", "--unit", lead, "--", "secret-add --label only key=two")

    assert "already exists" in done.stdout + done.stderr
    assert pair.inside(lead, "secret-get --label only") == "key: one"


def test_an_expired_secret_is_told_to_a_follower_too(
    pair: Operator, lead: str, follower: str
) -> None:
    uri = pair.inside(follower, "secret-add --owner unit --label short --expire 1s key=one")
    until = time.monotonic() + 90

    while not (heard := told(pair, follower, uri)):
        assert time.monotonic() < until

    assert heard == ["secret-expired 1"]
    assert told(pair, lead, uri) == []

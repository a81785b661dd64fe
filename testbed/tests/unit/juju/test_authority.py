"""`testbedctl authority`: what a charm does for tests alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from unit.juju.charms import AUTHORITY, STARTS, pack
from unit.juju.conftest import Juju, a_controller

BEHAVIOUR = (
    STARTS
    + """
case $JUJU_DISPATCH_PATH in
hooks/testbed-reissue) relation-set -r "$(relation-ids friends)" "said=$TESTBED_ARGUMENT"
    echo "$JUJU_UNIT_NAME did" ;;
hooks/testbed-fail) echo "it cannot be" >&2; exit 3 ;;
esac
"""
)
PEERS = "peers:\n  friends: {interface: friends}\n"


@pytest.fixture(scope="module")
def authority() -> Iterator[Juju]:
    """Deploy an authority with two units, of which the second leads."""
    with a_controller() as juju:
        pack(juju.folder, AUTHORITY + PEERS, behaviour=BEHAVIOUR)
        juju("deploy", "./authority.charm", "-n", "2")
        juju.settle()
        juju.control("move-leader", "authority/1")
        juju.settle()
        yield juju


def test_the_leader_does_it_with_hook_tools_and_says_what_it_did(authority: Juju) -> None:
    assert authority.control("authority", "authority", "reissue", "it's so") == "authority/1 did\n"

    authority.settle()
    bag = authority.shown("authority/0", "friends")["related-units"]["authority/1"]["data"]
    assert bag["said"] == "it's so"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["authority", "fail"], "ERROR it cannot be"),
        (["authority", "other"], 'the charm of "authority" knows no request "other"'),
        (["nobody", "reissue"], 'application "nobody" not found'),
        (["authority"], "give APPLICATION REQUEST"),
    ],
)
def test_what_is_not_done_is_said(authority: Juju, words: list[str], said: str) -> None:
    done = authority.try_("authority", *words, program="testbedctl")

    assert done.returncode != 0
    assert said in done.stderr

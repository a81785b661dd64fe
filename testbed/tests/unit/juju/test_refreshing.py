"""`juju refresh`, also to a charm with its first peer relation, and a hook that fails."""

from __future__ import annotations

import json

import pytest

from testbed.juju.manner import Manner
from unit.juju.charms import PRINCIPAL, SUBORDINATE, pack
from unit.juju.conftest import Juju, in_manner

OPTION = {"fail": {"type": "string"}, "old": {"type": "string"}}


def test_new_content_in_the_store_is_a_new_revision(juju: Juju) -> None:
    store = juju.lab.charm_store
    pack(store, PRINCIPAL, config=OPTION)
    juju("deploy", "host", "--config", "old=x", "--config", "fail=y")
    juju.settle()
    unchanged = juju.try_("refresh", "host")
    pack(
        store,
        PRINCIPAL + "extra-bindings: {}\n",
        behaviour="status-set active new\n",
        config={"fail": {"type": "string"}},
    )

    refreshed = juju.try_("refresh", "host")
    juju.settle()

    assert "already up-to-date" in unchanged.stderr
    assert (unchanged.returncode, refreshed.returncode) == (0, 0)
    application = juju.status()["applications"]["host"]
    assert application["charm-rev"] == 2
    assert application["application-status"]["message"] == "new"
    assert juju.hooks("host/0")[-2:] == ["upgrade-charm", "config-changed"]
    assert juju("config", "host", "fail") == "y\n"
    assert 'key "old" not found' in juju.refused("config", "host", "old")


REFUSALS = {
    Manner.JUJU_3_6: 'ERROR cannot upgrade application "host" to charm "host": '
    'would break relation "rider:things host:things"',
    Manner.JUJU_4_1: 'ERROR setting application "host" charm: '
    'charm has no corresponding relation "things"',
}


@in_manner(*REFUSALS)
def test_a_refresh_that_drops_an_endpoint_is_refused_until_its_relation_is_gone(
    juju: Juju,
) -> None:
    pack(juju.folder, PRINCIPAL, name="old")
    pack(juju.folder, SUBORDINATE)
    pack(juju.folder, PRINCIPAL.replace("  things: {interface: things, scope: container}\n", ""))
    juju("deploy", "./old.charm")
    juju("deploy", "./rider.charm")
    juju("integrate", "rider:things", "host:things")
    juju("integrate", "rider:general", "host:juju-info")
    juju.settle()
    refresh = ("refresh", "host", "--path", "./host.charm")

    assert juju.refused(*refresh).strip() == REFUSALS[juju.controller.manner]

    juju("remove-relation", "rider:things", "host:things")
    juju.settle()
    juju(*refresh)
    juju.settle()

    assert juju.hooks("host/0")[-2:] == ["upgrade-charm", "config-changed"]
    assert list(juju.status()["applications"]["host"]["units"]["host/0"]["subordinates"]) == [
        "rider/0"
    ]


def test_a_failed_hook_is_retried_by_itself(juju: Juju) -> None:
    behaviour = '[ -e tried ] || { touch tried; exit 1; }\nstatus-set active "$(cat tried)"\n'
    pack(juju.folder, PRINCIPAL, behaviour=behaviour)

    juju("deploy", "./host.charm")
    juju.settle()

    runs = json.loads(juju.control("hooks", "host/0"))
    assert [(run["name"], run["code"]) for run in runs[:2]] == [("install", 1), ("install", 0)]


@in_manner(*Manner)
def test_a_revision_with_more_endpoints_is_refused_by_4_1_alone(juju: Juju) -> None:
    store = juju.lab.charm_store
    pack(store, PRINCIPAL)
    juju("deploy", "host")
    juju.settle()
    pack(store, PRINCIPAL.replace("  website:", "  shop: {interface: http}\n  website:"))

    done = juju.try_("refresh", "host")

    refusal = 'ERROR one or more of the provided endpoints "shop" do not exist\n'
    expected = (1, refusal) if juju.controller.manner is Manner.JUJU_4_1 else (0, "")
    assert (done.returncode, done.stderr if done.returncode else "") == expected


# Each hook of the newer charm tells which peer relations it sees. One writes to them.
TELLS = """
juju-log "$JUJU_HOOK_NAME sees [$(relation-ids friends)]"
case "$JUJU_HOOK_NAME" in
upgrade-charm) relation-set -r "$(relation-ids friends)" --app key=value || true ;;
esac
"""


@pytest.mark.parametrize(
    ("is_down", "seen"),
    [
        (
            False,
            [
                "upgrade-charm sees [friends:0]",
                "config-changed sees [friends:0]",
                "friends:0: friends-relation-changed sees [friends:0]",
                "friends:0: friends-relation-joined sees [friends:0]",
                "friends:0: friends-relation-changed sees [friends:0]",
            ],
        ),
        (
            True,
            [
                "upgrade-charm sees []",
                "config-changed sees []",
                "friends:0: friends-relation-created sees [friends:0]",
            ],
        ),
    ],
)
def test_a_first_peer_relation_is_joined_untold_before_the_upgrade_unless_the_agent_is_down(
    juju: Juju, is_down: bool, seen: list[str]
) -> None:
    pack(juju.folder, PRINCIPAL.partition("peers:")[0])
    juju("deploy", "./host.charm", "-n", "1" if is_down else "2")
    juju.settle()
    pack(juju.folder, PRINCIPAL, behaviour=TELLS)
    if is_down:
        juju.control("stop-agent", "host/0")

    juju("refresh", "host", "--path", "./host.charm")
    if is_down:
        juju.control("start-agent", "host/0")
    juju.settle()

    log = juju("debug-log", "--include", "host/0").splitlines()
    assert [line.partition("juju-log ")[2] for line in log if " sees [" in line] == seen

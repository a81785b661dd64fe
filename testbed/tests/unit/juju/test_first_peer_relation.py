"""A refresh to a charm with its first peer relation."""

from __future__ import annotations

from unit.juju.charms import PRINCIPAL, pack
from unit.juju.conftest import Juju

WITHOUT_PEERS = PRINCIPAL.partition("peers:")[0]
# Each hook of the newer charm tells which peer relations it sees. One writes to them.
TELLS = """
juju-log "$JUJU_HOOK_NAME sees [$(relation-ids friends)]"
case "$JUJU_HOOK_NAME" in
upgrade-charm) relation-set -r "$(relation-ids friends)" --app key=value || true ;;
esac
"""


def deploy(juju: Juju, units: int) -> None:
    """Deploy a charm without peer relations."""
    pack(juju.folder, WITHOUT_PEERS)
    juju("deploy", "./host.charm", "-n", str(units))
    juju.settle()


def refresh(juju: Juju) -> None:
    """Refresh to the charm with a peer relation."""
    pack(juju.folder, PRINCIPAL, behaviour=TELLS)
    juju("refresh", "host", "--path", "./host.charm")


def seen(juju: Juju) -> list[str]:
    """Return what the hooks of the newer charm saw in the first unit, in order."""
    log = juju("debug-log", "--include", "host/0").splitlines()
    return [line.partition("juju-log ")[2] for line in log if " sees [" in line]


def test_given_a_first_peer_relation_when_refreshed_then_no_hook_tells_that_it_was_created(
    juju: Juju,
) -> None:
    deploy(juju, units=2)

    refresh(juju)
    juju.settle()

    ran = juju.hooks("host/0")
    assert ran[ran.index("upgrade-charm") :] == [
        "upgrade-charm",
        "config-changed",
        "friends-relation-changed",
        "friends-relation-joined",
        "friends-relation-changed",
    ]


def test_given_a_first_peer_relation_when_refreshed_then_upgrade_charm_sees_it(
    juju: Juju,
) -> None:
    deploy(juju, units=1)

    refresh(juju)
    juju.settle()

    assert seen(juju) == [
        "upgrade-charm sees [friends:0]",
        "config-changed sees [friends:0]",
        "friends:0: friends-relation-changed sees [friends:0]",
    ]


def test_given_an_agent_that_is_down_when_refreshed_then_it_upgrades_before_it_joins(
    juju: Juju,
) -> None:
    deploy(juju, units=1)
    juju.control("stop-agent", "host/0")

    refresh(juju)
    juju.control("start-agent", "host/0")
    juju.settle()

    assert seen(juju) == [
        "upgrade-charm sees []",
        "config-changed sees []",
        "friends:0: friends-relation-created sees [friends:0]",
    ]

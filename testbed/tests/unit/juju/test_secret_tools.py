"""What the secret-* tools refuse at the end of a hook, in each Juju."""

from __future__ import annotations

import json

import pytest

from testbed.juju.manner import Manner
from unit.juju.charms import PRINCIPAL, pack
from unit.juju.conftest import Juju, in_manner

NOWHERE = "secret:d00000000000000000a0"
# Writes to its peers, and sets a secret that is not there.
SETS_WHAT_IS_GONE = f"""
if [ "$JUJU_HOOK_NAME" = config-changed ]; then
    relation-set -r "$(relation-ids friends)" --app key=value
    secret-set {NOWHERE} key=one && juju-log "went on"
fi
"""


def deploy(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL)
    juju("deploy", "./host.charm", "-n", "2")
    juju.settle()


def refusal(juju: Juju, what: str) -> str:
    """Return how a unit is refused to `read` or to `manage` a secret of another."""
    if juju.controller.manner is Manner.JUJU_4_1:
        return f'"host/1" is not allowed to {what} this secret'
    return "permission denied"


@pytest.mark.parametrize(
    ("line", "doing"), [("secret-set {} key=two", "updating"), ("secret-remove {}", "removing")]
)
@in_manner(*Manner)
def test_a_unit_learns_at_the_end_of_its_hook_what_it_may_not_manage(
    juju: Juju, line: str, doing: str
) -> None:
    deploy(juju)
    uri = juju.inside("host/0", "secret-add --owner unit key=one")

    said = juju.inside("host/1", f"{line.format(uri)} && echo done")

    assert said.startswith(f"done\n{doing} secrets: {refusal(juju, 'manage')}")
    assert juju.inside("host/0", f"secret-get {uri} key") == "one"


@in_manner(Manner.JUJU_3_6)
def test_a_hook_that_sets_a_missing_secret_fails_whole_at_its_end(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL, behaviour=SETS_WHAT_IS_GONE)
    juju("model-config", "automatically-retry-hooks=false")
    juju("deploy", "./host.charm")

    juju.settle()

    (unit,) = juju.status()["applications"]["host"]["units"].values()
    assert unit["workload-status"]["message"] == 'hook failed: "config-changed"'
    log = juju("debug-log")
    assert "went on" in log
    assert f'failed: updating secrets: secret "{NOWHERE}" not found' in log
    assert juju.shown("host/0", "friends")["application-data"] == {}


@in_manner(Manner.JUJU_4_1)
def test_a_hook_that_sets_a_missing_secret_does_nothing(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL, behaviour=SETS_WHAT_IS_GONE)
    juju("deploy", "./host.charm")

    juju.settle()

    assert "config-changed" in juju.hooks("host/0")
    assert juju.shown("host/0", "friends")["application-data"] == {"key": "value"}


@in_manner(Manner.JUJU_3_6)
def test_an_action_that_sets_a_missing_secret_fails(juju: Juju) -> None:
    deploy(juju)
    arguments = ("--unit", "host/0", "--format", "json")

    done = juju.try_("exec", *arguments, "--", f"secret-set {NOWHERE} key=one && echo done")

    (report,) = json.loads(done.stdout).values()
    assert (done.returncode, report["status"]) == (0, "failed")
    assert report["message"] == "committing requested changes failed"
    assert report["results"] == {
        "return-code": 0,
        "stdout": "done\n",
        "stderr": f'updating secrets: secret "{NOWHERE}" not found',
    }

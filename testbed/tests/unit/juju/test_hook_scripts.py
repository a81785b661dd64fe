"""Charms with a script for each hook and action, and none for all of them."""

from __future__ import annotations

import json
import re

import pytest

from unit.juju.charms import PRINCIPAL, pack
from unit.juju.conftest import Juju

SCRIPT = '#!/bin/sh\njuju-log "path $JUJU_DISPATCH_PATH, script ${0##*/charm/}"\n'
ACTION = '#!/bin/sh\naction-set path="$JUJU_DISPATCH_PATH" script="${0##*/charm/}"\n'
FILES = {
    "hooks/start": SCRIPT + "status-set active\n",
    "hooks/stop": SCRIPT,
    "actions/tell": ACTION,
}
ACTIONS = {"tell": {}, "absent": {}}


@pytest.fixture
def host(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL, files=FILES, actions=ACTIONS, dispatch="")
    juju("deploy", "./host.charm")
    juju.settle()


def logged(juju: Juju) -> list[str]:
    """Return the lines of the unit's log about its hooks."""
    log = juju("debug-log", "--include", "host/0")
    return re.findall(r'(?:ran|skipped) "\S+" hook .*|path hooks.*', log)


@pytest.mark.usefixtures("host")
def test_each_hook_runs_its_own_script_and_is_skipped_without_one(juju: Juju) -> None:
    assert logged(juju) == [
        'skipped "install" hook (missing)',
        'skipped "friends-relation-created" hook (missing)',
        'skipped "leader-elected" hook (missing)',
        'skipped "config-changed" hook (missing)',
        "path hooks/start, script hooks/start",
        'ran "start" hook (via explicit, bespoke hook script)',
    ]
    assert juju.hooks("host/0") == ["start"]
    assert juju.status()["applications"]["host"]["application-status"]["current"] == "active"


@pytest.mark.usefixtures("host")
def test_an_action_runs_its_own_script_and_fails_without_one(juju: Juju) -> None:
    done = json.loads(juju("run", "host/0", "tell", "--format", "json"))["host/0"]
    absent = juju("run", "host/0", "absent")

    assert done["results"]["path"] == done["results"]["script"] == "actions/tell"
    assert 'action not implemented on unit "host/0"' in absent

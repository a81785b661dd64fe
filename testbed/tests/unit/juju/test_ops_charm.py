"""The life of a charm that uses ops."""

from __future__ import annotations

import json

from unit.juju.conftest import Juju
from unit.juju.opscharm import pack_tiny


def message(juju: Juju) -> str:
    unit = juju.status()["applications"]["tiny"]["units"]["tiny/0"]
    return unit["workload-status"]["message"]


def test_a_charm_that_uses_ops_lives_from_install_to_remove(juju: Juju) -> None:
    pack_tiny(juju.folder)
    juju("deploy", "./tiny.charm")
    juju.settle()
    first, version = message(juju), juju.status()["applications"]["tiny"]["version"]

    juju("config", "tiny", "greeting=bye")
    juju.settle()
    changed = message(juju)
    greeted = json.loads(juju("run", "tiny/0", "greet", "name=you", "--format=json"))["tiny/0"]
    failed = juju("run", "tiny/leader", "greet", "name=you", "fail=true")
    wrong = juju.try_("run", "tiny/leader", "greet", "age=3")
    juju("remove-application", "--no-prompt", "tiny")
    juju.settle()

    assert (first, changed, version) == ("hello for hello", "bye for bye", "1.0")
    assert greeted["results"] == {"greeting": "bye you", "return-code": 0}
    assert failed == "Action id 4 failed: told to fail\n\n"
    assert "validation failed: (root) : " in wrong.stderr
    assert juju.hooks("tiny/0") == [
        "install",
        "friends-relation-created",
        "leader-elected",
        "config-changed",
        "start",
        "friends-relation-changed",
        "config-changed",
        "friends-relation-changed",
        "actions/greet",
        "actions/greet",
        "friends-relation-broken",
        "stop",
        "remove",
    ]
    log = juju("debug-log", "--include", "tiny")
    assert "goodbye, 0 units stay" in log
    assert " ERROR " not in log
    assert not juju.status()["applications"]

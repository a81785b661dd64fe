"""Deploying charms and bundles, by the commands that people type."""

from __future__ import annotations

from tests.unit.testbed_juju.charms import PRINCIPAL, pack
from tests.unit.testbed_juju.conftest import Juju


def test_a_charm_file_becomes_an_active_unit(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL)

    juju("deploy", "./host.charm")
    juju.settle()

    application = juju.status()["applications"]["host"]
    assert application["application-status"]["current"] == "active"
    assert application["units"]["host/0"]["leader"]
    assert juju.hooks("host/0") == [
        "install",
        "friends-relation-created",
        "leader-elected",
        "config-changed",
        "start",
    ]

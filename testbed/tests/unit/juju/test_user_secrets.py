"""Secrets of the operator's, which applications may read."""

from __future__ import annotations

import pytest

from unit.juju.charms import pack
from unit.juju.conftest import Juju

READER = "name: reader\n"


def deploy(juju: Juju) -> None:
    pack(juju.folder, READER)
    juju("deploy", "./reader.charm")
    juju.settle()


def test_a_grant_ends_with_its_application(juju: Juju) -> None:
    deploy(juju)
    uri = juju("add-secret", "mine", "user=a").strip()
    juju("grant-secret", "mine", "reader")
    juju("remove-application", "reader", "--no-prompt")
    juju.settle()
    deploy(juju)

    assert "permission denied" in juju.refused_inside("reader/1", f"secret-get {uri}")


@pytest.mark.parametrize(
    ("argv", "code", "error"),
    [
        (["add-secret", "new"], 2, "missing secret value or filename"),
        (["add-secret", "new", "U=a"], 2, 'key "U" not valid'),
        (["add-secret", "mine", "user=a"], 1, 'secret with name "mine" already exists'),
        (["update-secret", "other", "user=a"], 1, 'secret "other" not found'),
        (["grant-secret", "mine", "nobody"], 1, 'application "nobody" not found'),
    ],
)
def test_a_wrong_command_is_refused(juju: Juju, argv: list[str], code: int, error: str) -> None:
    juju("add-secret", "mine", "user=a")

    assert error in juju.refused(*argv, code=code)


def test_a_charms_secret_is_not_an_operators_to_change(juju: Juju) -> None:
    deploy(juju)
    uri = juju.inside("reader/0", "secret-add user=a")

    assert "permission denied" in juju.refused("update-secret", uri, "user=b")

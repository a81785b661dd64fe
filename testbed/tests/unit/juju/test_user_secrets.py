"""Secrets of the operator's, which applications may read."""

from __future__ import annotations

import pytest

from unit.juju.charms import pack
from unit.juju.conftest import Juju
from unit.juju.test_shared_secrets import TELLING, inside, refused

READER = "name: reader\n"


@pytest.fixture
def reader(juju: Juju) -> str:
    pack(juju.folder, READER, behaviour=TELLING)
    juju("deploy", "./reader.charm")
    juju.settle()
    return "reader/0"


def test_the_same_content_makes_no_revision(juju: Juju) -> None:
    uri = juju("add-secret", "mine", "user=a").strip()

    juju("update-secret", "mine", "user=a")

    model = juju.controller.model("default")
    assert list(model.secrets[uri.removeprefix("secret:")].revisions) == [1]


def test_a_grant_ends_with_its_application(juju: Juju, reader: str) -> None:
    uri = juju("add-secret", "mine", "user=a").strip()
    juju("grant-secret", "mine", "reader")
    juju("remove-application", "reader", "--no-prompt")
    juju.settle()
    juju("deploy", "./reader.charm")
    juju.settle()

    assert "permission denied" in refused(juju, "reader/1", f"secret-get {uri}")


@pytest.mark.parametrize(
    ("argv", "code", "error"),
    [
        (["add-secret", "new"], 2, "missing secret value or filename"),
        (["add-secret", "new", "U=a"], 1, 'key "U" not valid'),
        (["add-secret", "mine", "user=a"], 1, 'secret with name "mine" already exists'),
        (["update-secret", "other", "user=a"], 1, 'secret "other" not found'),
        (["grant-secret", "mine", "nobody"], 1, 'application "nobody" not found'),
    ],
)
def test_a_wrong_command_is_refused(juju: Juju, argv: list[str], code: int, error: str) -> None:
    juju("add-secret", "mine", "user=a")

    assert error in juju.refused(*argv, code=code)


def test_a_charms_secret_is_not_an_operators_to_change(juju: Juju, reader: str) -> None:
    uri = inside(juju, reader, "secret-add user=a")

    assert "permission denied" in juju.refused("update-secret", uri, "user=b")

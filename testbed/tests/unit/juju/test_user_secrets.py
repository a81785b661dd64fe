"""Secrets of the operator's, which applications may read."""

from __future__ import annotations

import pytest

from unit.juju.charms import pack
from unit.juju.conftest import Juju
from unit.juju.test_shared_secrets import TELLING, inside, refused, told

READER = "name: reader\n"


@pytest.fixture
def reader(juju: Juju) -> str:
    pack(juju.folder, READER, behaviour=TELLING)
    juju("deploy", "./reader.charm")
    juju.settle()
    return "reader/0"


def test_a_secret_is_read_once_it_is_granted_and_no_hook_says_so(juju: Juju, reader: str) -> None:
    (juju.folder / "password").write_text("p\n")
    uri = juju("add-secret", "mine", "user=a", "pass#file=password").strip()
    assert uri.startswith("secret:")
    assert "permission denied" in refused(juju, reader, f"secret-get {uri}")

    before = juju.hooks(reader)
    juju("grant-secret", "mine", "reader")
    juju.settle()

    assert juju.hooks(reader) == before
    assert inside(juju, reader, f"secret-get {uri} user") == "a"
    assert inside(juju, reader, f"secret-get {uri} pass") == "p"
    assert "permission denied" in refused(juju, reader, f"secret-set {uri} user=b")


def test_a_new_revision_is_announced_to_who_has_read_the_secret(juju: Juju, reader: str) -> None:
    uri = juju("add-secret", "mine", "user=a").strip()
    juju("grant-secret", uri, "reader")
    juju("update-secret", uri, "user=b")
    juju.settle()
    assert told(juju, reader) == []

    inside(juju, reader, f"secret-get {uri}")
    juju("update-secret", "mine", "user=c", "pass=d")
    juju.settle()

    assert told(juju, reader) == ["secret-changed  none"]
    assert inside(juju, reader, f"secret-get {uri} user") == "b"
    assert inside(juju, reader, f"secret-get {uri} user --refresh") == "c"


def test_the_same_content_makes_no_revision(juju: Juju) -> None:
    uri = juju("add-secret", "mine", "user=a").strip()

    juju("update-secret", "mine", "user=a")

    model = juju.controller.model("default")
    assert list(model.secrets[uri.removeprefix("secret:")].revisions) == [1]


def test_a_secret_that_is_removed_is_read_no_more(juju: Juju, reader: str) -> None:
    uri = juju("add-secret", "mine", "user=a").strip()
    juju("grant-secret", "mine", "reader")
    juju("remove-secret", "mine")

    assert "not found" in refused(juju, reader, f"secret-get {uri}")


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

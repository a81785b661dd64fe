"""Resources: what a charm declares, what an operator gives, what a unit gets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from testbed.juju.errors import JujuError
from testbed.juju.state.resources import parse_resources
from unit.juju.charms import PRINCIPAL, pack
from unit.juju.conftest import Juju

RESOURCES = """
resources:
  software: {type: file, filename: software.zip, description: what runs}
  notes: {type: file, filename: notes}
"""
COPY = "/var/lib/juju/agents/unit-host-0/resources/software/software.zip"


@pytest.fixture(autouse=True)
def files(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL + RESOURCES)
    (juju.folder / "one.zip").write_text("1")
    (juju.folder / "two.zip").write_text("2")
    (juju.folder / "notes").write_text("n")


def got(juju: Juju, name: str) -> str:
    """Return what resource-get prints: the path, without a newline."""
    printed = juju("exec", "--unit", "host/0", "--", f"resource-get {name} && echo '|'")
    path, end, _ = printed.partition("|")
    assert end
    return path


def copy(juju: Juju) -> Path:
    return juju.lab.machines[0].root / COPY[1:]


def test_a_unit_gets_the_file_that_was_deployed(juju: Juju) -> None:
    juju("deploy", "./host.charm", "--resource", "software=one.zip", "--resource=notes=./notes")
    juju.settle()

    assert got(juju, "software") == COPY
    assert copy(juju).read_text() == "1"
    assert got(juju, "notes").endswith("/resources/notes/notes")


def test_the_unit_has_a_copy_that_is_made_again_only_when_it_differs(juju: Juju) -> None:
    juju("deploy", "./host.charm", "--resource", "software=one.zip")
    juju.settle()
    (juju.folder / "one.zip").write_text("changed later by the operator")

    got(juju, "software")
    made = copy(juju).stat().st_mtime_ns
    got(juju, "software")
    again = copy(juju).stat().st_mtime_ns
    copy(juju).write_text("broken by the charm")
    got(juju, "software")

    assert made == again
    assert copy(juju).read_text() == "1"


def test_another_content_is_an_upgrade_and_the_same_is_none(juju: Juju) -> None:
    juju("deploy", "./host.charm", "--resource", "software=one.zip")
    juju.settle()
    before = len(juju.hooks("host/0"))

    (juju.folder / "copy.zip").write_text("1")
    juju("attach-resource", "host", "software=copy.zip")
    juju.settle()
    unchanged = juju.hooks("host/0")[before:]
    juju("attach-resource", "host", "software=./two.zip")
    juju.settle()

    assert unchanged == []
    assert juju.hooks("host/0")[before:] == ["upgrade-charm", "config-changed"]
    assert got(juju, "software") == COPY
    assert copy(juju).read_text() == "2"


def test_a_resource_may_come_after_the_charm(juju: Juju) -> None:
    juju("deploy", "./host.charm")
    juju.settle()
    missing = juju.try_("exec", "--unit", "host/0", "--", "resource-get software")

    juju("attach-resource", "host", "software=one.zip")
    juju.settle()

    assert "could not download resource" in missing.stderr + missing.stdout
    assert "resource#host/software not found" in missing.stderr + missing.stdout
    assert juju.hooks("host/0")[-2:] == ["upgrade-charm", "config-changed"]
    assert got(juju, "software") == COPY


def test_a_refresh_keeps_resources_and_takes_others(juju: Juju) -> None:
    deploying = ("--resource", "software=one.zip", "--resource", "notes=notes")
    juju("deploy", "./host.charm", *deploying)
    juju.settle()
    pack(juju.folder, PRINCIPAL + RESOURCES.replace("notes", "papers"), name="next")

    juju("refresh", "host", "--path", "./next.charm")
    juju.settle()
    got(juju, "software")
    kept = copy(juju).read_text()
    juju("refresh", "host", "--path", "./next.charm", "--resource", "software=two.zip")
    juju.settle()
    got(juju, "software")

    assert (kept, copy(juju).read_text()) == ("1", "2")
    dropped = juju.try_("exec", "--unit", "host/0", "--", "resource-get notes")
    assert "not found" in dropped.stderr + dropped.stdout


def test_a_charm_that_is_up_to_date_takes_a_resource_too(juju: Juju) -> None:
    pack(juju.lab.charm_store, PRINCIPAL + RESOURCES)
    juju("deploy", "host")
    juju.settle()

    done = juju.try_("refresh", "host", "--resource", "software=one.zip")
    juju.settle()

    assert (done.returncode, "already up-to-date" in done.stderr) == (0, True)
    assert juju.hooks("host/0")[-2:] == ["upgrade-charm", "config-changed"]
    assert got(juju, "software") == COPY


@pytest.mark.parametrize(
    ("given", "code", "refusal"),
    [
        ("software", 2, "expected key=value format"),
        ("tools=one.zip", 1, 'unrecognized resource "tools"'),
        ("software=none.zip", 1, 'file for resource "software": stat none.zip: no such file'),
        ("software=notes", 1, 'incorrect extension on resource upload "notes", expected ".zip"'),
        ("software=3", 2, 'a revision of a resource ("software=3") is outside this testbed'),
    ],
)
def test_a_deployment_refuses(juju: Juju, given: str, code: int, refusal: str) -> None:
    said = juju.refused("deploy", "./host.charm", "--resource", given, code=code)

    assert refusal in said
    assert not juju.status()["applications"]


@pytest.mark.parametrize(
    ("words", "code", "refusal"),
    [
        ((), 2, "missing application name"),
        (("host",), 2, "no resource specified"),
        (("host", "software"), 2, 'bad resource arg "software"'),
        (("host", "a=b", "c=d"), 2, "unrecognized args"),
        (("other", "a=b"), 1, 'application "other" not found'),
        (("host", "tools=one.zip"), 1, 'failed to upload resource "tools"'),
        (("host", "software=none.zip"), 1, "open none.zip: no such file or directory"),
        (("host", "software=notes"), 1, 'expected ".zip"'),
    ],
)
def test_attaching_refuses(juju: Juju, words: tuple[str, ...], code: int, refusal: str) -> None:
    juju("deploy", "./host.charm")

    assert refusal in juju.refused("attach-resource", *words, code=code)


@pytest.mark.parametrize(
    ("spec", "refusal"),
    [
        ({"filename": "x"}, "resource missing type"),
        ({"type": "file"}, "resource missing filename"),
        ({"type": "file", "filename": "a/b"}, 'filename cannot contain "/"'),
        ({"type": "cow", "filename": "x"}, 'unsupported resource type "cow"'),
        ({"type": "oci-image"}, 'resource "x" of type oci-image is outside this testbed'),
    ],
)
def test_a_declaration_is_refused(spec: dict[str, Any], refusal: str) -> None:
    with pytest.raises(JujuError, match=refusal):
        parse_resources({"x": spec})


@pytest.mark.parametrize("words", ["", "one two"])
def test_resource_get_takes_one_name(juju: Juju, words: str) -> None:
    juju("deploy", "./host.charm")
    juju.settle()

    done = juju.try_("exec", "--unit", "host/0", "--format=json", "--", f"resource-get {words}")

    assert json.loads(done.stdout)["host/0"]["results"]["return-code"] == 2

"""Rights that come with a mapping: who logs in has them, and they go with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jubilant
import pytest
from demo import keys
from tests.integration.helpers import arns, how_to, juju_status, kubernetes, logins
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.how_to import Reader
from tests.integration.helpers.kubernetes import Cluster

PAGE = "declare-who-may-log-in.md"
TEAM = "team"
EDIT = {"role": "edit", "namespaces": [TEAM]}


class Person:
    """Mallory, whom the option maps, and what the API server lets him do."""

    def __init__(self, juju: jubilant.Juju, cluster: Cluster, folder: Path) -> None:
        self._juju, self.cluster, self._folder = juju, cluster, folder

    def declare(self, *access: dict[str, Any], **more: str) -> None:
        """Set the option to his entry, and wait until the unit is done."""
        entry = {"arn": arns.USER, "username": "mallory", **more}
        file = self._folder / "mappings.yaml"
        file.write_text(json.dumps([{**entry, **({"access": access} if access else {})}]))
        self._juju.cli("config", "aws-iam", f"mappings=@{file}")
        juju_status.wait_until_active(self._juju)

    def may(self, verb: str, namespace: str, resource: str = "configmaps") -> bool:
        """Ask the API server with his own login, until that succeeds."""
        command = ["kubectl", "--kubeconfig", str(self.cluster.person), "auth", "can-i", verb]
        ask = [*command, resource, "-n", namespace]

        def answer() -> list[str]:
            done = kubernetes.run(ask, environment=keys.environment("mallory"))
            return done.stdout.split()[:1]

        return eventually(answer, "logged in", seconds=180) == ["yes"]

    def comes_to(self, verb: str, namespace: str, resource: str = "configmaps") -> bool:
        """Return whether the API server comes to allow something.

        The API server may have restarted. After that, a pod hears of another mapping up to two
        minutes late.
        """
        return eventually(lambda: self.may(verb, namespace, resource), "allowed", seconds=180)

    def bindings(self, source: str = "option") -> list[str]:
        """Return the names of the bindings that come with mappings of this source."""
        selector = f"aws-iam/source={source}"
        found = self.cluster.get("rolebindings,clusterrolebindings", "-A", "-l", selector)["items"]
        return [each["metadata"]["name"] for each in found]


@pytest.fixture(scope="module")
def mallory(
    deployed: jubilant.Juju, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Person]:
    """Return mallory, whom nothing but his mapping gives rights."""
    folder = tmp_path_factory.mktemp("mallory")
    cluster.kubectl("create", "namespace", TEAM)
    people = kubernetes.with_region(deployed, cluster, "us-east-1", folder)
    yield Person(deployed, people, folder)
    cluster.kubectl("delete", "namespace", TEAM)
    deployed.config("aws-iam", {"mappings": ""})
    juju_status.wait_until_active(deployed)


def test_given_rights_in_an_entry_then_its_person_has_them_for_as_long_as_the_entry_says(
    mallory: Person,
) -> None:
    mallory.declare()
    assert logins.wait_for_login(mallory.cluster, "mallory") == "mallory"
    assert not mallory.may("create", TEAM)

    mallory.declare(EDIT)
    assert mallory.comes_to("create", TEAM)
    assert not mallory.may("get", "default")

    mallory.declare({"role": "view"}, EDIT)
    assert mallory.comes_to("get", "default")
    assert not mallory.may("create", "default")

    mallory.declare()
    assert not mallory.may("get", TEAM)
    assert mallory.bindings() == []


def test_given_a_namespace_or_a_role_that_is_missing_then_the_status_has_kubernetes_words(
    deployed: jubilant.Juju, mallory: Person
) -> None:
    mallory.declare({"role": "deployer"}, {"role": "edit", "namespaces": [TEAM, "new"]})

    # Kubernetes lets a binding name a role that comes later.
    assert (
        "1 not applied: mappings[0].access[1] in new: the cluster does not make it: "
        "'404 namespaces \"new\" not found'"
    ) in juju_status.message(deployed)
    assert mallory.comes_to("create", TEAM)
    assert not mallory.may("get", "default", "nodes")

    rule = ("--verb=get", "--resource=nodes")
    mallory.cluster.kubectl("create", "clusterrole", "deployer", *rule)
    assert mallory.comes_to("get", "default", "nodes")
    mallory.cluster.kubectl("delete", "clusterrole", "deployer")


def test_given_the_page_when_its_file_is_declared_then_its_bindings_are_shown(
    deployed: jubilant.Juju, mallory: Person, reader: Reader
) -> None:
    reader.save(PAGE, "Declare both")
    _, commands, *_ = how_to.blocks(PAGE, "Declare both")
    configure, show = commands.splitlines()

    reader.run(configure)
    juju_status.wait_until_active(deployed)

    shown = [
        line for line in reader.run(show).splitlines() if "/aws-iam-k8s-release-role-" in line
    ]
    assert len(shown) == 2
    assert "ClusterRole/view" in shown[0]
    assert shown[1].startswith("default ")
    assert "ClusterRole/edit" in shown[1]
    deployed.config("aws-iam", {"mappings": ""})
    juju_status.wait_until_active(deployed)


def test_given_the_page_when_its_role_is_granted_then_it_comes_and_goes_with_the_grant(
    deployed: jubilant.Juju, mallory: Person, reader: Reader
) -> None:
    deployed.config("aws-iam", {"mappings": ""})
    juju_status.wait_until_active(deployed)
    command = how_to.blocks("temporary-access.md", "Admit a contractor from another account")[-1]
    for shown, own in (
        ("arn:aws:iam::111122223333:role/k8s-contractor", arns.USER),
        ("username=contractor", "username=mallory"),
        ("role=view", "role=edit"),
    ):
        assert shown in command
        command = command.replace(shown, own)

    granted = reader.run(command)

    assert "role: ClusterRole edit in default" in granted
    assert "ClusterRole/edit in default" in granted
    assert logins.wait_for_login(mallory.cluster, "mallory") == "mallory"
    assert mallory.comes_to("create", "default")
    assert not mallory.may("create", TEAM)
    listed = reader.run("juju run aws-iam/leader list-mappings")
    assert "ClusterRole/edit in default" in listed
    explained = reader.run(f"juju run aws-iam/leader explain-access arn={arns.USER}")
    assert "to group aws-iam:mallory-" in explained
    deployed.run("aws-iam/leader", "revoke-access", {"arn": arns.USER})
    eventually(lambda: not mallory.bindings("grant"), "gone", seconds=30)

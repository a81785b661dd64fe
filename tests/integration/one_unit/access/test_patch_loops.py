"""Somebody writes the charm's objects in a loop: access, its end and its roles come."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jubilant
import pytest
from tests.integration.helpers import arns, juju_status
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import MAPPINGS, Cluster

from access.mapping import name_of
from cluster import api

NAME = name_of(arns.USER)
ALL = "/apis/iamauthenticator.k8s.aws/v1alpha1/iamidentitymappings"
# No loop writes more often, or for longer, whatever becomes of its test.
MOST, SECONDS = 20_000, 120.0
Write = Callable[[int], tuple[str, str, dict[str, Any]]]
Declare = Callable[..., None]


@contextlib.contextmanager
def loop(cluster: Cluster, *writes: Write) -> Iterator[None]:
    """Let somebody repeat each of ``writes`` for as long as the block, as fast as he can."""
    over, until = threading.Event(), time.monotonic() + SECONDS

    def repeat(write: Write) -> None:
        with contextlib.closing(api.http_client(cluster.admin)) as http:
            for number in range(MOST):
                if over.is_set() or time.monotonic() > until:
                    break
                method, path, body = write(number)
                merge = "application/merge-patch+json" if method == "PATCH" else "application/json"
                http.request(method, path, json=body, headers={"Content-Type": merge})

    threads = [threading.Thread(target=repeat, args=(write,)) for write in writes]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def annotate(number: int) -> tuple[str, str, dict[str, Any]]:
    return "PATCH", f"{ALL}/{NAME}", {"metadata": {"annotations": {"loop": str(number)}}}


def hold(number: int) -> tuple[str, str, dict[str, Any]]:
    finalizers = ["example.com/mine"] if number % 2 else []
    return "PATCH", f"{ALL}/{NAME}", {"metadata": {"finalizers": finalizers}}


@pytest.fixture
def declare(deployed: jubilant.Juju, tmp_path: Path) -> Iterator[Declare]:
    """Set the option to an entry of mallory, and reset it in the end."""

    def run(**more: Any) -> None:
        file = tmp_path / "mappings.yaml"
        file.write_text(json.dumps([{"arn": arns.USER, "username": "mallory", **more}]))
        deployed.cli("config", "aws-iam", f"mappings=@{file}")
        juju_status.wait_until_active(deployed)

    yield run
    deployed.config("aws-iam", {"mappings": ""})
    juju_status.wait_until_active(deployed)


def test_given_a_loop_of_annotations_and_finalizers_when_access_ends_then_it_is_gone_in_a_minute(
    cluster: Cluster, declare: Declare
) -> None:
    end = datetime.now(timezone.utc) + timedelta(seconds=20)
    declare(expires=end.isoformat())
    assert NAME in cluster.mapping_names()

    with loop(cluster, annotate, hold):
        eventually(lambda: NAME not in cluster.mapping_names(), "ended", seconds=80)


def test_given_a_loop_of_annotations_when_the_option_takes_groups_away_then_they_are_gone(
    cluster: Cluster, declare: Declare
) -> None:
    declare(groups=["system:masters"])

    with loop(cluster, annotate, annotate):
        declare(groups=["view"])

        assert cluster.get(MAPPINGS, NAME)["spec"]["groups"] == ["view"]


def test_given_a_mapping_that_a_person_deletes_then_kubernetes_takes_its_roles_away(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    nobody = {"arn": "arn:aws:iam::111122223333:role/nobody", "username": "nobody"}
    params = {**nobody, "role": "view", "namespaces": "default"}
    with juju_status.no_update_status(deployed):
        granted = deployed.run("aws-iam/leader", "grant-access", params).results
        bound = ("rolebindings", "-n", "default", "-l", "aws-iam/source=grant")
        assert cluster.get(*bound)["items"]

        cluster.kubectl("delete", MAPPINGS, granted["mapping"])

        eventually(lambda: not cluster.get(*bound)["items"], "gone", seconds=60)

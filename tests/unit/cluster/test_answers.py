"""Answers of the cluster that are valid JSON, and lack a part or have one of another kind."""

from __future__ import annotations

import copy
import os
import subprocess
import sys

import ops
import pytest
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import ok
from tests.fakes.kubernetes.paths import ADDRESS, MAPPINGS, SECRET, SERVICE
from tests.fakes.kubernetes.server import FakeCluster

from statuses import waiting


def test_given_an_answer_that_cannot_be_when_a_hook_runs_then_the_status_says_where_but_not_what(
    deployed: Model, api: FakeCluster
):
    odd = {"items": [{"metadata": {"name": {"secret-text": 1}}}, {"metadata": {"name": "b"}}]}
    api.fail(lambda _: ok(odd), request=f"GET {MAPPINGS}")

    cause = "Expected `str`, got `object` - at `$.items[0].metadata.name`"
    assert deployed.hook() == ops.WaitingStatus(waiting.NOT_KUBERNETES(cause=cause))
    assert "secret-text" not in deployed.log()


def test_given_a_headless_service_when_a_hook_runs_then_the_unit_is_blocked_until_it_is_gone(
    model: Model, api: FakeCluster
):
    api.put(SERVICE, {"spec": {"clusterIP": "None"}})
    model.settle()

    assert model.hook() == ops.BlockedStatus(
        "headless Service in the way; if unused, run: "
        "kubectl -n kube-system delete service aws-iam-authenticator"
    )
    assert "None" not in model.bags()
    # It is somebody's.
    assert api.changes == []
    assert not {"annotations", "finalizers"} & api.objects[SERVICE]["metadata"].keys()

    api.delete(SERVICE)
    model.settle()
    assert model.units[0].status.name == "active"
    assert model.peer["address"] == ADDRESS


@pytest.mark.parametrize("text", ["/w==", "not base64"])
def test_given_a_secret_that_is_not_text_when_a_hook_runs_then_it_is_written_anew(
    deployed: Model, api: FakeCluster, text: str
):
    before = copy.deepcopy(api.objects[SECRET]["data"])
    api.objects[SECRET]["data"]["cert.pem"] = text

    assert isinstance(deployed.hook(), ops.ActiveStatus)
    assert api.objects[SECRET]["data"] == before


AT_ONCE = """
import sys, threading
from cluster import answers
sys.setswitchinterval(1e-6)
barrier = threading.Barrier(8)
def read():
    barrier.wait()
    answers.decode(b'{"metadata": {"finalizers": ["a"]}}', answers.Dropped)
    answers.reason(b'{"message": "a"}')
threads = [threading.Thread(target=read) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_given_writers_that_begin_at_once_then_their_first_answers_do_not_crash_the_hook():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", AT_ONCE]

    # Without what makes the types ready, more than every second one crashes.
    hooks = [subprocess.Popen(command, env=environment) for _ in range(6)]

    assert [hook.wait() for hook in hooks] == [0] * len(hooks)

"""Objects of the cluster that are not as the charm makes them."""

from __future__ import annotations

import copy

import ops
import pytest
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import ADDRESS, SECRET, SERVICE
from tests.fakes.kubernetes.server import FakeCluster


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

"""An object that the cluster refuses keeps nothing else from going on."""

from __future__ import annotations

import pytest
from tests.fakes.declaring import Declare, entry
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.paths import DISRUPTION_BUDGET, POLICY_BINDING
from tests.fakes.kubernetes.rbac import RBAC
from tests.fakes.kubernetes.server import FakeCluster


@pytest.mark.parametrize(
    "request_",
    [f"PATCH {POLICY_BINDING}", f"GET {RBAC}/clusterrolebindings", f"PATCH {DISRUPTION_BUDGET}"],
)
def test_given_a_request_that_is_refused_when_a_certificate_is_renewed_then_it_is_served(
    deployed: Model, declare: Declare, easyrsa: Easyrsa, api: FakeCluster, request_: str
):
    declare(entry("dev", access=[{"role": "view"}]))
    deployed.config |= {"mapping-policy": "warn"}
    api.delete(DISRUPTION_BUDGET)
    before = api.secret("cert.pem")
    api.fail(refusal(403, "admission webhook denied the request"), request=request_)
    easyrsa.reissue()
    deployed.settle()

    assert deployed.hook().name == "blocked"
    assert api.secret("cert.pem") != before

"""An API server that refuses a request, delays it, breaks off, or sends a web page.

The unit says so in one line and is never in error. The next hook makes it active again. People
log in meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator

import jubilant
import pytest
from tests.integration.helpers import juju_status, logins, testbed_only
from tests.integration.helpers.kubernetes import DEPLOYMENT, Cluster

from testbed.faults.client import Faults

pytestmark = pytest.mark.slow

UNIT = "aws-iam/0"
API = "waiting: waiting for the Kubernetes API"
STATUSES = {
    "403": "blocked: the cluster rejects Deployment kube-system/aws-iam-authenticator: 'the",
    "409": f"{API}: 409 'the testbed answers 409 Conflict'",
    "429": f"{API}: 429 'the testbed answers 429 Too Many Requests'",
    "500": f"{API}: 500 'the testbed answers 500 Internal Server Error'",
    "html": "waiting: something other than Kubernetes answers",
    "half": f"{API}: peer closed connection",
    "closed": f"{API}: Server disconnected without sending a response.",
    "slow:30": f"{API}: it does not answer in time",
}


@pytest.fixture(scope="module")
def faults(deployed: jubilant.Juju, cluster: Cluster) -> Iterator[Faults]:
    """Put a proxy between the charm's hooks and the API server."""
    testbed_only.require("only the testbed stands between a charm and the API server")
    # One of its own would write a second status behind the one that is looked at.
    with juju_status.no_update_status(deployed), Faults(deployed.model or "", "aws-iam") as faults:
        yield faults


@pytest.mark.parametrize("what", STATUSES)
def test_given_a_request_that_fails_when_a_hook_runs_then_the_unit_says_so_and_the_next_recovers(
    deployed: jubilant.Juju, cluster: Cluster, faults: Faults, what: str
) -> None:
    # So a hook applies it.
    surge = '{"spec": {"strategy": {"rollingUpdate": {"maxSurge": 2}}}}'
    cluster.kubectl("patch", *DEPLOYMENT, "-p", surge)
    faults.answer(what, "PATCH deployments/aws-iam-authenticator")
    juju_status.run_update_status(deployed, UNIT)
    fired, said = faults.fired(), _status(deployed)
    assert logins.wait_for_login(cluster) == "knobby"
    faults.clear()
    juju_status.run_update_status(deployed, UNIT)

    assert {request.fault for request in fired} == {what}
    assert said.startswith(STATUSES[what])
    assert _status(deployed).startswith("active: 2/2 pods, 1 mapping")
    assert cluster.get(*DEPLOYMENT)["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == 1
    assert testbed_only.exit_codes(deployed, UNIT) == {0}


def _status(juju: jubilant.Juju) -> str:
    status = juju.status().get_units("aws-iam")[UNIT].workload_status
    return f"{status.current}: {status.message}"

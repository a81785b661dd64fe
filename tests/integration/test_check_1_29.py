"""The action `check` where an option, and not the relation, brings the webhook.

Its own webhook stands in between, and answers a refused login late.
"""

from __future__ import annotations

import jubilant
import pytest
from tests.integration.helpers import bundle, checking, juju_status
from tests.integration.helpers.checking import check, states

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def deployed(juju: jubilant.Juju) -> jubilant.Juju:
    """Deploy Charmed Kubernetes 1.29, whose operator has not set the option yet."""
    bundle.deploy(juju, channel="1.29/stable")
    juju_status.wait_until(juju, "blocked")
    return juju


def test_given_an_option_that_is_not_set_then_the_command_sets_it_and_all_is_ok(
    deployed: jubilant.Juju,
) -> None:
    results = check(deployed)
    assert states(results) == {"4-webhook": "failed", "6-whole-way": "failed"}
    assert "did not arrive at any pod" in results["6-whole-way"]

    checking.run_remedy(deployed, results["4-webhook"])
    juju_status.wait_until_active(deployed)
    checking.wait_until_ok(deployed)


def test_given_the_option_then_a_refused_login_arrives_without_a_wait_for_the_answer(
    deployed: jubilant.Juju,
) -> None:
    results = check(deployed)
    assert results["result"] == checking.ALL_OK
    assert "the API server asks the pods" in results["6-whole-way"]


def test_given_an_option_that_is_reset_then_the_step_says_so(deployed: jubilant.Juju) -> None:
    deployed.config("kubernetes-control-plane", reset="authn-webhook-endpoint")
    # The control plane has its hook, and aws-iam none until update-status.
    juju_status.wait_until_active(deployed)

    results = check(deployed)

    assert states(results) == {"4-webhook": "failed", "6-whole-way": "failed"}
    assert "\nrun: juju config kubernetes-control-plane authn-" in results["4-webhook"]
    assert results["6-whole-way"].endswith("\nmend 4-webhook first")

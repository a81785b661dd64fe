"""The charm as a file: it deploys, becomes active, decides on a login, and goes again.

    CHARM_PATH=build/aws-iam_amd64.charm pytest tests/integration/test_charm.py

That deploys the other charms from the store of the `juju` on PATH, in a model of its own. BUNDLE
names a smaller bundle than charmed-kubernetes. AWS' file of credentials needs a profile `knobby`:
its keys are nobody's outside of a lab, so that STS refuses the login.
"""

from __future__ import annotations

import os
from pathlib import Path

import jubilant
import pytest
from tests.integration.helpers import arns, bundle, juju_status, kubernetes, logins
from tests.integration.helpers.how_to import run
from tests.integration.helpers.upgrade_page import command_in_status

# Other tests do all of it in a lab. Machines of a real cloud take half an hour.
pytestmark = [pytest.mark.slow, pytest.mark.weekly, pytest.mark.timeout(3600)]
SECONDS = 2400


def test_given_the_packed_charm_then_it_deploys_and_decides_on_logins_and_goes(
    juju: jubilant.Juju, tmp_path: Path
) -> None:
    if not (os.environ.get("CHARM_PATH") or os.environ.get(bundle.STORE)):
        pytest.fail("set CHARM_PATH to the packed charm; to pack it, run: make pack")
    juju.deploy(os.environ.get("BUNDLE", "charmed-kubernetes"), channel="1.29/stable")
    bundle.add(juju)
    juju.wait(lambda status: _is(status, "blocked") and _gives_a_command(juju), timeout=SECONDS)
    run(juju, command_in_status(juju))
    juju.wait(lambda status: _is(status, "active"), timeout=SECONDS)

    cluster = kubernetes.connect(juju, tmp_path)
    cluster.map("knobby", arns.ROLE, "knobby", "view")
    if bundle.STORE in os.environ:
        assert logins.wait_for_login(cluster) == "knobby"
    else:
        assert "Unauthorized" in cluster.whoami("knobby").stderr

    run(juju, "juju config kubernetes-control-plane --reset authn-webhook-endpoint")
    juju_status.remove(juju, "aws-iam")
    assert cluster.objects() == []


def _is(status: jubilant.Status, wanted: str) -> bool:
    others = [name for name in status.apps if name != "aws-iam"]
    current = status.apps["aws-iam"].app_status.current
    return jubilant.all_active(status, *others) and current == wanted


def _gives_a_command(juju: jubilant.Juju) -> bool:
    return command_in_status(juju).startswith("juju config kubernetes-control-plane ")

"""A control plane as Charmed Kubernetes 1.28 ships it: it takes the URL alone from the file, and
acknowledges nothing."""

from __future__ import annotations

from pathlib import Path

import jubilant
import pytest
from tests.integration import model, testbedctl, units

OPTION = """
applications:
  kubernetes-control-plane:
    options:
      webhook-caller: original
"""


@pytest.fixture(scope="module")
def deployed(juju: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> jubilant.Juju:
    testbedctl.needed("the option is the testbed's")
    extra: Path = tmp_path_factory.mktemp("overlay") / "original.yaml"
    extra.write_text(OPTION)
    model.deploy(juju, extra=[extra])
    model.settle(juju)
    return juju


def test_given_a_new_authority_then_nobody_waits_for_an_acknowledgement(
    deployed: jubilant.Juju, cluster: model.Kubernetes
) -> None:
    former = units.presented(deployed, cluster)
    principal = model.databag(deployed, "aws-iam/0", "aws-iam")
    assert "webhook_hash" not in principal

    deployed.run("easyrsa/0", "new-ca")
    model.settle(deployed)

    assert units.newly_presented(deployed, cluster) != former
    assert model.logs_in(cluster) == "knobby"
    units.end_former_pods(deployed, cluster)
    units.everyone_trusts(deployed, units.authority(deployed))
    assert model.logs_in(cluster) == "knobby"

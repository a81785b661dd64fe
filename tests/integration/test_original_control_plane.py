"""A control plane that handles the webhook file as the original of 1.28 does.

It reads only the URL from the file, and never acknowledges a new file.
"""

from __future__ import annotations

from pathlib import Path

import jubilant
import pytest
from tests.integration.helpers import (
    bundle,
    certificates,
    juju_status,
    logins,
    testbed_only,
    units,
)
from tests.integration.helpers.kubernetes import Cluster

OPTION = """
applications:
  kubernetes-control-plane:
    options:
      webhook-caller: original
"""


@pytest.fixture(scope="module")
def deployed(juju: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> jubilant.Juju:
    testbed_only.require("the option is the testbed's")
    extra: Path = tmp_path_factory.mktemp("overlay") / "original.yaml"
    extra.write_text(OPTION)
    bundle.deploy(juju, extra=[extra])
    juju_status.wait_until_active(juju)
    return juju


def test_given_a_new_authority_then_the_rotation_ends_without_an_acknowledgement(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    former = certificates.presented(deployed, cluster)
    principal = units.databag(deployed, "aws-iam/0", "aws-iam")
    assert "webhook_hash" not in principal

    testbed_only.ask_authority(deployed, "easyrsa", "new-authority")
    juju_status.wait_until_active(deployed)

    assert certificates.newly_presented(deployed, cluster) != former
    assert logins.wait_for_login(cluster) == "knobby"
    testbed_only.end_former_pods(deployed, cluster)
    certificates.all_units_trust(deployed, certificates.authority(deployed))
    assert logins.wait_for_login(cluster) == "knobby"

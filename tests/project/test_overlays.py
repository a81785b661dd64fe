"""The overlays run on Juju 3.6 and 4, which refuses a relation that may mean two endpoints."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import yaml

OVERLAYS = Path(__file__).parents[2] / "overlays"
# Old and new vaults have another endpoint, and only one that fits.
AUTHORITIES = {
    "easyrsa": "easyrsa:client",
    "vault": "vault",
    "self-signed-certificates": "self-signed-certificates:certificates",
}
CONTROL_PLANE = {
    ".": ["aws-iam:control-plane", "kubernetes-control-plane:juju-info"],
    "1.28": ["aws-iam:aws-iam", "kubernetes-control-plane:aws-iam"],
}


@pytest.mark.parametrize("folder", CONTROL_PLANE)
@pytest.mark.parametrize("authority", AUTHORITIES)
def test_given_an_overlay_then_it_names_the_endpoints_and_the_channel(folder: str, authority: str):
    found = yaml.safe_load((OVERLAYS / folder / f"aws-iam-{authority}.yaml").read_text())

    certificates = ["aws-iam:certificates", AUTHORITIES[authority]]
    assert found["relations"] == [CONTROL_PLANE[folder], certificates]
    # The default channel may be another charm's.
    assert found["applications"]["aws-iam"]["channel"] == "latest/stable"


def test_given_the_page_on_deployment_then_it_has_the_overlay_for_easyrsa():
    page = (OVERLAYS.parent / "docs/how-to/deploy.md").read_text()
    shown = (OVERLAYS / "aws-iam-easyrsa.yaml").read_text().split("\n", 2)[2]

    assert textwrap.indent(shown, "    ") in page

"""The overlays run on Juju 3.6 and 4, which refuses a relation that may mean two endpoints."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

OVERLAYS = Path(__file__).parents[2] / "overlays"
ENDPOINTS = yaml.safe_load((OVERLAYS.parent / "metadata.yaml").read_text())["requires"]
AUTHORITIES = {"easyrsa:client", "vault", "self-signed-certificates:certificates"}
NEWER = sorted(OVERLAYS.glob("*.yaml"))
overlays = pytest.mark.parametrize("path", NEWER, ids=lambda path: path.stem)


def load(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text())


def relations(path: Path) -> dict[str, str]:
    """Return the other end of each relation, by the charm's own endpoint."""
    found: dict[str, str] = {}
    for ours, theirs in load(path)["relations"]:
        application, _, endpoint = ours.partition(":")
        assert application == "aws-iam"
        found[endpoint] = theirs
    return found


@overlays
def test_given_an_overlay_then_it_names_the_endpoints_of_charmed_kubernetes_1_29(path: Path):
    found = relations(path)

    assert found.keys() <= ENDPOINTS.keys()
    assert found.pop("control-plane") == "kubernetes-control-plane:juju-info"
    # Old and new vaults have another endpoint, and only one that fits.
    assert found.keys() == {"certificates"}
    assert found["certificates"] in AUTHORITIES


@overlays
def test_given_an_overlay_then_it_names_the_channel_because_the_default_may_be_another_charms(
    path: Path,
):
    assert load(path)["applications"]["aws-iam"]["channel"] == "latest/stable"


@overlays
def test_given_an_overlay_then_the_one_for_1_28_differs_in_the_control_plane_only(path: Path):
    older = OVERLAYS / "1.28" / path.name

    assert relations(older).pop("aws-iam") == "kubernetes-control-plane:aws-iam"
    assert load(older)["applications"] == load(path)["applications"]
    assert load(older)["relations"][1:] == load(path)["relations"][1:]


def test_given_an_overlay_for_1_28_then_there_is_one_for_newer_clusters():
    assert [path.name for path in sorted(OVERLAYS.glob("1.28/*.yaml"))] == [p.name for p in NEWER]


def test_given_the_page_on_deployment_then_it_has_the_overlay_for_easyrsa():
    page = (OVERLAYS.parent / "docs/how-to/deploy.md").read_text()
    shown = (OVERLAYS / "aws-iam-easyrsa.yaml").read_text().split("\n", 2)[2]

    assert textwrap.indent(shown, "    ") in page

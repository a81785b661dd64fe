"""Charmed Kubernetes with aws-iam, deployed as people deploy it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import jubilant

# Another image than the charm's default.
OTHER_IMAGE = "public.ecr.aws/eks-distro/kubernetes-sigs/aws-iam-authenticator:v0.7.13-eks-1-35-9"
# What the bundle deploys on. On Juju 4 a subordinate needs the same base.
BASE = "ubuntu@22.04"
OVERLAYS = Path(__file__).parents[3] / "overlays"


def deploy(
    juju: jubilant.Juju,
    authority: str = "easyrsa",
    channel: str = "1.28/stable",
    extra: Sequence[Path] = (),
) -> None:
    """Deploy Charmed Kubernetes with the project's overlay for an authority, and `extra` ones."""
    folder = OVERLAYS / "1.28" if channel.startswith("1.28/") else OVERLAYS
    overlays = [folder / f"aws-iam-{authority}.yaml", *extra]
    juju.deploy("charmed-kubernetes", channel=channel, overlays=overlays)


def packed_charm() -> Path:
    """Return this charm as a file, for an operator who has no store."""
    return Path(os.environ["TESTBED_CHARM_STORE"]) / "aws-iam.charm"

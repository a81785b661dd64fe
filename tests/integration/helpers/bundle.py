"""Charmed Kubernetes with aws-iam, deployed as people deploy it."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import jubilant
import yaml

# Another image than the charm's default.
OTHER_IMAGE = "public.ecr.aws/eks-distro/kubernetes-sigs/aws-iam-authenticator:v0.7.13-eks-1-35-9"
# What the bundle deploys on. On Juju 4 a subordinate needs the same base.
BASE = "ubuntu@22.04"
# The folder of this checkout's charms, from which a lab deploys by name.
STORE = "TESTBED_CHARM_STORE"
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


def deploy_by_hand(juju: jubilant.Juju) -> None:
    """Deploy Charmed Kubernetes 1.29 and then aws-iam, as on a cluster that runs already."""
    juju.deploy("charmed-kubernetes", channel="1.29/stable")
    add(juju)


def add(juju: jubilant.Juju) -> None:
    """Deploy aws-iam on the control plane of 1.29 that is there."""
    juju.deploy(packed_charm(), "aws-iam", base=BASE)
    integrate(juju)


def integrate(juju: jubilant.Juju) -> None:
    """Integrate aws-iam with the control plane of 1.29, and with easyrsa."""
    juju.integrate("aws-iam:control-plane", "kubernetes-control-plane:juju-info")
    juju.integrate("aws-iam:certificates", "easyrsa:client")


def packed_charm() -> Path:
    """Return the charm of CHARM_PATH, or this one as a lab has packed it."""
    given = os.environ.get("CHARM_PATH")
    return Path(given).resolve() if given else Path(os.environ[STORE]) / "aws-iam.charm"


def next_version(folder: Path) -> Path:
    """Pack the charm again into a folder, with another default image, as a release does."""
    changed = folder / "aws-iam-next.charm"
    with zipfile.ZipFile(packed_charm()) as old, zipfile.ZipFile(changed, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            is_changed = info.filename == "config.yaml"
            new.writestr(info, _with_image(content) if is_changed else content)
    return changed


def _with_image(content: bytes) -> bytes:
    config = yaml.safe_load(content)
    config["options"]["image"]["default"] = OTHER_IMAGE
    return yaml.safe_dump(config).encode()

"""Charmed Kubernetes with aws-iam, deployed as people deploy it."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import jubilant
import yaml

# Another image than the charm's default.
# What an active status says of the version of the image that the testbed has.
FIXED_LATER = "v0.7.21 fixes CVE-2026-97032"
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


def next_version(folder: Path) -> Path:
    """Pack the charm again into a folder, with another default image, as a release does."""
    changed = folder / "aws-iam-next.charm"
    with zipfile.ZipFile(packed_charm()) as old, zipfile.ZipFile(changed, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename == "config.yaml":
                content = _with_image(content)
            new.writestr(info, content)
    return changed


def _with_image(content: bytes) -> bytes:
    config = yaml.safe_load(content)
    config["options"]["image"]["default"] = OTHER_IMAGE
    return yaml.safe_dump(config).encode()

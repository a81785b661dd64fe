"""Pack every charm that the testbed deploys, unless it is unchanged, and print their folder.

    python scripts/charm_store.py

The packages come from the lock and the script that `make pack` uses, but are for this machine's
Python. With AWS_IAM_CHARM=FILE, the charm is that file, which `make pack` has packed. With
REACTIVE_CHARM=FILE, the reactive charm is that file, which `juju download` has fetched.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import yaml
from scripts.list_bases import BASES

from testbed import locked
from testbed.fetching import NotFetched
from testbed.pack import Package, PackError, store

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "testbed" / "charms"
SHARED = (PEERS / "shared", ("lib",))
LOCK = ROOT / "requirements.txt"
JUJU_FILES = ("metadata.yaml", "config.yaml", "actions.yaml")


def packages() -> list[Package]:
    """Return the charm, with the files that charmcraft.yaml stages, and its peers."""
    recipe = yaml.safe_load((ROOT / "charmcraft.yaml").read_text())
    staged = tuple(name for name in recipe["parts"]["charm"]["stage"] if name != "venv")
    small_lock = locked.requirements("peers")
    return [
        Package(
            "aws-iam.charm",
            ((ROOT, (*JUJU_FILES, *staged)),),
            LOCK,
            BASES,
            archive=_given("AWS_IAM_CHARM"),
        ),
        # What the originals support: up to 1.32 the former, since 1.33 the latter.
        _control_plane("1.28", small_lock, "20.04", "22.04"),
        _control_plane("1.29", small_lock, "22.04", "24.04"),
        _authority("easyrsa", small_lock),
        _authority("vault", LOCK),
        _vault("1.17"),
        _vault("1.18"),
        _authority("self-signed-certificates", LOCK),
        Package("bare.charm", (_own("bare"),), small_lock),
        Package(
            "aws-iam_reactive.charm",
            (_own("aws-iam-reactive", "hooks", "wheelhouse"),),
            archive=_given("REACTIVE_CHARM"),
        ),
        Package("opentelemetry-collector.charm", (_own("opentelemetry-collector"),)),
    ]


def _given(variable: str) -> Path | None:
    """Return the packed charm that a variable names, or None if it names none."""
    archive = os.environ.get(variable)
    return (ROOT / archive).resolve() if archive else None


def _control_plane(track: str, lock: Path, *bases: str) -> Package:
    """Return a flavour of the control plane, which uses the charm's public library."""
    name = "kubernetes-control-plane"
    parts = ((ROOT, ("lib",)), SHARED, _own(name), (PEERS / name / track, JUJU_FILES))
    return Package(f"{name}_{track}.charm", parts, lock, bases)


def _authority(name: str, lock: Path) -> Package:
    """Return an authority, with the modules that authorities share."""
    return Package(f"{name}.charm", (SHARED, _own(name)), lock)


def _vault(track: str) -> Package:
    """Return vault of a track that speaks the newer protocol."""
    parts = (SHARED, _own("vault-pki"), (PEERS / "vault-pki" / track, JUJU_FILES))
    return Package(f"vault_{track}.charm", parts, LOCK)


def _own(name: str, *more: str) -> tuple[Path, tuple[str, ...]]:
    return PEERS / name, (*JUJU_FILES, "dispatch", "src", *more)


if __name__ == "__main__":
    try:
        print(store(packages(), ROOT / "scripts" / "build_venv.py"))
    except (PackError, NotFetched) as error:
        sys.exit(f"scripts/charm_store.py: {error}")

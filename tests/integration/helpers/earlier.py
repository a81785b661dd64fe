"""An earlier revision of this charm, packed from the project's history.

    python -m tests.integration.helpers.earlier

packs it into the cache, in which the tests then find it.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import yaml

from testbed.pack import Package, store

# The last commit before units set alarms, and before the cluster's objects have an owner.
COMMIT = "2aaea9370267"
_ROOT = Path(__file__).parents[3]
_JUJU_FILES = ("metadata.yaml", "config.yaml", "actions.yaml")


def packed_charm(folder: Path) -> Path | None:
    """Return the earlier revision as a file, with the Python packages of its own lock.

    Return None in a clone without this history. The commit's files go into `folder`.
    """
    # Root runs the tests in the testbed, and may not own the clone.
    git = ("git", "-C", str(_ROOT), "-c", f"safe.directory={_ROOT}")
    archive = subprocess.run([*git, "archive", COMMIT], capture_output=True, check=False)
    if archive.returncode:
        return None
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    recipe = yaml.safe_load((folder / "charmcraft.yaml").read_text())
    staged = tuple(name for name in recipe["parts"]["charm"]["stage"] if name != "venv")
    parts = ((folder, (*_JUJU_FILES, *staged)),)
    package = Package("aws-iam.charm", parts, folder / "requirements.txt")
    return store([package], _ROOT / "scripts" / "build-venv") / package.file


def overlay(charm: Path, folder: Path) -> Path:
    """Return an overlay of a bundle, in `folder`, that deploys this file as aws-iam."""
    found = folder / "earlier.yaml"
    found.write_text(yaml.safe_dump({"applications": {"aws-iam": {"charm": str(charm)}}}))
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        packed_charm(Path(scratch))

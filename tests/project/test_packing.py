"""The packed charm: its bases, and the Pythons that it has packages for."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PYTHONS = {"22.04": "3.10", "24.04": "3.12", "26.04": "3.14"}
MANIFEST = """\
charmcraft-version: 4.5.0
bases:
- name: ubuntu
  channel: '26.04'
  architectures:
  - arm64
analysis:
  attributes: []
"""


def list_bases(folder: Path, manifest: str) -> subprocess.CompletedProcess[str]:
    """Copy `from.charm`, which charmcraft packed, to `to.charm`, for two bases."""
    dispatch = zipfile.ZipInfo("dispatch")
    dispatch.external_attr = 0o100755 << 16
    with zipfile.ZipFile(folder / "from.charm", "w") as archive:
        archive.writestr("manifest.yaml", manifest)
        archive.writestr(dispatch, "#!/bin/sh\n")
    program = ROOT / "scripts" / "list_bases.py"
    archives = (str(folder / "from.charm"), str(folder / "to.charm"))
    command = [sys.executable, str(program), *archives, "22.04", "26.04"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_given_a_base_of_charmcraft_yaml_then_its_archive_has_packages_for_all_pythons():
    recipe = yaml.safe_load((ROOT / "charmcraft.yaml").read_text())
    bases = {name.split("-")[1] for name in recipe["platforms"]}
    build = recipe["parts"]["charm"]["override-build"]
    [pythons] = re.findall(
        r'scripts/build_venv\.py .* "\$CRAFT_ARCH_BUILD_FOR" ([\d. ]+)\n', build
    )

    assert bases == set(PYTHONS)
    assert pythons.split() == list(PYTHONS.values())


def test_given_an_archive_for_one_base_then_the_copy_is_the_same_but_lists_all_bases(
    tmp_path: Path,
):
    done = list_bases(tmp_path, MANIFEST)

    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "to.charm") as archive:
        manifest = yaml.safe_load(archive.read("manifest.yaml"))
        assert archive.namelist() == ["manifest.yaml", "dispatch"]
        assert archive.read("dispatch") == b"#!/bin/sh\n"
        assert archive.getinfo("dispatch").external_attr >> 16 == 0o100755
    assert manifest == {
        "charmcraft-version": "4.5.0",
        "bases": [
            {"name": "ubuntu", "channel": channel, "architectures": ["arm64"]}
            for channel in ("22.04", "26.04")
        ],
        "analysis": {"attributes": []},
    }


def test_given_a_manifest_of_another_form_then_nothing_is_guessed(tmp_path: Path):
    done = list_bases(tmp_path, MANIFEST.replace("'26.04'", "26.04"))

    assert done.returncode != 0
    assert "expected one base in manifest.yaml, found 0" in done.stderr

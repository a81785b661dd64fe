"""The folder of packages that the charm is packed with serves several Pythons."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from scripts.list_bases import BASES

ROOT = Path(__file__).parents[2]
PLATFORM = "manylinux_2_17_x86_64"
Wheel = tuple[str, str, str, dict[str, str]]
# Of each wheel its name, its version, its tag, and its files. Each Python has its own of `bound`
# and `stable`, 3.10 has `changed` in an older version, and it alone has `backport`.
WHEELS: list[Wheel] = [
    ("pure", "1", "py3-none-any", {"pure.py": "any"}),
    ("changed", "1", "py3-none-any", {"changed/__init__.py": "1", "changed/of_1.py": "1"}),
    ("changed", "2", "py3-none-any", {"changed/__init__.py": "2", "changed/of_2.py": "2"}),
    ("backport", "1", "py3-none-any", {"backport.py": "old"}),
    *(
        (
            "bound",
            "1",
            f"cp{v}-cp{v}-{PLATFORM}",
            {"bound/a.py": "same", f"bound/b.cpython-{v}.so": v},
        )
        for v in ("310", "312")
    ),
    *(
        ("stable", "1", f"cp{v}-abi3-{PLATFORM}", {"stable/rust.abi3.so": v})
        for v in ("310", "312")
    ),
]
OTHER_SOURCE = ("bound", "1", f"cp312-cp312-{PLATFORM}", {"bound/a.py": "another"})
OLD, NEW = "python_full_version < '3.11'", "python_full_version >= '3.11'"
# What a lock has of packages that not every Python has alike; of others, their first version.
LOCKED = {
    "changed": (f"changed==1 ; {OLD}", f"changed==2 ; {NEW}"),
    "backport": (f"backport==1 ; {OLD}",),
}


def build(
    folder: Path, wheels: list[Wheel], *pythons: str
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Install all wheels for Pythons. Return where, and how it ended."""
    hashes: dict[str, str] = {}
    for name, version, tag, files in wheels:
        about = f"{name}-{version}.dist-info"
        content = {
            **files,
            f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            f"{about}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        }
        content[f"{about}/RECORD"] = "".join(
            f"{place},,\n" for place in (*content, f"{about}/RECORD")
        )
        wheel = folder / f"{name}-{version}-{tag}.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for place, text in content.items():
                archive.writestr(place, text)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        hashes[name] = hashes.get(name, "") + f" \\\n    --hash=sha256:{digest}"
    lines = [line + hashes[name] for name in hashes for line in LOCKED.get(name, (f"{name}==1",))]
    (folder / "lock.txt").write_text("\n".join(lines))
    command = [sys.executable, ROOT / "scripts/build_venv.py", "venv", "lock.txt", "amd64"]
    environment = {"PATH": os.environ["PATH"], "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}
    done = subprocess.run(
        [*command, *pythons],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return folder / "venv", done


def test_given_two_pythons_then_they_share_what_they_have_alike_and_dispatch_knows_them(
    tmp_path: Path,
):
    venv, done = build(tmp_path, WHEELS, "3.10", "3.12")

    assert done.returncode == 0, done.stderr
    files = {
        str(path.relative_to(venv)): path.read_text()
        for path in venv.rglob("*")
        if path.is_file() and ".dist-info" not in str(path)
    }
    assert files == {
        "pythons": "3.10 3.12\n",
        "pure.py": "any",
        "bound/a.py": "same",
        "bound/b.cpython-310.so": "310",
        "bound/b.cpython-312.so": "312",
        # The oldest Python's module for the stable ABI works with all of them.
        "stable/rust.abi3.so": "310",
        "changed/__init__.py": "2",
        "changed/of_2.py": "2",
        "python3.10/changed/__init__.py": "1",
        "python3.10/changed/of_1.py": "1",
        "python3.10/backport.py": "old",
    }
    described = {path.name for path in (venv / "python3.10").glob("*.dist-info")}
    assert described == {"backport-1.dist-info", "changed-1.dist-info"}


@pytest.mark.parametrize(
    ("wheels", "python", "said"),
    [
        ([*WHEELS, OTHER_SOURCE], "3.12", "3.12 needs another bound/a.py than Python 3.10"),
        (WHEELS, "3.9", "bound==1"),
    ],
    ids=["another-source", "no-wheel"],
)
def test_given_a_python_that_the_others_packages_do_not_serve_then_it_is_refused(
    tmp_path: Path, wheels: list[Wheel], python: str, said: str
):
    _, done = build(tmp_path, wheels, "3.10", python)

    assert done.returncode
    assert said in done.stderr


def test_given_the_bases_of_an_archive_then_it_has_packages_for_the_python_of_each():
    recipe = yaml.safe_load((ROOT / "charmcraft.yaml").read_text())
    build = recipe["parts"]["charm"]["override-build"]

    assert BASES == ("22.04", "24.04", "26.04")
    assert recipe["base"] == f"ubuntu@{BASES[0]}"
    assert re.search(r'build_venv\.py .* "\$CRAFT_ARCH_BUILD_FOR" 3\.10 3\.12 3\.14\n', build)

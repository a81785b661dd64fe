"""The folder of packages that the charm is packed with serves several Pythons."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLATFORM = "manylinux_2_17_x86_64"
# What a lock has of the packages that not every Python has alike.
LINES = {
    "changed": (
        "changed==1 ; python_full_version < '3.11' and sys_platform == 'linux'",
        "changed==2 ; python_full_version >= '3.11' and sys_platform == 'linux'",
    ),
    "backport": ("backport==1 ; python_full_version < '3.11' and sys_platform == 'linux'",),
}


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return filled(tmp_path / "wheels")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of Python 3.10 and 3.12."""
    folder, done = build(filled(tmp_path_factory.mktemp("lock") / "wheels"), "3.10", "3.12")
    assert done.returncode == 0, done.stderr
    return folder


def filled(folder: Path) -> Path:
    """Return a folder of wheels: one for any Python, two that each Python has its own of, one that
    Python 3.10 has in an older version, and one that it alone has."""
    folder.mkdir()
    wheel(folder, "pure", "py3-none-any", {"pure.py": "any"})
    for version in ("1", "2"):
        files = {"changed/__init__.py": version, f"changed/of_{version}.py": version}
        wheel(folder, "changed", "py3-none-any", files, version)
    wheel(folder, "backport", "py3-none-any", {"backport.py": "old"})
    for version in ("310", "312"):
        tag = f"cp{version}-cp{version}-{PLATFORM}"
        module = f"bound/speedups.cpython-{version}-x86_64-linux-gnu.so"
        wheel(folder, "bound", tag, {"bound/__init__.py": "same", module: version})
        abi = f"cp{version}-abi3-{PLATFORM}"
        wheel(folder, "stable", abi, {"stable/rust.abi3.so": version})
    return folder


def wheel(folder: Path, name: str, tag: str, files: Mapping[str, str], version: str = "1") -> None:
    information = f"{name}-{version}.dist-info"
    content = {
        **files,
        f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{information}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    records = "".join(f"{place},,\n" for place in (*content, f"{information}/RECORD"))
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as archive:
        for place, text in {**content, f"{information}/RECORD": records}.items():
            archive.writestr(place, text)


def build(shelf: Path, *versions: str) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Install the whole shelf for Pythons."""
    lock, folder = shelf.parent / "lock.txt", shelf.parent / "venv"
    names = sorted({path.name.partition("-")[0] for path in shelf.iterdir()})
    lock.write_text("\n".join(entry(shelf, name) for name in names))
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/build_venv.py", folder, lock, "amd64", *versions],
        env={
            "PATH": os.environ["PATH"],
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(shelf),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return folder, done


def entry(shelf: Path, name: str) -> str:
    """Return what a lock has of a package, as `uv export` writes it."""
    wanted = LINES.get(name, (f"{name}==1 ; sys_platform == 'linux'",))
    return "\n".join(" \\\n    ".join([line, *hashes(shelf, name)]) for line in wanted)


def hashes(shelf: Path, name: str) -> list[str]:
    digests = (hashlib.sha256(path.read_bytes()) for path in shelf.glob(f"{name}-*"))
    return [f"--hash=sha256:{digest.hexdigest()}" for digest in digests]


def test_given_two_pythons_then_each_has_its_compiled_modules_and_they_share_the_rest(built: Path):
    assert (built / "pure.py").read_text() == "any"
    compiled = {path.name: path.read_text() for path in (built / "bound").glob("*.so")}
    assert compiled == {
        "speedups.cpython-310-x86_64-linux-gnu.so": "310",
        "speedups.cpython-312-x86_64-linux-gnu.so": "312",
    }


def test_given_a_module_for_the_stable_abi_then_it_is_the_one_for_the_oldest_python(built: Path):
    assert (built / "stable" / "rust.abi3.so").read_text() == "310"


def test_given_a_python_that_has_another_version_then_that_lies_in_a_folder_of_its_own(
    built: Path,
):
    assert (built / "changed/__init__.py").read_text() == "2"
    assert not (built / "changed/of_1.py").exists()
    assert (built / "python3.10/changed/__init__.py").read_text() == "1"
    assert (built / "python3.10/backport.py").read_text() == "old"
    assert not (built / "backport.py").exists()
    assert not (built / "python3.12").exists()
    assert {path.name for path in (built / "python3.10").glob("*.dist-info")} == {
        "backport-1.dist-info",
        "changed-1.dist-info",
    }


def test_given_two_pythons_then_the_folder_names_them_for_dispatch(built: Path):
    assert (built / "pythons").read_text() == "3.10 3.12\n"


def test_given_a_python_that_needs_another_source_file_then_it_is_refused(shelf: Path):
    tag = f"cp312-cp312-{PLATFORM}"
    (shelf / f"bound-1-{tag}.whl").unlink()
    wheel(shelf, "bound", tag, {"bound/__init__.py": "another"})

    _, done = build(shelf, "3.10", "3.12")

    assert done.returncode == 1
    assert (
        "Python 3.12 needs another bound/__init__.py than Python 3.10, of the same bound-1"
        in done.stderr
    )


def test_given_a_python_that_no_wheel_is_for_then_it_is_refused(shelf: Path):
    _, done = build(shelf, "3.10", "3.9")

    assert done.returncode != 0
    assert "bound==1" in done.stderr

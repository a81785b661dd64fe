"""Install the packages of a hashed lock into a folder, for an architecture and several Pythons.

    python3 scripts/build_venv.py FOLDER LOCK ARCHITECTURE PYTHON_VERSION…

as in `build_venv.py venv requirements.txt amd64 3.10 3.12`, the oldest Python first. It installs
wheels only, and only those whose hash is in the lock. Needs pip.

FOLDER gets the packages that the newest Python has. Compiled modules of all Pythons lie beside
each other, because their names differ. FOLDER/python3.10 gets what Python 3.10 has in another
version. FOLDER/pythons lists the Pythons, for `dispatch`.
"""

from __future__ import annotations

import csv
import filecmp
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

# pip has it wherever it is installed.
from pip._vendor.packaging.markers import Marker

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
GLIBCS = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
# A package's line in a lock, ahead of its hashes.
_PACKAGE = re.compile(r"^(?P<package>[^\s#;-][^\s;]*) *(?:; *(?P<marker>.*?))? *\\?$")


def selected(lock: str, version: str) -> str:
    """Return the lock's entries for a Python, without markers.

    pip reads a lock for another Python than its own, but evaluates markers for its own.
    """
    environment = {
        "python_version": version,
        "python_full_version": f"{version}.0",
        "sys_platform": "linux",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    lines, is_wanted = list[str](), False
    for line in lock.splitlines():
        found = _PACKAGE.match(line)
        if found:
            marker = found["marker"]
            is_wanted = not marker or Marker(marker).evaluate(environment)
        if is_wanted:
            lines.append(f"{found['package']} \\" if found else line)
    return "".join(f"{line}\n" for line in lines)


def install(lock: Path, folder: Path, machine: str, version: str) -> None:
    """Install what the lock has for a Python. Juju unpacks files without their times, so Python
    would take bytecode for stale: it is left out."""
    wanted = folder.with_name(f"{folder.name}.txt")
    wanted.write_text(selected(lock.read_text(), version))
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--root-user-action=ignore", "--no-compile", "--no-deps", "--require-hashes"),
        *("--only-binary=:all:", "--implementation=cp", f"--python-version={version}"),
        *(f"--platform={glibc}_{machine}" for glibc in GLIBCS),
        *("--target", str(folder), "--requirement", str(wanted)),
    ]
    if subprocess.run(command, check=False).returncode:
        sys.exit(f"scripts/build_venv.py: pip failed for Python {version}")


def distributions(tree: Path) -> dict[str, list[Path]]:
    """Return the files of each installed package, by its name and version."""
    return {each.name: list(_files(each / "RECORD")) for each in tree.glob("*.dist-info")}


def _files(record: Path) -> Iterator[Path]:
    with record.open(newline="") as file:
        for name, *_ in csv.reader(file):
            # Programs are of no use to a charm.
            if not name.startswith("../"):
                yield Path(name)


def merge(trees: dict[str, Path], folder: Path) -> None:
    """Put what was installed for several Pythons, the oldest first, into one folder."""
    found = {version: distributions(tree) for version, tree in trees.items()}
    newest = [*trees][-1]
    for name in sorted(set().union(*found.values())):
        having = [version for version in trees if name in found[version]]
        if newest in having:
            _share(name, {version: found[version][name] for version in having}, trees, folder)
        else:
            for version in having:
                for path in found[version][name]:
                    _copy(trees[version] / path, folder / f"python{version}" / path)


def _share(name: str, files: dict[str, list[Path]], trees: dict[str, Path], folder: Path) -> None:
    """Share a package between Pythons: each has the same files, but for compiled modules."""
    oldest, *others = files
    for path in files[oldest]:
        _copy(trees[oldest] / path, folder / path)
    for version in others:
        for path in files[version]:
            if path.parts[0] == name or path.name.endswith(".abi3.so"):
                # A module for the stable ABI serves every newer Python.
                continue
            if ".cpython-" in path.name:
                _copy(trees[version] / path, folder / path)
            elif not _is_same(trees[oldest] / path, trees[version] / path):
                sys.exit(
                    f"scripts/build_venv.py: Python {version} needs another {path} than Python "
                    f"{oldest}, of the same {name.removesuffix('.dist-info')}"
                )


def _is_same(first: Path, second: Path) -> bool:
    return first.exists() and filecmp.cmp(first, second, shallow=False)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def main(folder: str, lock: str, architecture: str, *versions: str) -> None:
    """Build the folder."""
    if architecture not in MACHINES:
        known = " and ".join(MACHINES)
        sys.exit(
            f"scripts/build_venv.py: no wheels for the architecture {architecture!r}, only for "
            f"{known}"
        )
    build(Path(folder), Path(lock), MACHINES[architecture], versions)


def build(folder: Path, lock: Path, machine: str, versions: Sequence[str]) -> None:
    """Install the lock for the Pythons, and put them into the folder."""
    with tempfile.TemporaryDirectory() as work:
        trees = {version: Path(work) / f"of-{version}" for version in versions}
        for version, tree in trees.items():
            install(lock, tree, machine, version)
        merge(trees, folder)
    (folder / "pythons").write_text(f"{' '.join(versions)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

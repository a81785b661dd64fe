"""Create the virtual environment of a hashed lock, once, and print its folder.

    /usr/bin/python3 scripts/venv.py LOCK [PYTHON]

The environment is in the project's cache, under a key of the lock and of the Python. So a changed
lock gets a new environment, and an unchanged one costs nothing.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "testbed" / "src"))

from testbed.cache import keyed  # noqa: E402 (found only through the line above)

INSTALLER = ROOT / "scripts" / "uv.txt"


def version(python: str) -> bytes:
    """Return the version, build and path of a Python."""
    if python == sys.executable:
        return f"{sys.version} {sys.executable}".encode()
    show = "import sys; print(sys.version, sys.executable)"
    return subprocess.run([python, "-c", show], check=True, capture_output=True).stdout


def make(folder: Path, lock: Path, python: str) -> None:
    """Create an environment of `python` in `folder`, and install `lock` into it.

    Raises:
        subprocess.CalledProcessError: a step failed; its output is on standard error.
    """
    shutil.rmtree(folder, ignore_errors=True)
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    bin_folder = folder / "bin"
    for step in (
        [python, "-m", "venv", str(folder)],
        [str(bin_folder / "pip"), "install", "-q", "--require-hashes", "-r", str(INSTALLER)],
        [
            *(str(bin_folder / "uv"), "pip", "install", "--quiet", "--compile-bytecode"),
            *("--python", str(bin_folder / "python"), "--require-hashes", "-r", str(lock)),
        ],
    ):
        subprocess.run(step, check=True, env=environment, stdout=sys.stderr)


def main(arguments: list[str]) -> int:
    """Print the folder of the environment for LOCK and PYTHON, and create it if necessary."""
    lock = Path(arguments[0]).resolve()
    python = arguments[1] if len(arguments) > 1 else sys.executable
    folder = keyed("venv", lock, INSTALLER, version(python))
    ready = folder / ".ready"
    if not ready.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_suffix(".lock").open("w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            if not ready.exists():
                print(f"Installing {lock.relative_to(ROOT)} (once) …", file=sys.stderr)
                make(folder, lock, python)
                ready.touch()
    print(folder)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as error:
        sys.exit(f"scripts/venv.py: this command failed: {' '.join(error.cmd)}")

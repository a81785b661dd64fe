"""Check the workflows of .github with actionlint, which is built into the cache once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rich.console import Console

from testbed.programs import build
from testbed.programs.compiler import BuildFailed
from testbed.programs.go import GoMissing
from testbed.programs.modules import Module

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Return actionlint's exit code, which is 0 if it found nothing."""
    module = Module(ROOT / "scripts" / "actionlint")
    program = build.programs(Console(stderr=True), [module]) / "actionlint"
    # It would also run shellcheck and pyflakes, where a machine happens to have them.
    command = [program, "-shellcheck=", "-pyflakes="]
    return subprocess.run(command, check=False, cwd=ROOT).returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BuildFailed, GoMissing) as error:
        sys.exit(f"scripts/check_workflows.py: {error}")

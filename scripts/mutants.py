"""Change the charm's code in one place at a time, and list the changes that leave all tests green.

`scripts/mutants.py FILE_OR_FOLDER… [--tests FOLDER…] [--floor PERCENT]` runs mutmut on a copy in
build/mutants. The tests are those of the same folder of tests/unit, unless others are named. The
last line has the score; a lower one than the floor is an error. mutmut changes neither what stands
outside functions nor functions with a decorator.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPY = ROOT / "build" / "mutants"
# What mutmut says of a change that a test found: it failed, it did not end, or it ended Python.
FOUND = ("killed", "timeout", "segfault")


def main() -> int:
    """Run mutmut on the named files. Return 1 below the floor, and 2 if it cannot start."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--tests", nargs="+")
    parser.add_argument("--floor", type=float, default=0, metavar="PERCENT")
    options = parser.parse_args()
    for path in options.files:
        if path.parts[:1] != ("src",) or not (ROOT / path).exists():
            print(f"scripts/mutants.py: src/ has no {path}", file=sys.stderr)
            return 2
    copy(patterns(options.files), options.tests or sorted(set(map(tests_of, options.files))))
    # A terminal shows how far it is. Elsewhere, what mutmut draws while it works would fill a log.
    if sys.stdout.isatty():
        code = mutmut("run").returncode
    elif code := (ran := mutmut("run", stdout=subprocess.PIPE)).returncode:
        print(ran.stdout[-5000:], file=sys.stderr)
    if code:
        return code
    score = report()
    if score < options.floor:
        print(f"scripts/mutants.py: fewer than {options.floor:g} % found", file=sys.stderr)
        return 1
    return 0


def patterns(files: Iterable[Path]) -> list[str]:
    """Return patterns of mutmut for files, and for all files of folders."""
    return [f"{path}/*.py" if (ROOT / path).is_dir() else str(path) for path in files]


def tests_of(path: Path) -> str:
    """Return the folder of tests for a file of src/, or for a folder."""
    folder = path if (ROOT / path).is_dir() else path.parent
    return str("tests/unit" / folder.relative_to("src"))


def copy(changed: list[str], tests: list[str]) -> None:
    """Copy what git knows, as it is now, and tell mutmut what to change and which tests to run."""
    shutil.rmtree(COPY, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    for name in names:
        (COPY / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, COPY / name)
    also = {name.partition("/")[0] for name in names} - {"src", "tests", "pyproject.toml"}
    settings = {
        "source_paths": ["src"],
        "only_mutate": changed,
        "also_copy": sorted(also),
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
        "pytest_add_cli_args_test_selection": tests,
    }
    with (COPY / "pyproject.toml").open("a") as file:
        # JSON's texts and lists are TOML's too.
        lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
        file.write(
            "\n".join(["", "[tool.mutmut]", "use_git_change_detection = false", *lines, ""])
        )


def report() -> float:
    """Print each change that no test found, and how many there are. Return the score in percent.

    The score is 0 where nothing was changed.
    """
    names = re.findall(r"^ *(\S+): (?!not checked)", mutmut_says("results"), re.MULTILINE)
    for name in names:
        print(mutmut_says("show", name))
    mutmut_says("export-cicd-stats")
    stats = json.loads((COPY / "mutants" / "mutmut-cicd-stats.json").read_text())
    found, total = sum(stats.get(kind, 0) for kind in FOUND), stats["total"]
    score = 100 * found / max(1, total)
    print(f"{found} of {total} changes found, {score:.1f} %")
    return score


def mutmut(*arguments: str, stdout: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run mutmut in the copy."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    stderr = stdout and subprocess.STDOUT
    return subprocess.run(command, cwd=COPY, stdout=stdout, stderr=stderr, text=True, check=False)


def mutmut_says(*arguments: str) -> str:
    """Return what mutmut prints."""
    return mutmut(*arguments, stdout=subprocess.PIPE).stdout


if __name__ == "__main__":
    sys.exit(main())

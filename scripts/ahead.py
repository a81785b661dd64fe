"""Run the tests, and meanwhile build the programs that the later ones need.

    scripts/with-tools python -m scripts.ahead COMMAND...

The builds take what the command leaves of the processors. What needs a program waits for it and
says so, because a build holds a lock. If a build fails, what needs the program builds it again and
reports why it cannot. The builds print to a file, and end with the command.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from testbed.cache import cache_dir
from testbed.programs.modules import NEWEST, Module, all_modules

_IDLE = 19
ROOT = Path(__file__).parents[1]
CONFORMANCE = ("tests/conformance/arn", ".github/watch")


def needed(is_long: bool) -> list[list[Module]]:
    """Return the modules of the programs that `make test` needs, in the order of its checks."""
    slow = ["tests/conformance/prometheus"] if is_long else []
    others = [[".github/actionlint"], [*CONFORMANCE, *slow]]
    cluster = [module for module in all_modules() if module.track in ("", NEWEST)]
    older = [module for module in all_modules() if is_long and module not in cluster]
    return [
        *([Module(ROOT / name) for name in names] for names in others),
        *([module] for module in (*cluster, *older)),
    ]


def build(modules: Sequence[Module]) -> str:
    """Return the command that builds modules, unless the cache has them."""
    folders = [str(module.folder) for module in modules]
    return shlex.join([sys.executable, "-m", "testbed", "programs", *folders])


@contextmanager
def in_background(commands: Sequence[str], log: Path) -> Iterator[None]:
    """Run commands one after the other, at the lowest priority, while the block runs."""

    def apart() -> None:
        # A group of their own ends as one. A session of their own would get a share of its own,
        # whatever their priority is.
        os.setpgid(0, 0)
        os.nice(_IDLE)

    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        running = subprocess.Popen(
            ["/bin/sh", "-c", "\n".join(commands)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=apart,  # noqa: PLW1509  (there are no other threads)
        )
    try:
        yield
    finally:
        # Its number is still its own, because nobody has waited for it.
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def run(command: Sequence[str]) -> int:
    """Run a command, and return its exit code, or that of a shell whose command was killed."""
    with subprocess.Popen(command) as process:
        try:
            code = process.wait()
        except BaseException:
            # Ctrl-C reaches the command too, but SIGTERM reaches this process alone.
            process.terminate()
            raise
    return code if code >= 0 else 128 - code


def main(command: Sequence[str]) -> int:
    """Run the command while the builds run; return its exit code."""
    signal.signal(signal.SIGTERM, _stop)
    modules = needed(is_long=bool(os.environ.get("LONG")))
    if all(module.cache.exists() for group in modules for module in group):
        return run(command)
    log = cache_dir() / "ahead.log"
    print(f"Building the tests' programs in the background; see {log}", file=sys.stderr)
    with in_background([build(group) for group in modules], log):
        return run(command)


def _stop(number: int, _: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

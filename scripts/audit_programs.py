"""Look for published vulnerabilities of programs that were built from Go.

    python -m scripts.audit_programs GOVULNCHECK DATABASE PROGRAM…

It looks at all of them, and exits with 1 if a newer module fixes what one has. What has no fix yet
is printed alone: nobody can act on it, and a job that is always red is read by nobody.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.watch_image import NotWatched, shown, vulnerabilities


def main(checker: str, database: str, *programs: str) -> int:
    """Look at the programs; return the exit code, which is 2 if one could not be looked at."""
    code = 0
    for program in programs:
        try:
            _, found = vulnerabilities(Path(checker), database, Path(program))
        except NotWatched as error:
            print(f"scripts/audit_programs: {program}: {error}", file=sys.stderr)
            return 2
        for each in found:
            print(f"{Path(program).name}: {shown(each)}")
        code = max(code, int(any(each.fixed for each in found)))
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

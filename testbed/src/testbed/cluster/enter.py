"""The command that runs a program in the namespaces of another process."""

from __future__ import annotations

from collections.abc import Sequence

_CHANGE_FOLDER = 'cd "$0" && exec "$@"'


def command(pid: int, argv: Sequence[str], *, cwd: str, user: str | None = None) -> list[str]:
    """Return the command line that runs argv with the namespaces and root of process `pid`.

    Its exit code is the program's. Killing it kills the program too. Send a signal that the
    program is to catch to the whole process group, as a terminal does.
    """
    namespaces = ["--mount", "--net", "--pid", "--uts", "--ipc"]
    become = ["/usr/bin/setpriv", "--pdeathsig=KILL"]
    if user is not None:
        become += [f"--reuid={user}", f"--regid={user}", "--init-groups"]
    change_folder = ["/bin/sh", "-c", _CHANGE_FOLDER, cwd]
    return [
        "/usr/bin/nsenter",
        f"--target={pid}",
        *namespaces,
        "--",
        *become,
        "--",
        *change_folder,
        *argv,
    ]

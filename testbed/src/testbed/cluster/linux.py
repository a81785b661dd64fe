"""The few system calls that Python 3.10 has no function for.

PID 1 uses it on the system's python3, so it imports the standard library only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

NEW_MOUNTS = 0x0002_0000
NEW_HOSTNAME = 0x0400_0000
NEW_IPC = 0x0800_0000
NEW_PIDS = 0x2000_0000
NEW_NETWORK = 0x4000_0000

BIND = 0x1000
RECURSIVE = 0x4000
READ_ONLY = 0x1
REMOUNT = 0x20
PRIVATE = 0x4_0000
SHARED = 0x10_0000

_DETACH = 2
_PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Enter new namespaces. NEW_PIDS holds for children only. Raises OSError."""
    _checked(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount a file system, or change a mount. Raises OSError, which names the target."""
    arguments = (source.encode(), target.encode(), kind.encode() or None)
    result = _libc.mount(*arguments, ctypes.c_ulong(flags), data.encode() or None)
    _checked(result, f"mount {kind or source} at {target}")


def unmount(target: str) -> None:
    """Detach what is mounted at the target, even if it is busy. Raises OSError."""
    _checked(_libc.umount2(target.encode(), _DETACH), f"unmount {target}")


def pivot_root(new_root: str) -> None:
    """Make a mount point the root of this mount namespace, and detach the old root."""
    os.chdir(new_root)
    _checked(_libc.pivot_root(b".", b"."), f"pivot_root to {new_root}")
    unmount(".")
    os.chdir("/")


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends."""
    _checked(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")


def become_first_process(namespaces: int) -> None:
    """Return in a new process, which is PID 1 of these new namespaces and of NEW_PIDS.

    The calling process stays outside and never returns. It prints the new process's id, waits for
    its end, and exits with its code. If the calling process is killed, the kernel kills the new
    process and all that runs in its namespaces.
    """
    unshare(namespaces | NEW_PIDS)
    printed, print_ends = os.pipe()
    child = os.fork()
    if child == 0:
        die_with_parent()
        os.close(print_ends)
        # Whoever reads expects the id first, whichever process the kernel lets run first.
        os.read(printed, 1)
        os.close(printed)
        return
    print(child, flush=True)
    os.close(print_ends)
    os.close(sys.stdout.fileno())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _, status = os.waitpid(child, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)

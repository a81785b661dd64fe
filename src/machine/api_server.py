# SPDX-License-Identifier: Apache-2.0

"""This machine's API server, as it runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from machine.files import Machine

# By these the API server checks tokens itself, without any webhook.
_OWN_TOKENS = ("--authentication-config", "--oidc-issuer-url")


def flags(machine: Machine) -> list[str] | None:
    """Return the command line of this machine's API server; None if none runs."""
    for path in machine.processes.glob("[0-9]*/cmdline"):
        # A process may end meanwhile.
        with contextlib.suppress(OSError):
            program, *arguments = path.read_bytes().decode(errors="replace").split("\0")
            if program.rpartition("/")[2] == "kube-apiserver":
                return arguments
    return None


def own_tokens(flags: Iterable[str] | None) -> str:
    """Return the flag by which an API server checks tokens itself; empty if it has none."""
    given = {word.partition("=")[0] for word in flags or ()}
    return next((flag for flag in _OWN_TOKENS if flag in given), "")

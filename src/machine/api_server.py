# SPDX-License-Identifier: Apache-2.0

"""This machine's API server, as it runs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

from machine.files import Machine

# By these the API server checks tokens itself, without any webhook.
_OWN_TOKENS = ("--authentication-config", "--oidc-issuer-url")


def flags(machine: Machine) -> list[str] | None:
    """Return the command line of this machine's API server; None if none runs."""
    for process in (machine.root / "proc").glob("[0-9]*"):
        # A process may end meanwhile.
        with contextlib.suppress(OSError):
            # Another user's process can have any name.
            is_own = process.stat().st_uid == os.geteuid()
            if is_own and (process / "exe").readlink().name == "kube-apiserver":
                text = (process / "cmdline").read_bytes().decode(errors="replace")
                return text.split("\0")[1:]
    return None


def own_tokens(flags: Iterable[str] | None) -> str:
    """Return the flag by which an API server checks tokens itself; empty if it has none."""
    given = {word.partition("=")[0] for word in flags or ()}
    return next((flag for flag in _OWN_TOKENS if flag in given), "")

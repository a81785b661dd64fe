# SPDX-License-Identifier: Apache-2.0

"""Step 3: this unit's control plane uses the webhook."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence

from checks import Outcome, Site, again, failed, not_checked, ok
from errors import Unready
from juju.control_plane import Use, setting_command, unsetting_command
from machine import webhook
from machine.files import Machine

FLAG = "--authentication-token-webhook-config-file"
# By these the API server checks tokens itself, without any webhook.
_OWN_TOKENS = ("--authentication-config", "--oidc-issuer-url")


def check(site: Site, use: Callable[[], Use]) -> Outcome:
    """Return what came of the step. ``use`` may raise `errors.Unready`."""
    try:
        return verdict(use(), api_server(site.machine), site)
    except Unready as problem:
        return not_checked(f"{problem}")


def verdict(use: Use, flags: Sequence[str] | None, site: Site) -> Outcome:
    """Return whether the control plane uses the webhook.

    ``flags`` are those of this machine's API server; None if none runs.
    """
    if not use.address:
        return not_checked("the leader has not published the Service's address yet")
    if not use.via_relation and not use.is_used:
        seen = f"option authn-webhook-endpoint {'has another URL' if use.url else 'is not set'}"
        command = setting_command(site.control_plane, use.address)
        return failed(f"Charmed Kubernetes does not use the webhook: {seen}", f"run: {command}")
    if not use.is_used:
        return failed("the control plane does not use the webhook", again(site.principal))
    if flags is None:
        return failed(
            "no API server runs on this machine",
            site.on_machine("systemctl start snap.kube-apiserver.daemon"),
        )
    if not any(word.partition("=")[0] == FLAG for word in flags):
        return failed(
            f"the running API server has no {FLAG}, so it asks nobody about logins",
            again(site.principal),
        )
    url = webhook.endpoint(use.address)
    own = own_tokens(flags)
    # People with such a token never come to the pods, and no step looks at their way.
    others = f", and checks other tokens itself ({own}), which no step tries" if own else ""
    if use.via_relation:
        return ok(f"the control plane uses {url}, by its relation{others}")
    reset = unsetting_command(site.control_plane)
    first = f"before you remove {site.owner.application}, run: {reset}"
    return ok(f"the control plane uses {url}, by its option{others}; {first}")


def api_server(machine: Machine) -> list[str] | None:
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


def own_tokens(flags: Sequence[str] | None) -> str:
    """Return the flag by which an API server checks tokens itself; empty if it has none."""
    given = {word.partition("=")[0] for word in flags or ()}
    return next((flag for flag in _OWN_TOKENS if flag in given), "")

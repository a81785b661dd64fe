# SPDX-License-Identifier: Apache-2.0

"""Step 3: this unit's control plane uses the webhook."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from checks import Outcome, Site, again, failed, not_checked, ok
from errors import Unready
from juju.control_plane import Use, setting_command, unsetting_command
from machine import api_server as server
from machine import webhook

FLAG = "--authentication-token-webhook-config-file"


def check(site: Site, use: Callable[[], Use]) -> Outcome:
    """Return what came of the step. ``use`` may raise `errors.Unready`."""
    try:
        return verdict(use(), server.flags(site.machine), site)
    except Unready as problem:
        return not_checked(f"{problem}")


def verdict(use: Use, api_server: Sequence[str] | None, site: Site) -> Outcome:
    """Return whether the control plane uses the webhook.

    ``api_server`` is the command line of this machine's API server; None if none runs.
    """
    if not use.address:
        return not_checked("the leader has not published the Service's address yet")
    if not use.via_relation and not use.is_used:
        seen = f"option authn-webhook-endpoint {'has another URL' if use.url else 'is not set'}"
        command = setting_command(site.control_plane, use.address)
        return failed(f"Charmed Kubernetes does not use the webhook: {seen}", f"run: {command}")
    if not use.is_used:
        return failed("the control plane does not use the webhook", again(site.principal))
    if api_server is None:
        return failed(
            "no API server runs on this machine",
            site.on_machine("systemctl start snap.kube-apiserver.daemon"),
        )
    if not any(word.partition("=")[0] == FLAG for word in api_server):
        return failed(
            f"the running API server has no {FLAG}, so it asks nobody about logins",
            again(site.principal),
        )
    url = webhook.endpoint(use.address)
    own = server.own_tokens(api_server)
    # People with such a token never come to the pods, and no step looks at their way.
    others = f", and checks other tokens itself ({own}), which no step tries" if own else ""
    if use.via_relation:
        return ok(f"the control plane uses {url}, by its relation{others}")
    reset = unsetting_command(site.control_plane)
    first = f"before you remove {site.owner.application}, run: {reset}"
    return ok(f"the control plane uses {url}, by its option{others}; {first}")

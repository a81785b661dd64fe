# SPDX-License-Identifier: Apache-2.0

"""The reconcile, which every event runs: what it does depends on the state, never on the event."""

from __future__ import annotations

import contextlib

import cos
from errors import Waiting, collected
from hook import Hook
from juju import control_plane, reactive
from juju.peers import Shared
from machine import files, webhook
from statuses import active, waiting


def run(hook: Hook) -> str:
    """Bring everything to its desired state. Return the line of an active status.

    Raise `errors.Unready` if somebody else must act first.
    """
    with collected(hook.problems):
        reactive.remove_files(hook.machine)
    # Before it has its control plane, a unit asks Juju for no more.
    principal = hook.principal
    if webhook.is_at(hook.peers.shared.address, webhook.by_option(hook.machine)):
        hook.memory.was_set = True
    control_plane.check_supported(hook.charm, hook.machine)
    if not hook.peers.joined:
        raise Waiting(waiting.PEER_RELATION(), announced=True)
    control_plane.check_alone(principal, hook.peers.shared.relations)
    shared = hook.peers.shared.of_relations(principal.relations)
    # What is known comes first: an API server may not start without its file, and a unit with an
    # option that cannot work is one of those that serve.
    if not (hook.leads and webhook.is_foreign(hook.machine, hook.owner)):
        with collected(hook.problems):
            hook.publish_webhook(shared)
    with collected(hook.problems):
        _keep_login_kubeconfig(hook)
    if not hook.leads:
        cos.publish(hook)
    config = hook.config.checked()
    control_plane.await_api_server(principal, hook.requirer)
    if hook.leads:
        # Only a unit that leads needs this, so the hooks of the others start sooner.
        import leader

        line = leader.lead(hook, config, shared)
    else:
        line = _follow(hook, shared)
    address, was_set = hook.peers.shared.address, hook.memory.was_set
    if step := control_plane.next_step(principal, hook.machine, address, was_set=was_set):
        hook.wake.polls = True
        # A line has one command, at its end. The leader's comes first.
        line = line if "run: " in line else f"{line}, {step}"
    if hook.problems:
        raise hook.problems[0]
    return line


def _keep_login_kubeconfig(hook: Hook) -> None:
    """Keep the kubeconfig that people copy from this machine."""
    machine, path, shared = hook.machine, hook.machine.login_kubeconfig, hook.peers.shared
    login = (shared.cluster_id, hook.config.partition, shared.region)
    if not shared.cluster_id or not path.parent.is_dir():
        return

    def write() -> bool:
        # Only a change needs this, so a settled hook starts sooner.
        from actions import get_kubeconfig

        with contextlib.suppress(ValueError):
            files.write(path, get_kubeconfig.of_machine(machine, *login))
        return not is_there

    is_there = path.exists()
    words = (machine.public_kubeconfig, *login, is_there)
    hook.memory.write_once("kubeconfig", words, write)


def _follow(hook: Hook, shared: Shared) -> str:
    """Return the line of a unit that does not lead."""
    hook.wake.expect(())
    if not shared.serving:
        raise Waiting(waiting.LEADER_TO_DEPLOY(), announced=True)
    hook.tell_version()
    return active.READY()


def end_access(hook: Hook) -> None:
    """End access in a leader's hook whose reconcile did not come to it.

    An application without control planes lets nobody in, nor does one that has never served.
    """
    if hook.wake.is_told:
        return
    if not hook.leads or not control_plane.is_related(hook.charm) or not hook.peers.shared.serving:
        hook.wake.expect(())
        return
    import leader_access

    leader_access.end(hook)

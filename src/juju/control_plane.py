# SPDX-License-Identifier: Apache-2.0

"""The kubernetes-control-plane unit that this unit is subordinate to: which kind it is, and how
it gets its webhook."""

from __future__ import annotations

import dataclasses
import os
import re
from typing import NamedTuple

import ops
from charms.aws_iam.v0.aws_iam import AwsIamRequirer, Webhook, principal_in

from errors import Blocked, Unready, Waiting
from juju.peers import Shared
from machine import files, webhook
from machine.files import Machine
from memory import Memory
from owner import Owner
from statuses import active, blocked, waiting
from text import fingerprint, look_again

# Charmed Kubernetes <= 1.28: its charm speaks the interface.
RELATION = "aws-iam"
# Charmed Kubernetes >= 1.29: its charm has an option for the webhook, which only an operator sets.
IMPLICIT = "control-plane"
ENDPOINTS = (RELATION, IMPLICIT)

# How both kinds are called on Charmhub, the second until 2022.
_CHARMS = ("kubernetes-control-plane", "kubernetes-master")
_NAME = re.compile(r"""^name:\s*['"]?(?P<name>[a-z0-9-]+)""", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class ControlPlane:
    """The principal."""

    application: str  # Its application's name in this model.
    # The ids of the relations with it, which Juju numbers once and never again.
    relations: frozenset[str]
    via_relation: bool  # Whether it takes the webhook from the relation.
    remove: str  # The command that ends a relation with it.
    # The command that ends that relation, where another one keeps this unit; or empty.
    leave: str = ""


def is_related(charm: ops.CharmBase) -> bool:
    """Return whether this unit has a relation with a control plane that is not breaking now."""
    return bool(_relations(charm))


def _relations(charm: ops.CharmBase) -> list[ops.Relation]:
    """Return the relations with this unit's own control plane, without one that breaks now.

    Juju may list those of another one too, which somebody has integrated with by mistake.
    """
    own = os.environ.get("JUJU_PRINCIPAL_UNIT", "").partition("/")[0]
    found = [each for name in ENDPOINTS for each in charm.model.relations[name]]
    return [each for each in found if own in ("", each.app.name)]


def find(charm: ops.CharmBase) -> ControlPlane:
    """Return the control plane of this unit.

    Raises:
        errors.Blocked: there is none.
        errors.Waiting: its unit has not joined yet.
    """
    found = _relations(charm)
    if not found:
        raise _not_related(charm.app.name)
    joined = {relation.name: relation for relation in found if principal_in(relation)}
    application = found[0].app.name
    if not joined:
        raise Waiting(waiting.TO_JOIN(control_plane=application), announced=True)
    return ControlPlane(
        application,
        frozenset(str(relation.id) for relation in found),
        via_relation=RELATION in joined,
        remove=_removal(charm.app, found[0]),
        leave=_removal(charm.app, joined[RELATION]) if len(joined) > 1 else "",
    )


def check_alone(control_plane: ControlPlane, known: frozenset[str]) -> None:
    """Raise `errors.Blocked` if the application serves another control plane already.

    ``known`` has the ids of the relations that it has deployed for. Juju need not list those of
    another principal for a subordinate unit, but the unit's goal state names all of them.
    """
    if not known or known & control_plane.relations:
        return
    if {name.partition("/")[0] for name in principals()} > {control_plane.application}:
        raise Blocked(blocked.TWO_CONTROL_PLANES(command=control_plane.remove))


def principals() -> dict[str, str]:
    """Return the status of each control-plane unit that Juju's goal state lists, and of their
    applications.

    That has the units that are alive or dying. It lists no relation that is gone, and never a
    subordinate's own units, so ``planned_units`` is no help.
    """
    relations = ops.hookcmds.goal_state().relations
    return {
        name: goal.status
        for endpoint in ENDPOINTS
        for name, goal in relations.get(endpoint, {}).items()
    }


def _not_related(name: str) -> Unready:
    """Return the status of a unit that has no relation with a control plane, or none yet.

    A unit begins before Juju has it enter its relations.
    """
    try:
        coming = ops.hookcmds.goal_state().relations
    except ops.hookcmds.Error:
        coming = dict.fromkeys(ENDPOINTS)
    if any(endpoint in coming for endpoint in ENDPOINTS):
        return Waiting(waiting.TO_JOIN(control_plane=application()), announced=True)
    text = blocked.NO_CONTROL_PLANE(application=name, control_plane=application())
    return Blocked(text, announced=True)


def is_supported(machine: Machine) -> bool:
    """Return whether the principal is a kubernetes-control-plane, whatever its application's name.

    The endpoint juju-info takes every charm. Juju unpacks a principal's charm before it makes the
    subordinate, so this is known before the control plane has installed anything.
    """
    found = _NAME.search(files.read(machine.charm_metadata(principal_unit())) or "")
    # A charm of another name that renders the same webhook is one of its forks.
    return not found or found["name"] in _CHARMS or machine.auth_webhook.exists()


def check_supported(charm: ops.CharmBase, machine: Machine) -> None:
    """Raise `errors.Blocked` if the principal is no kubernetes-control-plane."""
    if is_supported(machine):
        return
    text = blocked.NOT_A_CONTROL_PLANE(principal=application(), application=charm.app.name)
    raise Blocked(text, announced=True)


def _removal(app: ops.Application, relation: ops.Relation) -> str:
    """Return the command that removes ``relation`` and no other."""
    theirs = "juju-info" if relation.name == IMPLICIT else relation.name
    return f"juju remove-relation {app.name}:{relation.name} {relation.app.name}:{theirs}"


def await_api_server(control_plane: ControlPlane, requirer: AwsIamRequirer) -> None:
    """Raise `errors.Waiting` until the control plane says that its API server answers.

    The newer kind of control plane never says so, and is not waited for.
    """
    if control_plane.via_relation and not requirer.api_server_ready:
        text = waiting.API_SERVER(control_plane=control_plane.application)
        raise Waiting(text, announced=True)


def publish_webhook(
    memory: Memory,
    control_plane: ControlPlane,
    machine: Machine,
    requirer: AwsIamRequirer,
    owner: Owner,
    shared: Shared,
) -> None:
    """Give this unit's control plane its webhook, the file first."""
    if not shared.ca or not shared.address:
        return
    if not control_plane.via_relation:
        # The file of a relation that is gone goes once the control plane no longer uses it.
        if webhook.by_relation(machine) == "" and not webhook.is_foreign(machine, owner):
            files.remove(machine.webhook)
        return
    text = webhook.render(owner, shared.address, shared.ca)
    files.write(machine.webhook, text)
    told = Webhook(shared.cluster_id, shared.serving, fingerprint(text))
    words = (sorted(control_plane.relations), principal_unit(), told)
    memory.write_once(RELATION, words, lambda: requirer.publish(told))


class Use(NamedTuple):
    """What this unit's control plane makes of the webhook."""

    address: str  # The Service's, as the leader published it; empty while there is none.
    via_relation: bool  # Whether the control plane takes the webhook from the relation.
    url: str  # Where the control plane sends logins by its relation or its option; or empty.
    # Whether that is the Service. Of a control plane with the relation that says nothing, it is.
    is_used: bool


def use(charm: ops.CharmBase, machine: Machine, shared: Shared) -> Use:
    """Return what this unit's control plane makes of the webhook.

    Raises:
        errors.Unready: there is no control plane yet.
    """
    address = shared.address if shared.ca else ""
    return _use(machine, address, via_relation=find(charm).via_relation)


def _use(machine: Machine, address: str, *, via_relation: bool) -> Use:
    url = webhook.by_relation(machine) if via_relation else webhook.by_option(machine) or ""
    is_used = bool(address) and (url is None or webhook.is_at(address, url))
    return Use(address, via_relation, (url or "").strip(), is_used)


def next_step(
    control_plane: ControlPlane, machine: Machine, address: str, *, was_set: bool
) -> str:
    """Return what the operator runs next to move from the relation to the option.

    Return an empty text where the unit has one relation only. No event announces what the
    control plane renders. ``was_set`` says whether the option has ever had the webhook's URL.

    Raises:
        errors.Waiting: the control plane does not use the webhook of its relation yet; or somebody
            has emptied the option, as one does ahead of a removal. Juju 4 ends a unit that is
            blocked then before its last hooks.
        errors.Blocked: people cannot log in, because the newer kind of control plane has not been
            given the webhook's URL; the text has the command that sets it.
    """
    by_option = _use(machine, address, via_relation=False)
    command = "" if by_option.is_used else _setting(control_plane.application, by_option)
    if control_plane.leave:
        step = command or active.LEAVE_RELATION(command=control_plane.leave)
        return active.NEXT_STEP(step=step)
    if not control_plane.via_relation:
        if command:
            raise (Waiting if was_set and not by_option.url else Blocked)(command)
    elif not _use(machine, address, via_relation=True).is_used:
        raise Waiting(waiting.CONTROL_PLANE_TO_USE(control_plane=control_plane.application))
    return ""


def _setting(application: str, by_option: Use) -> str:
    """Return what is wrong with the option, and the command that sets it."""
    text = blocked.REPLACE_WEBHOOK if by_option.url else blocked.SET_WEBHOOK
    return text(control_plane=application, url=webhook.endpoint(by_option.address))


def principal_unit() -> str:
    """Return the name of the control-plane unit that this unit is subordinate to."""
    return os.environ.get("JUJU_PRINCIPAL_UNIT") or "kubernetes-control-plane/leader"


def application() -> str:
    """Return the name of the control plane's application."""
    return principal_unit().partition("/")[0]


def setting_command(application: str, address: str) -> str:
    """Return the command after which the control plane asks the Service at ``address``."""
    return f"juju config {application} authn-webhook-endpoint={webhook.endpoint(address)}"


def reset_command(machine: Machine, address: str) -> str:
    """Return the command after which the control plane sends no logins to ``address``."""
    option, relation = webhook.by_option(machine), webhook.by_relation(machine)
    if webhook.is_at(address, relation) and not webhook.is_at(address, option):
        # It renders what the relation gives it by now.
        return look_again(principal_unit())
    return unsetting_command(application())


def unsetting_command(application: str) -> str:
    """Return the command that empties the option of the control plane."""
    # Juju 4 tells no unit of `--reset`.
    return f"juju config {application} authn-webhook-endpoint="

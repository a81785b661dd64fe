"""The kubernetes-control-plane unit that this unit is subordinate to: which kind it is, and how
it gets its webhook."""

from __future__ import annotations

import dataclasses
import os
import re

import ops
from charms.aws_iam.v0.aws_iam import AwsIamRequirer, Webhook

import files
import kubeconfigs
from errors import Blocked, Waiting, brief
from files import Machine
from fingerprint import fingerprint
from owner import Owner
from peers import Shared

# Charmed Kubernetes <= 1.28: its charm speaks the interface.
RELATION = "aws-iam"
# Charmed Kubernetes >= 1.29: its charm has an option for the webhook, which only an operator sets.
IMPLICIT = "control-plane"

# How its charm renders the option, verbatim. Source: kubernetes-control-plane's template of
# auth-webhook.py.
_OPTION = re.compile(r"""^CUSTOM_AUTHN_ENDPOINT\s*=\s*(['"])(?P<value>.*)\1\s*$""", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class ControlPlane:
    """The principal.

    Attributes:
        application: Its application's name in this model.
        relation_id: Of the relation with it, which Juju numbers once and never again.
        via_relation: Whether it takes the webhook from the relation.
    """

    application: str
    relation_id: int
    via_relation: bool


def find(charm: ops.CharmBase) -> ControlPlane:
    """Return the control plane of this unit.

    Raises:
        errors.Blocked: there is none, or both endpoints are in use.
        errors.Waiting: its unit has not joined yet.
    """
    name = charm.app.name
    explicit = charm.model.get_relation(RELATION)
    implicit = charm.model.get_relation(IMPLICIT)
    if explicit and implicit:
        raise Blocked(
            f"integrated twice: juju remove-relation {name}:{IMPLICIT} "
            f"{implicit.app.name}:juju-info"
        )
    relation = explicit or implicit
    if not relation:
        raise Blocked(f"no control plane: juju integrate {name} kubernetes-control-plane")
    if not relation.units:
        raise Waiting(f"waiting for {relation.app.name} to join")
    return ControlPlane(relation.app.name, relation.id, via_relation=bool(explicit))


def await_api_server(control_plane: ControlPlane, requirer: AwsIamRequirer) -> None:
    """Raise `errors.Waiting` until the control plane says that its API server answers.

    The newer kind of control plane never says so, and is not waited for.
    """
    if control_plane.via_relation and not requirer.api_server_ready:
        raise Waiting(f"waiting for the API server of {control_plane.application}")


def publish_webhook(
    control_plane: ControlPlane,
    machine: Machine,
    requirer: AwsIamRequirer,
    owner: Owner,
    shared: Shared,
) -> bool:
    """Give this unit's control plane its webhook, the file first.

    Return whether the control plane trusts ``shared.ca`` now. A control plane that never says
    which file it uses counts as using the new one.
    """
    if not shared.ca or not shared.address:
        return False
    if not control_plane.via_relation:
        return True
    text = kubeconfigs.webhook(owner, shared.address, shared.ca)
    files.write(machine.webhook, text)
    webhook = Webhook(shared.cluster_id, shared.serving, fingerprint(text))
    requirer.publish(webhook)
    return requirer.acknowledged in (None, "", webhook.hash)


def check_option(control_plane: ControlPlane, machine: Machine, address: str) -> None:
    """Check that the newer kind of control plane has been given the webhook's URL.

    Raises:
        errors.Blocked: its rendered webhook has another value; the text names that, and the
            command that sets ours. No event announces what the control plane renders.
    """
    if control_plane.via_relation:
        return
    rendered = _OPTION.search(files.read(machine.auth_webhook) or "")
    value = rendered["value"] if rendered else ""
    if _is_endpoint(value, address):
        return
    url = kubeconfigs.endpoint(address)
    command = f"run: juju config {control_plane.application} authn-webhook-endpoint={url}"
    if not value.strip():
        reason = ""
    elif _is_endpoint(value.strip(), address):
        reason = "authn-webhook-endpoint works for nobody, it has spaces around the URL; "
    else:
        shown = _without_credentials(value)
        reason = f"authn-webhook-endpoint is {shown} now; if nobody needs that, "
    raise Blocked(reason + command, announced=False)


def _is_endpoint(value: str, address: str) -> bool:
    port = f":{kubeconfigs.PORT}/"
    url = kubeconfigs.endpoint(address)
    return value in (url, url.replace(port, "/"))


def _without_credentials(url: str) -> str:
    """Return host and path of ``url``: what else is in it may be secret."""
    _, _, rest = url.strip().rpartition("://")
    location = re.split(r"[?#]", rest)[0].rpartition("@")[2]
    return brief(location)


def is_leaving() -> bool:
    """Return whether this unit goes because its control-plane unit goes.

    Otherwise their relation goes. Juju's goal state lists a relation's units, ``dying`` ones
    among them, but not the units of a relation that is itself being removed. It never lists a
    subordinate's own units, so ``planned_units`` is no help here.

    Raises:
        errors.Waiting: Juju does not answer.
    """
    principal = os.environ.get("JUJU_PRINCIPAL_UNIT", "")
    try:
        relations = ops.hookcmds.goal_state().relations
    except ops.hookcmds.Error as error:
        raise Waiting(f"Juju does not say what is being removed: {error}") from error
    goals = (relations.get(endpoint, {}).get(principal) for endpoint in (RELATION, IMPLICIT))
    return any(goal and goal.status == "dying" for goal in goals)

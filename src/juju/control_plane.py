# SPDX-License-Identifier: Apache-2.0

"""The kubernetes-control-plane unit that this unit is subordinate to: which kind it is, and how
it gets its webhook."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re

import ops
from charms.aws_iam.v0.aws_iam import WEBHOOK_CONFIG, AwsIamRequirer, Webhook, principal_in

from errors import Blocked, Unready, Waiting
from juju.peers import Shared
from machine import files, webhook_file
from machine.files import Machine
from memory import Memory
from owner import Owner, short_name
from statuses import active, blocked, waiting
from text import brief, fingerprint, is_ip, look_again

# Charmed Kubernetes <= 1.28: its charm speaks the interface.
RELATION = "aws-iam"
# Charmed Kubernetes >= 1.29: its charm has an option for the webhook, which only an operator sets.
IMPLICIT = "control-plane"
ENDPOINTS = (RELATION, IMPLICIT)

# How both kinds are called on Charmhub, the second until 2022.
_CHARMS = ("kubernetes-control-plane", "kubernetes-master")
_NAME = re.compile(r"""^name:\s*['"]?(?P<name>[a-z0-9-]+)""", re.MULTILINE)

# How both kinds render, verbatim, what the relation and the option gave them. Source:
# kubernetes-control-plane's template of auth-webhook.py.
_RENDERED = r"""^{}\s*=\s*(['"])(?P<value>.*)\1\s*$"""
_GIVEN = re.compile(_RENDERED.format("AWS_IAM_ENDPOINT"), re.MULTILINE)
_OPTION = re.compile(_RENDERED.format("CUSTOM_AUTHN_ENDPOINT"), re.MULTILINE)
_AUTHENTICATOR = re.compile(
    r"https?://(\[(?P<v6>[0-9a-fA-F:]+)\]|(?P<v4>[0-9.]+))(:443)?/authenticate"
)


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
        if _rendered(_GIVEN, machine) == "" and not is_webhook_foreign(machine, owner):
            files.remove(machine.webhook)
        return
    text = webhook_file.render(owner, shared.address, shared.ca)
    files.write(machine.webhook, text)
    webhook = Webhook(shared.cluster_id, shared.serving, fingerprint(text))
    words = (sorted(control_plane.relations), principal_unit(), webhook)
    memory.write_once(RELATION, words, lambda: requirer.publish(webhook))


def is_webhook_foreign(machine: Machine, owner: Owner) -> bool:
    """Return whether another application wrote the webhook file on this machine."""
    return owner.is_foreign(webhook_file.owner_of(files.read(machine.webhook) or ""))


def await_use(
    control_plane: ControlPlane, machine: Machine, requirer: AwsIamRequirer, address: str
) -> None:
    """Raise `errors.Waiting` until the control plane uses the webhook of its relation.

    Nobody can log in before. A control plane that says neither which file it uses nor what it has
    rendered is not waited for.
    """
    if not control_plane.via_relation:
        return
    given = _rendered(_GIVEN, machine)
    uses_another = given is not None and not _is_endpoint(given, address)
    if uses_another or requirer.acknowledged == "":
        raise Waiting(waiting.CONTROL_PLANE_TO_USE(control_plane=control_plane.application))


def next_step(
    control_plane: ControlPlane, machine: Machine, address: str, *, was_set: bool
) -> str:
    """Return what the operator runs next to move from the relation to the option.

    Return an empty text where the unit has one relation only. No event announces what the
    control plane renders. ``was_set`` says whether the option has ever had the webhook's URL.

    Raises:
        errors.Waiting: somebody has emptied the option, as one does ahead of a removal. Juju 4
            ends a unit that is blocked then before its last hooks.
        errors.Blocked: people cannot log in, because the newer kind of control plane has not been
            given the webhook's URL; the text has the command that sets it.
    """
    if control_plane.via_relation and not control_plane.leave:
        return ""
    command = _setting(control_plane, machine, address)
    if not control_plane.via_relation:
        if command and was_set and not (_rendered(_OPTION, machine) or "").strip():
            raise Waiting(command)
        if command:
            raise Blocked(command)
        return ""
    step = command or active.LEAVE_RELATION(command=control_plane.leave)
    return active.NEXT_STEP(step=step)


@dataclasses.dataclass(frozen=True)
class Use:
    """How far this unit's control plane uses the webhook."""

    address: str  # The Service's, as the leader published it; empty while there is none.
    via_relation: bool  # Whether the control plane takes the webhook from the relation.
    file: str = ""  # What is wrong with this unit's webhook file; empty if nothing is.
    # Whether the control plane uses the file as it is, by its own word. A control plane that never
    # says so counts as using it.
    acknowledged: bool = True
    # Whether its own webhook passes logins on to this one; None if it does not say.
    forwards: bool | None = None
    # What the option has in place of the URL, without what may be secret; None if it has that.
    option: str | None = None


def use(
    charm: ops.CharmBase, machine: Machine, requirer: AwsIamRequirer, owner: Owner, shared: Shared
) -> Use:
    """Return how far this unit's control plane uses the webhook.

    Raises:
        errors.Unready: there is no control plane yet.
    """
    principal = find(charm)
    via_relation, address = principal.via_relation, shared.address if shared.ca else ""
    if not address:
        return Use("", via_relation)
    if not via_relation:
        value = _rendered(_OPTION, machine) or ""
        other = None if _is_endpoint(value, address) else _without_credentials(value)
        return Use(address, via_relation, option=other)
    wanted = webhook_file.render(owner, address, shared.ca)
    given = _rendered(_GIVEN, machine)
    return Use(
        address,
        via_relation,
        file=_difference(machine, owner, wanted),
        acknowledged=requirer.acknowledged in (None, fingerprint(wanted)),
        forwards=None if given is None else _is_endpoint(given, address),
    )


def _difference(machine: Machine, owner: Owner, wanted: str) -> str:
    """Return how the webhook file differs from ``wanted``; empty if it does not."""
    text = files.read(machine.webhook)
    if text is None:
        return f"{WEBHOOK_CONFIG} is missing"
    if owner.is_foreign(mark := webhook_file.owner_of(text)):
        return f"{WEBHOOK_CONFIG} is of {short_name(mark)}"
    return "" if text == wanted else f"{WEBHOOK_CONFIG} was changed"


def _setting(control_plane: ControlPlane, machine: Machine, address: str) -> str:
    """Return what is wrong with the option and the command that sets it; empty if it is right."""
    if is_set(machine, address):
        return ""
    value = _rendered(_OPTION, machine) or ""
    url = webhook_file.endpoint(address)
    application = control_plane.application
    if not value.strip():
        return blocked.SET_WEBHOOK(control_plane=application, url=url)
    current = _without_credentials(value)
    return blocked.REPLACE_WEBHOOK(control_plane=application, url=url, current=current)


def _rendered(line: re.Pattern[str], machine: Machine) -> str | None:
    """Return the value that the control plane has rendered; None where it has rendered none."""
    found = line.search(files.read(machine.auth_webhook) or "")
    return found["value"] if found else None


def _is_endpoint(value: str, address: str) -> bool:
    port = f":{webhook_file.PORT}/"
    url = webhook_file.endpoint(address)
    return value in (url, url.replace(port, "/"))


def asks(machine: Machine, address: str) -> bool:
    """Return whether the control plane sends logins to ``address``, or nobody can say.

    It is the control plane's own word: it goes on asking there until it has rendered another.
    """
    if not address or not machine.auth_webhook.exists():
        return False
    is_readable = files.read(machine.auth_webhook) is not None
    return not is_readable or any(_asks(line, machine, address) for line in (_OPTION, _GIVEN))


def _asks(line: re.Pattern[str], machine: Machine, address: str) -> bool:
    found = _AUTHENTICATOR.fullmatch((_rendered(line, machine) or "").strip())
    host = (found["v6"] or found["v4"]) if found else ""
    return is_ip(host) and ipaddress.ip_address(host) == ipaddress.ip_address(address)


def is_set(machine: Machine, address: str) -> bool:
    """Return whether the option has the URL of the webhook at ``address``."""
    return _is_endpoint(_rendered(_OPTION, machine) or "", address)


def principal_unit() -> str:
    """Return the name of the control-plane unit that this unit is subordinate to."""
    return os.environ.get("JUJU_PRINCIPAL_UNIT") or "kubernetes-control-plane/leader"


def application() -> str:
    """Return the name of the control plane's application."""
    return principal_unit().partition("/")[0]


def setting_command(application: str, address: str) -> str:
    """Return the command after which the control plane asks the Service at ``address``."""
    return f"juju config {application} authn-webhook-endpoint={webhook_file.endpoint(address)}"


def reset_command(machine: Machine, address: str) -> str:
    """Return the command after which the control plane sends no logins to ``address``."""
    if _asks(_GIVEN, machine, address) and not _asks(_OPTION, machine, address):
        # It renders what the relation gives it by now.
        return look_again(principal_unit())
    return unsetting_command(application())


def unsetting_command(application: str) -> str:
    """Return the command that empties the option of the control plane."""
    # Juju 4 tells no unit of `--reset`.
    return f"juju config {application} authn-webhook-endpoint="


def _without_credentials(url: str) -> str:
    """Return host and path of ``url``: what else is in it may be secret."""
    _, _, rest = url.strip().rpartition("://")
    location = re.split(r"[?#]", rest)[0]
    if "@" in rest and "@" not in location:
        # A password may have one of these signs in it.
        return "..."
    return brief(location.rpartition("@")[2])

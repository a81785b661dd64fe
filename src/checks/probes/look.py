# SPDX-License-Identifier: Apache-2.0

"""What the verdicts are about, as the cluster and this machine have it.

Call the functions that take a client inside `errors_as_status`.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable

from access.mapping import IdentityMapping
from access.rbac import Question
from certificates.keypair import KeyPair
from checks.outcome import Names
from checks.steps import authenticator
from checks.steps.authenticator import Deployed
from cluster import api, contents, crd, manifests, objects, pods, references, services, state
from errors import Unready, collected
from juju.control_plane import Use
from juju.peers import Shared
from machine.files import Machine
from owner import Owner


@dataclasses.dataclass(frozen=True)
class Site:
    """What the steps start from.

    Attributes:
        machine: This unit's machine.
        owner: This application.
        shared: What the leader published.
        partition: The option `partition`.
        region: The region whose STS is asked; empty for the one that most people use.
        use: Returns how far the control plane uses the webhook.
        names: What the remedies call applications and units.
    """

    machine: Machine
    owner: Owner
    shared: Shared
    partition: str
    region: str
    use: Callable[[], Use]
    names: Names


@dataclasses.dataclass(frozen=True)
class Seen:
    """What the cluster has.

    Attributes:
        deployed: What there is of the authenticator.
        pair: The key pair in its Secret; None without one.
        mappings: The mappings; None if the cluster does not serve their CRD.
    """

    deployed: Deployed
    pair: KeyPair | None
    mappings: list[IdentityMapping] | None


_SERVICE_ACCOUNT = f"system:serviceaccount:{references.NAMESPACE}"


def at_cluster(client: api.Client, site: Site) -> Seen:
    """Return what the cluster has."""
    pair = contents.stored(client).pair
    found = deployed(client, site.owner, site.shared.address, pair)
    return Seen(
        deployed=found,
        pair=pair,
        mappings=state.mappings(client) if found.crd else None,
    )


def deployed(client: api.Client, owner: Owner, address: str, pair: KeyPair | None) -> Deployed:
    """Return what the cluster has of the authenticator; ``address`` is the Service's."""
    absent = (
        *references.OPTIONAL,
        *references.KEPT,
        *(() if crd.ratchets(client) else references.POLICY),
    )
    needed = [what for what in references.OWNED if what not in absent]
    found = {what: objects.get(client, what) for what in needed}
    service, deployment = services.of_address(client, address), found[references.DEPLOYMENT]
    mark = objects.mark_of(service) if service else ""
    rollout = pods.progress(deployment) if deployment else None
    labelled = pods.find_labelled(client)
    all_pods = pods.own(labelled)
    problems: list[Unready] = []
    if rollout:
        with collected(problems):
            pods.check_complete(client, rollout, all_pods)
    return Deployed(
        owner=mark if owner.is_foreign(mark) else "",
        missing=tuple(f"{what.kind}/{what.name}" for what in needed if not found[what]),
        crd=crd.is_served(client),
        service=_service(owner, service, address) if service else "",
        denied=_denied(client),
        image=_image(deployment),
        rollout=rollout,
        problem=next(iter(problems), None),
        pods=tuple(pods.serving(all_pods)),
        logging=tuple(pods.names(all_pods)),
        strangers=tuple(pods.strangers(labelled)),
        former=not pair or not pods.all_use(all_pods, pair),
        uses_proxy=_uses_proxy(deployment),
    )


def _service(owner: Owner, service: api.Object, address: str) -> str:
    wanted = manifests.service(owner, address or None)["spec"]
    return authenticator.service_difference(wanted, service["spec"])


def _denied(client: api.Client) -> tuple[str, ...]:
    from cluster import bindings

    user, groups = f"{_SERVICE_ACCOUNT}:{references.NAME}", ["system:serviceaccounts"]
    plural, _, group = references.CRD.partition(".")
    questions = {verb: Question(verb, plural, group) for verb in authenticator.VERBS}
    return tuple(
        verb
        for verb, question in questions.items()
        if not bindings.ask(client, user, groups, question).allowed
    )


def _image(deployment: api.Object | None) -> str:
    found = contents.containers(deployment)
    return next((each["image"] for each in found if each["name"] == references.NAME), "")


def _uses_proxy(deployment: api.Object | None) -> bool:
    found = contents.containers(deployment)
    return any(each["name"] == "HTTPS_PROXY" for one in found for each in one.get("env") or ())


def api_server(machine: Machine) -> list[str] | None:
    """Return the command line of this machine's API server; None if none runs."""
    for path in machine.processes.glob("[0-9]*/cmdline"):
        # A process may end meanwhile.
        with contextlib.suppress(OSError):
            program, *arguments = path.read_bytes().decode(errors="replace").split("\0")
            if program.rpartition("/")[2] == "kube-apiserver":
                return arguments
    return None

# SPDX-License-Identifier: Apache-2.0

"""Step 2: all that the authenticator consists of is in the cluster, and its pods are up."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from lightkube.resources.discovery_v1 import EndpointSlice

from access.rbac import Question
from certificates.keypair import KeyPair
from checks import Names, Outcome, Site, failed, ok
from cluster import answers, api, bindings, contents, crd, objects, pods, references, services
from cluster.pods import Rollout, Serving
from errors import Unready, collected

# Why a step that needs a pod is not checked.
NOBODY = "no pod is ready, see step 2"
# What helps where a ready pod does not answer this machine: its own node reaches it.
OPEN_NETWORK = (
    f"let the control planes reach TCP port {references.POD_PORT} of the pods; see: "
    f"kubectl -n {references.NAMESPACE} get networkpolicies"
)

# What the authenticator does with mappings: without these it knows nobody.
VERBS = ("get", "list", "watch")
_SLICES = f"kubernetes.io/service-name={references.NAME}"
_SERVICE_ACCOUNT = f"system:serviceaccount:{references.NAMESPACE}"
# The rollout without a Deployment.
NO_PODS = Rollout(0, 0, serving=False, complete=False)


@dataclasses.dataclass(frozen=True)
class Deployed:
    """What the cluster has."""

    # The mark of another application that owns the objects; empty if this one does.
    owner: str = ""
    missing: tuple[str, ...] = ()  # The objects that are not there, as ``Kind/name``.
    crd: bool = True  # Whether the CRD is served.
    service: str = ""  # The fields of the Service's spec that the charm did not set so.
    denied: tuple[str, ...] = ()  # What RBAC does not let the authenticator do with mappings.
    image: str = ""  # The image in the Deployment.
    rollout: Rollout = NO_PODS  # How far its pods are.
    problem: Unready | None = None  # Why they are not all up; None if they are.
    pods: tuple[Serving, ...] = ()  # Those that get requests.
    # The names of all pods. One that is ending may still get requests for a minute.
    logging: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()  # The endpoints of the Service that are none of its pods.
    pair: KeyPair | None = None  # The certificate in the Secret, with its key; None without one.
    former: bool = False  # Whether a pod that may still get requests serves another certificate.
    uses_proxy: bool = False  # Whether they are told of a proxy.


def look(client: api.Client, site: Site) -> Deployed:
    """Return what the cluster has. Call it inside `errors_as_status`."""
    owner, address = site.owner, site.shared.address
    pair = contents.stored(client).pair
    needed = [*references.OWNED]
    needed += references.POLICY if crd.ratchets(client) else ()
    found = {what: objects.get(client, what) for what in needed}
    service, deployment = services.of_address(client, address), found[references.DEPLOYMENT]
    mark = objects.mark_of(service) if service else ""
    wanted = services.manifest(client, owner, address or None)["spec"]
    containers = contents.containers(deployment)
    environment = [each["name"] for one in containers for each in one.get("env") or ()]
    own = pods.find(client)
    names = pods.names(own)
    rollout, problems = pods.progress(deployment) if deployment else NO_PODS, list[Unready]()
    if deployment:
        with collected(problems):
            pods.check_complete(client, rollout, own)
    return Deployed(
        owner=mark if owner.is_foreign(mark) else "",
        missing=tuple(f"{what.kind}/{what.name}" for what in needed if not found[what]),
        crd=crd.is_served(client),
        service=changed_fields(wanted, service["spec"]) if service else "",
        denied=_denied(client),
        image=next((one["image"] for one in containers if one["name"] == references.NAME), ""),
        rollout=rollout,
        problem=next(iter(problems), None),
        pods=tuple(pods.serving(own)),
        logging=tuple(names),
        strangers=tuple(_strangers(client, names)),
        pair=pair,
        former=not pair or not pods.all_use(own, pair),
        uses_proxy="HTTPS_PROXY" in environment,
    )


def _strangers(client: api.Client, own: Collection[str]) -> Iterator[str]:
    slices = client.list(
        EndpointSlice, answers.EndpointSlice, namespace=references.NAMESPACE, labels=_SLICES
    )
    for each in (each for found in slices for each in found.endpoints or ()):
        target = each.target_ref
        if not target:
            yield from each.addresses
        elif target.kind != "Pod" or target.namespace != references.NAMESPACE:
            yield f"{target.kind} {target.namespace}/{target.name}"
        elif target.name not in own:
            yield f"pod {target.name}"


def _denied(client: api.Client) -> tuple[str, ...]:
    user, groups = f"{_SERVICE_ACCOUNT}:{references.NAME}", ["system:serviceaccounts"]
    plural, _, group = references.CRD.partition(".")
    return tuple(
        verb
        for verb in VERBS
        if not bindings.ask(client, user, groups, Question(verb, plural, group)).allowed
    )


def verdict(found: Deployed, names: Names, remark: str = "") -> Outcome:
    """Return whether everything is there, and what holds a pod up.

    The ``remark`` says what is known of an image that works."""
    if found.owner:
        return failed("another application owns the objects", references.foreign(found.owner))
    if found.missing or not found.crd:
        lacking = [*found.missing, *([] if found.crd else [f"CRD/{references.CRD}"])]
        return failed(f"the cluster lacks {', '.join(lacking)}", names.reconcile)
    if found.service:
        return failed(f"Service/{references.NAME} was changed: {found.service}", names.reconcile)
    if found.denied:
        verbs = ", ".join(found.denied)
        return failed(f"RBAC does not let the authenticator {verbs} mappings", names.reconcile)
    if found.strangers:
        who = ", ".join(found.strangers)
        return failed(
            f"the Service sends logins to others than the authenticator's pods: {who}",
            f"see what made them: kubectl -n {references.NAMESPACE} get endpointslices "
            f"-l {_SLICES} -o yaml",
        )
    if found.problem:
        said = f"{found.problem} (image {found.image})"
        return failed(said, _remedy(found.problem, names.application))
    ready = f"{found.rollout.ready}/{found.rollout.wanted} pods are ready"
    said = f"{ready}; CRD, RBAC and Service are there; image {found.image}"
    return ok(f"{said}; {remark}" if remark else said)


def _remedy(problem: Unready, application: str) -> str:
    if isinstance(problem, pods.ImageNotPulled):
        return (
            f"set one that the nodes can pull: juju config {application} image=IMAGE, or a "
            f"registry: juju config {application} image-registry=REGISTRY"
        )
    if isinstance(problem, pods.NotScheduled):
        return "make room on a node, or run: kubectl uncordon NODE"
    if isinstance(problem, pods.NotCreated):
        return "change the quota, the policy or the webhook that refuses the pods"
    return (
        f"what it says: kubectl -n {references.NAMESPACE} describe pods -l {references.POD_LABEL}"
    )


def changed_fields(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return the fields of a Service's spec that do not have the ``wanted`` values; empty if all
    have theirs."""
    return ", ".join(name for name in wanted if _field(name, found) != _field(name, wanted))


def _field(name: str, spec: Mapping[str, Any]) -> Any:
    if name != "ports":
        return spec.get(name)
    # The server completes a port, for example with its protocol.
    ports = spec.get(name) or ()
    return [
        (each.get("port"), each.get("targetPort"), each.get("protocol", "TCP")) for each in ports
    ]

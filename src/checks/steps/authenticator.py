# SPDX-License-Identifier: Apache-2.0

"""Step 2: all that the authenticator consists of is in the cluster, and its pods are up. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from checks.outcome import Names, Outcome, failed, ok
from cluster import references
from cluster.references import describe
from errors import Unready

if TYPE_CHECKING:
    from cluster.pods import Rollout, Serving

# What the authenticator does with mappings: without these it knows nobody.
VERBS = ("get", "list", "watch")
_PODS = f"kubectl -n {references.NAMESPACE} describe pods -l k8s-app={references.NAME}"
# What helps a pod that cannot start, by what holds it up.
_REMEDIES = (
    (("ErrImage", "ImagePull", "InvalidImageName"), "{image}"),
    (("Unschedulable", "SchedulerError"), "make room on a node, or run: kubectl uncordon NODE"),
    (("",), f"what it says: {_PODS}"),
)
_IMAGE = (
    "set one that the nodes can pull: juju config {} image=IMAGE, or a registry: "
    "juju config {} image-registry=REGISTRY"
)


@dataclasses.dataclass(frozen=True)
class Deployed:
    """What the cluster has.

    Attributes:
        owner: The mark of another application that owns the objects; empty if this one does.
        missing: The objects that are not there, as ``Kind/name``.
        crd: Whether the CRD is served.
        service: What the Service's spec has that the charm did not set so.
        denied: What RBAC does not let the authenticator do with mappings.
        image: The image in the Deployment.
        rollout: How far its pods are; None without a Deployment.
        problem: Why they are not all up; None if they are.
        pods: Those that get requests.
        logging: The names of all pods. One that is ending may still get requests for a minute.
        strangers: The names of other pods with the same label.
        former: Whether a pod that may still get requests serves another certificate.
        uses_proxy: Whether they are told of a proxy.
    """

    owner: str = ""
    missing: tuple[str, ...] = ()
    crd: bool = True
    service: str = ""
    denied: tuple[str, ...] = ()
    image: str = ""
    rollout: Rollout | None = None
    problem: Unready | None = None
    pods: tuple[Serving, ...] = ()
    logging: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    former: bool = False
    uses_proxy: bool = False


def verdict(found: Deployed, names: Names) -> Outcome:
    """Return whether everything is there, and what holds a pod up."""
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
            f"the Service may send logins to pods that are not the authenticator's: {who}",
            f"see whose they are, and remove their label k8s-app: {describe(found.strangers[0])}",
        )
    if found.problem or not found.rollout:
        said = f"{found.problem or 'the Deployment has no status'}"
        return failed(f"{said} (image {found.image})", _remedy(said, names))
    pods = f"{found.rollout.ready}/{found.rollout.wanted} pods are ready"
    return ok(f"{pods}; CRD, RBAC and Service are there; image {found.image}")


def _remedy(said: str, names: Names) -> str:
    found = next(text for marks, text in _REMEDIES if any(mark in said for mark in marks))
    return _IMAGE.format(names.application, names.application) if found == "{image}" else found


def service_difference(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return which field of a Service's spec does not have the ``wanted`` value, and what it has;
    empty if all have theirs."""
    for name, value in wanted.items():
        if name == "ports":
            here = [_port(each) for each in found.get(name) or ()]
            if here != [_port(each) for each in value]:
                return f"{name} is {', '.join(here) or 'empty'}"
        elif found.get(name) != value:
            return f"{name} is {_shown(found.get(name))}"
    return ""


def _port(port: Mapping[str, Any]) -> str:
    return f"{port.get('port')}→{port.get('targetPort')}/{port.get('protocol', 'TCP')}"


def _shown(value: Any) -> str:
    if not isinstance(value, dict):
        return f"{value}"
    pairs = cast("dict[str, Any]", value).items()
    return ",".join(f"{key}={text}" for key, text in pairs) or "empty"

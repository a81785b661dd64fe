# SPDX-License-Identifier: Apache-2.0

"""Step 2: the authenticator's pods are up."""

from __future__ import annotations

import dataclasses

from checks import Outcome, Site, failed, ok
from cluster import api, contents, objects, references
from cluster.pods import (
    ImageNotPulled,
    NotCreated,
    NotScheduled,
    Rollout,
    Serving,
    check_complete,
    find,
    names,
    progress,
    serving,
)
from errors import Unready, collected
from text import word

# Why a step that needs a pod is not checked.
NOBODY = "no pod is ready, see step 2"


@dataclasses.dataclass(frozen=True)
class Deployed:
    """What the cluster has of the authenticator."""

    # The mark of another application that owns the Deployment; empty if this one does.
    owner: str = ""
    image: str = ""  # The image in the Deployment.
    rollout: Rollout | None = None  # How far its pods are; None without a Deployment.
    problem: Unready | None = None  # Why they are not all up; None if they are.
    pods: tuple[Serving, ...] = ()  # Those that get requests.
    # The names of all pods. One that is ending may still get requests for a minute.
    logging: tuple[str, ...] = ()
    uses_proxy: bool = False  # Whether they are told of a proxy.


def look(client: api.Client, site: Site) -> Deployed:
    """Return what the cluster has. Call it inside `errors_as_status`."""
    deployment = objects.get(client, references.DEPLOYMENT)
    if not deployment:
        return Deployed()
    mark = objects.mark_of(deployment)
    containers = contents.containers(deployment)
    environment = [each["name"] for one in containers for each in one.get("env") or ()]
    found = find(client)
    rollout, problems = progress(deployment), list[Unready]()
    with collected(problems):
        check_complete(client, rollout, found)
    return Deployed(
        owner=mark if site.owner.is_foreign(mark) else "",
        image=next((one["image"] for one in containers if one["name"] == references.NAME), ""),
        rollout=rollout,
        problem=next(iter(problems), None),
        pods=tuple(serving(found)),
        logging=tuple(names(found)),
        uses_proxy="HTTPS_PROXY" in environment,
    )


def verdict(found: Deployed, site: Site) -> Outcome:
    """Return whether all pods are up, and what holds one up."""
    if not found.rollout:
        return failed("the cluster has no Deployment of the authenticator", site.names.reconcile)
    if found.owner:
        return failed(
            "another application owns the pods",
            references.foreign(found.owner, references.DEPLOYMENT),
        )
    image = word(found.image)
    if found.problem:
        return failed(
            f"{found.problem} (image {image})", _remedy(found.problem, site.names.application)
        )
    return ok(f"{found.rollout.ready}/{found.rollout.wanted} pods are ready; image {image}")


def _remedy(problem: Unready, application: str) -> str:
    if isinstance(problem, ImageNotPulled):
        return (
            f"set one that the nodes can pull: juju config {application} image=IMAGE, or a "
            f"registry: juju config {application} image-registry=REGISTRY"
        )
    if isinstance(problem, NotScheduled):
        return "make room on a node, or run: kubectl uncordon NODE"
    if isinstance(problem, NotCreated):
        return "change the quota, the policy or the webhook that refuses the pods"
    return (
        f"what it says: kubectl -n {references.NAMESPACE} describe pods -l {references.POD_LABEL}"
    )

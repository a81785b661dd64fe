# SPDX-License-Identifier: Apache-2.0

"""Step 2: the authenticator's pods are up."""

from __future__ import annotations

import dataclasses

from checks import Outcome, Site, again, failed, ok
from cluster import api, objects, references
from cluster.pods import (
    ImageNotPulled,
    NotCreated,
    NotScheduled,
    Serving,
    check_complete,
    find,
    names,
    progress,
    serving,
)
from errors import Unready
from text import word

# Why a step that needs a pod is not checked.
NOBODY = "no pod is ready, see step 2"


@dataclasses.dataclass(frozen=True)
class Deployed:
    """What the cluster has of the authenticator."""

    outcome: Outcome  # What came of the step.
    pods: tuple[Serving, ...] = ()  # Those that get requests.
    # The names of all pods. One that is ending may still get requests for a minute.
    logging: tuple[str, ...] = ()
    uses_proxy: bool = False  # Whether they are told of a proxy.


def look(client: api.Client, site: Site) -> Deployed:
    """Return what the cluster has. Call it inside `errors_as_status`."""
    deployment = objects.get(client, references.DEPLOYMENT)
    if not deployment:
        missing = "the cluster has no Deployment of the authenticator"
        return Deployed(failed(missing, again(site.leader)))
    mark = objects.mark_of(deployment)
    containers = deployment["spec"]["template"]["spec"]["containers"]
    environment = [each["name"] for one in containers for each in one.get("env") or ()]
    images = [one["image"] for one in containers if one["name"] == references.NAME]
    image = word(next(iter(images), ""))
    found = find(client)
    rollout = progress(deployment)
    outcome = ok(f"{rollout.ready}/{rollout.wanted} pods are ready; image {image}")
    try:
        check_complete(rollout, found)
    except Unready as problem:
        remedy = _remedy(problem, site.owner.application)
        outcome = failed(f"{problem} (image {image})", remedy)
    if site.owner.is_foreign(mark):
        foreign = references.foreign(mark, references.DEPLOYMENT)
        outcome = failed("another application owns the pods", foreign)
    return Deployed(
        outcome,
        pods=tuple(serving(found)),
        logging=tuple(names(found)),
        uses_proxy="HTTPS_PROXY" in environment,
    )


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

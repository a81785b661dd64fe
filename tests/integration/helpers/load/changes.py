"""Make every change that an application sees in its life, while people log in."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import jubilant
from tests.integration.helpers import (
    bundle,
    certificates,
    juju_status,
    kubernetes,
    logins,
    testbed_only,
    units,
)
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import PODS, Cluster
from tests.integration.helpers.load import servers, tokens
from tests.integration.helpers.load.load import REVIEWS_A_SECOND, Load
from tests.integration.helpers.load.report import Phase

# A change has late effects, such as the end of a pod whose endpoint is gone.
AFTERMATH_SECONDS = 5.0

Change = Callable[[jubilant.Juju, Cluster], None]


def nothing(juju: jubilant.Juju, cluster: Cluster) -> None:
    time.sleep(20)


def certificate(juju: jubilant.Juju, cluster: Cluster) -> None:
    if certificates.is_self_signed(juju):
        # The key is replaced too.
        juju.remove_relation("aws-iam:certificates", f"{certificates.SELF_SIGNED}:certificates")
        juju_status.wait_until(juju, "blocked")
        juju.integrate("aws-iam:certificates", f"{certificates.SELF_SIGNED}:certificates")
    else:
        testbed_only.ask_authority(juju, "easyrsa", "reissue")
    juju_status.wait_until_active(juju)


def authority(juju: jubilant.Juju, cluster: Cluster) -> None:
    if certificates.is_self_signed(juju):
        juju.run(f"{certificates.SELF_SIGNED}/0", "rotate-private-key")
        # Like the original, it signs again at its next hook.
        juju_status.run_update_status(juju, f"{certificates.SELF_SIGNED}/0")
    else:
        testbed_only.ask_authority(juju, "easyrsa", "new-authority")
    juju_status.wait_until_active(juju)
    eventually(
        lambda: not any("deletionTimestamp" in pod["metadata"] for pod in cluster.pods()),
        "the former pods ended by themselves",
        seconds=120,
        interval=1,
    )
    juju_status.run_update_status(juju, units.leader(juju))
    juju_status.wait_until_active(juju)
    certificates.all_units_trust(juju, certificates.authority(juju))


def image(juju: jubilant.Juju, cluster: Cluster) -> None:
    juju.config("aws-iam", {"image": bundle.OTHER_IMAGE})
    juju_status.wait_until_active(juju)


def replicas(juju: jubilant.Juju, cluster: Cluster) -> None:
    for wanted in (3, 1, 2):
        juju.config("aws-iam", {"replicas": wanted})
        juju_status.wait_until_active(juju)


def node(juju: jubilant.Juju, cluster: Cluster) -> None:
    drained = cluster.get(*PODS)["items"][0]["spec"]["nodeName"]
    cluster.kubectl("drain", drained, "--ignore-daemonsets", "--delete-emptydir-data")
    cluster.kubectl("uncordon", drained)
    juju_status.run_update_status(juju, units.leader(juju))
    juju_status.wait_until_active(juju)


def leader(juju: jubilant.Juju, cluster: Cluster) -> None:
    killed = units.leader(juju)
    testbed_only.stop_agent(juju, killed)
    juju_status.wait_until_active_without(juju, killed)
    testbed_only.start_agent(juju, killed)
    juju_status.wait_until_active(juju)


def charm(juju: jubilant.Juju, cluster: Cluster) -> None:
    """Refresh to a version with another image, and back."""
    with tempfile.TemporaryDirectory() as folder:
        juju.refresh("aws-iam", path=bundle.next_version(Path(folder)))
    juju_status.wait_until_active(juju)
    juju.refresh("aws-iam", path=bundle.packed_charm())
    juju_status.run_update_status(juju, units.leader(juju))
    juju_status.wait_until_active(juju)


CHANGES: dict[str, Change] = {
    "nothing": nothing,
    "charm refreshed": charm,
    "certificate reissued": certificate,
    "authority changed": authority,
    "image changed": image,
    "replicas changed": replicas,
    "node drained": node,
    "leader killed": leader,
}


def under_load(juju: jubilant.Juju, cluster: Cluster) -> tuple[Load, list[Phase]]:
    """Make every change while people log in through every API server.

    Return the logins, and when each change was made.
    """
    logins.log_in_everywhere(juju, cluster)
    load = steady_load(juju, cluster)
    phases = []
    with load:
        for name, change in CHANGES.items():
            start = time.monotonic()
            change(juju, cluster)
            time.sleep(AFTERMATH_SECONDS)
            phases.append(Phase(name, start, time.monotonic()))
    return load, phases


def steady_load(juju: jubilant.Juju, cluster: Cluster, reviews: float = REVIEWS_A_SECOND) -> Load:
    """Return logins through every API server, by users whose mappings every pod knows."""
    cluster.map("knobby-directly", "arn:aws:iam::111122223333:user/knobby", "knobby-directly")
    found = units.names(juju)
    people = [cluster.person.with_name(name.replace("/", "-")) for name in found]
    load = Load(
        [servers.server(cluster.admin, logins.api_server(person)) for person in people],
        people,
        tokens.tokens("knobby", kubernetes.cluster_id(people[0])),
        "knobby-directly",
        reviews,
    )
    load.wait_for_mapping()
    return load

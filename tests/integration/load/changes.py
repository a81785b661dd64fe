"""Everything that changes in the life of an application, one after the other."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import jubilant
from tests.integration import model, reactive, units
from tests.integration.load import servers, tokens
from tests.integration.load.logins import Load
from tests.integration.load.report import Phase

IMAGE = "public.ecr.aws/eks-distro/kubernetes-sigs/aws-iam-authenticator:v0.7.18-eks-1-36-1"
PODS = ("-n", "kube-system", "pods", "-l", "k8s-app=aws-iam-authenticator")
# What comes late, as the end of a pod whose endpoint has gone, belongs to its phase.
AFTERMATH_SECONDS = 5.0

Change = Callable[[jubilant.Juju, model.Kubernetes], None]


def nothing(juju: jubilant.Juju, cluster: model.Kubernetes) -> None:
    time.sleep(20)


def certificate(juju: jubilant.Juju, cluster: model.Kubernetes) -> None:
    juju.run("easyrsa/0", "reissue")
    model.settle(juju)


def authority(juju: jubilant.Juju, cluster: model.Kubernetes) -> None:
    juju.run("easyrsa/0", "new-ca")
    model.settle(juju)
    _await_former_pods(cluster)
    units.run_update_status(juju, units.leader(juju))
    model.settle(juju)
    units.everyone_trusts(juju, units.authority(juju))


def image(juju: jubilant.Juju, cluster: model.Kubernetes) -> None:
    juju.config("aws-iam", {"image": IMAGE})
    model.settle(juju)


def replicas(juju: jubilant.Juju, cluster: model.Kubernetes) -> None:
    for wanted in (3, 1, 2):
        juju.config("aws-iam", {"replicas": wanted})
        model.settle(juju)


def node(juju: jubilant.Juju, cluster: model.Kubernetes) -> None:
    drained = cluster.get(*PODS)["items"][0]["spec"]["nodeName"]
    cluster.kubectl("drain", drained, "--ignore-daemonsets", "--delete-emptydir-data")
    cluster.kubectl("uncordon", drained)
    units.run_update_status(juju, units.leader(juju))
    model.settle(juju)


def leader(juju: jubilant.Juju, cluster: model.Kubernetes) -> None:
    killed = units.leader(juju)
    units.lose_agent(juju, killed)
    units.settle_without(juju, killed)
    units.bring_back_agent(juju, killed)
    model.settle(juju)


def charm(juju: jubilant.Juju, cluster: model.Kubernetes) -> None:
    juju.refresh("aws-iam", path=reactive.packed())
    model.settle(juju)


CHANGES: dict[str, Change] = {
    "nothing": nothing,
    "certificate reissued": certificate,
    "authority changed": authority,
    "image changed": image,
    "replicas changed": replicas,
    "node drained": node,
    "leader killed": leader,
    "charm refreshed": charm,
}


def under_load(juju: jubilant.Juju, cluster: model.Kubernetes) -> tuple[Load, list[Phase]]:
    """Make every change while people log in through every API server; what became of the
    logins, and when each change was made."""
    units.forward(juju)
    units.everyone_logs_in(juju, cluster)
    load = _load(juju, cluster)
    phases = []
    with load:
        for name, change in CHANGES.items():
            start = time.monotonic()
            change(juju, cluster)
            time.sleep(AFTERMATH_SECONDS)
            phases.append(Phase(name, start, time.monotonic()))
    return load, phases


def _load(juju: jubilant.Juju, cluster: model.Kubernetes) -> Load:
    cluster.map("knobby-directly", "arn:aws:iam::111122223333:user/knobby", "knobby-directly")
    found = juju.status().get_units("aws-iam")
    told = model.databag(juju, units.principals(juju)[0], "aws-iam")["cluster_id"]
    load = Load(
        [servers.server(cluster.admin, unit.public_address) for unit in found.values()],
        [cluster.person.with_name(name.replace("/", "-")) for name in found],
        tokens.tokens("knobby", json.loads(told)),
        "knobby-directly",
    )
    load.await_mapping()
    return load


def _await_former_pods(cluster: model.Kubernetes) -> None:
    """Wait until the pods that are ending have ended, in their own time."""
    deadline = time.monotonic() + 120
    while any("deletionTimestamp" in pod["metadata"] for pod in cluster.get(*PODS)["items"]):
        assert time.monotonic() < deadline
        time.sleep(1)

"""People log in all the time, and meanwhile everything that can change does."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import jubilant
import pytest
from tests.integration import model, reactive, units
from tests.integration.load import logins, report, servers, tokens

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


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_given_a_steady_load_when_everything_changes_then_no_login_fails(
    trio: jubilant.Juju, cluster: model.Kubernetes, capsys: pytest.CaptureFixture[str]
) -> None:
    units.everyone_logs_in(trio, cluster)
    load = _load(trio, cluster)
    phases = []

    with load:
        for name, change in CHANGES.items():
            start = time.monotonic()
            change(trio, cluster)
            time.sleep(AFTERMATH_SECONDS)
            phases.append(report.Phase(name, start, time.monotonic()))

    failed = report.failures(load)
    with capsys.disabled():
        print(f"\n{report.table(load, phases)}")
        for login in failed[:20]:
            print(
                f"{login.start - phases[0].start:.1f} s {login.host} {login.kind}: {login.problem}"
            )
    assert not failed
    assert all(any(p.start <= x.start < p.end for x in load.logins) for p in phases)


def _load(juju: jubilant.Juju, cluster: model.Kubernetes) -> logins.Load:
    cluster.map("knobby-directly", "arn:aws:iam::111122223333:user/knobby", "knobby-directly")
    found = juju.status().get_units("aws-iam")
    told = model.databag(juju, units.principals(juju)[0], "aws-iam")["cluster_id"]
    return logins.Load(
        [servers.server(cluster.admin, unit.public_address) for unit in found.values()],
        [cluster.person.with_name(name.replace("/", "-")) for name in found],
        tokens.tokens("knobby", json.loads(told)),
        "knobby-directly",
    )


def _await_former_pods(cluster: model.Kubernetes) -> None:
    """Wait until the pods that are ending have ended, in their own time."""
    deadline = time.monotonic() + 120
    while any("deletionTimestamp" in pod["metadata"] for pod in cluster.get(*PODS)["items"]):
        assert time.monotonic() < deadline
        time.sleep(1)

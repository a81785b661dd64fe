"""Several units of one application: who leads, who asks, and a login through each of them."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

import jubilant
import tenacity
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from tests.integration import model, testbedctl

MORE = 2
WEBHOOK = "/root/cdk/aws-iam-webhook.yaml"
ADMIN_KUBECONFIG = "/root/.kube/config"
_AT_WILL = "only the testbed's agents do something at will"
_AT_ONCE = ("--force", "--grace-period=0", "--ignore-not-found")


@dataclass(frozen=True)
class Identity:
    """What must outlive every unit: the tokens' cluster id, the address in every file, and
    the hash of the certificate that the pods serve with."""

    cluster_id: str
    address: str
    certificate: str


def identity(juju: jubilant.Juju, cluster: model.Kubernetes) -> Identity:
    """What the application is known by now, in the cluster and at its control planes."""
    known = {
        json.loads(model.databag(juju, principal, "aws-iam")["cluster_id"])
        for principal in principals(juju)
    }
    assert len(known) == 1, f"the control planes were told {known}"
    service = cluster.get("-n", "kube-system", "service", "aws-iam-authenticator")
    return Identity(known.pop(), service["spec"]["clusterIP"], served(cluster))


def served(cluster: model.Kubernetes) -> str:
    """Fingerprint of the certificate that the pods are to serve with."""
    return _fingerprint(_leaf(cluster))


def presented(juju: jubilant.Juju, cluster: model.Kubernetes) -> str:
    """Fingerprint of the certificate that a control plane meets at the Service's address."""
    service = cluster.get("-n", "kube-system", "service", "aws-iam-authenticator")
    address = f"{service['spec']['clusterIP']}:443"
    unit = _reachable(juju, names(juju)[0])
    shown = juju.exec(f"openssl s_client -connect {address} </dev/null", unit=unit)
    start = shown.stdout.index("-----BEGIN CERTIFICATE-----")
    return _fingerprint(x509.load_pem_x509_certificate(shown.stdout[start:].encode()))


def newly_presented(juju: jubilant.Juju, cluster: model.Kubernetes) -> str:
    """`presented`, once it is what the pods are to serve with: a kube-proxy whose API server
    was just restarted hears of new pods late.

    Raises:
        tenacity.RetryError: it is still another after a minute.
    """
    wanted = served(cluster)
    retry = tenacity.Retrying(
        stop=tenacity.stop_after_delay(60),
        wait=tenacity.wait_fixed(1),
        retry=tenacity.retry_if_not_result(lambda found: found == wanted),
    )
    return retry(presented, juju, cluster)


def trusted(juju: jubilant.Juju, unit: str) -> set[str]:
    """Fingerprints of the authorities in the webhook file of ``unit``."""
    cluster = yaml.safe_load(file_of(juju, unit))["clusters"][0]["cluster"]
    text = base64.b64decode(cluster["certificate-authority-data"])
    return {_fingerprint(found) for found in x509.load_pem_x509_certificates(text)}


def everyone_trusts(juju: jubilant.Juju, *authorities: str) -> None:
    """Every unit's webhook file trusts these authorities and no others.

    Raises:
        AssertionError: one of them does not.
    """
    found = {unit: trusted(juju, unit) for unit in names(juju)}
    assert all(authorities_of == {*authorities} for authorities_of in found.values()), found


def authority(juju: jubilant.Juju) -> str:
    """Fingerprint of the authority that easyrsa or vault shows."""
    text = model.databag(juju, names(juju)[0], "certificates")["ca"]
    return _fingerprint(x509.load_pem_x509_certificate(text.encode()))


def chain(cluster: model.Kubernetes) -> list[x509.Certificate]:
    """The certificates that the pods are to serve with, the leaf first."""
    secret = cluster.get("-n", "kube-system", "secret", "aws-iam-certs")
    return x509.load_pem_x509_certificates(base64.b64decode(secret["data"]["cert.pem"]))


def _leaf(cluster: model.Kubernetes) -> x509.Certificate:
    return chain(cluster)[0]


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()[:16]


def names(juju: jubilant.Juju) -> list[str]:
    """The units of aws-iam."""
    return sorted(juju.status().get_units("aws-iam"))


def principals(juju: jubilant.Juju) -> list[str]:
    """The units of the control plane."""
    return sorted(juju.status().get_units("kubernetes-control-plane"))


def principal(juju: jubilant.Juju, unit: str) -> str:
    """The control-plane unit that ``unit`` of aws-iam is beside."""
    units = juju.status().apps["kubernetes-control-plane"].units
    return next(name for name, found in units.items() if unit in found.subordinates)


def leader(juju: jubilant.Juju) -> str:
    """The unit of aws-iam that leads."""
    units = juju.status().get_units("aws-iam")
    return next(name for name, unit in units.items() if unit.leader)


def followers(juju: jubilant.Juju) -> list[str]:
    """The units of aws-iam that do not lead."""
    return [name for name in names(juju) if name != leader(juju)]


def askers(juju: jubilant.Juju) -> list[str]:
    """The units of aws-iam that ask easyrsa for a certificate."""
    shown = json.loads(juju.cli("show-unit", "easyrsa/0", "--format", "json"))["easyrsa/0"]
    return sorted(
        name
        for relation in shown["relation-info"]
        for name, unit in relation.get("related-units", {}).items()
        if name.startswith("aws-iam/") and unit["data"].get("cert_requests")
    )


def file_of(juju: jubilant.Juju, unit: str) -> str:
    """The webhook file on the machine of ``unit``; its agent or its principal's may be lost."""
    return juju.exec("cat", WEBHOOK, unit=_reachable(juju, unit)).stdout


def _reachable(juju: jubilant.Juju, unit: str) -> str:
    """A unit on the machine of ``unit`` whose agent runs."""
    lost = juju.status().get_units("aws-iam")[unit].juju_status.current == "lost"
    return principal(juju, unit) if lost else unit


def certified(cluster: model.Kubernetes) -> set[str]:
    """The IP addresses in the certificate that the pods serve with."""
    found = _leaf(cluster).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(address) for address in found.get_values_for_type(x509.IPAddress)}


def uids(cluster: model.Kubernetes) -> set[str]:
    """The uid of every object that carries the charm's label."""
    kinds = "deploy,svc,cm,sa,secret,pdb,clusterrole,clusterrolebinding"
    found = cluster.get("-n", "kube-system", kinds, "-l", "aws-iam=true")["items"]
    assert len(found) == len(kinds.split(",")), [item["kind"] for item in found]
    return {item["metadata"]["uid"] for item in found}


def await_message(juju: jubilant.Juju, wanted: str) -> None:
    """Wait until the leader of aws-iam says ``wanted``."""

    def says(status: jubilant.Status) -> bool:
        found = status.get_units("aws-iam").values()
        return any(unit.leader and unit.workload_status.message == wanted for unit in found)

    juju.wait(says, delay=0.5, successes=4, timeout=model.SETTLE_SECONDS)


def settle_without(juju: jubilant.Juju, lost: str) -> None:
    """Wait until all that is left of aws-iam is active and idle under another leader."""

    def settled(status: jubilant.Status) -> bool:
        left = {n: u for n, u in status.get_units("aws-iam").items() if n != lost}
        return any(unit.leader for unit in left.values()) and all(
            unit.is_active and unit.juju_status.current == "idle" for unit in left.values()
        )

    juju.wait(settled, delay=0.5, successes=4, timeout=model.SETTLE_SECONDS)


def everyone_logs_in(juju: jubilant.Juju, cluster: model.Kubernetes) -> None:
    """A person logs in through the API server of every control-plane unit.

    Raises:
        AssertionError: through one of them, not.
    """
    for name, unit in juju.status().get_units("aws-iam").items():
        person = cluster.person.with_name(name.replace("/", "-"))
        if not person.exists():
            action = juju.run(name, "get-kubeconfig", {"arn": model.ROLE})
            person.write_text(action.results["kubeconfig"])
        assert unit.public_address in person.read_text()
        assert model.logs_in(model.Kubernetes(cluster.admin, person)) == "knobby"


def end_former_pods(juju: jubilant.Juju, cluster: model.Kubernetes) -> None:
    """End at once the pods that would serve on for a minute, and have the leader see it."""
    pods = ("-n", "kube-system", "pods")
    for pod in cluster.get(*pods, "-l", "k8s-app=aws-iam-authenticator")["items"]:
        if "deletionTimestamp" in pod["metadata"]:
            cluster.kubectl("delete", *pods, pod["metadata"]["name"], *_AT_ONCE)
    run_update_status(juju, leader(juju))
    model.settle(juju)


@contextlib.contextmanager
def without_admin_kubeconfig(juju: jubilant.Juju, which: list[str]) -> Iterator[None]:
    """Meanwhile, nothing on the machines of these units can reach Kubernetes.

    Raises:
        AssertionError: something put the file back.
    """
    for unit in which:
        juju.exec("mv", ADMIN_KUBECONFIG, f"{ADMIN_KUBECONFIG}.away", unit=unit)
    try:
        yield
        for unit in which:
            left = juju.exec("ls", "/root/.kube", unit=unit).stdout.split()
            assert "config" not in left, f"{unit} has an admin kubeconfig again"
    finally:
        for unit in which:
            juju.exec("mv", f"{ADMIN_KUBECONFIG}.away", ADMIN_KUBECONFIG, unit=unit)


def forward(juju: jubilant.Juju) -> None:
    """Have the control plane ask for each login over a connection of its own, as the original
    does, and not restart its API server for a new file.

    An API server that asks itself keeps one connection, and what is under way on it when its
    pod ends at last is lost: the authenticator ends no connection before it is killed. After a
    restart its kubelet, late by up to a minute, is what a test waits for.
    """
    if testbedctl.found():
        juju.config("kubernetes-control-plane", {"webhook-caller": "forwarder"})
        model.settle(juju)


def lose_agent(juju: jubilant.Juju, unit: str) -> None:
    """Stop the agent of ``unit``: it runs no hook, and another unit leads."""
    testbedctl.needed(_AT_WILL)
    testbedctl.run(juju, "stop-agent", unit)


def bring_back_agent(juju: jubilant.Juju, unit: str) -> None:
    """Start the agent of ``unit`` again."""
    testbedctl.run(juju, "start-agent", unit)


def run_update_status(juju: jubilant.Juju, unit: str) -> None:
    """Have ``unit`` run that hook, and wait until nothing runs or is due."""
    testbedctl.needed(_AT_WILL)
    testbedctl.run(juju, "trigger", unit, "update-status")
    testbedctl.run(juju, "settle")

"""Step 3: the certificate that the Service serves, and the one that is wanted."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fakes.certificates.authority import root
from tests.fakes.checking import CLOCK, NAMES, RECONCILE
from tests.fakes.kubernetes.paths import ADDRESS
from tests.fakes.machine import kubeconfig

from certificates import SERVER_NAME, pem
from certificates.keypair import KeyPair
from checks import Site, StepState, certificate
from checks.authenticator import Deployed
from checks.certificate import Served
from cluster.pods import Serving
from juju.peers import Shared
from machine.files import Machine
from owner import Owner


def pair(days: tuple[int, int] = (-1, 365)) -> KeyPair:
    authority = root()
    return pem.key_pair(*authority.issue([SERVER_NAME, ADDRESS], days=days), authority.certificate)


@pytest.mark.parametrize(
    ("is_shared", "said"),
    [
        (True, "its CA is 'Of the cluster', which is the cluster's own CA too; the Service "),
        (False, "its CA is 'Of the cluster'; the Service "),
    ],
)
def test_given_a_ca_then_it_is_named_and_whether_the_cluster_has_it_too(
    is_shared: bool, said: str
) -> None:
    authority = root("Of the cluster")
    good = pem.key_pair(*authority.issue([SERVER_NAME, ADDRESS]), authority.certificate)
    (leaf,) = pem.der(good.certificate)[:1]
    cluster_ca = (authority if is_shared else root("another")).certificate

    outcome = certificate.verdict(
        good, good.ca, ADDRESS, Served(leaf), NAMES, cluster_ca=cluster_ca
    )

    assert said in outcome.seen


TOO = ", which is the cluster's own CA too"


@pytest.mark.parametrize(
    ("written", "too"),
    [
        ("", ""),
        ("certificate-authority-data: A", ""),
        ("certificate-authority-data: /w==", ""),
        (kubeconfig(ca=root().certificate), TOO),
    ],
    ids=range(4),
)
def test_given_an_admin_kubeconfig_then_a_ca_that_can_be_read_in_it_is_the_clusters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, too: str
) -> None:
    monkeypatch.setattr(certificate, "leaf", lambda *_: pem.der(good.certificate)[0])
    good, machine = pair(), Machine(tmp_path)
    machine.admin_kubeconfig.parent.mkdir(parents=True)
    machine.admin_kubeconfig.write_text(written)
    shared = Shared(address=ADDRESS, ca=good.ca)
    site = Site(machine, Owner("aws-iam", "k8s", "uuid"), shared, "aws", "", NAMES)

    outcome = certificate.check(site, Deployed(pods=(Serving("a", "10.1.0.9"),), pair=good))

    assert outcome.state == StepState.OK
    assert f"; its CA is root{too}; the Service serves it" in outcome.seen


@pytest.mark.parametrize(
    ("given", "trusted", "served", "state", "said", "remedy"),
    [
        (
            None,
            "",
            Served(b"x"),
            StepState.FAILED,
            "Secret aws-iam-certs has no certificate",
            RECONCILE,
        ),
        (pair((-9, -1)), "", None, StepState.FAILED, "the certificate expired on", RECONCILE),
        (pair((1, 9)), "", None, StepState.FAILED, "is not valid before", CLOCK),
        (
            pair(),
            root("another").certificate,
            None,
            StepState.FAILED,
            "is not signed by an authority",
            RECONCILE,
        ),
        (pair(), "", None, StepState.NOT_CHECKED, "what the Service serves is not known", ""),
        (
            pair(),
            "",
            Served(b"another"),
            StepState.FAILED,
            "serves another certificate",
            "run: kubectl -n kube-system rollout restart deployment aws-iam-authenticator",
        ),
    ],
)
def test_given_something_wrong_with_the_certificate_then_it_is_named_with_its_remedy(
    given: KeyPair | None,
    trusted: str,
    served: Served | None,
    state: StepState,
    said: str,
    remedy: str,
) -> None:
    outcome = certificate.verdict(given, trusted, ADDRESS, served, NAMES)

    assert outcome.state == state
    assert said in outcome.seen
    assert outcome.remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("answers", "remedy"),
    [
        (
            True,
            "run: juju exec --unit kubernetes-control-plane/2 -- systemctl restart snap.kube-p",
        ),
        (False, "let the control planes reach TCP port 21362 of the pods; see: kubectl "),
    ],
)
def test_given_a_service_that_does_not_answer_then_a_pod_tells_kube_proxy_from_the_network(
    monkeypatch: pytest.MonkeyPatch, answers: bool, remedy: str
) -> None:
    def leaf(address: str, port: int, *_: object) -> bytes:
        if answers and (address, port) == ("10.1.0.9", 21362):
            return b"x"
        raise TimeoutError("timed out")

    monkeypatch.setattr(certificate, "leaf", leaf)
    good = pair()
    site = Site(
        Machine(),
        Owner("aws-iam", "k8s", "uuid"),
        Shared(address=ADDRESS, ca=good.ca),
        "aws",
        "",
        NAMES,
    )

    outcome = certificate.check(site, Deployed(pods=(Serving("a", "10.1.0.9"),), pair=good))

    assert outcome.state == StepState.FAILED
    assert "10.152.183.20:443: timed out" in outcome.seen
    assert outcome.remedy.startswith(remedy)

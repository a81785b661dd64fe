"""Step 3: the certificate that the Service serves, and the one that is wanted."""

from __future__ import annotations

import pytest
from tests.fakes.certificates.authority import root
from tests.fakes.checking import CLOCK, NAMES, RECONCILE
from tests.fakes.kubernetes.paths import ADDRESS

from certificates import SERVER_NAME, pem
from certificates.keypair import KeyPair
from checks import StepState, certificate
from checks.certificate import Served


def pair(days: tuple[int, int] = (-1, 365)) -> KeyPair:
    authority = root()
    return pem.key_pair(*authority.issue([SERVER_NAME, ADDRESS], days=days), authority.certificate)


def test_given_the_certificate_that_is_served_then_its_end_is_named() -> None:
    good = pair()
    (leaf,) = pem.der(good.certificate)[:1]

    outcome = certificate.verdict(good, good.ca, ADDRESS, Served(leaf), NAMES)

    assert outcome.state == StepState.OK
    assert outcome.seen.startswith("control planes accept it until 20")


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
            Served(problem="timed out", by_pod=True),
            StepState.FAILED,
            "10.152.183.20:443: timed out",
            "run: juju exec --unit kubernetes-control-plane/2 -- systemctl restart snap.kube-p",
        ),
        (
            pair(),
            "",
            Served(problem="timed out"),
            StepState.FAILED,
            "10.152.183.20:443: timed out",
            "let the control planes reach TCP port 21362 of the pods; see: kubectl -n kube-system",
        ),
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

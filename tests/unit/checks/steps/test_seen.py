"""What the steps of `check` that send no login say of what was seen."""

from __future__ import annotations

import dataclasses
import datetime

import pytest
from tests.fakes.certificates.authority import root

from access.mapping import IdentityMapping
from certificates import pem
from certificates.keypair import KeyPair
from certificates.sans import sans
from checks.outcome import FAILED, NOT_CHECKED, OK, Names
from checks.steps import authenticator, certificate, kubernetes, mappings, webhook
from checks.steps.authenticator import Deployed
from checks.steps.certificate import Served
from cluster import manifests, references
from cluster.pods import Rollout
from errors import Blocked, Unready, Waiting, WaitingForKubeconfig
from juju.control_plane import Use
from owner import Owner

NAMES = Names("aws-iam/1", "kubernetes-control-plane/2")
RECONCILE = (
    "run: juju exec --unit aws-iam/leader -- JUJU_DISPATCH_PATH=hooks/update-status ./dispatch"
)
CLOCK = "run: juju exec --unit kubernetes-control-plane/2 -- timedatectl set-ntp true"
NOW = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.timezone.utc)
ADDRESS = "10.152.183.20"


def seconds(number: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=number)


# Step 1.


@pytest.mark.parametrize(
    ("ahead", "state", "said"),
    [
        (0.0, OK, "the clocks differ by 0 s"),
        (0.9, OK, "the clocks differ by 0 s"),
        (30.0, OK, "the clocks differ by 30 s"),
        (-30.0, OK, "the clocks differ by 30 s"),
        (60.0, FAILED, "this machine's clock is 60 s ahead of the API server's"),
        (-1200.0, FAILED, "this machine's clock is 1200 s behind the API server's"),
    ],
)
def test_given_two_clocks_then_a_minute_between_them_fails(
    ahead: float, state: str, said: str
) -> None:
    outcome = kubernetes.verdict("v1.28.15", NOW, NOW + seconds(ahead), NAMES)

    assert outcome.state == state
    assert said in outcome.seen
    assert outcome.seen.startswith("v1.28.15 answers")
    assert outcome.remedy == ("" if state == OK else CLOCK)


def test_given_a_server_that_does_not_say_its_time_then_it_answers_all_the_same() -> None:
    outcome = kubernetes.verdict("v1.28.15", None, NOW, NAMES)
    assert (outcome.state, outcome.remedy) == (OK, "")


@pytest.mark.parametrize(
    ("problem", "command"),
    [
        (Waiting("waiting for the Kubernetes API: Connection refused"), "systemctl start snap."),
        (WaitingForKubeconfig("waiting for a usable file"), "./dispatch"),
        (Blocked("the cluster refuses /root/.kube/config: no"), "./dispatch"),
    ],
)
def test_given_no_answer_then_the_cause_decides_on_the_command(
    problem: Unready, command: str
) -> None:
    outcome = kubernetes.unreachable(problem, NAMES)

    assert (outcome.state, outcome.seen) == (FAILED, str(problem))
    assert outcome.remedy.startswith("run: juju exec --unit kubernetes-control-plane/2 -- ")
    assert command in outcome.remedy


# Step 2.

UP = Deployed(image="registry/a:v1", rollout=Rollout(2, 2, serving=True, complete=True))


@pytest.mark.parametrize(
    ("change", "said", "remedy"),
    [
        (
            {"owner": "other of model k8s (u-u-i-d)"},
            "another application owns",
            "this cluster's authenticator belongs to other of model k8s",
        ),
        (
            {"missing": ("Secret/aws-iam-certs", "Service/aws-iam-authenticator")},
            "the cluster lacks Secret/aws-iam-certs, Service/aws-iam-authenticator",
            RECONCILE,
        ),
        ({"crd": False}, f"the cluster lacks CRD/{references.CRD}", RECONCILE),
        (
            {"service": "selector is k8s-app=x"},
            "Service/aws-iam-authenticator was changed: selector is k8s-app=x",
            RECONCILE,
        ),
        (
            {"denied": ("list", "watch")},
            "RBAC does not let the authenticator list, watch mappings",
            RECONCILE,
        ),
        (
            {"problem": Blocked("an authenticator pod cannot start: ErrImagePull: no such host")},
            "an authenticator pod cannot start: ErrImagePull: no such host (image registry/a:v1)",
            "set one that the nodes can pull: juju config aws-iam image=IMAGE",
        ),
        (
            {"problem": Blocked("an authenticator pod cannot start: Unschedulable: 0/1 nodes")},
            "Unschedulable: 0/1 nodes",
            "make room on a node, or run: kubectl uncordon NODE",
        ),
        (
            {"problem": Waiting("waiting for the authenticator's pods, 1/2 updated pods ready")},
            "1/2 updated pods ready",
            "what it says: kubectl -n kube-system describe pods",
        ),
        ({"rollout": None}, "the Deployment has no status", "what it says: kubectl"),
    ],
)
def test_given_something_wrong_with_the_authenticator_then_it_is_named_with_its_remedy(
    change: dict[str, object], said: str, remedy: str
) -> None:
    outcome = authenticator.verdict(dataclasses.replace(UP, **change), NAMES)

    assert outcome.state == FAILED
    assert said in outcome.seen
    assert outcome.remedy.startswith(remedy)


def test_given_an_authenticator_that_is_up_then_pods_and_image_are_named() -> None:
    outcome = authenticator.verdict(UP, NAMES)
    assert outcome.state == OK
    assert outcome.seen == (
        "2/2 pods are ready; CRD, RBAC and Service are there; image registry/a:v1"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"sessionAffinity": "None"}, ""),
        ({"selector": {"k8s-app": "x"}}, "selector is k8s-app=x"),
        ({"selector": None}, "selector is None"),
        ({"clusterIP": "10.0.0.9"}, "clusterIP is 10.0.0.9"),
        ({"ports": [{"port": 443, "targetPort": 8443}]}, "ports is 443→8443/TCP"),
        ({"ports": None}, "ports is empty"),
    ],
)
def test_given_a_service_then_what_the_charm_did_not_set_so_is_named(
    change: dict[str, object], said: str
) -> None:
    wanted = manifests.service(Owner("aws-iam", "k8s", "u"), ADDRESS)["spec"]
    assert authenticator.service_difference(wanted, {**wanted, **change}) == said


# Step 3.


def pair(days: tuple[int, int] = (-1, 365)) -> KeyPair:
    authority = root()
    return pem.key_pair(*authority.issue(sans(ADDRESS), days=days), authority.certificate)


def test_given_the_certificate_that_is_served_then_its_end_is_named() -> None:
    good = pair()
    (leaf,) = pem.der(good.certificate)[:1]

    outcome = certificate.verdict(good, good.ca, ADDRESS, Served(leaf), NAMES)

    assert outcome.state == OK
    assert outcome.seen.startswith("control planes accept it until 20")


@pytest.mark.parametrize(
    ("given", "trusted", "served", "state", "said", "remedy"),
    [
        (None, "", Served(b"x"), FAILED, "Secret aws-iam-certs has no certificate", RECONCILE),
        (pair((-9, -1)), "", None, FAILED, "the certificate expired on", RECONCILE),
        (pair((1, 9)), "", None, FAILED, "is not valid before", CLOCK),
        (
            pair(),
            root("another").certificate,
            None,
            FAILED,
            "is not signed by an authority",
            RECONCILE,
        ),
        (pair(), "", None, NOT_CHECKED, "what the Service serves is not known", ""),
        (
            pair(),
            "",
            Served(problem="timed out"),
            FAILED,
            "10.152.183.20:443: timed out",
            "run: juju exec --unit kubernetes-control-plane/2 -- systemctl restart snap.kube-p",
        ),
        (
            pair(),
            "",
            Served(b"another"),
            FAILED,
            "serves another certificate",
            "run: kubectl -n kube-system rollout restart deployment aws-iam-authenticator",
        ),
    ],
)
def test_given_something_wrong_with_the_certificate_then_it_is_named_with_its_remedy(
    given: KeyPair | None,
    trusted: str,
    served: Served | None,
    state: str,
    said: str,
    remedy: str,
) -> None:
    outcome = certificate.verdict(given, trusted, ADDRESS, served, NAMES)

    assert outcome.state == state
    assert said in outcome.seen
    assert outcome.remedy.startswith(remedy)


# Step 4.

API_SERVER = ["--secure-port=6443", f"{webhook.FLAG}=/root/cdk/webhook.yaml"]
IN_USE = Use(ADDRESS, via_relation=True)


@pytest.mark.parametrize("use", [IN_USE, Use(ADDRESS, via_relation=False)])
def test_given_a_webhook_in_use_then_its_url_is_named(use: Use) -> None:
    outcome = webhook.verdict(use, API_SERVER, NAMES)
    assert outcome.state == OK
    assert f"uses https://{ADDRESS}:443/authenticate, by its " in outcome.seen


@pytest.mark.parametrize(
    ("use", "flags", "state", "said", "remedy"),
    [
        (Use("", via_relation=True), API_SERVER, NOT_CHECKED, "has not published", ""),
        (
            dataclasses.replace(IN_USE, file="/root/cdk/aws-iam-webhook.yaml was changed"),
            API_SERVER,
            FAILED,
            "was changed",
            "run: juju exec --unit aws-iam/1 -- ",
        ),
        (
            dataclasses.replace(IN_USE, acknowledged=False),
            API_SERVER,
            FAILED,
            "does not use",
            "run: juju exec --unit kubernetes-control-plane/2 -- JUJU_DISPATCH_PATH=",
        ),
        (
            dataclasses.replace(IN_USE, forwards=False),
            API_SERVER,
            FAILED,
            "does not use",
            "run: juju exec --unit kubernetes-control-plane/2 -- JUJU_DISPATCH_PATH=",
        ),
        (
            Use(ADDRESS, via_relation=False, option="run: juju config x"),
            API_SERVER,
            FAILED,
            "is not told of the webhook",
            "run: juju config x",
        ),
        (
            IN_USE,
            None,
            FAILED,
            "no API server runs on this machine",
            "run: juju exec --unit kubernetes-control-plane/2 -- systemctl start snap.kube-a",
        ),
        (
            IN_USE,
            ["--secure-port=6443"],
            FAILED,
            f"has no {webhook.FLAG}",
            "run: juju exec --unit kubernetes-control-plane/2 -- JUJU_DISPATCH_PATH=",
        ),
    ],
)
def test_given_a_webhook_that_is_not_in_use_then_what_lacks_is_named_with_its_remedy(
    use: Use, flags: list[str] | None, state: str, said: str, remedy: str
) -> None:
    outcome = webhook.verdict(use, flags, NAMES)

    assert outcome.state == state
    assert said in outcome.seen
    assert outcome.remedy.startswith(remedy)


# Step 7.

DEV = "arn:aws:iam::111122223333:role/dev"
WORKS = IdentityMapping("dev", DEV, "dev", DEV)


@pytest.mark.parametrize(
    ("found", "state", "said", "remedy"),
    [
        ([], OK, "no mappings, so nobody can log in yet", ""),
        ([WORKS], OK, "1 mapping, all of them work", ""),
        (
            [dataclasses.replace(WORKS, expires="2026-11-27T11:00:00Z")],
            OK,
            "1 mapping, 1 ending within a day: dev at 2026-11-27T11:00:00Z, all of them work",
            "",
        ),
        (
            [dataclasses.replace(WORKS, expires="2026-11-28T13:00:00Z")],
            OK,
            "1 mapping, all of them work",
            "",
        ),
        (
            [dataclasses.replace(WORKS, expires="2026-11-26T11:00:00Z")],
            FAILED,
            "1 ended and still there: dev",
            RECONCILE,
        ),
        (
            [WORKS, dataclasses.replace(WORKS, name="twin")],
            FAILED,
            "2 mappings, 2 to correct: dev: same ARN as mapping twin: delete one of them; twin: ",
            "see all: juju run aws-iam/leader list-mappings",
        ),
        (
            [dataclasses.replace(WORKS, canonical="")],
            FAILED,
            "1 mapping, 1 not effective yet: dev",
            RECONCILE,
        ),
    ],
)
def test_given_mappings_then_those_that_need_attention_are_named(
    found: list[IdentityMapping], state: str, said: str, remedy: str
) -> None:
    outcome = mappings.verdict(found, "aws", NOW, NAMES)

    assert outcome.state == state
    assert said in outcome.seen
    assert outcome.remedy == remedy


def test_given_many_wrong_mappings_then_three_are_named_and_the_others_are_counted() -> None:
    found = [dataclasses.replace(WORKS, name=f"dev{n}", username="") for n in range(5)]

    outcome = mappings.verdict(found, "aws", NOW, NAMES)

    assert outcome.seen.count("set spec.username") == 3
    assert outcome.seen.endswith("and 2 more")

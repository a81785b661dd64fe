"""Step 4: how far a made-up login came on its way to STS."""

from __future__ import annotations

import pytest
from tests.fakes.checking import CLOCK, HOST, NAMES, RECONCILE
from tests.fakes.explaining import CLIENT, STS, log_line, sts_error

from access import refusals
from access.refusals import Cause, Refusal
from checks import StepState, sts
from checks.sts import Answer, Met, Reach


def logged(error: str) -> Refusal:
    """The refusal that a pod logs with this error, read as the charm reads it."""
    found = refusals.of_client([log_line("", error, client=CLIENT).decode()], CLIENT)
    assert found
    return found


def get(error: str, region: str = "us-east-1") -> str:
    return f"{STS}error during GET: {error} on {region} endpoint"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (sts_error("InvalidClientTokenId", "invalid"), Reach.REACHED),
        (sts_error("SignatureDoesNotMatch", "We do not match"), Reach.REACHED),
        (sts_error("ExpiredToken", "expired"), Reach.REACHED),
        (sts_error("AccessDenied", "by the endpoint's policy"), Cause.OTHER),
        (get("dial tcp 192.0.2.10:443: i/o timeout"), Cause.UNREACHABLE),
    ],
)
def test_given_what_a_pod_logged_then_it_tells_how_far_the_login_came(
    error: str, kind: str
) -> None:
    assert sts.reach(logged(error))[0] == kind


OPEN = f"let the DNS that pods use resolve {HOST}, and allow the nodes its TCP port 443; if only"
TRUST = "bring the pods the authority of what opens TLS: juju integrate aws-iam"


@pytest.mark.parametrize(
    ("error", "uses_proxy", "remedy"),
    [
        (f"dial tcp: lookup {HOST} on 10.152.183.10:53: server misbehaving", False, OPEN),
        ("dial tcp 192.0.2.10:443: connect: no route to host", False, OPEN),
        ("dial tcp 192.0.2.10:443: i/o timeout", True, "let the proxy serve the nodes"),
        ("Proxy Authentication Required", True, "let the proxy serve the nodes"),
        ("proxyconnect tcp: tls: no", True, "let the proxy serve the nodes"),
        ("tls: failed to verify certificate: x509: unknown authority", True, TRUST),
        ("remote error: tls: handshake failure", False, TRUST),
        (f"tls: failed to verify: x509: unknown authority (possibly {'a ' * 80})", False, TRUST),
    ],
)
def test_given_what_pods_met_on_the_way_then_its_remedy_fits(
    error: str, uses_proxy: bool, remedy: str
) -> None:
    met, detail = sts.reach(logged(get(error)))
    assert sts.remedy(met, detail, HOST, NAMES, uses_proxy=uses_proxy).startswith(remedy)


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        (Cause.CLOCK, CLOCK),
        (Cause.THROTTLED, "let people log in through the STS of another region: juju"),
        (Cause.ENDPOINT, RECONCILE),
        (Reach.SILENT, "let the control planes reach TCP port 21362 of the pods; see: "),
        (Cause.OTHER, "what the pods say: kubectl -n kube-system logs"),
    ],
)
def test_given_another_answer_then_its_remedy_fits(kind: Met, remedy: str) -> None:
    assert sts.remedy(kind, "", HOST, NAMES, uses_proxy=False).startswith(remedy)


REACHED: Answer = Reach.REACHED, ""
REFUSED = sts.reach(
    logged(get("dial tcp 192.0.2.10:443: connect: connection refused", region="global"))
)


def test_given_a_log_that_does_not_show_the_login_then_the_step_is_not_checked() -> None:
    answers = {"a": REACHED, "b": sts.reach(None)}
    outcome = sts.verdict(answers, HOST, uses_proxy=False, names=NAMES)
    assert outcome.state == StepState.NOT_CHECKED
    assert "the log of pods b" in outcome.seen


def test_given_one_pod_of_two_without_a_way_then_it_is_named() -> None:
    outcome = sts.verdict({"a": REACHED, "b": REFUSED}, HOST, uses_proxy=False, names=NAMES)

    assert outcome.state == StepState.FAILED
    assert outcome.seen == (
        f"pods b do not reach {HOST}, without a proxy "
        "('dial tcp 192.0.2.10:443: connect: connection refused on global endpoint')"
    )


def test_given_pods_that_all_meet_the_same_then_none_is_named() -> None:
    outcome = sts.verdict({"a": REFUSED, "b": REFUSED}, HOST, uses_proxy=False, names=NAMES)

    assert outcome.seen.startswith(f"the pods do not reach {HOST}, without a proxy")

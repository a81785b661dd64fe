"""What the steps of `check` that send a login say: to STS, and through the API server."""

from __future__ import annotations

import base64
from collections import Counter
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.fakes.explaining import log_line
from tests.unit.access.test_refusals import CLIENT, FORMAT, STS, sts_error
from tests.unit.checks.steps.test_seen import CLOCK, NAMES, NOW, RECONCILE

from access import partitions, refusals
from access.refusals import Refusal
from checks.outcome import FAILED, OK
from checks.probes import counters, made_up
from checks.probes.counters import Counters
from checks.steps import end_to_end, sts
from checks.steps.end_to_end import Review
from checks.steps.sts import Attempt

HOST = "sts.amazonaws.com"
COUNTER = "aws_iam_authenticator_"


# Step 5.


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
        (sts_error("InvalidClientTokenId", "invalid"), sts.REACHED),
        (sts_error("SignatureDoesNotMatch", "We do not match"), sts.REACHED),
        (sts_error("Throttling", "Rate exceeded", 400), refusals.THROTTLED),
        (sts_error("AccessDenied", "by the endpoint's policy"), refusals.OTHER),
        ("sts getCallerIdentity was throttled: {}", refusals.THROTTLED),
        (sts_error("SignatureDoesNotMatch", "Signature expired: x"), refusals.CLOCK),
        (f"{FORMAT}X-Amz-Date parameter is expired (15 minute expiration) x", refusals.CLOCK),
        (f"{FORMAT}global endpoint unsupported in partition aws-cn", refusals.ENDPOINT),
        (f"{FORMAT}token is too large", refusals.MALFORMED),
        (get(f"dial tcp: lookup {HOST} on 10.152.183.10:53: no such host", "global"), sts.DNS),
        (get(f"dial tcp: lookup {HOST} on 10.152.183.10:53: server misbehaving"), sts.DNS),
        (
            get("dial tcp: lookup x: read udp 10.1.0.5:4->10.152.183.10:53: i/o timeout"),
            sts.DNS,
        ),
        (get("dial tcp 192.0.2.10:443: connect: connection refused"), sts.REFUSED),
        (get("read tcp 10.1.0.5:4->192.0.2.10:443: read: connection reset by peer"), sts.REFUSED),
        (get("dial tcp 192.0.2.10:443: connect: no route to host"), sts.REFUSED),
        (get("dial tcp 192.0.2.10:443: connect: network is unreachable"), sts.REFUSED),
        (get("dial tcp 192.0.2.10:443: i/o timeout"), sts.TIMEOUT),
        (
            get(
                "net/http: request canceled while waiting for connection (Client.Timeout exceeded "
                "while awaiting headers)"
            ),
            sts.TIMEOUT,
        ),
        (get("context deadline exceeded"), sts.TIMEOUT),
        (
            get(
                "tls: failed to verify certificate: x509: certificate signed by unknown authority"
            ),
            sts.TLS,
        ),
        (get("remote error: tls: handshake failure"), sts.TLS),
        (get("proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused"), sts.PROXY),
        (
            get("proxyconnect tcp: dial tcp: lookup proxy on 10.0.0.1:53: no such host"),
            sts.PROXY,
        ),
        (get("Proxy Authentication Required"), sts.PROXY_REFUSES),
        (get("Forbidden"), sts.PROXY_REFUSES),
        (
            f"{STS}error from AWS (expected 200, got 403) on x endpoint. Body: <html>no</html>",
            sts.IMPOSTOR,
        ),
        (sts_error("InternalFailure", "x", 500), sts.FAILING),
    ],
)
def test_given_what_a_pod_logged_then_it_tells_how_far_the_login_came(
    error: str, kind: str
) -> None:
    assert sts.way(Attempt("a", status=403, refusal=logged(error)))[0] == kind


def test_given_the_log_of_a_busy_pod_then_only_this_machines_own_login_counts() -> None:
    granted = {"msg": "access granted", "level": "info", "client": "10.1.0.3:5"}
    lines = [
        log_line("", "identity is not mapped", client=CLIENT).decode(),
        log_line("", get("Forbidden"), client="10.1.0.2:5").decode(),
        log_line("", "", 0, **granted).decode(),
        "half a li",
    ]
    found = refusals.of_client(lines, CLIENT)
    assert found
    assert found.kind == refusals.NOT_MAPPED
    assert refusals.of_client(lines, "10.1.0.3:5") is None
    assert refusals.quotes(lines, "Forbidden")
    assert not refusals.quotes(lines, "granted")


@pytest.mark.parametrize(
    ("attempt", "kind"),
    [
        (Attempt("a", problem="timed out"), sts.SILENT),
        (Attempt("a"), sts.TIMEOUT),
        (Attempt("a", status=429), refusals.THROTTLED),
        (Attempt("a", status=403, counted=Counters(responses=1)), sts.REACHED),
        (Attempt("a", status=403, counted=Counters(responses=1, throttled=1)), "throttled"),
        (Attempt("a", status=403, counted=Counters(failures=1)), refusals.UNREACHABLE),
        (Attempt("a", status=403), refusals.MALFORMED),
    ],
)
def test_given_no_log_then_answer_and_counters_tell_how_far_the_login_came(
    attempt: Attempt, kind: str
) -> None:
    assert sts.way(attempt)[0] == kind


@pytest.mark.parametrize(
    ("kind", "uses_proxy", "remedy"),
    [
        (sts.DNS, False, f"let the DNS that pods use resolve {HOST}; if only a proxy"),
        (sts.REFUSED, False, f"allow the nodes TCP port 443 of {HOST}; if only a proxy"),
        (sts.TIMEOUT, False, f"allow the nodes TCP port 443 of {HOST}; if only a proxy"),
        (sts.TIMEOUT, True, "let the proxy serve the nodes"),
        (sts.PROXY, True, "let the proxy serve the nodes"),
        (sts.TLS, True, "bring the pods the authority of what opens TLS: juju integrate aws-iam"),
        (refusals.CLOCK, False, CLOCK),
        (refusals.THROTTLED, False, "let people log in through the STS of another region: juju"),
        (refusals.ENDPOINT, False, RECONCILE),
        (sts.SILENT, False, "run: juju exec --unit kubernetes-control-plane/2 -- systemctl"),
        (sts.FAILING, False, "let people log in through the STS of another region: juju"),
        (refusals.OTHER, False, "what the pods say: kubectl -n kube-system logs"),
        (refusals.MALFORMED, False, "set an image of v0.5.0 or newer: juju config aws-iam"),
    ],
)
def test_given_what_is_in_the_way_then_its_remedy_fits(
    kind: str, uses_proxy: bool, remedy: str
) -> None:
    assert sts.remedy(kind, HOST, NAMES, uses_proxy=uses_proxy).startswith(remedy)


REACHED = Attempt("a", status=403, refusal=logged(sts_error("InvalidClientTokenId", "no")))


def test_given_pods_that_reach_sts_then_the_step_is_ok() -> None:
    outcome = sts.verdict([REACHED, REACHED], HOST, uses_proxy=False, names=NAMES)
    assert (outcome.state, outcome.seen) == (
        OK,
        f"{HOST} answers all 2 pods, without a proxy",
    )


def test_given_one_pod_of_two_without_a_way_then_it_is_named() -> None:
    refused = get("dial tcp 192.0.2.10:443: connect: connection refused", "global")
    broken = Attempt("b", status=403, refusal=logged(refused))

    outcome = sts.verdict([REACHED, broken], HOST, uses_proxy=False, names=NAMES)

    assert outcome.state == FAILED
    assert outcome.seen == (
        f"pods b are refused a connection to {HOST}, without a proxy "
        "(dial tcp 192.0.2.10:443: connect: connection refused on global endpoint)"
    )


def test_given_what_a_pod_counted_then_the_good_answers_are_known_by_region() -> None:
    sts_total = f"{COUNTER}sts_responses_total"
    text = f"""\
# TYPE {sts_total} counter
{sts_total}{{ResponseCode="200",StsRegion="global"}} 2
{sts_total}{{ResponseCode="200",StsRegion="eu-west-1"}} 5
{sts_total}{{ResponseCode="403",StsRegion="global"}} 9
{COUNTER}sts_connection_failures_total{{StsRegion="global"}} 1e+01
{COUNTER}sts_throttling_total{{StsRegion="global"}} 3
go_goroutines 12
{COUNTER}dynamic_file_only NaN
"""
    found = counters.parse(text)
    assert found == Counters(16, 10, 3, Counter({"eu-west-1": 5, "global": 2}))
    assert found.since(counters.parse("")) == found


@pytest.mark.parametrize(
    ("partition", "region", "expected"),
    [
        ("aws", "", ("sts.amazonaws.com", "us-east-1")),
        ("aws", "eu-west-1", ("sts.eu-west-1.amazonaws.com", "eu-west-1")),
        ("aws-cn", "", ("sts.cn-north-1.amazonaws.com.cn", "cn-north-1")),
        ("aws-us-gov", "", ("sts.us-gov-west-1.amazonaws.com", "us-gov-west-1")),
        ("aws-eusc", "", ("sts.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1")),
    ],
)
def test_given_a_partition_then_its_sts_is_asked(
    partition: str, region: str, expected: tuple[str, str]
) -> None:
    assert partitions.sts(partition, region) == expected


def test_given_the_keys_of_nobody_then_the_token_is_signed_as_peoples_are() -> None:
    token = made_up.token("prod-1", HOST, "us-east-1", NOW)

    encoded = token.removeprefix("k8s-aws-v1.")
    url = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    query = {name: value for name, (value,) in parse_qs(url.query).items()}
    assert (url.scheme, url.netloc, url.path) == ("https", HOST, "/")
    assert query.pop("X-Amz-Signature") != ""
    assert query == {
        "Action": "GetCallerIdentity",
        "Version": "2011-06-15",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": "AKIAMADEUPBYTHECHECK/20261126/us-east-1/sts/aws4_request",
        "X-Amz-Date": "20261126T120000Z",
        "X-Amz-Expires": "60",
        "X-Amz-SignedHeaders": "host;x-k8s-aws-id",
    }
    assert token != made_up.token("prod-1", HOST, "us-east-1", NOW)


# Step 6.


@pytest.mark.parametrize(
    ("found", "state", "said"),
    [
        (Review(arrived=True), OK, "a pod refused a made-up login"),
        (Review(arrived=True, answered=True, error="no"), OK, "a pod refused a made-up login"),
        (
            Review(answered=True, error="connection refused"),
            FAILED,
            "did not arrive at any pod; the API server answers: connection refused",
        ),
        (Review(), FAILED, "did not arrive at any pod; the API server does not answer in time"),
        (Review(unread="500 no"), FAILED, "not all logs could be read: 500 no"),
        (
            Review(arrived=True, answered=True, authenticated=True),
            FAILED,
            "the API server lets a made-up token in",
        ),
    ],
)
def test_given_what_came_of_a_login_then_the_step_says_whether_it_arrived(
    found: Review, state: str, said: str
) -> None:
    outcome = end_to_end.verdict(found, NAMES)

    assert outcome.state == state
    assert said in outcome.seen
    assert bool(outcome.remedy) == (state == FAILED)

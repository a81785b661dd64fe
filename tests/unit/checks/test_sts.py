"""Step 4: how far a made-up login came on its way to STS."""

from __future__ import annotations

import base64
import dataclasses
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.fakes.checking import CLOCK, HOST, NOW, RECONCILE, SITE
from tests.fakes.explaining import CLIENT, STS, log_line, sts_error

from access import refusals
from access.refusals import Cause, Refusal
from checks import Outcome, StepState, ok, sts


def logged(error: str) -> Refusal:
    """The refusal that a pod logs with this error, read as the charm reads it."""
    found = refusals.of_client([log_line("", error, client=CLIENT).decode()], CLIENT)
    assert found
    return found


def get(error: str, region: str = "us-east-1") -> str:
    return f"{STS}error during GET: {error} on {region} endpoint"


WAY = sts.Way(SITE, uses_proxy=False)
OPEN = f"let the DNS that pods use resolve {HOST}, and allow the nodes its TCP port 443; if only"
PROXY = "let the proxy serve the nodes"
TRUST = "bring the pods the authority of what opens TLS: juju integrate aws-iam"


@pytest.mark.parametrize("code", ["InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken"])
def test_given_what_sts_says_of_such_keys_then_the_login_reached_it(code: str) -> None:
    assert sts.met(logged(sts_error(code, "no")), WAY).state == StepState.OK


@pytest.mark.parametrize(
    ("error", "uses_proxy", "remedy"),
    [
        (f"dial tcp: lookup {HOST} on 10.152.183.10:53: server misbehaving", False, OPEN),
        ("dial tcp 192.0.2.10:443: connect: no route to host", False, OPEN),
        ("dial tcp 192.0.2.10:443: i/o timeout", True, PROXY),
        ("Proxy Authentication Required", True, PROXY),
        ("proxyconnect tcp: tls: no", True, PROXY),
        ("tls: failed to verify certificate: x509: unknown authority", True, TRUST),
        ("remote error: tls: handshake failure", False, TRUST),
        (f"tls: failed to verify: x509: unknown authority (possibly {'a ' * 80})", False, TRUST),
    ],
)
def test_given_what_pods_met_on_the_way_then_its_remedy_fits(
    error: str, uses_proxy: bool, remedy: str
) -> None:
    way = dataclasses.replace(WAY, uses_proxy=uses_proxy)
    assert sts.met(logged(get(error)), way).remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("cause", "seen", "remedy"),
    [
        (Cause.CLOCK, f"or {HOST} disagree with this machine's clock", CLOCK),
        (Cause.THROTTLED, "are told by", "let people log in through the STS of another region: "),
        (Cause.ENDPOINT, f"do not accept {HOST}", RECONCILE),
        (Cause.OTHER, "get an unexpected", "what the pods say: kubectl -n kube-system logs"),
    ],
)
def test_given_another_answer_then_its_remedy_fits(cause: Cause, seen: str, remedy: str) -> None:
    outcome = sts.met(Refusal(NOW, 1, cause, ""), WAY)
    assert outcome.seen.startswith(seen)
    assert outcome.remedy.startswith(remedy)


REACHED, SILENT = ok(""), sts.met(None, WAY)
REFUSED = sts.met(
    logged(get("dial tcp 192.0.2.10:443: connect: connection refused", region="global")), WAY
)
NO_WAY = (
    f"do not reach {HOST}, without a proxy "
    "('dial tcp 192.0.2.10:443: connect: connection refused on global endpoint')"
)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (REACHED, f"failed: pods b {NO_WAY}"),
        (REFUSED, f"failed: the pods {NO_WAY}"),
        (SILENT, "not checked: pods a do not show the login in their log, so see step 2"),
    ],
)
def test_given_what_became_of_two_pods_then_those_of_one_fault_are_named(
    one: Outcome, said: str
) -> None:
    outcome = sts.verdict({"a": one, "b": REACHED if one is SILENT else REFUSED}, WAY)

    assert f"{outcome}".startswith(said)


def test_given_the_keys_of_nobody_then_the_token_looks_as_peoples_do() -> None:
    token = sts.nobodys_token("us-east-1", NOW)

    encoded = token.removeprefix("k8s-aws-v1.")
    url = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    query = {name: value for name, (value,) in parse_qs(url.query).items()}
    assert (url.scheme, url.netloc, url.path) == ("https", HOST, "/")
    assert re.fullmatch("[0-9a-f]{64}", query.pop("X-Amz-Signature"))
    assert query == {
        "Action": "GetCallerIdentity",
        "Version": "2011-06-15",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": "AKIAMADEUPBYTHECHECK/20261126/us-east-1/sts/aws4_request",
        "X-Amz-Date": "20261126T120000Z",
        "X-Amz-Expires": "60",
        "X-Amz-SignedHeaders": "host;x-k8s-aws-id",
    }
    assert token != sts.nobodys_token("us-east-1", NOW)

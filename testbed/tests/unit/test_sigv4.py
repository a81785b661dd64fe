"""The STS accepts what botocore signs, and refuses what was changed after signing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import urllib.parse
from collections.abc import Callable

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from testbed.aws import sigv4
from testbed.aws.sigv4 import Refused, Request

HOST = "sts.eu-west-1.amazonaws.com"
URL = f"https://{HOST}/?Action=GetCallerIdentity&Version=2011-06-15"
SECRET = "a-secret-key-of-forty-characters-or-less"
REGION = "eu-west-1"


def credentials(token: str | None = None) -> botocore.credentials.Credentials:
    return botocore.credentials.Credentials("AKIAEXAMPLE000000000", SECRET, token)


def presigned(expires: int = 60, token: str | None = None) -> Request:
    """Return the authenticator's request to STS: a presigned URL, the cluster's id in a header."""
    request = botocore.awsrequest.AWSRequest("GET", URL, {"x-k8s-aws-id": "cluster"})
    signer = botocore.auth.SigV4QueryAuth(credentials(token), "sts", REGION, expires)
    signer.add_auth(request)
    headers = {"host": [HOST], "x-k8s-aws-id": ["cluster"], "accept": ["application/json"]}
    return Request("GET", "/", urllib.parse.urlsplit(str(request.url)).query, headers)


def signed_post(
    body: bytes = b"Action=AssumeRole&Version=2011-06-15", token: str | None = None
) -> Request:
    request = botocore.awsrequest.AWSRequest("POST", f"https://{HOST}/", {}, body)
    botocore.auth.SigV4Auth(credentials(token), "sts", REGION).add_auth(request)
    headers = {name.lower(): [str(value)] for name, value in request.headers.items()}
    return Request("POST", "/", "", {**headers, "host": [HOST]}, body)


def check(
    request: Request, *, secret: str = SECRET, region: str = REGION, late: float = 0
) -> None:
    now = dt.datetime.now(dt.timezone.utc) + dt.timedelta(minutes=late)
    sigv4.check(request, sigv4.signature_of(request), secret, f"{region}/sts", now)


def with_query(request: Request, **changes: str) -> Request:
    parameters = {
        **dict(request.parameters),
        **{k.replace("_", "-"): v for k, v in changes.items()},
    }
    query = urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote)
    return dataclasses.replace(request, query=query)


def with_headers(request: Request, **changes: str | None) -> Request:
    new = {name.replace("_", "-"): value for name, value in changes.items()}
    headers = {name: values for name, values in request.headers.items() if name not in new}
    headers |= {name: [value] for name, value in new.items() if value is not None}
    return dataclasses.replace(request, headers=headers)


def refusal(request: Request, **how: object) -> Refused:
    with pytest.raises(Refused) as caught:
        check(request, **how)  # pyright: ignore[reportArgumentType]
    return caught.value


@pytest.mark.parametrize("token", [None, "token/with+odd=characters"])
@pytest.mark.parametrize("sign", [presigned, signed_post])
def test_a_signed_request_is_accepted_with_a_session_token_or_without(
    sign: Callable[..., Request], token: str | None
) -> None:
    request = sign(token=token)
    check(request)
    assert sigv4.signature_of(request).token == (token or "")


def test_a_header_with_folded_spaces_is_signed_as_one_space() -> None:
    request = botocore.awsrequest.AWSRequest("GET", URL, {"x-k8s-aws-id": "two   words"})
    botocore.auth.SigV4QueryAuth(credentials(), "sts", REGION, 60).add_auth(request)
    query = urllib.parse.urlsplit(str(request.url)).query
    check(Request("GET", "/", query, {"host": [HOST], "x-k8s-aws-id": ["  two  words "]}))


TAMPERED = {
    "another cluster's id": lambda: with_headers(presigned(), x_k8s_aws_id="other"),
    "no cluster id": lambda: with_headers(presigned(), x_k8s_aws_id=None),
    "another action": lambda: with_query(presigned(), Action="AssumeRole"),
    "one more parameter": lambda: with_query(presigned(), RoleArn="x"),
    "another expiry": lambda: with_query(presigned(), X_Amz_Expires="61"),
    "another host": lambda: with_headers(presigned(), host="sts.eu-west-2.amazonaws.com"),
    "another method": lambda: dataclasses.replace(presigned(), method="POST"),
    "another path": lambda: dataclasses.replace(presigned(), path="/x"),
    "a body": lambda: dataclasses.replace(presigned(), body=b"Action=AssumeRole"),
    "another body": lambda: dataclasses.replace(signed_post(b"a=b"), body=b"a=c"),
    "another signature": lambda: with_query(presigned(), X_Amz_Signature="0" * 64),
    "an unsigned header of AWS's": lambda: with_headers(presigned(), x_amz_target="x"),
    "an unsigned host": lambda: with_query(presigned(), X_Amz_SignedHeaders="x-k8s-aws-id"),
    "headers out of order": lambda: with_query(
        presigned(), X_Amz_SignedHeaders="x-k8s-aws-id;host"
    ),
}


@pytest.mark.parametrize("change", TAMPERED)
def test_a_request_that_was_changed_after_signing_is_refused(change: str) -> None:
    refused = refusal(TAMPERED[change]())
    assert (refused.status, refused.code) == (403, "SignatureDoesNotMatch")


def test_another_secret_is_refused() -> None:
    assert refusal(presigned(), secret="other").code == "SignatureDoesNotMatch"


def test_another_region_is_refused() -> None:
    refused = refusal(presigned(), region="us-east-1")
    assert refused.code == "SignatureDoesNotMatch"
    assert "us-east-1/sts/aws4_request" in refused.message


@pytest.mark.parametrize("late", [-4, 0, 14])
def test_a_signature_is_valid_for_fifteen_minutes_whatever_its_url_says(late: int) -> None:
    check(presigned(expires=60), late=late)


def test_an_expiry_of_zero_is_taken_as_older_clients_send_it() -> None:
    check(presigned(expires=0), late=14)


@pytest.mark.parametrize(("late", "words"), [(16, "Signature expired"), (-6, "not yet current")])
def test_an_old_or_early_signature_is_refused(late: int, words: str) -> None:
    refused = refusal(presigned(expires=3600), late=late)
    assert refused.code == "SignatureDoesNotMatch"
    assert words in refused.message


INCOMPLETE = {
    "no expiry": lambda: with_query(presigned(), X_Amz_Expires=""),
    "expiry of a month": lambda: with_query(presigned(), X_Amz_Expires="2592000"),
    "another algorithm": lambda: with_query(presigned(), X_Amz_Algorithm="AWS4-HMAC-SHA1"),
    "half a credential": lambda: with_query(presigned(), X_Amz_Credential="AKIA/20260101"),
    "no signature": lambda: with_query(presigned(), X_Amz_Signature=""),
    "a header that is not a signature": lambda: with_headers(
        signed_post(b""), authorization="Basic x"
    ),
    "a header without a date": lambda: with_headers(signed_post(b""), x_amz_date=None),
}


@pytest.mark.parametrize("change", INCOMPLETE)
def test_an_incomplete_signature_is_refused_as_such(change: str) -> None:
    refused = refusal(INCOMPLETE[change]())
    assert (refused.status, refused.code) == (400, "IncompleteSignature")


def test_an_invalid_date_is_refused() -> None:
    today = f"{dt.datetime.now(dt.timezone.utc):%Y%m%d}"
    assert refusal(with_query(presigned(), X_Amz_Date=f"{today}T25")).code == "IncompleteSignature"


def test_a_request_without_a_signature_is_refused() -> None:
    refused = refusal(Request("GET", "/", "Action=GetCallerIdentity", {"host": [HOST]}))
    assert (refused.status, refused.code) == (403, "MissingAuthenticationToken")

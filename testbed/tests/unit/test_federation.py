"""The tokens that AWS signs: who gets one, what it says, and that its issuer's keys verify it."""

from __future__ import annotations

import base64
import datetime as dt
import json
import urllib.parse
from typing import Any
from unittest import mock

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.session
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from testbed.aws import api, federation, regions
from testbed.aws.accounts import Accounts, Credentials
from testbed.aws.sigv4 import Request

ACCOUNT, FOREIGN = "111122223333", "444455556666"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/deployer"
AUDIENCE = "prod.example.com"
NOW = dt.datetime.now(dt.timezone.utc)
ALLOW = {
    "Effect": "Allow",
    "Action": "sts:GetWebIdentityToken",
    "Resource": "*",
    "Condition": {
        "ForAllValues:StringEquals": {"sts:IdentityTokenAudience": AUDIENCE},
        "NumericLessThanEquals": {"sts:DurationSeconds": "900"},
    },
}


@pytest.fixture
def accounts() -> Accounts:
    return Accounts.load()


@pytest.fixture
def ada(accounts: Accounts) -> Credentials:
    return of(accounts, "AKIAADA0000TESTBED00")


@pytest.fixture
def deployer(accounts: Accounts) -> Credentials:
    """Return a session of a role, which lasts for an hour."""
    role = accounts.role(DEPLOYER)
    assert role
    return accounts.assume(role, "build-17", NOW + dt.timedelta(hours=1))


@pytest.fixture
def issuer(accounts: Accounts, ada: Credentials, deployer: Credentials) -> str:
    """Return the account's issuer, whose tokens the role may get for one audience."""
    put_policy(accounts, ada, ALLOW)
    enabled = ask(accounts, ada, "iam", Action="EnableOutboundWebIdentityFederation")
    return result(enabled)["IssuerIdentifier"]


def of(accounts: Accounts, access_key: str) -> Credentials:
    known = accounts.credentials(access_key)
    assert known
    return known


def ask(
    accounts: Accounts,
    signer: Credentials,
    service: str = "sts",
    host: str = "sts.eu-west-1.amazonaws.com",
    **parameters: str,
) -> api.Response:
    """Call an action of STS or of IAM, signed as its endpoint demands."""
    if service == "iam":
        host, version, region = regions.IAM, "2010-05-08", "us-east-1"
    else:
        version, region = "2011-06-15", "us-east-1" if host == regions.GLOBAL_STS else "eu-west-1"
    body = urllib.parse.urlencode({"Version": version, **parameters}).encode()
    request = botocore.awsrequest.AWSRequest("POST", f"https://{host}/", {}, body)
    keys = botocore.credentials.Credentials(
        signer.access_key, signer.secret_key, signer.token or None
    )
    botocore.auth.SigV4Auth(keys, service, region).add_auth(request)
    headers = {name.lower(): [str(value)] for name, value in request.headers.items()}
    headers |= {"host": [host], "accept": ["application/json"]}
    return api.respond(Request("POST", "/", "", headers, body), accounts, NOW)


def get_token(
    accounts: Accounts, signer: Credentials, *audiences: str, **parameters: str
) -> api.Response:
    given = {f"Audience.member.{n}": value for n, value in enumerate(audiences, 1)}
    asked = {"SigningAlgorithm": "ES384", "DurationSeconds": "300", **given, **parameters}
    kept = {name: value for name, value in asked.items() if value}
    return ask(accounts, signer, Action="GetWebIdentityToken", **kept)


def put_policy(accounts: Accounts, signer: Credentials, *statements: Any) -> api.Response:
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    names = {"RoleName": "deployer", "PolicyName": "log-in"}
    return ask(accounts, signer, "iam", Action="PutRolePolicy", PolicyDocument=policy, **names)


def result(answer: api.Response) -> dict[str, str]:
    assert answer.status == 200, answer.body
    (content,) = json.loads(answer.body).values()
    (found,) = (value for name, value in content.items() if name.endswith("Result"))
    return found


def error(answer: api.Response) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["Error"]["Code"]


def published(accounts: Accounts, url: str) -> api.Response | None:
    parts = urllib.parse.urlsplit(url)
    return api.publish(Request("GET", parts.path, "", {"host": [parts.netloc]}), accounts)


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text: str) -> int:
    return int.from_bytes(decoded(text), "big")


def verified(accounts: Accounts, token: str) -> dict[str, Any]:
    """Return a token's claims, by the keys that its issuer publishes. Raises InvalidSignature."""
    header, claims, signature = (decoded(part) for part in token.split("."))
    found = json.loads(claims)
    discovered = published(accounts, f"{found['iss']}/.well-known/openid-configuration")
    assert discovered
    jwks = published(accounts, json.loads(discovered.body)["jwks_uri"])
    assert jwks
    named = json.loads(header)
    (key,) = (k for k in json.loads(jwks.body)["keys"] if k["kid"] == named["kid"])
    assert key["alg"] == named["alg"]
    signed = token.rpartition(".")[0].encode()
    if key["kty"] == "EC":
        assert len(signature) == 96
        halves = (int.from_bytes(half, "big") for half in (signature[:48], signature[48:]))
        numbers = ec.EllipticCurvePublicNumbers(number(key["x"]), number(key["y"]), ec.SECP384R1())
        der = utils.encode_dss_signature(*halves)
        numbers.public_key().verify(der, signed, ec.ECDSA(hashes.SHA384()))
    else:
        public = rsa.RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key()
        public.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    return found


@pytest.mark.parametrize("algorithm", federation.ALGORITHMS)
def test_given_an_allowed_role_when_it_asks_then_its_token_says_the_role_and_no_session(
    accounts: Accounts, deployer: Credentials, issuer: str, algorithm: str
) -> None:
    given = result(get_token(accounts, deployer, AUDIENCE, SigningAlgorithm=algorithm))

    claims = verified(accounts, given["WebIdentityToken"])
    assert claims["sub"] == DEPLOYER
    assert (claims["iss"], claims["aud"]) == (issuer, AUDIENCE)
    assert claims["exp"] - claims["iat"] == 300
    assert claims["https://sts.amazonaws.com/"] == {
        "aws_account": ACCOUNT,
        "source_region": "eu-west-1",
    }
    assert "build-17" not in json.dumps(claims)
    assert dt.datetime.fromisoformat(
        given["Expiration"].replace("Z", "+00:00")
    ) == dt.datetime.fromtimestamp(claims["exp"], dt.timezone.utc)


@pytest.mark.parametrize("algorithm", federation.ALGORITHMS)
def test_given_a_token_when_a_claim_is_changed_then_the_issuers_keys_refuse_it(
    accounts: Accounts, deployer: Credentials, issuer: str, algorithm: str
) -> None:
    given = result(get_token(accounts, deployer, AUDIENCE, SigningAlgorithm=algorithm))
    header, claims, signature = given["WebIdentityToken"].split(".")
    changed = {**json.loads(decoded(claims)), "sub": f"{DEPLOYER}-admin"}

    with pytest.raises(InvalidSignature):
        verified(accounts, f"{header}.{federation.encoded(changed)}.{signature}")


def test_given_two_audiences_then_the_token_has_both_and_each_must_be_allowed(
    accounts: Accounts, ada: Credentials, deployer: Credentials, issuer: str
) -> None:
    both = (AUDIENCE, "test.example.com")
    assert error(get_token(accounts, deployer, *both)) == (403, "AccessDenied")

    claims = verified(accounts, result(get_token(accounts, ada, *both))["WebIdentityToken"])

    assert claims["aud"] == [*both]
    assert claims["sub"] == f"arn:aws:iam::{ACCOUNT}:user/ada"


@pytest.mark.parametrize(
    ("audience", "seconds"),
    [("test.example.com", "300"), (AUDIENCE, "901"), (AUDIENCE, "")],
)
def test_given_what_the_policy_does_not_allow_when_a_token_is_asked_for_then_it_is_denied(
    accounts: Accounts, deployer: Credentials, issuer: str, audience: str, seconds: str
) -> None:
    answer = get_token(accounts, deployer, audience, DurationSeconds=seconds)
    assert error(answer) == (403, "AccessDenied")


def test_given_no_policy_then_a_principal_gets_no_token(accounts: Accounts, issuer: str) -> None:
    role = accounts.role(f"arn:aws:iam::{ACCOUNT}:role/intruder")
    assert role
    for who in (
        of(accounts, "AKIAKNOBBY0TESTBED00"),
        accounts.assume(role, "session", NOW + dt.timedelta(hours=1)),
    ):
        assert error(get_token(accounts, who, AUDIENCE)) == (403, "AccessDenied")


@pytest.mark.parametrize(
    ("audiences", "parameters"),
    [
        *(((AUDIENCE,), {"DurationSeconds": seconds}) for seconds in ("59", "3601", "an hour")),
        *((audiences, {}) for audiences in ((), ("x" * 1001,), tuple(map(str, range(11))))),
        *(((AUDIENCE,), {"SigningAlgorithm": name}) for name in ("HS256", "none", "")),
    ],
)
def test_given_a_parameter_out_of_range_then_it_is_refused(
    accounts: Accounts,
    ada: Credentials,
    issuer: str,
    audiences: tuple[str, ...],
    parameters: dict[str, str],
) -> None:
    answer = get_token(accounts, ada, *audiences, **parameters)
    assert error(answer) == (400, "ValidationError")


def test_given_no_duration_then_it_is_five_minutes(
    accounts: Accounts, ada: Credentials, issuer: str
) -> None:
    answer = get_token(accounts, ada, AUDIENCE, DurationSeconds="")
    claims = verified(accounts, result(answer)["WebIdentityToken"])
    assert claims["exp"] - claims["iat"] == 300


def test_given_a_session_that_ends_sooner_then_it_gets_no_longer_token(
    accounts: Accounts, issuer: str
) -> None:
    role = accounts.role(DEPLOYER)
    assert role
    session = accounts.assume(role, "session", NOW + dt.timedelta(minutes=5))

    assert get_token(accounts, session, AUDIENCE, DurationSeconds="300").status == 200
    longer = get_token(accounts, session, AUDIENCE, DurationSeconds="301")
    assert error(longer) == (403, "SessionDurationEscalationException")


def test_given_a_disabled_federation_then_nobody_gets_a_token_and_former_ones_stay_valid(
    accounts: Accounts, ada: Credentials, deployer: Credentials, issuer: str
) -> None:
    former = result(get_token(accounts, deployer, AUDIENCE))["WebIdentityToken"]
    result(ask(accounts, ada, "iam", Action="DisableOutboundWebIdentityFederation"))

    answer = get_token(accounts, deployer, AUDIENCE)

    assert error(answer) == (403, "OutboundWebIdentityFederationDisabledException")
    info = ask(accounts, ada, "iam", Action="GetOutboundWebIdentityFederationInfo")
    assert error(info) == (404, "FeatureDisabled")
    assert verified(accounts, former)["sub"] == DEPLOYER


def test_given_the_global_sts_when_it_is_asked_for_a_token_then_it_does_not_know_that(
    accounts: Accounts, ada: Credentials, issuer: str
) -> None:
    token = {"Action": "GetWebIdentityToken", "SigningAlgorithm": "ES384"}
    audience = {"Audience.member.1": AUDIENCE}
    answer = ask(accounts, ada, host=regions.GLOBAL_STS, **token, **audience)
    assert error(answer) == (400, "InvalidAction")


def test_given_two_accounts_then_each_has_an_issuer_and_keys_of_its_own(
    accounts: Accounts, issuer: str
) -> None:
    stranger = of(accounts, "AKIASTRANGER0TESTBED")
    enabled = ask(accounts, stranger, "iam", Action="EnableOutboundWebIdentityFederation")
    theirs = result(enabled)["IssuerIdentifier"]
    assert theirs != issuer

    token = result(get_token(accounts, stranger, AUDIENCE))["WebIdentityToken"]
    claims = verified(accounts, token)
    assert (claims["iss"], claims["sub"]) == (theirs, f"arn:aws:iam::{FOREIGN}:user/stranger")

    header, _, signature = token.split(".")
    forged = f"{header}.{federation.encoded({**claims, 'iss': issuer})}.{signature}"
    with pytest.raises((InvalidSignature, ValueError)):
        verified(accounts, forged)


def test_given_an_issuer_then_it_publishes_two_documents_and_no_key_that_signs(
    accounts: Accounts, issuer: str
) -> None:
    for path in (federation.DISCOVERY, federation.JWKS):
        found = published(accounts, issuer + path)
        assert found
        assert found.status == 200
        assert '"d"' not in found.body.decode()
    other = published(accounts, issuer + "/other")
    assert other
    assert other.status == 404
    assert published(accounts, "https://sts.eu-west-1.amazonaws.com/") is None
    assert f"*.{federation.DOMAIN}" in regions.host_names()


def test_given_an_account_then_only_its_administrator_changes_it(
    accounts: Accounts, ada: Credentials, deployer: Credentials, issuer: str
) -> None:
    knobby = of(accounts, "AKIAKNOBBY0TESTBED00")
    for who in (knobby, deployer):
        assert error(put_policy(accounts, who, ALLOW)) == (403, "AccessDenied")
        disable = ask(accounts, who, "iam", Action="DisableOutboundWebIdentityFederation")
        assert error(disable) == (403, "AccessDenied")
    again = ask(accounts, ada, "iam", Action="EnableOutboundWebIdentityFederation")
    assert error(again) == (409, "FeatureEnabled")
    info = ask(accounts, ada, "iam", Action="GetOutboundWebIdentityFederationInfo")
    assert result(info) == {"IssuerIdentifier": issuer, "JwtVendingEnabled": "true"}


def test_given_a_policy_that_is_deleted_then_its_role_gets_no_more_tokens(
    accounts: Accounts, ada: Credentials, deployer: Credentials, issuer: str
) -> None:
    names = {"RoleName": "deployer", "PolicyName": "log-in"}
    ask(accounts, ada, "iam", Action="DeleteRolePolicy", **names)

    assert error(get_token(accounts, deployer, AUDIENCE)) == (403, "AccessDenied")
    again = ask(accounts, ada, "iam", Action="DeleteRolePolicy", **names)
    assert error(again) == (404, "NoSuchEntity")
    unknown = {**names, "RoleName": "nobody"}
    assert error(ask(accounts, ada, "iam", Action="DeleteRolePolicy", **unknown)) == (
        404,
        "NoSuchEntity",
    )


@pytest.mark.parametrize(
    "statement",
    [
        {**ALLOW, "Effect": "Deny"},
        {**ALLOW, "Resource": "arn:aws:iam::1:role/x"},
        {**ALLOW, "Condition": {"StringLike": {"sts:IdentityTokenAudience": "*"}}},
        {**ALLOW, "NotAction": "sts:AssumeRole"},
        "no statement",
    ],
)
def test_given_a_policy_that_the_testbed_does_not_evaluate_then_it_is_refused_where_it_is_put(
    accounts: Accounts, ada: Credentials, statement: Any
) -> None:
    answer = put_policy(accounts, ada, statement)
    assert error(answer) == (400, "MalformedPolicyDocument")


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"StringEquals": {"sts:SigningAlgorithm": "ES384"}}, True),
        ({"StringEquals": {"sts:SigningAlgorithm": ["RS256"]}}, False),
        ({"StringEquals": {"sts:IdentityTokenAudience": [AUDIENCE, "x"]}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "ci"}}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": "ci"}}, True),
        ({}, True),
    ],
)
def test_given_a_condition_then_it_holds_as_iam_says(
    accounts: Accounts,
    ada: Credentials,
    deployer: Credentials,
    issuer: str,
    condition: dict[str, Any],
    allowed: bool,
) -> None:
    assert put_policy(accounts, ada, {**ALLOW, "Condition": condition}).status == 200

    answer = get_token(accounts, deployer, AUDIENCE)

    assert answer.status == (200 if allowed else 403)


def test_given_botocore_when_it_calls_both_apis_then_it_reads_what_they_answer(
    accounts: Accounts, ada: Credentials
) -> None:
    """The tests above take JSON, and SDKs take XML."""
    session = botocore.session.Session()
    session.set_credentials(ada.access_key, ada.secret_key)

    def send(_: object, request: botocore.awsrequest.AWSPreparedRequest) -> Any:
        headers = {
            name.lower(): [value.decode() if isinstance(value, bytes) else str(value)]
            for name, value in request.headers.items()
        }
        parts = urllib.parse.urlsplit(request.url)
        headers["host"] = [parts.netloc]
        body = request.body if isinstance(request.body, bytes) else str(request.body).encode()
        answer = api.respond(Request("POST", "/", "", headers, body), accounts, NOW)
        raw = mock.Mock(stream=lambda **_: iter([answer.body]))
        return botocore.awsrequest.AWSResponse(request.url, answer.status, {}, raw)

    with mock.patch("botocore.httpsession.URLLib3Session.send", autospec=True, side_effect=send):
        iam = session.create_client("iam", "eu-west-1")
        url = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
        assert iam.get_outbound_web_identity_federation_info() == {
            "IssuerIdentifier": url,
            "JwtVendingEnabled": True,
            "ResponseMetadata": mock.ANY,
        }
        sts = session.create_client("sts", "eu-west-1")
        given = sts.get_web_identity_token(Audience=[AUDIENCE], SigningAlgorithm="RS256")
        iam.disable_outbound_web_identity_federation()
        with pytest.raises(sts.exceptions.OutboundWebIdentityFederationDisabledException):
            sts.get_web_identity_token(Audience=[AUDIENCE], SigningAlgorithm="RS256")

    assert verified(accounts, given["WebIdentityToken"])["iss"] == url
    assert given["Expiration"].tzinfo

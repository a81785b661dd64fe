"""Tokens that AWS signs: how people and roles get them, and how somebody else forges them."""

from __future__ import annotations

import base64
import functools
import json
from typing import Any

import botocore.session
from botocore.credentials import Credentials
from tests.integration.helpers.bad_tokens import TRUST

from testbed.aws.federation import encoded

REGION = "eu-west-1"


def client(service: str, who: Credentials) -> Any:
    """Return botocore's client of a service, the same each time."""
    return _client(service, who.access_key, who.secret_key, who.token)


@functools.cache
def _client(service: str, access_key: str, secret_key: str, token: str | None) -> Any:
    session = botocore.session.Session()
    session.set_credentials(access_key, secret_key, token)
    return session.create_client(service, REGION, verify=TRUST["AWS_CA_BUNDLE"])


def assume(who: Credentials, role: str, session: str) -> Credentials:
    """Return the credentials of a new session of a role."""
    answer = client("sts", who).assume_role(RoleArn=role, RoleSessionName=session)
    given = answer["Credentials"]
    return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def environment(who: Credentials) -> dict[str, str]:
    """Return the variables that give a machine these credentials."""
    return {
        "AWS_ACCESS_KEY_ID": who.access_key,
        "AWS_SECRET_ACCESS_KEY": who.secret_key,
        "AWS_SESSION_TOKEN": who.token or "",
    }


def get(who: Credentials, *audiences: str, seconds: int = 300, algorithm: str = "ES384") -> str:
    """Return a token of whoever has these credentials."""
    answer = client("sts", who).get_web_identity_token(
        Audience=[*audiences], DurationSeconds=seconds, SigningAlgorithm=algorithm
    )
    return str(answer["WebIdentityToken"])


def claims(token: str) -> dict[str, Any]:
    """Return what a token says, unchecked."""
    return _decoded(token.split(".")[1])


def with_claims(token: str, **changes: Any) -> str:
    """Return a token that says something else, under the signature that it had."""
    header, _, signature = token.split(".")
    return f"{header}.{encoded({**claims(token), **changes})}.{signature}"


def _decoded(part: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))

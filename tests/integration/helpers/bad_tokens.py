"""Login tokens of people who are refused, and of sessions with a name of their own."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from unittest import mock

import botocore.auth
import yaml
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from demo import keys
from tests.integration.helpers import kubernetes
from tests.integration.helpers.kubernetes import Cluster

# Without this, the AWS CLI trusts its own authorities only.
TRUST = {"AWS_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt"}
WITH_AWS_CLI = (str(Path(__file__).parents[3] / "scripts/with-tools"), "--aws-cli")
_PARAMETERS = "Action=GetCallerIdentity&Version=2011-06-15"


def credentials(user: str, secret: str | None = None) -> Credentials:
    """Return the AWS keys of a user, with another secret key if one is given."""
    found = keys.environment(user, secret)
    return Credentials(found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"])


def signed(
    who: Credentials,
    cluster_id: str,
    region: str = "us-east-1",
    domain: str = "amazonaws.com",
    age: float = 0,
    expires: int = 60,
) -> str:
    """Return a token that was made ``age`` seconds ago, as ``aws-iam-authenticator token`` does.

    A token is a presigned request in base64, whose signature covers the cluster's id.
    """
    url = f"https://sts.{region}.{domain}/?{_PARAMETERS}"
    request = AWSRequest("GET", url, headers={"x-k8s-aws-id": cluster_id})
    signer = botocore.auth.SigV4QueryAuth(who, "sts", region, expires=expires)
    at = dt.datetime.now(dt.timezone.utc) - dt.timedelta(seconds=age)
    made = mock.patch.object(botocore.auth, "get_current_datetime", return_value=at)
    # Threads that make tokens of now must not patch what they share.
    with made if age else contextlib.nullcontext():
        signer.add_auth(request)
    encoded = base64.urlsafe_b64encode(str(request.url).encode()).decode().rstrip("=")
    return f"k8s-aws-v1.{encoded}"


def of_session(cluster: Cluster, user: str, role: str, session: str = "somebody") -> str:
    """Return the token of a session of a role that a user assumes."""
    identity = ("-i", kubernetes.cluster_id(cluster.person), "--region", "us-east-1")
    command = ["aws-iam-authenticator", "token", *identity, "-r", role, "-s", session]
    return kubernetes.run_for_json(command, keys.environment(user))["status"]["token"]


def of_aws_cli(cluster: Cluster, user: str, role: str) -> str:
    """Return the token that the AWS CLI makes for a role that a user assumes."""
    identity = ("--cluster-name", kubernetes.cluster_id(cluster.person), "--region", "us-east-1")
    command = [*WITH_AWS_CLI, "aws", "eks", "get-token", *identity, "--role-arn", role]
    environment = {**TRUST, **keys.environment(user), "AWS_DEFAULT_OUTPUT": "json"}
    return kubernetes.run_for_json(command, environment)["status"]["token"]


def log_in(cluster: Cluster, token: str) -> int:
    """Return the HTTP status with which the API server answers a login."""
    (entry,) = yaml.safe_load(cluster.person.read_text())["clusters"]
    server = entry["cluster"]["server"]
    ca = base64.b64decode(entry["cluster"]["certificate-authority-data"]).decode()
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{server}/api", headers=headers)
    tls = ssl.create_default_context(cadata=ca)
    try:
        with urllib.request.urlopen(request, timeout=60, context=tls) as response:
            return response.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code

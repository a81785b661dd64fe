"""Make login tokens. Each is new, so that no API server answers from its cache."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from demo import keys

REGION = "us-east-1"
_URL = f"https://sts.{REGION}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"
# Tokens of the same second differ in their validity only. The authenticator accepts any up to this
# many seconds, and lets every token hold for a quarter of an hour.
_LONGEST = 900


def tokens(user: str, cluster_id: str) -> Iterator[str]:
    """Yield tokens of ``user``, as ``aws-iam-authenticator token`` makes them.

    A token is a presigned request in base64, whose signature covers the cluster's id.
    """
    environment = keys.environment(user)
    credentials = Credentials(
        environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
    )
    for number in itertools.count():
        request = AWSRequest("GET", _URL, headers={"x-k8s-aws-id": cluster_id})
        expires = 60 + number % (_LONGEST - 60)
        SigV4QueryAuth(credentials, "sts", REGION, expires=expires).add_auth(request)
        encoded = base64.urlsafe_b64encode(str(request.url).encode()).decode().rstrip("=")
        yield f"k8s-aws-v1.{encoded}"

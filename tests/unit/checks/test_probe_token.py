"""The token of nobody looks as people's do."""

from __future__ import annotations

import base64
import re
from urllib.parse import parse_qs, urlsplit

from tests.fakes.checking import NOW

from checks.probe_token import nobodys_token


def test_given_the_keys_of_nobody_then_the_token_looks_as_peoples_do() -> None:
    token = nobodys_token("us-east-1", NOW)

    encoded = token.removeprefix("k8s-aws-v1.")
    url = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    query = {name: value for name, (value,) in parse_qs(url.query).items()}
    assert (url.scheme, url.netloc, url.path) == ("https", "sts.us-east-1.amazonaws.com", "/")
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
    assert token != nobodys_token("us-east-1", NOW)

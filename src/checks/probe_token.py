# SPDX-License-Identifier: Apache-2.0

"""A login token that is made as people's are, and signed with keys that nobody has.

STS refuses it, so it lets nobody in, wherever it ends up.

Sources: AWS's documentation "Create a signed AWS API request" for Signature Version 4, and
aws-iam-authenticator v0.7.18 (``pkg/token``) for what a token is.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import secrets
from urllib.parse import quote, urlencode

# Who follows a login up in a proxy's log finds this name in it.
ACCESS_KEY_ID = "AKIAMADEUPBYTHECHECK"
_SIGNED_HEADERS = "host;x-k8s-aws-id"


def token(cluster_id: str, host: str, region: str, now: datetime.datetime, extra: str = "") -> str:
    """Return a token for the STS at ``host``, whose signatures are for ``region``.

    The authenticator refuses a token with a query parameter ``extra`` ahead of any request to
    STS, and quotes the parameter in its log.
    """
    at = now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{at[:8]}/{region}/sts/aws4_request"
    parameters = {
        "Action": "GetCallerIdentity",
        "Version": "2011-06-15",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{ACCESS_KEY_ID}/{scope}",
        "X-Amz-Date": at,
        "X-Amz-Expires": "60",
        "X-Amz-SignedHeaders": _SIGNED_HEADERS,
        **({extra: "1"} if extra else {}),
    }
    query = urlencode(sorted(parameters.items()), quote_via=quote, safe="-_.~")
    headers = f"host:{host}\nx-k8s-aws-id:{cluster_id}\n"
    body = hashlib.sha256(b"").hexdigest()
    request = f"GET\n/\n{query}\n{headers}\n{_SIGNED_HEADERS}\n{body}"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{secrets.token_urlsafe(30)}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    signature = _hmac(key, f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{digest}").hex()
    url = f"https://{host}/?{query}&X-Amz-Signature={signature}"
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()

# SPDX-License-Identifier: Apache-2.0

"""A login token that is made as people's are, of keys that nobody has.

Its signature is drawn: without the secret key, nobody can tell it from one that was made. STS
refuses it, so it lets nobody in, wherever it ends up.

Sources: AWS's documentation "Create a signed AWS API request" for Signature Version 4, and
aws-iam-authenticator v0.7.18 (``pkg/token``) for what a token is.
"""

from __future__ import annotations

import base64
import datetime
import secrets
from urllib.parse import quote, urlencode

from access import partitions

# Who follows a login up in a proxy's log finds this name in it.
_ACCESS_KEY_ID = "AKIAMADEUPBYTHECHECK"


def nobodys_token(region: str, now: datetime.datetime, extra: str = "") -> str:
    """Return a token for the STS in ``region``.

    The authenticator refuses a token with a query parameter ``extra`` ahead of any request to
    STS, and quotes the parameter in its log.
    """
    at = now.strftime("%Y%m%dT%H%M%SZ")
    parameters = {
        "Action": "GetCallerIdentity",
        "Version": "2011-06-15",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{_ACCESS_KEY_ID}/{at[:8]}/{region}/sts/aws4_request",
        "X-Amz-Date": at,
        "X-Amz-Expires": "60",
        "X-Amz-SignedHeaders": "host;x-k8s-aws-id",
        **({extra: "1"} if extra else {}),
    }
    query = urlencode(sorted(parameters.items()), quote_via=quote, safe="-_.~")
    url = f"https://{partitions.sts(region)}/?{query}&X-Amz-Signature={secrets.token_hex(32)}"
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")

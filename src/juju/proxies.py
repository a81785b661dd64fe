# SPDX-License-Identifier: Apache-2.0

"""The proxies of the Juju model, as the pods are told of them. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from errors import Blocked
from statuses import active, options

# The pods use a proxy for requests to AWS only. Without the first one, their requests to the
# Kubernetes API would go to the proxy too. The kubelet fills in the address.
_NEVER_PROXIED = (
    "$(KUBERNETES_SERVICE_HOST)",
    "127.0.0.1",
    "169.254.169.254",
    "::1",
    "localhost",
    ".svc",
    ".cluster.local",
)
# What Go reads as a URL with a host: anything else it ignores without a word.
_URL = re.compile(
    r"https?://"
    r"(?:(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*@)?"
    r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?/?"
)
_HIGHEST_PORT = 0xFFFF


@dataclasses.dataclass(frozen=True)
class Proxies:
    """What the pods' environment says of proxies."""

    # The URLs by their variables, HTTP_PROXY and HTTPS_PROXY. They may hold credentials.
    urls: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str], repr=False)
    no_proxy: str = ""  # The variable NO_PROXY, as the kubelet expands it.
    remark: str = ""  # What the operator should know; empty where logins use a proxy, as asked.


NO_PROXIES = Proxies()


def of_model(environment: Mapping[str, str]) -> Proxies:
    """Return the model's proxies, by the ``environment`` of a hook. Raise `errors.Blocked` if the
    URL of a proxy cannot work."""
    urls = {
        f"{scheme}_PROXY": url
        for scheme in ("HTTP", "HTTPS")
        if (url := environment.get(f"JUJU_CHARM_{scheme}_PROXY", "").strip())
    }
    for name, url in urls.items():
        match = _URL.fullmatch(url)
        if not match or int(match["port"] or 0) > _HIGHEST_PORT:
            # The URL may hold credentials, so no text shows it. Juju announces no change of it.
            raise Blocked(options.PROXY_INVALID(option=f"juju-{name.lower().replace('_', '-')}"))
    # The kubelet replaces "$(NAME)", and reads "$$" as a dollar sign.
    given = environment.get("JUJU_CHARM_NO_PROXY", "").replace("$", "$$")
    names = dict.fromkeys([*_NEVER_PROXIED, *re.split(r"[\s,]+", given)])
    remark = "" if "HTTPS_PROXY" in urls else active.NO_HTTPS_PROXY()
    return Proxies(urls, ",".join(filter(None, names)), remark)

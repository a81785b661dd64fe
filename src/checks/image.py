# SPDX-License-Identifier: Apache-2.0

"""What is known of the authenticator's image: which published vulnerabilities its pods have."""

from __future__ import annotations

import http.client
import re
from collections.abc import Sequence

import vulnerabilities
from checks.certificate import ANSWER_SECONDS, unverified
from cluster.pods import Serving
from cluster.references import POD_PORT

# Prometheus' Go client, which the authenticator uses, tells which Go built the program.
_GO = re.compile(r'^go_info\{version="([^"]*)"\}', re.MULTILINE)
# The metrics of a busy authenticator are some tens of kilobytes.
_MOST_BYTES = 1 << 20


def built_by(pods: Sequence[Serving]) -> str:
    """Return the Go that built what the pods run, such as ``go1.26.9``; empty if none says it."""
    for pod in pods[:1]:
        connection = http.client.HTTPSConnection(
            pod.address, POD_PORT, timeout=ANSWER_SECONDS, context=unverified()
        )
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read(_MOST_BYTES).decode(errors="replace")
        except (OSError, http.client.HTTPException):
            continue
        finally:
            connection.close()
        if found := _GO.search(text):
            return found[1]
    return ""


def remark(image: str, go: str) -> str:
    """Return what ``image`` has of published vulnerabilities, and where to read on; empty if it
    has none.

    ``go`` is what built the program in it, empty if nobody knows.
    """
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    found = vulnerabilities.of(tag, go)
    built = f", built by {go}" if go else ""
    return "; ".join(
        f"{each.name} {each.what}: {vulnerabilities.shown(each.fixed)} fixes it{built} "
        f"({each.source})"
        for each in found
    )

# SPDX-License-Identifier: Apache-2.0

"""The subject alternative names of the webhook's certificate."""

from __future__ import annotations

# The Service's names in the cluster's DNS. The first is also the certificate's common name, and
# the TLS server name that control planes ask for.
HOSTNAMES = (
    "aws-iam-authenticator.kube-system.svc",
    "aws-iam-authenticator.kube-system.svc.cluster.local",
)
COMMON_NAME = HOSTNAMES[0]


def sans(address: str) -> list[str]:
    """Return the names for a Service at ``address``; none while there is no address."""
    return [*HOSTNAMES, address] if address else []

"""The host names of STS in the partitions `aws`, `aws-cn` and `aws-us-gov`."""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT_PARTITION = "aws"

GLOBAL_REGION = "us-east-1"
"""The region in the scope of signatures for the global endpoint."""

GLOBAL_STS = "sts.amazonaws.com"

_COMMERCIAL = (
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
)

DOMAINS = ("amazonaws.com", "amazonaws.com.cn", "api.aws", "api.amazonwebservices.com.cn")
"""The domains that the hosts of all partitions are in."""


@dataclass(frozen=True)
class Place:
    """A region, and the partition that it is in."""

    partition: str
    region: str

    @property
    def scope(self) -> str:
        """Return the end of the scope of a signature."""
        return f"{self.region}/sts"


_PARTITIONS = {
    "aws": (("amazonaws.com", "api.aws"), _COMMERCIAL),
    "aws-cn": (
        ("amazonaws.com.cn", "api.amazonwebservices.com.cn"),
        ("cn-north-1", "cn-northwest-1"),
    ),
    "aws-us-gov": (("amazonaws.com", "api.aws"), ("us-gov-east-1", "us-gov-west-1")),
}
# Each region has a second domain for clients that want IPv6 too.
_PLACES = {
    f"{region}.{domain}": Place(partition, region)
    for partition, (domains, regions) in _PARTITIONS.items()
    for domain in domains
    for region in regions
}
_HOST = re.compile(r"sts(?:-fips)?\.([a-z0-9.-]+)")


def host_names() -> list[str]:
    """Return the names that the certificate is for."""
    return [GLOBAL_STS, *(f"*.{zone}" for zone in _PLACES)]


def place_of(host: str) -> Place | None:
    """Return the place that a host serves, None for a host that is no STS's.

    The partition `aws` alone has a global STS here.
    """
    name = host.lower()
    if name == GLOBAL_STS:
        return Place(DEFAULT_PARTITION, GLOBAL_REGION)
    found = _HOST.fullmatch(name)
    return _PLACES.get(found[1]) if found else None

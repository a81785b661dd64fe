"""The host names of STS in the partition `aws`."""

from __future__ import annotations

import re

GLOBAL_REGION = "us-east-1"
"""The region in the scope of signatures for the global endpoint, sts.amazonaws.com."""

REGIONS = (
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

_HOST = re.compile(r"sts(?:-fips)?\.(?:([a-z0-9-]+)\.)?amazonaws\.com")


def host_names() -> list[str]:
    """Return the names that the STS's certificate is for."""
    regional = [f"*.{region}.amazonaws.com" for region in REGIONS]
    return ["sts.amazonaws.com", *regional]


def region_of(host: str) -> str | None:
    """Return the region that an STS host serves, None for a host that is not an STS's."""
    found = _HOST.fullmatch(host.lower())
    if not found:
        return None
    region = found[1] or GLOBAL_REGION
    return region if region in REGIONS else None

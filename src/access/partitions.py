# SPDX-License-Identifier: Apache-2.0

"""AWS partitions: whose logins an authenticator accepts, and in which regions. Pure.

Sources: aws-iam-authenticator v0.7.18 (``pkg/endpoints``, ``pkg/token``); the AWS SDK for Go, for
how regions are named; cloud-provider-aws v1.36, for how it names machines.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from statuses import mapping, options

DEFAULT = "aws"
# The global STS endpoint of `aws` is in this region.
DEFAULT_REGION = "us-east-1"
# The domain of STS in each partition.
_DOMAINS = {
    "aws": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-us-gov": "amazonaws.com",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-eusc": "amazonaws.eu",
}
PARTITIONS = tuple(_DOMAINS)
# A region of each partition, and what all its regions begin with. All others are of `aws`.
_REGIONS = {
    "aws-cn": ("cn-", "cn-north-1"),
    "aws-us-gov": ("us-gov-", "us-gov-west-1"),
    "aws-iso": ("us-iso-", "us-iso-east-1"),
    "aws-iso-b": ("us-isob-", "us-isob-east-1"),
    "aws-iso-e": ("eu-isoe-", "eu-isoe-west-1"),
    "aws-iso-f": ("us-isof-", "us-isof-south-1"),
    "aws-eusc": ("eusc-", "eusc-de-east-1"),
}
# What the names of regions in `aws` begin with, and the others' up to the part of the world.
_AREAS = ("af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us")
_OTHERS = tuple(name.rsplit("-", 2)[0] for _, name in _REGIONS.values())
# A regular expression that matches the names of all regions, and few others. It knows no region,
# so that it need not change with AWS: 16 areas, nine parts of each, and a digit make 1,296 names.
REGION = (
    f"(?:{'|'.join((*_AREAS, *_OTHERS))})-"
    "(?:(?:north|south)?(?:east|west)|north|south|central)-[1-9]"
)
# How cloud-provider-aws names a machine. The zone `us-west-2-lax-1a` is in the region `us-west-2`.
_MACHINE = f"aws:///({REGION})[a-z0-9-]*/i-[0-9a-f]+"


def check(option: str) -> None:
    """Raise ValueError unless ``option`` is a partition."""
    if option not in PARTITIONS:
        known = ", ".join(PARTITIONS)
        raise ValueError(options.PARTITION_UNKNOWN(value=option, partitions=known))


@functools.cache
def accepted(partition: str) -> tuple[str, ...]:
    """Return the partitions whose logins an authenticator of ``partition`` accepts.

    It compares the domain of STS, which `aws` and `aws-us-gov` share.
    """
    return tuple(name for name in PARTITIONS if _DOMAINS[name] == _DOMAINS.get(partition))


def mismatch(partition: str, option: str) -> str | None:
    """Return why no principal of ``partition`` can log in, or None if they can.

    ``option`` is the partition of the authenticator.
    """
    if partition in accepted(option):
        return None
    return mapping.OTHER_PARTITION(partition=partition, option=option)


def of_region(region: str) -> str:
    """Return the partition that ``region`` is in, by its name."""
    found = (name for name, (begin, _) in _REGIONS.items() if region.startswith(begin))
    return next(found, DEFAULT)


def sts(region: str) -> str:
    """Return the host of STS in ``region``."""
    return f"sts.{region}.{_DOMAINS[of_region(region)]}"


def example(partition: str) -> str:
    """Return the name of a region of ``partition``."""
    return _REGIONS[partition][1] if partition in _REGIONS else "eu-west-1"


def home(partition: str, nodes: str) -> str:
    """Return the region of ``partition`` that a login asks where nobody chose one: that of the
    ``nodes``, if it is one."""
    if re.fullmatch(REGION, nodes) and of_region(nodes) == partition:
        return nodes
    return DEFAULT_REGION if partition == DEFAULT else example(partition)


def of_machines(provider_ids: Iterable[str]) -> str:
    """Return the region of most machines, by the ``providerID`` of their nodes; empty if AWS has
    none of them. Whoever runs a kubelet chooses what it says."""
    found = [match[1] for each in provider_ids if (match := re.fullmatch(_MACHINE, each))]
    return max(found, key=found.count, default="")

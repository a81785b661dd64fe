"""Partitions: whose STS is asked."""

from __future__ import annotations

import pytest

from access import partitions


@pytest.mark.parametrize(
    ("partition", "region", "expected"),
    [
        ("aws", "", ("sts.us-east-1.amazonaws.com", "us-east-1")),
        ("aws", "eu-west-1", ("sts.eu-west-1.amazonaws.com", "eu-west-1")),
        ("aws-cn", "", ("sts.cn-north-1.amazonaws.com.cn", "cn-north-1")),
        ("aws-us-gov", "", ("sts.us-gov-west-1.amazonaws.com", "us-gov-west-1")),
        ("aws-eusc", "", ("sts.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1")),
    ],
)
def test_given_a_partition_then_its_sts_is_asked(
    partition: str, region: str, expected: tuple[str, str]
) -> None:
    assert partitions.sts(partition, region) == expected

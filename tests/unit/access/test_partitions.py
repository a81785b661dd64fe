"""Partitions: whose STS is asked, whose logins are accepted, and how regions are named."""

from __future__ import annotations

import re

import pytest

from access import partitions


@pytest.mark.parametrize(
    ("partition", "nodes", "host"),
    [
        ("aws", "", "sts.us-east-1.amazonaws.com"),
        ("aws", "eu-west-1", "sts.eu-west-1.amazonaws.com"),
        ("aws", "evil.example.com/eu-west-1", "sts.us-east-1.amazonaws.com"),
        ("aws-cn", "eu-west-1", "sts.cn-north-1.amazonaws.com.cn"),
        ("aws-cn", "cn-northwest-1", "sts.cn-northwest-1.amazonaws.com.cn"),
        ("aws-eusc", "", "sts.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_given_a_partition_then_its_sts_is_asked_by_default_that_of_the_nodes(
    partition: str, nodes: str, host: str
) -> None:
    assert partitions.sts(partitions.home(partition, nodes)) == host


NO_LOGIN = "no login has partition"


@pytest.mark.parametrize(
    ("partition", "option", "said"),
    [
        ("aws", "aws", None),
        # Their STS shares a domain, and the authenticator compares no more than that.
        ("aws-us-gov", "aws", None),
        ("aws-cn", "aws", f"{NO_LOGIN} aws-cn, because the option partition is aws"),
        ("aws", "aws-eusc", f"{NO_LOGIN} aws, because the option partition is aws-eusc"),
    ],
)
def test_given_a_principal_of_another_partition_then_both_are_named(
    partition: str, option: str, said: str | None
) -> None:
    assert partitions.mismatch(partition, option) == said


def test_given_no_partition_then_those_that_there_are_are_named() -> None:
    for partition in partitions.PARTITIONS:
        partitions.check(partition)
    with pytest.raises(ValueError, match=r"^option partition: ") as raised:
        partitions.check("mars")
    known = "aws, aws-cn, aws-us-gov, aws-iso, aws-iso-b, aws-iso-e, aws-iso-f, aws-eusc"
    assert str(raised.value) == f"option partition: 'mars' is not one of {known}"


@pytest.mark.parametrize("partition", partitions.PARTITIONS)
def test_given_a_partition_then_its_example_is_one_of_its_regions(partition: str) -> None:
    region = partitions.example(partition)

    assert partitions.of_region(region) == partition
    assert re.fullmatch(partitions.REGION, region)


REGIONS = ["eu-west-1", "ap-southeast-7"]
NO_REGIONS = ["xx-west-1", "eu-west-0", "eu-west-11", "cn-de-north-1", "us-gov-west"]


@pytest.mark.parametrize("name", [*REGIONS, *NO_REGIONS])
def test_given_a_name_then_it_is_a_regions_by_its_parts(name: str) -> None:
    assert bool(re.fullmatch(partitions.REGION, name)) == (name in REGIONS)

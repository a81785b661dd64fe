"""The options."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.fuzz import mutate
from tests.fuzz.functions.invariants import line
from tests.fuzz.runner import Target

from access import arn
from config import Config
from errors import Blocked

IMAGES = (
    "registry.example.com:5000/a/aws-iam-authenticator:v0.7.13",
    "a/b@sha256:" + "0123456789abcdef" * 4,
)


def make_config(rng: Random) -> dict[str, Any]:
    replicas = rng.choice((1, 2, 10, 0, -1, 11, 2**63 - 1, -(2**63)))
    return {
        "image": mutate.text(rng, rng.choice(IMAGES), IMAGES),
        "cluster_id": rng.choice(("", "prod", mutate.text(rng, "my-cluster.1_x"))),
        "replicas": replicas if rng.random() < 0.3 else 2,
        "partition": make_partition(rng),
        "image_registry": rng.choice(("", mutate.text(rng, "registry.example.com:5000/mirror"))),
    }


def make_partition(rng: Random) -> str:
    """Return a partition, mostly the usual one, seldom with damage."""
    return rng.choice(("aws", "aws", *arn.PARTITIONS, mutate.text(rng, "aws-cn")))


def check_config(sample: dict[str, Any]) -> None:
    """Check that options are refused in one line, or have a version to show."""
    try:
        config = Config(**sample).checked()
        line(config.version, 200)
        line(config.deployed_image, 10**6)
    except Blocked as error:
        line(str(error))


TARGETS = (Target("Config", make_config, check_config),)

"""The databag of the other end of `aws-iam`."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any, NamedTuple

from charms.aws_iam.v0.aws_iam import AwsIamProvider, AwsIamRequirer
from tests.fuzz import mutate
from tests.fuzz.runner import Target, Violation


class _Unit(NamedTuple):
    name: str


def make_interface(rng: Random) -> dict[str, str]:
    bag = {
        "api_server_state": "true",
        "webhook_status": "true",
        "webhook_hash": '"0123"',
        "cluster_id": '"my-cluster"',
        "principal": '"cp/0"',
    }
    return mutate.bag(rng, bag, mutate.json_text)


def check_interface(bag: dict[str, str]) -> None:
    """Check both sides of the library: each value has its type."""
    unit = _Unit("cp/0")
    relation = SimpleNamespace(active=True, units=[unit], data={unit: bag})
    model = SimpleNamespace(relations={"aws-iam": [relation]})
    charm: Any = SimpleNamespace(model=model, unit=unit)
    requirer, provider = AwsIamRequirer(charm), AwsIamProvider(charm)
    said = (requirer.api_server_ready, requirer.acknowledged)
    if not isinstance(said[0], bool) or not isinstance(said[1], str | None):
        raise Violation("a value of another type", said)
    webhook = provider.webhook
    if webhook and not (isinstance(webhook.cluster_id, str) and isinstance(webhook.hash, str)):
        raise Violation("a webhook of another type", webhook)


TARGETS = (Target("library aws_iam", make_interface, check_interface),)

"""The provider's side of the older `tls-certificates` protocol.

Only unit databags are used, and the provider makes the keys. A requirer asks, under its
`unit_name`, for one certificate (`common_name`, `sans`) or for several (`cert_requests`, JSON);
each form has an answer of its own. What a requirer no longer asks for stays answered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import ops


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, as the authority prints them.

    Both are PEM; the certificate may have text before it.
    """

    certificate: str
    key: str


@dataclass(frozen=True)
class Request:
    """A certificate that a unit asks for."""

    unit: str
    common_name: str
    sans: tuple[str, ...]


@dataclass(frozen=True)
class Authority:
    """What every requirer gets unasked. `chain` holds what stands between `ca` and the root."""

    ca: str
    client: Pair
    chain: str = ""


def answer(
    relation: ops.Relation, me: ops.Unit, authority: Authority, issue: Callable[[Request], Pair]
) -> None:
    """Publish the authority, and a pair for each request of the relation's units.

    `issue` returns the pair that there is for a request, or makes one. What is published already
    is not written again.

    Raises:
        ValueError: a request is no JSON.
    """
    values = {
        "ca": authority.ca,
        "client.cert": authority.client.certificate,
        "client.key": authority.client.key,
    }
    if authority.chain:
        values["chain"] = authority.chain
    mine = relation.data[me]
    for unit in relation.units:
        values.update(_answers(_key(unit, relation.data[unit]), relation.data[unit], mine, issue))
    changed = {key: value for key, value in values.items() if mine.get(key) != value}
    if changed:
        mine.update(changed)


def _answers(
    unit: str,
    asked: Mapping[str, str],
    answered: Mapping[str, str],
    issue: Callable[[Request], Pair],
) -> Iterator[tuple[str, str]]:
    if name := asked.get("common_name"):
        pair = issue(Request(unit, name, _sans(json.loads(asked.get("sans", "[]")))))
        yield f"{unit}.server.cert", pair.certificate
        yield f"{unit}.server.key", pair.key
    if batch := json.loads(asked.get("cert_requests", "{}")):
        key = f"{unit}.processed_requests"
        pairs = json.loads(answered.get(key, "{}"))
        for name, wanted in batch.items():
            pair = issue(Request(unit, name, _sans(wanted["sans"])))
            pairs[name] = {"cert": pair.certificate, "key": pair.key}
        yield key, json.dumps(pairs, sort_keys=True)


def _key(unit: ops.Unit, asked: Mapping[str, str]) -> str:
    return asked.get("unit_name") or unit.name.replace("/", "_")


def _sans(names: list[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))

"""The provider's side of the older `tls-certificates` protocol, as the reactive charms' interface.

Only unit databags are used, and the provider makes the keys. A requirer asks, under its
`unit_name`, for one certificate (`common_name`, `sans`) or for several (`cert_requests` and
`client_cert_requests`, JSON); each form has an answer of its own.

An answer is kept as long as the names stay the same, whatever became of the authority: it is
given again only when they change. What a requirer no longer asks for stays answered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass

import ops

_BATCHES = {
    "cert_requests": "processed_requests",
    "client_cert_requests": "processed_client_requests",
}


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, as the authority prints them.

    Both are PEM; the certificate may have text before it.
    """

    certificate: str
    key: str


@dataclass(frozen=True)
class Request:
    """A certificate that a unit asks for.

    `batch` is the databag's key of the requests that it is one of; a single request has none.
    """

    unit: str
    common_name: str
    sans: tuple[str, ...]
    batch: str = ""

    @property
    def for_client(self) -> bool:
        """Whether the certificate is for a client rather than a server."""
        return self.batch == "client_cert_requests"


def publish_authority(
    relation: ops.Relation, me: ops.Unit, ca: str, client: Pair, chain: str = ""
) -> None:
    """Publish what every requirer gets without asking.

    `client` is the pair that all clients share. A chain that was published stays when there is
    none any more: so do the reactive charms.
    """
    values = {"ca": ca, "client.cert": client.certificate, "client.key": client.key}
    _update(relation.data[me], {**values, **({"chain": chain} if chain else {})})


def answer(
    relation: ops.Relation,
    me: ops.Unit,
    handled: MutableMapping[str, str],
    issue: Callable[[Request], Pair],
    *,
    again: bool = False,
) -> None:
    """Publish a pair for each request that has no answer yet, or for each one `again`.

    `handled` holds the names of the requests that were answered, and outlives the hook. It
    holds them as they came, and they are compared sorted: as with the reactive charms, names
    that do not come sorted never count as handled.

    Raises:
        ValueError: a request is not JSON.
    """
    mine = relation.data[me]
    for unit in relation.units:
        for request in _requests(unit, relation.data[unit]):
            key = f"{relation.id}.{request.unit}.{request.common_name}"
            names = json.dumps(sorted(set(request.sans)))
            if again or not _is_published(request, mine) or handled.get(key) != names:
                _publish(request, issue(request), mine)
                handled[key] = json.dumps(request.sans)


def _requests(unit: ops.Unit, asked: Mapping[str, str]) -> Iterator[Request]:
    name = asked.get("unit_name") or unit.name.replace("/", "_")
    if common_name := asked.get("common_name"):
        yield Request(name, common_name, tuple(json.loads(asked.get("sans") or "[]")))
    for batch in _BATCHES:
        for common_name, wanted in json.loads(asked.get(batch) or "{}").items():
            yield Request(name, common_name, tuple(wanted["sans"]), batch)


def _is_published(request: Request, mine: Mapping[str, str]) -> bool:
    if not request.batch:
        return f"{request.unit}.server.cert" in mine
    return request.common_name in json.loads(mine.get(_reply_key(request), "{}"))


def _publish(request: Request, pair: Pair, mine: MutableMapping[str, str]) -> None:
    if not request.batch:
        certificate, key = (f"{request.unit}.server.{part}" for part in ("cert", "key"))
        _update(mine, {certificate: pair.certificate, key: pair.key})
        return
    pairs = json.loads(mine.get(_reply_key(request), "{}"))
    pairs[request.common_name] = {"cert": pair.certificate, "key": pair.key}
    _update(mine, {_reply_key(request): json.dumps(pairs, sort_keys=True)})


def _reply_key(request: Request) -> str:
    return f"{request.unit}.{_BATCHES[request.batch]}"


def _update(mine: MutableMapping[str, str], values: Mapping[str, str]) -> None:
    for key, value in values.items():
        if mine.get(key) != value:
            mine[key] = value

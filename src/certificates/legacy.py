"""The older protocol of ``tls-certificates``: unit databags only, the provider makes the key.

Spoken by easyrsa and by vault's ``certificates`` endpoint. Source: the interface
``tls-certificates`` of the reactive charms. All functions are pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from certificates import pem
from cluster import manifests

COMMON_NAME = manifests.HOSTNAMES[0]
# What a provider publishes as soon as its authority is ready, before any request.
_MARKERS = ("ca", "chain", "client.cert")

# What the databag holds of a unit that asks for nothing. All but the first are an older form,
# which the reactive charm used.
NOTHING = {"cert_requests": "", "common_name": "", "sans": "", "certificate_name": ""}

Databag = Mapping[str, str]


def is_spoken_by(bags: Sequence[Databag]) -> bool:
    """Whether the provider's unit databags show this protocol. A no proves nothing: a
    sealed vault is silent."""
    return any(bag.get(marker) for bag in bags for marker in _MARKERS)


def request(unit: str, names: Sequence[str]) -> dict[str, str]:
    """What the requirer's unit databag must hold for a certificate for ``names``."""
    requests = {COMMON_NAME: {"sans": list(names)}}
    return {
        **NOTHING,
        "unit_name": _flat(unit),
        "cert_requests": json.dumps(requests, sort_keys=True),
    }


def replies(unit: str, bags: Sequence[Databag]) -> list[manifests.Bundle]:
    """The pairs that the provider's units answered ``unit`` with, each once, unchecked."""
    found = [bundle for bag in bags if (bundle := _reply(unit, bag, bags))]
    return list(dict.fromkeys(found))


def _reply(unit: str, bag: Databag, bags: Sequence[Databag]) -> manifests.Bundle | None:
    processed = _json_object(bag.get(f"{_flat(unit)}.processed_requests", ""))
    pair = processed.get(COMMON_NAME)
    if not isinstance(pair, dict) or not pair.get("cert") or not pair.get("key"):
        return None
    # Units of a clustered vault share one authority, and not each has published it yet.
    authority = next((b for b in (bag, *bags) if b.get("ca") or b.get("chain")), {})
    return pem.bundle(
        str(pair["cert"]),
        str(pair["key"]),
        authority.get("chain", ""),
        authority.get("ca", ""),
    )


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _flat(unit: str) -> str:
    return unit.replace("/", "_")

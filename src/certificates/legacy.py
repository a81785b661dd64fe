"""The older protocol of ``tls-certificates``. Pure.

It uses unit databags only, and the provider makes the private key. easyrsa and vault's
``certificates`` endpoint speak it. Source: the reactive charms' interface ``tls-certificates``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from certificates import pem
from certificates.keypair import KeyPair
from certificates.sans import COMMON_NAME

# A provider publishes these as soon as its authority is ready, before any request.
_MARKERS = ("ca", "chain", "client.cert")

# The databag of a unit that asks for nothing. All keys but the first are of an older form of
# request, which the reactive charm used.
NOTHING = {"cert_requests": "", "common_name": "", "sans": "", "certificate_name": ""}

Databag = Mapping[str, str]


def is_spoken_by(bags: Sequence[Databag]) -> bool:
    """Return whether the provider's unit databags show this protocol.

    False proves nothing: a sealed vault is silent.
    """
    return any(bag.get(marker) for bag in bags for marker in _MARKERS)


def request(unit: str, sans: Sequence[str]) -> dict[str, str]:
    """Return the requirer's unit databag for a certificate that covers ``sans``."""
    # A reactive provider compares what it answered with the sorted names, so vault would issue a
    # new certificate in each of its hooks for names in another order.
    requests = {COMMON_NAME: {"sans": sorted(sans)}}
    return {
        **NOTHING,
        "unit_name": _flat(unit),
        "cert_requests": json.dumps(requests),
    }


def replies(unit: str, bags: Sequence[Databag]) -> list[KeyPair]:
    """Return the pairs that the provider's units issued to ``unit``, each once, unchecked."""
    found = [pair for bag in bags if (pair := _reply(unit, bag, bags))]
    return list(dict.fromkeys(found))


def _reply(unit: str, bag: Databag, bags: Sequence[Databag]) -> KeyPair | None:
    processed = _json_object(bag.get(f"{_flat(unit)}.processed_requests", ""))
    reply = _object(processed.get(COMMON_NAME))
    if not reply.get("cert") or not reply.get("key"):
        return None
    # The units of a clustered vault share one authority, and some have not published it yet.
    authority = next((found for b in (bag, *bags) if (found := _authority(b))), ())
    return pem.key_pair(str(reply["cert"]), str(reply["key"]), *authority)


def _authority(bag: Databag) -> tuple[str, ...]:
    return tuple(bag[name] for name in ("chain", "ca") if bag.get(name))


def _json_object(text: str) -> dict[str, Any]:
    try:
        return _object(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _flat(unit: str) -> str:
    return unit.replace("/", "_")

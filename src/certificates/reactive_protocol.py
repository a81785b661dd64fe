# SPDX-License-Identifier: Apache-2.0

"""The older protocol of ``tls-certificates``. Pure.

It uses unit databags only, and the provider makes the private key. easyrsa and vault's
``certificates`` endpoint speak it. Source: the reactive charms' interface ``tls-certificates``.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from certificates import SERVER_NAME, pem
from certificates.keypair import KeyPair
from text import fingerprint

# A provider publishes these as soon as its authority is ready, before any request.
_MARKERS = ("ca", "chain", "client.cert")

# The databag of a unit that asks for nothing. All keys but the first are of an older form of
# request, which the reactive charm used.
NOTHING = {"cert_requests": "", "common_name": "", "sans": "", "certificate_name": ""}

Databag = Mapping[str, str]


class Reply(NamedTuple):
    """A pair, and the common name that it was asked for."""

    name: str
    pair: KeyPair


def is_spoken_by(bags: Sequence[Databag]) -> bool:
    """Return whether the provider's unit databags show this protocol.

    False proves nothing: a sealed vault is silent.
    """
    return any(bag.get(marker) for bag in bags for marker in _MARKERS)


def request(unit: str, name: str, sans: Sequence[str]) -> dict[str, str]:
    """Return the requirer's unit databag for a certificate that covers ``sans``.

    Its common name is ``name``, which the provider's answer is found by.
    """
    # A reactive provider compares what it answered with the sorted names, so vault would issue a
    # new certificate in each of its hooks for names in another order.
    requests = {name: {"sans": sorted(sans)}}
    return {
        **NOTHING,
        "unit_name": _flat(unit),
        "cert_requests": json.dumps(requests),
    }


# A provider keeps its answer to a name and its SANs for ever. Only another name, or other SANs,
# bring another certificate. Each name is below the Service's, so that it is nobody else's, and
# has at most 64 characters, as a common name must.


def names_for_authority(bags: Sequence[Databag]) -> list[str]:
    """Return the common names to ask for, one after the other, when no answer can be served.

    They are of the present authority. An answer to one of them can expire too, while other units
    lead. There are few of them, for an authority whose answers can never be served.
    """
    authority = pem.ca_bundle(*(text for bag in bags for text in _authority(bag)))
    known_by = fingerprint(authority)[:8] or "none"
    return [f"ca-{known_by}-{attempt}.{SERVER_NAME}" for attempt in (1, 2, 3)]


def name_to_ask(replies: Sequence[Reply], bags: Sequence[Databag], *, anew: bool) -> str:
    """Return the common name to ask for while none of the ``replies`` is served.

    With ``anew``, it is one that has not been answered yet, as long as there is one.
    """
    names = names_for_authority(bags)
    answered = {reply.name for reply in replies}
    untried = [name for name in names if name not in answered]
    if anew and untried:
        return untried[0]
    tried = [name for name in names if name in answered]
    return tried[-1] if tried else SERVER_NAME


def name_for_renewal(expiry: datetime.datetime) -> str:
    """Return the common name to ask for when the certificate in use expires soon.

    The name has the minute of ``expiry``, so an answer that lives no longer leads to no other.
    """
    return f"until-{expiry:%Y%m%d%H%M}.{SERVER_NAME}"


def replies(unit: str, bags: Sequence[Databag]) -> list[Reply]:
    """Return what the provider's units issued to ``unit``, each once, unchecked."""
    return list(dict.fromkeys(_read(bags, f"{_flat(unit)}.processed_requests")))


def _read(bags: Sequence[Databag], key: str) -> Iterator[Reply]:
    """Yield the replies under ``key``."""
    for bag in bags:
        # The units of a clustered vault share one authority; some have not published it yet.
        authority = next((known for b in (bag, *bags) if (known := _authority(b))), ())
        processed = _json_object(bag.get(key, ""))
        for name in sorted(filter(_is_ours, processed), key=lambda name: name != SERVER_NAME):
            if pair := _pair(_object(processed[name]), authority):
                yield Reply(name, pair)


def _is_ours(name: str) -> bool:
    return f".{name}".endswith(f".{SERVER_NAME}")


def _pair(reply: Mapping[str, Any], authority: Sequence[str]) -> KeyPair | None:
    if not reply.get("cert") or not reply.get("key"):
        return None
    return pem.key_pair(_ascii(reply["cert"]), _ascii(reply["key"]), *authority)


def _ascii(text: Any) -> str:
    # JSON can hold half a character, which cannot be written anywhere; PEM is ASCII.
    return str(text).encode("ascii", "replace").decode()


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

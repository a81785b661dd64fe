# SPDX-License-Identifier: Apache-2.0

"""PEM texts: what a provider answers, made a pair and a bundle. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from certificates.keypair import KeyPair, blocks, certificates

# Nothing in a block has a dash, so its BEGIN is followed to the next one only.
_PRIVATE_KEY = re.compile(r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----[^-]*-----END \1PRIVATE KEY-----")


def private_key(text: str) -> str:
    """Return the first private key block of ``text``; empty where there is none."""
    return next(blocks(_PRIVATE_KEY, text), "")


def key_pair(certificate: str, key: str, *authorities: str) -> KeyPair:
    """Return what to serve, and what to trust, of a provider's answer.

    Served are the leaf (the first block of ``certificate``) and every other certificate that a
    client may need to follow the chain to a root. Trusted are all but the leaf, so that a new leaf
    changes nothing for clients; but a leaf that is self-signed is its own authority.
    """
    # Its library takes long to import.
    from certificates import verdict

    leaf, *rest = certificates(certificate, *authorities) or [""]
    trusted = [*rest, leaf] if verdict.is_self_signed(leaf) else rest
    return KeyPair(
        certificate=_joined([leaf, *filter(verdict.is_intermediate, rest)]),
        key=private_key(key) + "\n",
        ca=ca_bundle(*trusted),
    )


def ca_bundle(*texts: str) -> str:
    """Return the certificates of all ``texts``, each once and sorted.

    The same certificates are the same text, in whatever order a provider lists them.
    """
    return _joined(sorted(certificates(*texts)))


def _joined(blocks: Iterable[str]) -> str:
    return "".join(f"{block}\n" for block in blocks)

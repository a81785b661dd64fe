# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""PEM texts: taking them apart. Pure."""

from __future__ import annotations

import base64
import bisect
import re
from collections import defaultdict
from collections.abc import Iterable

from certificates.keypair import KeyPair

# In a lookahead, because a line may end with the dashes that the next one starts with.
_BEGIN = re.compile(r"(?=-----BEGIN ([A-Z0-9 ]+)-----([ \t]*[\r\n]))")
_END = re.compile(r"(?=(-----END ([A-Z0-9 ]+)-----))")


def certificates(*texts: str) -> list[str]:
    """Return the CERTIFICATE blocks of ``texts`` in order, each once.

    What stands around them goes: easy-rsa puts a readable copy in front.
    """
    return list(dict.fromkeys(block for kind, block in _blocks(texts) if kind == "CERTIFICATE"))


def private_key(text: str) -> str:
    """Return the first private key block of ``text``; empty where there is none."""
    return next((block for kind, block in _blocks([text]) if kind.endswith("PRIVATE KEY")), "")


def key_pair(certificate: str, key: str, *authorities: str) -> KeyPair:
    """Return what to serve, and what to trust, of a provider's answer.

    Served are the leaf (the first block of ``certificate``) and every other certificate after
    it, so that a client which trusts only the root can follow the chain. Trusted are all but
    the leaf, so that a new leaf changes nothing for clients.
    """
    leaf, *rest = certificates(certificate, *authorities) or [""]
    return KeyPair(
        certificate=_joined([leaf, *rest]), key=private_key(key) + "\n", ca=ca_bundle(*rest)
    )


def ca_bundle(*texts: str) -> str:
    """Return the certificates of all ``texts``, each once and sorted.

    The same certificates are the same text, in whatever order a provider lists them.
    """
    return _joined(sorted(certificates(*texts)))


def der(text: str) -> list[bytes]:
    """Return the certificates of ``text`` in DER. Raise ValueError where one is no base64."""
    bodies = ("".join(block.splitlines()[1:-1]) for block in certificates(text))
    return [base64.b64decode(body, validate=True) for body in bodies]


def _blocks(texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for text in texts:
        for kind, start, end in _spans(text):
            lines = (line.strip() for line in text[start:end].splitlines())
            yield kind, "\n".join(line for line in lines if line)


def _spans(text: str) -> Iterable[tuple[str, int, int]]:
    """Return kind, start and end of every block: from a BEGIN to the next END of its kind.

    Each line is looked at once. One pattern for a whole block would search the rest of the text
    again after every BEGIN without an END.
    """
    ends: dict[str, list[re.Match[str]]] = defaultdict(list)
    for end in _END.finditer(text):
        ends[end[2]].append(end)
    starts = {kind: [end.start() for end in found] for kind, found in ends.items()}
    position = 0
    for begin in _BEGIN.finditer(text):
        kind = begin[1]
        index = bisect.bisect_left(starts.get(kind, []), begin.end(2))
        if begin.start() < position or index == len(ends.get(kind, [])):
            continue
        position = ends[kind][index].end(1)
        yield kind, begin.start(), position


def _joined(blocks: Iterable[str]) -> str:
    return "".join(f"{block}\n" for block in blocks)

# SPDX-License-Identifier: Apache-2.0

"""The older protocol of ``tls-certificates``.

It uses unit databags only, and the provider makes the private key. easyrsa and vault's
``certificates`` endpoint speak it. Source: the reactive charms' interface ``tls-certificates``.

A provider keeps its answer to a name for ever, so only another name brings another certificate.
Each is below the Service's, and has at most 64 characters, as a common name must.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping, Sequence
from typing import NamedTuple

import certificates
from certificates import SERVER_NAME, Issued, KeyPair, PairRefused, ca_bundle, x509
from errors import Waiting
from statuses import active, waiting
from text import fingerprint

Databag = Mapping[str, str]


class Reply(NamedTuple):
    """A pair, and the common name that it was asked for."""

    name: str
    pair: KeyPair


def authority(bags: Sequence[Databag]) -> str:
    """Return the CA bundle that the provider's units publish: those of a clustered vault share one
    authority."""
    return ca_bundle(*(bag.get(name, "") for bag in bags for name in ("chain", "ca")))


def obtain(
    provider: str,
    bags: Sequence[Databag],
    unit: str,
    own: MutableMapping[str, str],
    in_use: KeyPair | None,
) -> Issued:
    """Ask ``provider`` in the databag ``own`` of ``unit``, and return what it has issued.

    It asks under the name of the answer in use, or under another where none can be served. The
    provider's databags decide, so the next hook or leader goes on where one has died.

    Raise `errors.Waiting` if ``provider`` must act first, and `PairRefused` if none of its answers
    can be served.
    """
    found = replies(unit, bags)
    good = dict[Reply, x509.Life]()
    problems = list[PairRefused]()
    for reply in found:
        try:
            good[reply] = x509.check(reply.pair)
        except PairRefused as problem:
            problems.append(problem)
    if not good:
        name = _name_for_another(bags) if problems else SERVER_NAME
        _ask(own, unit, name)
        if name not in {reply.name for reply in found}:
            raise Waiting(waiting.CERTIFICATE(authority=provider), announced=True)
        raise problems[0]

    def rank(reply: Reply) -> tuple[object, ...]:
        # One that needs a successor gives way to the one that lives longest.
        is_in_use = reply.pair == in_use
        return is_in_use and not good[reply].is_late, good[reply].ends, is_in_use

    reply = max(good, key=rank)
    life = good[reply]
    if life.is_late:
        # It has the minute of the end, so an answer that lives no longer leads to no other name.
        _ask(own, unit, f"until-{life.ends:%Y%m%d%H%M}.{SERVER_NAME}")
        text = active.CERTIFICATE_EXPIRES(day=f"{life.ends:%Y-%m-%d}", authority=provider)
        return Issued(reply.pair, warning=text)
    # What this hook has written is lost if the hook fails.
    is_new = _ask(own, unit, reply.name)
    return Issued(reply.pair, None if is_new else life.renewal)


def replies(unit: str, bags: Sequence[Databag]) -> list[Reply]:
    """Return what the provider's units issued to ``unit``, each once, unchecked."""
    trusted = authority(bags)
    found: dict[Reply, None] = {}
    for bag in bags:
        try:
            answers = json.loads(bag.get(f"{_flat(unit)}.processed_requests", "{}"))
            for name, answer in answers.items():
                pair = x509.key_pair(str(answer["cert"]), str(answer["key"]), trusted)
                found[Reply(name, pair)] = None
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            # An answer in any other form does not count.
            continue
    return list(found)


def _name_for_another(bags: Sequence[Databag]) -> str:
    """Return the common name to ask for when no answer can be served: another with each
    authority, and once a day."""
    return f"{fingerprint(authority(bags))[:8]}-{certificates.now():%Y%m%d}.{SERVER_NAME}"


def _ask(own: MutableMapping[str, str], unit: str, name: str) -> bool:
    """Ask under ``name``, and return whether that is new."""
    requests = {name: {"sans": [SERVER_NAME]}}
    wanted = {"unit_name": _flat(unit), "cert_requests": json.dumps(requests)}
    if all(own.get(key) == value for key, value in wanted.items()):
        return False
    own.update(wanted)
    return True


def _flat(unit: str) -> str:
    return unit.replace("/", "_")

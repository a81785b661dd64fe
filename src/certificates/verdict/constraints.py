"""Name constraints: for which names an authority may sign. Pure.

By Go's ``crypto/x509/constraints.go`` and ``parseNameConstraintsExtension`` (``parser.go``).
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from certificates.verdict import names
from certificates.verdict.der import CONSTRUCTED, CONTEXT, SEQUENCE, Malformed, Reader

MAIL, DNS, URI, IP = 1, 2, 6, 7

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_T = TypeVar("_T")
_C = TypeVar("_C")


@dataclasses.dataclass(frozen=True)
class Subtrees:
    """Names and those below them."""

    dns: tuple[str, ...] = ()
    ip: tuple[Network, ...] = ()
    mail: tuple[str, ...] = ()
    uri: tuple[str, ...] = ()
    complete: bool = True
    """Whether there are none of kinds that Go does not know."""

    def __len__(self) -> int:
        return len(self.dns) + len(self.ip) + len(self.mail) + len(self.uri)


@dataclasses.dataclass(frozen=True)
class Constraints:
    """The names that an authority may sign for, where there are any, and may not."""

    permitted: Subtrees
    excluded: Subtrees

    @property
    def complete(self) -> bool:
        """Return whether Go can check all of them."""
        return self.permitted.complete and self.excluded.complete

    def __len__(self) -> int:
        return len(self.permitted) + len(self.excluded)


@dataclasses.dataclass(frozen=True)
class AlternativeNames:
    """The names of a certificate, of the kinds that Go knows. Of a URI, it is the host."""

    dns: tuple[str, ...] = ()
    ip: tuple[Address, ...] = ()
    mail: tuple[str, ...] = ()
    uri: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.dns) + len(self.ip) + len(self.mail) + len(self.uri)


def parse(value: bytes) -> Constraints:
    """Return what the extension's value says. Raise `Malformed`."""
    outer = Reader(value)
    inner = outer.inside(SEQUENCE)
    permitted = inner.optional(CONTEXT | CONSTRUCTED | 0) or b""
    excluded = inner.optional(CONTEXT | CONSTRUCTED | 1) or b""
    if outer or inner or not (permitted or excluded):
        raise Malformed("malformed name constraints")
    return Constraints(_subtrees(Reader(permitted)), _subtrees(Reader(excluded)))


def _subtrees(reader: Reader) -> Subtrees:
    bases: list[tuple[int, bytes]] = []
    while reader:
        bases.append(reader.inside(SEQUENCE).element())
    known = {CONTEXT | kind for kind in (MAIL, DNS, URI, IP)}
    return Subtrees(
        dns=tuple(_domain(base) for tag, base in bases if tag == CONTEXT | DNS),
        ip=tuple(_network(base) for tag, base in bases if tag == CONTEXT | IP),
        mail=tuple(_mail(base) for tag, base in bases if tag == CONTEXT | MAIL),
        uri=tuple(_uri(base) for tag, base in bases if tag == CONTEXT | URI),
        complete=all(tag in known for tag, _ in bases),
    )


def _domain(base: bytes) -> str:
    name = ascii_text(base)
    if not names.is_domain(name, constraint=True):
        raise Malformed("malformed name constraint")
    return name


def _mail(base: bytes) -> str:
    text = ascii_text(base)
    if "@" not in text:
        return _domain(base)
    names.mailbox(text)
    return text


def _uri(base: bytes) -> str:
    name = _domain(base)
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name
    raise Malformed("malformed name constraint")


def _network(base: bytes) -> Network:
    half = len(base) // 2
    if len(base) not in (8, 32):
        raise Malformed("malformed name constraint")
    ones = f"{int.from_bytes(base[half:], 'big'):0{half * 8}b}"
    if not re.fullmatch("1*0*", ones):
        raise Malformed("malformed name constraint")
    kind = ipaddress.IPv4Network if half == 4 else ipaddress.IPv6Network
    return kind((base[:half], ones.count("1")), strict=False)


def ascii_text(data: bytes) -> str:
    """Return an IA5String's text."""
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise Malformed("a name with other than ASCII characters") from None


def refused(signed: AlternativeNames, rule: Constraints) -> str:
    """Return which of the names the rule forbids; empty if it allows all."""
    permitted, excluded = rule.permitted, rule.excluded
    return (
        _first(signed.ip, permitted.ip, excluded.ip, _contains, _contains)
        or _unfit(signed.dns)
        or _first(signed.dns, permitted.dns, excluded.dns, _is_below, _is_excluded)
        or _uris(signed.uri, permitted.uri, excluded.uri)
        or _mails(signed.mail, permitted.mail, excluded.mail)
    )


def _first(
    candidates: Sequence[_T],
    permitted: Sequence[_C],
    excluded: Sequence[_C],
    fits: Callable[[_C, _T], bool],
    hits: Callable[[_C, _T], bool],
) -> str:
    for name in candidates:
        allowed = not permitted or any(fits(rule, name) for rule in permitted)
        if not allowed or any(hits(rule, name) for rule in excluded):
            return str(name) or "an empty name"
    return ""


def _unfit(domains: Sequence[str]) -> str:
    return next((name for name in domains if not names.is_domain(name)), "")


def _uris(hosts: Sequence[str], permitted: Sequence[str], excluded: Sequence[str]) -> str:
    bare: list[str] = []
    for host in hosts:
        name = host.lower()
        if ":" in name and not name.endswith("]"):
            name = name.rpartition(":")[0]
        if not name or name.startswith("[") or ":" in name or _is_address(name):
            return host or "a URI without a host"
        bare.append(name)
    return _unfit(bare) or _first(bare, permitted, excluded, _is_below, _is_excluded)


def _mails(texts: Sequence[str], permitted: Sequence[str], excluded: Sequence[str]) -> str:
    for text in texts:
        try:
            names.mailbox(text)
        except Malformed:
            return text or "an empty mail address"
    return _first(texts, permitted, excluded, _holds_mail, _holds_mail)


def _holds_mail(rule: str, text: str) -> bool:
    box = names.mailbox(text)
    return names.mailbox(rule) == box if "@" in rule else _is_below(rule, box[1])


def _contains(network: Network, address: Address) -> bool:
    return address in network


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_below(rule: str, name: str) -> bool:
    """Return whether ``name`` is ``rule`` or below it. A dot in front leaves out the former."""
    rule, name = rule.lower(), name.lower()
    if not rule or name == rule:
        return True
    return name.endswith(rule if rule.startswith(".") else "." + rule)


def _is_excluded(rule: str, name: str) -> bool:
    """Return whether ``name`` is below ``rule``, or is a wildcard that stands for it."""
    if _is_below(rule, name):
        return True
    _, dot, parent = rule.lower().partition(".")
    return bool(dot) and name.startswith("*") and name.lower().partition(".")[2] == parent

# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""Names in certificates, and what name constraints say of them, as in Go. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from cryptography import x509

from addresses import is_ip

KNOWN = (x509.DNSName, x509.IPAddress, x509.RFC822Name, x509.UniformResourceIdentifier)

# What Go takes for a domain: any visible characters, but no empty label.
_LABELS = r"[!-\-/-~]+(?:\.[!-\-/-~]+)*"
_HOST = re.compile(rf"(?:{_LABELS})?")
_BASE = re.compile(rf"(?:\.?{_LABELS})?")
# RFC 2821 with what RFC 3696 and its errata add.
_MAILBOX = re.compile(
    r"""(?:"(?P<quoted>(?:[\x01-\x08\x0b\x0c\x0e-!\#-\[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*)"
    |(?P<atoms>(?:[\w!\#$%&'*+/=?^`{|}~.-]|\\.)+))@(?P<domain>.*)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)

# The parts of a URI as Go's net/url reads them.
_CONTROL = re.compile(r"[\0-\x1f\x7f]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_ESCAPED = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*", re.DOTALL)
_USER = re.compile(r"(?:[\w.~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_IN_HOST = r"""[\w.~!$&'()*+,;=<>"-]"""
_IP_HOST = re.compile(rf"\[(?P<ip>[\w.:]+)(?:%25(?:{_IN_HOST}|:)+)?\](?::\d*)?", re.ASCII)
_NAMED_HOST = re.compile(rf"(?:{_IN_HOST}|\]|%25)*|(?:{_IN_HOST}|[:\]]|%25)*:\d*", re.ASCII)
_DOMAIN = re.compile(r"(?P<bare>[^:\[]+)|(?P<before_port>[^:\[\]]*):\d*")


class _Mailbox(NamedTuple):
    local: str
    domain: str


def is_readable(name: x509.GeneralName) -> bool:
    """Return whether Go reads a certificate that has this alternative name."""
    if isinstance(name, x509.UniformResourceIdentifier) and _uri_host(name.value) is None:
        return False
    return not isinstance(name.value, str) or name.value.isascii()


def is_readable_base(base: x509.GeneralName) -> bool:
    """Return whether Go reads a certificate that has this name constraint."""
    if not isinstance(base.value, str):
        return True
    if isinstance(base, x509.RFC822Name) and "@" in base.value:
        return _mailbox(base.value) is not None
    is_address = isinstance(base, x509.UniformResourceIdentifier) and is_ip(base.value)
    return bool(_BASE.fullmatch(base.value)) and not is_address


def is_allowed(name: x509.GeneralName, rules: Iterable[tuple[bool, x509.GeneralName]]) -> bool:
    """Return whether ``rules``, each of which permits a name or not, allow ``name``."""
    value = _constrained(name)
    if value is None:
        return False
    same = [(permits, base.value) for permits, base in rules if type(base) is type(name)]
    permitted = [_is_below(value, base) for permits, base in same if permits]
    excluded = (base for permits, base in same if not permits)
    return (not permitted or any(permitted)) and not any(
        _is_below(value, base) or _stands_for(value, base) for base in excluded
    )


def _constrained(name: x509.GeneralName) -> Any:
    """Return the part of a name that name constraints are about; None where there is none."""
    if isinstance(name, x509.RFC822Name):
        return _mailbox(name.value)
    if isinstance(name, x509.UniformResourceIdentifier):
        return _uri_domain(name.value)
    if isinstance(name, x509.DNSName):
        return name.value if _HOST.fullmatch(name.value) else None
    return name.value


def _is_below(name: Any, base: Any) -> bool:
    """Return whether ``name`` is ``base`` or below it. A dot in front leaves out the former."""
    if isinstance(name, _Mailbox):
        return name == _mailbox(base) if "@" in base else _is_below(name.domain, base)
    if not isinstance(base, str):
        return name in base
    name, base = name.lower(), base.lower()
    return not base or name == base or name.endswith(f".{base.removeprefix('.')}")


def _stands_for(name: Any, base: Any) -> bool:
    """Return whether a wildcard stands for ``base``: Go compares all after the first dot."""
    if isinstance(name, _Mailbox):
        return "@" not in base and _stands_for(name.domain, base)
    if not isinstance(base, str) or not name.startswith("*"):
        return False
    _, dot, parent = name.lower().partition(".")
    return bool(dot) and parent == base.lower().partition(".")[2]


@functools.lru_cache(maxsize=1000)
def _mailbox(text: str) -> _Mailbox | None:
    """Return the parts of a mail address; None where it is none."""
    found = _MAILBOX.fullmatch(text)
    if not found or not _HOST.fullmatch(found["domain"]):
        return None
    local = re.sub(r"\\(.)", r"\1", found["quoted"] or found["atoms"] or "", flags=re.DOTALL)
    if found["atoms"] and "" in local.split("."):
        return None
    return _Mailbox(local, found["domain"].lower())


def _uri_domain(uri: str) -> str | None:
    """Return the domain of a URI; None where it has none, but an address, say."""
    found = _DOMAIN.fullmatch(_uri_host(uri) or "")
    if not found:
        return None
    domain = found["bare"] or found["before_port"] or ""
    return domain if _HOST.fullmatch(domain) and not is_ip(domain) else None


def _uri_host(uri: str) -> str | None:
    """Return host and port of a URI, empty where it has none; None where Go cannot parse it."""
    text, _, fragment = uri.partition("#")
    found = _SCHEME.match(text)
    scheme = found[1].lower() if found else ""
    rest = text[found.end() if found else 0 :].partition("?")[0]
    if _CONTROL.search(text) or not _ESCAPED.fullmatch(fragment):
        return None
    if scheme and not rest.startswith("/"):
        return ""
    if not scheme and ":" in rest.partition("/")[0]:
        return None
    host = ""
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        user, _, host = authority.rpartition("@")
        rest = slash + path
        if not _USER.fullmatch(user) or not _is_host(scheme, host):
            return None
    return host.replace("%25", "%") if _ESCAPED.fullmatch(rest) else None


def _is_host(scheme: str, host: str) -> bool:
    if literal := _IP_HOST.fullmatch(host):
        return is_ip(literal["ip"]) and ":" in literal["ip"]
    if scheme in ("http", "https") and host.count(":") > 1:
        return False
    return bool(_NAMED_HOST.fullmatch(host) and _HOST.fullmatch(host.replace("%25", "%")))

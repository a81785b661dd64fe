"""Names in certificates: which are well-formed, and which host a name stands for. Pure.

By Go's ``validHostname`` and ``matchHostnames`` (``crypto/x509/verify.go``),
``domainNameValid`` (``parser.go``), ``parseRFC2821Mailbox`` and ``url.Parse``.
"""

from __future__ import annotations

import ipaddress
import re

from certificates.verdict.der import Malformed

# Only a pattern's first label may be a wildcard, and only the whole label.
_LABEL = r"[A-Za-z0-9_][A-Za-z0-9_-]*"
_PATTERN = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_PRINTABLE = re.compile(r"[!-~]+")

_ATOM = r"(?:\\.|[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.])+"
_QUOTED = r'"(?:\\[\x01-\x09\x0b\x0c\x0e-\x7f]|[\x01-\x08\x0b\x0c\x0e-!#-\[\]-\x7f])*"'
_MAILBOX = re.compile(rf"({_ATOM}|{_QUOTED})@(.*)", re.DOTALL)

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_USER = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*")
# The only escape that leaves a host which Go takes for a domain.
_HOST = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:\[\]<>\"]|%25)*")
_PORT = re.compile(r"(?::[0-9]*)?")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def stands_for(pattern: str, host: str) -> bool:
    """Return whether a DNS name of a certificate stands for ``host``, a valid host name."""
    pattern, host = pattern.lower(), host.lower()
    if pattern.startswith("*.") and _PATTERN.fullmatch(pattern):
        return pattern[1:] == host[host.find(".") :]
    return pattern == host


def is_domain(name: str, *, constraint: bool = False) -> bool:
    """Return whether ``name`` may stand in a certificate. A constraint may begin with a dot."""
    if not name:
        return True
    labels = name.removeprefix(".") if constraint else name
    return all(_PRINTABLE.fullmatch(label) for label in labels.split("."))


def mailbox(text: str) -> tuple[str, str]:
    """Return the local part of a mail address, and its domain in lower case."""
    found = _MAILBOX.fullmatch(text)
    if not found or not is_domain(found[2]):
        raise Malformed("malformed mail address")
    local = found[1]
    if local.startswith('"'):
        return re.sub(r"\\(.)", r"\1", local[1:-1]), found[2].lower()
    local = re.sub(r"\\(.)", r"\1", local)
    if local.startswith(".") or local.endswith(".") or ".." in local:
        raise Malformed("malformed mail address")
    return local, found[2].lower()


def uri_host(text: str) -> str:
    """Return the host of a URI, with its port; empty where it has none."""
    location, _, fragment = text.partition("#")
    scheme, rest = _scheme(location)
    is_opaque = location == "*" or (scheme and not rest.startswith("/"))
    if _CONTROL.search(text) or _BAD_ESCAPE.search(fragment):
        raise Malformed("malformed URI")
    if is_opaque:
        return ""
    if not rest.startswith("/") and ":" in rest.partition("/")[0]:
        raise Malformed("malformed URI")
    host = ""
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        host, rest = _authority(scheme, authority), slash + path
    if _BAD_ESCAPE.search(rest) or not is_domain(host):
        raise Malformed("malformed URI")
    return host


def _scheme(location: str) -> tuple[str, str]:
    if location.startswith(":"):
        raise Malformed("malformed URI")
    found = _SCHEME.match(location)
    scheme, rest = (found[1].lower(), location[found.end() :]) if found else ("", location)
    return scheme, rest.partition("?")[0]


def _authority(scheme: str, authority: str) -> str:
    user, at, host = authority.rpartition("@")
    if at and (not _USER.fullmatch(user) or _BAD_ESCAPE.search(user)):
        raise Malformed("malformed URI")
    literal, bracket, port = host.rpartition("]")
    if host.startswith("[") and bracket:
        _check_address(literal[1:])
    elif "[" in host:
        raise Malformed("malformed URI")
    elif ":" in host:
        # Databases have several hosts here, each with a port. Only for these two it is an error.
        start = host.find(":") if scheme in ("http", "https") else host.rfind(":")
        port = host[start:]
    else:
        port = ""
    if not _PORT.fullmatch(port) or not _HOST.fullmatch(host):
        raise Malformed("malformed URI")
    return host


def _check_address(text: str) -> None:
    try:
        ipaddress.IPv6Address(text.replace("%25", "%"))
    except ValueError:
        raise Malformed("malformed URI") from None

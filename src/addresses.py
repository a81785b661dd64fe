# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""IP addresses as text."""

from __future__ import annotations

import ipaddress


def is_ip(text: str | None) -> bool:
    """Return whether ``text`` is an IP address, of either version and without a zone."""
    try:
        address = ipaddress.ip_address(text or "")
    except ValueError:
        return False
    return not getattr(address, "scope_id", None)

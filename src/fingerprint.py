# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""Short names for long texts."""

from __future__ import annotations

import hashlib


def fingerprint(text: str) -> str:
    """Return a short name for ``text``, which changes with it; empty for the empty text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32] if text else ""

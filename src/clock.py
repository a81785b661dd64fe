# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The time of day."""

from __future__ import annotations

import time
from datetime import datetime, timezone


def now() -> datetime:
    """Return the present moment, in UTC."""
    return datetime.fromtimestamp(time.time(), timezone.utc)

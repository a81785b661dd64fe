# SPDX-License-Identifier: Apache-2.0

"""What the API server is: its version, and its time. Call it inside `errors_as_status`."""

from __future__ import annotations

import datetime
import email.utils

from cluster import answers, api


def read(client: api.Client) -> tuple[str, datetime.datetime | None]:
    """Return the server's version, such as ``v1.28.15``, and its time by the answer's header
    ``Date``: whole seconds, in UTC. The time is None if the server does not say it."""
    answer = client.get_raw("/version")
    name = answers.decode(answer.content, answers.Version).git_version
    try:
        at = email.utils.parsedate_to_datetime(answer.headers["Date"])
        return name, at.astimezone(datetime.timezone.utc)
    except (LookupError, OverflowError, TypeError, ValueError):
        return name, None

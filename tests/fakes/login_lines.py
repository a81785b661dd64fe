"""The lines that the authenticator logs of logins."""

from __future__ import annotations

import datetime
import json

ROLE = "arn:aws:iam::111122223333:role/dev"
SESSION = "arn:aws:sts::111122223333:assumed-role/dev/alice@example.com"
KEY = "ASIA1111222233334444"
BEGIN = datetime.datetime(2026, 11, 27, 10, tzinfo=datetime.timezone.utc)


def line(msg: str, arn: str, minute: int = 1, **fields: object) -> str:
    return json.dumps(
        {
            "client": "10.1.0.1:38652",
            "level": "info",
            "msg": msg,
            "path": "/authenticate",
            "time": f"2026-11-27T10:{minute:02}:00Z",
            "arn": arn,
            **fields,
        }
    )


def login(minute: int = 1, username: str = "dev", **answer: object) -> list[str]:
    answer = {"accesskeyid": KEY, "session": "alice@example.com", **answer}
    return [
        line("STS response", SESSION, minute, **answer),
        line("access granted", ROLE, minute, username=username, groups=["view"]),
    ]

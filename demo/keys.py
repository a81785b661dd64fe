"""AWS keys of the page's people, by the profiles in the AWS credentials file.

The testbed writes that file. On a real controller it is the operator's own, which needs the
profiles `knobby` and `mallory`.
"""

from __future__ import annotations

import configparser
import os
from pathlib import Path


def environment(user: str, secret: str | None = None) -> dict[str, str]:
    """Return the variables that hold the keys of ``user``, with ``secret`` in place of theirs.

    Raises:
        KeyError: the credentials file has no such profile.
    """
    profiles = configparser.ConfigParser(interpolation=None)
    profiles.read(credentials_file())
    if user not in profiles:
        raise KeyError(f"no profile {user} in {credentials_file()}")
    return {
        "AWS_ACCESS_KEY_ID": profiles[user]["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": secret or profiles[user]["aws_secret_access_key"],
    }


def credentials_file() -> Path:
    """Return the file that AWS tools read a person's keys from."""
    chosen = os.environ.get("AWS_SHARED_CREDENTIALS_FILE")
    return Path(chosen) if chosen else Path.home() / ".aws" / "credentials"

# SPDX-License-Identifier: Apache-2.0

"""What nodes need to pull the image from a registry that wants credentials.

An operator keeps a user name and a password in a secret of the Juju model. Option
``image-pull-secret`` has the secret's id.
"""

from __future__ import annotations

import json

import ops

from config import Config
from errors import Blocked, Waiting
from statuses import blocked, waiting
from text import brief

_PREFIX = "secret:"
_KEYS = ("username", "password")


def read(model: ops.Model, config: Config) -> str:
    """Return the credentials for the image's registry as Docker writes them, from the secret that
    the option names.

    Reads the newest revision of the secret, and so has Juju announce the next one with
    secret-changed.

    Raises:
        errors.Blocked: the secret cannot be read, or lacks a key. Juju announces no grant.
        errors.Waiting: Juju cannot hand it over now.
    """
    secret_id = config.image_pull_secret.removeprefix(_PREFIX).rpartition("/")[2]
    content = _content(model, secret_id)
    # A file that an editor wrote (`password#file=FILE`) ends with a newline.
    credentials = {key: content.get(key, "").rstrip("\r\n") for key in _KEYS}
    missing = [key for key in _KEYS if not credentials[key]]
    if missing:
        keys = " and ".join(missing)
        raise Blocked(blocked.SECRET_LACKS_KEYS(id=secret_id, keys=keys))
    return json.dumps({"auths": {config.registry_host: credentials}})


def _content(model: ops.Model, secret_id: str) -> dict[str, str]:
    application = model.app.name
    try:
        return model.get_secret(id=f"{_PREFIX}{secret_id}").get_content(refresh=True)
    except ops.SecretNotFoundError as error:
        text = blocked.SECRET_GONE(id=secret_id, application=application)
        raise Blocked(text) from error
    except ops.ModelError as error:
        # The first is what Juju 3.6 says, the second what 4.1 does.
        if any(refusal in str(error) for refusal in ("permission denied", "not allowed to read")):
            text = blocked.SECRET_NOT_GRANTED(id=secret_id, application=application)
            raise Blocked(text) from error
        text = waiting.SECRET_NOT_RETURNED(id=secret_id, cause=brief(error))
        raise Waiting(text) from error

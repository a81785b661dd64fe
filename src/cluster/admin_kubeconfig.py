# SPDX-License-Identifier: Apache-2.0

"""The admin kubeconfig of the control plane, and the connection that lightkube makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import httpx2
import yaml
from lightkube import KubeConfig
from lightkube.config import client_adapter
from lightkube.config.kubeconfig import SingleConfig

from errors import WaitingForKubeconfig
from statuses import waiting
from text import brief

# The API server is on this machine: no proxy belongs in between, and compression saves nothing.
_DIRECT = client_adapter.ConnectionParams(trust_env=False)
_UNCOMPRESSED = {"Accept-Encoding": "identity"}


def client(kubeconfig: Path) -> httpx2.Client:
    """Return a client for HTTP that connects as the kubeconfig says.

    Raises:
        errors.WaitingForKubeconfig: the file is missing, incomplete or unusable.
    """
    try:
        content = yaml.load(kubeconfig.read_text(), yaml.CSafeLoader)
        # lightkube's own types leave the content open.
        parsed = cast("Any", KubeConfig).from_dict(content, fname=kubeconfig)
        config: SingleConfig | None = parsed.get()
        http = client_adapter.Client(_checked(config), _DIRECT)
    except Exception as error:
        # Half a file fails in any of five libraries, until the control plane has written the rest.
        text = waiting.KUBECONFIG_UNUSABLE(file=kubeconfig, cause=_cause(error))
        raise WaitingForKubeconfig(text) from error
    http.headers.update(_UNCOMPRESSED)
    return http


class _NoCredentialError(ValueError):
    pass


def _checked(config: SingleConfig | None) -> SingleConfig:
    # lightkube would run a command, or read a token file, only later, and raise anything there.
    user = config.user if config else None
    if (
        not config
        or not user
        or user.exec
        or user.token_file
        or not (user.token or user.client_cert_data)
    ):
        raise _NoCredentialError("no token or client certificate in it")
    token = user.token or ""
    # The library for HTTP refuses other headers, and its error quotes the token.
    if not token.isascii() or not token.isprintable() or " " in token:
        raise _NoCredentialError("its token is malformed")
    return config


def _cause(error: Exception) -> str:
    """Return what is wrong with a kubeconfig, without any of its text: that holds credentials."""
    if isinstance(error, _NoCredentialError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return brief(error.strerror)
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"not YAML, line {error.problem_mark.line + 1}"
    return type(error).__name__

# SPDX-License-Identifier: Apache-2.0

"""The admin kubeconfig of the control plane, and the client that lightkube makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import lightkube
import yaml
from lightkube.config.kubeconfig import SingleConfig

from errors import WaitingForKubeconfig
from statuses import waiting
from text import brief


def client(kubeconfig: Path, manager: str) -> lightkube.Client:
    """Return a client that uses the kubeconfig, and whose field manager is ``manager``.

    Raises:
        errors.WaitingForKubeconfig: the file is missing, incomplete or unusable.
    """
    try:
        content = yaml.load(kubeconfig.read_text(), yaml.CSafeLoader)
        # lightkube's own types leave the content open.
        parsed = cast("Any", lightkube.KubeConfig).from_dict(content, fname=kubeconfig)
        config: SingleConfig | None = parsed.get()
        _check_credential(config)
        # The API server is on this machine, so no proxy belongs in between.
        return lightkube.Client(config, trust_env=False, field_manager=manager)
    except Exception as error:
        # Half a file fails in any of five libraries, until the control plane has written the rest.
        text = waiting.KUBECONFIG_UNUSABLE(file=kubeconfig, cause=_cause(error))
        raise WaitingForKubeconfig(text) from error


class _NoCredentialError(ValueError):
    pass


def _check_credential(config: SingleConfig | None) -> None:
    # lightkube would run a command, or read a token file, only later, and raise anything there.
    user = config.user if config else None
    if not user or user.exec or user.token_file or not (user.token or user.client_cert_data):
        raise _NoCredentialError("no token or client certificate in it")
    token = user.token or ""
    # The library for HTTP refuses other headers, and its error quotes the token.
    if not token.isascii() or not token.isprintable() or " " in token:
        raise _NoCredentialError("its token is malformed")


def _cause(error: Exception) -> str:
    """Return what is wrong with a kubeconfig, without any of its text: that holds credentials."""
    if isinstance(error, _NoCredentialError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return brief(error.strerror)
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"not YAML, line {error.problem_mark.line + 1}"
    return type(error).__name__

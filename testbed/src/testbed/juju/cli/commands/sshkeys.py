"""juju add-ssh-key, and whether a model has a key that `juju ssh` may use."""

from __future__ import annotations

import re

from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import UsageError
from testbed.juju.flags import Parsed
from testbed.juju.manner import Manner
from testbed.juju.state.model import Model

_PUBLIC_KEY = re.compile(r"(?:ssh|ecdsa|sk)-\S+ [A-Za-z0-9+/]+=*(?: .*)?\Z")


def add_ssh_key(invocation: Invocation, parsed: Parsed) -> None:
    if not parsed.args:
        raise UsageError("no ssh key specified")
    with invocation.controller.lock:
        model = invocation.model
        for given in parsed.args:
            if not _PUBLIC_KEY.match(given.strip()):
                invocation.error(f'cannot add key "{given}": invalid ssh key: {given}')
            elif given.strip() in model.ssh_keys:
                invocation.error(f'cannot add key "{given}": duplicate ssh key: {given}')
            else:
                model.ssh_keys.append(given.strip())


def admits(model: Model) -> bool:
    """Return whether machines let the operator in. A model of 3.6 begins with the client's key."""
    return model.manner is Manner.JUJU_3_6 or bool(model.ssh_keys)


COMMANDS = (Command("add-ssh-key", add_ssh_key, "Adds a public SSH key to a model."),)

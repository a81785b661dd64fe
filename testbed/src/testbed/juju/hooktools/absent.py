"""The hook tools of Juju that have nothing to work on in this testbed."""

from __future__ import annotations

from testbed.juju.errors import ToolError
from testbed.juju.flags import Flag
from testbed.juju.hooktools.call import Call, Spec, Tool


def storage_list(call: Call) -> list[str]:
    return []


def refuse(message: str) -> Tool:
    """Return a tool that fails with this message."""

    def tool(call: Call) -> None:
        raise ToolError(f"ERROR {message}")

    return tool


SPECS: dict[str, Spec] = {
    "credential-get": Spec(refuse("cannot access cloud credentials"), output=True),
    "juju-reboot": Spec(refuse("machines of this testbed do not reboot"), (Flag("now", "bool"),)),
    "storage-get": Spec(refuse("this testbed has no storage"), (Flag("s"),), output=True),
    "storage-list": Spec(storage_list, output=True),
}

"""The hook tool of addresses."""

from __future__ import annotations

from typing import Any

from testbed.juju.errors import ToolError
from testbed.juju.hooktools.call import Call, Spec


def network_get(call: Call) -> Any:
    context = call.context
    binding = call.argument(0)
    if binding not in context.application.charm.all_endpoints():
        raise ToolError(f'ERROR no network config found for binding "{binding}"')
    host = context.unit.machine.host
    assert host is not None
    address = host.address
    subnet = address.rpartition(".")[0] + ".0/24"
    entry = {"hostname": "", "value": address, "cidr": subnet}
    return {
        "bind-addresses": [{"mac-address": "", "interface-name": "eth0", "addresses": [entry]}],
        "egress-subnets": [f"{address}/32"],
        "ingress-addresses": [address],
    }


SPECS: dict[str, Spec] = {"network-get": Spec(network_get, output=True)}

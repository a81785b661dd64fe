"""The hook tools of addresses and ports."""

from __future__ import annotations

from typing import Any

from testbed.juju.errors import ToolError
from testbed.juju.flags import Flag
from testbed.juju.hooktools.call import RELATION, Call, Spec
from testbed.juju.hooktools.context import Context
from testbed.juju.state import names

_LAST_PORT = 65535
_ADDRESSES = ("bind-address", "ingress-address", "egress-subnets", "primary-address")


def network_get(call: Call) -> Any:
    context = call.context
    if relation := call.parsed.text("relation"):
        context.relation(relation)
    binding = call.argument(0)
    if binding not in context.application.charm.all_endpoints():
        raise ToolError(f'ERROR no network config found for binding "{binding}"')
    address = host_address(context)
    subnet = address.rpartition(".")[0] + ".0/24"
    entry = {"hostname": "", "value": address, "cidr": subnet}
    # Juju spells these two without a hyphen in YAML.
    mac, name = "mac-address", "interface-name"
    if call.parsed.text("format") != "json":
        mac, name = mac.replace("-", ""), name.replace("-", "")
    info = {
        "bind-addresses": [{mac: "", name: "eth0", "addresses": [entry]}],
        "egress-subnets": [f"{address}/32"],
        "ingress-addresses": [address],
    }
    if call.parsed.on("bind-address") or call.parsed.on("primary-address"):
        return address
    if call.parsed.on("ingress-address"):
        return address
    return info["egress-subnets"] if call.parsed.on("egress-subnets") else info


def unit_get(call: Call) -> str:
    if call.argument(0) not in ("private-address", "public-address"):
        raise ToolError(f'ERROR unknown setting "{call.argument(0)}"', 2)
    return host_address(call.context)


def host_address(context: Context) -> str:
    host = context.unit.machine.host
    assert host is not None
    return host.address


def _port(text: str) -> str:
    number, _, protocol = text.partition("/")
    if number == "icmp":
        return "icmp"
    first, _, last = number.partition("-")
    if not first.isdigit() or (last and not last.isdigit()) or protocol not in ("", "tcp", "udp"):
        raise ToolError(f'ERROR invalid port "{text}"', 2)
    bounds = int(first), int(last or first)
    if not 0 < bounds[0] <= bounds[1] <= _LAST_PORT:
        wrong = f"{bounds[0]}-{bounds[1]}"
        raise ToolError(f"ERROR port range bounds must be between 1 and 65535, got {wrong}", 2)
    return f"{number}/{protocol or 'tcp'}"


def open_port(call: Call) -> None:
    call.context.write_port(_port(call.argument(0)), opened=True)


def close_port(call: Call) -> None:
    call.context.write_port(_port(call.argument(0)), opened=False)


def opened_ports(call: Call) -> list[str]:
    ports = sorted(call.context.ports(), key=names.natural)
    return [f"{port} (*)" for port in ports] if call.parsed.on("endpoints") else ports


SPECS: dict[str, Spec] = {
    "close-port": Spec(close_port, (Flag("endpoints"),)),
    "network-get": Spec(
        network_get, (RELATION, *(Flag(name, "bool") for name in _ADDRESSES)), output=True
    ),
    "open-port": Spec(open_port, (Flag("endpoints"),)),
    "opened-ports": Spec(opened_ports, (Flag("endpoints", "bool"),), output=True),
    "unit-get": Spec(unit_get, output=True),
}

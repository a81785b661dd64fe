"""The hook tools of configuration, leadership, addresses and the log."""

from __future__ import annotations

from typing import Any

from testbed.juju.errors import ToolError
from testbed.juju.flags import Flag
from testbed.juju.hooktools.call import FILE, Call, Spec
from testbed.juju.state.logbook import LEVELS


def config_get(call: Call) -> Any:
    settings = call.context.application.settings()
    key = call.argument(0)
    if not key:
        every = call.parsed.on("all")
        options = call.context.application.charm.options
        return {name: settings.get(name) for name in options} if every else settings
    return settings.get(key)


def is_leader(call: Call) -> bool:
    return call.context.leader


def leader_get(call: Call) -> Any:
    settings = call.context.leader_settings()
    key = call.argument(0)
    return settings.get(key) if key and key != "-" else settings


def leader_set(call: Call) -> None:
    if not call.context.leader:
        raise ToolError(
            "ERROR cannot write leadership settings: cannot write settings: not the leader"
        )
    call.context.write_leader_settings(call.pairs())


def juju_log(call: Call) -> None:
    level = call.parsed.text("log-level", "INFO").upper()
    if not call.args:
        raise ToolError("ERROR no message specified", 2)
    context, hook = call.context, call.context.hook
    where = f"{hook.endpoint}:{hook.relation_id}: " if hook and hook.relation_id >= 0 else ""
    known = level if level in LEVELS else "INFO"
    context.log(known, f"unit.{context.unit.name}.juju-log", where + " ".join(call.args))


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


SPECS: dict[str, Spec] = {
    "config-get": Spec(config_get, (Flag("all", "bool"),), output=True),
    "is-leader": Spec(is_leader, output=True),
    "juju-log": Spec(juju_log, (Flag("log-level", aliases=("l",)),)),
    "leader-get": Spec(leader_get, output=True),
    "leader-set": Spec(leader_set, (FILE,)),
    "network-get": Spec(network_get, output=True),
}

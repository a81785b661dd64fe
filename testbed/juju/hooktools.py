"""The hook tools: what each answers, on which terms. Called under the controller's lock."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from testbed.juju import names
from testbed.juju.context import Context
from testbed.juju.errors import ToolError, UsageError
from testbed.juju.flags import Flag, Parsed, parse
from testbed.juju.model import Relation, Status

FORMAT = Flag("format")
RELATION = Flag("relation", aliases=("r",))
APP = Flag("app", "bool")
FILE = Flag("file")
APPLICATION = Flag("application", "bool")
_LEVELS = ("TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_STATUSES = ("maintenance", "blocked", "waiting", "active")


@dataclass(frozen=True)
class Call:
    """One call of a hook tool: its context, its arguments, the files that they name."""

    context: Context
    parsed: Parsed
    files: Mapping[str, bytes]

    @property
    def args(self) -> list[str]:
        return self.parsed.args

    def argument(self, number: int, default: str = "") -> str:
        return self.args[number] if len(self.args) > number else default

    def relation(self) -> Relation:
        return self.context.relation(self.parsed.text("relation"))

    def pairs(self) -> dict[str, str]:
        """`key=value` arguments laid over the document that `--file` names."""
        pairs: dict[str, str] = {}
        if path := self.parsed.text("file"):
            document = yaml.safe_load(self.files[path].decode()) or {}
            if not isinstance(document, dict):
                raise ToolError("ERROR expected a map of strings in the file")
            pairs.update({str(key): _text(value) for key, value in document.items()})
        for word in self.args:
            key, assigned, value = word.partition("=")
            if not assigned or not key:
                raise ToolError(f'ERROR expected "key=value", got "{word}"', 2)
            pairs[key] = value
        return pairs


Tool = Callable[[Call], Any]


@dataclass(frozen=True)
class Spec:
    """A tool: its flags, and what it does. What it returns is printed; None prints nothing."""

    run: Tool
    flags: tuple[Flag, ...] = ()
    output: bool = False
    action_only: bool = False


def invoke(spec: Spec, context: Context, args: list[str], files: Mapping[str, bytes]) -> str:
    """Run a tool and return what it prints. Raises ToolError."""
    flags = (*spec.flags, FORMAT) if spec.output else spec.flags
    try:
        parsed = parse(flags, args)
    except UsageError as error:
        raise ToolError(f"ERROR {error}", 2) from error
    if spec.action_only and context.action is None:
        raise ToolError("ERROR not running an action")
    value = spec.run(Call(context, parsed, files))
    return formatted(value, parsed.text("format", "smart")) if spec.output else ""


def formatted(value: Any, style: str) -> str:
    """A value as Juju's tools print it: `smart`, `yaml` or `json`."""
    if style == "json":
        return json.dumps(value) + "\n"
    if style == "smart" and value is None:
        return ""
    if style == "smart" and isinstance(value, str):
        return value + "\n" if value else ""
    if style in ("yaml", "smart"):
        if isinstance(value, bool):
            return f"{value}\n"
        return yaml.safe_dump(value, sort_keys=True, default_flow_style=False)
    raise ToolError(f'ERROR invalid value "{style}" for option --format: unknown format', 2)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def relation_ids(call: Call) -> list[str]:
    context = call.context
    endpoint = call.argument(0)
    if not endpoint and context.hook:
        endpoint = context.hook.endpoint
    if not endpoint:
        raise ToolError("ERROR no endpoint name specified", 2)
    return [
        f"{endpoint}:{relation.id}"
        for relation in context.relations()
        if context.endpoint(relation) == endpoint
    ]


def relation_list(call: Call) -> Any:
    relation = call.relation()
    if call.parsed.on("app"):
        return relation.other_side(call.context.application.name).application
    return call.context.members(relation)


def relation_get(call: Call) -> Any:
    relation = call.relation()
    name, application = _whose(call)
    data = _read(call.context, relation, name, application=application)
    key = call.argument(0)
    return data.get(key) if key and key != "-" else data


def _whose(call: Call) -> tuple[str, bool]:
    """The unit or application that relation-get is about, and whether it is an application."""
    application = call.parsed.on("app")
    hook = call.context.hook
    name = call.argument(1)
    if name and application:
        return names.application_of(name), True
    if name:
        if names.is_application(name):
            raise ToolError(f'ERROR expected unit name, got application name "{name}"', 2)
        if not names.is_unit(name):
            raise ToolError(f'ERROR invalid unit name "{name}"', 2)
        return name, False
    if hook and hook.remote_unit and not application:
        return hook.remote_unit, False
    if hook and hook.remote_application:
        return hook.remote_application, True
    raise ToolError("ERROR no unit or application specified", 2)


def _read(context: Context, relation: Relation, name: str, *, application: bool) -> dict[str, str]:
    own = name == (context.application.name if application else context.unit.name)
    if own and application and not context.leader and not relation.peer:
        raise ToolError("ERROR permission denied")
    if own and (context.leader or not application):
        return context.own_data(relation, application=application)
    if application:
        if relation.side_of(name) is None:
            raise ToolError("ERROR permission denied")
        return dict(relation.application_bag(name).values)
    remote = context.model.find_unit(name)
    hidden = remote is not None and relation.scope == "container" and not _same(context, remote)
    if name not in relation.units or hidden:
        raise ToolError(
            f'ERROR cannot read settings for unit "{name}" in relation {relation.id}: '
            "settings not found"
        )
    return dict(relation.units[name].values)


def _same(context: Context, remote: Any) -> bool:
    unit = context.unit
    return (remote.principal or remote.name) == (unit.principal or unit.name)


def relation_set(call: Call) -> None:
    relation = call.relation()
    application = call.parsed.on("app")
    if application and not call.context.leader:
        raise ToolError("ERROR cannot write relation settings")
    call.context.write_data(relation, call.pairs(), application=application)


def relation_model_get(call: Call) -> dict[str, str]:
    call.relation()
    return {"uuid": call.context.model.uuid}


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


def state_get(call: Call) -> Any:
    state = call.context.state()
    key = call.argument(0)
    if not key or key == "-":
        return state
    if key not in state and call.parsed.on("strict"):
        raise ToolError(f'ERROR "{key}" not found')
    return state.get(key)


def state_set(call: Call) -> None:
    call.context.write_state(call.pairs())


def state_delete(call: Call) -> None:
    call.context.write_state({call.argument(0): ""})


def juju_log(call: Call) -> None:
    level = call.parsed.text("log-level", "DEBUG" if call.parsed.on("debug") else "INFO").upper()
    if level == "WARN":
        level = "WARNING"
    if not call.args:
        raise ToolError("ERROR no message specified", 2)
    context, hook = call.context, call.context.hook
    where = f"{hook.endpoint}:{hook.relation_id}: " if hook and hook.relation_id >= 0 else ""
    known = level if level in _LEVELS else "INFO"
    context.log(known, f"unit.{context.unit.name}.juju-log", where + " ".join(call.args))


def status_set(call: Call) -> None:
    current = call.argument(0)
    if current not in _STATUSES:
        raise ToolError(
            f'ERROR invalid status "{current}", expected one of [{" ".join(_STATUSES)}]', 2
        )
    status = Status(current, " ".join(call.args[1:]))
    context = call.context
    if call.parsed.on("application"):
        context.require_leader()
        if context.application.status is None or not context.application.status.same(status):
            context.application.status = status
        return
    context.status_set = True
    if not context.unit.workload.same(status):
        context.unit.workload = status


def status_get(call: Call) -> Any:
    context = call.context
    if call.parsed.on("application"):
        context.require_leader()
        units = {u.name: _status(u.workload) for u in context.application.units.values()}
        status = context.application.status or Status("unknown")
        return {"application-status": {**_status(status), "units": units}}
    if not call.parsed.on("include-data"):
        return context.unit.workload.current
    return _status(context.unit.workload)


def _status(status: Status) -> dict[str, Any]:
    return {"status": status.current, "message": status.message, "status-data": {}}


def application_version_set(call: Call) -> None:
    call.context.application.workload_version = call.argument(0)


def network_get(call: Call) -> Any:
    context = call.context
    if relation := call.parsed.text("relation"):
        context.relation(relation)
    binding = call.argument(0)
    if binding not in context.application.charm.all_endpoints():
        raise ToolError(f'ERROR no network config found for binding "{binding}"')
    address = host_address(context)
    subnet = address.rpartition(".")[0] + ".0/24"
    entry = {"hostname": "", "address": address, "value": address, "cidr": subnet}
    info = {
        "bind-addresses": [
            {"mac-address": "", "interface-name": "eth0", "addresses": [entry]},
        ],
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


def goal_state(call: Call) -> dict[str, Any]:
    context = call.context
    relations: dict[str, dict[str, Any]] = {}
    for relation in context.model.relations_of(context.application.name):
        if relation.peer:
            continue
        other = relation.other_side(context.application.name).application
        goals = relations.setdefault(context.endpoint(relation), {})
        goals[other] = {"status": "joined", "since": _moment(relation.since)}
        for unit in context.model.applications[other].units.values():
            goals[unit.name] = _goal(unit)
    units = {unit.name: _goal(unit) for unit in context.application.units.values()}
    return {"units": units, "relations": relations}


def _goal(unit: Any) -> dict[str, str]:
    status = "dying" if unit.life != "alive" else unit.workload.current
    return {"status": status, "since": _moment(unit.workload.since)}


def _moment(moment: Any) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _port(text: str) -> str:
    number, _, protocol = text.partition("/")
    if number == "icmp":
        return "icmp"
    first, _, last = number.partition("-")
    if not first.isdigit() or (last and not last.isdigit()) or protocol not in ("", "tcp", "udp"):
        raise ToolError(f'ERROR invalid port "{text}"', 2)
    return f"{number}/{protocol or 'tcp'}"


def open_port(call: Call) -> None:
    call.context.write_port(_port(call.argument(0)), opened=True)


def close_port(call: Call) -> None:
    call.context.write_port(_port(call.argument(0)), opened=False)


def opened_ports(call: Call) -> list[str]:
    ports = sorted(call.context.ports(), key=names.natural)
    return [f"{port} (*)" for port in ports] if call.parsed.on("endpoints") else ports


def storage_list(call: Call) -> list[str]:
    return []


def refuse(message: str) -> Tool:
    """A tool that Juju has, and that cannot work here."""

    def tool(call: Call) -> None:
        raise ToolError(f"ERROR {message}")

    return tool


SPECS: dict[str, Spec] = {
    "application-version-set": Spec(application_version_set),
    "close-port": Spec(close_port, (Flag("endpoints"),)),
    "config-get": Spec(config_get, (Flag("all", "bool", ("a",)),), output=True),
    "credential-get": Spec(refuse("cannot access cloud credentials"), (), output=True),
    "goal-state": Spec(goal_state, (), output=True),
    "is-leader": Spec(is_leader, (), output=True),
    "juju-log": Spec(juju_log, (Flag("log-level", aliases=("l",)), Flag("debug", "bool"))),
    "juju-reboot": Spec(refuse("machines of this testbed do not reboot"), (Flag("now", "bool"),)),
    "leader-get": Spec(leader_get, (), output=True),
    "leader-set": Spec(leader_set, (FILE,)),
    "network-get": Spec(
        network_get,
        (
            RELATION,
            *(
                Flag(name, "bool")
                for name in (
                    "bind-address",
                    "ingress-address",
                    "egress-subnets",
                    "primary-address",
                )
            ),
        ),
        output=True,
    ),
    "open-port": Spec(open_port, (Flag("endpoints"),)),
    "opened-ports": Spec(opened_ports, (Flag("endpoints", "bool"),), output=True),
    "relation-get": Spec(relation_get, (RELATION, APP), output=True),
    "relation-ids": Spec(relation_ids, (), output=True),
    "relation-list": Spec(relation_list, (RELATION, APP), output=True),
    "relation-model-get": Spec(relation_model_get, (RELATION,), output=True),
    "relation-set": Spec(relation_set, (RELATION, APP, FILE)),
    "resource-get": Spec(refuse("this testbed has no resources"), ()),
    "state-delete": Spec(state_delete),
    "state-get": Spec(state_get, (Flag("strict", "bool"),), output=True),
    "state-set": Spec(state_set, (FILE,)),
    "status-get": Spec(status_get, (APPLICATION, Flag("include-data", "bool")), output=True),
    "status-set": Spec(status_set, (APPLICATION,)),
    "storage-get": Spec(refuse("this testbed has no storage"), (Flag("s"),), output=True),
    "storage-list": Spec(storage_list, (), output=True),
    "unit-get": Spec(unit_get, (), output=True),
}

"""The tables of `juju status`, with Juju's columns. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from testbed.juju.state import names

_VERSION_WIDTH = 15
_RIGHT_ALIGNED = ("Scale", "Rev")


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows in columns, two spaces apart. The first row is the header."""
    header = rows[0]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = [
        "  ".join(
            cell.rjust(width) if title in _RIGHT_ALIGNED else cell.ljust(width)
            for cell, width, title in zip(row, widths, header, strict=True)
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def status_tables(document: dict[str, Any], relations: list[list[str]] | None) -> str:
    """Return the tables of `juju status`, and with `relations` the one of `--relations`."""
    sections = [_model(document)]
    if document["applications"]:
        sections.append(_applications(document["applications"]))
        units = _units(document["applications"])
        if len(units) > 1:
            sections.append(table(units))
    if document["machines"]:
        sections.append(_machines(document["machines"]))
    if relations:
        header = ["Integration provider", "Requirer", "Interface", "Type", "Message"]
        sections.append(table([header, *relations]))
    return "\n\n".join(sections)


def _model(document: dict[str, Any]) -> str:
    model = document["model"]
    header = ["Model", "Controller", "Cloud/Region", "Version", "SLA", "Timestamp"]
    cloud = f"{model['cloud']}/{model['region']}"
    timestamp = document["controller"]["timestamp"]
    row = [model["name"], model["controller"], cloud, model["version"], model["sla"], timestamp]
    return table([header, row])


def _applications(applications: dict[str, Any]) -> str:
    rows = [
        ["App", "Version", "Status", "Scale", "Charm", "Channel", "Rev", "Exposed", "Message"],
    ]
    for name, application in applications.items():
        status = application["application-status"]
        version = application.get("version", "").partition("\n")[0]
        if len(version) > _VERSION_WIDTH:
            version = version[: _VERSION_WIDTH - 3] + "..."
        rows.append(
            [
                name,
                version,
                status["current"],
                _scale(applications, name),
                application["charm-name"],
                application.get("charm-channel", ""),
                str(application["charm-rev"]),
                "no",
                status.get("message", ""),
            ]
        )
    return table(rows)


def _scale(applications: dict[str, Any], name: str) -> str:
    """Return the number of units. The document has those of a subordinate under its principals."""
    application = applications[name]
    principals = application.get("subordinate-to")
    if principals is None:
        return str(len(application.get("units", {})))
    count = sum(
        names.application_of(subordinate) == name
        for principal in principals
        for unit in applications.get(principal, {}).get("units", {}).values()
        for subordinate in unit.get("subordinates", {})
    )
    return str(count)


def _units(applications: dict[str, Any]) -> list[list[str]]:
    rows = [["Unit", "Workload", "Agent", "Machine", "Public address", "Ports", "Message"]]
    for application in applications.values():
        for name, unit in application.get("units", {}).items():
            rows.append(_unit_row(name, unit, ""))
            rows += [_unit_row(n, u, "  ") for n, u in unit.get("subordinates", {}).items()]
    return rows


def _unit_row(name: str, unit: dict[str, Any], indent: str) -> list[str]:
    workload, agent = unit["workload-status"], unit["juju-status"]
    message = workload.get("message", "")
    doing = re.match(r"running (?:action )?(.*?)(?: hook)?$", agent.get("message", ""))
    if agent["current"] == "executing" and doing:
        message = f"({doing[1]}) {message}"
    return [
        indent + name + ("*" if unit.get("leader") else ""),
        workload["current"],
        agent["current"],
        unit.get("machine", ""),
        unit.get("public-address", ""),
        "",
        message,
    ]


def _machines(machines: dict[str, Any]) -> str:
    rows = [["Machine", "State", "Address", "Inst id", "Base", "AZ", "Message"]]
    for number, machine in machines.items():
        base = machine["base"]
        rows.append(
            [
                number,
                machine["juju-status"]["current"],
                machine.get("dns-name", ""),
                machine["instance-id"],
                f"{base['name']}@{base['channel']}",
                "",
                machine["machine-status"].get("message", ""),
            ]
        )
    return table(rows)

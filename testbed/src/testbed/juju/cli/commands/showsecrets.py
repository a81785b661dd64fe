"""juju secrets and show-secret: what the model's secrets are, and what an operator's hold."""

from __future__ import annotations

from typing import Any

from testbed.juju.cli.commands.configure import dump
from testbed.juju.cli.commands.usersecrets import find
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.cli.tabular import table
from testbed.juju.errors import UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.state.model import Model
from testbed.juju.state.secrets import MODEL, Secret

_FORMAT = Flag("format")


def listing(invocation: Invocation, parsed: Parsed) -> None:
    with invocation.controller.lock:
        model = invocation.model
        found = sorted(model.secrets.values(), key=lambda secret: secret.id)
        report = {secret.id: _describe(model, secret) for secret in found}
    style = parsed.text("format", "tabular")
    if style != "tabular":
        invocation.print(dump(report, style))
        return
    header = ["ID", "Name", "Owner", "Rotation", "Revision", "Last updated"]
    rows = [
        [key, one.get("name", "-"), one["owner"], "never", str(one["revision"]), one["updated"]]
        for key, one in report.items()
    ]
    invocation.print(table([header, *rows]))


def show(invocation: Invocation, parsed: Parsed) -> None:
    if len(parsed.args) != 1:
        raise UsageError("missing secret URI or label")
    style = parsed.text("format", "yaml")
    with invocation.controller.lock:
        model = invocation.model
        secret = find(model, parsed.args[0])
        report = _describe(model, secret)
        if parsed.on("reveal"):
            content = dict(secret.revisions[secret.latest].content)
            report["content"] = {"Data": content} if style == "json" else content
    invocation.print(dump({secret.id: report}, style))


def _describe(model: Model, secret: Secret) -> dict[str, Any]:
    report: dict[str, Any] = {"revision": secret.latest}
    report["owner"] = "<model>" if secret.owner == MODEL else secret.owner
    if secret.label:
        report["name" if secret.owner == MODEL else "label"] = secret.label
    if secret.description:
        report["description"] = secret.description
    report["created"] = secret.created.isoformat().replace("+00:00", "Z")
    report["updated"] = secret.updated.isoformat().replace("+00:00", "Z")
    if secret.grants:
        report["access"] = [_access(model, name) for name in sorted(secret.grants)]
    return report


def _access(model: Model, application: str) -> dict[str, str]:
    scope = f"model-{model.uuid}"
    return {"target": f"application-{application}", "scope": scope, "role": "view"}


COMMANDS = (
    Command("secrets", listing, "Lists the model's secrets.", (_FORMAT,)),
    Command(
        "show-secret", show, "Shows a secret, and with --reveal its content.",
        (_FORMAT, Flag("reveal", "bool")),
    ),
)  # fmt: skip

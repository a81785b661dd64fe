"""What the hook tools answer to `--help` and `-h`, where charms look for options. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.juju.flags import Flag
from testbed.juju.hooktools.call import FORMAT, Spec

_ARGUMENTS_AND_SUMMARIES = {
    "action-fail": ('["<failure message>"]', "Fail the action."),
    "action-get": ("[<key>[.<key>.<key>...]]", "Get the action's parameters."),
    "action-log": ("<message>", "Log a progress message of the action."),
    "action-set": ("<key>=<value> [<key>=<value> ...]", "Set the action's results."),
    "application-version-set": ("<new-version>", "Set the version of the workload."),
    "close-port": (
        "<port>[/<protocol>] or <from>-<to>[/<protocol>] or icmp",
        "Close a port or a range of ports.",
    ),
    "config-get": ("[<key>]", "Print the application's configuration."),
    "credential-get": ("", "Get the credentials of the cloud."),
    "goal-state": ("", "Print the units and relations that the model is to have."),
    "is-leader": ("", "Print whether this unit is the leader."),
    "juju-log": ("<message>", "Write a message to Juju's log."),
    "juju-reboot": ("", "Reboot the machine."),
    "leader-get": ("[<key>]", "Print the application's leader settings."),
    "leader-set": (
        "<key>=<value> [<key>=<value> ...]",
        "Write the application's leader settings.",
    ),
    "network-get": ("<binding-name> [<option>]", "Get the network addresses of a binding."),
    "open-port": (
        "<port>[/<protocol>] or <from>-<to>[/<protocol>] or icmp",
        "Open a port or a range of ports.",
    ),
    "opened-ports": ("", "List the ports that this unit has opened."),
    "relation-get": ("<key> <unit id>", "Get relation data."),
    "relation-ids": ("<name>", "List the relations of an endpoint."),
    "relation-list": ("", "List the units of a relation."),
    "relation-model-get": ("", "Get the model of a relation's other side."),
    "relation-set": ("key=value [key=value ...]", "Set relation data."),
    "resource-get": ("<resource name>", "Get the path of a resource's local copy."),
    "secret-add": ("[key[#base64|#file]=value...]", "Add a new secret."),
    "secret-get": ("<ID> [key[#base64]]", "Get the content of a secret."),
    "secret-grant": ("<ID>", "Grant access to a secret."),
    "secret-ids": ("", "List the secrets that this unit or its application owns."),
    "secret-info-get": ("<ID>", "Get the metadata of a secret."),
    "secret-remove": ("<ID>", "Remove a secret."),
    "secret-revoke": ("<ID>", "Revoke access to a secret."),
    "secret-set": ("<ID> [key[#base64]=value...]", "Update a secret."),
    "state-delete": ("<key>", "Delete a key of this unit's state on the controller."),
    "state-get": ("[<key>]", "Print this unit's state on the controller."),
    "state-set": ("key=value [key=value ...]", "Set this unit's state on the controller."),
    "status-get": ("", "Print the status of this unit or of the application."),
    "status-set": (
        "<maintenance | blocked | waiting | active> [message]",
        "Set the status of this unit or of the application.",
    ),
    "storage-get": ("[<key>]", "Print the details of a storage instance."),
    "storage-list": ("[<storage-name>]", "List this unit's storage."),
    "unit-get": ("<setting>", "Print this unit's public or private address."),
}


def usage(tool: str, spec: Spec) -> str:
    """Return a tool's usage text in the form that Juju's package `cmd` gives it."""
    arguments, summary = _ARGUMENTS_AND_SUMMARIES[tool]
    flags = sorted(spec.all_flags(), key=lambda flag: flag.name)
    first = " ".join(filter(None, [f"Usage: {tool}", "[options]" if flags else "", arguments]))
    options = "".join(f"\n{line}" for flag in flags for line in _option(flag))
    return f"{first}\n\nSummary:\n{summary}\n" + (f"\nOptions:{options}\n" if options else "")


def _option(flag: Flag) -> Iterator[str]:
    names = sorted((flag.name, *flag.aliases), key=len)
    dashed = ", ".join(f"{'-' if len(name) == 1 else '--'}{name}" for name in names)
    if flag == FORMAT:
        yield f"{dashed}  (= smart)"
        yield "    Specify output format (json|smart|yaml)"
        return
    yield f"{dashed}  (= {'false' if flag.kind == 'bool' else ''})"

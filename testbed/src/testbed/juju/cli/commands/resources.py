"""juju attach-resource, and the resources of other commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.controller import resources
from testbed.juju.errors import JujuError, UnsupportedError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.state.charm import Charm
from testbed.juju.state.resources import Resource, ResourceMeta, check_extension

RESOURCE = Flag("resource", "list")


def given_resources(
    invocation: Invocation, words: Sequence[str], charm: Charm
) -> dict[str, Resource]:
    """Return the resources that `--resource NAME=FILE` gives a charm. Raise JujuError."""
    given = dict(_parse(word) for word in words)
    unknown = sorted(given.keys() - charm.resources.keys())
    if len(unknown) == 1:
        raise JujuError(f'unrecognized resource "{unknown[0]}"')
    if unknown:
        raise JujuError(f"unrecognized resources: {', '.join(unknown)}")
    _check_files(invocation, given)
    return {name: _upload(invocation, charm.resources[name], file) for name, file in given.items()}


def _parse(word: str) -> tuple[str, str]:
    name, assigned, value = word.partition("=")
    if not assigned or not name or not value:
        raise UsageError(
            f'invalid value "{word}" for option --resource: expected key=value format'
        )
    return name, value


def _check_files(invocation: Invocation, given: Mapping[str, str]) -> None:
    for name, file in given.items():
        if file.isdigit():
            raise UnsupportedError(f'a revision of a resource ("{name}={file}")')
        if not invocation.path(file).exists():
            raise JujuError(f'file for resource "{name}": stat {file}: no such file or directory')


def _upload(invocation: Invocation, meta: ResourceMeta, file: str) -> Resource:
    try:
        check_extension(meta, file)
        return resources.keep(invocation.controller, meta, invocation.path(file))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise JujuError(f'resource "{meta.name}": open {file}: {reason}') from error
    except JujuError as error:
        raise JujuError(f'resource "{meta.name}": {error}') from error


def attach_resource(invocation: Invocation, parsed: Parsed) -> None:
    if len(parsed.args) < 2:
        raise UsageError("no resource specified" if parsed.args else "missing application name")
    if len(parsed.args) > 2:
        raise UsageError(f'unrecognized args: ["{parsed.args[2]}"]')
    name, _, file = parsed.args[1].partition("=")
    if not name or not file:
        raise UsageError(f'bad resource arg "{parsed.args[1]}": expected name=path format')
    with invocation.controller.lock:
        model = invocation.model
        application = model.application(parsed.args[0])
        meta = application.charm.resources.get(name)
        if meta is None:
            raise JujuError(f'failed to upload resource "{name}": resource "{name}" not found')
        try:
            resource = _upload(invocation, meta, file)
        except JujuError as error:
            raise JujuError(f"failed to upload {error}") from error
        resources.attach(invocation.controller, model, application, resource)


COMMANDS = (
    Command(
        "attach-resource", attach_resource, "Gives an application another file of a resource."
    ),
)

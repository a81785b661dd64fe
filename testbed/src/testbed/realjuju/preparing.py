"""Prepares a command of `juju` for a controller without cloud and Charmhub.

Machines are added before units need them, and charms of the store become files. What Juju does
then is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from testbed.realjuju import commandline, store
from testbed.realjuju.commandline import CommandLine


@dataclass(frozen=True)
class Preparation:
    """What a lab offers: its store, a folder for bundles, machines, and the charm of an app."""

    store: Path
    scratch: Path
    add_machines: Callable[[int, str], list[str]]
    """Adds so many machines of a base, and returns their numbers."""
    charm_of: Callable[[str], str]
    """Returns the name of the charm of an application."""


def prepared(argv: Sequence[str], folder: Path, by: Preparation) -> list[str]:
    """Return the command line to run in `folder` instead.

    Raises:
        NotInStore: the command names a charm that the testbed does not have.
    """
    line = commandline.parse(argv)
    change = {"deploy": _deploy, "add-unit": _add_unit, "refresh": _refresh}.get(line.command)
    if change is None or len(line.words) < 2:
        return list(argv)
    return change(line, folder, by).argv()


def _deploy(line: CommandLine, folder: Path, by: Preparation) -> CommandLine:
    name = line.words[1]
    channel = line.value("--channel")
    bundle = _bundle(name, folder, by.store)
    if bundle is not None:
        return _deploy_bundle(line, bundle, folder, by)
    if "/" not in name and not name.endswith(".charm"):
        charm = store.charm_file(by.store, name, channel)
        words = (line.words[0], str(charm), *(line.words[2:] or (name,)))
        line = replace(line, words=words).without("--channel", "--revision")
    charm = folder / line.words[1]
    if not charm.exists() or store.is_subordinate(charm) or line.value("--to"):
        return line
    return _placed(line, by)


def _bundle(name: str, folder: Path, charms: Path) -> Path | None:
    if name.endswith((".yaml", ".yml")):
        return folder / name
    return None if "/" in name else store.bundle_file(name, charms)


def _deploy_bundle(line: CommandLine, bundle: Path, folder: Path, by: Preparation) -> CommandLine:
    """Write bundle and overlays as one file, as Juju takes no charm files beside overlays."""
    overlays = [folder / str(value) for name, value in line.flags if name == "--overlay"]
    contents = [yaml.safe_load(file.read_text()) for file in (bundle, *overlays)]
    merged = store.merged(contents)
    channel = line.value("--channel")
    resolved = store.resolved_bundle(
        merged, by.store, channel, lambda base: by.add_machines(1, base)[0]
    )
    by.scratch.mkdir(parents=True, exist_ok=True)
    target = by.scratch / f"{len(list(by.scratch.iterdir()))}-{bundle.name}"
    target.write_text(yaml.safe_dump(resolved, sort_keys=False))
    line = replace(line, words=(line.words[0], str(target), *line.words[2:]))
    return line.without("--overlay", "--channel", "--revision").adding(
        "--map-machines", "existing"
    )


def _add_unit(line: CommandLine, folder: Path, by: Preparation) -> CommandLine:
    return line if line.value("--to") else _placed(line, by)


def _placed(line: CommandLine, by: Preparation) -> CommandLine:
    units = int(line.value("-n", "--num-units") or 1)
    numbers = by.add_machines(units, line.value("--base") or store.DEFAULT_BASE)
    return line.adding("--to", ",".join(numbers)) if numbers else line


def _refresh(line: CommandLine, folder: Path, by: Preparation) -> CommandLine:
    if line.value("--path", "--switch"):
        return line
    charm = by.charm_of(line.words[1])
    file = store.charm_file(by.store, charm, line.value("--channel"))
    return line.without("--channel", "--revision").adding("--path", str(file))

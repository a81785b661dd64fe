"""The store of the testbed, for a real controller that reaches no Charmhub: names become files."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

NewMachine = Callable[[str], str]
"""Adds a machine of a base, and returns its number."""

DEFAULT_BASE = "ubuntu@22.04"
"""The base that all charms of the store support."""

_BUNDLES = Path(__file__).resolve().parents[3] / "bundles"


class NotInStore(Exception):
    """The store has no such charm; the message names it."""


def charm_file(store: Path, name: str, channel: str | None) -> Path:
    """Return the file of a charm: the track's own, or the one for all tracks.

    Raises:
        NotInStore: there is neither.
    """
    track = (channel or "").partition("/")[0]
    for file in (store / f"{name}_{track}.charm", store / f"{name}.charm"):
        if file.exists():
            return file
    default = sorted(store.glob(f"{name}_*.charm"))
    if not default or track:
        raise NotInStore(f"the testbed has no charm {name} of channel {channel or 'stable'}")
    return default[0]


def is_subordinate(charm: Path) -> bool:
    """Return whether a packed charm is subordinate."""
    with zipfile.ZipFile(charm) as archive:
        return bool(yaml.safe_load(archive.read("metadata.yaml")).get("subordinate"))


def bundle_file(name: str, store: Path, bundles: Path = _BUNDLES) -> Path | None:
    """Return the file of a bundle of the store, None if a charm or nothing has that name."""
    file = bundles / f"{name}.yaml"
    is_charm = any(store.glob(f"{name}.charm")) or any(store.glob(f"{name}_*.charm"))
    return file if file.exists() and not is_charm else None


def merged(contents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a bundle with its overlays: applications are joined, relations are added."""
    bundle, *overlays = contents
    applications: dict[str, Any] = dict(bundle.get("applications") or {})
    relations = list(bundle.get("relations") or ())
    for overlay in overlays:
        for name, given in (overlay.get("applications") or {}).items():
            known = applications.get(name, {})
            options = {**known.get("options", {}), **given.get("options", {})}
            applications[name] = {**known, **given, **({"options": options} if options else {})}
        relations += overlay.get("relations") or ()
    return {**bundle, "applications": applications, "relations": relations}


def resolved_bundle(
    content: Mapping[str, Any], store: Path, channel: str | None, new_machine: NewMachine
) -> dict[str, Any]:
    """Return a bundle or overlay whose charms are files and whose machines exist.

    Raises:
        NotInStore: the store lacks one of the charms.
    """
    base = content.get("default-base", DEFAULT_BASE)
    numbers = {
        key: new_machine((given or {}).get("base", base))
        for key, given in (content.get("machines") or {}).items()
    }
    applications = {
        name: _resolved(application, store, channel, numbers, lambda: new_machine(base))
        for name, application in (content.get("applications") or {}).items()
    }
    used = {place for application in applications.values() for place in application.get("to", ())}
    machines = {number: {} for number in {*numbers.values(), *used} if number.isdigit()}
    return {
        **content,
        "applications": applications,
        **({"machines": machines} if machines else {}),
    }


def _resolved(
    application: Mapping[str, Any],
    store: Path,
    channel: str | None,
    numbers: Mapping[str, str],
    new_machine: Callable[[], str],
) -> dict[str, Any]:
    changed = dict(application)
    name = str(application.get("charm", ""))
    if name and "/" not in name:
        file = charm_file(store, name, application.get("channel") or channel)
        changed["charm"] = str(file)
        changed.pop("channel", None)
    if "to" in application:
        changed["to"] = [numbers.get(str(place), str(place)) for place in application["to"]]
    elif units := int(application.get("num_units", 0)):
        changed["to"] = [new_machine() for _ in range(units)]
    return changed

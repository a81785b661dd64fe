"""Bundles and their overlays. Pure.

Overlays are merged as in Juju. Applications are merged field by field. An application that an
overlay sets to nothing is removed with its relations. Relations of the overlay are added.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from testbed.juju.errors import JujuError, UnsupportedError
from testbed.juju.state import names

_BUNDLE_KEYS = {
    "applications", "relations", "machines", "default-base", "description", "name",
}  # fmt: skip
_APPLICATION_KEYS = {"charm", "channel", "base", "num_units", "to", "options"}
# How an option's value names a file that holds it. Juju also has include-base64://.
_INCLUDE = "include-file://"


@dataclass(frozen=True)
class BundleApplication:
    """One application of a bundle."""

    name: str
    charm: str
    channel: str
    base: str
    num_units: int | None
    to: tuple[str, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Bundle:
    """A bundle with its overlays merged in."""

    applications: tuple[BundleApplication, ...]
    relations: tuple[tuple[str, str], ...]
    machines: tuple[str, ...]


def load(texts: Iterable[tuple[str, str]]) -> Bundle:
    """Return the bundle of `(file name, text)` pairs: the bundle itself, then its overlays.

    The YAML documents of a file after its first are overlays too. Raise JujuError for a text that
    is not a bundle, and UnsupportedError for a bundle that this testbed cannot deploy.
    """
    merged: dict[str, Any] = {}
    for name, text in texts:
        for document in _documents(name, text):
            merged = merge(merged, document)
    return _bundle(merged)


def _documents(name: str, text: str) -> list[dict[str, Any]]:
    try:
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.YAMLError as error:
        raise JujuError(f'cannot unmarshal bundle contents of "{name}": {error}') from error
    if not documents or not all(isinstance(document, dict) for document in documents):
        raise JujuError(f'"{name}" is not a valid bundle: expected a map of applications')
    for document in documents:
        _refuse_unknown(name, "bundle", document, _BUNDLE_KEYS)
    return [_anchored(document, os.path.dirname(name)) for document in documents]


def _anchored(document: dict[str, Any], folder: str) -> dict[str, Any]:
    """Return the document with the paths in it resolved relative to its own folder: those of local
    charms, and those of files that are an option's value."""
    applications = {
        name: _anchored_application(spec, folder) if spec else spec
        for name, spec in (document.get("applications") or {}).items()
    }
    return {**document, "applications": applications}


def _anchored_application(spec: Mapping[str, Any], folder: str) -> dict[str, Any]:
    anchored = dict(spec)
    if str(spec.get("charm", "")).startswith("."):
        anchored["charm"] = os.path.normpath(os.path.join(folder, spec["charm"]))
    if spec.get("options"):
        options: Mapping[str, Any] = spec["options"]
        anchored["options"] = {name: _included(value, folder) for name, value in options.items()}
    return anchored


def _included(value: Any, folder: str) -> Any:
    """Return the text of the file that an option's value includes, or else the value."""
    if not isinstance(value, str) or not value.startswith(_INCLUDE):
        return value
    path = os.path.join(folder, value.removeprefix(_INCLUDE))
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise JujuError(f'processing "{value}": {error}') from error


def _refuse_unknown(name: str, where: str, found: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(found) - known)
    if unknown:
        raise UnsupportedError(f'"{unknown[0]}" in the {where} of "{name}"')


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Return a bundle with one overlay merged in."""
    applications = dict(base.get("applications") or {})
    removed: set[str] = set()
    for name, spec in (overlay.get("applications") or {}).items():
        if spec is None and name in applications:
            del applications[name]
            removed.add(name)
        else:
            applications[name] = _merge_application(applications.get(name) or {}, spec or {})
    relations = [
        relation for relation in base.get("relations") or [] if not _mentions(relation, removed)
    ]
    return {
        **base,
        **{key: value for key, value in overlay.items() if key != "relations"},
        "applications": applications,
        "machines": {**(base.get("machines") or {}), **(overlay.get("machines") or {})},
        "relations": relations + list(overlay.get("relations") or []),
    }


def _merge_application(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    options = {**(base.get("options") or {}), **(overlay.get("options") or {})}
    return {**base, **overlay, **({"options": options} if options else {})}


def _mentions(relation: Any, removed: set[str]) -> bool:
    return any(str(end).partition(":")[0] in removed for end in relation)


def _bundle(document: Mapping[str, Any]) -> Bundle:
    base = str(document.get("default-base") or "")
    applications = tuple(
        _application(name, spec, base) for name, spec in document["applications"].items()
    )
    known = {application.name for application in applications}
    relations = tuple(_relation(ends, known) for ends in document.get("relations") or [])
    return Bundle(applications, relations, tuple(str(m) for m in document.get("machines") or {}))


def _application(name: str, spec: Mapping[str, Any], base: str) -> BundleApplication:
    if not names.is_application(name):
        raise JujuError(f'the provided bundle has errors: invalid application name "{name}"')
    _refuse_unknown("bundle", f'application "{name}"', spec, _APPLICATION_KEYS)
    if not spec.get("charm"):
        raise JujuError(f'the provided bundle has errors: empty charm path for "{name}"')
    units = spec.get("num_units")
    return BundleApplication(
        name=name,
        charm=str(spec["charm"]).removeprefix("ch:"),
        channel=str(spec.get("channel") or ""),
        base=str(spec.get("base") or base),
        num_units=None if units is None else int(units),
        to=tuple(str(target) for target in _listed(spec.get("to"))),
        options=dict(spec.get("options") or {}),
    )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _relation(ends: Any, known: set[str]) -> tuple[str, str]:
    if not isinstance(ends, list) or len(ends) != 2:
        raise JujuError(f"the provided bundle has errors: relation {ends!r} needs two endpoints")
    for end in ends:
        application = str(end).partition(":")[0]
        if application not in known:
            raise JujuError(
                f"the provided bundle has errors: relation {ends!r} refers to application "
                f'"{application}" not defined in this bundle'
            )
    return str(ends[0]), str(ends[1])

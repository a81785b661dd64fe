"""Bundles and their overlays. Pure.

Overlays are merged as in Juju. Applications are merged field by field. Relations of the overlay
are added.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from testbed.juju.errors import JujuError

# How an option's value names a file that holds it. Juju also has include-base64://.
_INCLUDE = "include-file://"


@dataclass(frozen=True)
class BundleApplication:
    """One application of a bundle."""

    name: str
    charm: str
    channel: str
    base: str
    num_units: int
    to: tuple[str, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Bundle:
    """A bundle with its overlays merged in."""

    applications: tuple[BundleApplication, ...]
    relations: tuple[tuple[str, str], ...]


def load(texts: Iterable[tuple[str, str]]) -> Bundle:
    """Return the bundle of `(file name, text)` pairs: the bundle itself, then its overlays."""
    merged: dict[str, Any] = {}
    for name, text in texts:
        merged = _merge(merged, _document(name, text))
    return _bundle(merged)


def _document(name: str, text: str) -> dict[str, Any]:
    document, folder = yaml.safe_load(text), os.path.dirname(name)
    applications = {
        name: _with_texts(spec or {}, folder)
        for name, spec in (document.get("applications") or {}).items()
    }
    return {**document, "applications": applications}


def _with_texts(spec: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """Return an application with the texts of the files that its options name."""
    options: Mapping[str, Any] = spec.get("options") or {}
    return {**spec, "options": {name: _included(value, folder) for name, value in options.items()}}


def _included(value: Any, folder: str) -> Any:
    """Return the text of the file that an option's value includes, or else the value."""
    if not isinstance(value, str) or not value.startswith(_INCLUDE):
        return value
    path = os.path.join(folder, value.removeprefix(_INCLUDE))
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise JujuError(f'processing "{value}": {error}') from error


def _merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Return a bundle with one overlay merged in."""
    applications = dict(base.get("applications") or {})
    for name, spec in overlay["applications"].items():
        former = applications.get(name) or {}
        options = {**former.get("options", {}), **spec["options"]}
        applications[name] = {**former, **spec, "options": options}
    relations = [*(base.get("relations") or []), *(overlay.get("relations") or [])]
    return {**base, **overlay, "applications": applications, "relations": relations}


def _bundle(document: Mapping[str, Any]) -> Bundle:
    base = str(document.get("default-base") or "")
    applications = tuple(
        _application(name, spec, base) for name, spec in document["applications"].items()
    )
    return Bundle(applications, tuple((first, second) for first, second in document["relations"]))


def _application(name: str, spec: Mapping[str, Any], base: str) -> BundleApplication:
    return BundleApplication(
        name=name,
        charm=str(spec["charm"]),
        channel=str(spec.get("channel") or ""),
        base=str(spec.get("base") or base),
        num_units=int(spec.get("num_units") or 0),
        to=tuple(str(target) for target in spec.get("to") or ()),
        options=spec["options"],
    )

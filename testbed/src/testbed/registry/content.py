"""What the registry serves: an image in the format of the OCI distribution specification."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from testbed.cluster import images
from testbed.cluster.images import Image

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_BLOB = "application/octet-stream"
_PATH = re.compile(r"/v2/(?P<name>[a-z0-9._/-]+)/(?P<kind>manifests|blobs)/(?P<which>[^/]+)")


@dataclass(frozen=True)
class Content:
    """What a path leads to."""

    media_type: str
    digest: str
    body: bytes


class Repository:
    """One image under its names, whatever the registry in them. Made when it is first asked for:
    most labs never do."""

    def __init__(self, references: Sequence[str], make: Callable[[], Image]) -> None:
        names = [reference.partition("/")[2].rpartition(":") for reference in references]
        self._tags = {(name, tag) for name, _, tag in names}
        self._names = {name for name, _, _ in names}
        self._make = make

    def find(self, path: str) -> Content | None:
        """Return what a path of the API leads to, None if that does not exist."""
        path = path.partition("?")[0]
        if (name := path.removeprefix("/v2/").removesuffix("/tags/list")) in self._names:
            return self._list(name)
        match = _PATH.fullmatch(path)
        if match is None or match["name"] not in self._names:
            return None
        blobs, manifest = self._image
        if match["kind"] == "blobs":
            return blobs.get(match["which"])
        known = (match["name"], match["which"]) in self._tags or match["which"] == manifest.digest
        return manifest if known else None

    def _list(self, name: str) -> Content:
        tags = sorted(tag for other, tag in self._tags if other == name)
        return _content("application/json", json.dumps({"name": name, "tags": tags}).encode())

    @cached_property
    def _image(self) -> tuple[dict[str, Content], Content]:
        config, layer = (_content(_BLOB, body) for body in images.config_and_layer(self._make()))
        body = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _described(_CONFIG, config),
            "layers": [_described(_LAYER, layer)],
        }
        manifest = _content(MANIFEST, json.dumps(body).encode())
        return {blob.digest: blob for blob in (config, layer)}, manifest


def _content(media_type: str, body: bytes) -> Content:
    return Content(media_type, f"sha256:{hashlib.sha256(body).hexdigest()}", body)


def _described(media_type: str, content: Content) -> dict[str, str | int]:
    return {"mediaType": media_type, "digest": content.digest, "size": len(content.body)}

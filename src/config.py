# SPDX-License-Identifier: Apache-2.0

"""The charm's options: each is read here, once a hook, and nowhere else."""

from __future__ import annotations

import dataclasses
import functools
import re
from typing import TYPE_CHECKING, Any

import times
from access import partitions
from errors import Blocked
from statuses import options
from text import is_ip

if TYPE_CHECKING:
    import ops

    from access.declaration.declared import Declared

MAX_REPLICAS = 10
MAPPING_POLICIES = ("enforce", "warn")

# An image reference by the OCI distribution specification: host and path, then a tag, a digest,
# or both. The charm asks for one of them, because ":latest" says nothing about what runs.
_IMAGE = re.compile(
    r"(?P<name>[a-z0-9]+([._-]+[a-z0-9]+)*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*)"
    r"(:(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?P<digest>@sha256:[a-f0-9]{64})?"
)
# A registry's host, with a path below it or without.
_REGISTRY = re.compile(r"[a-z0-9]+([.-]+[a-z0-9]+)*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")
_CLUSTER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
# An older authenticator lets a mapped person take another username (CVE-2022-2385).
_OLDEST = (0, 5, 9)


@dataclasses.dataclass(frozen=True)
class Config:
    """The options of config.yaml as the operator set them. `checked` says if they can work."""

    image: str
    cluster_id: str
    replicas: int
    partition: str = partitions.DEFAULT
    image_registry: str = ""
    web_proxy_enable: bool = False
    mappings: str = dataclasses.field(default="", repr=False)
    webhook_address: str = ""
    mapping_policy: str = MAPPING_POLICIES[0]

    def checked(self) -> Config:
        """Return this, if every option but `mappings` can work: that one stops nothing else.

        Raises:
            errors.Blocked: a value cannot work; the text names option, value and remedy.
        """
        try:
            self._check()
        except ValueError as error:
            raise Blocked(str(error), announced=True) from error
        return self

    def _check(self) -> None:
        match = _IMAGE.fullmatch(self.image)
        if not match or not (match["tag"] or match["digest"]):
            raise ValueError(options.IMAGE_INVALID(value=self.image))
        version = _VERSION.match(match["tag"] or "")
        if version and tuple(map(int, version.groups())) < _OLDEST:
            raise ValueError(options.IMAGE_TOO_OLD(version=f"v{version[0].lstrip('v')}"))
        if self.image_registry and not _REGISTRY.fullmatch(self.image_registry):
            raise ValueError(options.REGISTRY_INVALID(value=self.image_registry))
        if self.cluster_id and not _CLUSTER_ID.fullmatch(self.cluster_id):
            raise ValueError(options.CLUSTER_ID_INVALID(value=self.cluster_id))
        if not 1 <= self.replicas <= MAX_REPLICAS:
            raise ValueError(options.REPLICAS_OUT_OF_RANGE(number=self.replicas))
        if self.webhook_address and not is_ip(self.webhook_address):
            raise ValueError(options.ADDRESS_INVALID(value=self.webhook_address))
        if self.mapping_policy not in MAPPING_POLICIES:
            raise ValueError(options.POLICY_UNKNOWN(value=self.mapping_policy))
        partitions.check(self.partition)

    @functools.cached_property
    def declared(self) -> Declared:
        """Return what the option `mappings` declares now.

        It is parsed when it is needed first, because most hooks of most units never need it.
        """
        from access.declaration import declared

        if not self.mappings:
            return declared.Declared(partition=self.partition)
        return declared.parse(self.mappings, times.now(), self.partition)

    @property
    def deployed_image(self) -> str:
        """Return the image to deploy: option image, from option image-registry if that is set.

        As in the other charms of Charmed Kubernetes, the registry replaces the text up to the
        first slash. An image without a slash goes below the registry as it is.
        """
        if not self.image_registry:
            return self.image
        return f"{self.image_registry}/{self.image.partition('/')[2] or self.image}"

    @property
    def version(self) -> str:
        """Return the version of the authenticator, such as ``v0.7.18``, by the image's tag.

        A tag without a version is returned whole, and an image without a tag has the first 12
        digits of its digest.
        """
        match = _IMAGE.fullmatch(self.image)
        assert match is not None  # noqa: S101  (`checked` comes first)
        if not match["tag"]:
            return match["digest"][len("@sha256:") :][:12]
        version = _VERSION.match(match["tag"])
        return version[0] if version else match["tag"]


def load(charm: ops.CharmBase) -> Config:
    """Return the options of ``charm``, unchecked."""
    options: dict[str, Any] = {
        name.replace("-", "_"): value for name, value in charm.config.items()
    }
    return Config(**options)

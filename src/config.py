"""The charm's options, typed and checked."""

from __future__ import annotations

import dataclasses
import re

MAX_REPLICAS = 10

# A reference as the OCI distribution specification has it: host and path, then a tag, a
# digest, or both. The charm asks for one of the two, since ":latest" is never what runs.
_IMAGE = re.compile(
    r"(?P<name>[a-z0-9]+([._-]+[a-z0-9]+)*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*)"
    r"(:(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?P<digest>@sha256:[a-f0-9]{64})?"
)
_CLUSTER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_VERSION = re.compile(r"v?\d+\.\d+\.\d+")


@dataclasses.dataclass(frozen=True)
class Config:
    """The options of config.yaml.

    Raises:
        ValueError: a value cannot work. The text is one line for the operator: option,
            value and remedy.
    """

    image: str
    cluster_id: str
    replicas: int

    def __post_init__(self) -> None:
        match = _IMAGE.fullmatch(self.image)
        if not match or not (match["tag"] or match["digest"]):
            raise ValueError(
                f"option image: {_shown(self.image)} is no image with a tag or digest, such as "
                "registry.example.com/aws-iam-authenticator:v0.7.13"
            )
        if self.cluster_id and not _CLUSTER_ID.fullmatch(self.cluster_id):
            raise ValueError(
                f"option cluster-id: {_shown(self.cluster_id)} must be 1 to 64 letters, digits, "
                "'.', '_' or '-' and start with a letter or digit"
            )
        if not 1 <= self.replicas <= MAX_REPLICAS:
            raise ValueError(
                f"option replicas: {self.replicas} is out of range, set 1 to {MAX_REPLICAS}"
            )

    @property
    def version(self) -> str:
        """Version of the authenticator by the image's tag, as ``v0.7.13``; the whole tag
        where it holds no version, the digest's first 12 digits where there is no tag."""
        match = _IMAGE.fullmatch(self.image)
        assert match is not None  # noqa: S101  (checked when it was made)
        if not match["tag"]:
            return match["digest"][len("@sha256:") :][:12]
        version = _VERSION.match(match["tag"])
        return version[0] if version else match["tag"]


def _shown(value: str) -> str:
    """``value`` quoted on one line, and no longer than a status can show."""
    return repr(value if len(value) <= 60 else value[:57] + "...")

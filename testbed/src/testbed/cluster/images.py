"""Container images made from files, in the format of `docker save`."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PAUSE = "registry.k8s.io/pause:3.10"
AUTHENTICATOR = "public.ecr.aws/eks-distro/kubernetes-sigs/aws-iam-authenticator"
AUTHENTICATOR_TAGS = ("v0.7.18-cvefix-eks-1-36-9", "v0.7.13-eks-1-35-9")
AUTHENTICATOR_REFERENCES = tuple(f"{AUTHENTICATOR}:{tag}" for tag in AUTHENTICATOR_TAGS)
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Image:
    """An image of one program: its references, its user, and the files beside the program."""

    references: Sequence[str]
    program: Path
    user: str
    files: Mapping[str, bytes] = field(default_factory=dict)


def cluster_images(programs: Path, aws_authority: bytes) -> list[Image]:
    """Return the images of every machine: pause, and an authenticator that trusts the STS."""
    return [
        Image([PAUSE], programs / "pause", "65535:65535"),
        authenticator(programs, aws_authority),
    ]


def authenticator(
    programs: Path, aws_authority: bytes, files: Mapping[str, bytes] | None = None
) -> Image:
    """Return an image of the authenticator that trusts the STS, with `files` in it."""
    content = {CA_BUNDLE: aws_authority, **(files or {})}
    program = programs / "aws-iam-authenticator"
    return Image(AUTHENTICATOR_REFERENCES, program, "10000", content)


def write_archive(images: Sequence[Image], target: Path) -> None:
    """Write images to one archive, which `ctr image import` reads."""
    manifest = []
    with tarfile.open(target, "w") as archive:
        for image in images:
            config, layer = config_and_layer(image)
            config_name = f"{hashlib.sha256(config).hexdigest()}.json"
            layer_name = f"{hashlib.sha256(layer).hexdigest()}/layer.tar"
            _add(archive, config_name, config)
            _add(archive, layer_name, layer)
            tags = list(image.references)
            manifest.append({"Config": config_name, "RepoTags": tags, "Layers": [layer_name]})
        _add(archive, "manifest.json", json.dumps(manifest).encode())


def config_and_layer(image: Image) -> tuple[bytes, bytes]:
    """Return what an image consists of: its config as JSON, and its one layer as a tar file."""
    layer = _layer(image)
    return _config(image, hashlib.sha256(layer).hexdigest()), layer


def _config(image: Image, layer_digest: str) -> bytes:
    machine = platform.machine()
    content = {
        "architecture": _ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "config": {
            "Entrypoint": [f"/{image.program.name}"],
            "User": image.user,
            "Env": ["PATH=/"],
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
    }
    return json.dumps(content).encode()


def _layer(image: Image) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        for folder in _folders(image.files):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            layer.addfile(entry)
        for path, content in image.files.items():
            _add(layer, path.lstrip("/"), content)
        _add(layer, image.program.name, image.program.read_bytes(), mode=0o755)
    return buffer.getvalue()


def _folders(paths: Mapping[str, bytes]) -> list[str]:
    """Return every folder that leads to the paths, parents first."""
    parents = {str(parent) for path in paths for parent in Path(path.lstrip("/")).parents}
    return sorted(parents - {"."})


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))

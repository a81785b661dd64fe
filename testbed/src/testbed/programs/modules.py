"""Which programs there are: one Go module a folder, each keyed by its own sources."""

from __future__ import annotations

import platform
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from testbed.cache import keyed

HERE = Path(__file__).parent

NEWEST = "latest"
"""The track of the newest Kubernetes, by the name of its snaps' channel."""

_COMPONENT_VERSION = "k8s.io/component-base/version"
_VERSION_FLAGS = {
    "kubernetes": (
        "k8s.io/kubernetes",
        [
            f"{_COMPONENT_VERSION}.gitVersion=v{{major}}.{{minor}}.{{patch}}",
            f"{_COMPONENT_VERSION}.gitMajor={{major}}",
            f"{_COMPONENT_VERSION}.gitMinor={{minor}}",
        ],
    ),
    "authenticator": (
        "sigs.k8s.io/aws-iam-authenticator",
        ["sigs.k8s.io/aws-iam-authenticator/pkg.Version=v{major}.{minor}.{patch}"],
    ),
}
"""The projects whose programs get their version from the linker: from which module, and how."""

_TAGS = {
    **{f"kubernetes-{minor}": "providerless" for minor in ("1.28", "1.29", "1.30")},
    "prometheus": "remove_all_sd",
}
"""Build tags, by module. The cloud providers, left out here, are a third of 1.28, and what finds
machines in clouds a third of Prometheus."""

_OUTPUT_NAMES = {"go.etcd.io/etcd/server/v3": "etcd"}
"""The programs whose name is not the last part of their package."""

_FIRST = "etcd"
"""The module that needs most of Go's own packages: the others then find them compiled."""


@dataclass(frozen=True)
class Module:
    """A Go module of this folder, and what is built from it."""

    folder: Path

    @property
    def name(self) -> str:
        """The folder's name: the project, and for Kubernetes `-` and the track."""
        return self.folder.name

    @property
    def project(self) -> str:
        """Whose programs they are, as `kubernetes`."""
        return self.name.partition("-")[0]

    @property
    def track(self) -> str:
        """Which Kubernetes it is, `1.28` or `latest`; empty for what every cluster needs."""
        return self.name.partition("-")[2]

    @property
    def go_version(self) -> tuple[int, ...]:
        """The oldest Go that builds this module, from its go.mod."""
        return tuple(int(part) for part in self._find(r"^go ([0-9.]+)$").split("."))

    @property
    def toolchain(self) -> str:
        """The Go that builds this module if go.mod asks for a certain one, else empty."""
        found = re.search(r"^toolchain (go[0-9.]+)$", self._go_mod, re.MULTILINE)
        return found[1] if found else ""

    @property
    def packages(self) -> list[str]:
        """The programs' packages: the tools that go.mod names, or the module itself."""
        text = self._go_mod
        block = re.search(r"^tool \(\n(.*?)^\)", text, re.MULTILINE | re.DOTALL)
        tools = block[1].split() if block else re.findall(r"^tool (\S+)$", text, re.MULTILINE)
        return tools or ["."]

    @property
    def tags(self) -> str:
        """The value of `go build -tags`."""
        return _TAGS.get(self.name, "")

    @property
    def linker_flags(self) -> str:
        """The value of `go build -ldflags`: no symbols, and the version where it is needed."""
        if self.project not in _VERSION_FLAGS:
            return "-s -w"
        module, templates = _VERSION_FLAGS[self.project]
        version = self._find(rf"^(?:require |\t){re.escape(module)} v([0-9.]+)(?: //.*)?$")
        major, minor, patch = version.split(".")
        variables = [t.format(major=major, minor=minor, patch=patch) for t in templates]
        return " ".join(["-s -w", *(f"-X {variable}" for variable in variables)])

    @property
    def cache(self) -> Path:
        """The folder in the cache that holds, or will hold, the built programs."""
        sources = sorted(p for p in self.folder.iterdir() if p.suffix in (".go", ".mod", ".sum"))
        tags = [self.tags] if self.tags else []
        recipe = "\n".join(
            [self.name, self.linker_flags, *tags, platform.machine(), *self.packages]
        )
        named = [item for path in sources for item in (path.name.encode(), path)]
        return keyed("modules", recipe.encode(), *named)

    def output_name(self, package: str) -> str:
        """Return the file name of a package's program."""
        if package == ".":
            return self.name
        return _OUTPUT_NAMES.get(package, package.rsplit("/", 1)[-1])

    @property
    def _go_mod(self) -> str:
        return (self.folder / "go.mod").read_text()

    def _find(self, pattern: str) -> str:
        found = re.search(pattern, self._go_mod, re.MULTILINE)
        if not found:
            raise ValueError(f"{self.folder / 'go.mod'}: no line like {pattern}")
        return found[1]


def all_modules(folder: Path = HERE) -> list[Module]:
    """Return every module in the order to build them, the longest to build last."""
    found = [Module(path.parent) for path in sorted(folder.glob("*/go.mod"))]
    return sorted(found, key=lambda m: (bool(m.track), m.name != _FIRST, m.name))


def of_tracks(modules: Collection[Module], tracks: Collection[str]) -> list[Module]:
    """Return the modules of these tracks and those that every cluster needs.

    No tracks mean all. Raises ValueError for a track that no module has.
    """
    known = [module.track for module in modules if module.track]
    if unknown := sorted(set(tracks).difference(known)):
        raise ValueError(
            f"there is no Kubernetes {', '.join(unknown)} here, only {' and '.join(known)}"
        )
    return [module for module in modules if not module.track or module.track in (tracks or known)]

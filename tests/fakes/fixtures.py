"""The fixtures of `unit` and `scenarios`: machines, a cluster, a model, and a clock of theirs."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ops
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from hypothesis import settings
from tests.fakes import at_rest
from tests.fakes.certificates.authority import root
from tests.fakes.declaring import Declare
from tests.fakes.juju import model as juju_model
from tests.fakes.juju.model import HOOK_TOOLS, QUICK, Easyrsa, Model
from tests.fakes.kubernetes.clock import Clock
from tests.fakes.kubernetes.paths import ADDRESS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files, rendered

from charm import quieten_libraries

# What a conftest takes by one import.
__all__ = [
    "_hook_tools",
    "_quiet",
    "_read_once",
    "api",
    "asking",
    "declare",
    "deployed",
    "easyrsa",
    "files",
    "machines",
    "model",
    "two",
]

settings.register_profile("charm", deadline=None, max_examples=60)
settings.load_profile("charm")


@pytest.fixture(scope="session", autouse=True)
def _read_once() -> Iterator[None]:
    with read_once():
        yield


@contextlib.contextmanager
def read_once() -> Iterator[None]:
    """Read once what is the same in every hook, because that would be most of the hook's time:
    what describes the charm, which ops.testing writes and ops reads, what the charm's templates
    render, and private keys."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "SafeDumper", yaml.CSafeDumper)
        for of, name in ((ops.CharmMeta, "from_yaml"), (serialization, "load_pem_private_key")):
            patch.setattr(of, name, functools.cache(getattr(of, name)))
        for name in ("load", "load_all"):
            patch.setattr(yaml, name, _once(getattr(yaml, name)))
        patch.setattr(yaml, "safe_dump", _once_written(yaml.safe_dump))
        yield


def _once_written(dump: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``dump`` so that it writes once what describes the charm: the same in every hook."""
    written = [(each, dump(each)) for each in juju_model.DESCRIBED]

    def dumped(data: Any, *args: Any, **kwargs: Any) -> Any:
        known = None if args or kwargs else next((t for each, t in written if each == data), None)
        return known or dump(data, *args, **kwargs)

    return dumped


def _once(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``parse`` so that it reads a text once, and copies what it has read from then on."""

    @functools.lru_cache(100)
    def read(text: str, loader: Any) -> bytes:
        found = parse(text, loader)
        return pickle.dumps([*found] if isinstance(found, Iterator) else found)

    def parsed(stream: Any, Loader: Any) -> Any:  # noqa: N803  (PyYAML's)
        return (
            pickle.loads(read(stream, Loader))
            if isinstance(stream, str)
            else parse(stream, Loader)
        )

    return parsed


@pytest.fixture(scope="session", autouse=True)
def _quiet() -> Iterator[None]:
    """Log as the charm does: without what libraries say of every request and step."""
    quieten_libraries()
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def machines(tmp_path: Path) -> list[Files]:
    """Two machines of control planes, each with its admin's kubeconfig."""
    return [Files(tmp_path / "0"), Files(tmp_path / "1")]


@pytest.fixture
def files(machines: list[Files]) -> Files:
    """The first unit's machine."""
    return machines[0]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCluster]:
    """The cluster. Whatever httpx2 would send over a socket goes to it."""
    fake = FakeCluster(Clock())
    fake.install(monkeypatch)
    yield fake
    if not QUICK:
        fake.recover()


@pytest.fixture(autouse=True)
def _hook_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    HOOK_TOOLS.install(monkeypatch)


@pytest.fixture
def easyrsa() -> Easyrsa:
    return Easyrsa(root())


@pytest.fixture
def model(easyrsa: Easyrsa, api: FakeCluster, files: Files) -> Model:
    """One unit on a control plane of Charmed Kubernetes <= 1.28, with easyrsa."""
    return Model(easyrsa, [files])


@pytest.fixture
def two(easyrsa: Easyrsa, api: FakeCluster, machines: list[Files]) -> Model:
    """Two units at rest, whose control planes never acknowledge anything."""
    model = Model(easyrsa, machines, units=2)
    at_rest.settle(model, api)
    return model


@pytest.fixture
def deployed(model: Model, api: FakeCluster) -> Model:
    """The same, come to rest."""
    at_rest.settle(model, api)
    api.forget()
    return model


@pytest.fixture
def declare(deployed: Model) -> Declare:
    """Sets the option to these entries, and runs config-changed; the status then."""

    def run(*entries: dict[str, Any]) -> ops.StatusBase:
        deployed.config = {"mappings": json.dumps(entries) if entries else ""}
        return deployed.hook(deployed.on.config_changed())

    return run


@pytest.fixture
def asking(easyrsa: Easyrsa, api: FakeCluster, machines: list[Files]) -> Model:
    """Two units at rest, on control planes whose option names the Service's address."""
    for files in machines:
        files.auth_webhook.write_text(rendered(f"https://{ADDRESS}:443/authenticate"))
    model = Model(easyrsa, machines, units=2, endpoints=("control-plane",))
    at_rest.settle(model, api)
    api.forget()
    return model

"""What is the same in every hook is read once: that would be most of the hook's time."""

from __future__ import annotations

import contextlib
import functools
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import ops
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from tests.fakes.juju import model as juju_model


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

"""Machines of a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from testbed.juju.state.status import Status


class MachineLike(Protocol):
    """A machine of the lab; see testbed/cluster/machine.py."""

    id: str
    address: str
    hostname: str
    root: Any

    def popen(
        self, argv: Any, *, env: Any, cwd: str = "/", user: Any = None, **kwargs: Any
    ) -> Any: ...

    def close(self) -> None: ...


@dataclass
class Machine:
    """A machine of a model; `host` is None until it is up."""

    id: str
    base: str
    host: MachineLike | None = None
    status: Status = field(default_factory=lambda: Status("pending"))

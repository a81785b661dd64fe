"""Breaks what a model's machines and pods need, and mends it: DNS, the way to STS, the webhook's
Service, and the machines' clocks.

Each fault is a table of nftables of its own, or a file, so that one ends without the others. The
rules name the addresses of the model's machines and pods: other models of the lab keep working.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.aws.service import TROUBLED
from testbed.cluster.settings import (
    AWS_ADDRESS,
    LAB_ADDRESS,
    SERVICE_CIDR,
    first_service_address,
)
from testbed.juju.errors import UsageError

KINDS = (
    "dns",
    "sts",
    "sts:silent",
    "sts:failing",
    "sts:throttled",
    "sts:throttled:N",
    "sts:slow:SECONDS",
    "service",
    "clock:SECONDS",
)

# Every Python of Debian and Ubuntu runs the line when it starts. A machine has the host's kernel,
# so its clock is the host's for all other programs.
_CLOCK = "usr/lib/python3/dist-packages/testbed-clock.pth"
_CLOCK_LINE = "import time; time.time = lambda real=time.time: real() + ({seconds})\n"
_SECONDS = 20.0
_KNOWN = re.compile(
    r"dns|service|clock:-?\d+|sts(:silent|:failing|:throttled(:[1-9]\d*)?|:slow:\d+(\.\d+)?)?",
    re.ASCII,
)


@dataclass(frozen=True)
class Target:
    """A machine of the model: its addresses, its root file system, and its first process."""

    address: str
    pods: str
    root: Path
    pid: int


@dataclass(frozen=True)
class Fault:
    """What is broken, as `testbedctl break` names it."""

    what: str

    def __post_init__(self) -> None:
        if not _KNOWN.fullmatch(self.what):
            raise UsageError(f"give one of {', '.join(KINDS)}, not {self.what}")

    @property
    def kind(self) -> str:
        """Return the fault without its value: at most one of a kind is there at a time."""
        return self.what.partition(":")[0]

    @property
    def seconds(self) -> int:
        """Return how far ahead a clock is."""
        return int(self.what.partition(":")[2])


def table(kind: str, model: str) -> str:
    """Return the name of a model's table, by the model's uuid."""
    return f"broken_{kind}_{model.replace('-', '')}"


def lab_rules(fault: Fault, name: str, targets: Sequence[Target]) -> str:
    """Return the rules for what leaves the machines. Pure."""
    sources = ", ".join(address for target in targets for address in (target.address, target.pods))
    if fault.kind == "dns":
        verdicts = [f"ip daddr {LAB_ADDRESS} {p} dport 53 reject" for p in ("udp", "tcp")]
    elif fault.what == "sts":
        verdicts = [f"ip daddr {AWS_ADDRESS} tcp dport 443 reject with tcp reset"]
    else:
        verdicts = [f"ip daddr {AWS_ADDRESS} tcp dport 443 drop"]
    rules = [f"    ip saddr {{ {sources} }} {verdict}" for verdict in verdicts]
    return _table(name, "input", 0, rules)


def machine_rules(name: str) -> str:
    """Return the rules for what a machine itself sends to Services, before kube-proxy's. Pure."""
    own = first_service_address()
    services = f"ip daddr {SERVICE_CIDR} ip daddr != {own}"
    rule = f"    {services} tcp dport 443 reject with tcp reset"
    return _table(name, "output", -300, [rule])


def _table(name: str, hook: str, priority: int, rules: Sequence[str]) -> str:
    kind = f"type filter hook {hook} priority {priority}"
    return "\n".join(
        [f"table ip {name} {{", f"  chain {hook} {{", f"    {kind}", *rules, "  }", "}\n"]
    )


class Breakages:
    """The faults of each model. `state` is the lab's folder, in which the STS looks."""

    def __init__(self, state: Path) -> None:
        self._troubled = state / TROUBLED
        self._troubles: dict[str, list[str]] = {}
        self._lock = threading.Lock()
        self._broken: dict[tuple[str, str], list[Target]] = {}

    def add(self, model: str, fault: Fault, targets: Sequence[Target]) -> None:
        """Break something, in place of a former fault of this kind."""
        self.mend(model, fault.kind)
        with self._lock:
            # Ahead of the rules: if one fails, `mend` removes those before it.
            self._broken[model, fault.kind] = list(targets)
            name = table(fault.kind, model)
            if fault.kind == "clock":
                for target in targets:
                    line = _CLOCK_LINE.format(seconds=fault.seconds)
                    (target.root / _CLOCK).write_text(line)
            elif fault.what.startswith(("sts:failing", "sts:throttled", "sts:slow")):
                what = fault.what.removeprefix("sts:")
                networks = [n for each in targets for n in (each.address, each.pods)]
                self._trouble(model, [f"{network} {what}" for network in networks])
            elif fault.kind == "service":
                for target in targets:
                    _nft(machine_rules(name), target)
            else:
                _nft(lab_rules(fault, name, targets))

    def mend(self, model: str, kind: str = "") -> None:
        """End a fault, or all faults of the model."""
        with self._lock:
            keys = [key for key in self._broken if key[0] == model and kind in ("", key[1])]
            if model in self._troubles and kind in ("", "sts"):
                self._trouble(model, [])
            for key in keys:
                _mend(table(key[1], model), key[1], self._broken.pop(key))

    def _trouble(self, model: str, networks: Sequence[str]) -> None:
        """Tell the STS of a model's networks, and of those of the others as before."""
        self._troubles[model] = list(networks)
        lines = [network for each in self._troubles.values() for network in each]
        new = self._troubled.with_suffix(".new")
        new.write_text("\n".join(lines))
        new.replace(self._troubled)


def _mend(name: str, kind: str, targets: Sequence[Target]) -> None:
    # Of a table that is not there, as when a rule failed, `add` makes the `delete` right.
    removal = f"add table ip {name}\ndelete table ip {name}\n"
    if kind not in ("clock", "service"):
        _nft(removal)
        return
    for target in targets:
        if kind == "clock":
            (target.root / _CLOCK).unlink(missing_ok=True)
        elif Path(f"/proc/{target.pid}").exists():  # a machine that is gone took its rules along
            _nft(removal, target)


def _nft(rules: str, inside: Target | None = None) -> None:
    enter = ["nsenter", f"--net=/proc/{inside.pid}/ns/net"] if inside else []
    subprocess.run(
        [*enter, "nft", "--file", "-"],
        input=rules,
        text=True,
        check=True,
        capture_output=True,
        timeout=_SECONDS,
    )

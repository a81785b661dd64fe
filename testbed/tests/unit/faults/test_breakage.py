"""What `testbedctl break` breaks for a model, and that `mend` leaves nothing of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.aws.server import trouble
from testbed.aws.service import TROUBLED
from testbed.faults import breakage
from testbed.faults.breakage import Breakages, Fault, Target
from testbed.faults.intercept import Intercepts
from testbed.juju.errors import UsageError

MODEL, OTHER = "1d1-f", "2e2-f"
CLOCK = "usr/lib/python3/dist-packages/testbed-clock.pth"


class Nft:
    """Takes the place of nft, and knows the tables of each network."""

    def __init__(self) -> None:
        self.tables: dict[str, set[str]] = {}
        self.fails = False

    def __call__(self, rules: str, inside: Target | None = None) -> None:
        tables = self.tables.setdefault(inside.address if inside else "lab", set())
        for line in rules.splitlines():
            words = line.split()
            if words[:2] in (["table", "ip"], ["add", "table"]):
                tables.add(words[-1] if words[0] == "add" else words[2])
            if words[:2] == ["delete", "table"]:
                tables.remove(words[-1])
        if self.fails and not rules.startswith("add"):
            raise subprocess.CalledProcessError(1, "nft")

    @property
    def left(self) -> set[str]:
        return {name for names in self.tables.values() for name in names}


@pytest.fixture
def nft(monkeypatch: pytest.MonkeyPatch) -> Nft:
    found = Nft()
    monkeypatch.setattr(breakage, "_nft", found)
    return found


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The lab's folder."""
    return tmp_path


@pytest.fixture
def machines(tmp_path: Path) -> list[Target]:
    found = [
        Target(f"10.85.0.1{n}", f"10.1.{n}.0/24", tmp_path / f"{n}", os.getpid()) for n in (0, 1)
    ]
    for machine in found:
        (machine.root / CLOCK).parent.mkdir(parents=True)
    return found


@pytest.mark.parametrize(
    ("what", "verdict"),
    [
        ("dns", "ip daddr 10.85.0.1 udp dport 53 reject"),
        ("sts", "ip daddr 192.0.2.10 tcp dport 443 reject with tcp reset"),
        ("sts:silent", "ip daddr 192.0.2.10 tcp dport 443 drop"),
    ],
)
def test_given_machines_then_only_what_they_and_their_pods_send_is_refused(
    machines: list[Target], what: str, verdict: str
) -> None:
    rules = breakage.lab_rules(Fault(what), "t", machines)
    sources = "10.85.0.10, 10.1.0.0/24, 10.85.0.11, 10.1.1.0/24"
    assert f"ip saddr {{ {sources} }} {verdict}" in rules
    refusing = [line for line in rules.splitlines() if re.search(r" (reject|drop)\b", line)]
    assert all(f"ip saddr {{ {sources} }}" in line for line in refusing)


def test_given_a_machine_then_the_service_of_the_api_server_stays() -> None:
    rules = breakage.machine_rules("t")
    assert "ip daddr 10.152.183.0/24 ip daddr != 10.152.183.1 tcp dport 443 reject" in rules


@pytest.mark.parametrize("what", ["dns", "sts", "sts:silent", "service"])
def test_given_something_broken_when_mended_then_no_rule_is_left(
    nft: Nft, machines: list[Target], state: Path, what: str
) -> None:
    breakages = Breakages(state)
    breakages.add(MODEL, Fault(what), machines)
    assert len(nft.left) == 1
    breakages.mend(MODEL, what.partition(":")[0])
    assert nft.left == set()


def test_given_a_rule_that_fails_when_mended_then_no_rule_is_left(
    nft: Nft, machines: list[Target], state: Path
) -> None:
    breakages = Breakages(state)
    nft.fails = True
    with pytest.raises(subprocess.CalledProcessError):
        breakages.add(MODEL, Fault("service"), machines)
    breakages.mend(MODEL)
    assert nft.left == set()


def test_given_two_models_when_one_is_mended_then_the_other_stays_broken(
    nft: Nft, machines: list[Target], state: Path
) -> None:
    breakages = Breakages(state)
    breakages.add(MODEL, Fault("dns"), machines[:1])
    breakages.add(OTHER, Fault("dns"), machines[1:])
    breakages.mend(MODEL)
    assert nft.left == {breakage.table("dns", OTHER)}


def test_given_two_faults_of_a_kind_then_the_later_one_replaces_the_other(
    nft: Nft, machines: list[Target], state: Path
) -> None:
    breakages = Breakages(state)
    breakages.add(MODEL, Fault("sts"), machines)
    breakages.add(MODEL, Fault("sts:silent"), machines)
    breakages.mend(MODEL, "sts")
    assert nft.left == set()


def test_given_a_model_that_is_gone_then_it_is_mended(
    nft: Nft, machines: list[Target], state: Path
) -> None:
    intercepts = Intercepts(state)
    intercepts.breakages.add(MODEL, Fault("dns"), machines)
    intercepts.remove(MODEL)
    assert nft.left == set()


def test_given_an_application_that_is_no_longer_intercepted_then_the_model_stays_broken(
    nft: Nft, machines: list[Target], state: Path
) -> None:
    intercepts = Intercepts(state)
    intercepts.breakages.add(MODEL, Fault("dns"), machines)
    intercepts.remove(MODEL, "rider")
    assert len(nft.left) == 1


@pytest.mark.parametrize("seconds", [-1200, 600])
def test_given_a_clock_that_is_wrong_then_python_reads_it_until_it_is_mended(
    machines: list[Target], state: Path, seconds: int
) -> None:
    breakages = Breakages(state)
    breakages.add(MODEL, Fault(f"clock:{seconds}"), machines)
    files = [machine.root / CLOCK for machine in machines]
    assert all(abs(_ahead(file.parent) - seconds) < 60 for file in files)
    breakages.mend(MODEL, "clock")
    assert [file for file in files if file.exists()] == []


def _ahead(folder: Path) -> float:
    """Return how far `time.time` is ahead in a Python that reads a folder of packages."""
    program = f"import site, time; site.addsitedir({str(folder)!r}); print(time.time())"
    seen = subprocess.check_output([sys.executable, "-c", program], text=True)
    real = subprocess.check_output([sys.executable, "-c", "import time; print(time.time())"])
    return float(seen) - float(real)


@pytest.mark.parametrize(
    "what",
    ["", "nothing", "clock", "clock:", "clock:soon", "sts:slow", "sts:slow:x", "sts:throttled:0"],
)
def test_given_an_unknown_fault_then_it_is_refused(what: str) -> None:
    with pytest.raises(UsageError, match="clock:SECONDS"):
        Fault(what)


@pytest.mark.parametrize("what", ["failing", "throttled", "throttled:10", "slow:0.05"])
def test_given_troubled_models_then_the_sts_knows_their_networks_until_they_are_mended(
    nft: Nft, machines: list[Target], state: Path, what: str
) -> None:
    breakages = Breakages(state)
    breakages.add(MODEL, Fault(f"sts:{what}"), machines[:1])
    breakages.add(OTHER, Fault(f"sts:{what}"), machines[1:])
    pods = ("10.1.0.7", "10.1.1.7", "10.1.2.7")
    file = state / TROUBLED
    assert [trouble(pod, file) for pod in pods] == [what, what, ""]

    breakages.mend(MODEL, "sts")
    assert [trouble(pod, file) for pod in pods] == ["", what, ""]
    breakages.mend(OTHER)
    assert not any(trouble(pod, file) for pod in pods)

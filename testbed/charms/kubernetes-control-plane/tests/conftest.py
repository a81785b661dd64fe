"""The machine, and what runs a hook on it, of both flavours or of one."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from running import ADMIN, APPS, FakeHost, Run, runner

from control_plane_charm import ControlPlane


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    files = {
        "kube-proxy.yaml": "mode: nftables\n",
        "machine.env": "ADDRESS=10.85.0.10\nNODE_NAME=node-0\nPROGRAMS=/programs\n",
        "pki/admin.kubeconfig": yaml.safe_dump(ADMIN),
        "pki/ca.key": "the authority's key",
        **{f"args/{app}": "--authorization-mode=AlwaysAllow\n--own=flag\n" for app in APPS},
    }
    for name, text in files.items():
        path = tmp_path / "var/lib/testbed" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for program in (*APPS, *(f"1.28/{app}" for app in APPS)):
        path = tmp_path / "programs" / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    host = FakeHost(tmp_path)
    monkeypatch.setattr(ControlPlane, "host", host)
    return host


@pytest.fixture(params=["1.28", "1.29"])
def run(request: pytest.FixtureRequest, host: FakeHost) -> Run:
    return runner(request.param)


@pytest.fixture
def run_old(host: FakeHost) -> Run:
    return runner("1.28")


@pytest.fixture
def run_new(host: FakeHost) -> Run:
    return runner("1.29")

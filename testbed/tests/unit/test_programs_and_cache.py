"""Built programs are found again exactly as long as what they are built from stays the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from testbed import cache
from testbed.paths import LabPaths
from testbed.programs import build
from testbed.programs.modules import Module, all_modules


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AWS_IAM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def module(tmp_path: Path) -> Module:
    folder = tmp_path / "tool"
    folder.mkdir()
    (folder / "go.mod").write_text("module tool\n\ngo 1.26.3\n")
    (folder / "main.go").write_text("package main\n")
    return Module(folder)


def test_the_cache_is_where_one_says(own_cache: Path) -> None:
    assert cache.cache_dir() == own_cache


def test_the_cache_is_otherwise_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_IAM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache.cache_dir() == Path("/xdg/aws-iam")


def test_a_key_follows_content_and_names(tmp_path: Path) -> None:
    folder = tmp_path / "inputs"
    folder.mkdir()
    (folder / "a").write_text("1")
    first = cache.keyed("kind", folder, b"x")
    assert cache.keyed("kind", folder, b"x") == first
    assert cache.keyed("kind", folder, b"y") != first
    (folder / "a").rename(folder / "b")
    assert cache.keyed("kind", folder, b"x") != first


def test_the_borders_between_inputs_count() -> None:
    assert cache.keyed("kind", b"ab", b"c") != cache.keyed("kind", b"a", b"bc")


def test_a_module_is_built_anew_when_its_source_changes(module: Module) -> None:
    before = module.cache
    (module.folder / "notes.txt").write_text("not built from this")
    assert module.cache == before
    (module.folder / "main.go").write_text("package main // changed\n")
    assert module.cache != before


def test_a_module_without_tools_is_a_program_itself(module: Module) -> None:
    assert module.packages == ["."]
    assert module.output_name(".") == "tool"
    assert module.go_version == (1, 26, 3)


def test_the_clusters_programs_are_all_there() -> None:
    found = {m.output_name(package) for m in all_modules() for package in m.packages}
    assert found >= {
        "aws-iam-authenticator",
        "containerd",
        "containerd-shim-runc-v2",
        "ctr",
        "etcd",
        "host-local",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-proxy",
        "kube-scheduler",
        "kubectl",
        "kubelet",
        "loopback",
        "pause",
        "ptp",
    }


@pytest.mark.parametrize(
    ("track", "version", "minor"), [("", "v1.37.2", "37"), ("1.28", "v1.28.15", "28")]
)
def test_each_kubernetes_is_told_its_version(track: str, version: str, minor: str) -> None:
    [flags] = [m.linker_flags for m in all_modules()[-2:] if m.track == track]
    assert f"version.gitVersion={version}" in flags
    assert f"version.gitMinor={minor}" in flags


def test_the_longest_builds_come_last() -> None:
    assert [m.name for m in all_modules()][-2:] == ["kubernetes", "kubernetes-1.28"]


def test_older_programs_lie_in_a_folder_of_their_track(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, program in (("tool", "newest"), ("tool-1.28", "older")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "go.mod").write_text(f"module {name}\n\ngo 1.26.3\n")
        built = Module(tmp_path / name).cache
        built.mkdir(parents=True)
        (built / "tool").write_text(program)
    monkeypatch.setattr(build, "all_modules", lambda: all_modules(tmp_path))

    programs = build.programs(Console())

    assert (programs / "tool").read_text() == "newest"
    assert (programs / "1.28" / "tool").read_text() == "older"


@pytest.mark.parametrize("name", ["", "../etc", "UPPER", "x" * 32, "a/b"])
def test_a_labs_name_is_a_folders_name(name: str) -> None:
    with pytest.raises(ValueError, match="TESTBED_NAME"):
        LabPaths(name)

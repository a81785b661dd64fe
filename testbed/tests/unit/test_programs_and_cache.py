"""Built programs are found in the cache as long as their sources stay the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from testbed import cache
from testbed.paths import LabPaths
from testbed.programs import build, go
from testbed.programs.modules import Module, all_modules, of_tracks


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


def test_the_cache_is_where_the_environment_says(own_cache: Path) -> None:
    assert cache.cache_dir() == own_cache


def test_the_cache_is_in_the_users_cache_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_key_depends_on_where_one_input_ends() -> None:
    assert cache.keyed("kind", b"ab", b"c") != cache.keyed("kind", b"a", b"bc")


def test_a_module_is_built_again_when_its_source_changes(module: Module) -> None:
    before = module.cache
    (module.folder / "notes.txt").write_text("not built from this")
    assert module.cache == before
    (module.folder / "main.go").write_text("package main // changed\n")
    assert module.cache != before


def test_a_module_without_tools_is_a_program_itself(module: Module) -> None:
    assert module.packages == ["."]
    assert module.output_name(".") == "tool"
    assert module.go_version == (1, 26, 3)


def test_a_module_is_built_by_the_toolchain_that_it_asks_for(module: Module) -> None:
    assert go.environment("/go", module.toolchain)["GOTOOLCHAIN"] == go.TOOLCHAIN
    (module.folder / "go.mod").write_text("module tool\n\ngo 1.26.3\n\ntoolchain go1.99.0\n")
    assert go.environment("/go", module.toolchain)["GOTOOLCHAIN"] == "go1.99.0"


@pytest.mark.parametrize(
    ("track", "version", "minor"), [("latest", "v1.37.2", "37"), ("1.28", "v1.28.15", "28")]
)
def test_the_linker_sets_the_version_of_each_kubernetes(
    track: str, version: str, minor: str
) -> None:
    [flags] = [m.linker_flags for m in all_modules() if m.track == track]
    assert f"version.gitVersion={version}" in flags
    assert f"version.gitMinor={minor}" in flags


@pytest.mark.parametrize("track", ["1.28", "latest"])
def test_of_two_kubernetes_only_the_one_that_is_asked_for_is_built(track: str) -> None:
    found = of_tracks(all_modules(), [track])
    assert [m.track for m in found if m.track] == [track]
    assert {m.name for m in found} >= {"authenticator", "containerd", "etcd", "cni", "hooktool"}


def test_the_refusal_of_an_unknown_kubernetes_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no Kubernetes 1\.27 here, only 1\.28 and latest"):
        of_tracks(all_modules(), ["1.27", "1.28"])


@pytest.fixture
def built(tmp_path: Path) -> list[Module]:
    """Two Kubernetes and an etcd that have been built."""
    for name, program in (
        ("etcd", "etcd"),
        ("kubernetes-1.28", "kubelet"),
        ("kubernetes-1.28", "kubectl"),
        ("kubernetes-latest", "kubelet"),
        ("kubernetes-latest", "kubectl"),
    ):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "go.mod").write_text(
            f"module {name}\n\ngo 1.26.3\n\nrequire k8s.io/kubernetes v1.2.3\n"
        )
        cached = Module(tmp_path / name).cache
        cached.mkdir(parents=True, exist_ok=True)
        (cached / program).write_text(name)
    return all_modules(tmp_path)


def test_older_programs_lie_in_a_folder_of_their_track(built: list[Module]) -> None:
    programs = build.programs(Console(), built)

    assert (programs / "etcd").read_text() == "etcd"
    for program in ("kubelet", "kubectl"):
        assert (programs / program).read_text() == "kubernetes-latest"
        assert (programs / "1.28" / program).read_text() == "kubernetes-1.28"


def test_without_the_newest_there_is_an_older_kubectl_and_no_other_program_of_it(
    built: list[Module],
) -> None:
    programs = build.programs(Console(), of_tracks(built, ["1.28"]))

    assert (programs / "etcd").read_text() == "etcd"
    assert (programs / "kubectl").read_text() == "kubernetes-1.28"
    assert not (programs / "kubelet").exists()
    assert (programs / "1.28" / "kubelet").read_text() == "kubernetes-1.28"


@pytest.mark.parametrize("name", ["", "../etc", "UPPER", "x" * 32, "a/b"])
def test_a_labs_name_must_fit_a_folder(name: str) -> None:
    with pytest.raises(ValueError, match="TESTBED_NAME"):
        LabPaths(name)

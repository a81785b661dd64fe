"""A minor version of Kubernetes has a go.mod that is made from Kubernetes' own."""

from __future__ import annotations

from pathlib import Path

from testbed.programs import minors
from testbed.programs.modules import Module, all_modules

REQUIRED = [
    {"Path": "k8s.io/api", "Version": "v0.0.0"},
    {"Path": "k8s.io/klog/v2", "Version": "v2.130.1"},
]


def made(folder: Path) -> Module:
    module = Module(folder / "kubernetes-1.31")
    module.folder.mkdir()
    (module.folder / "go.mod").write_text(minors.go_mod("1.31", "1.31.4", REQUIRED))
    return module


def test_a_minor_has_the_programs_of_the_newest_and_the_version_of_its_patch(
    tmp_path: Path,
) -> None:
    module = made(tmp_path)

    [newest] = [each for each in all_modules() if each.track == "latest"]
    assert module.track == "1.31"
    assert module.packages == newest.packages
    assert "gitVersion=v1.31.4" in module.linker_flags


def test_the_parts_of_the_repository_get_the_version_that_they_are_published_with(
    tmp_path: Path,
) -> None:
    lines = (made(tmp_path).folder / "go.mod").read_text().splitlines()

    assert [line for line in lines if line.startswith("replace")] == [
        "replace k8s.io/api => k8s.io/api v0.31.4"
    ]

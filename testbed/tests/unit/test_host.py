"""What this machine's kernel offers is read from files, of which these are examples."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from testbed.cluster import cgroups, host, requirements
from testbed.cluster.host import Cgroups, find_cgroups


@pytest.fixture
def version_1(tmp_path: Path) -> Path:
    for name in ("cpu,cpuacct", "cpuset", "memory", "pids", "systemd"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cgroup.procs").touch()
    (tmp_path / "cpu").symlink_to("cpu,cpuacct")
    (tmp_path / "unified").mkdir()
    (tmp_path / "unified" / "cgroup.procs").touch()
    (tmp_path / "unified" / "cgroup.controllers").touch()
    (tmp_path / "cpuset" / "cpuset.cpus").write_text("0-3\n")
    (tmp_path / "cpuset" / "cpuset.mems").write_text("0\n")
    return tmp_path


@pytest.fixture
def version_2(tmp_path: Path) -> Path:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory hugetlb pids\n")
    (tmp_path / "cgroup.subtree_control").write_text("memory pids\n")
    return tmp_path


def test_version_1_has_a_hierarchy_for_each_controller(version_1: Path) -> None:
    found = find_cgroups(version_1)
    assert found.version == 1
    assert [h.name for h in found.hierarchies] == [
        "cpu,cpuacct",
        "cpuset",
        "memory",
        "pids",
        "systemd",
    ]
    assert found.missing == []


def test_version_2_has_one_hierarchy(version_2: Path) -> None:
    found = find_cgroups(version_2)
    assert (found.version, found.hierarchies, found.missing) == (2, (version_2,), [])


def test_controllers_that_the_kubelet_needs_and_the_machine_lacks_are_missing(
    version_2: Path,
) -> None:
    (version_2 / "cgroup.controllers").write_text("cpu pids\n")
    assert find_cgroups(version_2).missing == ["cpuset", "memory"]


def test_a_machine_without_cgroups_has_no_hierarchy(tmp_path: Path) -> None:
    assert find_cgroups(tmp_path) == Cgroups(1, (), frozenset())


def test_a_group_of_version_1_is_created_in_each_hierarchy_with_its_parents_cpus(
    version_1: Path,
) -> None:
    parent = version_1 / "cpuset" / "lab"
    parent.mkdir()
    for name in ("cpuset.cpus", "cpuset.mems"):
        (parent / name).touch()
    cgroups.create(find_cgroups(version_1), "lab/machine")
    assert all((h / "lab" / "machine").is_dir() for h in find_cgroups(version_1).hierarchies)
    assert (parent / "cpuset.cpus").read_text() == "0-3\n"
    assert not (version_1 / "unified" / "lab").exists()


def test_a_group_of_version_2_enables_controllers_for_its_children(version_2: Path) -> None:
    for folder in ("lab", "lab/machine"):
        (version_2 / folder).mkdir()
        (version_2 / folder / "cgroup.subtree_control").touch()
    cgroups.create(find_cgroups(version_2), "lab/machine")
    top = (version_2 / "cgroup.subtree_control").read_text()
    assert top == "+cpu +cpuset +io +hugetlb"
    inner = (version_2 / "lab" / "machine" / "cgroup.subtree_control").read_text()
    assert inner == "+cpu +cpuset +memory +pids +io +hugetlb"


def test_a_group_is_removed_with_all_below_it(tmp_path: Path) -> None:
    (tmp_path / "lab" / "machine" / "kubepods").mkdir(parents=True)
    cgroups.remove(Cgroups(2, (tmp_path,), frozenset()), "lab")
    assert not (tmp_path / "lab").exists()


@pytest.mark.parametrize(
    ("mask", "there"), [("000001fffeffffff", False), ("000001ffffffffff", True)]
)
def test_a_capability_is_a_bit_of_the_effective_set(
    tmp_path: Path, mask: str, there: bool
) -> None:
    status = tmp_path / "status"
    status.write_text(f"CapPrm:\t000001ffffffffff\nCapEff:\t{mask}\n")
    assert host.has_capability(host.CAP_SYS_RESOURCE, status) is there


def test_the_deepest_mount_decides_the_file_system_of_a_path(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "overlay / overlay rw 0 0\n/dev/sda /var ext4 rw 0 0\ntmpfs /var/tm tmpfs rw 0 0\n"
    )
    assert host.file_system_of(Path("/var/tmp/x"), mounts) == "ext4"
    assert host.file_system_of(Path("/srv"), mounts) == "overlay"


def test_file_systems_are_listed_with_or_without_a_device(tmp_path: Path) -> None:
    listing = tmp_path / "filesystems"
    listing.write_text("nodev\toverlay\n\text4\n")
    assert host.knows_file_system("overlay", listing)
    assert host.knows_file_system("ext4", listing)
    assert not host.knows_file_system("btrfs", listing)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Two processes of this user, with three instances of inotify, and one that has ended."""
    limit = tmp_path / "sys/fs/inotify/max_user_instances"
    limit.parent.mkdir(parents=True)
    limit.write_text("128\n")
    for process, files in {"12": ("inotify", "inotify", "[eventfd]"), "345": ("inotify",)}.items():
        (tmp_path / process / "fd").mkdir(parents=True)
        for number, name in enumerate(files):
            (tmp_path / process / "fd" / str(number)).symlink_to(f"anon_inode:{name}")
    (tmp_path / "67").symlink_to("gone")
    return tmp_path


def test_instances_of_inotify_that_a_user_has_are_not_free(proc: Path) -> None:
    assert host.free_inotify_instances(proc, os.getuid()) == 125
    assert host.free_inotify_instances(proc, os.getuid() + 1) == 128


def test_a_kernel_without_a_limit_of_inotify_has_none(tmp_path: Path) -> None:
    assert host.free_inotify_instances(tmp_path) is None


@pytest.fixture
def otherwise_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    cgroups = Cgroups(2, (Path("/sys/fs/cgroup"),), frozenset(host.NEEDED_CONTROLLERS))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(requirements, "_check_namespaces", lambda: None)
    monkeypatch.setattr(host, "knows_file_system", lambda _: True)
    monkeypatch.setattr(host, "find_cgroups", lambda: cgroups)


@pytest.mark.usefixtures("otherwise_fit")
def test_a_machine_with_too_few_instances_of_inotify_is_unfit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(host, "free_inotify_instances", lambda: 47)
    with pytest.raises(requirements.Unfit) as refused:
        requirements.check()
    assert str(refused.value) == (
        "root may open 47 more inotify instances, and a lab needs up to 48: end another lab, "
        "or run: sysctl fs.inotify.max_user_instances=1024"
    )


@pytest.mark.usefixtures("otherwise_fit")
@pytest.mark.parametrize("free", [48, None])
def test_a_machine_with_enough_instances_of_inotify_is_fit(
    monkeypatch: pytest.MonkeyPatch, free: int | None
) -> None:
    monkeypatch.setattr(host, "free_inotify_instances", lambda: free)
    requirements.check()

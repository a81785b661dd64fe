"""The files that a machine starts with: keys, kubeconfigs, images, settings, accounts."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from testbed.cluster import images, rootfs, settings
from testbed.cluster.files import Authorities, ModelKeys, machine_files
from testbed.cluster.settings import Settings

MACHINE = Settings("m", 4, 2, cgroup_version=1, may_raise_limits=False)
TRUSTED = Authorities(bundle=b"all\n", aws=b"aws\n", registry=b"registry\n")


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return machine_files(MACHINE, ModelKeys.new(), "lab/machine", TRUSTED)


@pytest.mark.parametrize(("base", "codename"), [("22.04", "jammy"), ("26.04", "resolute")])
def test_os_release_says_the_machines_base(base: str, codename: str) -> None:
    machine = replace(MACHINE, base=f"ubuntu@{base}")
    text = machine_files(machine, ModelKeys.new(), "g", TRUSTED)["/etc/os-release"].decode()
    assert f'\nVERSION_ID="{base}"\n' in text
    assert f'\nVERSION_CODENAME="{codename}"\n' in text


@pytest.mark.parametrize(("version", "said"), [(1, {"failCgroupV1": False}), (2, {})])
def test_the_kubelet_accepts_cgroups_of_version_1_only_where_they_are(
    version: int, said: dict[str, bool]
) -> None:
    machine = Settings("m", 0, 0, cgroup_version=version, may_raise_limits=True)
    config = yaml.safe_load(settings.kubelet_config(machine, "lab/machine"))
    assert config["cgroupRoot"] == "/lab/machine"
    assert {key: value for key, value in config.items() if key == "failCgroupV1"} == said


@pytest.mark.parametrize(("may", "restricted"), [(True, "false"), (False, "true")])
def test_without_the_capability_containerd_does_not_lower_oom_scores(
    may: bool, restricted: str
) -> None:
    machine = Settings("m", 0, 0, cgroup_version=1, may_raise_limits=may)
    config = settings.containerd_config(machine)
    assert f"restrict_oom_score_adj = {restricted}\n" in config


def test_a_lab_holds_at_most_200_machines() -> None:
    with pytest.raises(ValueError, match="at most 200 machines"):
        Settings("m", 0, 200, cgroup_version=1, may_raise_limits=True)


def test_an_archive_lists_an_image_under_all_its_references(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"code")
    image = images.Image(["a:1", "a:2"], program, "10000", {"/etc/ssl/ca.crt": b"pem"})
    images.write_archive([image], tmp_path / "images.tar")
    with tarfile.open(tmp_path / "images.tar") as archive:
        content = {m.name: archive.extractfile(m).read() for m in archive}  # pyright: ignore
    (entry,) = json.loads(content["manifest.json"])
    assert entry["RepoTags"] == ["a:1", "a:2"]
    layer = content[entry["Layers"][0]]
    config = json.loads(content[entry["Config"]])
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    assert config["config"] == {"Entrypoint": ["/program"], "User": "10000", "Env": ["PATH=/"]}
    with tarfile.open(fileobj=io.BytesIO(layer)) as tree:
        assert tree.getnames() == ["etc", "etc/ssl", "etc/ssl/ca.crt", "program"]
        assert tree.getmember("program").mode == 0o755


def test_the_user_ubuntu_replaces_users_of_its_name_or_id(tmp_path: Path) -> None:
    passwd = "root:x:0:0:root:/root:/bin/bash\nsomeone:x:1000:1000::/home/someone:/bin/sh\n"
    (tmp_path / "passwd").write_text(passwd)
    (tmp_path / "group").write_text("root:x:0:\nubuntu:x:1001:someone\nsomeone:x:1000:\n")
    found = rootfs.accounts(tmp_path)
    assert found["/etc/passwd"].decode().splitlines() == [
        "root:x:0:0:root:/root:/bin/bash",
        "ubuntu:x:1000:1000:Ubuntu:/home/ubuntu:/bin/bash",
        "syslog:x:59999:59999::/nonexistent:/usr/sbin/nologin",
    ]
    assert found["/etc/group"].decode().splitlines() == [
        "root:x:0:",
        "ubuntu:x:1000:",
        "syslog:x:59999:",
    ]

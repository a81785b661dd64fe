"""The files that a machine starts with: keys, kubeconfigs, images, settings, accounts."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from testbed.cluster import images, pki, rootfs, settings
from testbed.cluster.files import LOCAL_AUTHORITY, Authorities, ModelKeys, machine_files
from testbed.cluster.settings import Settings

MACHINE = Settings("m", 4, 2, cgroup_version=1, may_raise_limits=False)
PKI = settings.PKI
TRUSTED = Authorities(bundle=b"all\n", aws=b"aws\n", registry=b"registry\n")


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return machine_files(MACHINE, ModelKeys.new(), "lab/machine", TRUSTED)


def certificate(files: dict[str, bytes], name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(files[f"{PKI}/{name}.crt"])


@pytest.mark.parametrize("name", ["kube-apiserver", "kubelet", "kube-apiserver-kubelet-client"])
def test_each_certificate_is_signed_by_the_authority_and_fits_its_key(
    files: dict[str, bytes], name: str
) -> None:
    issued = certificate(files, name)
    issued.verify_directly_issued_by(certificate(files, "ca"))
    key = serialization.load_pem_private_key(files[f"{PKI}/{name}.key"], None)
    assert key.public_key() == issued.public_key()


def test_the_api_servers_certificate_covers_its_names_and_addresses(
    files: dict[str, bytes],
) -> None:
    extension = certificate(files, "kube-apiserver").extensions
    names = extension.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "kubernetes.default.svc" in names.get_values_for_type(x509.DNSName)
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert addresses == {"127.0.0.1", "10.85.0.12", "10.152.183.1"}


@pytest.mark.parametrize(("base", "codename"), [("22.04", "jammy"), ("26.04", "resolute")])
def test_os_release_says_the_machines_base(base: str, codename: str) -> None:
    machine = replace(MACHINE, base=f"ubuntu@{base}")
    text = machine_files(machine, ModelKeys.new(), "g", TRUSTED)["/etc/os-release"].decode()
    assert f'\nVERSION_ID="{base}"\n' in text
    assert f'\nVERSION_CODENAME="{codename}"\n' in text


def test_awss_authority_is_in_the_bundle_and_where_the_bundle_is_made_from(
    files: dict[str, bytes],
) -> None:
    assert files[images.CA_BUNDLE] == b"all\n"
    assert files[LOCAL_AUTHORITY] == b"aws\n"


def test_containerd_finds_the_registry_and_trusts_its_authority(files: dict[str, bytes]) -> None:
    assert b"10.85.0.1 registry.example.com\n" in files["/etc/hosts"]
    assert b'config_path = "/etc/containerd/certs.d"\n' in files["/etc/containerd/config.toml"]
    assert files["/etc/containerd/certs.d/registry.example.com/ca.crt"] == b"registry\n"


@pytest.mark.parametrize(
    ("name", "user", "group"),
    [
        ("admin", "admin", "system:masters"),
        ("kubelet", "system:node:juju-m-4", "system:nodes"),
        ("kube-scheduler", "system:kube-scheduler", ""),
    ],
)
def test_a_kubeconfig_holds_its_users_certificate(
    files: dict[str, bytes], name: str, user: str, group: str
) -> None:
    config = yaml.safe_load(files[f"{PKI}/{name}.kubeconfig"])
    assert config["clusters"][0]["cluster"]["server"] == "https://10.85.0.12:6443"
    pem = base64.b64decode(config["users"][0]["user"]["client-certificate-data"])
    subject = x509.load_pem_x509_certificate(pem).subject.rfc4514_string()
    assert subject == (f"CN={user},O={group}" if group else f"CN={user}")


def test_machines_of_a_model_share_authority_and_service_accounts() -> None:
    keys = ModelKeys.new()
    other = Settings("m", 5, 3, cgroup_version=1, may_raise_limits=False)
    both = [machine_files(machine, keys, "g", TRUSTED) for machine in (MACHINE, other)]
    for name in ("ca.crt", "service-account.key", "service-account.pub"):
        assert both[0][f"{PKI}/{name}"] == both[1][f"{PKI}/{name}"]


def test_the_facts_for_charms_are_key_value_lines(files: dict[str, bytes]) -> None:
    text = files["/var/lib/testbed/machine.env"].decode()
    assert dict(line.split("=", 1) for line in text.splitlines()) == {
        "ADDRESS": "10.85.0.12",
        "NODE_NAME": "juju-m-4",
        "POD_CIDR": "10.1.2.0/24",
        "SERVICE_CIDR": "10.152.183.0/24",
        "ETCD": "http://10.85.0.1:2379",
        "ETCD_PREFIX": "/registry-m",
        "PROGRAMS": "/var/lib/testbed/programs",
        "DNS": "10.85.0.1",
    }


def test_each_snap_has_default_flags_one_on_each_line(files: dict[str, bytes]) -> None:
    for snap in settings.SNAPS:
        lines = files[f"/var/lib/testbed/args/{snap}"].decode().splitlines()
        assert lines
        assert all(line.startswith("--") for line in lines)


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


def test_an_issued_certificate_has_names_and_addresses() -> None:
    authority = pki.new_authority("ca")
    pair = pki.issue(authority, "server", sans=["server.test", "192.0.2.1"])
    extensions = pair.certificate.extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["server.test"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1"]

"""What happens to command lines on a controller without cloud and Charmhub."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from testbed.realjuju.preparing import Preparation, prepared
from testbed.realjuju.store import NotInStore


@dataclass
class Lab:
    """A lab whose machines are numbered from 5, and which notes their bases."""

    folder: Path
    bases: list[str] = field(default_factory=list[str])

    def add_machines(self, count: int, base: str) -> list[str]:
        self.bases += [base] * count
        return [str(5 + number) for number in range(len(self.bases) - count, len(self.bases))]

    def charm(self, name: str, metadata: str = "name: it\n") -> Path:
        path = self.folder / name
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("metadata.yaml", metadata)
        return path

    def run(self, line: str) -> list[str]:
        by = Preparation(self.folder, self.folder / "made", self.add_machines, lambda _: "easyrsa")
        return prepared(line.split(), self.folder, by)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_a_charm_of_the_store_is_deployed_from_its_file_on_a_machine_that_exists(lab: Lab) -> None:
    charm = lab.charm("easyrsa.charm")
    found = lab.run("deploy easyrsa --channel latest/stable -m it")
    assert found == ["deploy", "-m", "it", "--to", "5", str(charm), "easyrsa"]
    assert lab.bases == ["ubuntu@22.04"]


def test_each_unit_gets_a_machine_of_the_base(lab: Lab) -> None:
    lab.charm("it.charm")
    found = lab.run("deploy ./it.charm -n 3 --base ubuntu@24.04")
    assert found[-3:] == ["--to", "5,6,7", "./it.charm"]
    assert lab.bases == ["ubuntu@24.04"] * 3


def test_a_subordinate_and_a_placed_charm_need_no_machine(lab: Lab) -> None:
    lab.charm("sub.charm", "name: sub\nsubordinate: true\n")
    lab.charm("it.charm")
    assert lab.run("deploy ./sub.charm") == ["deploy", "./sub.charm"]
    absolute = str(lab.folder / "sub.charm")
    assert lab.run(f"deploy {absolute}") == ["deploy", absolute]
    assert lab.run("deploy ./it.charm --to 0") == ["deploy", "--to", "0", "./it.charm"]
    assert lab.bases == []


def test_the_track_chooses_the_charm(lab: Lab) -> None:
    lab.charm("vault_1.17.charm")
    charm = lab.charm("vault_1.18.charm")
    assert str(charm) in lab.run("deploy vault --channel=1.18/stable")
    with pytest.raises(NotInStore, match=r"no charm vault of channel 1\.19/edge"):
        lab.run("deploy vault --channel 1.19/edge")


def test_a_unit_more_gets_a_machine(lab: Lab) -> None:
    assert lab.run("add-unit kubernetes-control-plane -n 2") == [
        "add-unit",
        "-n",
        "2",
        "--to",
        "5,6",
        "kubernetes-control-plane",
    ]


def test_refresh_to_a_channel_takes_the_tracks_file(lab: Lab) -> None:
    charm = lab.charm("easyrsa_2.charm")
    assert lab.run("refresh ca --channel 2/edge") == ["refresh", "--path", str(charm), "ca"]
    assert lab.run("refresh ca --path ./x.charm") == ["refresh", "--path", "./x.charm", "ca"]


def test_a_bundle_and_its_overlay_become_one_with_files_and_machines(lab: Lab) -> None:
    charm = lab.charm("it_1.charm")
    other = lab.charm("other.charm")
    bundle = {
        "default-base": "ubuntu@24.04",
        "applications": {
            "it": {"charm": "it", "num_units": 1, "to": ["0"], "options": {"a": 1, "b": 1}}
        },
        "machines": {"0": {}},
        "relations": [["it:x", "it:y"]],
    }
    (lab.folder / "bundle.yaml").write_text(yaml.safe_dump(bundle))
    overlay = {
        "applications": {
            "it": {"options": {"b": 2}},
            "other": {"charm": "other", "num_units": 1},
        },
        "relations": [["it:z", "other:z"]],
    }
    (lab.folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))

    found = lab.run("deploy ./bundle.yaml --channel 1/stable --overlay overlay.yaml")

    assert found[:3] == ["deploy", "--map-machines", "existing"]
    made = yaml.safe_load(Path(found[3]).read_text())
    assert made["applications"] == {
        "it": {"charm": str(charm), "num_units": 1, "to": ["5"], "options": {"a": 1, "b": 2}},
        "other": {"charm": str(other), "num_units": 1, "to": ["6"]},
    }
    assert made["machines"] == {"5": {}, "6": {}}
    assert made["relations"] == [["it:x", "it:y"], ["it:z", "other:z"]]
    assert lab.bases == ["ubuntu@24.04", "ubuntu@24.04"]


@pytest.mark.parametrize("line", ["status --format json", "deploy", "run it/0 deploy x=1"])
def test_other_commands_stay_as_they_are(line: str, lab: Lab) -> None:
    assert lab.run(line) == line.split()

"""The Terraform module has the charm's endpoints and options, and its example works.

`make terraform` asks the provider of each name; this asks the charm.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import hcl2
import yaml

from access.declaration import declared

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "terraform"
EXAMPLE = MODULE / "examples" / "charmed-kubernetes"
METADATA = yaml.safe_load((ROOT / "metadata.yaml").read_text())
OPTIONS = yaml.safe_load((ROOT / "config.yaml").read_text())["options"]
PLAIN = hcl2.SerializationOptions(
    strip_string_quotes=True, explicit_blocks=False, with_comments=False
)


def blocks(text: str, kind: str) -> dict[str, Any]:
    """Return the blocks of a kind by their last label."""
    found: dict[str, Any] = {}
    for block in hcl2.loads(text, serialization_options=PLAIN).get(kind, []):
        [(label, body)] = block.items()
        found |= body if kind == "resource" else {label: body}
    return found


def text_of(folder: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(folder.glob("*.tf")))


VARIABLES, OUTPUTS = blocks(text_of(MODULE), "variable"), blocks(text_of(MODULE), "output")


def test_given_another_module_then_it_can_read_the_names_of_application_and_endpoints():
    [charm] = blocks(text_of(MODULE), "resource")["aws_iam"]["charm"]

    assert {name: output["value"] for name, output in OUTPUTS.items()} == {
        "app_name": "${juju_application.aws_iam.name}",
        "provides": {name: name for name in METADATA["provides"]},
        "requires": {name: name for name in METADATA["requires"]},
    }
    assert charm["name"] == METADATA["name"]


def test_given_the_plan_of_the_example_then_it_sets_what_there_is():
    module = blocks(text_of(EXAMPLE), "module")["aws_iam"]
    assert module.keys() - {"source"} <= VARIABLES.keys()
    assert "model_uuid" in module
    assert set(module["config"]) <= OPTIONS.keys()

    resources = blocks(text_of(EXAMPLE), "resource").values()
    assert [each["application"][0]["endpoint"] for each in resources] == [
        "${module.aws_iam.requires[var.control_plane.endpoint]}",
        "${module.aws_iam.requires.certificates}",
    ]
    assert {"aws-iam", "control-plane", "certificates"} <= METADATA["requires"].keys()


def test_given_the_mappings_of_the_example_then_the_charm_takes_all_and_each_has_rights():
    text = (EXAMPLE / "mappings.yaml").read_text()
    found = declared.parse(text, datetime(2026, 1, 1, tzinfo=timezone.utc))

    assert [entry.username for entry in found.entries] == ["viewer:{{SessionName}}", "alice"]
    assert found.left_out == ()
    assert all(entry.rights for entry in found.entries)

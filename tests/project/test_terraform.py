"""The Terraform module has the charm's endpoints and options, and its example works."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml

from access.declaration import declared

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "terraform"
PAGE = ROOT / "docs/how-to/terraform.md"
EXAMPLE = MODULE / "examples" / "charmed-kubernetes"
METADATA = yaml.safe_load((ROOT / "metadata.yaml").read_text())
PLAIN = hcl2.SerializationOptions(
    strip_string_quotes=True, explicit_blocks=False, with_comments=False
)
folders = pytest.mark.parametrize("folder", [MODULE, EXAMPLE], ids=["module", "example"])


def blocks(folder: Path, kind: str) -> dict[str, Any]:
    """The blocks of a kind in a folder's files, by their last label."""
    found: dict[str, Any] = {}
    for path in sorted(folder.glob("*.tf")):
        with path.open() as file:
            for block in hcl2.load(file, serialization_options=PLAIN).get(kind, []):
                [(label, body)] = block.items()
                found |= body if kind == "resource" else {label: body}
    return found


def references(folder: Path, root: str) -> set[str]:
    """The names that a folder's files read below `var`, `module` and the like."""
    text = "\n".join(path.read_text() for path in folder.glob("*.tf"))
    return set(re.findall(rf"(?<![\w.]){root}\.([\w-]+)", text))


def test_given_another_module_then_it_can_read_the_names_of_application_and_endpoints():
    outputs = blocks(MODULE, "output")

    assert {name: output["value"] for name, output in outputs.items()} == {
        "app_name": "${juju_application.aws_iam.name}",
        "provides": {name: name for name in METADATA["provides"]},
        "requires": {name: name for name in METADATA["requires"]},
    }
    assert all(output["description"] for output in outputs.values())


@folders
def test_given_a_variable_then_it_is_described_typed_and_used(folder: Path):
    variables = blocks(folder, "variable")

    assert variables
    for name, variable in variables.items():
        assert variable.get("description", "").endswith("."), name
        assert variable.get("type"), name
    assert variables.keys() == references(folder, "var")


def test_given_a_subordinate_then_the_module_asks_for_neither_units_nor_constraints():
    application = blocks(MODULE, "resource")["aws_iam"]
    [charm] = application["charm"]

    assert METADATA["subordinate"] is True
    assert charm["name"] == METADATA["name"]
    assert application["model_uuid"] == "${var.model_uuid}"
    assert not {"units", "constraints"} & application.keys()


def test_given_the_example_then_it_sets_inputs_and_options_that_exist():
    options = yaml.safe_load((ROOT / "config.yaml").read_text())["options"]
    module = blocks(EXAMPLE, "module")["aws_iam"]

    assert (EXAMPLE / module["source"]).resolve() == MODULE
    assert module.keys() - {"source"} <= blocks(MODULE, "variable").keys()
    assert "model_uuid" in module
    assert set(module["config"]) <= options.keys()
    assert module["config"]["mappings"] == '${file("${path.module}/mappings.yaml")}'


def test_given_the_example_then_its_relations_use_endpoints_that_exist():
    resources = blocks(EXAMPLE, "resource")
    ours = [resource["application"][0]["endpoint"] for resource in resources.values()]
    variables = blocks(EXAMPLE, "variable")

    assert ours == [
        "${module.aws_iam.requires[var.control_plane.endpoint]}",
        "${module.aws_iam.requires.certificates}",
    ]
    assert variables["control_plane"]["default"]["endpoint"] in METADATA["requires"]
    assert {"aws-iam", "control-plane", "certificates"} <= METADATA["requires"].keys()


def test_given_the_mappings_of_the_example_then_the_charm_takes_all_and_each_has_rights():
    text = (EXAMPLE / "mappings.yaml").read_text()
    found = declared.parse(text, datetime(2026, 1, 1, tzinfo=timezone.utc))

    assert [entry.username for entry in found.entries] == ["viewer:{{SessionName}}", "alice"]
    assert found.left_out == ()
    assert all(entry.rights for entry in found.entries)


def shown(heading: str) -> dict[str, Any]:
    """Return the blocks of the plan that the page shows below a heading, by their kinds."""
    _, _, below = PAGE.read_text().partition(f"## {heading}\n")
    lines = below.partition("\n## ")[0].splitlines()
    plan = [line for line in lines if line.startswith("    ") or not line]
    return hcl2.loads("\n".join(plan), serialization_options=PLAIN)


def test_given_the_plan_of_the_page_then_it_sets_inputs_and_options_that_exist():
    options = yaml.safe_load((ROOT / "config.yaml").read_text())["options"]
    [module] = shown("Write the plan")["module"]
    inputs = module["aws_iam"]

    assert inputs["source"].endswith("//terraform?ref=main")
    assert inputs.keys() - {"source"} <= blocks(MODULE, "variable").keys()
    assert set(inputs["config"]) <= options.keys()


def test_given_the_plan_of_the_page_then_it_makes_the_relations_of_the_example():
    variables = blocks(EXAMPLE, "variable")
    defaults = [variables[name]["default"] for name in ("control_plane", "certificates")]
    relations = [
        body
        for each in shown("Write the plan")["resource"]
        for kind, named in each.items()
        for body in named.values()
        if kind == "juju_integration"
    ]

    ours, theirs = zip(*(relation["application"] for relation in relations), strict=True)
    assert [each["endpoint"] for each in ours] == ["control-plane", "certificates"]
    assert {each["endpoint"] for each in ours} <= METADATA["requires"].keys()
    assert [each["name"] for each in theirs] == [each["name"] for each in defaults]
    assert [each["endpoint"] for each in theirs] == ["juju-info", defaults[1]["endpoint"]]


def test_given_the_readme_then_its_tables_name_every_input_and_output():
    text = (MODULE / "README.md").read_text()
    tables = re.findall(r"^\| (?:input|output) .*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    first_cells = [
        {name for row in rows.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
        for rows in tables
    ]

    assert first_cells == [
        set(blocks(MODULE, "variable")),
        set(blocks(MODULE, "output")),
    ]

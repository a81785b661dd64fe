"""How bundles and overlays are merged."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.juju.cli import bundle
from testbed.juju.errors import JujuError, UnsupportedError

BASE = """
applications:
  a: {charm: a, num_units: 1, options: {x: 1, y: 2}, to: ['0']}
  b: {charm: b}
relations:
- [a, 'b:end']
"""


@pytest.mark.parametrize(
    ("overlay", "name", "field", "value"),
    [
        ("applications: {a: {num_units: 3}}", "a", "num_units", 3),
        ("applications: {a: {options: {y: 3}}}", "a", "options", {"x": 1, "y": 3}),
        ("applications: {a: {to: ['1']}}", "a", "to", ("1",)),
        ("applications: {a: {to: ['1']}}", "a", "charm", "a"),
        ("applications: {c: {charm: c}}", "c", "charm", "c"),
    ],
)
def test_an_overlay_is_merged_field_by_field(
    overlay: str, name: str, field: str, value: object
) -> None:
    loaded = bundle.load([("bundle.yaml", BASE), ("overlay.yaml", overlay)])

    (application,) = (a for a in loaded.applications if a.name == name)
    assert getattr(application, field) == value


def test_an_overlays_relations_are_added() -> None:
    loaded = bundle.load([("bundle.yaml", BASE), ("overlay.yaml", "relations: [[b, a]]")])

    assert loaded.relations == (("a", "b:end"), ("b", "a"))


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("- 1", "is not a valid bundle: expected a map of applications"),
        ("", "is not a valid bundle"),
        ("{", "cannot unmarshal bundle contents"),
        ("applications: {a: {charm: a}}\nrelations: [[a]]", "needs two endpoints"),
        ("saas: {}", '"saas" in the bundle of'),
        ("applications: {a: {charm: a, storage: 1}}", '"storage" in the application "a"'),
    ],
)
def test_a_text_that_is_not_a_bundle_is_refused(text: str, refusal: str) -> None:
    with pytest.raises(JujuError) as raised:
        bundle.load([("b.yaml", text)])

    assert refusal in str(raised.value)


def test_an_operation_outside_the_subset_says_so_with_exit_code_2() -> None:
    assert UnsupportedError.code == 2
    assert "testbed/README.md" in str(UnsupportedError("this"))


def test_an_option_that_includes_a_file_has_its_text(tmp_path: Path) -> None:
    (tmp_path / "who.yaml").write_text("- me\n")
    text = "applications: {a: {charm: a, options: {who: 'include-file://who.yaml', n: 1}}}"

    loaded = bundle.load([(str(tmp_path / "overlay.yaml"), text)])

    assert loaded.applications[0].options == {"who": "- me\n", "n": 1}


def test_an_option_that_includes_a_missing_file_is_refused() -> None:
    text = "applications: {a: {charm: a, options: {who: 'include-file://nowhere'}}}"

    with pytest.raises(JujuError, match='processing "include-file://nowhere"'):
        bundle.load([("overlay.yaml", text)])

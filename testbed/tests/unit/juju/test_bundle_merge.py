"""How bundles and overlays are merged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from testbed.juju.cli import bundle
from testbed.juju.errors import JujuError, UnsupportedError

BASE: dict[str, Any] = {
    "applications": {
        "a": {"charm": "a", "num_units": 1, "options": {"x": 1, "y": 2}, "to": ["0"]},
        "b": {"charm": "b"},
    },
    "machines": {"0": {}},
    "relations": [["a", "b:end"]],
}


@pytest.mark.parametrize(
    ("overlay", "path", "value"),
    [
        ({"applications": {"a": {"num_units": 3}}}, ("applications", "a", "num_units"), 3),
        (
            {"applications": {"a": {"options": {"y": 3}}}},
            ("applications", "a", "options"),
            {"x": 1, "y": 3},
        ),
        ({"applications": {"a": {"to": ["1"]}}}, ("applications", "a", "to"), ["1"]),
        ({"applications": {"c": {"charm": "c"}}}, ("applications", "c"), {"charm": "c"}),
        ({"relations": [["a", "c"]]}, ("relations",), [["a", "b:end"], ["a", "c"]]),
        ({"applications": {"b": None}}, ("relations",), []),
        ({"machines": {"1": {}}}, ("machines",), {"0": {}, "1": {}}),
    ],
)
def test_an_overlay_is_merged_field_by_field(
    overlay: dict[str, Any], path: tuple[str, ...], value: object
) -> None:
    merged: Any = bundle.merge(BASE, overlay)
    for key in path:
        merged = merged[key]

    assert merged == value


def test_an_application_set_to_nothing_is_removed() -> None:
    assert list(bundle.merge(BASE, {"applications": {"b": None}})["applications"]) == ["a"]


def test_documents_after_the_first_are_overlays_too() -> None:
    text = "applications: {a: {charm: a}}\n---\napplications: {a: {num_units: 2}}\n"

    loaded = bundle.load([("one.yaml", text), ("two.yaml", "applications: {b: {charm: ch:b}}")])

    assert [(a.name, a.charm, a.num_units) for a in loaded.applications] == [
        ("a", "a", 2),
        ("b", "b", None),
    ]


def test_a_local_charms_path_is_relative_to_the_files_folder() -> None:
    loaded = bundle.load([("some/where/b.yaml", "applications: {a: {charm: ../a.charm}}")])

    assert loaded.applications[0].charm == "some/a.charm"


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

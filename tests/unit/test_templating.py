"""The templates: what is kept of them between hooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import jinja2
import pytest

import templating

Render = Callable[[], str]


@pytest.fixture
def render(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Render]:
    """Return a function that renders a template as a new process would."""
    monkeypatch.setenv("JUJU_CHARM_DIR", str(tmp_path))

    def render() -> str:
        templating._environment.cache_clear()
        return templating.render("service.yaml.j2", service="a", address="10.152.183.58", kept=0)

    yield render
    templating._environment.cache_clear()


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def forbid_compilation(monkeypatch: pytest.MonkeyPatch) -> None:
    def compile_(*_: object, **__: object) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(jinja2.Environment, "compile", compile_)


def test_given_a_template_that_was_rendered_when_a_process_renders_it_then_it_is_not_compiled(
    render: Render, monkeypatch: pytest.MonkeyPatch
):
    first = render()
    forbid_compilation(monkeypatch)

    assert render() == first


@pytest.mark.parametrize("length", [0, 5, 15, 25, 60])
def test_given_half_of_a_compiled_template_when_it_is_rendered_then_it_is_compiled_again(
    render: Render, tmp_path: Path, length: int
):
    first = render()
    (path,) = kept(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:length])

    assert render() == first
    assert path.read_bytes() == whole


def test_given_a_place_that_takes_no_file_when_a_template_is_rendered_then_it_is_rendered(
    render: Render, tmp_path: Path
):
    (tmp_path / "__pycache__").touch()

    assert "10.152.183.58" in render()


def test_given_no_hook_when_a_template_is_rendered_then_nothing_is_kept(
    render: Render, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("JUJU_CHARM_DIR")
    render()

    assert kept(tmp_path) == []

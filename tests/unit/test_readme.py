"""The README's commands are those that the tests on the testbed run."""

from __future__ import annotations

from pathlib import Path

from demo import page

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_given_the_command_for_a_kubeconfig_when_the_page_runs_it_then_the_readme_has_it_too():
    steps = page.steps("1.29", "easyrsa")

    assert page.GET_KUBECONFIG in [step.command for step in steps if isinstance(step, page.Step)]
    assert f"    {page.GET_KUBECONFIG}\n" in README

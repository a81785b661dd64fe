"""Every command of the page on a control plane with the endpoint, and logins that must fail."""

from __future__ import annotations

import pytest
from demo import page
from tests.integration.helpers.steps import Taking


@pytest.mark.parametrize(
    "step", page.steps("1.28", "easyrsa"), ids=lambda step: step.title.replace(" ", "-")
)
def test_given_control_plane_1_28_and_easyrsa_then_the_step_goes_as_the_page_says(
    take: Taking, step: page.Step | page.Wait
) -> None:
    take(step)

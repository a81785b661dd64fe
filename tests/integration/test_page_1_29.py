"""The same on a control plane without the endpoint, where the unit's status gives a command."""

from __future__ import annotations

import pytest
from demo import page
from tests.integration.helpers.steps import Taking


@pytest.mark.parametrize(
    "step", page.steps("1.29", "easyrsa"), ids=lambda step: step.title.replace(" ", "-")
)
def test_given_control_plane_1_29_and_easyrsa_then_the_step_goes_as_the_page_says(
    take: Taking, step: page.Step | page.Wait
) -> None:
    take(step)

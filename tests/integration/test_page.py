"""Every command of the page on a control plane with the endpoint, and logins that must fail."""

from __future__ import annotations

import pytest
from demo import page
from tests.integration.helpers.steps import Taking

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "step", page.steps("1.28", "easyrsa"), ids=lambda step: step.title.replace(" ", "-")
)
def test_given_control_plane_1_28_and_easyrsa_then_the_step_goes_as_the_page_says(
    take: Taking, step: page.Step | page.Wait
) -> None:
    take(step)


def test_given_a_person_who_may_view_but_read_no_mapping_when_they_get_all_then_it_works(
    take: Taking,
) -> None:
    bind = "create clusterrolebinding knobby-views --clusterrole=view --user=knobby"
    take(page.Step("Bind the role view", f"kubectl --context=juju-context {bind}"))
    take(page.Step("Get all", "kubectl get all", shows="service/kubernetes", retry_seconds=10))

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


def test_given_a_mapping_of_another_partition_when_it_is_created_then_kubernetes_refuses_it(
    take: Taking,
) -> None:
    mapping = page.MAPPING.replace("arn:aws:", "arn:aws-cn:").replace("-admin", "-cn")
    apply = f"kubectl --context=juju-context apply -f - <<'EOF' 2>&1\n{mapping}EOF"
    take(page.Step("Map", apply, shows="where the partition is aws or aws-us-gov", code=1))

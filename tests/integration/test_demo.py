"""The page's steps with the other authorities, as `make demo CA=…` takes them.

`test_page.py` and `test_page_1_29.py` take them with easyrsa.
"""

from __future__ import annotations

from pathlib import Path

import jubilant
import pytest
from demo import page
from tests.integration.helpers import testbed_only
from tests.integration.helpers.steps import taking


@pytest.mark.slow
@pytest.mark.parametrize(
    ("control_plane", "authority"),
    [
        ("1.28", "vault"),
        ("1.29", "self-signed-certificates"),
        pytest.param("1.28", "self-signed-certificates", marks=pytest.mark.weekly),
        pytest.param("1.29", "vault", marks=pytest.mark.weekly),
    ],
)
def test_given_a_control_plane_and_an_authority_then_every_step_goes_as_the_page_says(
    tmp_path: Path, control_plane: page.ControlPlane, authority: page.Authority
) -> None:
    if authority == "vault":
        testbed_only.require("only the testbed unseals vault without Vault's client")
    with jubilant.temp_model() as juju, taking(juju, tmp_path) as take:
        for step in page.steps(control_plane, authority):
            take(step)

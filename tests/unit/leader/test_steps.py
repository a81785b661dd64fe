"""What the leader's steps leave to a later hook, and whether an event will start that hook."""

from __future__ import annotations

import pytest
from tests.fakes.alarms import rings
from tests.fakes.declaring import Declare
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster

DEV = {"arn": "arn:aws:iam::111122223333:role/dev", "username": "dev"}


@pytest.mark.parametrize(("others_write", "seconds"), [(False, []), (True, [10.0])])
def test_given_a_certificate_to_wait_for_then_only_a_mapping_that_is_left_wakes_the_unit(
    deployed: Model,
    api: FakeCluster,
    easyrsa: Easyrsa,
    declare: Declare,
    others_write: bool,
    seconds: list[float],
):
    easyrsa.one_name = "elsewhere"
    easyrsa.reissue()
    deployed.answer()
    if others_write:
        changed = refusal(409, "the object has been modified")
        api.fail(changed, request=f"POST {MAPPINGS}")

    assert declare(DEV).name == "waiting"
    assert rings(deployed, api) == seconds

"""The definition of IAMIdentityMapping: which rules it has, and when it is there."""

from __future__ import annotations

import ops
import pytest
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import DEFINITION
from tests.fakes.kubernetes.server import FakeCluster


def test_given_a_definition_that_comes_slowly_when_a_hook_runs_then_it_is_waited_for_in_the_hook(
    model: Model, api: FakeCluster
):
    api.establish_seconds = 3
    model.settle()

    assert isinstance(model.hook(), ops.ActiveStatus)


def test_given_a_definition_that_never_comes_when_a_hook_runs_then_the_line_says_what_is_missing(
    model: Model, api: FakeCluster
):
    api.establish_seconds = None
    model.settle()

    assert model.hook() == ops.WaitingStatus(
        "waiting for the Kubernetes API to serve IAMIdentityMapping"
    )


@pytest.mark.parametrize(
    ("version", "strict"),
    [("v1.29.15+k3s1", False), ("v1.30.0", True), ("v2.0.0", True), ("unknown", False)],
)
def test_given_a_servers_version_when_deployed_then_the_definition_has_the_rules_it_can_bear(
    model: Model, api: FakeCluster, version: str, strict: bool
):
    api.version = version
    model.settle()

    (served,) = api.objects[DEFINITION]["spec"]["versions"]
    spec = served["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    assert (len(spec["arn"]["x-kubernetes-validations"]) > 1) is strict

# SPDX-License-Identifier: Apache-2.0

"""An API server answers from its memory of moments ago: a change is decided on what is stored."""

from __future__ import annotations

import copy

import pytest
from tests.fakes.acting import ROLE, grant
from tests.fakes.declaring import DEV, Declare, entry, names
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import BINDINGS
from tests.fakes.kubernetes.server import FakeCluster


def roles(api: FakeCluster) -> set[str]:
    """The ClusterRoles that the charm has bound."""
    bound = [each for path, each in api.objects.items() if path.startswith(BINDINGS[0])]
    ours = [each for each in bound if "aws-iam/source" in each["metadata"].get("labels", {})]
    return {each["roleRef"]["name"] for each in ours}


def test_given_a_grant_that_no_list_has_yet_when_its_principal_is_declared_then_its_role_goes(
    declare: Declare, deployed: Model, api: FakeCluster
):
    api.add_role("view", "get")
    api.add_role("edit", "get")
    api.memory = copy.deepcopy(api.objects)
    grant(deployed, role="view")

    declare(entry("dev", ROLE, access=[{"role": "edit"}]))

    assert len(names(api)) == 1
    assert roles(api) == {"edit"}


def test_given_a_late_server_when_nothing_changes_then_nothing_stored_is_asked_for(
    declare: Declare, api: FakeCluster
):
    declare(entry("dev", DEV))
    api.forget()

    declare(entry("dev", DEV))

    lists = [seen for seen in api.seen if str(seen).endswith("/iamidentitymappings")]
    assert [seen.query["resourceVersion"] for seen in lists] == ["0"]


def test_given_an_end_that_no_list_has_yet_then_the_unit_wakes_for_it(
    deployed: Model, api: FakeCluster
):
    deployed.hook()
    api.memory = copy.deepcopy(api.objects)
    grant(deployed, for_="1h")

    deployed.hook()

    (alarm,) = deployed.units[0].alarms
    assert alarm.expire
    assert alarm.expire.timestamp() == pytest.approx(api.clock.now + 3600, abs=2)
    api.clock.now += 3601
    deployed.expire("alarm")
    assert names(api) == []

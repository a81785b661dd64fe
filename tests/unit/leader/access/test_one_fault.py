# SPDX-License-Identifier: Apache-2.0

"""One object that the cluster does not change keeps nothing else from going on, or being told."""

from __future__ import annotations

import httpx2
import pytest
from tests.fakes.acting import grant
from tests.fakes.certificates.authority import root
from tests.fakes.declaring import ACCOUNT, Declare, entry, names
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.faults import Answer, refusal, unreachable
from tests.fakes.kubernetes.paths import BINDINGS, MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster

from cluster import sync

DOWN = 'Internal error occurred: failed calling webhook "x": no endpoints'
FAULTS = [refusal(500, DOWN), unreachable(httpx2.ReadTimeout), unreachable(httpx2.ReadError)]


def granted(model: Model, number: int) -> list[str]:
    """Grant access for a while to so many principals; the names of the mappings."""
    grants = [f"g{n}" for n in range(number)]
    for name in grants:
        grant(model, arn=f"{ACCOUNT}:role/{name}", name=name, for_="30m")
    return grants


@pytest.mark.parametrize("fault", FAULTS, ids=["500", "time-out", "reset"])
def test_given_a_mapping_that_is_never_deleted_then_the_others_end_and_are_told(
    deployed: Model, api: FakeCluster, fault: Answer
):
    granted(deployed, 3)
    api.clock.now += 1801
    api.fail(fault, request=f"DELETE {MAPPINGS}/g1")
    deployed.hook()

    assert names(api) == ["g1"]
    told = [line for line in deployed.log().splitlines() if line.startswith("access has ended")]
    assert [line.split()[5] for line in told] == ["g0", "g2"]
    assert [name for name in ("g0", "g1", "g2") if name in deployed.peer["ended"]] == ["g0", "g2"]


@pytest.mark.parametrize("fault", FAULTS, ids=["500", "time-out", "reset"])
def test_given_a_mapping_that_is_never_deleted_then_a_new_certificate_is_deployed(
    deployed: Model, easyrsa: Easyrsa, api: FakeCluster, fault: Answer
):
    granted(deployed, 1)
    api.clock.now += 1801
    api.fail(fault, request=f"DELETE {MAPPINGS}/g0")
    easyrsa.reissue()
    easyrsa.replace_authority(root("new"))
    deployed.answer()
    before = api.secret("cert.pem")
    for _ in range(4):
        deployed.hook()
        deployed.answer()
        api.clock.now += 60

    assert api.secret("cert.pem") != before


def test_given_bindings_that_the_server_fails_to_make_then_each_entry_is_named_and_lets_in(
    declare: Declare, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sync, "WRITERS", 1)
    api.add_role("edit", "get")
    api.fail(refusal(500, DOWN), request=f"POST {BINDINGS[0]}")
    access = [{"role": "edit"}]
    status = declare(
        entry("a", f"{ACCOUNT}:role/A", access=access),
        entry("b", f"{ACCOUNT}:role/B", access=access),
    )

    assert names(api) == ["a", "b"]
    assert status.name == "active"
    assert "2 not applied: mappings[0].access[0]: the cluster does not make it: " in status.message

# SPDX-License-Identifier: Apache-2.0

"""An API server whose answers to `grant-access` and `revoke-access` come late, or never."""

from __future__ import annotations

import httpx2
import pytest
from tests.fakes.acting import GRANT, ROLE, grant, refused
from tests.fakes.declaring import names, short
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import unreachable
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster


@pytest.mark.parametrize("error", [httpx2.ReadTimeout, httpx2.ReadError])
def test_given_no_answer_at_all_when_access_is_granted_then_nobody_else_is_blamed(
    deployed: Model, api: FakeCluster, error: type[httpx2.RequestError]
):
    api.fail(unreachable(error), request=f"POST {MAPPINGS}")

    said = refused(grant, deployed)

    assert "others" not in said
    assert "Kubernetes API" in said
    assert names(api) == []


@pytest.mark.parametrize("error", [httpx2.ReadTimeout, httpx2.ReadError])
def test_given_no_answer_at_all_when_access_is_revoked_then_nobody_else_is_blamed(
    deployed: Model, api: FakeCluster, error: type[httpx2.RequestError]
):
    grant(deployed)
    api.fail(unreachable(error), request=f"DELETE {MAPPINGS}/{GRANT}")

    said = refused(deployed.action, "revoke-access", arn=ROLE)

    assert "others" not in said
    assert "Kubernetes API" in said
    assert names(api) == [short(GRANT)]

"""The cluster refuses the CRD: who leaves the option loses access all the same."""

from __future__ import annotations

from tests.fakes.declaring import ACCOUNT, Declare, entry, names
from tests.fakes.kubernetes.faults import refused
from tests.fakes.kubernetes.paths import DEFINITION
from tests.fakes.kubernetes.server import FakeCluster

BOB, EVE = f"{ACCOUNT}:user/bob", f"{ACCOUNT}:user/eve"


def test_given_a_crd_that_the_cluster_refuses_when_an_entry_leaves_then_its_mapping_goes(
    declare: Declare, api: FakeCluster
):
    declare(entry("bob", BOB), entry("eve", EVE))
    api.objects[DEFINITION]["spec"]["versions"][0]["additionalPrinterColumns"] = []
    denied = refused(403, 'admission webhook "x" denied the request: no')
    api.fail(lambda _: denied, request=f"PATCH {DEFINITION}")

    status = declare(entry("eve", EVE))

    assert "denied the request: no" in status.message
    assert names(api) == ["eve"]

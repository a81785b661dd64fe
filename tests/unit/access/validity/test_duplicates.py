"""Mappings of others that have the ARN of a declared mapping."""

from __future__ import annotations

import ops
from tests.fakes.declaring import ACCOUNT, DEV, HEALTHY, Declare, entry, names, stored
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster

from access.mapping import IdentityMapping
from access.validity import check
from labels import GRANT, OPTION

SAID = "theirs: same ARN as declared mapping dev; run: kubectl delete iamidentitymapping theirs"


def test_given_a_declared_mapping_when_somebody_maps_its_principal_too_then_it_stays_as_it_was(
    declare: Declare, deployed: Model, api: FakeCluster
):
    declare(entry("dev", groups=["view"]))
    before = str(stored(api, "dev"))
    api.add_mapping("theirs", DEV, DEV.lower())
    api.forget()

    status = deployed.hook()

    assert str(stored(api, "dev")) == before
    assert api.changes == []
    assert status == ops.ActiveStatus(f"{HEALTHY}, 2 mappings, 1 broken mapping: {SAID}")
    assert "duplicate theirs: same ARN as declared mapping dev" in deployed.log()


def test_given_a_duplicate_when_its_principal_is_declared_then_the_declared_mapping_is_made_too(
    declare: Declare, api: FakeCluster
):
    api.add_mapping("theirs", f"{ACCOUNT}:role/DEV", DEV.lower())

    status = declare(entry("dev"))

    assert names(api) == ["dev", "theirs"]
    assert stored(api, "dev")["status"] == {"canonicalARN": DEV.lower()}
    assert status == ops.ActiveStatus(f"{HEALTHY}, 2 mappings, 1 broken mapping: {SAID}")


def test_given_a_duplicate_when_it_is_deleted_then_there_is_nothing_to_say(
    declare: Declare, deployed: Model, api: FakeCluster
):
    api.add_mapping("theirs", DEV, DEV.lower())
    declare(entry("dev"))
    api.delete(f"{MAPPINGS}/theirs")

    assert deployed.hook() == ops.ActiveStatus(f"{HEALTHY}, 1 mapping")


def test_given_other_problems_when_there_is_a_duplicate_then_the_status_names_the_duplicate():
    mappings = [
        *(IdentityMapping(f"a{n}", f"not an ARN {n}", "a", "") for n in range(9)),
        IdentityMapping("dev", DEV, "dev", DEV.lower(), source=OPTION),
        IdentityMapping("theirs", DEV, "x", DEV.lower(), source=GRANT),
    ]

    report = check(mappings)

    name, problem = next(iter(report.problems.items()))
    assert f"{name}: {problem}" == SAID
    assert "dev" not in report.problems


def test_given_a_declared_mapping_without_its_label_when_it_leaves_the_option_then_it_goes(
    declare: Declare, deployed: Model, api: FakeCluster
):
    declare(entry("dev"))
    stored(api, "dev")["metadata"].pop("labels")
    deployed.hook()

    declare()

    assert names(api) == []

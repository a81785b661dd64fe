"""The action that lets a principal in, for a while or until it is revoked."""

from __future__ import annotations

import copy
import subprocess
from typing import Any

import httpx2
import pytest
from tests.fakes.acting import GRANT, ROLE, grant, lists_stored, refused
from tests.fakes.alarms import after, rings
from tests.fakes.explaining import refuse
from tests.fakes.juju.model import OWNER, Model
from tests.fakes.kubernetes.faults import ok, refusal, unreachable
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.rbac import RBAC, REVIEWS
from tests.fakes.kubernetes.server import FakeCluster

CANONICAL = "arn:aws:iam::111122223333:role/dev"
PATH = f"{MAPPINGS}/{GRANT}"


def test_given_a_name_longer_than_an_argument_when_granted_then_linux_takes_the_results(
    deployed: Model,
):
    results = grant(deployed, username="[" * 200_000)

    subprocess.run(["true", *(f"{key}={value}" for key, value in results.items())], check=True)
    assert results["result"] == "granted"
    assert results["username"].endswith("[…")


def test_given_a_principal_when_it_is_granted_access_then_its_mapping_works_at_once(
    deployed: Model, api: FakeCluster
):
    results = grant(deployed, groups="view, dev", for_="2h", reason="incident 42")

    end = after(api, 7200)
    assert results == {
        "result": "granted",
        "mapping": GRANT,
        "arn": ROLE,
        "username": "alice",
        "groups": "view, dev",
        "ends": end,
        "effective": "now",
        "roles": (
            "no binding names this user or its groups\nrun: kubectl create "
            "clusterrolebinding NAME --clusterrole=view --user=alice"
        ),
    }
    stored = api.objects[PATH]
    assert stored["spec"] == {"arn": ROLE, "username": "alice", "groups": ["view", "dev"]}
    assert stored["status"] == {"canonicalARN": CANONICAL}
    assert stored["metadata"]["labels"] == {"aws-iam/source": "grant"}
    assert stored["metadata"]["annotations"] == {
        "aws-iam/owner": OWNER.mark,
        "aws-iam/expires": end,
        "aws-iam/reason": "incident 42",
    }


def test_given_an_alarm_that_rings_sooner_when_access_is_granted_then_it_rings_for_both(
    deployed: Model, api: FakeCluster
):
    grant(deployed, for_="1m")
    grant(deployed, for_="1h", arn=f"{ROLE}-2")
    assert rings(deployed, api) == [pytest.approx(60, abs=1)]

    api.clock.now += 61
    deployed.expire("alarm")
    assert rings(deployed, api) == [pytest.approx(3539, abs=1)]


def test_given_a_grant_that_ends_later_when_the_first_ends_without_a_cluster_then_it_looks_again(
    deployed: Model, api: FakeCluster
):
    grant(deployed, for_="1m")
    grant(deployed, for_="1h", arn=f"{ROLE}-2")

    # A unit that waits looks again anyway, and a blocked one does not.
    deployed.config = {"replicas": 0}
    api.clock.now += 61
    api.fail(unreachable(httpx2.ConnectError))
    deployed.expire("alarm")

    assert rings(deployed, api) == [pytest.approx(30, abs=1)]


def test_given_a_grant_when_it_is_repeated_then_it_is_prolonged_and_keeps_its_reason(
    deployed: Model, api: FakeCluster
):
    first = grant(deployed, for_="1h", reason="incident 42")
    api.clock.now += 1800

    again = grant(deployed, for_="1h", arn=ROLE.upper().replace("ARN:AWS:IAM", "arn:aws:iam"))

    assert again["result"] == "changed"
    assert again["mapping"] == first["mapping"]
    assert again["effective"] == "now; cached tokens keep the old user for up to 1 minute"
    assert (again["ends"], again["previous-end"]) == (after(api, 3600), first["ends"])
    annotations = api.objects[PATH]["metadata"]["annotations"]
    assert annotations["aws-iam/expires"] == again["ends"]
    assert annotations["aws-iam/reason"] == "incident 42"
    # No mapping's ARN can be changed.
    assert api.objects[PATH]["spec"]["arn"] == ROLE


def test_given_a_grant_when_it_is_repeated_then_what_is_not_given_stays_and_is_named(
    deployed: Model, api: FakeCluster
):
    first = grant(deployed, for_="1h", groups="view")

    again = grant(deployed, groups="dev", username="bob")

    assert (again["result"], again["ends"], again["kept"]) == ("changed", first["ends"], "ends")
    assert api.objects[PATH]["spec"] == {"arn": ROLE, "username": "bob", "groups": ["dev"]}
    assert api.objects[PATH]["metadata"]["annotations"]["aws-iam/expires"] == first["ends"]
    assert grant(deployed, for_="2h", username="bob")["kept"] == "groups"
    assert api.objects[PATH]["spec"]["groups"] == ["dev"]


@pytest.mark.parametrize("reason", ["", "incident 42"])
def test_given_a_grant_when_the_same_is_granted_again_then_nothing_changes(
    deployed: Model, api: FakeCluster, reason: str
):
    grant(deployed, groups="view", reason=reason)
    api.forget()

    assert grant(deployed, groups="view", reason=reason)["result"] == "unchanged"
    assert api.changes == []


def test_given_a_role_with_its_path_when_it_is_granted_access_then_the_path_is_taken_off(
    deployed: Model, api: FakeCluster
):
    results = grant(deployed, arn=ROLE.replace("Dev", "team/Dev"))

    assert results["arn"] == api.objects[PATH]["spec"]["arn"] == ROLE
    assert results["remark"] == f"no login has a role path, so it is for {ROLE}"


def test_given_a_dry_run_when_access_is_granted_then_nothing_changes(
    deployed: Model, api: FakeCluster
):
    results = grant(deployed, for_="1h", dry_run=True)
    assert results["result"] == "would grant"
    assert api.changes == []
    assert rings(deployed, api) == []

    real = grant(deployed, for_="1h")
    assert real.pop("effective") == "now"
    assert real == {**results, "result": "granted"}

    before = copy.deepcopy(api.objects)
    change = grant(deployed, for_="2h", dry_run=True)
    assert change["result"] == "would change"
    assert "effective" not in change
    assert api.objects == before


def test_given_a_principal_that_the_option_declares_when_access_is_granted_then_it_is_refused(
    deployed: Model, api: FakeCluster
):
    deployed.config = {"mappings": f"- arn: {ROLE}"}

    assert refused(grant, deployed) == (
        f"the option mappings declares {ROLE} (mappings[0]): change its entry there, then run: "
        "juju config aws-iam mappings=@<file>"
    )
    assert api.changes == []


def test_given_a_name_when_access_is_granted_then_the_mapping_has_it(deployed: Model):
    assert grant(deployed, name="break-glass")["mapping"] == "break-glass"
    assert grant(deployed, for_="1h")["mapping"] == "break-glass"


def test_given_a_grant_that_others_keep_changing_when_it_is_repeated_then_the_action_says_so(
    deployed: Model, api: FakeCluster
):
    grant(deployed, for_="1h")
    api.fail(refusal(409, "modified"), request=f"PATCH {PATH}")

    said = refused(grant, deployed, for_="2h")

    assert said == (
        f"mapping {GRANT} may not be as it should, run this again: others keep changing it"
    )


def test_given_a_unit_that_does_not_lead_when_access_is_granted_then_only_without_an_end(
    two: Model,
):
    assert refused(grant, two, unit=1, for_="1h") == (
        "only the leader ends access in time: run this on aws-iam/leader"
    )
    assert grant(two, unit=1)["result"] == "granted"


SET: dict[str, Any] = {"arn": "", "permission_set": "DevOps@111122223333"}
SSO = "arn:aws:iam::111122223333:role/AWSReservedSSO_DevOps_1a2b3c4d5e6f7081"
UNKNOWN = (
    "the role of permission set DevOps@111122223333 is not known: let somebody try to log in with "
    "it, then run this again, or give suffix"
)


def test_given_a_permission_set_with_its_suffix_when_access_is_granted_then_its_role_is_mapped(
    deployed: Model, api: FakeCluster
):
    results = grant(deployed, **SET, suffix="1a2b3c4d5e6f7081")

    assert (results["result"], results["arn"]) == ("granted", SSO)
    assert api.objects[f"{MAPPINGS}/{results['mapping']}"]["status"] == {
        "canonicalARN": SSO.lower()
    }


def test_given_a_permission_set_whose_login_was_refused_when_granted_then_its_role_is_mapped(
    deployed: Model, api: FakeCluster
):
    assert refused(grant, deployed, **SET) == UNKNOWN
    refuse(api, SSO)

    assert grant(deployed, **SET)["arn"] == SSO


@pytest.mark.parametrize("params", [{}, SET], ids=["role", "permission set"])
def test_given_mappings_that_were_just_made_when_access_is_granted_then_the_action_sees_them(
    deployed: Model, api: FakeCluster, params: dict[str, Any]
):
    refuse(api, SSO)
    api.forget()
    grant(deployed, **params)
    assert lists_stored(api)


def test_given_bindings_when_access_is_granted_then_the_result_says_what_they_give(
    deployed: Model, api: FakeCluster
):
    api.add_binding("view", "ClusterRole/view", Group="dev")

    assert grant(deployed, groups="dev", dry_run=True)["roles"] == "ClusterRole/view"
    assert grant(deployed, groups="dev")["roles"] == "ClusterRole/view"
    assert grant(deployed, groups="system:masters")["roles"] == "everything (system:masters)"


def test_given_bindings_that_cannot_be_read_when_access_is_granted_then_it_is_granted_anyway(
    deployed: Model, api: FakeCluster
):
    api.fail(refusal(500, "no"), request=f"GET {RBAC}/clusterroles")

    results = grant(deployed)

    assert results["result"] == "granted"
    assert results["roles"] == "unknown: waiting for the Kubernetes API: 500 'no'"
    assert PATH in api.objects


def test_given_a_cluster_that_does_not_ask_rbac_when_access_is_granted_then_a_warning_says_so(
    deployed: Model, api: FakeCluster
):
    api.fail(lambda _: ok({"spec": {}, "status": {"allowed": True}}), request=f"POST {REVIEWS}")

    assert grant(deployed)["warning"].startswith("everybody who logs in may do everything")


def test_given_a_grant_that_the_cluster_lets_nobody_change_then_nobody_says_that_it_is_closed(
    deployed: Model, api: FakeCluster
):
    grant(deployed)
    api.fail(refusal(403, 'admission webhook "x" denied the request'), request=f"PATCH {PATH}")

    failure = refused(grant, deployed, groups="devs")

    assert api.objects[PATH]["status"] == {"canonicalARN": CANONICAL}
    assert failure.startswith(f"mapping {GRANT} is not as it should be: the cluster refuses it")

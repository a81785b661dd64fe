"""The action that lets a principal in, for a while or until it is revoked."""

from __future__ import annotations

import subprocess

import httpx2
import pytest
from tests.fakes.acting import GRANT, ROLE, grant, lists_stored, refused
from tests.fakes.alarms import after, rings
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


def test_given_a_grant_when_it_is_repeated_then_it_is_what_the_last_one_says(
    deployed: Model, api: FakeCluster
):
    first = grant(deployed, groups="view", for_="1h", reason="incident 42")
    api.clock.now += 1800

    spelt = ROLE.upper().replace("ARN:AWS:IAM", "arn:aws:iam")
    again = grant(deployed, arn=spelt, username="bob", reason="incident 43")

    assert (again["result"], again["mapping"]) == ("changed", first["mapping"])
    assert again["effective"] == "now; cached tokens keep the old user for up to 1 minute"
    assert again["ends"] == "never: for was not given"
    assert again["previous-end"] == first["ends"]
    stored = api.objects[PATH]
    # No mapping's ARN can be changed.
    assert stored["spec"] == {"arn": ROLE, "username": "bob", "groups": []}
    assert stored["metadata"]["annotations"] == {
        "aws-iam/owner": OWNER.mark,
        "aws-iam/reason": "incident 43",
    }


def test_given_a_grant_when_only_the_reason_is_left_out_then_the_former_one_goes(
    deployed: Model, api: FakeCluster
):
    grant(deployed, groups="view", reason="incident 42")
    grant(deployed, groups="view")

    assert api.objects[PATH]["metadata"]["annotations"] == {"aws-iam/owner": OWNER.mark}


def test_given_a_reason_when_access_is_granted_then_one_line_of_the_log_has_it(deployed: Model):
    grant(deployed, reason="incident 42")

    lines = [line for line in deployed.log().splitlines() if GRANT in line]
    assert lines == [f"grant-access (incident 42): create mapping {GRANT} of {ROLE}"]


def test_given_a_role_with_its_path_when_it_is_granted_access_then_the_path_is_taken_off(
    deployed: Model, api: FakeCluster
):
    results = grant(deployed, arn=ROLE.replace("Dev", "team/Dev"))

    assert results["arn"] == api.objects[PATH]["spec"]["arn"] == ROLE
    assert results["remark"] == f"no login has a role path, so it is for {ROLE}"


def test_given_a_principal_that_the_option_declares_when_access_is_granted_then_it_is_refused(
    deployed: Model, api: FakeCluster
):
    deployed.config = {"mappings": f"- arn: {ROLE}"}

    assert refused(grant, deployed) == (
        f"the option mappings declares {ROLE} (mappings[0]): change its entry there, then run: "
        "juju config aws-iam mappings=@<file>"
    )
    assert api.changes == []


def test_given_a_grant_that_others_keep_changing_when_it_is_repeated_then_the_action_says_so(
    deployed: Model, api: FakeCluster
):
    grant(deployed, for_="1h")
    api.fail(refusal(409, "modified"), request=f"PATCH {PATH}")

    said = refused(grant, deployed, for_="2h")

    assert said == (
        f"mapping {GRANT} may not be as it should, run this again: "
        "others change it, or no time was left"
    )


def test_given_a_unit_that_does_not_lead_when_access_is_granted_then_only_without_an_end(
    two: Model,
):
    assert refused(grant, two, unit=1, for_="1h") == (
        "only the leader ends access in time: run this on aws-iam/leader"
    )
    assert grant(two, unit=1)["result"] == "granted"


def test_given_mappings_that_were_just_made_when_access_is_granted_then_the_action_sees_them(
    deployed: Model, api: FakeCluster
):
    api.forget()
    grant(deployed)
    assert lists_stored(api)


def test_given_bindings_when_access_is_granted_then_the_result_says_what_they_give(
    deployed: Model, api: FakeCluster
):
    api.add_binding("view", "ClusterRole/view", Group="dev")

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

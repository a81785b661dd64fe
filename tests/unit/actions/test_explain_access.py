"""The action that explains why a principal may log in, or may not."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from tests.fakes.acting import refused
from tests.fakes.declaring import Declare, entry
from tests.fakes.explaining import ROLE, explained, refuse
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import answer
from tests.fakes.kubernetes.paths import MAPPINGS, PODS
from tests.fakes.kubernetes.rbac import REVIEWS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.listing import add
from tests.fakes.machine import Files

ASK = "to ask Kubernetes what it may do, run: kubectl auth can-i --list"
GRANT = "juju run aws-iam/leader grant-access"
SESSION = "arn:aws:sts::111122223333:assumed-role/dev/a@b"
SSO = "arn:aws:iam::111122223333:role/AWSReservedSSO_DevOps_1a2b3c4d5e6f7081"
SSO_SESSION = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_DevOps_1a2b3c4d5e6f7081/zoe"
DEVOPS = {"permission-set": "DevOps", "account": "111122223333", "username": "devops"}
SET = "permission set DevOps@111122223333 (mappings[0])"
LEARNS = (
    f"{SET} will let it in: its first login is refused, and the leader's next hook maps the role; "
    "to map it then, run: juju exec --unit aws-iam/leader -- "
    "JUJU_DISPATCH_PATH=hooks/update-status ./dispatch"
)


@pytest.fixture
def bound(deployed: Model, api: FakeCluster) -> Model:
    """A mapped person with a role in namespace `default`, as everybody has a basic one."""
    add(api, "dev", "dev", "alice", "readers")
    api.add_role("default/pod-reader", "get", "list")
    reviews = {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]}
    api.add_rules("basic", {**reviews, "verbs": ["create"]})
    api.add_binding("default/read", "Role/pod-reader", Group="readers")
    api.add_binding("basic", "ClusterRole/basic", Group="system:authenticated")
    return deployed


def test_given_a_mapped_principal_when_explained_then_each_line_is_a_link_of_the_chain(
    bound: Model, files: Files
):
    files.run_api_server("--oidc-issuer-url=https://x")
    pathed = ROLE.replace("dev", "team/dev")

    assert bound.action("explain-access", arn=pathed) == {
        "explanation": "\n".join(
            [
                f"{pathed} logs in without its path, because no login has a role path",
                f"logins are looked up as {ROLE}",
                "tokens that the API server checks itself (--oidc-issuer-url) are not looked at",
                "mapping dev, made with kubectl, lets it in as user alice, groups readers",
                "RoleBinding/default/read gives Role/default/pod-reader to group readers",
                "everybody who logs in has ClusterRole/basic",
                f"{ASK} --as=alice --as-group=readers",
            ]
        ),
        "principal": ROLE,
        "admitted": "yes",
        "mapping": "dev",
        "username": "alice",
        "groups": "readers",
        "roles": "Role/default/pod-reader",
    }


def test_given_a_cluster_that_does_not_ask_rbac_when_explained_then_a_line_warns_of_it(
    bound: Model, api: FakeCluster
):
    api.fail(answer(201, b'{"spec": {}, "status": {"allowed": true}}'), request=f"POST {REVIEWS}")

    assert explained(bound)[-3:-1] == [
        "everybody who logs in may do everything, because the API server does not ask RBAC",
        "run: juju config kubernetes-control-plane authorization-mode=RBAC,Node",
    ]


def test_given_a_mapped_principal_without_a_role_when_explained_then_a_command_gives_it_one(
    deployed: Model, api: FakeCluster
):
    add(api, "dev", "dev", "o'hara")

    assert explained(deployed)[1:] == [
        'mapping dev, made with kubectl, lets it in as user "o\'hara", no groups',
        "no binding names this user or its groups",
        "run: kubectl create clusterrolebinding NAME --clusterrole=view '--user=o'\"'\"'hara'",
        "everybody who logs in has no role",
        f"{ASK} '--as=o'\"'\"'hara'",
    ]


def test_given_no_mapping_when_explained_then_the_nearest_and_the_command_that_admits_are_named(
    deployed: Model, api: FakeCluster
):
    add(api, "dev", "team/dev", "alice")
    pathed = ROLE.replace("dev", "team/dev")

    results = deployed.action("explain-access", arn=ROLE)

    assert results == {
        "explanation": "\n".join(
            [
                f"logins are looked up as {ROLE}",
                "the login is refused (Unauthorized): no mapping names it",
                f"near miss: mapping dev ({pathed}): no login has a role path; map {ROLE} instead",
                f"to let it in: {GRANT} arn={ROLE} username=USERNAME groups=GROUPS",
                "nobody was refused in the last hour",
            ]
        ),
        "principal": ROLE,
        "admitted": "no",
    }
    # No binding is read.
    assert api.requests == [f"GET {MAPPINGS}", f"GET {PODS}"]


def test_given_another_partition_when_explained_then_the_login_is_refused_though_it_is_mapped(
    bound: Model,
):
    bound.config = {"partition": "aws-cn"}

    assert bound.action("explain-access", arn=ROLE)["admitted"] == "no"
    assert explained(bound) == [
        f"logins are looked up as {ROLE}",
        "the login is refused: no login has partition aws, because the option partition is aws-cn",
        "nobody was refused in the last hour",
    ]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"username": "{{EC2PrivateDNSName}}"}, "{{EC2PrivateDNSName}} is not supported"),
        ({"groups": "view"}, "groups is not a list of names; delete the mapping, and create it"),
    ],
)
def test_given_a_mapping_that_lets_nobody_in_when_explained_then_it_does_not_say_admitted(
    bound: Model, api: FakeCluster, spec: dict[str, Any], reason: str
):
    api.objects[f"{MAPPINGS}/dev"]["spec"].update(spec)

    results = bound.action("explain-access", arn=ROLE)

    assert results["admitted"] == "no"
    assert f"mapping dev names it, and the login is refused: {reason}" in results["explanation"]


def test_given_two_mappings_of_it_when_explained_then_what_each_gives_is_said(
    bound: Model, api: FakeCluster
):
    add(api, "ops", "dev", "root", "system:masters")

    results = bound.action("explain-access", arn=ROLE)

    assert results["explanation"].splitlines()[1:] == [
        "2 mappings name it, and the authenticator uses any of them: delete all but one",
        "mapping dev, made with kubectl, lets it in as user alice, groups readers",
        "mapping dev: same ARN as mapping ops; delete one of them",
        "RoleBinding/default/read gives Role/default/pod-reader to group readers",
        "mapping ops, made with kubectl, lets it in as user root, groups system:masters",
        "mapping ops: same ARN as mapping dev; delete one of them",
        "group system:masters may do everything, whatever the roles say",
        "everybody who logs in has ClusterRole/basic",
        f"{ASK} --as=alice --as-group=readers",
        f"{ASK} --as=root --as-group=system:masters",
    ]
    assert results["mapping"] == "dev,ops"
    assert not results.keys() & {"username", "groups", "roles"}


@pytest.mark.parametrize(
    ("expires", "line"),
    [
        ("2999-01-01T00:00:00Z", "ends at 2999-01-01T00:00:00Z"),
        ("2020-01-01T00:00:00+01:00", "ended at 2019-12-31T23:00:00Z: the leader's next hook "),
    ],
)
def test_given_a_mapping_that_ends_when_explained_then_it_is_said_when(
    deployed: Model, api: FakeCluster, expires: str, line: str
):
    api.clock.now = datetime.datetime(2026, 11, 26, tzinfo=datetime.timezone.utc).timestamp()
    api.add_mapping("dev", ROLE, ROLE, source="grant", expires=expires)

    said = explained(deployed)

    assert said[1] == "mapping dev, made by grant, lets it in as user dev, no groups"
    assert said[2].startswith(f"mapping dev {line}")


def test_given_access_that_has_ended_when_explained_and_listed_then_it_is_said_when(
    deployed: Model,
):
    deployed.peer["ended"] = json.dumps([("dev", ROLE.upper(), "2026-11-26T08:00:00Z")])

    assert "mapping dev let it in, and ended at 2026-11-26T08:00:00Z" in explained(deployed)
    assert deployed.action("list-mappings")["ended"] == (
        f"dev ({ROLE.upper()}) ended at 2026-11-26T08:00:00Z"
    )


def test_given_a_role_whose_session_counts_when_explained_then_it_is_asked_for_and_filled_in(
    deployed: Model, api: FakeCluster
):
    add(api, "dev", "dev", "dev:{{SessionName}}", "team-{{AccountID}}")
    api.add_binding("view", "ClusterRole/view", User=("dev:a-b", "dev:bob", "ops:bob"))

    results = deployed.action("explain-access", arn=SESSION)
    lines = explained(deployed)

    assert (results["username"], results["groups"]) == ("dev:a-b", "team-111122223333")
    assert results["roles"] == "ClusterRole/view"
    assert lines[2:] == [
        (
            "{{…}} is filled in at login; to see it, pass a session's ARN: "
            "arn:aws:sts::<account>:assumed-role/<role>/<session>"
        ),
        "ClusterRoleBinding/view gives ClusterRole/view to user dev:a-b",
        "ClusterRoleBinding/view gives ClusterRole/view to user dev:bob",
        "everybody who logs in has no role",
    ]


def test_given_thousands_of_bindings_when_explained_then_the_first_are_shown_and_all_are_counted(
    deployed: Model, api: FakeCluster
):
    add(api, "dev", "dev", "alice")
    for n in range(3_000):
        api.add_binding(f"b{n:04}", f"ClusterRole/{'r' * 60}{n}", User="alice")

    results = deployed.action("explain-access", arn=ROLE)

    assert results["explanation"].count("ClusterRoleBinding/") == 50
    assert "\n2950 more bindings give it roles\n" in results["explanation"]
    assert max(len(text.encode()) for text in results.values()) == 100_000


def test_given_a_name_with_control_characters_when_explained_then_it_adds_no_line(
    deployed: Model, api: FakeCluster
):
    add(api, "dev", "dev", "alice\nyes: allowed\x1b[2J", "a\nb")

    results = deployed.action("explain-access", arn=ROLE)

    assert len(results["explanation"].splitlines()) == 6
    assert all(text.replace("\n", "").isprintable() for text in results.values())


def test_given_what_is_no_principal_when_explained_then_the_action_says_what_one_looks_like(
    deployed: Model, api: FakeCluster
):
    assert refused(explained, deployed, "dev") == (
        "'dev' is not an ARN such as arn:aws:iam::111122223333:role/admin"
    )
    assert api.seen == []


# What the option declares.


def test_given_an_entry_whose_mapping_is_yet_to_be_made_then_no_command_is_said_that_is_refused(
    deployed: Model,
):
    deployed.config = {"mappings": json.dumps([entry("dev", ROLE)]), "replicas": 99}

    said = deployed.action("explain-access", arn=ROLE)["explanation"]

    assert "mappings[0] of the option declares it: juju status says what keeps it out" in said
    assert "grant-access" not in said


NO_KEY = "mappings[1]: the key 'oops' is unknown"
TWO = "mappings[1]: it is not a map with arn, username and groups (and 1 more)"


@pytest.mark.parametrize(
    ("wrong", "fault"), [([entry("ops", SSO, oops="x")], NO_KEY), ([{}, {}], TWO)]
)
def test_given_an_option_with_a_fault_when_explained_or_refused_then_the_fault_is_said(
    declare: Declare, deployed: Model, api: FakeCluster, wrong: list[dict[str, Any]], fault: str
):
    declare(entry("dev", ROLE), *wrong)
    refuse(api, ROLE)
    said = f"mappings[0] of the option declares it, and nothing of the option is applied: {fault}"

    assert said in explained(deployed)
    assert said in deployed.action("list-refusals")["refusals"].splitlines()
    assert not any("grant-access" in line for line in explained(deployed))
    other = explained(deployed, f"{ROLE}-2")
    assert f"nothing of the option mappings is applied: {fault}" in other


@pytest.mark.parametrize("arn", [SSO, SSO_SESSION, ""])
def test_given_a_refused_role_of_a_declared_set_when_explained_then_the_leader_will_map_it(
    two: Model, api: FakeCluster, arn: str
):
    two.config = {"mappings": json.dumps([DEVOPS, {"arn": ROLE}])}
    refuse(api, SSO)
    api.forget()

    explaining = {"arn": arn} if arn else {}
    results = two.action("explain-access" if arn else "list-refusals", 1, **explaining)

    text = results.get("explanation") or results["refusals"]
    lines = text.splitlines()
    assert "grant-access" not in text
    assert lines[1].startswith(f"{SSO}, once, ") or arn
    assert lines[2] == LEARNS
    assert results.get("admitted", "no") == "no"
    assert api.changes == []


def test_given_a_second_role_of_a_set_when_it_is_refused_then_the_role_in_use_stays(
    declare: Declare, deployed: Model, api: FakeCluster
):
    used = SSO.replace("1a2b", "ffff")
    refuse(api, used)
    declare(DEVOPS)
    refuse(api, SSO)

    deployed.hook()

    assert deployed.action("explain-access", arn=used)["admitted"] == "yes"
    said = deployed.action("explain-access", arn=SSO)["explanation"]
    new = "set suffix: 1a2b3c4d5e6f7081 in mappings[0]"
    line = f"{SET} has role {used}: if it was provisioned again, {new}"
    assert line in said.splitlines()
    assert "grant-access" not in said
    assert line in deployed.action("list-refusals")["refusals"].splitlines()


@pytest.mark.parametrize("arn", [SSO_SESSION, SSO.lower()], ids=["a session", "in lower case"])
def test_given_a_declared_set_that_nobody_has_used_when_explained_then_a_login_is_the_remedy(
    deployed: Model, arn: str
):
    deployed.config = {"mappings": json.dumps([DEVOPS])}

    lines = explained(deployed, arn)

    assert lines[2] == LEARNS
    assert "grant-access" not in "".join(lines)


@pytest.mark.parametrize("arn", [SSO.replace("DevOps", "DevOps_Admin"), ROLE])
def test_given_a_refused_role_of_no_declared_set_when_explained_then_nothing_is_mapped(
    deployed: Model, api: FakeCluster, arn: str
):
    deployed.config = {"mappings": json.dumps([DEVOPS])}
    refuse(api, arn)

    assert "juju run aws-iam/leader grant-access" in "".join(explained(deployed, arn))
    assert api.changes == []

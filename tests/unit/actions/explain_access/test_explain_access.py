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
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.rbac import REVIEWS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.listing import add
from tests.fakes.machine import Files

from access import expiry
from access.expiry import Ended

ASK = "to ask Kubernetes what it may do, run: kubectl auth can-i --list"
SESSION = "arn:aws:sts::111122223333:assumed-role/dev/a@b"


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


def test_given_a_mapped_principal_then_each_line_is_a_link_of_the_chain(bound: Model):
    assert bound.action("explain-access", arn=ROLE) == {
        "explanation": "\n".join(
            [
                f"logins are looked up as {ROLE}",
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


def test_given_an_api_server_that_checks_tokens_itself_when_explained_then_a_line_says_so(
    bound: Model, files: Files
):
    assert not [line for line in explained(bound) if "not looked at" in line]
    files.run_api_server("--oidc-issuer-url=https://x")

    assert explained(bound)[:2] == [
        f"logins are looked up as {ROLE}",
        "tokens that the API server checks itself (--oidc-issuer-url) are not looked at",
    ]


def test_given_a_name_with_a_quote_when_explained_then_the_last_line_asks_kubernetes_for_it(
    deployed: Model, api: FakeCluster
):
    add(api, "dev", "dev", "o'hara", "readers", "on call")

    assert explained(deployed)[-1] == (
        f"{ASK} '--as=o'\"'\"'hara' --as-group=readers '--as-group=on call'"
    )


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

    results = deployed.action("explain-access", arn=ROLE)

    assert results == {
        "explanation": "\n".join(
            [
                f"logins are looked up as {ROLE}",
                "the login is refused (Unauthorized): no mapping names it",
                (
                    f"near miss: mapping dev ({ROLE.replace('dev', 'team/dev')}): "
                    f"no login has a role path; map {ROLE} instead"
                ),
                (
                    f"to let it in: juju run aws-iam/leader grant-access arn={ROLE} "
                    "username=USERNAME groups=GROUPS"
                ),
                "nobody was refused in the last hour",
            ]
        ),
        "principal": ROLE,
        "admitted": "no",
    }


def test_given_a_role_with_its_path_then_it_is_told_that_logins_have_none(bound: Model):
    pathed = ROLE.replace("dev", "team/dev")

    assert explained(bound, pathed)[:3] == [
        f"{pathed} logs in without its path, because no login has a role path",
        f"logins are looked up as {ROLE}",
        "mapping dev, made with kubectl, lets it in as user alice, groups readers",
    ]


def test_given_another_partition_then_the_login_is_refused_though_it_is_mapped(bound: Model):
    bound.config = {"partition": "aws-cn"}

    results = bound.action("explain-access", arn=ROLE)

    assert results["admitted"] == "no"
    assert results["explanation"].splitlines() == [
        f"logins are looked up as {ROLE}",
        "the login is refused: no login has partition aws, because the option partition is aws-cn",
        "nobody was refused in the last hour",
    ]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (
            {"username": "{{EC2PrivateDNSName}}"},
            "{{EC2PrivateDNSName}} is not supported; remove it",
        ),
        (
            {"groups": "view"},
            "groups is not a list of names; delete the mapping, and create it again",
        ),
    ],
)
def test_given_a_mapping_that_lets_nobody_in_when_explained_then_it_does_not_say_admitted(
    bound: Model, api: FakeCluster, spec: dict[str, Any], reason: str
):
    api.objects[f"{MAPPINGS}/dev"]["spec"].update(spec)

    results = bound.action("explain-access", arn=ROLE)

    assert results["admitted"] == "no"
    assert f"mapping dev names it, and the login is refused: {reason}" in results["explanation"]


def test_given_two_mappings_of_it_then_what_each_gives_is_said(bound: Model, api: FakeCluster):
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
        ("2999-01-01T00:00:00Z", "mapping dev ends at 2999-01-01T00:00:00Z"),
        (
            "2020-01-01T00:00:00+01:00",
            "mapping dev ended at 2020-01-01T00:00:00+01:00: the leader's next hook deletes it",
        ),
    ],
)
def test_given_a_mapping_that_ends_when_explained_then_it_is_said_when(
    deployed: Model, api: FakeCluster, expires: str, line: str
):
    api.clock.now = datetime.datetime(2026, 11, 26, tzinfo=datetime.timezone.utc).timestamp()
    add(
        api,
        "dev",
        "dev",
        "alice",
        labels={"aws-iam/source": "grant"},
        annotations={"aws-iam/expires": expires},
    )

    assert explained(deployed)[1:3] == [
        "mapping dev, made by grant, lets it in as user alice, no groups",
        line,
    ]


def test_given_a_session_then_its_name_is_filled_in(deployed: Model, api: FakeCluster):
    add(api, "dev", "dev", "dev:{{SessionName}}", "team-{{AccountID}}")
    api.add_binding("view", "ClusterRole/view", User="dev:a-b")

    results = deployed.action("explain-access", arn=SESSION)

    assert results["username"] == "dev:a-b"
    assert results["groups"] == "team-111122223333"
    assert results["roles"] == "ClusterRole/view"


def test_given_a_role_whose_session_counts_then_it_is_asked_for(deployed: Model, api: FakeCluster):
    add(api, "dev", "dev", "dev:{{SessionName}}")
    api.add_binding("view", "ClusterRole/view", User=("dev:a-b", "dev:bob", "ops:bob"))

    lines = explained(deployed)

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


def test_given_access_that_has_ended_then_it_is_said_when(deployed: Model):
    ended = Ended("dev", ROLE.upper(), "2026-11-26T08:00:00Z", "2026-11-26T08:00:01Z")
    deployed.peer["ended"] = expiry.dump([ended])

    assert "mapping dev let it in, and ended at 2026-11-26T08:00:00Z" in explained(deployed)
    assert deployed.action("list-mappings")["ended"] == (
        f"dev ({ROLE.upper()}) ended at 2026-11-26T08:00:00Z"
    )


def test_given_an_entry_whose_mapping_is_yet_to_be_made_then_no_command_is_said_that_is_refused(
    deployed: Model,
):
    deployed.config = {"mappings": json.dumps([{"arn": ROLE, "username": "dev"}]), "replicas": 99}
    deployed.hook()

    said = deployed.action("explain-access", arn=ROLE)["explanation"]

    assert "mappings[0] of the option declares it: juju status says what keeps it out" in said
    assert "grant-access" not in said


def test_given_an_entry_with_a_fault_when_explained_or_refused_then_the_fault_is_said(
    declare: Declare, deployed: Model, api: FakeCluster
):
    declare(entry("dev", ROLE, oops="x"))
    refuse(api, ROLE)
    said = "mappings[0] of the option declares it, and has a fault: the key 'oops' is unknown"

    assert said in explained(deployed)
    assert said in deployed.action("list-refusals")["refusals"].splitlines()
    assert not any("grant-access" in line for line in explained(deployed))

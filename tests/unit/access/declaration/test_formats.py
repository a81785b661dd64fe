"""The option `mappings` takes EKS' access entries, as each tool prints or writes them."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from tests.fakes.declaring import fault

from access.declaration import declared
from access.permission_sets import PermissionSet

NOW = datetime(2026, 11, 26, tzinfo=timezone.utc)
ACCOUNT = "arn:aws:iam::111122223333"
DEV = f"{ACCOUNT}:role/Dev"


def described(arn: str, **more: Any) -> str:
    """What `aws eks describe-access-entry` prints."""
    entry = {
        "clusterName": "prod",
        "principalArn": arn,
        "kubernetesGroups": [],
        "accessEntryArn": "arn:aws:eks:eu-west-1:111122223333:access-entry/prod/role/1/Dev/1",
        "createdAt": 1764201600.123,
        "modifiedAt": "2026-11-27T00:00:00+00:00",
        # The AWS CLI writes a character above U+FFFF as two.
        "tags": {"team": "\U0001f600"},
        "username": "arn:aws:sts::111122223333:assumed-role/Dev/{{SessionName}}",
        "type": "STANDARD",
        **more,
    }
    return json.dumps({"accessEntry": entry}, indent=4)


def associated(arn: str, policy: str, *namespaces: str) -> str:
    """What `aws eks list-associated-access-policies` prints."""
    scope = {"type": "namespace" if namespaces else "cluster", "namespaces": namespaces}
    return json.dumps(
        {
            "associatedAccessPolicies": [
                {
                    "policyArn": f"arn:aws:eks::aws:cluster-access-policy/{policy}",
                    "accessScope": scope,
                    "associatedAt": 1764201600.456,
                }
            ],
            "clusterName": "prod",
            "principalArn": arn,
        }
    )


EKSCTL = """\
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: prod, region: eu-west-1}
accessConfig:
  authenticationMode: API_AND_CONFIG_MAP
  bootstrapClusterCreatorAdminPermissions: true
  accessEntries:
  - principalARN: arn:aws:iam::111122223333:role/Dev
    type: STANDARD
    kubernetesUsername: dev:{{SessionName}}
    kubernetesGroups: [dev]
    accessPolicies:
    - policyARN: arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy
      accessScope: {type: namespace, namespaces: [default, dev-*]}
  - principalARN: arn:aws:iam::111122223333:role/node
    type: EC2_LINUX
iamIdentityMappings:
- arn: arn:aws:iam::111122223333:user/alice
  username: alice
"""
TERRAFORM = """\
access_entries:
  dev:
    principal_arn: arn:aws:iam::111122223333:role/Dev
    user_name: dev:{{SessionName}}
    kubernetes_groups: [dev]
    policy_associations:
      read:
        policy_arn: arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminViewPolicy
        access_scope: {type: cluster}
      write:
        policy_arn: arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy
        access_scope: {type: namespace, namespaces: [dev]}
"""
PRINTED = """\
{"access_entries": {"dev": {
  "access_entry_arn": "arn:aws:eks:eu-west-1:111122223333:access-entry/prod/role/1",
  "cluster_name": "prod", "id": "prod:arn:aws:iam::111122223333:role/Dev", "region": "eu-west-1",
  "created_at": "2026-11-27T00:00:00Z", "modified_at": "2026-11-27T00:00:00Z",
  "tags": null, "tags_all": {}, "timeouts": null, "type": "STANDARD",
  "principal_arn": "arn:aws:iam::111122223333:role/Dev",
  "kubernetes_groups": ["dev"], "user_name": "dev"
}}}
"""


def people(text: str) -> list[tuple[str, str, tuple[str, ...]]]:
    entries = declared.parse(text, NOW).entries
    return [(entry.arn, entry.username, entry.groups) for entry in entries]


def given(text: str) -> list[list[tuple[str, tuple[str, ...]]]]:
    entries = declared.parse(text, NOW).entries
    return [[(right.role, right.namespaces) for right in entry.rights] for entry in entries]


def remarks(text: str) -> list[str]:
    return list(map(str, declared.parse(text, NOW).left_out))


INSTEAD = ": write access in its place"


def test_given_what_a_shell_loop_prints_when_it_is_read_then_each_principal_has_its_rights():
    alice = f"{ACCOUNT}:user/alice"
    text = "\n".join(
        [
            associated(alice, "AmazonEKSClusterAdminPolicy"),
            described(DEV),
            associated(DEV, "AmazonEKSEditPolicy", "a", "b"),
            associated(DEV, "AmazonEKSViewPolicy"),
            associated(DEV, "AmazonEKSAdminPolicy"),
            described(alice, kubernetesGroups=["ops"], username="alice"),
        ]
    )

    assert people(text) == [
        (DEV, "arn:aws:sts::111122223333:assumed-role/Dev/{{SessionName}}", ()),
        (alice, "alice", ("ops",)),
    ]
    assert given(text) == [
        [("edit", ("a", "b")), ("view", ()), ("admin", ())],
        [("cluster-admin", ())],
    ]
    assert remarks(text) == []


def test_given_policies_that_nothing_here_is_like_when_they_are_read_then_each_is_named():
    bob = f"{ACCOUNT}:user/bob"
    text = (
        described(DEV)
        + associated(DEV, "AmazonEKSAdminViewPolicy")
        + associated(DEV, "AmazonEKSEditPolicy", "dev-*")
        + associated(bob, "AmazonEKSEditPolicy")
    )

    places = f"document 1: accessEntry of {DEV}.associatedAccessPolicies"
    assert given(text) == [[]]
    assert remarks(text) == [
        f"associatedAccessPolicies of {bob}: the access entry of its principal is missing",
        f"{places}[0]: no ClusterRole matches AmazonEKSAdminViewPolicy{INSTEAD}",
        f"{places}[1]: 'dev-*' is not a namespace's name{INSTEAD}",
    ]


@pytest.mark.parametrize("kind", ["FARGATE_LINUX", "NEW"])
def test_given_an_entry_of_nodes_when_it_is_read_then_it_is_left_out_by_its_type(kind: str):
    text = described(f"{ACCOUNT}:role/node", type=kind, kubernetesGroups=["x"])

    assert people(text) == []
    assert remarks(text) == [
        f"accessEntry of {ACCOUNT}:role/node: nodes do not log in with IAM here (type {kind})"
    ]


def test_given_eksctls_file_when_it_is_read_then_both_of_its_lists_count():
    assert people(EKSCTL) == [
        (f"{ACCOUNT}:user/alice", "alice", ()),
        (DEV, "dev:{{SessionName}}", ("dev",)),
    ]
    assert given(EKSCTL) == [[], []]
    creator = "accessConfig.bootstrapClusterCreatorAdminPermissions"
    entries = "accessConfig.accessEntries"
    assert remarks(EKSCTL) == [
        f"{creator}: who created the cluster is in no list, map them",
        f"{entries}[0].accessPolicies[0]: 'dev-*' is not a namespace's name{INSTEAD}",
        f"{entries}[1]: nodes do not log in with IAM here (type EC2_LINUX)",
    ]


def test_given_terraforms_access_entries_when_they_are_read_then_they_keep_their_names():
    assert people(TERRAFORM) == [(DEV, "dev:{{SessionName}}", ("dev",))]
    assert given(TERRAFORM) == [[("edit", ("dev",))]]
    read = "accessEntries.dev.policy_associations.read"
    said = f"{read}: no ClusterRole matches AmazonEKSAdminViewPolicy{INSTEAD}"
    assert remarks(TERRAFORM) == [said]


@pytest.mark.parametrize("partition", ["", "aws", "aws-cn", "aws-us-gov"])
def test_given_sso_of_the_authenticator_when_it_is_read_then_it_is_that_permission_set(
    partition: str,
):
    sso = {"permissionSetName": "DevOps", "accountID": "111122223333"}
    sso |= {"partition": partition} if partition else {}
    row = {"sso": sso, "username": "dev:{{SessionName}}", "groups": ["dev"]}
    text = json.dumps({"mapRoles": [row]})

    (entry,) = declared.parse(text, NOW, partition or "aws").entries

    assert entry.permission_set == PermissionSet("DevOps", "111122223333")
    assert (entry.username, entry.groups) == ("dev:{{SessionName}}", ("dev",))


def test_given_what_terraform_prints_of_access_entries_when_it_is_read_then_people_are_declared():
    assert people(PRINTED) == [(DEV, "dev", ("dev",))]


NO_MAP = "it is not a map with arn, username and groups"
NO_SSO = "mappings[0]: sso has not exactly permissionSetName and accountID, or partition"
NO_PARTITION = "mappings[0]: sso has the partition {}, and the option partition is aws"
TWICE = "mappings[0]: two keys name the same"
OF_SET = "permissionSetName: A, accountID: '111122223333'"
NO_LIST = "'x' is not a list of mappings; to read a file, write mappings=@FILE"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("accessEntries: all", "accessEntries is not a list"),
        ('{"mapUsers": []} x', f"document 2: {NO_LIST}"),
        ("[{sso: {permissionSetName: A}}]", NO_SSO),
        ("[{sso: A}]", NO_SSO),
        (f"[{{sso: {{{OF_SET}, partition: aws-cn}}}}]", NO_PARTITION.format("'aws-cn'")),
        (f"[{{sso: {{{OF_SET}, partition: [aws]}}}}]", "mappings[0]: partition is not a text"),
        ("[{sso: {permissionSetName: A, accountID: '1'}, permission-set: B}]", TWICE),
        ("accessConfig: {accessEntries: [arn]}", f"accessConfig.accessEntries[0]: {NO_MAP}"),
        ("access_entries: {dev: arn}", f"accessEntries.dev: {NO_MAP}"),
        (
            "[{principalArn: x, principal_arn: y}]",
            "mappings[0]: the key 'principalarn' is there twice",
        ),
        ("[{principalArn: x, arn: y}]", TWICE),
        ("[{principalArn: x, rol: y}]", "mappings[0]: the key 'rol' is unknown"),
        ('{"accessEntry": 1}', f"accessEntry: {NO_MAP}"),
        (json.dumps({"accessEntries": [DEV], "nextToken": None}), f"accessEntries[0]: {NO_MAP}"),
    ],
)
def test_given_what_is_none_of_these_when_it_is_read_then_one_line_says_where_and_why(
    text: str, line: str
):
    assert fault(declared.parse(text, NOW)) == line

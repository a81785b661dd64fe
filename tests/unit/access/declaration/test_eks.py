"""The option `mappings` takes EKS' access entries, as each tool prints or writes them."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from tests.fakes.declaring import fault

from access.declaration import declared
from access.declaration.formats import Remark
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


def people(text: str) -> list[tuple[str, str, tuple[str, ...]]]:
    entries = declared.parse(text, NOW).entries
    return [(entry.arn, entry.username, entry.groups) for entry in entries]


def given(text: str) -> list[list[tuple[str, tuple[str, ...]]]]:
    entries = declared.parse(text, NOW).entries
    return [[(right.role, right.namespaces) for right in entry.rights] for entry in entries]


def left_out(text: str) -> list[Remark]:
    return list(declared.parse(text, NOW).left_out)


def test_given_what_a_shell_loop_prints_when_it_is_read_then_each_principal_has_its_rights():
    alice = f"{ACCOUNT}:user/alice"
    text = "\n".join(
        [
            associated(alice, "AmazonEKSClusterAdminPolicy"),
            described(DEV),
            associated(DEV.upper().replace("ARN:AWS", "arn:aws"), "AmazonEKSEditPolicy", "a", "b"),
            associated(DEV, "AmazonEKSViewPolicy"),
            described(alice, kubernetesGroups=["ops"], username="alice"),
        ]
    )

    assert people(text) == [
        (DEV, "arn:aws:sts::111122223333:assumed-role/Dev/{{SessionName}}", ()),
        (alice, "alice", ("ops",)),
    ]
    assert given(text) == [[("edit", ("a", "b")), ("view", ())], [("cluster-admin", ())]]
    assert left_out(text) == []


def test_given_policies_that_nothing_here_is_like_when_they_are_read_then_each_is_named():
    text = (
        described(DEV)
        + associated(DEV, "AmazonEKSAdminViewPolicy")
        + associated(DEV, "AmazonEKSEditPolicy", "dev-*")
        + associated(f"{ACCOUNT}:user/bob", "AmazonEKSEditPolicy")
    )

    assert given(text) == [[]]
    assert left_out(text) == [
        Remark(
            "document 4: associatedAccessPolicies", "the access entry of its principal is missing"
        ),
        Remark(
            f"document 1: accessEntry of {DEV}.associatedAccessPolicies[0]",
            "no ClusterRole matches AmazonEKSAdminViewPolicy",
        ),
        Remark(
            f"document 1: accessEntry of {DEV}.associatedAccessPolicies[1].namespaces",
            "'dev-*' is not a namespace's name",
        ),
    ]


@pytest.mark.parametrize("kind", ["FARGATE_LINUX", "a new one"])
def test_given_an_entry_of_nodes_when_it_is_read_then_it_is_left_out_by_its_type(kind: str):
    text = described(f"{ACCOUNT}:role/node", type=kind, kubernetesGroups=["x"])

    assert people(text) == []
    assert left_out(text) == [
        Remark(
            f"accessEntry of {ACCOUNT}:role/node",
            f"nodes do not log in with IAM here (type {kind})",
        )
    ]


def test_given_a_list_of_arns_when_it_is_read_then_the_command_that_says_more_is_named():
    text = json.dumps({"accessEntries": [DEV], "nextToken": None})

    assert left_out(text) == [
        Remark(
            "accessEntries[0]",
            "only its ARN is there, add what aws eks describe-access-entry prints",
        )
    ]


def test_given_eksctls_file_when_it_is_read_then_both_of_its_lists_count():
    assert people(EKSCTL) == [
        (f"{ACCOUNT}:user/alice", "alice", ()),
        (DEV, "dev:{{SessionName}}", ("dev",)),
    ]
    assert given(EKSCTL) == [[], [("view", ("default",))]]
    assert left_out(EKSCTL) == [
        Remark(
            "accessConfig.bootstrapClusterCreatorAdminPermissions",
            "who created the cluster is in no list, map them",
        ),
        Remark(
            "accessConfig.accessEntries[0].accessPolicies[0].namespaces",
            "'dev-*' is not a namespace's name",
        ),
        Remark(
            "accessConfig.accessEntries[1]", "nodes do not log in with IAM here (type EC2_LINUX)"
        ),
    ]


def test_given_terraforms_access_entries_when_they_are_read_then_they_keep_their_names():
    assert people(TERRAFORM) == [(DEV, "dev:{{SessionName}}", ("dev",))]
    assert given(TERRAFORM) == [[("edit", ("dev",))]]
    assert left_out(TERRAFORM) == [
        Remark(
            "access_entries.dev.policy_associations.read",
            "no ClusterRole matches AmazonEKSAdminViewPolicy",
        )
    ]


def test_given_sso_of_the_authenticator_when_it_is_read_then_it_is_that_permission_set():
    text = """
mapRoles:
- sso: {permissionSetName: DevOps, accountID: "111122223333"}
  username: dev:{{SessionName}}
  groups: [dev]
"""
    (entry,) = declared.parse(text, NOW).entries

    assert entry.permission_set == PermissionSet("DevOps", "111122223333")
    assert (entry.username, entry.groups) == ("dev:{{SessionName}}", ("dev",))


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_given_sso_with_the_partition_of_the_option_when_it_is_read_then_it_is_the_same(
    partition: str,
):
    sso = {"permissionSetName": "DevOps", "accountID": "111122223333", "partition": partition}
    (entry,) = declared.parse(json.dumps([{"sso": sso}]), NOW, partition).entries

    assert entry.permission_set == PermissionSet("DevOps", "111122223333")


def test_given_what_terraform_prints_of_access_entries_when_it_is_read_then_people_are_declared():
    printed = {
        "access_entries": {
            "dev": {
                "access_entry_arn": "arn:aws:eks:eu-west-1:111122223333:access-entry/prod/role/1",
                "cluster_name": "prod",
                "created_at": "2026-11-27T00:00:00Z",
                "id": f"prod:{DEV}",
                "kubernetes_groups": ["dev"],
                "modified_at": "2026-11-27T00:00:00Z",
                "principal_arn": DEV,
                "region": "eu-west-1",
                "tags": None,
                "tags_all": {},
                "timeouts": None,
                "type": "STANDARD",
                "user_name": "dev",
            }
        }
    }
    (entry,) = declared.parse(json.dumps(printed), NOW).entries

    assert (entry.arn, entry.username, entry.groups) == (DEV, "dev", ("dev",))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("accessEntries: all", "accessEntries is not a list"),
        (
            '{"mapUsers": []} x',
            "document 2: 'x' is not a list of mappings; to read a file, write mappings=@FILE",
        ),
    ],
)
def test_given_what_is_none_of_these_when_it_is_read_then_one_line_says_why(text: str, line: str):
    assert fault(declared.parse(text, NOW)) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "[{sso: {permissionSetName: A}}]",
            "mappings[0]: sso has not exactly permissionSetName and accountID, or partition",
        ),
        (
            "[{sso: A}]",
            "mappings[0]: sso has not exactly permissionSetName and accountID, or partition",
        ),
        (
            "[{sso: {permissionSetName: A, accountID: '111122223333', partition: aws-cn}}]",
            "mappings[0]: sso has the partition 'aws-cn', and the option partition is aws",
        ),
        (
            "[{sso: {permissionSetName: A, accountID: '111122223333', partition: [aws]}}]",
            "mappings[0]: sso has the partition no text, and the option partition is aws",
        ),
        (
            "[{sso: {permissionSetName: A, accountID: '1'}, permission-set: B}]",
            "mappings[0]: two keys name the same",
        ),
        (
            "accessConfig: {accessEntries: [arn]}",
            "accessConfig.accessEntries[0]: it is not a map with arn, username and groups",
        ),
        (
            "access_entries: {dev: arn}",
            "access_entries.dev: it is not a map with arn, username and groups",
        ),
        ("[{principalArn: x, principal_arn: y}]", "mappings[0]: two keys name the same"),
        ("[{principalArn: x, rol: y}]", "mappings[0]: the key 'rol' is unknown"),
        ('{"accessEntry": 1}', "accessEntry: it is not a map with arn, username and groups"),
    ],
)
def test_given_an_entry_that_is_none_of_these_when_it_is_read_then_it_is_named(
    text: str, line: str
):
    assert fault(declared.parse(text, NOW)) == line

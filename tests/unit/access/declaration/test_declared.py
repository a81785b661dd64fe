"""The formats of the option `mappings`, and what is wrong with an entry."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, timezone
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes import damage
from tests.fakes.declaring import fault

from access import desired
from access.arn import canonicalize
from access.changes import changes
from access.declaration import declared
from access.declaration.entry import Entry
from access.declaration.rights import Remark
from access.desired import Access
from access.permission_sets import PermissionSet
from text import status_line

NOW = datetime(2026, 11, 26, tzinfo=timezone.utc)
ACCOUNT = "arn:aws:iam::111122223333"
DEV = f"{ACCOUNT}:role/Dev"

SUFFIX = "0123456789abcdef"
DEV_SET = f"{ACCOUNT}:role/AWSReservedSSO_Dev_{SUFFIX}"
ROW = "mappings[0]"
OF_SET = "permission-set: {}, account: '111122223333'"
# Another partition, and a principal that keeps its name there.
GOV, CAROL = "arn:aws-us-gov:iam::111122223333", "arn:aws:sts::111122223333:federated-user/Carol"

VIEWER = "my-console-viewer-role"
AWS_AUTH = """\
# Please edit the object below. Lines beginning with a '#' will be ignored.
apiVersion: v1
data:
  mapRoles: |
    - groups:
      - system:bootstrappers
      - system:nodes
      rolearn: arn:aws:iam::111122223333:role/my-nodegroup-NodeInstanceRole-DR46P1S17ZG8
      username: system:node:{{EC2PrivateDNSName}}
    - groups:
      - viewers
      rolearn: arn:aws:iam::111122223333:role/my-console-viewer-role
      username: my-console-viewer-role
  mapUsers: |
    - groups:
      - system:masters
      userarn: arn:aws:iam::111122223333:user/admin
      username: admin
  mapAccounts: |
    []
kind: ConfigMap
metadata: {name: aws-auth, namespace: kube-system, creationTimestamp: "2026-04-06T18:40:35Z"}
"""


def rows(key: str, *, role: bool = False, user: bool = False) -> str:
    """The same people, without the node, as other tools have them: a list with this key."""
    viewer = f"{{{key}: '{ACCOUNT}:role/{VIEWER}', username: {VIEWER}, groups: [viewers]}}"
    admin = f"{{{key}: '{ACCOUNT}:user/admin', username: admin, groups: ['system:masters']}}"
    return f"[{', '.join([viewer] * role + [admin] * user)}]"


FILES = {
    "aws-auth": AWS_AUTH,
    "aws-auth as JSON": json.dumps(yaml.safe_load(AWS_AUTH)),
    "EKS Anywhere": f"""\
apiVersion: anywhere.eks.amazonaws.com/v1alpha1
kind: AWSIamConfig
metadata: {{name: aws-iam-auth-config}}
spec:
  awsRegion: us-west-2
  backendMode: [EKSConfigMap]
  mapRoles: {rows("roleARN", role=True)}
  mapUsers: {rows("userARN", user=True)}
  partition: aws
""",
    "config file": f"""\
clusterID: my-dev-cluster.example.com
server:
  port: 21362
  stateDir: /var/aws-iam-authenticator
  mapRoles: {rows("roleARN", role=True)}
  mapUsers: {rows("userARN", user=True)}
""",
    "eksctl": f"""\
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {{name: my-cluster, region: us-east-1}}
iamIdentityMappings:
  - {rows("noDuplicateARNs: true, arn", role=True)[1:-1]}
  - {rows("arn", user=True)[1:-1]}
  - {{serviceName: emr-containers, namespace: emr}}
  - {{account: "111122223333"}}
""",
    "plain list": rows("arn", role=True, user=True),
    "keys in any case": "\n".join(
        [f"MAPROLES: {rows('RoleArn', role=True)}", f"mapusers: {rows('UserARN', user=True)}"]
    ),
}


def parse(text: str) -> declared.Declared:
    return declared.parse(text, NOW)


def one(**keys: Any) -> Entry:
    """The one entry that these keys make."""
    (entry,) = parse(json.dumps([keys])).entries
    return entry


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_given_a_file_of_another_tool_when_it_is_read_then_its_people_are_declared(text: str):
    assert [(each.arn, each.username, each.groups) for each in parse(text).entries] == [
        (f"{ACCOUNT}:role/{VIEWER}", VIEWER, ("viewers",)),
        (f"{ACCOUNT}:user/admin", "admin", ("system:masters",)),
    ]


NODES = "nodes do not log in with IAM here"
WHOLE = "a whole account cannot be mapped, map its roles and users"
NODE_NAME = "system:node:{{EC2PrivateDNSName}}"
PATHED = "the path /aws-reserved/team/ of the role, which no login has"
OVER = "its access ended at 2026-11-26T00:00:00Z"
EMR = "a service of EKS does not log in here"


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        (AWS_AUTH, "mapRoles[0]", NODES),
        (f"[{{arn: '{DEV}', username: 'a', groups: ['system:node-proxier']}}]", ROW, NODES),
        (f"[{{arn: '{DEV}', username: '{NODE_NAME}'}}]", ROW, NODES),
        ("iamIdentityMappings: [serviceName: emr]", "iamIdentityMappings[0]", EMR),
        ("iamIdentityMappings: [account: '111122223333']", "iamIdentityMappings[0]", WHOLE),
        ("mapAccounts: ['111122223333']", "mapAccounts", WHOLE),
        (f"[{{arn: '{DEV}', userid: AROAE}}]", f"{ROW}.userid", "logins are looked up by ARN"),
        (f"[{{arn: '{ACCOUNT}:role/aws-reserved/team/Dev'}}]", ROW, PATHED),
        (f"[{{arn: '{DEV}', expires: 2026-11-26T01:00:00+01:00}}]", ROW, OVER),
    ],
)
def test_given_what_means_nothing_here_when_it_is_read_then_its_place_and_reason_are_named(
    text: str, place: str, reason: str
):
    assert parse(text).left_out == (Remark(place, reason),)


@pytest.mark.parametrize("text", ["", "  \n", "# nobody yet\n", "[]", "mapRoles: []", "mapUsers:"])
def test_given_a_text_without_entries_when_it_is_read_then_nothing_is_declared(text: str):
    assert parse(text) == declared.Declared()


SESSION = "arn:aws:sts::111122223333:assumed-role/Dev/{{SessionName}}"
USER = f"{ACCOUNT}:user/team/{'a' * 39}-b"


@pytest.mark.parametrize("without", [{}, {"username": ""}, {"username": None}])
@pytest.mark.parametrize(
    ("arn", "kept", "username", "name"),
    [
        (DEV, DEV, SESSION, "dev-f98916774b"),
        (f"{ACCOUNT}:role/team/a/Dev", DEV, SESSION, "dev-f98916774b"),
        (DEV.upper(), DEV.upper(), SESSION.replace("Dev", "DEV"), "dev-f98916774b"),
        (f"{GOV}:role/role/Dev", f"{GOV}:role/Dev", SESSION.replace("aws", "aws-us-gov"), None),
        (f"{ACCOUNT}:role/+++", None, None, "x-0c2503f6b3"),
        (f"{ACCOUNT}:root", f"{ACCOUNT}:root", f"{ACCOUNT}:root", "root-3d077c1298"),
        (USER, USER, USER, f"{'a' * 39}-1bbb6923e9"),
        (CAROL, CAROL, CAROL, None),
    ],
)
def test_given_an_arn_then_a_roles_path_goes_and_username_and_name_are_always_the_same(
    arn: str, kept: str | None, username: str | None, name: str | None, without: dict[str, Any]
):
    """The username is the one that EKS gives. A mapping keeps its name in an upgrade."""
    found = one(arn=arn, **without)

    said = (found.arn, found.username, found.name)
    for each, wanted in zip(said, (kept, username, name), strict=True):
        assert wanted in (None, each)


def test_given_a_permission_set_when_it_is_read_then_it_stands_in_place_of_the_arn():
    printed = one(**{"permission-set": "DevOps", "account": "012345678901", "username": "dev"})
    text = "[{permission-set: DevOps, account: 012345678901, suffix: 0123456789abcdef}]"
    (pinned,) = parse(text).entries

    assert printed.permission_set == PermissionSet("DevOps", "012345678901")
    assert printed.name == ""
    role = "arn:aws:iam::012345678901:role/AWSReservedSSO_DevOps_0123456789abcdef"
    assert pinned.permission_set == PermissionSet("DevOps", "012345678901", "0123456789abcdef")
    assert (pinned.arn, pinned.principal) == (role, role.lower())


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2026-12-31T18:00:00Z", "2026-12-31T18:00:00Z"),
        ("'2026-12-31T18:00:00+01:00'", "2026-12-31T17:00:00Z"),
        ("2026-12-31t18:00:00.5z", "2026-12-31T18:00:01Z"),
    ],
)
def test_given_a_time_when_it_is_read_then_it_is_kept_in_utc(written: str, kept: str):
    (entry,) = parse(f"[{{arn: '{DEV}', expires: {written}}}]").entries

    assert entry.expires == kept


ONE_SESSION = "arn:aws:sts::111122223333:assumed-role/Dev/alice"
NO_NAME = "groups is not a list of names"
NO_SET = "account and suffix go with permission-set"
NO_CHINA = "no login has partition aws-cn, because the option partition is aws"


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({}, "it is not a map with arn, username and groups"),
        ({"username": "dev"}, "it has neither arn nor permission-set"),
        ({"arn": "dev"}, "'dev' is not an ARN such as arn:aws:iam::111122223333:role/admin"),
        ({"arn": ["x"]}, "arn is not a text"),
        ({"arn": DEV, "rolearn": DEV}, "it has more than one ARN"),
        ({"arn": ONE_SESSION}, f"names one session: give the ARN of its role, {DEV.lower()}"),
        ({"arn": DEV, "grous": ["view"]}, "the key 'grous' is unknown"),
        ({"arn": DEV, "groups": "view"}, "groups is not a list"),
        ({"arn": DEV, "groups": [["view"]]}, NO_NAME),
        ({"arn": DEV, "groups": [""]}, NO_NAME),
        ({"arn": DEV, "username": {"a": "b"}}, "username is not a text"),
        ({"arn": DEV, "username": "a\nb"}, "username 'a\\nb' has a character that is not"),
        ({"arn": DEV, "expires": "tomorrow"}, "'tomorrow' is not a time"),
        ({"arn": DEV, "expires": "9998-12-31T23:59:59.5Z"}, "'9998-12-31T23:59:59.5Z' is not a"),
        ({"role": "dev", "account": "111122223333"}, "the key 'role' is unknown"),
        ({"permission-set": "A", "accounts": ["111122223333"]}, "the key 'accounts' is unknown"),
        ({"arn": DEV, "permission-set": "A", "account": "1"}, "keep one of them"),
        ({"permission-set": "A"}, "permission-set needs account"),
        ({"arn": DEV, "account": "111122223333"}, NO_SET),
        ({"arn": DEV, "suffix": "0123456789abcdef"}, NO_SET),
        ({"arn": DEV.replace("aws:", "aws-cn:", 1)}, NO_CHINA),
    ],
)
def test_given_an_entry_that_is_wrong_when_it_is_read_then_its_place_and_the_reason_are_named(
    keys: dict[str, Any], reason: str
):
    found = parse(json.dumps([{"arn": f"{ACCOUNT}:user/good"}, keys]))

    assert [entry.arn for entry in found.entries] == [f"{ACCOUNT}:user/good"]
    assert fault(found).startswith("mappings[1]: ")
    assert reason in fault(found)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mappings.yaml", "'mappings.yaml' is not a list of mappings; to read a file, write"),
        ("{}", "it has neither a list of mappings nor mapRoles or mapUsers"),
        ("kind: ConfigMap\ndata: {a: b}", "it has neither a list of mappings"),
        ("mapRoles: []\n---\nkind: ConfigMap\ndata: {}", "document 2: it has neither a list"),
        ("mapRoles: []\nmaproles: []", "the key 'maproles' is there twice"),
        ("mapRoles: []\nmapUser: []", "the key 'mapuser' is unknown beside mapRoles"),
        ("mapRoles: {a: b}", "mapRoles.a: it is not a map"),
        ('mapRoles: "[]\\n---\\n[]"', "mapRoles has 2 documents, keep one of them"),
        ("mapRoles: text", "mapRoles is not a list"),
        ("[text]", f"{ROW}: it is not a map with arn, username and groups"),
        (f"[{{arn: '{DEV}', Arn: '{DEV}'}}]", f"{ROW}: the key 'arn' is there twice"),
        ("mapRoles: '[a: {'", "mapRoles: line 2: "),
    ],
)
def test_given_a_text_that_is_wrong_when_it_is_read_then_it_is_refused_in_one_line(
    text: str, reason: str
):
    (said,) = map(str, parse(text).faults)

    assert reason in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        f"[{{arn: '{DEV}'}}, {{arn: '{DEV.upper()}'}}]",
        f"[{{{OF_SET.format('A')}}}, {{{OF_SET.format('a')}}}]",
        f"[{{{OF_SET.format('Dev')}}}, {{arn: '{DEV_SET}'}}]",
        f"[{{{OF_SET.format('Dev')}, suffix: {SUFFIX}}}, {{arn: '{DEV_SET}'}}]",
        f"mapRoles: [{{rolearn: '{DEV}'}}, {{rolearn: '{DEV}'}}]",
        f"[{{arn: '{DEV}', expires: 2026-01-01T00:00:00Z}}, {{arn: '{DEV}'}}]",
    ],
    ids=["two rows", "a set", "a set and its role", "with a suffix", "aws-auth", "one has ended"],
)
def test_given_a_principal_twice_then_both_places_are_named(text: str):
    key = "mapRoles" if text.startswith("map") else "mappings"
    assert fault(parse(text)) == f"{key}[1]: it has the same principal as {key}[0]"


def test_given_an_access_entry_beside_a_row_of_aws_auth_then_it_counts_as_on_eks():
    found = parse(
        f'{{"accessEntry": {{"principalArn": "{DEV}"}}}}\n---\nmapRoles:\n- rolearn: {DEV}'
    )

    counts = f"document 1: accessEntry of {DEV}"
    assert [entry.place for entry in found.entries] == [counts]
    why = f"{counts} has the same principal, and counts"
    assert (found.left_out, found.faults) == ((Remark("document 2: mapRoles[0]", why),), ())


@pytest.mark.parametrize(
    ("principal", "place"),
    [
        (DEV, ROW),
        (DEV_SET, "mappings[1]"),
        (DEV_SET.replace("_Dev_", "_Dev_Admin_"), None),
        (DEV_SET.replace("aws:", "aws-us-gov:", 1), None),
        (DEV_SET.replace("111122223333", "444455556666"), None),
        (DEV_SET.upper().replace("ARN:AWS:IAM", "arn:aws:iam"), "mappings[1]"),
        (DEV_SET.replace("_Dev_", "_Ops_"), "mappings[2]"),
        (DEV_SET.replace("_Dev_", "_Ops_").replace(SUFFIX, SUFFIX[::-1]), None),
        (f"{ACCOUNT}:role/Other", None),
    ],
    ids=[
        *("its ARN", "its set", "another set", "another partition", "another account"),
        *("another case", "its suffix", "another suffix", "nobody"),
    ],
)
def test_given_a_principal_then_the_entry_that_declares_it_is_known(
    principal: str, place: str | None
):
    dev, pinned = map(OF_SET.format, ("Dev", "Ops"))
    sets = f"{{{dev}}}, {{{pinned}, suffix: {SUFFIX}}}"
    found = parse(f"[{{arn: '{DEV}'}}, {sets}, {{arn: x}}]")

    entry = found.of(canonicalize(principal))

    assert (entry.place if entry else None) == place


def test_given_several_documents_when_they_are_read_then_all_people_of_them_are_declared():
    found = parse(f"{AWS_AUTH}---\n- arn: {DEV}\n---\n")

    assert [entry.place for entry in found.entries] == [
        "document 1: mapRoles[1]",
        "document 1: mapUsers[0]",
        "document 2: mappings[0]",
    ]


@given(st.text("-[]{}:,&*!|>'\"#?%@` \n\tabm0/", max_size=40) | st.text(max_size=20))
def test_given_any_text_when_it_is_read_then_it_is_refused_in_one_line_or_declares_something(
    text: str,
):
    for each in map(str, parse(text).faults):
        assert len(each.splitlines()) == 1


LISTS = (
    f"""\
- {{arn: '{DEV}', username: dev, groups: [view], expires: 2026-12-31T18:00:00Z}}
- {{permission-set: DevOps, account: '111122223333', suffix: 0123456789abcdef}}
""",
    AWS_AUTH,
    f"""\
- arn: {DEV}
  access:
  - {{role: edit, namespaces: [dev, test]}}
- principalArn: {ACCOUNT}:user/bob
  accessPolicies:
  - policyARN: arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy
    accessScope: {{type: namespace, namespaces: [dev]}}
""",
    f"mapRoles: [{{rolearn: '{ACCOUNT}:root'}}]\nmapUsers: []\n",
)


@given(st.sampled_from(LISTS).flatmap(lambda text: damage.text(text, LISTS)))
def test_given_a_damaged_list_when_it_is_read_then_its_plan_needs_no_other_after_it(text: str):
    found = declared.parse(text, NOW)
    for each in (*found.left_out, *found.faults):
        assert status_line(each).isprintable()
    good = dataclasses.replace(found, faults=())
    first = desired.access(good, Access(), {}, NOW).access
    second = desired.access(good, first, {}, NOW).access
    assert not changes(first, second).keys

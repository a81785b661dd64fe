"""The same on a control plane without the endpoint, whose webhook the overlay sets.

This is the newest Kubernetes, so the policy on who may write mappings is tried here too.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import jubilant
import pytest
import yaml
from demo import page
from tests.integration.helpers import (
    bundle,
    how_to,
    juju_status,
    kubernetes,
    logins,
    mapping_writers,
    settled,
    units,
)
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.how_to import COMMANDS, Reader
from tests.integration.helpers.kubernetes import KUBE_SYSTEM, MAPPINGS, Cluster
from tests.integration.helpers.mapping_writers import Writer
from tests.integration.helpers.steps import Taking

PAGE = "let-others-write-mappings.md"


@pytest.mark.parametrize(
    "step", page.steps("1.29", "easyrsa"), ids=lambda step: step.title.replace(" ", "-")
)
def test_given_control_plane_1_29_and_easyrsa_then_the_step_goes_as_the_page_says(
    take: Taking, step: page.Step | page.Wait
) -> None:
    take(step)


def test_given_a_mapping_of_another_partition_when_it_is_created_then_kubernetes_refuses_it(
    take: Taking,
) -> None:
    mapping = page.MAPPING.replace("arn:aws:", "arn:aws-cn:").replace("-admin", "-cn")
    apply = f"kubectl --context=juju-context apply -f - <<'EOF' 2>&1\n{mapping}EOF"
    take(page.Step("Map", apply, shows="where the partition is aws or aws-us-gov", code=1))


@pytest.fixture(scope="module")
def cluster(juju: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    return kubernetes.connect(juju, tmp_path_factory.mktemp("kubeconfigs"))


def test_given_the_overlay_then_the_service_has_its_address(cluster: Cluster) -> None:
    overlay = yaml.safe_load((bundle.OVERLAYS / "aws-iam-easyrsa.yaml").read_text())

    options = overlay["applications"]["aws-iam"]["options"]
    assert cluster.address() == options["webhook-address"]


def test_given_nodes_in_aws_then_people_log_in_by_their_region(
    juju: jubilant.Juju, cluster: Cluster, tmp_path: Path
) -> None:
    machine = {"spec": {"providerID": "aws:///eu-central-1a/i-0123456789abcdef0"}}
    for node in cluster.nodes():
        cluster.kubectl("patch", "node", node, "-p", json.dumps(machine))
    juju_status.run_update_status(juju, units.leader(juju))

    here = kubernetes.connect(juju, tmp_path)
    assert logins.wait_for_login(here) == "knobby"
    on_the_machine = juju.exec("cat /home/ubuntu/aws-iam-config", unit=units.leader(juju)).stdout
    assert "eu-central-1" in here.person.read_text()
    assert "eu-central-1" in on_the_machine


def test_given_a_settled_unit_when_a_hook_runs_then_it_only_reads(
    juju: jubilant.Juju, cluster: Cluster
) -> None:
    settled.check_only_reads(juju)


def test_given_a_node_with_a_pod_then_its_control_plane_asks_that_one(cluster: Cluster) -> None:
    label = "kubernetes.io/service-name=aws-iam-authenticator"
    slices = cluster.get(*KUBE_SYSTEM, "endpointslices", "-l", label)["items"]

    endpoints = [each for found in slices for each in found["endpoints"]]
    assert endpoints
    assert [each["hints"]["forNodes"] for each in endpoints] == [
        [{"name": each["nodeName"]}] for each in endpoints
    ]


def test_given_objects_that_somebody_changed_when_a_hook_runs_then_each_is_as_before(
    juju: jubilant.Juju, cluster: Cluster
) -> None:
    settled.check_changes_are_undone(juju, cluster)


@pytest.fixture
def mallory(cluster: Cluster) -> Iterator[Writer]:
    """Return somebody with every right on mappings and their status, and no other right.

    There are two mappings: `low` of user low with groups a and b, which ends, and `boss` of an
    administrator.
    """
    ends = {"aws-iam/expires": "2099-01-01T00:00:00Z"}
    low = mapping_writers.manifest("low", "low", ["a", "b"], annotations=ends)
    boss = mapping_writers.manifest("boss", "boss", ["system:masters"])
    for each in (low, boss):
        cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=each)
        # As the charm writes it, so that a hook of its own changes nothing during a test.
        made = json.loads(each)
        status = {"status": {"canonicalARN": made["spec"]["arn"].lower(), "userID": ""}}
        patch = ("--subresource=status", "--type=merge", "-p", json.dumps(status))
        cluster.kubectl("patch", MAPPINGS, made["metadata"]["name"], *patch)
    yield mapping_writers.writer(cluster, "mallory")
    cluster.kubectl("delete", MAPPINGS, "low", "boss", "new", "--ignore-not-found")


@pytest.fixture
def authenticator(cluster: Cluster, mallory: Writer) -> Writer:
    """Return the pods' account, as if it might write all of a mapping."""
    return mapping_writers.writer(
        cluster, "system:serviceaccount:kube-system:aws-iam-authenticator"
    )


def spec_and_status(cluster: Cluster) -> list[object]:
    """Return what decides who becomes whom."""
    found = cluster.get(MAPPINGS)["items"]
    return [[each["metadata"]["name"], each["spec"], each.get("status")] for each in found]


CREATES = {
    "user": ("root", []),
    "node": ("system:node:node0", []),
    "account": ("system:serviceaccount:kube-system:namespace-controller", []),
    "template": ("{{SessionName}}", []),
    "half of a template": ("system:{{SessionName}}:kube-system:namespace-controller", []),
    "masters": ("mallory", ["system:masters"]),
    "nodes": ("mallory", ["system:nodes"]),
    "group by a template": ("mallory", ["system:{{SessionName}}"]),
    "masters behind others": ("mallory", [*map(str, range(25)), "system:masters"]),
}


@pytest.mark.parametrize("attack", CREATES)
def test_given_the_right_to_write_mappings_when_one_is_created_then_it_gives_nothing_more(
    cluster: Cluster, mallory: Writer, attack: str
) -> None:
    username, groups = CREATES[attack]
    before = spec_and_status(cluster)

    assert "is forbidden: ValidatingAdmissionPolicy" in mallory.create("new", username, groups)
    applied = mallory.kubectl(
        *("apply", "--server-side", "-f", "-"),
        stdin=mapping_writers.manifest("new", username, groups),
    )
    assert "is forbidden: ValidatingAdmissionPolicy" in applied
    assert spec_and_status(cluster) == before


HANDED_OVER = {"status": {"canonicalARN": "arn:aws:iam::111122223333:user/mallory"}}
EXPIRES = {"metadata": {"annotations": {"aws-iam/expires": "2100-01-01T00:00:00Z"}}}
SOURCE = {"metadata": {"labels": {"aws-iam/source": "option"}}}
PATCHES = {
    "user": {"spec": {"username": "root"}},
    "account": {"spec": {"username": "system:serviceaccount:kube-system:default"}},
    "groups": {"spec": {"groups": ["a", "b", "system:masters"]}},
    "ARN": {"spec": {"arn": "arn:aws:iam::111122223333:user/mallory"}},
    "a later end": EXPIRES,
    "no end": {"metadata": {"annotations": {"aws-iam/expires": None}}},
    "no deletion": {"metadata": {"finalizers": ["example.com/keep"]}},
    "the charm's label": SOURCE,
}


@pytest.mark.parametrize("attack", PATCHES)
def test_given_the_right_to_write_mappings_when_one_is_changed_then_it_gives_nothing_more(
    cluster: Cluster, mallory: Writer, attack: str
) -> None:
    assert mallory.patch("low", PATCHES[attack])
    found = cluster.get(MAPPINGS, "low")
    assert found["spec"]["username"] == "low"
    assert found["spec"]["groups"] == ["a", "b"]
    assert found["metadata"]["annotations"]["aws-iam/expires"] == "2099-01-01T00:00:00Z"
    assert "finalizers" not in found["metadata"]
    assert "aws-iam/source" not in found["metadata"].get("labels", {})


def test_given_the_right_to_write_status_when_a_login_is_handed_over_then_it_is_refused(
    cluster: Cluster, mallory: Writer
) -> None:
    refusal = mallory.patch("boss", HANDED_OVER, "--subresource=status")

    assert "only the authenticator and administrators may write the status" in refusal


def test_given_the_right_to_write_mappings_when_a_mapping_is_made_anew_then_it_is_refused(
    mallory: Writer,
) -> None:
    assert not mallory.kubectl("delete", MAPPINGS, "low")
    assert "is forbidden" in mallory.kubectl(
        "create", "-f", "-", stdin=mapping_writers.manifest("low", "low", ["a", "b"])
    )


def test_given_the_right_to_write_mappings_when_nothing_more_is_given_then_it_is_admitted(
    cluster: Cluster, mallory: Writer
) -> None:
    assert not mallory.patch("boss", {"metadata": {"labels": {"team": "x"}, "finalizers": []}})
    assert not mallory.patch("low", {"spec": {"groups": ["b"]}})
    assert cluster.get(MAPPINGS, "low")["spec"]["groups"] == ["b"]


def test_given_the_roles_edit_and_admin_when_they_may_write_mappings_then_they_gain_nothing(
    cluster: Cluster, mallory: Writer
) -> None:
    cluster.kubectl(
        *("create", "rolebinding", "mallory", "--clusterrole=admin", "--user=mallory"),
        "--namespace=default",
    )
    try:
        assert mallory.create("new", "root")
        assert mallory.create("new", "system:serviceaccount:kube-system:default")
        # The role may impersonate the accounts of its namespace anyway.
        assert not mallory.create("new", "system:serviceaccount:default:default")
    finally:
        cluster.kubectl("-n", "default", "delete", "rolebinding", "mallory")


def test_given_the_pages_role_when_its_holder_maps_people_then_exactly_its_names_are_admitted(
    cluster: Cluster, mallory: Writer
) -> None:
    (role,) = how_to.blocks(PAGE, "Give a team lead the right")
    lead = mapping_writers.writer(cluster, "lead", *yaml.safe_load(role)["rules"])

    assert not lead.create("new", "dev:{{SessionName}}", ["developers"])
    assert lead.patch("new", {"spec": {"username": "dev:{{SessionNameRaw}}"}})
    assert lead.patch("new", {"spec": {"groups": ["developers", "other"]}})
    assert lead.patch("low", EXPIRES)
    assert lead.patch("new", SOURCE)
    assert not lead.patch("new", {"spec": {"groups": []}})


def test_given_the_pages_account_for_gitops_then_its_team_gets_its_own_names_and_roles_only(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(cluster.admin))
    reader, account = Reader(tmp_path), "Give the team an account"
    team = Writer(cluster, "system:serviceaccount:argocd:team-a")
    objects = (how_to.FOLDER / "files/team.yaml").read_text()
    mapping, _, binding = objects.partition("---\n")
    make, ask = (each for each in how_to.blocks(PAGE, account) if each.startswith(COMMANDS))
    for namespace in ("argocd", "team-a"):
        cluster.kubectl("create", "namespace", namespace)
    try:
        reader.run(make)

        # kubectl fails where the answer is no.
        assert reader.run(f"{ask.strip()} || true").strip() == "no"
        assert not team.kubectl("apply", "-f", "-", stdin=objects)
        masters = mapping.replace("[team-a]", '["system:masters"]')
        others = mapping.replace("username: team-a:", "username: team-b:")
        more = binding.replace("name: edit", "name: cluster-admin").replace(
            "name: team-a,", "name: b,"
        )
        elsewhere = binding.replace("namespace: team-a", "namespace: kube-system")
        for refused in (masters, others, more, elsewhere):
            assert refused not in (mapping, binding)
            assert "forbidden" in team.kubectl("apply", "-f", "-", stdin=refused)
    finally:
        cluster.kubectl("delete", MAPPINGS, "team-a", "--ignore-not-found")
        cluster.kubectl("delete", "clusterrole,clusterrolebinding", "map-team-a")
        cluster.kubectl("delete", "namespace", "argocd", "team-a")


def test_given_as_many_groups_as_the_policy_checks_then_the_api_servers_budget_suffices(
    cluster: Cluster, mallory: Writer
) -> None:
    groups = [f"team-{n}" for n in range(20)]
    lead = mapping_writers.writer(
        cluster,
        "lead",
        mapping_writers.may_impersonate("users", "dev"),
        mapping_writers.may_impersonate("groups", *groups),
    )

    assert not lead.create("new", "dev", groups)
    assert lead.patch("new", {"spec": {"groups": [*groups[1:], "system:masters"]}})


def test_given_an_administrator_when_mappings_are_written_then_all_is_as_it_was(
    cluster: Cluster, mallory: Writer
) -> None:
    many = mapping_writers.manifest("new", "root", [f"group-{n}" for n in range(900)])
    cluster.kubectl("create", "-f", "-", stdin=many)
    cluster.kubectl("patch", MAPPINGS, "new", "--type=merge", '-p={"spec": {"groups": ["x"]}}')
    cluster.kubectl("patch", MAPPINGS, "low", "--type=merge", f"-p={json.dumps(EXPIRES)}")


def test_given_the_authenticator_when_it_writes_a_status_then_it_is_admitted(
    authenticator: Writer,
) -> None:
    status = {"status": {"canonicalARN": "arn:aws:iam::111122223333:user/low"}}

    assert not authenticator.patch("low", status, "--subresource=status")
    assert authenticator.patch("low", {"spec": {"username": "root"}})


PODS_OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "x" * 8192, "uid": "1"}
MANAGED = {
    "manager": "mallory",
    "operation": "Update",
    "apiVersion": "iamauthenticator.k8s.aws/v1alpha1",
    "fieldsType": "FieldsV1",
    "fieldsV1": {"f:metadata": {"f:labels": {f"f:l{n}": {} for n in range(4000)}}},
}
MANAGERS = [
    {**MANAGED, "manager": f"m{n:0>120}", "operation": "Apply", "fieldsV1": {"f:x": {}}}
    for n in range(500)
]


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("labels", {f"l{n}": "x" for n in range(65)}),
        ("annotations", {"note": "x" * 8192}),
        ("ownerReferences", [PODS_OWNER]),
        ("managedFields", [MANAGED]),
        ("managedFields", MANAGERS),
    ],
    ids=["labels", "annotations", "owners", "fields", "managers"],
)
def test_given_the_right_to_write_mappings_when_one_gets_fat_then_it_is_refused(
    mallory: Writer, part: str, value: object
) -> None:
    refusal = mallory.patch("low", {"metadata": {part: value}})

    what = "managedFields" if part == "managedFields" else "metadata"
    assert f"the {what} of a mapping may have at most" in refusal
    assert not mallory.patch("low", {"metadata": {"annotations": {"note": "x" * 4096}}})
    assert not mallory.patch("low", {"metadata": {"annotations": {"note": None}}})


def test_given_the_option_warn_when_anything_is_mapped_then_it_is_admitted_with_a_warning(
    juju: jubilant.Juju, mallory: Writer
) -> None:
    warn, reset = how_to.shown(PAGE, "See first what would be refused")
    mapping = mapping_writers.manifest("new", "root")
    how_to.run(juju, warn)
    juju_status.wait_until_active(juju)
    try:
        eventually(lambda: not mallory.kubectl("create", "-f", "-", stdin=mapping), "admitted")
        done = mallory.run(
            "patch", MAPPINGS, "new", "--type=merge", '-p={"spec": {"username": "a"}}'
        )
        assert "Warning: Validation failed for ValidatingAdmissionPolicy" in done.stderr
    finally:
        how_to.run(juju, reset)
        juju_status.wait_until_active(juju)
    # Once a name is admitted, to write it again changes nothing, which is never refused.
    names = (f"b{number}" for number in itertools.count())
    eventually(
        lambda: mallory.patch("new", {"spec": {"username": next(names)}}),
        "refused",
        juju_status.WAIT_SECONDS,
    )

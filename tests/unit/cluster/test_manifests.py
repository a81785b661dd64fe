"""The objects that go into the cluster."""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.fakes import arns
from tests.fakes.juju.model import OWNER

import removal
from access import arn, partitions
from access.partitions import PARTITIONS
from certificates import SERVER_NAME, KeyPair
from cluster import manifests, references

SERVED = KeyPair("certificate\n", "key\n", "ca\n")
GIVEN = manifests.Spec(image="image:v1", replicas=2, cluster_id="prod", pair=SERVED)
# What a template is given, and what a hostile value would have to break out of.
HOSTILE = st.text(st.characters(codec="utf-8")) | st.sampled_from(
    ["'", "a: b", "- a", "{{ 7 * 7 }}", "{% raw %}", "#", "---", "\x85", "\ufeffa"]
)


def objects(**changes: Any) -> dict[str, manifests.Manifest]:
    return {
        m["kind"]: m for m in manifests.authenticator(OWNER, dataclasses.replace(GIVEN, **changes))
    }


def deployment(**changes: Any) -> Any:
    return objects(**changes)["Deployment"]


def pod(**changes: Any) -> Any:
    return deployment(**changes)["spec"]["template"]["spec"]


def hashes(**changes: Any) -> dict[str, str]:
    return deployment(**changes)["spec"]["template"]["metadata"]["annotations"]


def test_given_a_pod_when_rendered_then_it_meets_the_restricted_standard_and_can_read_its_key():
    spec = pod()
    (container,) = spec["containers"]
    (secret,) = [volume["secret"] for volume in spec["volumes"] if "secret" in volume]
    user = spec["securityContext"]["runAsUser"]

    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": user,
        "fsGroup": user,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert user > 0
    assert (secret["secretName"], secret["defaultMode"]) == ("aws-iam-certs", 0o440)
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "hostNetwork" not in spec
    assert all("hostPath" not in volume for volume in spec["volumes"])


def test_given_a_container_when_rendered_then_it_is_probed_where_it_serves():
    (container,) = pod()["containers"]
    asked = [container[probe]["httpGet"] for probe in ("readinessProbe", "livenessProbe")]

    assert asked == [{"scheme": "HTTPS", "path": "/healthz", "port": 21362}] * 2
    assert {"--port=21362", "--backend-mode=CRD"} < {*container["args"]}
    # A server says that it is well before it knows the mappings.
    assert container["readinessProbe"]["initialDelaySeconds"] >= 5


def test_given_nodes_that_are_full_drained_or_lost_when_rendered_then_enough_pods_serve():
    spec, budget = deployment()["spec"], objects()["PodDisruptionBudget"]["spec"]
    tolerated = {each["key"]: each.get("tolerationSeconds") for each in pod()["tolerations"]}

    # Pods of an equal priority evict nobody, and none is higher.
    assert pod()["priorityClassName"] == "system-node-critical"
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    # For as long as a kube-proxy that lost its API server may send logins to an old pod.
    assert pod()["terminationGracePeriodSeconds"] == 60
    assert (budget["maxUnavailable"], budget["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")
    assert tolerated == {
        "node-role.kubernetes.io/control-plane": None,
        "node-role.kubernetes.io/master": None,
        "CriticalAddonsOnly": None,
        "node.kubernetes.io/not-ready": 30,
        "node.kubernetes.io/unreachable": 30,
    }


def everything() -> list[manifests.Manifest]:
    """All objects that the charm makes, in the order in which it makes them."""
    return [manifests.service(OWNER, ""), *manifests.authenticator(OWNER, GIVEN)]


def test_given_what_is_rendered_when_the_charm_goes_then_exactly_that_is_removed_last_first():
    rendered = everything()

    assert [*map(manifests.reference, reversed(rendered))] == [*references.OWNED]
    labels = [manifest["metadata"]["labels"] for manifest in rendered]
    assert all(found["aws-iam"] == "true" for found in labels)


def test_given_what_is_rendered_when_a_person_removes_it_then_the_command_names_it_all():
    first, *others = removal.removal_command().split("; ")

    by_name = {word for word in first.split() if "/" in word}
    made = {f"{each['kind'].lower()}/{each['metadata']['name']}" for each in everything()}
    assert by_name == made - {"service/aws-iam-authenticator"}
    assert first.startswith("kubectl -n kube-system delete --ignore-not-found ")
    assert others == [
        # The finalizer would keep it, and kubectl waiting for its end.
        (
            "kubectl -n kube-system patch service aws-iam-authenticator "
            '--patch "metadata: {finalizers: null}"'
        ),
        "kubectl -n kube-system delete service aws-iam-authenticator",
        "kubectl delete iamidentitymappings --selector aws-iam/source",
        "kubectl delete clusterrolebindings --selector aws-iam/source",
        "kubectl delete rolebindings --all-namespaces --selector aws-iam/source",
    ]


@pytest.mark.parametrize("kind", ["Deployment", "PodDisruptionBudget", "Service"])
def test_given_the_predecessors_objects_when_taken_over_then_the_selector_is_as_it_was(kind: str):
    found = {**objects(), "Service": manifests.service(OWNER, "")}[kind]
    selector = found["spec"]["selector"]

    assert selector.get("matchLabels", selector) == {"k8s-app": "aws-iam-authenticator"}
    # The certificate has this name, too.
    metadata = found["metadata"]
    assert f"{metadata['name']}.{metadata['namespace']}.svc" == SERVER_NAME


def test_given_a_compromised_pod_when_it_uses_its_account_then_it_can_write_no_mapping():
    reads = {"get", "list", "watch"}
    rules = objects()["ClusterRole"]["rules"]
    writes = [rule["resources"] for rule in rules if {*rule["verbs"]} - reads]
    assert writes == [["iamidentitymappings/status"], ["events"]]


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({"pair": dataclasses.replace(SERVED, certificate="new\n")}, "certificate"),
        ({"pair": dataclasses.replace(SERVED, key="new\n")}, "certificate"),
        ({"pair": dataclasses.replace(SERVED, ca="new\n")}, ""),
        ({"cluster_id": "other"}, "config"),
        ({"partition": "aws-cn"}, "config"),
        ({"image": "other:v2", "replicas": 5}, ""),
    ],
    ids=["certificate", "key", "authority", "cluster id", "partition", "image"],
)
def test_given_a_change_when_rendered_then_exactly_its_hash_replaces_the_pods(
    change: dict[str, Any], changed: str
):
    before, after = hashes(), hashes(**change)

    wanted = {f"aws-iam/{changed}-hash"} if changed else set()
    assert {name for name in before if after[name] != before[name]} == wanted


@pytest.mark.parametrize(
    ("changes", "partition", "reserved"),
    [
        ({"partition": "aws-cn"}, "aws-cn", []),
        # Without policies, no mapping gives the server's own users.
        (
            {"reserves": True},
            "aws",
            [{"backendMode": "CRD", "usernamePrefixReserveList": ["system:"]}],
        ),
    ],
)
def test_given_another_partition_or_no_policies_when_rendered_then_the_server_knows(
    changes: dict[str, Any], partition: str, reserved: list[Any]
):
    server = yaml.safe_load(objects(**changes)["ConfigMap"]["data"]["config.yaml"])["server"]

    assert server == {"partition": partition, "reservedPrefixConfig": reserved}


def test_given_a_pair_when_rendered_then_the_secret_alone_holds_it():
    rendered = objects()
    secret = rendered.pop("Secret")["data"]

    assert base64.b64decode(secret["cert.pem"]) == b"certificate\n"
    assert base64.b64decode(secret["key.pem"]) == b"key\n"
    assert secret["key.pem"] not in json.dumps(rendered)
    assert "key" not in repr(SERVED).replace("certificate", "")


@pytest.mark.parametrize(
    ("source", "kind", "annotation"),
    [
        ("configMap", "ConfigMap", "aws-iam/config-hash"),
        ("secret", "Secret", "aws-iam/certificate-hash"),
    ],
)
def test_given_a_kubelet_that_remembers_old_contents_when_rendered_then_a_pod_cannot_have_them(
    source: str, kind: str, annotation: str
):
    rendered = objects()
    (asked,) = [volume[source]["items"] for volume in pod()["volumes"] if source in volume]

    keys = {item["key"] for item in asked}
    assert hashes()[annotation] in keys
    assert keys <= set(rendered[kind]["data"])


@given(HOSTILE)
def test_given_any_image_and_cluster_id_when_rendered_then_no_structure_changes(text: str):
    hostile = objects(image=text, cluster_id=text)
    before, after = (found["aws-iam/config-hash"] for found in (hashes(), hashes(cluster_id=text)))
    plain = json.loads(json.dumps(objects()).replace(before, after))
    plain["Deployment"]["spec"]["template"]["spec"]["containers"][0]["image"] = text
    server = hostile["ConfigMap"]["data"]["config.yaml"]
    plain["ConfigMap"]["data"]["config.yaml"] = server

    assert hostile == plain
    assert yaml.safe_load(server) == {
        "clusterID": text,
        "server": {"partition": "aws", "reservedPrefixConfig": []},
    }


def schema(*, strict: bool, partition: str = "aws") -> Any:
    definition = manifests.crd(strict=strict, partition=partition)
    (version,) = definition["spec"]["versions"]
    return version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]


def test_given_the_definition_when_rendered_then_the_canonical_arn_has_a_place():
    spec = manifests.crd(strict=False)["spec"]
    (version,) = spec["versions"]
    status = version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]
    columns = ", ".join(column["name"] for column in version["additionalPrinterColumns"])

    # Whoever must not list mappings would get an error from `kubectl get all`.
    assert "categories" not in spec["names"]
    assert version["subresources"] == {"status": {}}
    assert set(status) == {"canonicalARN", "userID"}
    assert columns == "ARN, Username, Groups, Canonical ARN, Source, Expires, Created, Age"


def test_given_an_old_server_when_rendered_then_only_a_changed_arn_is_refused():
    found = schema(strict=False)
    rules = [rule["rule"] for rule in found["arn"]["x-kubernetes-validations"]]
    assert rules == ["self == oldSelf"]
    assert "minLength" not in found["username"]


@functools.cache
def arn_rules(partition: str) -> list[dict[str, Any]]:
    return schema(strict=True, partition=partition)["arn"]["x-kubernetes-validations"]


def refused(text: str, partition: str = "aws") -> list[str]:
    """What the strict schema says against a new mapping's ARN.

    Kubernetes matches as Go does. For patterns and texts as these Python does the same.
    """
    return [
        rule["message"]
        for rule in arn_rules(partition)
        if (match := re.fullmatch(r"(!?)self\.matches\('(.*)'\)", rule["rule"].strip()))
        and bool(re.search(match[2].replace("$", r"\Z"), text, re.ASCII)) is bool(match[1])
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("admin", "arn must start with"),
        ("arn:aws:iam:eu-west-1:111122223333:root", "arn must start with"),
        ("arn:aws-cn:iam::111122223333:root", "arn must start with"),
        ("arn:aws:s3::111122223333:root", "arn must start with"),
        ("arn:aws:iam::11112222333:role/admin", "the account in arn must be 12 digits"),
        ("arn:aws:iam::111122223333:group/admins", "arn must name a user, a role or root"),
        ("arn:aws:iam::111122223333:root/", "arn must name a user, a role or root"),
        ("arn:aws:sts::111122223333:assumed-role/admin", "arn must name the role and none of its"),
        ("arn:aws:sts::111122223333:assumed-role/dev/eve", "arn must name the role and none of"),
        ("ARN:AWS:STS:x:111122223333:Assumed-Role/dev/eve", "arn must name the role and none of"),
        ("arn:aws:iam::111122223333:role/dev\n", "arn must have printable ASCII characters only"),
        ("arn:awſ:iam::111122223333:role/dev", "arn must have printable ASCII characters only"),
        ("arn:aws:iam::111122223333:role/team/dev", "a role must be named without its path"),
        ("arn:aws:iam::111122223333:Role/team/dev", "a role must be named without its path"),
    ],
)
def test_given_an_arn_when_it_is_created_then_the_schema_says_what_is_wrong_with_it(
    text: str, message: str
):
    assert any(line.startswith(message) for line in refused(text))


@given(arns.LOGINS | arns.TEXTS.filter(re.compile("[ -\x7f]*").fullmatch))
@example("ARN:AWS:IAM::111122223333:Role/Admin")
@example("arn:aws:iam::111122223333:user/a!b:/bob")
@example("arn:aws:sts::111122223333:assumed-role/admin/")
@example("arn:aws:sts:eu-west-1:111122223333:assumed-role/admin/a:b")
@settings(max_examples=600)
def test_given_an_arn_that_logins_match_when_it_is_created_then_the_schema_accepts_no_session(
    text: str,
):
    if arn.mismatch(text):
        return
    of = arn.parse(arn.canonicalize(text)).partition
    is_session = text.split(":", 5)[5].lower().startswith("assumed-role/")
    for option in PARTITIONS:
        is_foreign = bool(partitions.mismatch(of, option))
        assert (is_foreign or is_session) is bool(refused(text, option))


def test_given_an_arn_of_another_partition_when_it_is_created_then_the_schema_names_the_option():
    (line,) = refused("arn:aws:iam::111122223333:root", "aws-cn")

    assert line == (
        "arn must start with arn:<partition>:iam:: or arn:<partition>:sts::, where the partition "
        "is aws-cn (see the option partition of the aws-iam charm)"
    )


def test_given_a_pod_then_its_collector_of_garbage_works_harder_below_its_limit_of_memory():
    (container,) = pod()["containers"]
    (soft,) = (each["value"] for each in container["env"] if each["name"] == "GOMEMLIMIT")
    limit = container["resources"]["limits"]["memory"]

    # Kubernetes writes Mi, and Go MiB.
    assert 0.85 < int(soft.removesuffix("MiB")) / int(limit.removesuffix("Mi")) <= 0.9

"""`juju refresh`: from the reactive charm, and from one version of this charm to the next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jubilant
import pytest
from tests.integration.helpers import (
    arns,
    how_to,
    juju_status,
    kubernetes,
    logins,
    reactive,
    units,
)
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import KUBE_SYSTEM, MAPPINGS, Cluster

pytestmark = pytest.mark.slow

CONTROL_PLANE = "kubernetes-control-plane/0"
LABELLED = "serviceaccount/aws-iam-authenticator"
OLD_AUTHORITY = "aws-iam.pem"
MANAGERS = {"aws-iam", "kube-controller-manager", "kube-apiserver", "kubectl-label"}
Objects = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def cluster(juju: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    return reactive.deploy(juju, tmp_path_factory.mktemp("reactive"))


@pytest.fixture(scope="module")
def before(cluster: Cluster) -> Objects:
    """Label an object as people do, and return the cluster's objects before the refresh."""
    cluster.kubectl("label", *KUBE_SYSTEM, LABELLED, "team=payments")
    return reactive.objects(cluster)


@pytest.fixture(scope="module")
def old_key(juju: jubilant.Juju, before: Objects) -> str:
    """Return a line of the reactive charm's private key, which is the same in every encoding."""
    return reactive.leader_data(juju)["key"].splitlines()[5]


@pytest.fixture(scope="module")
def trusted(juju: jubilant.Juju, before: Objects) -> reactive.Trust:
    """Have somebody else trust the same authority, and return what the machine trusts by then."""
    folder = "/usr/local/share/ca-certificates"
    command = f"cp {folder}/aws-iam.crt {folder}/payments.crt && update-ca-certificates"
    juju.exec(command, unit=CONTROL_PLANE)
    return reactive.trust(juju)


@pytest.fixture(scope="module")
def after(
    juju: jubilant.Juju, cluster: Cluster, before: Objects, old_key: str, trusted: reactive.Trust
) -> Objects:
    """Refresh the application, and return the cluster's objects once it is active."""
    how_to.run(juju, how_to.shown("upgrade.md", "Upgrade the charm, or downgrade it")[0])
    logins.wait_for_login(cluster)
    juju_status.wait_until_active(juju)
    for command in how_to.shown("upgrade.md", "The old private key and CA"):
        how_to.run(juju, command)
    return reactive.objects(cluster)


def test_given_the_reactive_charm_then_its_pods_run_and_refuse_every_login(
    juju: jubilant.Juju, cluster: Cluster
) -> None:
    def refused() -> bool:
        done = cluster.whoami("knobby")
        # The log shows that a pod refused the login. Without it, none may have been reached.
        log = cluster.kubectl("logs", *KUBE_SYSTEM, "-l", "k8s-app=aws-iam-authenticator")
        return "Unauthorized" in done.stderr and "access denied" in log

    eventually(refused, "refused by a pod", seconds=30)


def test_given_the_reactive_charm_then_anyone_on_the_machine_can_read_its_private_key(
    juju: jubilant.Juju, before: Objects
) -> None:
    listed = juju.exec("ls -l /root/cdk/addons", unit=CONTROL_PLANE).stdout

    assert "-r--r--r--" in listed
    assert "aws-iam-secret.yaml" in listed
    assert "PRIVATE KEY" in reactive.leader_data(juju)["key"]


def test_when_refreshed_then_people_log_in_with_their_old_kubeconfig(
    juju: jubilant.Juju, cluster: Cluster, before: Objects, after: Objects
) -> None:
    assert logins.username(cluster.whoami("knobby")) == "knobby"
    published = units.databag(juju, CONTROL_PLANE, "aws-iam")
    assert json.loads(published["cluster_id"]) == reactive.cluster_id(cluster)


def test_when_refreshed_then_the_service_and_the_deployment_are_kept(
    before: Objects, after: Objects
) -> None:
    for name in ("service/aws-iam-authenticator", "deployment/aws-iam-authenticator"):
        assert after[name]["metadata"]["uid"] == before[name]["metadata"]["uid"]
    service = "service/aws-iam-authenticator"
    assert after[service]["spec"]["clusterIP"] == before[service]["spec"]["clusterIP"]


@pytest.mark.parametrize("name", reactive.KINDS)
def test_when_refreshed_then_no_field_is_left_to_the_field_manager_of_kubectl_apply(
    before: Objects, after: Objects, name: str
) -> None:
    managers = {entry["manager"] for entry in after[name]["metadata"]["managedFields"]}

    assert "kubectl-client-side-apply" in {
        entry["manager"] for entry in before[name]["metadata"]["managedFields"]
    }
    assert managers <= MANAGERS
    assert "last-applied" not in str(after[name]["metadata"].get("annotations"))


def test_when_refreshed_then_the_label_that_people_added_is_kept(after: Objects) -> None:
    assert after[LABELLED]["metadata"]["labels"]["team"] == "payments"


def test_when_refreshed_then_the_pods_may_no_longer_write_mappings(after: Objects) -> None:
    rules = after["clusterrole/aws-iam-authenticator"]["rules"]

    assert "*" not in str(rules)
    writable = [rule["resources"] for rule in rules if "patch" in rule["verbs"]]
    assert writable == [["iamidentitymappings/status"], ["events"]]


def test_when_refreshed_then_every_mapping_is_kept_and_can_be_looked_up(
    juju: jubilant.Juju, cluster: Cluster, after: Objects
) -> None:
    found = cluster.get(MAPPINGS)["items"]

    assert {item["metadata"]["name"]: item["spec"]["arn"] for item in found} == {
        "viewers": arns.ROLE,
        "mallory": arns.USER,
        "pathed": arns.ROLE_WITH_PATH,
    }
    assert all(item["status"]["canonicalARN"] == item["spec"]["arn"] for item in found)
    message = juju_status.message(juju)
    assert ", 3 mappings, " in message
    assert ", 1 broken mapping: pathed: no login has a role path" in message


def test_when_refreshed_then_a_mapped_user_logs_in(
    juju: jubilant.Juju, cluster: Cluster, after: Objects, tmp_path: Path
) -> None:
    person = kubernetes.save_kubeconfig(juju, tmp_path / "kubeconfig")

    assert logins.username(Cluster(cluster.admin, person).whoami("mallory")) == "mallory"


def test_when_refreshed_then_the_old_private_key_is_gone_everywhere(
    juju: jubilant.Juju, before: Objects, old_key: str, after: Objects
) -> None:
    secret = "secret/aws-iam-certs"
    found = juju.exec("find /root/cdk -name 'aws-iam*' -printf '%f %m\\n'", unit=CONTROL_PLANE)
    folders = "/var/lib/juju/agents/unit-aws-iam-0 /root /home /etc /usr"
    with_key = juju.exec(f"grep -rlF -e '{old_key}' {folders} || true", unit=CONTROL_PLANE)
    database = juju.exec(
        "strings -a .unit-state.db | grep -e leadership -e kv_revisions || true", unit="aws-iam/0"
    )

    assert found.stdout == "aws-iam-webhook.yaml 600\n"
    assert with_key.stdout == ""
    assert database.stdout == ""
    assert reactive.leader_data(juju) == {}
    assert after[secret]["data"]["key.pem"] != before[secret]["data"]["key.pem"]


def test_when_refreshed_then_the_machine_trusts_all_that_it_did_but_the_old_authority(
    juju: jubilant.Juju, trusted: reactive.Trust, after: Objects
) -> None:
    now = reactive.trust(juju)

    assert set(trusted.links) - set(now.links) == {OLD_AUTHORITY}
    assert set(now.links) <= set(trusted.links)
    assert now.dangling == trusted.dangling
    assert now.by_hash == trusted.by_hash
    assert len(now.bundle) == len(trusted.bundle) - 1


def test_when_refreshed_then_no_hook_failed(juju: jubilant.Juju, after: Objects) -> None:
    log = juju.debug_log(limit=5000)

    assert 'ran "upgrade-charm" hook' in log
    assert "awaiting error resolution" not in log


def test_when_refreshed_then_the_pods_were_replaced_once(cluster: Cluster, after: Objects) -> None:
    sets = cluster.get(*KUBE_SYSTEM, "replicasets", "-l", "k8s-app=aws-iam-authenticator")["items"]

    # That of the reactive charm is kept, for a rollback.
    assert len(sets) == 2


def test_when_refreshed_then_every_object_is_as_if_this_charm_had_created_it(
    juju: jubilant.Juju, cluster: Cluster, after: Objects
) -> None:
    # Deleting the definition would delete people's mappings, so it is left out here.
    recreated = [name for name in after if not name.startswith("customresource")]
    cluster.kubectl("label", *KUBE_SYSTEM, LABELLED, "team-")
    after[LABELLED] = cluster.get(LABELLED, *KUBE_SYSTEM)
    cluster.free_address()
    others = [name for name in recreated if not name.startswith("service/")]
    cluster.kubectl("delete", *KUBE_SYSTEM, *others)

    # Every hook applies what is missing, so two changes of an option recreate everything.
    juju.config("aws-iam", {"replicas": 3})
    juju_status.wait_until_active(juju)
    juju.config("aws-iam", reset="replicas")
    juju_status.wait_until_active(juju)

    fresh = reactive.objects(cluster)
    for name in recreated:
        assert fresh[name]["metadata"]["uid"] != after[name]["metadata"]["uid"]
        assert reactive.applied_fields(fresh[name]) == reactive.applied_fields(after[name])

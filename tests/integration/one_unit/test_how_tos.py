"""The commands of the how-tos that no other test runs, in a shell, as their readers run them."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator

import jubilant
import pytest
from demo import keys
from tests.integration.helpers import arns, bad_tokens, bundle, juju_status, kubernetes
from tests.integration.helpers.bad_tokens import credentials, signed
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.how_to import Reader
from tests.integration.helpers.kubernetes import DEPLOYMENT, KUBE_SYSTEM, MAPPINGS, PODS, Cluster

pytestmark = pytest.mark.slow

AWS_AUTH = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "aws-auth", "namespace": "kube-system"},
    "data": {"mapRoles": f"- rolearn: {arns.ROLE}\n  username: dev\n  groups: [view]\n"},
}
DECLARE = "declare-who-may-log-in.md"
DEPLOY = "deploy.md"
TEMPORARY = "temporary-access.md"
ERRORS = "errors.md"
ALERTS = "alerts.md"
GLASS = "break-glass.md"
MANY = "many-clusters.md"
BESIDE = "beside-oidc-and-keystone.md"


@pytest.fixture(autouse=True)
def unmapped(deployed: jubilant.Juju, cluster: Cluster) -> Iterator[None]:
    """Let each test begin without mappings, and reset what it has declared."""
    cluster.kubectl("delete", MAPPINGS, "--all")
    yield
    deployed.config("aws-iam", {"mappings": ""})
    juju_status.wait_until_active(deployed)


@pytest.fixture
def refused(cluster: Cluster) -> None:
    """Let mallory, who has no mapping, be refused."""
    token = signed(credentials("mallory"), kubernetes.cluster_id(cluster.person))
    assert bad_tokens.log_in(cluster, token) == 401


def usernames(cluster: Cluster) -> set[str]:
    return {found["spec"]["username"] for found in cluster.get(MAPPINGS)["items"]}


def test_given_the_page_on_declared_mappings_then_they_come_and_go_as_it_says(
    deployed: jubilant.Juju, cluster: Cluster, reader: Reader
) -> None:
    reader.save(DECLARE, "The file")

    printed = reader.follow(DECLARE, "See what a file would change")

    # Once for the file of parameters, and once for the short text.
    assert len(re.findall("""^make: ["']2["']$""", printed, re.MULTILINE)) == 2, printed
    assert usernames(cluster) == set()

    reader.follow(DECLARE, "Declare who may log in")
    reader.follow(DECLARE, "The file")
    juju_status.wait_until_active(deployed)

    assert "viewer:{{SessionName}}" in usernames(cluster)

    reader.follow(DECLARE, "Roll back")
    juju_status.wait_until_active(deployed)

    eventually(lambda: usernames(cluster) == set(), "taken back", juju_status.WAIT_SECONDS)
    cluster.kubectl("delete", "clusterrolebinding", "alice")


def test_given_the_page_on_deployment_then_its_first_person_lists_pods(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in keys.environment("knobby").items():
        monkeypatch.setenv(name, value)
    reader.save(DEPLOY, "Admit the first user")

    def follow() -> bool:
        # The pods may hear of the mapping after the page's last command.
        with contextlib.suppress(AssertionError):
            reader.follow(DEPLOY, "Admit the first user")
            return True
        return False

    assert eventually(follow, "logged in", seconds=180)


def test_given_the_page_on_permission_sets_then_the_unit_waits_for_somebody_to_log_in(
    deployed: jubilant.Juju, cluster: Cluster, reader: Reader
) -> None:
    # The log of the former pods has logins by this permission set: other files use it too.
    cluster.kubectl("delete", *PODS, "--force", "--grace-period=0")
    cluster.kubectl("rollout", "status", *DEPLOYMENT)

    reader.save("permission-sets.md", "Admit a permission set of IAM Identity Center")
    reader.follow("permission-sets.md", "Admit a permission set of IAM Identity Center")
    juju_status.wait_until_active(deployed)

    assert "role unknown; log in once with this permission set" in juju_status.message(deployed)


def test_given_the_page_on_eks_then_its_people_are_mapped(
    deployed: jubilant.Juju, cluster: Cluster, reader: Reader
) -> None:
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(AWS_AUTH))
    reader.follow("move-from-eks.md", "Move from EKS")
    reader.follow("move-from-eks.md", "Give people a kubeconfig")
    juju_status.wait_until_active(deployed)
    cluster.kubectl("delete", *KUBE_SYSTEM, "configmap", "aws-auth")

    assert usernames(cluster) == {"dev"}


def test_given_the_page_on_the_reactive_charm_then_a_mapping_that_never_worked_goes(
    cluster: Cluster, reader: Reader
) -> None:
    cluster.map("developers", arns.ROLE_WITH_PATH, "dev")

    printed = reader.follow("move-from-the-reactive-charm.md", "Mappings that never worked")

    assert arns.ROLE_WITH_PATH in printed
    assert usernames(cluster) == set()


def test_given_the_page_on_the_reactive_charm_then_the_default_image_is_back(
    deployed: jubilant.Juju, reader: Reader
) -> None:
    deployed.config("aws-iam", reset="image")
    default = deployed.config("aws-iam")["image"]
    deployed.config("aws-iam", {"image": bundle.OTHER_IMAGE})

    printed = reader.follow("move-from-the-reactive-charm.md", "An image of your own")

    assert printed.strip() == bundle.OTHER_IMAGE
    assert deployed.config("aws-iam")["image"] == default


def test_given_the_page_on_the_image_then_check_says_that_the_pods_have_what_fixes_it(
    deployed: jubilant.Juju, cluster: Cluster, reader: Reader
) -> None:
    printed = reader.follow("choose-the-image.md", "See what runs")

    # The tag is older than the version that fixes it, and the program was built again.
    assert bundle.FIXED_LATER in juju_status.message(deployed)
    assert "ok: 2/2 pods are ready; CRD, RBAC and Service are there; image " in printed
    assert "CVE-2026-97032" not in printed

    reader.follow("choose-the-image.md", "Take the charm's default again")
    juju_status.wait_until_active(deployed)


def test_given_the_page_on_the_network_then_its_policy_is_one_that_the_cluster_takes(
    cluster: Cluster, reader: Reader
) -> None:
    reader.save("network.md", "Inside the cluster", "policy.yaml")

    printed = reader.follow("network.md", "Inside the cluster")

    assert "networkpolicy.networking.k8s.io/aws-iam-authenticator created" in printed
    assert "all 7 steps are ok" in printed
    assert 'networkpolicy.networking.k8s.io "aws-iam-authenticator" deleted' in printed


def test_given_the_page_on_temporary_access_then_it_is_given_and_revoked(
    cluster: Cluster, reader: Reader
) -> None:
    reader.follow(TEMPORARY, "Grant access")
    assert usernames(cluster) == {"alice"}

    reader.follow(TEMPORARY, "Revoke access")
    assert usernames(cluster) == set()


@pytest.mark.parametrize(
    ("heading", "username"),
    [
        ("Grant a permission set", "bob"),
        ("Admit a contractor from another account", "contractor"),
    ],
)
def test_given_the_page_on_temporary_access_then_others_are_let_in(
    cluster: Cluster, reader: Reader, heading: str, username: str
) -> None:
    reader.follow(TEMPORARY, heading)

    assert usernames(cluster) == {username}


def test_given_the_page_on_temporary_access_then_a_mapping_gets_an_end_and_loses_it(
    cluster: Cluster, reader: Reader
) -> None:
    cluster.map("alice", arns.USER, "alice")

    printed = reader.follow(TEMPORARY, "Let any mapping expire")

    assert printed.count("iamidentitymapping.iamauthenticator.k8s.aws/alice annotated") == 2


def test_given_the_page_on_reviews_then_it_lists_and_explains(
    cluster: Cluster, reader: Reader
) -> None:
    cluster.map("dev", arns.ROLE, "dev")

    assert "dev" in reader.follow("review-who-has-access.md", "See everybody")
    reader.follow("review-who-has-access.md", "Hear of grants and expiry")
    explained = reader.follow("review-who-has-access.md", "Look at one principal")
    assert "mapping dev, made with kubectl" in explained


def test_given_the_page_on_audits_then_its_files_say_who_has_access(
    cluster: Cluster, reader: Reader
) -> None:
    cluster.map("dev", arns.ROLE, "dev")

    reader.follow("audit.md", "Who has access, and since when")

    assert f'"dev","{arns.ROLE}","dev"' in (reader.folder / "access.csv").read_text()
    assert "logins: " in reader.follow("audit.md", "Who used it, and who is inactive")
    reader.follow("audit.md", "Who ended when")


@pytest.mark.usefixtures("refused")
@pytest.mark.parametrize(
    ("page", "heading", "said"),
    [
        (ERRORS, "Troubleshoot: errors by their text", "7-mappings"),
        (ERRORS, "Follow one login", f"logins are looked up as {arns.ROLE}"),
        (ERRORS, "Follow one login", "can-i --list --as=dev"),
        (ERRORS, "Follow one login", "yes\n"),
        (
            ERRORS,
            "error: You must be logged in to the server (Unauthorized)",
            "refused in the last hour",
        ),
        (ALERTS, "AwsIamAccessOutlivesItsEnd", "PROBLEM"),
        (ALERTS, "AwsIamCertificateEnds", "certificates"),
        (ALERTS, "AwsIamManyRefusals", "refused in the last hour"),
        (ALERTS, "AwsIamMappingNeverWorks", "PROBLEM"),
        (ALERTS, "AwsIamNotWatched", "certificates"),
        (ALERTS, "AwsIamStsThrottled", "current-context"),
        (ALERTS, "AwsIamStsUnreachable", "refused in the last hour"),
        (ALERTS, "Look at the pods", "aws-iam-authenticator-"),
    ],
)
def test_given_the_pages_on_refusals_and_alerts_then_their_commands_show_where_to_look(
    cluster: Cluster, reader: Reader, page: str, heading: str, said: str
) -> None:
    cluster.map("dev", arns.ROLE, "dev")
    cluster.map("developers", arns.ROLE_WITH_PATH, "dev")

    assert said in reader.follow(page, heading)


@pytest.mark.parametrize(
    ("page", "heading", "said"),
    [
        ("upgrade-to-1.29.md", "What people notice", 'current-context: "aws-iam-authenticator"'),
        ("deploy.md", "In another AWS partition", "cn-north-1"),
        ("network.md", "Which region", "ok: sts.eu-west-1.amazonaws.com answers"),
    ],
)
def test_given_a_page_with_a_command_then_it_shows_what_the_page_says(
    deployed: jubilant.Juju, reader: Reader, page: str, heading: str, said: str
) -> None:
    printed = reader.follow(page, heading)
    deployed.config("aws-iam", reset="partition")

    assert said in printed


def test_given_the_page_on_breaking_the_glass_then_it_lets_people_in_and_leaves_nothing(
    cluster: Cluster, reader: Reader
) -> None:
    assert "Ready" in reader.follow(GLASS, "Get in")

    token = reader.follow(GLASS, "Admit another user").splitlines()[-1]

    assert usernames(cluster) == {"alice"}
    person = ("kubectl", "--kubeconfig", str(cluster.person), f"--token={token}")
    assert "kube-system:incident-42" in kubernetes.run([*person, "auth", "whoami"]).stdout
    assert kubernetes.run([*person, "get", "pods"]).returncode == 0

    printed = reader.follow(GLASS, "Afterwards")

    assert printed.count("deleted") == 3


def test_given_the_page_on_many_clusters_then_one_kubeconfig_has_a_context_for_each(
    cluster: Cluster, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.map("knobby", arns.USER.replace("mallory", "knobby"), "knobby-everywhere")
    for name, value in keys.environment("knobby").items():
        monkeypatch.setenv(name, value)

    def printed() -> str:
        with contextlib.suppress(AssertionError):  # the pods may not have heard of the mapping yet
            return reader.follow(MANY, "Make one file")
        return ""

    assert "knobby-everywhere" in eventually(printed, "logged in by the merged kubeconfig")


def test_given_the_page_on_other_ways_to_log_in_then_it_shows_what_is_set_and_who_one_is(
    reader: Reader,
) -> None:
    reader.follow(BESIDE, "What works together")

    assert "admin" in reader.follow(BESIDE, "Keep their users apart")

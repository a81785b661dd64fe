"""The commands of the pages, in one model and in the order of the index, as readers run them.

Nothing is cleaned up in between but what the pages themselves clean up, so no page's examples may
stand in the way of another's. Pages that need a model of their own have tests of their own:
tests/project/test_docs_commands.py fails if a command is in neither.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import jubilant
import pytest
from demo import keys
from tests.integration.helpers import arns, bad_tokens, bundle, checking, juju_status, kubernetes
from tests.integration.helpers.bad_tokens import credentials, signed
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.how_to import Reader
from tests.integration.helpers.kubernetes import DEPLOYMENT, KUBE_SYSTEM, MAPPINGS, PODS, Cluster

pytestmark = pytest.mark.slow

DECLARE = "declare-who-may-log-in.md"
SETS = "permission-sets.md"
TEMPORARY = "temporary-access.md"
END = "end-access.md"
OTHERS = "let-others-write-mappings.md"
KUBECONFIGS = "kubeconfigs.md"
AUDIT = "audit.md"
EKS = "move-from-eks.md"
BESIDE = "beside-oidc-and-keystone.md"
ERRORS = "errors.md"
GLASS = "break-glass.md"
ALERTS = "alerts.md"
UPGRADE = "upgrade.md"
AWS_AUTH = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "aws-auth", "namespace": "kube-system"},
    "data": {"mapRoles": f"- rolearn: {arns.ROLE}\n  username: on-eks\n  groups: [view]\n"},
}


@dataclass(frozen=True)
class Section:
    """The commands below a heading, and what comes of them.

    Attributes:
        says: What they print, each of it.
        saves: The heading below which the page shows a file, and the name to save it under.
        writes: The files that they write, which are read as if printed.
        maps: The username of a mapping that is there afterwards.
        ends: The username of a mapping that is gone afterwards.
        again: Whether to run them again if they fail: pods may not have heard of a mapping yet.
        before: What the page's reader has at this point.
        resets: An option that no other page's reader has set.
    """

    page: str
    heading: str
    says: tuple[str, ...] = ()
    saves: tuple[str, str] = ("", "")
    writes: tuple[str, ...] = ()
    maps: str = ""
    ends: str = ""
    again: bool = False
    before: Callable[[jubilant.Juju, Cluster], None] | None = None
    resets: str = ""


def without_former_logins(_juju: jubilant.Juju, cluster: Cluster) -> None:
    """Let the log have no login of the page's permission set: other files use it too."""
    cluster.kubectl("delete", *PODS, "--force", "--grace-period=0")
    cluster.kubectl("rollout", "status", *DEPLOYMENT)


def on_eks(_juju: jubilant.Juju, cluster: Cluster) -> None:
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(AWS_AUTH))


def with_another_image(juju: jubilant.Juju, _cluster: Cluster) -> None:
    juju.config("aws-iam", {"image": bundle.OTHER_IMAGE})


def with_a_mapping_that_never_worked(_juju: jubilant.Juju, cluster: Cluster) -> None:
    cluster.map("developers", arns.ROLE_WITH_PATH, "never-worked")


def mapped(_juju: jubilant.Juju, cluster: Cluster) -> None:
    """Let knobby log in without a role."""
    cluster.map("knobby", arns.USER.replace("mallory", "knobby"), "everywhere")


def refused(_juju: jubilant.Juju, cluster: Cluster) -> None:
    """Let mallory, who has no mapping, be refused."""
    token = signed(credentials("mallory"), kubernetes.cluster_id(cluster.person))
    assert bad_tokens.log_in(cluster, token) == 401


RUNNER = "Map it"
FILE = "The file"
IMAGE = "The image: choose it, pull it from your registry, air-gapped"
WALK = (
    Section("deploy.md", "Three control planes and a load balancer", (checking.ALL_OK,)),
    Section("deploy.md", "In another AWS partition", resets="partition"),
    Section(
        "let-machines-log-in.md",
        RUNNER,
        ("get-token",),
        saves=(RUNNER, "mappings.yaml"),
        maps="runner:{{SessionName}}",
    ),
    Section(KUBECONFIGS, "Get a kubeconfig", ("Context",)),
    Section(KUBECONFIGS, "Install a client", ("get-token",)),
    Section(KUBECONFIGS, "Of a profile with MFA"),
    Section(
        DECLARE,
        "See what a file would change",
        ("support:{{SessionName}}", "system:masters"),
        saves=(FILE, "mappings.yaml"),
    ),
    Section(
        DECLARE,
        "Declare who may log in, and with which rights",
        maps="support:{{SessionName}}",
        ends="runner:{{SessionName}}",
    ),
    Section(DECLARE, "Give rights to a user or a group", ("/dana created",)),
    Section(DECLARE, "Roll back", ends="dana"),
    Section(
        DECLARE,
        "Declare both",
        saves=("Declare both", "mappings.yaml"),
        maps="release:{{SessionName}}",
    ),
    Section(
        SETS,
        "Admit a permission set of IAM Identity Center",
        saves=("Admit a permission set of IAM Identity Center", "mappings.yaml"),
        ends="release:{{SessionName}}",
        before=without_former_logins,
    ),
    Section(TEMPORARY, "Grant access", ("granted",), maps="alice"),
    Section(TEMPORARY, "Admit a contractor from another account", maps="contractor"),
    Section(TEMPORARY, "Let any mapping expire", ("k8s-incident-role-2f3c8971ea annotated",)),
    Section(END, "Revoke access", ("revoked",), ends="alice"),
    Section(END, "Prepare to stop one person", ("/alice created",)),
    Section(END, "See that it ended", ("no mapping names it", "pods")),
    Section(OTHERS, "See first what would be refused"),
    Section(KUBECONFIGS, "Many clusters in one file", ("everywhere",), again=True, before=mapped),
    Section(AUDIT, "See everybody", ("SOURCE",)),
    Section(
        AUDIT,
        "Evidence as a file",
        ("contract 7", '"contractor"'),
        writes=("access.json", "access.csv", "reasons.txt"),
    ),
    Section(
        AUDIT,
        "Who gave or ended access",
        ("delete mapping k8s-incident-role-2f3c8971ea",),
        writes=("charm.log",),
    ),
    Section(EKS, "Move from EKS", maps="on-eks", before=on_eks),
    Section(EKS, "Give people a kubeconfig"),
    Section("network.md", "Which region", ("ok: sts.eu-west-1.amazonaws.com answers",)),
    Section(
        "network.md",
        "Inside the cluster",
        (
            "networkpolicy.networking.k8s.io/aws-iam-authenticator created",
            checking.ALL_OK,
            'networkpolicy.networking.k8s.io "aws-iam-authenticator" deleted',
        ),
    ),
    Section(BESIDE, "Beside OIDC, Keystone or another webhook"),
    Section(BESIDE, "Keep their users apart", ("admin",)),
    Section(ERRORS, "Nobody can log in", (checking.ALL_OK,)),
    Section(
        ERRORS,
        "error: You must be logged in to the server (Unauthorized)",
        ("refused in the last hour",),
        before=refused,
    ),
    Section(ERRORS, "Follow one login", ("role/k8s-oncall-role", "no mapping names it")),
    Section(GLASS, "Get in", ("Ready",)),
    Section(GLASS, "Admit another user", maps="rescuer"),
    Section(GLASS, "Afterwards", ("deleted",), ends="rescuer"),
    Section(ALERTS, "Look at the pods", ("aws-iam-authenticator-",)),
    Section(ALERTS, "AwsIamStsUnreachable", ("refused in the last hour",)),
    Section(ALERTS, "AwsIamManyRefusals", ("refused in the last hour",)),
    Section("image.md", IMAGE, ("ok: 2/2 pods are ready",)),
    Section(UPGRADE, "From the reactive charm", ("5-end-to-end: 'ok",)),
    Section(UPGRADE, "An image of your own", (bundle.OTHER_IMAGE,), before=with_another_image),
    Section(
        UPGRADE,
        "Mappings that never worked",
        (arns.ROLE_WITH_PATH,),
        before=with_a_mapping_that_never_worked,
        ends="never-worked",
    ),
)


@pytest.fixture(scope="module", autouse=True)
def operator(
    deployed: jubilant.Juju, cluster: Cluster, reader: Reader
) -> Iterator[pytest.MonkeyPatch]:
    """Let the reader have knobby's keys, and a kubeconfig at home; leave no mapping behind."""
    cluster.kubectl("delete", MAPPINGS, "--all")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in keys.environment("knobby").items():
            patch.setenv(name, value)
        yield patch
    deployed.config("aws-iam", {"mappings": ""})
    juju_status.wait_until_active(deployed)
    cluster.kubectl("delete", MAPPINGS, "--all")
    cluster.kubectl("delete", *KUBE_SYSTEM, "configmap", "aws-auth", "--ignore-not-found")
    cluster.kubectl("delete", "clusterrolebinding", "dana", "--ignore-not-found")
    cluster.kubectl("delete", "rolebinding/alice", "--ignore-not-found")


def usernames(cluster: Cluster) -> set[str]:
    return {found["spec"]["username"] for found in cluster.get(MAPPINGS)["items"]}


@pytest.mark.parametrize("section", WALK, ids=lambda each: f"{each.page}-{each.heading}")
def test_given_the_pages_in_the_order_of_the_index_then_their_commands_do_what_they_say(
    deployed: jubilant.Juju, cluster: Cluster, reader: Reader, section: Section
) -> None:
    if section.before:
        section.before(deployed, cluster)
    heading, name = section.saves
    if heading:
        reader.save(section.page, heading, name)

    printed = follow(reader, section)
    printed += "".join((reader.folder / each).read_text() for each in section.writes)
    if section.resets:
        deployed.config("aws-iam", reset=section.resets)
    juju_status.wait_until_active(deployed)

    assert [each for each in section.says if each not in printed] == [], printed
    assert not section.maps or section.maps in usernames(cluster)
    if section.ends:
        eventually(
            lambda: section.ends not in usernames(cluster), "gone", juju_status.WAIT_SECONDS
        )


def follow(reader: Reader, section: Section) -> str:
    """Run the section's commands, and return what they print."""
    if not section.again:
        return reader.follow(section.page, section.heading)

    def tried() -> str:
        with contextlib.suppress(AssertionError):
            return reader.follow(section.page, section.heading) or "nothing"
        return ""

    return eventually(tried, "done", seconds=180)


def test_given_all_pages_then_each_mapping_that_a_page_leaves_is_still_there(
    cluster: Cluster,
) -> None:
    assert usernames(cluster) == {"contractor", "everywhere", "on-eks"}


def test_given_a_permission_set_that_nobody_used_then_its_page_says_what_the_status_says(
    deployed: jubilant.Juju, reader: Reader
) -> None:
    heading = "Admit a permission set of IAM Identity Center"
    reader.save(SETS, heading)
    reader.follow(SETS, heading)
    juju_status.wait_until_active(deployed)

    assert "role unknown; log in once with this permission set" in juju_status.message(deployed)


def test_given_the_page_on_audits_then_its_table_has_the_mappings_of_the_other_pages(
    reader: Reader,
) -> None:
    table = (reader.folder / "access.csv").read_text()

    assert '"contractor"' in table


def test_given_the_page_on_breaking_the_glass_then_its_user_and_its_token_have_rights(
    cluster: Cluster, reader: Reader
) -> None:
    token = reader.follow(GLASS, "Admit another user").splitlines()[-1]

    person = ("kubectl", "--kubeconfig", str(cluster.person), f"--token={token}")
    assert "kube-system:incident-42" in kubernetes.run([*person, "auth", "whoami"]).stdout
    assert kubernetes.run([*person, "get", "pods"]).returncode == 0
    may = cluster.kubectl("auth", "can-i", "list", "pods", "--as=rescuer")
    assert may.strip() == "yes"

    assert reader.follow(GLASS, "Afterwards").count("deleted") == 4

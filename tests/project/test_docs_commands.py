"""Each command in the README and the docs is run by a test, or this file says why it is not."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo import page

from cluster import references

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", *(str(p.relative_to(ROOT)) for p in sorted(ROOT.glob("docs/**/*.md")))]
PROGRAMS = "juju|kubectl|make|sed|sudo|aws|aws-iam-authenticator|mkdir|export|install|skopeo"
COMMAND = re.compile(rf"^ {{4,}}((?:[A-Z]+=\S+ )?(?:{PROGRAMS}) .*)")
INTEGRATION = "tests/integration"
ONE_UNIT = f"{INTEGRATION}/one_unit"
HOW_TOS = f"{ONE_UNIT}/test_how_tos.py"

# The sections whose commands a test reads from the page and runs, with that test's file. "*" is
# the whole page.
RUN = {
    "docs/tutorial.md": {"*": f"{INTEGRATION}/test_tutorial.py"},
    "docs/how-to/alerts.md": {
        "AwsIamAccessOutlivesItsEnd": HOW_TOS,
        "AwsIamCertificateEnds": HOW_TOS,
        "AwsIamLastingAdministrator": HOW_TOS,
        "AwsIamManyRefusals": HOW_TOS,
        "AwsIamMappingNeverWorks": HOW_TOS,
        "AwsIamNotWatched": HOW_TOS,
        "AwsIamStsThrottled": HOW_TOS,
        "AwsIamStsUnreachable": HOW_TOS,
        "AwsIamUnusedAccess": HOW_TOS,
        "Look at the pods": HOW_TOS,
    },
    "docs/how-to/audit.md": {
        "Who has access, and since when": HOW_TOS,
        "Who is inactive": HOW_TOS,
        "What changed in the last hour": HOW_TOS,
    },
    "docs/how-to/behind-a-proxy.md": {"*": f"{ONE_UNIT}/test_proxy.py"},
    "docs/how-to/beside-oidc-and-keystone.md": {
        "What works together": HOW_TOS,
        "Keep their users apart": HOW_TOS,
    },
    "docs/how-to/break-glass.md": {
        "Get in": HOW_TOS,
        "Let somebody else in": HOW_TOS,
        "Afterwards": HOW_TOS,
    },
    "docs/how-to/declare-who-may-log-in.md": {
        "Declare who may log in": HOW_TOS,
        "The file": HOW_TOS,
        "See what a file would change": HOW_TOS,
        "Take it back": HOW_TOS,
    },
    "docs/how-to/deploy.md": {
        "By the control plane": f"{INTEGRATION}/test_option_1_29.py",
        "In another AWS partition": HOW_TOS,
        "Let the first person in": HOW_TOS,
    },
    "docs/how-to/find-out-what-is-wrong.md": {
        "Run it": f"{ONE_UNIT}/test_check.py",
        "Check another unit": f"{ONE_UNIT}/test_check.py",
        "Check another region of AWS": f"{ONE_UNIT}/test_check.py",
        "For scripts": f"{ONE_UNIT}/test_check.py",
    },
    "docs/how-to/give-rights-with-a-mapping.md": {
        "Declare both": f"{ONE_UNIT}/test_rights.py",
        "Grant both for a while": f"{ONE_UNIT}/test_rights.py",
    },
    "docs/how-to/let-others-write-mappings.md": {
        "See first what would be refused": f"{INTEGRATION}/test_page_1_29.py",
    },
    "docs/how-to/make-a-role.md": {
        "Get a kubeconfig": f"{ONE_UNIT}/test_make_a_role.py",
        "Type an MFA code once": f"{ONE_UNIT}/test_make_a_role.py",
    },
    "docs/how-to/many-clusters.md": {
        "Make one file": HOW_TOS,
        "The same list of people everywhere": "tests/project/test_docs_recipes.py",
    },
    "docs/how-to/move-from-eks.md": {
        "Move from EKS": HOW_TOS,
        "Give people a kubeconfig": HOW_TOS,
    },
    "docs/how-to/move-from-the-reactive-charm.md": {
        "Refresh": f"{INTEGRATION}/test_refresh.py",
        "An image of your own": HOW_TOS,
        "Mappings that never worked": HOW_TOS,
    },
    "docs/how-to/network.md": {"Which region": HOW_TOS},
    "docs/how-to/permission-sets.md": {
        "Admit a permission set of IAM Identity Center": HOW_TOS,
    },
    "docs/how-to/remove.md": {
        "If the application went first": f"{INTEGRATION}/test_option_1_29.py",
        "On Charmed Kubernetes 1.29 and newer": f"{INTEGRATION}/test_option_1_29.py",
    },
    "docs/how-to/review-who-has-access.md": {
        "See everybody": HOW_TOS,
        "Find what to look at first": f"{ONE_UNIT}/test_explain_access.py",
        "Who has not been here for 90 days": f"{ONE_UNIT}/test_explain_access.py",
        "Hear of grants and ends": HOW_TOS,
        "Look at one principal": HOW_TOS,
    },
    "docs/how-to/temporary-access.md": {
        "Grant access": HOW_TOS,
        "Grant a permission set": HOW_TOS,
        "Let a contractor in, from another account": HOW_TOS,
        "Let any mapping end": HOW_TOS,
        "Revoke access": HOW_TOS,
    },
    "docs/how-to/upgrade-to-1.29.md": {
        "1. Add the second relation": f"{INTEGRATION}/helpers/upgrade_page.py",
        "3. Remove the first relation": f"{INTEGRATION}/helpers/upgrade_page.py",
        "4. Refresh the control plane": f"{INTEGRATION}/helpers/upgrade_page.py",
        "The way back": f"{INTEGRATION}/helpers/upgrade_page.py",
        "If the first relation went too early": f"{INTEGRATION}/helpers/upgrade_page.py",
        "What people notice": HOW_TOS,
    },
    "docs/how-to/use-a-private-registry.md": {
        "A registry that anyone may pull from": f"{ONE_UNIT}/test_private_registry.py",
        "A registry that wants credentials": f"{ONE_UNIT}/test_private_registry.py",
        "Back to the public registry": f"{ONE_UNIT}/test_private_registry.py",
    },
    "docs/how-to/watch-it-with-cos.md": {
        "Connect it": f"{ONE_UNIT}/test_cos.py",
        "Go back": f"{ONE_UNIT}/test_cos.py",
    },
    "docs/how-to/why-was-i-refused.md": {
        "Follow the chain": HOW_TOS,
        "See who was refused": HOW_TOS,
        "Ask Kubernetes itself": HOW_TOS,
        "For scripts": HOW_TOS,
    },
}

_EASYRSA = "it is about the files of the original easyrsa, which the testbed lacks"
_EKS = "it asks EKS; tests/unit/access/declaration/test_eks.py reads what it prints"
_TWO_CLUSTERS = "it is for a cluster on EKS and another; test_docs_recipes.py runs its filter"
_AUDIT = "the testbed's API server writes no audit log; test_docs_recipes.py reads one"
_IAM = "the testbed has no IAM API"
_ADMIN = "demo/page.py does the same with the administrator's ~/.kube/config"
_CHARMHUB = "the testbed has neither Charmhub nor a public registry"
_CONTAINERD = "the testbed's containerd has no charm"
_SNAPS = "the testbed's control plane brings its Kubernetes with its charm"
_BASES = "all machines of the testbed have one base"
NOT_RUN = {
    references.removal_command(): "tests/unit/test_removal.py has a hook log it, where a removal "
    "left something behind",
    "juju refresh aws-iam --path build/aws-iam_amd64.charm": "tests/integration/test_refresh.py "
    "refreshes with a file, which lies in another place",
    "juju run aws-iam/leader list-mappings page=2": "it needs hundreds of mappings; "
    "tests/unit/actions/test_list_mappings.py reads a second page",
    'aws eks describe-access-entry --cluster-name prod --principal-arn "$arn" --output json': _EKS,
    "aws eks list-associated-access-policies --cluster-name prod --principal-arn "
    '"$arn" --output json': _EKS,
    "juju config aws-iam mappings=@access-entries.json": _EKS,
    "aws eks describe-cluster --name prod --query cluster.accessConfig.authenticationMode "
    "--output text": _EKS,
    "kubectl get clusterrolebindings,rolebindings -A -o json > all-bindings.json": _TWO_CLUSTERS,
    "kubectl apply -f bindings.json": _TWO_CLUSTERS,
    "aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,"
    "AttributeValue=AssumeRole --output json > cloudtrail.json": "it asks AWS; "
    "test_docs_recipes.py reads what it prints",
    'juju exec --unit kubernetes-control-plane/0 -- "cat /root/cdk/audit/*.log | grep '
    'iamidentitymappings" > audit-0.json.new && test -s audit-0.json.new && mv audit-0.json.new '
    "audit-0.json": _AUDIT,
    'juju exec --unit kubernetes-control-plane/0 -- "cat /root/cdk/audit/*.log | grep '
    'role/k8s-view-role" > role-0.json.new && test -s role-0.json.new && mv role-0.json.new '
    "role-0.json": _AUDIT,
    "juju exec -m controller --machine 0 -- grep aws-iam /var/log/juju/audit.log > "
    "juju-0.json.new && test -s juju-0.json.new && mv juju-0.json.new juju-0.json": "the "
    "testbed's controller is no machine and writes no audit log",
    "sed -i 's|<<insert_arn_here>>|arn:aws:iam::111122223333:role/k8s-view-role|' "
    "admin.yaml": _ADMIN,
    "kubectl --kubeconfig admin.yaml --context aws-iam-authenticator get po": _ADMIN,
    "kubectl create role pod-reader --verb=get,list,watch --resource=pods": _ADMIN,
    "kubectl create rolebinding read-pods --role=pod-reader --user=knobby": _ADMIN,
    "juju integrate aws-iam:certificates vault:vault-pki": "tests/integration/test_vault.py "
    "integrates with the endpoint that its vault has",
    "juju refresh aws-iam --revision 12": _CHARMHUB,
    "juju config aws-iam image=registry.example.com/aws-iam-authenticator:v0.7.18": "one_unit/"
    "test_changes.py sets another image",
    "aws configure export-credentials --format env-no-export | "
    "sed -n 's/^AWS_SESSION_TOKEN=//p' | tr -d '\\n' | wc -c": "it needs AWS itself",
    "aws iam create-role --role-name k8s-view-role --assume-role-policy-document "
    "file://trust.json": _IAM,
    "aws ec2 create-vpc-endpoint --vpc-endpoint-type Interface --service-name "
    "com.amazonaws.eu-west-1.sts --private-dns-enabled --vpc-id VPC --subnet-ids SUBNET "
    "--security-group-ids GROUP": "the testbed has no VPC",
    "juju download aws-iam --channel latest/stable --base ubuntu@22.04 "
    "--filepath aws-iam.charm": _CHARMHUB,
    "skopeo copy --all docker://public.ecr.aws/eks-distro/kubernetes-sigs/aws-iam-authenticator"
    ":v0.7.18-cvefix-eks-1-36-7 docker://registry.example.com/eks-distro/kubernetes-sigs/"
    "aws-iam-authenticator:v0.7.18-cvefix-eks-1-36-7": _CHARMHUB,
    "juju config containerd custom_registries": _CONTAINERD,
    """juju config containerd custom_registries='[{"url": "https://registry.example.com", """
    """"ca_file": "'"$(base64 -w 0 < registry-ca.pem)"'"}]'""": _CONTAINERD,
    "juju deploy ./aws-iam.charm --base ubuntu@22.04 --config "
    "image-registry=registry.example.com": "one_unit/test_private_registry.py sets the option, "
    "and the file of the testbed's charm lies in another place",
    "juju config kubernetes-control-plane channel=1.29/stable": _SNAPS,
    "juju run kubernetes-control-plane/0 upgrade": _SNAPS,
    "juju config aws-iam cluster-id=prod-1": "one_unit/test_changes.py sets another id",
    "sudo /snap/bin/kubectl --kubeconfig /root/.kube/config get nodes": "it is for a shell on "
    "the machine, where `juju exec` runs the same",
    "aws sts get-caller-identity": "tests/integration/one_unit/test_aws_cli.py logs in with the "
    "AWS CLI, and AWS itself answers this",
    "aws sts assume-role --role-arn arn:aws:iam::111122223333:role/k8s-view-role "
    "--role-session-name me --query AssumedRoleUser.Arn": "as the one above",
    "kubectl --kubeconfig aws-iam.yaml auth whoami": "one_unit/test_make_a_role.py runs it with "
    "the keys of a person",
    "kubectl delete crd iamidentitymappings.iamauthenticator.k8s.aws": "it is Kubernetes' own",
    "juju remove-application aws-iam": _BASES,
    "juju remove-relation aws-iam:certificates easyrsa:client": _EASYRSA,
    "export name=aws-iam-authenticator.kube-system.svc": _EASYRSA,
    "export pki=/var/lib/juju/agents/unit-easyrsa-0/charm/EasyRSA": _EASYRSA,
    'juju exec --unit easyrsa/0 -- "cd $pki && ./easyrsa --batch revoke $name"': _EASYRSA,
    'juju exec --unit easyrsa/0 -- "cd $pki/pki && rm -f issued/$name.crt private/$name.key '
    'reqs/$name.req"': _EASYRSA,
}


def commands(name: str) -> Iterator[tuple[str, str]]:
    """Yield each command in the blocks of a page, with the heading above it."""
    heading = ""
    for line in (ROOT / name).read_text().splitlines():
        if found := re.match(r"#+ (.*)", line):
            heading = found[1]
        elif found := COMMAND.match(line):
            yield heading, re.sub(r"\s{2,}#.*", "", found[1])


def is_read(name: str, heading: str) -> bool:
    """Return whether a test reads this section's commands."""
    sections = RUN.get(name, {})
    return "*" in sections or heading in sections


def run_by_tests() -> set[str]:
    """Return every command that a test runs."""
    read = {
        command
        for name in RUN
        for heading, command in commands(name)
        if is_read(name, heading) and command not in NOT_RUN
    }
    return read | set(map(without_channel, read))


def steps() -> str:
    """Return what the demo and the tests of the page run, for both kinds of control plane."""
    found = [*page.steps("1.28", "easyrsa"), *page.steps("1.29", "easyrsa")]
    lines = "\n".join(step.command for step in found if isinstance(step, page.Step))
    return without_channel(lines)


def without_channel(command: str) -> str:
    return re.sub(r" --channel [\d.]+/stable", "", command)


@pytest.mark.parametrize("name", PAGES)
def test_given_a_command_on_a_page_then_a_test_runs_it_or_a_reason_is_given(name: str):
    known = run_by_tests()
    targets = re.findall(r"^([a-z-]+):  ## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for _, command in commands(name):
        filled = command.replace("CLUSTER_ID", page.CLUSTER_ID).replace("ROLE_ARN", page.ROLE)
        is_target = command.startswith("make ") and command.split()[1] in targets
        is_known = is_target or command in known or command in NOT_RUN or filled in steps()
        assert is_known, f"let a test run this command, or say in NOT_RUN why not: {command}"


@pytest.mark.parametrize(
    ("name", "heading", "test"),
    [(name, heading, test) for name, found in RUN.items() for heading, test in found.items()],
)
def test_given_a_section_that_a_test_reads_then_that_test_names_it(
    name: str, heading: str, test: str
):
    text = (ROOT / test).read_text()

    assert Path(name).name in text
    assert heading == "*" or f'"{heading}"' in text
    assert heading == "*" or heading in dict(commands(name))


def test_given_a_reason_then_a_page_has_its_command():
    shown = {command for name in PAGES for _, command in commands(name)}

    assert set(NOT_RUN) <= shown


@pytest.mark.parametrize("name", [*PAGES, "demo/page.py"])
def test_given_a_program_that_reads_results_then_it_fails_when_the_action_fails(name: str):
    """`juju run` exits with 0 then."""
    for found in re.findall(r"jq -\w+ '([^']+)'", (ROOT / name).read_text()):
        if ".results" in found:
            assert "error(.message)" in found


@pytest.mark.parametrize("name", PAGES)
def test_given_a_command_that_saves_what_juju_prints_then_the_former_file_stays_until_then(
    name: str,
):
    for _, command in commands(name):
        for file in re.findall(r"^juju .*? > (\S+)", command):
            kept = file.removesuffix(".new")
            # jq fails on nothing. Juju itself may print nothing, and exit with 0.
            checked = "" if " | jq -" in command else f" && test -s {file}"
            assert command.endswith(f" > {kept}.new{checked} && mv {kept}.new {kept}")


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        ("", 0),  # Juju 3.6, where the unit or the action is unknown
        ("", 1),
        ('{"aws-iam/0": {"id": "4", "message": "no API", "results": {}, "status": "failed"}}', 0),
    ],
    ids=["not-scheduled", "no-controller", "failed"],
)
def test_given_an_action_that_fails_when_its_kubeconfig_is_saved_then_the_former_one_stays(
    tmp_path: Path, printed: str, code: int
):
    juju, kubeconfig = tmp_path / "juju", tmp_path / ".kube/aws-iam"
    juju.write_text(f"#!/bin/sh\nprintf %s '{printed}'\nexit {code}\n")
    juju.chmod(0o755)
    kubeconfig.parent.mkdir()
    kubeconfig.write_text("former")

    done = subprocess.run(
        ["/bin/bash", "-c", page.GET_KUBECONFIG],
        env={"HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        check=False,
    )

    assert done.returncode
    assert kubeconfig.read_text() == "former"

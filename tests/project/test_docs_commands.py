"""Each command in the README and the docs is run by a test, or this file says why it is not."""

from __future__ import annotations

import functools
import itertools
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo import page

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", *(str(p.relative_to(ROOT)) for p in sorted(ROOT.glob("docs/**/*.md")))]
PROGRAMS = (
    "juju|kubectl|make|sed|sudo|aws|aws-iam-authenticator|mkdir|export|install|skopeo|terraform|"
    "vault(?= operator| token)"
)
# In a plan of Terraform, `juju = …` and `terraform {` are no commands.
COMMAND = re.compile(rf"^ {{4,}}((?:[A-Z]+=\S+ )?(?:{PROGRAMS}) (?![={{{{]).*)")
# A test that reads a section's commands and runs them names the page and the heading.
READERS = [
    path.read_text()
    for path in (
        *ROOT.glob("tests/integration/**/*.py"),
        Path(__file__).with_name("test_docs_recipes.py"),
    )
]
# The pages of which a test runs every command, whatever the heading.
WHOLE = {
    "docs/tutorial.md": "tests/integration/test_tutorial.py",
    "docs/how-to/behind-a-proxy.md": "tests/integration/one_unit/test_proxy.py",
}

_EASYRSA = "it is about the files of the original easyrsa, which the testbed lacks"
_CLUSTER_CA = "the testbed's cluster gets no certificates of its own from vault"
_EKS = "it asks EKS; tests/unit/access/declaration/test_eks.py reads what it prints"
_TWO_CLUSTERS = "it is for a cluster on EKS and another; test_docs_recipes.py runs its filter"
_AUDIT = "the testbed's API server writes no audit log; test_docs_recipes.py reads one"
_IAM = "the testbed has no IAM API"
_CHARMHUB = "the testbed has neither Charmhub nor a public registry"
_CONTAINERD = "the testbed's containerd has no charm"
_SNAPS = "the testbed's control plane brings its Kubernetes with its charm"
_MANUAL = "the original was run by hand: the testbed has no manual-tls-certificates"
_VAULT = "the testbed's vaults have no API of Vault; test_vault.py unseals and authorizes one"
_NEWER_VAULT = "the testbed's newer vault has a CA, and no API of Vault"
_TERRAFORM = "the testbed's Juju has no API for the provider; test_terraform.py reads the plan"
_BASES = "all machines of the testbed have one base"
NOT_RUN = {
    "juju run aws-iam/leader list-mappings page=2": "it needs hundreds of mappings; "
    "tests/unit/actions/test_list_mappings.py reads a second page",
    "aws eks describe-access-entry --cluster-name $cluster --principal-arn "
    '"$arn" --output json': _EKS,
    "aws eks list-associated-access-policies --cluster-name $cluster --principal-arn "
    '"$arn" --output json': _EKS,
    "juju config aws-iam mappings=@access-entries.json": _EKS,
    "export cluster=prod": _EKS,
    "aws eks describe-cluster --name prod --query cluster.accessConfig.authenticationMode "
    "--output text": _EKS,
    "kubectl get clusterrolebindings,rolebindings -A -o json > all-bindings.json": _TWO_CLUSTERS,
    "kubectl apply -f bindings.json": _TWO_CLUSTERS,
    "aws cloudtrail lookup-events --region eu-west-1 --lookup-attributes AttributeKey=EventName,"
    "AttributeValue=AssumeRole --output json > cloudtrail.json": "it asks AWS; "
    "test_docs_recipes.py reads what it prints",
    "aws cloudtrail lookup-events --region eu-west-1 --lookup-attributes AttributeKey=EventName,"
    "AttributeValue=AssumeRoleWithSAML --output json >> cloudtrail.json": "as the one above",
    'juju exec --unit kubernetes-control-plane/0 -- "cat /root/cdk/audit/*.log | grep -E '
    "'iamidentitymappings|rolebindings'\" > audit-0.json.new && test -s audit-0.json.new && "
    "mv audit-0.json.new audit-0.json": _AUDIT,
    'juju exec --unit kubernetes-control-plane/0 -- "cat /root/cdk/audit/*.log | grep '
    'role/k8s-shared-role" > role-0.json.new && test -s role-0.json.new && mv role-0.json.new '
    "role-0.json": _AUDIT,
    'juju exec -m controller --machine 0 -- "zgrep -h aws-iam /var/log/juju/audit*" > '
    "juju-0.json.new && test -s juju-0.json.new && mv juju-0.json.new juju-0.json": "the "
    "testbed's controller is no machine and writes no audit log",
    "juju integrate aws-iam:certificates vault:vault-pki": "tests/integration/test_vault.py "
    "integrates with the endpoint that its vault has",
    "juju refresh aws-iam --revision 12": _CHARMHUB,
    "aws configure export-credentials --format env-no-export | "
    "sed -n 's/^AWS_SESSION_TOKEN=//p' | tr -d '\\n' | wc -c": "it needs AWS itself",
    "aws iam create-role --role-name k8s-dev-role --assume-role-policy-document "
    "file://trust.json": _IAM,
    "aws iam create-role --role-name k8s-contractor --assume-role-policy-document "
    "file://trust.json": _IAM,
    "aws iam put-group-policy --group-name developers --policy-name k8s-dev --policy-document "
    "file://assume.json": _IAM,
    "aws iam create-role --role-name k8s-runner-role --assume-role-policy-document "
    "file://trust.json": _IAM,
    "aws iam create-instance-profile --instance-profile-name k8s-runner": _IAM,
    "aws iam add-role-to-instance-profile --instance-profile-name k8s-runner --role-name "
    "k8s-runner-role": _IAM,
    "aws ec2 associate-iam-instance-profile --instance-id i-0123456789abcdef0 "
    "--iam-instance-profile Name=k8s-runner": _IAM,
    "aws iam list-roles --path-prefix /aws-reserved/sso.amazonaws.com/ --query 'Roles[].Arn' "
    "--output text": _IAM,
    "terraform init": _TERRAFORM,
    'terraform apply -var model_uuid="$(juju show-model --format json | '
    """jq -r '.[]["model-uuid"]')\"""": _TERRAFORM,
    "export VAULT_ADDR=http://10.0.0.126:8200": _VAULT,
    "export VAULT_ADDR=https://10.0.0.126:8200 VAULT_CACERT=vault.pem": _NEWER_VAULT,
    """juju show-secret "$(juju secrets --format json | jq -r 'to_entries[] | """
    """select(.value.label == "self-signed-vault-ca-certificate").key')" --reveal --format json """
    "| jq -er "
    "'first(.. | .certificate? // empty)' > vault.pem.new && mv vault.pem.new "
    "vault.pem": _NEWER_VAULT,
    "vault operator init -key-shares=5 -key-threshold=3": _VAULT,
    "vault operator unseal": _VAULT,
    "export VAULT_TOKEN=ROOT_TOKEN": _VAULT,
    "vault token create -ttl=10m": _VAULT,
    "juju run vault/leader authorize-charm token=TOKEN": _VAULT,
    "juju run vault/leader generate-root-ca": _VAULT,
    "juju add-secret vault-token token=TOKEN": _NEWER_VAULT,
    "juju grant-secret vault-token vault": _NEWER_VAULT,
    "juju run vault/leader authorize-charm secret-id=SECRET": _NEWER_VAULT,
    "juju remove-secret vault-token": _NEWER_VAULT,
    "juju config vault pki_ca_common_name=example.com": _NEWER_VAULT,
    "juju integrate vault:tls-certificates-pki self-signed-certificates:"
    "certificates": _NEWER_VAULT,
    "aws ec2 create-vpc-endpoint --vpc-endpoint-type Interface --service-name "
    "com.amazonaws.eu-west-1.sts --private-dns-enabled --vpc-id VPC --subnet-ids SUBNET "
    "--security-group-ids GROUP": "the testbed has no VPC",
    "juju download aws-iam --channel latest/stable --base ubuntu@22.04 "
    "--filepath aws-iam.charm": _CHARMHUB,
    "skopeo copy --all docker://public.ecr.aws/eks-distro/kubernetes-sigs/aws-iam-authenticator"
    ":v0.7.18-cvefix-eks-1-36-9 docker://registry.example.com/eks-distro/kubernetes-sigs/"
    "aws-iam-authenticator:v0.7.18-cvefix-eks-1-36-9": _CHARMHUB,
    "juju config aws-iam image=registry.example.com/aws-iam-authenticator:v0.7.21": "one_unit/"
    "test_changes.py sets another image",
    "skopeo inspect --format '{{.Digest}}' docker://registry.example.com/aws-iam-authenticator"
    ":v0.7.21": _CHARMHUB,
    "juju config aws-iam image=registry.example.com/aws-iam-authenticator:v0.7.21@DIGEST": "as "
    "the one without a digest",
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
    "aws sts assume-role --role-arn arn:aws:iam::111122223333:role/k8s-dev-role "
    "--role-session-name alice --query AssumedRoleUser.Arn": "as the one above",
    "kubectl --kubeconfig aws-iam.yaml auth whoami": "one_unit/test_make_a_role.py runs it with "
    "the keys of a person",
    "juju run manual-tls-certificates/leader get-outstanding-certificate-requests": _MANUAL,
    'juju run manual-tls-certificates/leader provide-certificate certificate="$(base64 -w 0 '
    'certificate.pem)" ca-certificate="$(base64 -w 0 ca.pem)" ca-chain="$(base64 -w 0 chain.pem)" '
    'certificate-signing-request="$(base64 -w 0 request.pem)"': _MANUAL,
    "juju remove-application aws-iam": _BASES,
    "juju remove-relation aws-iam:certificates easyrsa:client": _EASYRSA,
    "juju integrate vault:certificates etcd:certificates": _CLUSTER_CA,
    "juju integrate vault:certificates kubeapi-load-balancer:certificates": _CLUSTER_CA,
    "juju integrate vault:certificates kubernetes-control-plane:certificates": _CLUSTER_CA,
    "juju integrate vault:certificates kubernetes-worker:certificates": _CLUSTER_CA,
    "juju deploy self-signed-certificates --channel 1/stable": _NEWER_VAULT,
    "juju deploy vault --channel 2.0/stable --base ubuntu@24.04": _NEWER_VAULT,
    "juju deploy vault --channel 1.8/stable --base ubuntu@22.04": _CLUSTER_CA,
    "juju deploy mysql-innodb-cluster -n 3 --channel 8.0/stable --base ubuntu@22.04": _CLUSTER_CA,
    "juju deploy mysql-router vault-mysql-router --channel 8.0/stable "
    "--base ubuntu@22.04": _CLUSTER_CA,
    "juju integrate vault-mysql-router:db-router mysql-innodb-cluster:db-router": _CLUSTER_CA,
    "juju integrate vault-mysql-router:shared-db vault:shared-db": _CLUSTER_CA,
    "juju run easyrsa/0 backup": _EASYRSA,
    "juju run etcd/leader snapshot": "the testbed's etcd has no charm",
    "juju config vault pki_allowed_domains=example.com,"
    "aws-iam-authenticator.kube-system.svc": _NEWER_VAULT,
    'kubectl -n argocd patch configmap argocd-cm --type merge -p \'{"data": '
    '{"application.sync.impersonation.enabled": "true"}}\'': "the testbed has no Argo CD",
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
    page_name = Path(name).name
    if name in WHOLE:
        return page_name in (ROOT / WHOLE[name]).read_text()
    return any(page_name in text and f'"{heading}"' in text for text in READERS)


@functools.cache
def run_by_tests() -> set[str]:
    """Return every command that a test runs."""
    read = {
        command
        for name in PAGES
        for heading, command in commands(name)
        if command not in NOT_RUN and is_read(name, heading)
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


def test_given_a_reason_then_a_page_has_its_command():
    shown = {command for name in PAGES for _, command in commands(name)}

    assert set(NOT_RUN) <= shown


def examples(name: str) -> set[str]:
    """Return the roles, users and usernames of a page that its commands and files are about."""
    lines = re.findall(r"^ {4,}(.*)", (ROOT / name).read_text(), re.MULTILINE)
    # What is printed, or declared for many accounts, makes no mapping of the page's example.
    text = "\n".join(lines)
    arns = re.findall(
        r"(?:arn[:=] ?|role-arn )arn:aws:iam::111122223333:((?:role|user)/\w[\w-]+)", text
    )
    return {*arns, *re.findall(r"\busername[:=] ?([\w-]+(?::\{\{\w+\}\})?)", text)}


def test_given_two_pages_then_their_examples_share_no_role_and_no_user():
    """Who follows one page after the other gets what each says."""
    # The tutorial is the README's login, step by step.
    pages = {name: examples(name) for name in PAGES if name != "README.md"}
    shared = {
        (one, other): found
        for one, other in itertools.combinations(pages, 2)
        if (found := pages[one] & pages[other])
    }

    assert any(pages.values())
    assert shared == {}


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
            # What a command writes on a machine stands in quotes.
            ends = command.removesuffix('"')
            assert ends.endswith(f" > {kept}.new{checked} && mv {kept}.new {kept}")


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

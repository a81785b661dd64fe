# SPDX-License-Identifier: Apache-2.0

"""`get-kubeconfig`: the kubeconfig with which people log in, without any credential.

People may also copy one from the machine, which the reconcile keeps there.
"""

from __future__ import annotations

import base64
import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import yaml

import templating
from access import arn, partitions
from actions import MAX_BYTES
from certificates import ca_bundle
from errors import Waiting
from hook import Hook
from machine.files import Machine
from text import in_base64

# A URL without a user in it, so that no credential gets into the kubeconfig.
_SERVER = re.compile(r"https://[A-Za-z0-9.\[\]:_-]+(/[A-Za-z0-9._~/-]*)?")
_UNUSABLE = "the control plane has not written a usable kubeconfig yet, see juju status"
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+")
# The programs that make a token on a person's machine, what people call them, and where they get
# them from.
_AUTHENTICATOR, _AWS_CLI = "aws-iam-authenticator", "aws"
_PROGRAMS = {
    _AUTHENTICATOR: (
        "aws-iam-authenticator",
        "https://github.com/kubernetes-sigs/aws-iam-authenticator/releases",
    ),
    _AWS_CLI: (
        "the AWS CLI",
        "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
    ),
}


def run(params: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Return ``kubeconfig``, a YAML text without credentials."""
    shared = hook.peers.shared
    if not shared.cluster_id:
        raise Waiting("no cluster id yet, see juju status")
    command = token_command(shared.cluster_id, params, hook.config.partition, shared.region)
    server, ca = public_endpoint(hook.machine.public_kubeconfig)
    text = render(command, context=params["context"], server=params.get("server") or server, ca=ca)
    if len(text.encode()) > MAX_BYTES:
        raise ValueError("the kubeconfig is too long for an action's result: give shorter values")
    return {"kubeconfig": text}


@dataclasses.dataclass(frozen=True)
class TokenCommand:
    """What makes a person's token. Without a role, they log in as what their AWS settings make
    them.
    """

    cluster_id: str
    region: str
    role: str = ""
    profile: str = ""
    client: str = _AUTHENTICATOR

    @property
    def args(self) -> list[str]:
        """Return the arguments of the client."""
        if self.client == _AWS_CLI:
            # The AWS CLI prints what the person has set as their output, unless it is told.
            args = ["eks", "get-token", "--cluster-name", self.cluster_id, "--output", "json"]
            role = "--role-arn"
        else:
            args, role = ["token", "-i", self.cluster_id], "-r"
        return [*args, "--region", self.region, *([role, self.role] if self.role else [])]


def token_command(
    cluster_id: str, params: Mapping[str, Any], option: str, nodes: str
) -> TokenCommand:
    """Return the command that an operator asked for with ``arn``, ``region``, ``profile`` and
    ``client``.

    ``option`` is the partition of the authenticator, and ``nodes`` the region of the nodes.
    Without a region, a client would ask the metadata service of an EC2 instance for it: elsewhere
    that takes seconds for each login.

    Raise ValueError if one of them is invalid.
    """
    principal = arn.parse(params["arn"]) if params.get("arn") else None
    if principal and principal.kind != "role":
        raise ValueError(
            f"{principal} is not a role: without arn, people log in with their own keys"
        )
    region = params.get("region", "")
    if region and not _REGION.fullmatch(region):
        raise ValueError(f"{region!r} is not an AWS region such as {partitions.example(option)}")
    _check_partition(principal, region, option)
    region = region or partitions.home(principal.partition if principal else option, nodes)
    role = str(principal) if principal else ""
    client = params.get("client") or _AUTHENTICATOR
    if client not in _PROGRAMS:
        names = " or ".join(f"client={known}" for known in _PROGRAMS)
        raise ValueError(f"client {client[:60]!r} is unknown: give {names}")
    return TokenCommand(cluster_id, region, role, params.get("profile", ""), client)


def _check_partition(principal: arn.Principal | None, region: str, option: str) -> None:
    """Raise ValueError if the authenticator would refuse a token of that principal and region."""
    partitions.check(option)
    wanted = principal.partition if principal else option
    accepted = partitions.accepted(option)
    if principal and wanted not in accepted:
        raise ValueError(
            f"{principal} cannot log in: the option partition is {option}, so give an arn of "
            f"partition {' or '.join(accepted)}"
        )
    found = partitions.of_region(region) if region else wanted
    if found != wanted and (principal or found not in accepted):
        needs = f"give region={partitions.example(wanted)} or another of its regions"
        raise ValueError(f"region {region} is not in partition {wanted}: {needs}")


def of_machine(machine: Machine, cluster_id: str, partition: str, nodes: str) -> str:
    """Return the kubeconfig that people copy from the machine. Charmed Kubernetes called user and
    context so. Each person adds a role, or chooses one by an AWS profile.

    Raise ValueError as long as the control plane has written no kubeconfig that is usable.
    """
    server, ca = public_endpoint(machine.public_kubeconfig)
    login = TokenCommand(cluster_id, partitions.home(partition, nodes))
    return render(
        login, context="aws-iam-authenticator", user="aws-iam-user", server=server, ca=ca
    )


def public_endpoint(kubeconfig: str) -> tuple[str, str]:
    """Return server URL and CA bundle of a kubeconfig's current context. Raise ValueError if the
    kubeconfig has none."""
    try:
        config = yaml.load(kubeconfig, yaml.CSafeLoader)
        contexts = {item["name"]: item["context"] for item in config["contexts"]}
        clusters = {item["name"]: item["cluster"] for item in config["clusters"]}
        cluster = clusters[contexts[config["current-context"]]["cluster"]]
        server, data = cluster["server"], cluster.get("certificate-authority-data", "")
        # What stands around the certificates may be a piece of a key in a damaged file.
        ca = ca_bundle(base64.b64decode(data).decode())
        is_usable = bool(_SERVER.fullmatch(server)) and bool(ca) == bool(data)
    except Exception as error:
        # Half a file can have any shape, and what PyYAML raises has no common base.
        raise ValueError(_UNUSABLE) from error
    if not is_usable:
        raise ValueError(_UNUSABLE)
    return server, ca


def render(command: TokenCommand, *, context: str, server: str, ca: str, user: str = "") -> str:
    """Return a kubeconfig without any credential.

    ``ca`` is PEM; it is empty for a server that the person's machine trusts already. Without
    ``user``, the user has the name of the context.

    Raise ValueError if a value is invalid.
    """
    if not _SERVER.fullmatch(server):
        # The text does not repeat it, because it may have a password in it.
        raise ValueError(
            "server must be a URL without user, password or query, such as "
            "https://k8s.example.com:443"
        )
    for name, text in (("context", context), ("profile", command.profile)):
        if not text.isprintable() or text != text.strip():
            raise ValueError(f"{name} {text!r} may hold printable characters only")
    if not context:
        raise ValueError("context is empty: leave it out, or give context=aws-iam-authenticator")
    program, url = _PROGRAMS[command.client]
    # What kubectl says where the program is missing.
    hint = f"kubectl logs in to this cluster with {program}. Install it into your PATH: {url}"
    return templating.render(
        "client.yaml.j2",
        context=context,
        user=user or context,
        server=server,
        ca=in_base64(ca) if ca else "",
        command=command.client,
        args=command.args,
        profile=command.profile,
        hint=hint,
    )

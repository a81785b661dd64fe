# SPDX-License-Identifier: Apache-2.0

"""What a unit is blocked by: a person must act."""

from __future__ import annotations

from text import quoted


def SET_WEBHOOK(control_plane: str, url: str) -> str:
    return f"webhook not set; run: juju config {control_plane} authn-webhook-endpoint={url}"


def REPLACE_WEBHOOK(current: str, control_plane: str, url: str) -> str:
    return (
        f"another webhook is set: {quoted(current)}; if unused, run: juju config {control_plane} "
        f"authn-webhook-endpoint={url}"
    )


def NO_CONTROL_PLANE(application: str, control_plane: str) -> str:
    return (
        f"no control plane; run: juju integrate {application}:control-plane "
        f"{control_plane}:juju-info"
    )


def NOT_A_CONTROL_PLANE(application: str, principal: str) -> str:
    return (
        "not a kubernetes-control-plane; run: juju remove-relation "
        f"{application}:control-plane {principal}:juju-info"
    )


def TWO_CONTROL_PLANES(command: str) -> str:
    return f"two control planes; run: {command}"


def OWNED_BY_ANOTHER(owner: str, kind: str) -> str:
    return (
        f"authenticator owned by {quoted(owner)}; if gone, run: kubectl -n kube-system annotate "
        f"{kind} aws-iam-authenticator aws-iam/owner-"
    )


def POD_CANNOT_START(cause: str) -> str:
    return f"an authenticator pod cannot start: {quoted(cause)}"


def NO_AUTHORITY(application: str) -> str:
    return (
        f"no certificate authority; run: juju integrate {application}:certificates easyrsa:client"
    )


def CERTIFICATE_UNUSABLE(problem: object, command: str) -> str:
    return f"certificate {problem}; run: {command}"


def NAME_REFUSED(authority: str, name: str) -> str:
    return f"{authority} does not allow {name}; run: juju config {authority} pki_allowed_domains"


def AUTHORITY_SEALED(authority: str) -> str:
    return f"{authority} is sealed, so it signs nothing; run: vault operator unseal"


def AUTHORITY_DENIED(authority: str) -> str:
    return (
        f"vault denies its charm; run: juju run {authority}/leader authorize-charm "
        "secret-id=SECRET"
    )


def AUTHORITY_AWAY(authority: str, reason: str) -> str:
    return f"{authority} cannot sign: {quoted(reason)}; run: juju status {authority}"


def REQUEST_REFUSED(authority: str, reason: str) -> str:
    return (
        f"{authority} refuses: {quoted(reason)}; run: juju show-status-log --type application "
        f"{authority}"
    )


def CERTIFICATE_MALFORMED(command: str) -> str:
    return f"malformed certificate; run: {command}"


def KUBECONFIG_FORBIDDEN(reason: str) -> str:
    return (
        f"the cluster refuses /root/.kube/config: {quoted(reason)}; it must be an admin's "
        "kubeconfig"
    )


def OBJECT_REJECTED(reason: str) -> str:
    return f"the cluster rejects an object of this charm: {quoted(reason)}"


def SERVICE_HEADLESS() -> str:
    return (
        "headless Service in the way; if unused, run: kubectl -n kube-system delete service "
        "aws-iam-authenticator"
    )


def ADDRESS_TAKEN(command: str) -> str:
    return f"another Service may answer logins; run: {command}"


def FILE_FAILED(verb: str, file: object, cause: str) -> str:
    return f"cannot {verb} {file}: {cause}; repair the machine"


def INTERNAL_ERROR(kind: str, place: str, unit: str) -> str:
    return f"internal error {kind} at {place}; run: juju debug-log --include {unit}"

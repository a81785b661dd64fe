# SPDX-License-Identifier: Apache-2.0

"""What a unit waits for: another party must act first."""

from __future__ import annotations

from text import quoted


def TO_JOIN(control_plane: str) -> str:
    return f"waiting for {control_plane} to join"


def API_SERVER(control_plane: str) -> str:
    return f"waiting for the API server of {control_plane}"


def CONTROL_PLANE_TO_USE(control_plane: str) -> str:
    return f"waiting for {control_plane} to use the webhook"


def KUBECONFIG_UNUSABLE(file: object, cause: str) -> str:
    return f"waiting for the control plane to write a usable {file} ({cause})"


def KUBECONFIG() -> str:
    return "waiting for the control plane to write a usable kubeconfig"


def LEADER_TO_DEPLOY() -> str:
    return "waiting for the leader to deploy the authenticator"


def REMOVAL() -> str:
    return "waiting for Juju to remove this unit"


def ANOTHER_UNIT() -> str:
    return "waiting for another unit"


def SERVICE_KEPT(command: str) -> str:
    return f"Service kept; run: {command}"


def JUJU(cause: str) -> str:
    return f"waiting for Juju, which refuses a request: {quoted(cause)}"


def PEER_RELATION() -> str:
    return "waiting for Juju to set up the peer relation"


def NEW_LEADER() -> str:
    return "waiting for the new leader"


def CERTIFICATE(authority: str) -> str:
    return f"waiting for a certificate from {authority}"


def NEXT_CERTIFICATE(problem: object, day: str) -> str:
    return f"{problem}, the one in use expires {day}"


def CERTIFICATE_REVOKED(authority: str) -> str:
    return f"waiting for a new certificate from {authority}: it revoked the current one"


def CERTIFICATE_EARLY(authority: str, problem: object) -> str:
    return f"waiting for the certificate from {authority}: it {problem}"


def ANOTHER_CERTIFICATE(problem: object) -> str:
    return f"waiting for another certificate: the former one {problem}"


def TRUST(units: str) -> str:
    return f"waiting for {units} to trust the new authority"


def PODS(ready: int, wanted: int) -> str:
    return f"waiting for the authenticator's pods, {ready}/{wanted} updated pods ready"


def PODS_STUCK(ready: int, wanted: int, cause: str) -> str:
    return f"{PODS(ready=ready, wanted=wanted)}: {quoted(cause)}"


def API_LATE() -> str:
    return "waiting for the Kubernetes API: it does not answer in time"


def API_ANSWER(code: int, reason: str) -> str:
    return f"waiting for the Kubernetes API: {code} {quoted(reason)}"


def API_FAILED(cause: str) -> str:
    return f"waiting for the Kubernetes API: {cause}"


def KUBECONFIG_REFUSED(code: int, reason: str) -> str:
    return f"waiting for the Kubernetes API to accept /root/.kube/config: {code} {quoted(reason)}"


def NOT_KUBERNETES(cause: str) -> str:
    return f"something other than Kubernetes answers: {quoted(cause)}"


def CRD_NOT_SERVED() -> str:
    return "waiting for the Kubernetes API to serve IAMIdentityMapping"


def CLUSTER_IP() -> str:
    return "waiting for the Kubernetes API to give Service aws-iam-authenticator a ClusterIP"


def OTHERS_CHANGE() -> str:
    return "waiting for others to stop changing the authenticator's objects"


def MAPPINGS_LEFT(number: str, command: str) -> str:
    return f"{number} mappings and role bindings are left; run: {command}"


def REMOVAL_UNKNOWN(cause: object) -> str:
    return f"Juju does not say what is being removed: {cause}"

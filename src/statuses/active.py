# SPDX-License-Identifier: Apache-2.0

"""The parts of an active status."""

from __future__ import annotations


def AUTHENTICATOR(version: str) -> str:
    return f"authenticator {version}"


def PODS(ready: int, wanted: int) -> str:
    return f"{ready}/{wanted} pods"


def MAPPINGS(mappings: str) -> str:
    return f"{mappings}"


def NOT_EFFECTIVE(pending: str, mappings: str) -> str:
    return f"activating {pending} of {mappings}"


def NOT_DELETED(mappings: str, former: str) -> str:
    return f"{mappings}, {former} former ones not deleted yet"


def RIGHTS_PENDING(pending: str) -> str:
    return f"{pending} of the role bindings not created yet"


def WEBHOOK(url: str) -> str:
    return f"webhook {url}"


def NEXT_STEP(step: str) -> str:
    return f"next for Charmed Kubernetes 1.29: {step}"


def LEAVE_RELATION(command: str) -> str:
    return f"relation aws-iam no longer needed; run: {command}"


def CERTIFICATE_EXPIRES(day: str, authority: str) -> str:
    return f"certificate expires {day}; waiting for another one from {authority}"


def CA_EXPIRES(day: str) -> str:
    return f"CA expires {day}; renew or replace it"


def OLD_CA_TRUSTED() -> str:
    return "old CA trusted until its last pod stops"


def NO_HTTPS_PROXY() -> str:
    return "web-proxy-enable has no effect on logins: the model has no juju-https-proxy"


def CAS_UNREADABLE(certificates: str, application: str) -> str:
    return f"{certificates} from {application} cannot be read"


def CAS_NO_ROOM(certificates: str, application: str) -> str:
    return f"no room for {certificates} from {application}"


def NO_POLICY() -> str:
    return "no policy guards mappings before Kubernetes 1.30"


def TO_CORRECT(number: int, mapping: str, problem: str) -> str:
    mappings = "broken mapping" if number == 1 else "broken mappings"
    return f"{number} {mappings}: {mapping}: {problem}"


def NOT_APPLIED(number: int, place: str, reason: str) -> str:
    return f"{number} not applied: {place}: {reason}"


def LEFT_OUT(number: int, place: str, reason: str) -> str:
    return f"{number} left out: {place}: {reason}"

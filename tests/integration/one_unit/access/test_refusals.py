"""Logins that are refused: one for each cause that the authenticator gives on the testbed.

The charm's own code reads the log of the real pods. Temporary credentials live for 15 minutes at
least, so none has expired here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest
from tests.integration.helpers import arns, bad_tokens, kubernetes, proxy
from tests.integration.helpers.bad_tokens import credentials, signed
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import MAPPINGS, Cluster

import times
from access import refusals
from access.declaration import declared
from access.permission_sets import PermissionSet
from access.refusals import Cause, Refusal
from cluster import api, pod_logs

ACCOUNT = "111122223333"
PATH = "role/aws-reserved/sso.amazonaws.com/eu-west-1"
FIRST = "AWSReservedSSO_DevOps_1a2b3c4d5e6f7081"
AGAIN = "AWSReservedSSO_DevOps_9182736455463728"
LOOK_ALIKE = "AWSReservedSSO_DevOps_Admin_a1b2c3d4e5f60718"
DEVOPS = PermissionSet("DevOps", ACCOUNT)
DECLARED = declared.parse(
    f"- {{permission-set: {DEVOPS.name}, account: '{ACCOUNT}'}}", times.now()
)
HOUR = 3600.0

BAD_TOKENS: dict[str, tuple[Cause, Callable[[str], str]]] = {
    "another secret key": (
        Cause.SIGNATURE,
        lambda cluster: signed(credentials("mallory", "of-somebody-else"), cluster),
    ),
    "another cluster": (
        Cause.SIGNATURE,
        lambda _: signed(credentials("mallory"), "another-cluster"),
    ),
    "a clock that is behind": (
        Cause.CLOCK,
        lambda cluster: signed(credentials("mallory"), cluster, age=HOUR),
    ),
    "a clock that is ahead": (
        Cause.CLOCK,
        lambda cluster: signed(credentials("mallory"), cluster, age=-HOUR),
    ),
    "an access key that is unknown": (
        Cause.ACCESS_KEY,
        lambda cluster: signed(bad_tokens.Credentials("AKIANOBODY0TESTBED00", "x"), cluster),
    ),
    "an STS of another partition": (
        Cause.ENDPOINT,
        lambda cluster: signed(
            credentials("mei"), cluster, region="cn-north-1", domain="amazonaws.com.cn"
        ),
    ),
    "a host that is no STS": (
        Cause.ENDPOINT,
        lambda cluster: signed(credentials("mallory"), cluster, domain="example.com"),
    ),
    "too many requests": (
        Cause.THROTTLED,
        lambda cluster: signed(credentials("swamped"), cluster),
    ),
    "no token of AWS": (Cause.OTHER, lambda _: "k8s-aws-v1.!!!"),
}


@contextlib.contextmanager
def connected(cluster: Cluster) -> Iterator[api.Client]:
    """Give the charm's own client, and close its connection afterwards, as a hook's end does."""
    with api.http_client(cluster.admin) as http:
        yield api.Client(http)


def logged(cluster: Cluster, cause: Cause) -> list[Refusal]:
    """Return the refusals of a cause that the pods have logged."""
    with connected(cluster) as client:
        log = pod_logs.read(client, 300)
    found = refusals.parse(log.lines)
    return [refusal for refusal in found if refusal.cause == cause]


def count(cluster: Cluster, cause: Cause) -> int:
    return sum(refusal.count for refusal in logged(cluster, cause))


def wait_for(cluster: Cluster, cause: Cause, arn: str) -> Refusal:
    """Return the newest refusal of a principal once a pod has logged one.

    Each session of a role has an access key of its own, and so a refusal of its own.
    """
    found = eventually(
        lambda: [refusal for refusal in logged(cluster, cause) if refusal.arn == arn],
        f"refused: {cause} {arn}",
    )
    return found[0]


@pytest.mark.parametrize(("cause", "token"), BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_given_a_bad_token_when_someone_logs_in_then_the_refusal_has_its_cause(
    cluster: Cluster, cause: Cause, token: Callable[[str], str]
) -> None:
    before = count(cluster, cause)

    assert bad_tokens.log_in(cluster, token(kubernetes.cluster_id(cluster.person))) == 401

    eventually(lambda: count(cluster, cause) > before, f"refused: {cause}")
    assert {(found.arn, found.access_key_id) for found in logged(cluster, cause)} == {("", "")}


@pytest.mark.parametrize("token", [bad_tokens.of_session, bad_tokens.of_aws_cli])
@pytest.mark.parametrize(("size", "status"), [(400, 200), (2300, 200), (2700, 401), (4096, 401)])
def test_given_a_session_token_of_any_size_then_the_person_is_in_or_refused_by_the_right_name(
    cluster: Cluster, token: Callable[[Cluster, str, str], str], size: int, status: int
) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/token-{size}"
    before = count(cluster, Cause.TOO_LARGE)
    cluster.map(f"token-{size}", role, "large")
    try:
        login = token(cluster, "knobby", role)
        eventually(lambda: bad_tokens.log_in(cluster, login) == status, f"answered with {status}")
        if status == 401:
            eventually(lambda: count(cluster, Cause.TOO_LARGE) > before, "refused as too large")
    finally:
        cluster.kubectl("delete", MAPPINGS, f"token-{size}")


def test_given_no_way_to_aws_when_someone_logs_in_then_the_refusal_says_why(
    cluster: Cluster,
) -> None:
    token = signed(credentials("knobby"), kubernetes.cluster_id(cluster.person))
    with proxy.no_way_to_aws(cluster):
        assert bad_tokens.log_in(cluster, token) == 401
        found = wait_for(cluster, Cause.UNREACHABLE, "")

    assert found.text.endswith("connection refused on us-east-1 endpoint'")


def test_given_a_template_that_a_user_does_not_fill_in_then_the_refusal_has_the_arn(
    cluster: Cluster,
) -> None:
    def refused() -> list[Refusal]:
        token = signed(credentials("mallory"), kubernetes.cluster_id(cluster.person))
        assert bad_tokens.log_in(cluster, token) == 401
        return [each for each in logged(cluster, Cause.OTHER) if each.arn == arns.USER]

    cluster.map("mallory", arns.USER, "{{EC2PrivateDNSName}}")
    try:
        (found,) = eventually(refused, "refused for the template")
    finally:
        cluster.kubectl("delete", MAPPINGS, "mallory")
    assert "renderTemplates" in found.text


def test_given_a_permission_set_then_its_role_is_learned_from_the_first_refusal_and_from_the_next(
    cluster: Cluster,
) -> None:
    def refuse(role: str) -> Refusal:
        arn = f"arn:aws:iam::{ACCOUNT}:{PATH}/{role}"
        token = bad_tokens.of_session(cluster, "knobby", arn, "alice@example.com")
        assert bad_tokens.log_in(cluster, token) == 401
        return wait_for(cluster, Cause.NOT_MAPPED, f"arn:aws:iam::{ACCOUNT}:role/{role}")

    def learned() -> str | None:
        with connected(cluster) as client:
            return pod_logs.set_roles(client, DECLARED, []).get(DEVOPS)

    before = learned()
    refuse(LOOK_ALIKE)
    assert learned() == before

    found = refuse(FIRST)
    assert found.session == "alice@example.com"
    assert found.access_key_id.startswith("ASIA")
    assert learned() == found.arn

    # The log's times are whole seconds, so two refusals may have the same.
    eventually(lambda: refuse(AGAIN).arn == learned(), "learned again")

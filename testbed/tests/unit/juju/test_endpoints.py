"""Which endpoints `juju integrate` joins."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.juju.errors import JujuError, UsageError
from testbed.juju.manner import Manner
from testbed.juju.state import endpoints
from testbed.juju.state.charm import Charm, Endpoint


def charm(*declared: Endpoint, subordinate: bool = False) -> Charm:
    return Charm(
        name="any",
        path=Path(),
        digest="",
        subordinate=subordinate,
        endpoints={endpoint.name: endpoint for endpoint in declared},
        options={},
        actions={},
        bases=(),
        version="",
    )


def requires(name: str, interface: str, scope: str = "global") -> Endpoint:
    return Endpoint(name, "requirer", interface, scope)


def provides(name: str, interface: str, scope: str = "global") -> Endpoint:
    return Endpoint(name, "provider", interface, scope)


CHARMS = {
    "old": charm(provides("aws-iam", "aws-iam", "container"), requires("tls", "tls")),
    "new": charm(requires("tls", "tls")),
    "wide": charm(provides("aws-iam", "aws-iam")),
    "authority": charm(provides("client", "tls")),
    "twofold": charm(provides("client", "tls"), provides("other", "tls")),
    "rider": charm(
        requires("aws-iam", "aws-iam", "container"),
        requires("control-plane", "juju-info", "container"),
        requires("certificates", "tls"),
        Endpoint("peers", "peer", "tls"),
        subordinate=True,
    ),
    "principal-rider": charm(requires("aws-iam", "aws-iam", "container")),
    "watcher": charm(requires("info", "juju-info"), requires("more", "juju-info")),
}


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("old", "authority", "old:tls authority:client"),
        ("authority", "old", "old:tls authority:client"),
        ("rider", "old", "rider:aws-iam old:aws-iam"),
        ("rider", "new", "rider:control-plane new:juju-info"),
        ("rider:control-plane", "old", "rider:control-plane old:juju-info"),
        ("rider", "wide", "rider:aws-iam wide:aws-iam"),
        ("rider", "authority", "rider:certificates authority:client"),
        ("rider", "twofold:other", "rider:certificates twofold:other"),
        ("watcher:info", "authority", "watcher:info authority:juju-info"),
    ],
)
def test_on_3_6_endpoints_that_fit_are_joined_and_the_implicit_one_gives_way(
    first: str, second: str, joined: str
) -> None:
    assert endpoints.key(endpoints.infer(CHARMS, first, second, Manner.JUJU_3_6)) == joined


@pytest.mark.parametrize(
    ("first", "second", "refusal"),
    [
        ("old", "new", "no relations found"),
        ("old", "old", "no relations found"),
        ("principal-rider", "old", "no relations found"),
        ("nobody", "old", 'application "nobody" not found'),
        ("old:nothing", "new", 'application "old" has no "nothing" relation'),
        ("rider:peers", "authority", "no relations found"),
        (
            "rider",
            "twofold",
            (
                'ambiguous relation: "rider twofold" could refer to '
                '"rider:certificates twofold:client"; "rider:certificates twofold:other"; '
                '"rider:control-plane twofold:juju-info"'
            ),
        ),
        (
            "watcher",
            "new",
            (
                'ambiguous relation: "watcher new" could refer to '
                '"watcher:info new:juju-info"; "watcher:more new:juju-info"'
            ),
        ),
    ],
)
def test_on_3_6_endpoints_that_do_not_fit_or_fit_twice_are_refused(
    first: str, second: str, refusal: str
) -> None:
    with pytest.raises(JujuError) as raised:
        endpoints.infer(CHARMS, first, second, Manner.JUJU_3_6)

    assert str(raised.value) == refusal


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("old", "authority", "old:tls authority:client"),
        ("rider", "new", "rider:control-plane new:juju-info"),
        ("rider:certificates", "authority:client", "rider:certificates authority:client"),
        ("watcher:info", "authority", "watcher:info authority:juju-info"),
    ],
)
def test_on_4_1_the_only_endpoints_that_fit_are_joined(
    first: str, second: str, joined: str
) -> None:
    assert endpoints.key(endpoints.infer(CHARMS, first, second, Manner.JUJU_4_1)) == joined


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("old", "new", "no compatible endpoints found between applications"),
        (
            "rider",
            "authority",
            (
                'ambiguous relation: "rider authority" could refer to '
                '"rider:certificates authority:client"; "rider:control-plane authority:juju-info"'
            ),
        ),
    ],
)
def test_on_4_1_the_implicit_endpoint_makes_a_relation_ambiguous(
    first: str, second: str, reason: str
) -> None:
    with pytest.raises(JujuError) as raised:
        endpoints.infer(CHARMS, first, second, Manner.JUJU_4_1)

    ends = f'endpoints "{first}" and "{second}"'
    assert str(raised.value) == (f"adding relation between {ends}: cannot relate {ends}: {reason}")


@pytest.mark.parametrize("manner", Manner)
def test_one_container_scoped_side_makes_the_relation_container_scoped(manner: Manner) -> None:
    def scope(first: str, second: str) -> str:
        return endpoints.scope(endpoints.infer(CHARMS, first, second, manner))

    assert scope("rider:aws-iam", "wide:aws-iam") == "container"
    assert scope("rider:certificates", "authority:client") == "global"


@pytest.mark.parametrize("name", ["a:", ":b", "a:b:c", "A", "a b", "", "a-1"])
def test_a_text_that_is_not_an_endpoint_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match="not valid"):
        endpoints.check_name(name)

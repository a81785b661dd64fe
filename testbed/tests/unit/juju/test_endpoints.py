"""Which endpoints `juju integrate` joins."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.juju.errors import JujuError
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
    "rider": charm(
        requires("aws-iam", "aws-iam", "container"),
        requires("control-plane", "juju-info", "container"),
        requires("certificates", "tls"),
        subordinate=True,
    ),
}


ON_3_6, ON_4_1 = Manner.JUJU_3_6, Manner.JUJU_4_1


@pytest.mark.parametrize(
    ("manner", "first", "second", "joined"),
    [
        (ON_3_6, "old", "authority", "old:tls authority:client"),
        (ON_3_6, "authority", "old", "old:tls authority:client"),
        (ON_3_6, "rider", "old", "rider:aws-iam old:aws-iam"),
        (ON_3_6, "rider", "new", "rider:control-plane new:juju-info"),
        (ON_3_6, "rider:control-plane", "old", "rider:control-plane old:juju-info"),
        (ON_3_6, "rider", "authority", "rider:certificates authority:client"),
        (ON_4_1, "old", "authority", "old:tls authority:client"),
        (ON_4_1, "rider", "new", "rider:control-plane new:juju-info"),
        (ON_4_1, "rider:certificates", "authority:client", "rider:certificates authority:client"),
    ],
)
def test_endpoints_that_fit_are_joined_and_on_3_6_the_implicit_one_gives_way(
    manner: Manner, first: str, second: str, joined: str
) -> None:
    assert endpoints.key(endpoints.infer(CHARMS, first, second, manner)) == joined


@pytest.mark.parametrize(
    ("manner", "first", "second", "reason"),
    [
        (ON_3_6, "old", "new", "no relations found"),
        (ON_3_6, "nobody", "old", 'application "nobody" not found'),
        (ON_3_6, "old:nothing", "new", 'application "old" has no "nothing" relation'),
        (ON_4_1, "old", "new", "no compatible endpoints found between applications"),
        (
            ON_4_1,
            "rider",
            "authority",
            (
                'ambiguous relation: "rider authority" could refer to '
                '"rider:certificates authority:client"; "rider:control-plane authority:juju-info"'
            ),
        ),
    ],
)
def test_endpoints_that_do_not_fit_or_on_4_1_fit_twice_are_refused(
    manner: Manner, first: str, second: str, reason: str
) -> None:
    with pytest.raises(JujuError) as raised:
        endpoints.infer(CHARMS, first, second, manner)

    ends = f'endpoints "{first}" and "{second}"'
    begins = f"adding relation between {ends}: cannot relate {ends}: " if manner is ON_4_1 else ""
    assert str(raised.value) == begins + reason


def test_one_container_scoped_side_makes_the_relation_container_scoped() -> None:
    def scope(first: str, second: str) -> str:
        return endpoints.scope(endpoints.infer(CHARMS, first, second, ON_3_6))

    assert scope("rider:aws-iam", "wide:aws-iam") == "container"
    assert scope("rider:certificates", "authority:client") == "global"

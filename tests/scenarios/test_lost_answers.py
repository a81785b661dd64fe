# SPDX-License-Identifier: Apache-2.0

"""Writes that the server makes and whose answers are lost: what is left, and what is said.

Every write of each of these jobs is tried. Afterwards all must be as without the fault.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
import pytest
from tests.fakes import alarms
from tests.fakes.acting import GRANT, ROLE, grant
from tests.fakes.declaring import ACCOUNT, entry, names, stored
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import ADDRESS, BINDINGS, DEFINED, NOTICES, SERVICE
from tests.fakes.kubernetes.rbac import RBAC
from tests.fakes.kubernetes.server import FakeCluster, is_write_of_access

from cluster import sync

A, B, C = (f"{ACCOUNT}:role/{name}" for name in "ABC")
ROLES = f"{RBAC}/clusterroles"
EDIT, VIEW = {"role": "edit"}, {"role": "view"}
Step = Callable[[Model, FakeCluster], str]


@dataclasses.dataclass(frozen=True)
class Job:
    """Something that a unit does.

    Attributes:
        begin: What goes before.
        run: Does it; the action's result, or an empty text.
        writes: How many writes it takes.
        mappings: Whom each mapping lets in afterwards, by its name.
        bound: Which role each mapping has afterwards, by its own group.
        events: The reasons of the events that tell of it.
        said: The action's result.
        logged: What the log says of it.
    """

    begin: Step
    run: Step
    writes: int
    mappings: Mapping[str, str]
    bound: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    events: tuple[str, ...] = ()
    said: str = ""
    logged: tuple[str, ...] = ()


def nothing(model: Model, api: FakeCluster) -> str:
    return ""


def declare(*entries: dict[str, Any]) -> Step:
    def run(model: Model, api: FakeCluster) -> str:
        model.config = {"mappings": json.dumps(entries)}
        model.hook(model.on.config_changed())
        return ""

    return run


def granting(**params: Any) -> Step:
    def run(model: Model, api: FakeCluster) -> str:
        return str(grant(model, **params)["result"])

    return run


def revoke(model: Model, api: FakeCluster) -> str:
    return str(model.action("revoke-access", arn=ROLE)["result"])


def end(model: Model, api: FakeCluster) -> str:
    api.clock.now += 3700
    model.hook()
    return ""


def delete_service(model: Model, api: FakeCluster) -> str:
    api.kubectl_delete(SERVICE)
    return ""


def hook(model: Model, api: FakeCluster) -> str:
    model.hook()
    return ""


def replicas(model: Model, api: FakeCluster) -> str:
    model.config = {"replicas": 3}
    model.hook(model.on.config_changed())
    return ""


FIRST = declare(entry("a", A, access=[EDIT]), entry("b", B))
GRANTED = {GRANT: ROLE.lower()}
JOBS = {
    "declare": Job(nothing, FIRST, 5, {"a": A, "b": B}, {"a": "edit"}),
    "change": Job(
        FIRST,
        declare(entry("a", A, groups=["x"], access=[VIEW])),
        4,
        {"a": A},
        {"a": "view"},
    ),
    "rename": Job(
        FIRST,
        declare(entry("c", A, access=[EDIT]), entry("b", B)),
        5,
        {"b": B, "c": A},
        {"c": "edit"},
    ),
    "another ARN": Job(
        FIRST,
        declare(entry("a", C, access=[EDIT]), entry("b", B)),
        5,
        {"a": C, "b": B},
        {"a": "edit"},
    ),
    "grant": Job(
        nothing,
        granting(role="edit", for_="1h", groups="g"),
        3,
        GRANTED,
        {GRANT: "edit"},
        ("AccessGranted",),
        "granted",
    ),
    "grant anew": Job(
        granting(role="edit", for_="1h"),
        granting(role="view", for_="2h"),
        3,
        GRANTED,
        {GRANT: "view"},
        ("AccessChanged",),
        "changed",
    ),
    "revoke": Job(granting(role="edit"), revoke, 2, {}, events=("AccessRevoked",), said="revoked"),
    "end": Job(
        granting(role="edit", for_="1h"),
        end,
        2,
        {},
        events=("AccessEnded",),
        logged=(f"access has ended: deleted mapping {GRANT} of {ROLE}",),
    ),
    "keep a Service that is deleted": Job(delete_service, hook, 3, {}),
    "scale": Job(nothing, replicas, 1, {}),
}
LOST = [httpx2.ReadTimeout, httpx2.ReadError]


@pytest.fixture(autouse=True)
def _one_writer(deployed: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let writes have an order, in a cluster with two roles."""
    monkeypatch.setattr(sync, "WRITERS", 1)
    for name in ("view", "edit"):
        api.add_role(name, "get")


def told(job: Job, model: Model, api: FakeCluster) -> dict[str, Any]:
    """Do it; what is said of it then."""
    events = {path for path in api.objects if path.startswith(NOTICES)}
    logged = len(model.log())
    said = job.run(model, api)
    log = model.log()[logged:]
    return {
        "said": said,
        "events": tuple(
            each["reason"]
            for path, each in api.objects.items()
            if path.startswith(NOTICES) and path not in events
        ),
        "logged": tuple(line for line in job.logged if log.count(line) == 1),
    }


def there(api: FakeCluster) -> dict[str, Any]:
    """Whom each mapping lets in, and which role it has."""
    statuses = {name: stored(api, name).get("status", {}) for name in names(api)}
    admitted = {name: status.get("canonicalARN") for name, status in statuses.items()}
    return {"mappings": admitted, "bound": bound(api)}


def bound(api: FakeCluster) -> dict[str, str]:
    """The role of each group of a mapping's own."""
    return {
        subject["name"].removeprefix("aws-iam:"): each["roleRef"]["name"]
        for path, each in api.objects.items()
        if path.startswith(BINDINGS)
        for subject in each["subjects"]
        if subject["name"].startswith("aws-iam:")
    }


def to_tell(job: Job) -> dict[str, Any]:
    return {"said": job.said, "events": job.events, "logged": job.logged}


def wanted(job: Job) -> dict[str, Any]:
    admitted = {name: arn.lower() for name, arn in job.mappings.items()}
    return {"mappings": admitted, "bound": job.bound}


def writes(api: FakeCluster) -> int:
    return sum(is_write_of_access(each.method, each.path) for each in api.seen)


@pytest.mark.parametrize("name", JOBS)
def test_given_clear_answers_then_each_write_of_a_job_is_known(
    deployed: Model, api: FakeCluster, name: str
):
    job = JOBS[name]
    job.begin(deployed, api)
    api.forget()

    assert told(job, deployed, api) == to_tell(job)
    assert there(api) == wanted(job)
    assert writes(api) == job.writes


@pytest.mark.parametrize("error", LOST)
@pytest.mark.parametrize(
    ("name", "nth"), [(name, n) for name, job in JOBS.items() for n in range(1, job.writes + 1)]
)
def test_given_a_lost_answer_when_a_job_is_done_then_all_is_as_without(
    deployed: Model, api: FakeCluster, name: str, nth: int, error: type[httpx2.RequestError]
):
    job = JOBS[name]
    job.begin(deployed, api)
    api.lose(error, nth=nth)

    said = told(job, deployed, api)
    # Another hook goes on at once, if there is more to do.
    is_done, rings = there(api) == wanted(job), alarms.rings(deployed, api)
    for _ in range(2):
        deployed.hook()

    assert said == to_tell(job)
    assert is_done or min(rings) <= 1
    assert there(api) == wanted(job)
    assert deployed.units[0].status.name == "active"
    assert api.objects[SERVICE]["spec"]["clusterIP"] == ADDRESS


REMOVAL = 16


def removed(model: Model, api: FakeCluster) -> None:
    """The last hook of an application with declared and granted access."""
    FIRST(model, api)
    grant(model, role="view")
    api.forget()
    model.hook(model.on.remove())


def left(api: FakeCluster) -> set[str]:
    return {path for path in api.objects if not path.startswith((NOTICES, ROLES))}


def test_given_clear_answers_then_each_write_of_a_removal_is_known(
    deployed: Model, api: FakeCluster
):
    removed(deployed, api)

    assert left(api) == {*DEFINED}
    assert writes(api) == REMOVAL


@pytest.mark.parametrize("error", LOST)
@pytest.mark.parametrize("nth", range(1, REMOVAL + 1))
def test_given_a_lost_answer_when_the_application_goes_then_nothing_of_it_stays(
    deployed: Model, api: FakeCluster, nth: int, error: type[httpx2.RequestError]
):
    FIRST(deployed, api)
    grant(deployed, role="view")
    api.lose(error, nth=nth)
    deployed.hook(deployed.on.remove())

    assert left(api) == {*DEFINED}
    assert "the cluster keeps" not in deployed.log()

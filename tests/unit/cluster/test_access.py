"""Access becomes what is wanted, whatever others do meanwhile, and the server refuses."""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import Callable

import httpx2
import pytest
from tests.fakes.kubernetes.faults import Answer, refusal, refused, unreachable
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.rbac import RBAC
from tests.fakes.kubernetes.server import FakeCluster

from access import subjects
from access.desired import Access
from access.mapping import IdentityMapping, Right, bindings_of
from cluster import access
from cluster import api as kubernetes
from cluster.access import LATE, UNSAID, Left, Result
from cluster.api import Client
from cluster.errors import errors_as_status
from errors import Waiting
from owner import OPTION
from statuses import waiting

ACCOUNT = "arn:aws:iam::111122223333"
DEV, OPS = f"{ACCOUNT}:role/dev", f"{ACCOUNT}:role/ops"
BINDINGS = f"{RBAC}/clusterrolebindings"
PATH = f"{MAPPINGS}/dev"
((_, VIEW),) = bindings_of("dev", [Right("view")], OPTION)
((_, ADMIN),) = bindings_of("dev", [Right("admin")], OPTION)
((_, THERE),) = bindings_of("dev", [Right("admin", namespaces=("default",))], OPTION)
DENIED = 'admission webhook "x" denied the request: no'


def mapping(name: str = "dev", arn: str = DEV) -> IdentityMapping:
    groups = (subjects.own_group(name),)
    return IdentityMapping(name, arn, name, arn, groups, OPTION)


OURS = mapping()
NONE = Access()
WITH_VIEW, WITH_ADMIN = Access((OURS,), (VIEW,)), Access((OURS,), (ADMIN,))

# In a cluster with the CRD.
pytestmark = pytest.mark.usefixtures("deployed")


def make(client: Client, wanted: Access) -> Result:
    """Make the access of the cluster the one that is ``wanted``."""
    with errors_as_status():
        return access.make(client, access.read(client), wanted, "a test")


def path_of(api: FakeCluster, name: str) -> str:
    (path,) = (path for path in api.objects if path.endswith(f"/{name}"))
    return path


def remade(api: FakeCluster) -> None:
    """Somebody deletes the mapping and makes another of its name."""
    api.delete(PATH)
    api.add_mapping("dev", OPS, OPS)


def finalized(api: FakeCluster, path: str) -> None:
    api.objects[path]["metadata"]["finalizers"] = ["example.com/keep"]


def annotated(api: FakeCluster, path: str) -> None:
    """Somebody patches the object, as often as it is written."""
    if stored := api.objects.get(path):
        stored["metadata"].setdefault("annotations", {})["time"] = str(len(api.seen))
        stored["metadata"]["resourceVersion"] = str(len(api.seen) + 100)


def grouped(api: FakeCluster, path: str) -> None:
    """Somebody lets others have what a binding or a mapping gives."""
    if stored := api.objects.get(path):
        stored.setdefault("subjects", []).append({"kind": "User", "name": "mallory"})
        stored.setdefault("spec", {})["groups"] = ["theirs"]


def test_given_what_is_wanted_when_it_is_made_twice_then_the_second_time_writes_nothing(
    client: Client, api: FakeCluster
):
    api.namespaces.add("default")
    wanted = Access((OURS, mapping("ops", OPS)), (VIEW, THERE))

    first = make(client, wanted)
    api.forget()
    second = make(client, wanted)

    assert (first.left, first.made, first.after) == ({}, 4, wanted)
    assert (second.left, second.made, api.changes) == ({}, 0, [])
    uid = api.objects[PATH]["metadata"]["uid"]
    for each in (VIEW, THERE):
        (owner,) = api.objects[path_of(api, each.name)]["metadata"]["ownerReferences"]
        assert owner["uid"] == uid


def test_given_bindings_when_a_person_deletes_their_mapping_then_they_go_and_come_with_it(
    client: Client, api: FakeCluster
):
    make(client, WITH_VIEW)

    api.kubectl_delete(PATH)

    assert not [path for path in api.objects if path.endswith(VIEW.name)]
    assert make(client, WITH_VIEW).left == {}
    assert access.read(client) == WITH_VIEW


def test_given_all_that_may_change_of_a_mapping_when_it_does_then_only_peoples_labels_stay(
    client: Client, api: FakeCluster
):
    make(client, Access((OURS,)))
    api.objects[PATH]["metadata"]["labels"]["team"] = "payments"
    more = {"username": "sam", "expires": "2099-01-01T00:00:00Z", "reason": "an incident"}
    for wanted in (dataclasses.replace(OURS, groups=("view",), **more), OURS):
        assert make(client, Access((wanted,))).left == {}
        assert access.read(client) == Access((wanted,))

    assert api.objects[PATH]["metadata"]["labels"]["team"] == "payments"
    assert "aws-iam/expires" not in api.objects[PATH]["metadata"]["annotations"]


def test_given_changes_of_every_kind_then_access_that_ends_goes_before_anything_is_added(
    client: Client, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(access, "WRITERS", 1)
    make(client, Access((mapping("gone", OPS), OURS), (ADMIN,)))
    api.add_mapping("theirs", OPS, OPS, expires="2001-01-01T00:00:00Z")
    old = path_of(api, ADMIN.name)
    finalized(api, old)
    api.forget()

    new = dataclasses.replace(OURS, username="sam")
    make(client, Access((new, mapping("new", f"{ACCOUNT}:role/new")), (VIEW,)))

    assert [each for each in api.requests if not each.startswith("GET")] == [
        f"DELETE {MAPPINGS}/gone",
        f"DELETE {old}",
        f"PATCH {old}",
        f"PATCH {PATH}",
        f"POST {MAPPINGS}",
        f"PATCH {MAPPINGS}/new/status",
        f"POST {BINDINGS}",
        f"DELETE {MAPPINGS}/theirs",
    ]


# Others who act.


@pytest.mark.parametrize("before", [NONE, WITH_VIEW, WITH_ADMIN], ids=["new", "has it", "other"])
@pytest.mark.parametrize("after", [NONE, WITH_VIEW], ids=["ends", "wanted"])
@pytest.mark.parametrize("act", [finalized, annotated, grouped, None])
def test_given_a_stranger_who_has_changed_objects_then_that_keeps_nobodys_access_or_role(
    client: Client,
    api: FakeCluster,
    before: Access,
    after: Access,
    act: Callable[[FakeCluster, str], None] | None,
):
    make(client, before)
    for name in ("dev", *(each.name for each in before.bindings)):
        if before.mappings and act:
            act(api, path_of(api, name))

    assert make(client, after).left == {}
    assert access.read(client) == after


def test_given_a_person_who_makes_an_ended_mapping_anew_meanwhile_then_that_one_stays(
    client: Client, api: FakeCluster
):
    make(client, WITH_VIEW)
    add = functools.partial(api.add_mapping, "dev", OPS, OPS)
    api.meanwhile(add, request=f"GET {MAPPINGS}", nth=2)

    assert make(client, NONE).left == {}
    assert api.objects[PATH]["spec"]["arn"] == OPS


@pytest.mark.parametrize("arn", [DEV, OPS], ids=["same ARN", "another"])
def test_given_strangers_objects_under_our_names_then_they_give_way(
    client: Client, api: FakeCluster, arn: str
):
    bound = f"{BINDINGS}/{VIEW.name}"
    api.add_mapping("dev", arn, arn, groups=["system:masters"])
    api.add_binding(VIEW.name, "ClusterRole/admin", User="mallory")
    for path in (PATH, bound):
        finalized(api, path)

    assert make(client, WITH_VIEW).left == {}
    assert access.read(client) == WITH_VIEW
    assert api.objects[bound]["roleRef"]["name"] == "view"


@pytest.mark.parametrize(
    ("act", "request_"),
    [
        (lambda api: api.add_mapping("dev", OPS, OPS), f"POST {MAPPINGS}"),
        (remade, f"PATCH {PATH}/status"),
        (lambda api: api.delete(PATH), f"POST {BINDINGS}"),
    ],
    ids=["takes the name", "makes it anew", "deletes it"],
)
def test_given_somebody_who_is_in_the_way_meanwhile_then_the_next_hook_makes_what_is_wanted(
    client: Client, api: FakeCluster, act: Callable[[FakeCluster], None], request_: str
):
    api.meanwhile(lambda: act(api), request=request_)

    assert make(client, WITH_VIEW).left
    assert make(client, WITH_VIEW).left == {}
    assert access.read(client) == WITH_VIEW


@pytest.mark.parametrize("name", ["dev", ADMIN.name])
def test_given_somebody_who_deletes_it_first_then_it_is_gone(
    client: Client, api: FakeCluster, name: str
):
    make(client, WITH_ADMIN)
    path = path_of(api, name)
    api.meanwhile(lambda: api.delete(path), request=f"DELETE {path}")

    assert make(client, Access((OURS,)) if name != "dev" else NONE).left == {}


# A server that refuses, fails or is late.


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        *((refusal(code, DENIED), f"{code} {DENIED}") for code in (400, 401, 403, 422, 429, 500)),
        (refusal(409, "modified"), UNSAID.why),
        (unreachable(httpx2.ReadTimeout), waiting.API_LATE()),
    ],
)
def test_given_an_answer_then_what_is_left_is_said_and_the_rest_is_made(
    client: Client, api: FakeCluster, answer: Answer, left: str
):
    api.fail(answer, request=f"POST {MAPPINGS}", nth=1)

    result = make(client, Access((mapping("a", OPS), mapping("b"))))

    ((name, why),) = result.left.items()
    assert (why.why, result.made) == (left, 1)
    assert [each.name for each in result.after.mappings] == ["b" if name == "a" else "a"]


def test_given_a_write_without_an_effect_then_nobody_says_why_it_is_left(
    client: Client, api: FakeCluster
):
    make(client, Access((OURS,)))
    api.fail(lambda _: refused(404, "gone"), request=f"DELETE {PATH}")

    assert make(client, NONE).left == {"dev": UNSAID}


def test_given_a_new_role_that_is_refused_then_the_former_one_goes_all_the_same(
    client: Client, api: FakeCluster
):
    make(client, WITH_ADMIN)
    api.fail(refusal(403, DENIED), request=f"POST {BINDINGS}")

    assert make(client, WITH_VIEW).left == {VIEW.key: Left(f"403 {DENIED}", is_said=True)}
    assert access.read(client) == Access((OURS,))


@pytest.mark.parametrize(("seconds", "made"), [(20, 4), (0, 8)], ids=["little", "enough"])
def test_given_some_time_then_no_change_begins_after_half_of_it_and_another_hook_goes_on(
    client: Client, api: FakeCluster, monkeypatch: pytest.MonkeyPatch, seconds: float, made: int
):
    monkeypatch.setattr(access, "WRITERS", 1)
    new = [mapping(f"dev-{n}", f"{ACCOUNT}:role/{n}") for n in range(8)]
    api.clock.sleep(seconds)
    api.fail(lambda _: api.clock.sleep(0.35))

    result = make(client, Access((*new,)))

    assert result.made == len(result.after.mappings) == made
    assert set(result.left.values()) == ({LATE} if made < 8 else set())
    assert result.goes_on is (made < 8)


def test_given_a_hook_without_the_time_to_look_again_then_it_waits(
    client: Client, api: FakeCluster
):
    late = kubernetes.SECONDS
    api.meanwhile(lambda: api.clock.sleep(late), request=f"POST {MAPPINGS}")

    with pytest.raises(Waiting):
        make(client, Access((OURS,)))


def test_given_many_changes_then_eight_are_under_way_at_a_time(
    client: Client, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    eight, handle = threading.Barrier(8, timeout=30), api.handle_request

    def handled(request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST":
            eight.wait()
        return handle(request)

    monkeypatch.setattr(api, "handle_request", handled)
    new = [mapping(f"dev-{n}", f"{ACCOUNT}:role/{n}") for n in range(16)]

    assert make(client, Access((*new,))).made == 16


@pytest.mark.parametrize(
    ("key", "said"),
    [("dev", "mapping dev"), ("/x", "binding x"), ("prod/x", "binding prod/x")],
)
def test_given_what_is_left_then_a_person_reads_what_it_is(key: str, said: str):
    assert access.shown(key) == said

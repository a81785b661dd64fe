"""Many changes: what becomes of them while others write, refuse, or take long."""

from __future__ import annotations

import copy
import dataclasses
import threading
from collections.abc import Callable

import httpx2
import pytest
from tests.fakes.juju.model import OWNER
from tests.fakes.kubernetes.faults import Answer, refusal, unreachable
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.rbac import RBAC
from tests.fakes.kubernetes.server import FakeCluster

from access import desired, subjects
from access.desired import Access, Changes
from access.mapping import IdentityMapping
from access.rights import Right, RoleBinding, bindings
from cluster import api as kubernetes
from cluster import sync
from cluster.api import Client
from cluster.errors import errors_as_status
from cluster.sync import Left, Result
from labels import OPTION, SOURCE
from labels import OWNER as MARK

ACCOUNT = "arn:aws:iam::111122223333"
DEV, OPS = f"{ACCOUNT}:role/dev", f"{ACCOUNT}:role/ops"
BINDINGS = f"{RBAC}/clusterrolebindings"
((_, VIEW),) = bindings("dev", [Right("view")], OPTION)
PATH = f"{MAPPINGS}/dev"


# In a cluster with the CRD.
pytestmark = pytest.mark.usefixtures("deployed")


def mapping(name: str = "dev", arn: str = DEV, canonical: str | None = None) -> IdentityMapping:
    status = arn if canonical is None else canonical
    return IdentityMapping(name, arn, name, status, source=OPTION)


def make(client: Client, steps: Changes, **seconds: float) -> Result:
    with errors_as_status():
        return sync.make(client, OWNER, _whole(steps), "a test", **seconds)


def _whole(steps: Changes) -> Changes:
    """The changes, with the access that they begin with and lead to."""
    pairs = (*steps.replace, *steps.update, *steps.withdraw, *steps.activate)
    before = (*steps.delete, *(old for old, _ in pairs))
    wanted = (*steps.create, *(new for _, new in pairs))
    return dataclasses.replace(
        steps, before=Access(before, steps.unbind), wanted=Access(wanted, steps.bind)
    )


def refused(why: str) -> dict[str, Left]:
    return {"dev": Left(why, is_said=True, refused=True)}


def said(why: str) -> dict[str, Left]:
    return {"dev": Left(why, is_said=True)}


LATER = {"dev": Left()}


def add(api: FakeCluster, found: IdentityMapping) -> None:
    groups = list(found.groups)
    api.add_mapping(found.name, found.arn, found.canonical, source=found.source, groups=groups)


def remade(api: FakeCluster) -> None:
    """Somebody deletes the mapping and makes another of its name."""
    api.delete(PATH)
    api.add_mapping("dev", OPS, OPS, source=OPTION)
    api.objects[PATH]["metadata"]["resourceVersion"] = "7"


@pytest.mark.parametrize(
    "found",
    [
        dataclasses.replace(mapping(), expires="2026-01-01T00:00:00Z"),
        IdentityMapping("dev", "", "dev", ""),
    ],
    ids=["the option's that has ended", "a person's without an ARN"],
)
def test_given_a_mapping_as_it_was_read_when_it_is_to_be_deleted_then_it_goes(
    client: Client, api: FakeCluster, found: IdentityMapping
):
    api.add_mapping("dev", found.arn, source=found.source, expires=found.expires)

    assert make(client, Changes(delete=(found,))).left == {}
    assert PATH not in api.objects


# A second writer at each request of a write path.


@pytest.mark.parametrize(
    "change",
    [{"arn": OPS}, {"source": ""}, {"expires": "2099-01-01T00:00:00Z"}],
    ids=["another's", "a label taken off", "an end put off"],
)
def test_given_a_mapping_that_others_changed_when_it_is_to_be_deleted_then_it_stays(
    client: Client, api: FakeCluster, change: dict[str, str]
):
    api.add_mapping("dev", **{"arn": DEV, "source": OPTION, **change})

    assert make(client, Changes(delete=(mapping(),))).left == LATER
    assert PATH in api.objects


def test_given_another_of_the_name_when_a_mapping_is_deleted_then_that_one_stays(
    client: Client, api: FakeCluster
):
    add(api, mapping())
    api.meanwhile(lambda: remade(api), request=f"DELETE {PATH}")

    assert make(client, Changes(delete=(mapping(),))).left == LATER
    assert api.objects[PATH]["spec"]["arn"] == OPS


def test_given_somebody_who_deletes_a_mapping_first_then_it_is_gone_and_not_our_doing(
    client: Client, api: FakeCluster
):
    add(api, mapping())
    api.meanwhile(lambda: api.delete(PATH), request=f"GET {PATH}")

    assert make(client, Changes(delete=(mapping(),))).left == {}


@pytest.mark.parametrize(
    "act", [remade, lambda api: api.delete(PATH)], ids=["another ARN", "deleted"]
)
def test_given_somebody_who_changes_a_mapping_first_when_it_is_to_be_changed_then_that_stays(
    client: Client, api: FakeCluster, act: Callable[[FakeCluster], None]
):
    add(api, mapping())
    new = dataclasses.replace(mapping(), groups=("admins",))
    api.meanwhile(lambda: act(api), request=f"PATCH {PATH}")

    assert make(client, Changes(update=((mapping(), new),))).left == LATER
    assert "groups" not in api.objects.get(PATH, {"spec": {}})["spec"]


@pytest.mark.parametrize("former", [OPS, ""], ids=["withdraw", "activate"])
def test_given_another_arn_when_a_status_is_to_be_written_then_it_lets_nobody_else_in(
    client: Client, api: FakeCluster, former: str
):
    add(api, mapping(canonical=former))
    api.meanwhile(lambda: remade(api), request=f"PATCH {PATH}/status")
    found, wanted = Access((mapping(canonical=former),)), Access((mapping(),))

    result = make(client, desired.changes(found, wanted))

    assert result.left == LATER
    assert api.objects[PATH]["status"] == {"canonicalARN": OPS}


def test_given_somebody_who_takes_the_name_first_when_a_mapping_is_created_then_theirs_stays(
    client: Client, api: FakeCluster
):
    api.meanwhile(lambda: api.add_mapping("dev", OPS, OPS), request=f"POST {MAPPINGS}")

    result = make(client, Changes(create=(mapping(),), bind=(VIEW,)))

    assert result.left == {"dev": Left(), VIEW.key: Left()}
    assert api.objects[PATH]["spec"]["arn"] == OPS
    assert not [path for path in api.objects if path.startswith(f"{BINDINGS}/aws-iam-dev")]


def test_given_the_authenticator_that_writes_the_status_first_then_the_mapping_works(
    client: Client, api: FakeCluster
):
    def touched() -> None:
        api.objects[PATH]["status"] = {"canonicalARN": DEV}
        api.objects[PATH]["metadata"]["resourceVersion"] = "2"

    api.meanwhile(touched, request=f"PUT {PATH}/status")

    assert make(client, Changes(create=(mapping(),))).left == {}
    assert api.objects[PATH]["status"] == {"canonicalARN": DEV}


def test_given_a_binding_of_others_with_the_name_then_ours_takes_its_place(
    client: Client, api: FakeCluster
):
    api.meanwhile(
        lambda: api.add_binding(VIEW.name, "ClusterRole/admin", User="mallory"),
        request=f"POST {BINDINGS}",
    )

    assert make(client, Changes(bind=(VIEW,))).left == {}
    assert api.objects[f"{BINDINGS}/{VIEW.name}"]["roleRef"]["name"] == "view"


# A server that refuses, or has no time.


DENIED = 'admission webhook "x" denied the request: no'
POLICY = "ValidatingAdmissionPolicy 'x' with binding 'x' denied request: no"
USER = 'iamidentitymappings is forbidden: User "admin" cannot create'
INVALID = "spec.username: Invalid value: must not be empty"


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        *(
            (refusal(code, DENIED), refused(DENIED))
            for code in (400, 401, 403, 404, 409, 413, 418, 422, 429, 500)
        ),
        *((refusal(code, POLICY), refused(POLICY)) for code in (403, 422)),
        (refusal(422, INVALID), refused(INVALID)),
        (refusal(409, "already exists"), LATER),
        (refusal(429, "too many requests"), {}),
        (unreachable(httpx2.ReadTimeout), {}),
        (unreachable(httpx2.ReadError), {}),
        (refusal(500, "etcdserver: no leader"), {}),
        (refusal(403, USER), said(f"403 {USER}")),
    ],
)
def test_given_an_answer_then_the_change_is_refused_or_made_again_now_or_by_the_next_hook(
    client: Client, api: FakeCluster, answer: Answer, left: dict[str, Left]
):
    api.fail(answer, request=f"POST {MAPPINGS}", nth=1)

    assert make(client, Changes(create=(mapping(),))).left == left


def test_given_a_change_that_is_refused_then_those_behind_it_are_made(
    client: Client, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sync, "WRITERS", 1)
    api.fail(refusal(403, DENIED), request=f"POST {MAPPINGS}", nth=1)

    assert make(client, Changes(create=(mapping(), mapping("ops", OPS)))).left == refused(DENIED)
    assert f"{MAPPINGS}/ops" in api.objects


@pytest.mark.parametrize(
    "steps",
    [Changes(delete=(mapping("ops", OPS),)), Changes(create=(mapping(),)), Changes(bind=(VIEW,))],
    ids=["delete", "create", "bind"],
)
@pytest.mark.parametrize(
    ("left", "seconds", "begins"),
    [
        (0.5, {}, True),
        (0.0, {}, False),
        (5.5, {"seconds": 0.5}, True),
        (5.5, {"seconds": 0}, False),
    ],
)
def test_given_some_seconds_of_a_hook_then_no_change_begins_after_them(
    client: Client,
    api: FakeCluster,
    steps: Changes,
    left: float,
    seconds: dict[str, float],
    begins: bool,
):
    add(api, mapping("ops", OPS))
    api.forget()
    api.clock.now += kubernetes.SECONDS - left

    result = make(client, steps, **seconds)

    assert (not result.left) is begins
    assert bool(api.requests) is begins


def test_given_many_changes_then_eight_are_under_way_at_a_time(
    client: Client, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    eight, answer = threading.Barrier(8, timeout=30), api.handle_request

    def answered(request: httpx2.Request) -> httpx2.Response:
        eight.wait()
        return answer(request)

    monkeypatch.setattr(api, "handle_request", answered)
    new = [mapping(f"dev-{n}", f"{ACCOUNT}:role/{n}") for n in range(16)]

    assert make(client, Changes(create=(*new,))).after.mappings == (*new,)


@pytest.mark.parametrize("is_leaving", [True, False])
@pytest.mark.parametrize("finalizer", ["example.com/keep", "orphan", "foregroundDeletion"])
def test_given_a_finalizer_when_a_mapping_is_to_be_deleted_then_it_keeps_nobodys_access(
    client: Client, api: FakeCluster, finalizer: str, *, is_leaving: bool
):
    add(api, mapping())
    metadata = api.objects[PATH]["metadata"]
    metadata["finalizers"] = [finalizer]
    if is_leaving:
        metadata["deletionTimestamp"] = "2026-11-28T12:00:00Z"

    assert make(client, Changes(delete=(mapping(),))).left == {}
    assert PATH not in api.objects


@pytest.mark.parametrize("seconds", [0, kubernetes.SECONDS - 1], ids=["early", "late"])
def test_given_changes_of_every_kind_then_access_that_ends_goes_before_anything_is_added(
    client: Client, api: FakeCluster, monkeypatch: pytest.MonkeyPatch, seconds: float
):
    monkeypatch.setattr(sync, "WRITERS", 1)
    old = [
        mapping("gone", f"{ACCOUNT}:role/g"),
        mapping("wrong", OPS, DEV),
        mapping("edited", f"{ACCOUNT}:role/e", ""),
    ]
    for each in old:
        add(api, each)
    ((_, former),) = bindings("edited", [Right("admin")], OPTION)
    api.add_binding(former.name, "ClusterRole/admin", Group=former.group)
    api.objects[f"{BINDINGS}/{former.name}"]["metadata"]["finalizers"] = ["example.com/keep"]
    found = Access(tuple(old), (former,))
    edited = dataclasses.replace(old[2], groups=("view",), canonical=old[2].arn)
    wanted = Access((mapping(), mapping("wrong", OPS), edited), (VIEW,))
    api.forget()
    api.clock.now += seconds

    make(client, desired.changes(found, wanted))

    sent = [each for each in api.requests if not each.startswith("GET")]
    assert sent == [
        f"DELETE {MAPPINGS}/gone",
        f"PATCH {MAPPINGS}/wrong/status",
        f"DELETE {BINDINGS}/{former.name}",
        f"PATCH {BINDINGS}/{former.name}",
        f"PATCH {MAPPINGS}/edited",
        f"PATCH {MAPPINGS}/edited/status",
        f"POST {MAPPINGS}",
        f"PUT {PATH}/status",
        f"POST {BINDINGS}",
    ]
    assert api.objects[f"{MAPPINGS}/edited"]["status"] == {"canonicalARN": edited.arn}


@pytest.mark.parametrize("namespace", ["", "dev"])
def test_given_a_finalizer_of_a_binding_when_it_is_to_go_then_it_goes_all_the_same(
    client: Client, api: FakeCluster, namespace: str
):
    path = bound(api, namespace)

    assert make(client, Changes(unbind=(former(namespace),))).left == {}
    assert path not in api.objects


def test_given_somebody_who_lets_a_binding_go_first_when_it_is_to_go_then_it_is_gone(
    client: Client, api: FakeCluster
):
    path = bound(api, "dev")
    api.meanwhile(lambda: api.delete(path), request=f"PATCH {path}")

    assert make(client, Changes(unbind=(former("dev"),))).left == {}


def former(namespace: str) -> RoleBinding:
    """A binding of the mapping, which the option no longer asks for."""
    right = Right("admin", namespaces=(namespace,) if namespace else ())
    ((_, binding),) = bindings("dev", [right], OPTION)
    return binding


def bound(api: FakeCluster, namespace: str) -> str:
    """Store that binding with a finalizer of others. Return its path."""
    binding = former(namespace)
    name = f"{namespace}/{binding.name}" if namespace else binding.name
    api.add_binding(name, "ClusterRole/admin", Group=binding.group)
    (path,) = (path for path in api.objects if path.endswith(f"/{binding.name}"))
    metadata = api.objects[path]["metadata"]
    metadata["finalizers"] = ["example.com/keep"]
    metadata["labels"] = {SOURCE: OPTION}
    metadata["annotations"] = {MARK: OWNER.mark}
    return path


@pytest.mark.parametrize("taken", [False, True], ids=["its own", "another's"])
def test_given_a_mapping_of_another_principal_by_now_when_it_is_replaced_then_only_ours_goes(
    client: Client, api: FakeCluster, taken: bool
):
    old, new = mapping(arn=OPS), dataclasses.replace(mapping(), groups=("view",))
    add(api, mapping(arn=f"{ACCOUNT}:role/other") if taken else old)

    result = make(client, Changes(replace=((old, new),), bind=(VIEW,)))

    assert result.unfinished == ({"dev", VIEW.key} if taken else frozenset())
    if not taken:
        assert api.objects[PATH]["spec"] == {"arn": DEV, "username": "dev", "groups": ["view"]}
        assert api.objects[PATH]["status"] == {"canonicalARN": DEV}
        assert api.objects[PATH]["metadata"]["annotations"]["aws-iam/owner"] == OWNER.mark


OWN = (subjects.own_group("dev"),)


@pytest.mark.parametrize(
    ("before", "after", "waits"),
    [((), OWN, True), (OWN, OWN, False), (OWN, (), False), ((), ("view",), False)],
    ids=["gets it", "has it", "loses it", "gets another"],
)
def test_given_a_binding_that_does_not_go_then_its_mapping_does_not_get_its_group(
    client: Client, api: FakeCluster, before: tuple[str, ...], after: tuple[str, ...], waits: bool
):
    old = dataclasses.replace(mapping(), groups=before)
    add(api, old)
    path = bound(api, "")
    api.fail(refusal(403, "admission webhook denied the request"), request=f"DELETE {path}")

    new = dataclasses.replace(old, username="sam", groups=after)
    result = make(client, Changes(unbind=(former(""),), update=((old, new),)))

    assert ("dev" in result.unfinished) == waits
    assert (api.objects[PATH]["spec"]["username"] == "sam") != waits


def test_given_a_binding_that_goes_then_its_mapping_gets_its_group_in_the_same_hook(
    client: Client, api: FakeCluster
):
    add(api, mapping())
    bound(api, "")
    new = dataclasses.replace(mapping(), groups=OWN)

    result = make(client, Changes(unbind=(former(""),), update=((mapping(), new),)))

    assert result.left == {}


def test_given_all_that_may_change_of_a_mapping_when_it_does_then_only_peoples_labels_stay(
    client: Client, api: FakeCluster
):
    api.add_mapping("dev", DEV, DEV, source=OPTION)
    api.objects[PATH]["metadata"]["labels"]["team"] = "payments"
    old = mapping()
    first = dataclasses.replace(
        old, username="sam", groups=("view",), expires="2099-01-01T00:00:00Z", reason="an incident"
    )
    second = dataclasses.replace(old, groups=("edit",))

    make(client, Changes(update=((old, first),)))
    stored = copy.deepcopy(api.objects[PATH])
    make(client, Changes(update=((first, second),)))

    assert stored["spec"] == {"arn": DEV, "username": "sam", "groups": ["view"]}
    assert stored["metadata"]["labels"] == {"aws-iam/source": OPTION, "team": "payments"}
    assert stored["metadata"]["annotations"] == {
        "aws-iam/owner": OWNER.mark,
        "aws-iam/expires": "2099-01-01T00:00:00Z",
        "aws-iam/reason": "an incident",
    }
    assert api.objects[PATH]["spec"] == {"arn": DEV, "username": "dev", "groups": ["edit"]}
    assert api.objects[PATH]["metadata"]["annotations"] == {"aws-iam/owner": OWNER.mark}


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("dev", "mapping dev"),
        ("/aws-iam-dev-view", "binding aws-iam-dev-view"),
        ("prod/aws-iam-dev-view", "binding prod/aws-iam-dev-view"),
    ],
)
def test_given_what_is_left_then_a_person_reads_what_it_is(key: str, said: str):
    assert sync.shown(key) == said


# What is known afterwards: by clear answers, or by one more look.


def looks(api: FakeCluster) -> int:
    return api.requests.count(f"GET {MAPPINGS}")


NEW = [mapping(f"dev-{n}", f"{ACCOUNT}:role/{n}") for n in range(3)]


def test_given_clear_answers_then_the_access_is_known_without_another_look(
    client: Client, api: FakeCluster
):
    add(api, mapping("ops", OPS))
    api.forget()
    steps = Changes(delete=(mapping("ops", OPS),), create=(*NEW,), bind=(VIEW,))

    result = make(client, steps)

    assert result.before == Access((mapping("ops", OPS),))
    assert result.after == Access((*NEW,), (VIEW,))
    assert (result.left, result.made) == ({}, 5)
    assert looks(api) == 0


@pytest.mark.parametrize("error", [httpx2.ReadTimeout, httpx2.ReadError])
@pytest.mark.parametrize("is_made", [True, False])
def test_given_answers_that_are_lost_then_one_look_tells_what_was_made(
    client: Client, api: FakeCluster, error: type[httpx2.RequestError], is_made: bool
):
    add(api, mapping("ops", OPS))
    api.forget()
    path = f"DELETE {MAPPINGS}/ops"
    if is_made:
        api.lose(error, request=path)
        # Nothing answers the second try.
        api.fail(unreachable(error), request=f"GET {MAPPINGS}/ops", nth=2)
    else:
        api.fail(unreachable(error), request=path)

    result = make(client, Changes(delete=(mapping("ops", OPS),), create=(NEW[0],)))

    assert [each.name for each in result.after.mappings] == ["dev-0"] + ["ops"] * (not is_made)
    assert set(result.left) == (set() if is_made else {"ops"})
    assert result.unfinished == frozenset(result.left)
    assert result.made == 1 + is_made
    assert looks(api) == 1


def test_given_no_answer_to_the_look_either_then_everything_unclear_is_left(
    client: Client, api: FakeCluster
):
    add(api, mapping("ops", OPS))
    for path in (f"DELETE {MAPPINGS}/ops", f"GET {MAPPINGS}"):
        api.fail(unreachable(httpx2.ReadError), request=path)

    result = make(client, Changes(delete=(mapping("ops", OPS),), create=(NEW[0],)))

    assert {each.name for each in result.after.mappings} == {"ops", "dev-0"}
    assert set(result.left) == {"ops"}


def test_given_a_server_that_nobody_reaches_then_a_writer_tries_once(
    client: Client, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sync, "WRITERS", 1)
    api.fail(unreachable(httpx2.ConnectError))

    result = make(client, Changes(create=(*NEW,)))

    assert set(result.left) == {each.name for each in NEW}
    assert api.requests.count(f"POST {MAPPINGS}") == 1


@pytest.mark.parametrize("error", [httpx2.ReadTimeout, httpx2.ReadError])
@pytest.mark.parametrize("lost", [f"POST {MAPPINGS}", f"PUT {PATH}/status"])
def test_given_a_creation_whose_answer_is_lost_then_the_same_call_completes_it(
    client: Client, api: FakeCluster, error: type[httpx2.RequestError], lost: str
):
    api.lose(error, request=lost)

    result = make(client, Changes(create=(mapping(),), bind=(VIEW,)))

    assert (result.left, result.made) == ({}, 2)
    assert api.objects[PATH]["status"] == {"canonicalARN": DEV}


@pytest.mark.parametrize("field", ["username", "groups", "source", "expires"])
def test_given_another_mapping_of_the_name_and_arn_then_it_does_not_count_as_created(
    client: Client, api: FakeCluster, field: str
):
    make(client, Changes(create=(mapping(),)))
    stored = api.objects[PATH]
    if field in ("username", "groups"):
        stored["spec"][field] = "sam" if field == "username" else ["sam"]
    elif field == "source":
        stored["metadata"]["labels"] = {}
    else:
        stored["metadata"]["annotations"]["aws-iam/expires"] = "2099-01-01T00:00:00Z"
    before = copy.deepcopy(api.objects[PATH])

    assert make(client, Changes(create=(mapping(),))).left == LATER
    assert api.objects[PATH] == before


def test_given_a_mapping_that_is_extended_when_it_has_ended_then_its_role_stays(
    client: Client, api: FakeCluster
):
    old = dataclasses.replace(mapping(), groups=OWN, expires="2001-01-01T00:00:00Z")
    api.add_mapping("dev", DEV, DEV, source=OPTION, groups=OWN, expires=old.expires)
    path = bound(api, "")

    def extend() -> None:
        metadata = api.objects[PATH]["metadata"]
        metadata["annotations"]["aws-iam/expires"] = "2099-01-01T00:00:00Z"
        metadata["resourceVersion"] = "8"

    api.meanwhile(extend, request=f"GET {PATH}")
    result = make(client, Changes(delete=(old,), unbind=(former(""),)))

    assert PATH in api.objects
    assert path in api.objects
    assert result.unfinished == {former("").key, "dev"}


@pytest.mark.parametrize(
    ("code", "text", "unfinished"),
    [(403, DENIED, set()), (500, "etcdserver: no leader", {"dev", former("").key})],
    ids=["refused", "failed"],
)
def test_given_a_mapping_that_is_not_deleted_then_its_role_stays_and_a_refusal_is_final(
    client: Client, api: FakeCluster, code: int, text: str, unfinished: set[str]
):
    add(api, mapping())
    path = bound(api, "")
    api.fail(refusal(code, text), request=f"DELETE {PATH}")

    result = make(client, Changes(delete=(mapping(),), unbind=(former(""),)))

    assert path in api.objects
    assert result.unfinished == unfinished

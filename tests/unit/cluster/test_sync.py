"""The one writer: what becomes of changes while others write, refuse, or take long."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import httpx2
import pytest
from tests.fakes.juju.model import OWNER
from tests.fakes.kubernetes.faults import refusal, unreachable
from tests.fakes.kubernetes.paths import MAPPINGS, PULL_SECRET
from tests.fakes.kubernetes.rbac import RBAC
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

from access import desired
from access.desired import Access, Changes
from access.mapping import IdentityMapping
from access.rights import Right, RoleBinding, bindings
from cluster import api as kubernetes
from cluster import sync
from cluster.api import Client
from cluster.errors import errors_as_status
from cluster.sync import Result
from errors import Blocked, Waiting
from labels import OPTION

ACCOUNT = "arn:aws:iam::111122223333"
DEV, OPS = f"{ACCOUNT}:role/dev", f"{ACCOUNT}:role/ops"
BINDINGS = f"{RBAC}/clusterrolebindings"
((_, VIEW),) = bindings("dev", [Right("view")], OPTION)
PATH = f"{MAPPINGS}/dev"


def mapping(name: str = "dev", arn: str = DEV, canonical: str | None = None) -> IdentityMapping:
    status = arn if canonical is None else canonical
    return IdentityMapping(name, arn, name, status, source=OPTION)


@pytest.fixture
def client(files: Files, api: FakeCluster, deployed: object) -> Client:
    """The charm's client, in a cluster with the CRD."""
    return kubernetes.connect(files.admin)


def make(client: Client, steps: Changes) -> Result:
    with errors_as_status():
        return sync.make(client, OWNER, steps)


def add(api: FakeCluster, found: IdentityMapping) -> None:
    api.add_mapping(found.name, found.arn, found.canonical, source=found.source)


def meanwhile(api: FakeCluster, request: str, write: Callable[[], object]) -> None:
    """Let somebody else write right before a request arrives, the first of its kind."""

    def answer(sent: httpx2.Request) -> httpx2.Response:
        write()
        return api._handle(sent)

    api.fail(answer, request=request, nth=1)


def remade(api: FakeCluster, arn: str = OPS) -> None:
    """Somebody deletes the mapping and makes another of its name."""
    api.delete(PATH)
    api.add_mapping("dev", arn, arn, source=OPTION)
    api.objects[PATH]["metadata"]["resourceVersion"] = "7"


# A second writer at each request of a write path.


@pytest.mark.parametrize("request_", ["GET", "DELETE"])
def test_given_another_of_the_name_when_a_mapping_is_to_be_deleted_then_that_one_stays(
    client: Client, api: FakeCluster, request_: str
):
    add(api, mapping())
    meanwhile(api, f"{request_} {PATH}", lambda: remade(api))

    result = make(client, Changes(delete=(mapping(),)))

    assert api.objects[PATH]["spec"]["arn"] == OPS
    assert result.left == {"dev"}


def test_given_an_end_that_somebody_put_off_when_a_mapping_is_to_be_deleted_then_it_stays(
    client: Client, api: FakeCluster
):
    api.add_mapping("dev", DEV, DEV, source=OPTION, expires="2099-01-01T00:00:00Z")
    ended = dataclasses.replace(mapping(), expires="2026-01-01T00:00:00Z")

    assert make(client, Changes(delete=(ended,))) == Result(outdated=frozenset({"dev"}))
    assert PATH in api.objects


def test_given_a_label_that_somebody_took_off_when_a_mapping_is_to_be_deleted_then_it_stays(
    client: Client, api: FakeCluster
):
    add(api, mapping())
    meanwhile(api, f"GET {PATH}", api.objects[PATH]["metadata"]["labels"].clear)

    assert make(client, Changes(delete=(mapping(),))) == Result(outdated=frozenset({"dev"}))
    assert PATH in api.objects


def test_given_somebody_who_deletes_a_mapping_first_then_it_is_gone_and_not_our_doing(
    client: Client, api: FakeCluster
):
    add(api, mapping())
    meanwhile(api, f"GET {PATH}", lambda: api.delete(PATH))

    assert make(client, Changes(delete=(mapping(),))) == Result(gone=frozenset({"dev"}))


def test_given_another_arn_when_a_mapping_is_to_be_changed_then_it_stays_as_it_is(
    client: Client, api: FakeCluster
):
    add(api, mapping())
    new = dataclasses.replace(mapping(), groups=("admins",))
    meanwhile(api, f"PATCH {PATH}", lambda: remade(api))

    assert make(client, Changes(update=((mapping(), new),))) == Result(outdated=frozenset({"dev"}))
    assert "groups" not in api.objects[PATH]["spec"]


@pytest.mark.parametrize("former", [OPS, ""], ids=["withdraw", "activate"])
def test_given_another_arn_when_a_status_is_to_be_written_then_it_lets_nobody_else_in(
    client: Client, api: FakeCluster, former: str
):
    add(api, mapping(canonical=former))
    meanwhile(api, f"PATCH {PATH}/status", lambda: remade(api))
    found, wanted = Access((mapping(canonical=former),)), Access((mapping(),))

    result = make(client, desired.changes(found, wanted))

    assert result == Result(outdated=frozenset({"dev"}))
    assert api.objects[PATH]["status"] == {"canonicalARN": OPS}


def test_given_somebody_who_takes_the_name_first_when_a_mapping_is_created_then_theirs_stays(
    client: Client, api: FakeCluster
):
    meanwhile(api, f"POST {MAPPINGS}", lambda: api.add_mapping("dev", OPS, OPS))

    result = make(client, Changes(create=(mapping(),), bind=(VIEW,)))

    assert result == Result(pending=frozenset({"dev", VIEW.key}))
    assert api.objects[PATH]["spec"]["arn"] == OPS
    assert not [path for path in api.objects if path.startswith(f"{BINDINGS}/aws-iam-dev")]


def test_given_the_authenticator_that_writes_the_status_first_then_the_mapping_works(
    client: Client, api: FakeCluster
):
    def touched() -> None:
        api.objects[PATH]["status"] = {"canonicalARN": DEV}
        api.objects[PATH]["metadata"]["resourceVersion"] = "2"

    meanwhile(api, f"PUT {PATH}/status", touched)

    assert make(client, Changes(create=(mapping(),))) == Result(done=frozenset({"dev"}))
    assert api.objects[PATH]["status"] == {"canonicalARN": DEV}


def test_given_a_binding_of_others_with_the_name_then_ours_takes_its_place(
    client: Client, api: FakeCluster
):
    meanwhile(
        api,
        f"POST {BINDINGS}",
        lambda: api.add_binding(VIEW.name, "ClusterRole/admin", User="mallory"),
    )

    assert make(client, Changes(bind=(VIEW,))) == Result(done=frozenset({VIEW.key}))
    assert api.objects[f"{BINDINGS}/{VIEW.name}"]["roleRef"]["name"] == "view"


def test_given_people_who_label_a_mapping_when_it_is_changed_then_their_labels_stay(
    client: Client, api: FakeCluster
):
    add(api, mapping())
    api.objects[PATH]["metadata"]["labels"]["team"] = "payments"
    new = dataclasses.replace(mapping(), groups=("view",))

    make(client, Changes(update=((mapping(), new),)))

    assert api.objects[PATH]["metadata"]["labels"] == {
        "aws-iam/source": OPTION,
        "team": "payments",
    }


# A server that refuses, or has no time.


@pytest.mark.parametrize("code", [400, 403, 409, 413, 422, 500])
def test_given_a_webhook_that_denies_a_change_with_any_code_then_its_reason_is_had(
    client: Client, api: FakeCluster, code: int
):
    denied = refusal(code, 'admission webhook "x" denied the request: no')
    api.fail(denied, request=f"POST {MAPPINGS}", nth=1)

    result = make(client, Changes(create=(mapping(), mapping("ops", OPS))))

    assert result.done == {"ops"}
    assert result.refused == {"dev": 'admission webhook "x" denied the request: no'}


def test_given_an_administrator_without_rights_then_a_person_must_act(
    client: Client, api: FakeCluster
):
    forbidden = refusal(403, 'mappings is forbidden: User "admin" cannot create')
    api.fail(forbidden, request=f"POST {MAPPINGS}")

    with pytest.raises(Blocked, match="forbidden"):
        make(client, Changes(create=(mapping(),)))


def test_given_a_server_that_fails_then_it_is_waited_for(client: Client, api: FakeCluster):
    api.fail(refusal(500, "etcdserver: no leader"), request=f"POST {MAPPINGS}")

    with pytest.raises(Waiting, match="no leader"):
        make(client, Changes(create=(mapping(),)))


def test_given_too_many_requests_then_the_change_is_made_later_in_the_same_hook(
    client: Client, api: FakeCluster
):
    api.fail(refusal(429, "too many requests"), request=f"POST {MAPPINGS}", nth=1)

    assert make(client, Changes(create=(mapping(),))).done == {"dev"}


def test_given_an_answer_that_never_comes_then_the_change_is_left_to_the_next_hook(
    client: Client, api: FakeCluster
):
    api.fail(unreachable(httpx2.ReadTimeout), request=f"POST {MAPPINGS}", nth=1)

    assert make(client, Changes(create=(mapping(),))).pending == {"dev"}


def test_given_a_hook_without_time_then_nothing_is_sent_and_all_is_left(
    client: Client, api: FakeCluster
):
    add(api, mapping("ops", OPS))
    api.forget()
    api.clock.now += kubernetes.LAST_WRITE_SECONDS

    result = make(client, Changes(delete=(mapping("ops", OPS),), create=(mapping(),)))

    assert (result, api.requests) == (Result(pending=frozenset({"dev", "ops"})), [])


@pytest.mark.parametrize("at", ["before", "after"])
def test_given_a_finalizer_of_others_when_a_mapping_is_to_be_deleted_then_that_is_said(
    client: Client, api: FakeCluster, at: str
):
    add(api, mapping())
    metadata = api.objects[PATH]["metadata"]
    metadata["finalizers"] = ["example.com/keep"]
    if at == "before":
        metadata["deletionTimestamp"] = "2026-11-28T12:00:00Z"

    result = make(client, Changes(delete=(mapping(),)))

    assert result.refused == {"dev": "a finalizer of others keeps it"}


@pytest.mark.parametrize("seconds", [0, kubernetes.REQUEST_SECONDS + 1], ids=["early", "late"])
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
        f"DELETE {BINDINGS}/{former.name}",
        f"PATCH {BINDINGS}/{former.name}",
        f"DELETE {MAPPINGS}/gone",
        f"PATCH {MAPPINGS}/wrong/status",
        f"PATCH {MAPPINGS}/edited",
        f"PATCH {MAPPINGS}/edited/status",
        f"POST {MAPPINGS}",
        f"PUT {PATH}/status",
        f"POST {BINDINGS}",
    ]
    assert api.objects[f"{MAPPINGS}/edited"]["status"] == {"canonicalARN": edited.arn}


def test_given_a_reason_when_a_mapping_is_changed_then_it_is_written_down(
    client: Client, api: FakeCluster
):
    add(api, mapping())
    new = dataclasses.replace(mapping(), reason="an incident")

    make(client, Changes(update=((mapping(), new),)))

    assert api.objects[PATH]["metadata"]["annotations"]["aws-iam/reason"] == "an incident"


@pytest.mark.parametrize("namespace", ["", "dev"])
def test_given_a_finalizer_of_a_binding_when_it_is_to_go_then_it_goes_all_the_same(
    client: Client, api: FakeCluster, namespace: str
):
    path = bound(api, namespace)

    assert make(client, Changes(unbind=(former(namespace),))).done == {former(namespace).key}
    assert path not in api.objects


def test_given_somebody_who_lets_a_binding_go_first_when_it_is_to_go_then_it_is_gone(
    client: Client, api: FakeCluster
):
    path = bound(api, "dev")
    meanwhile(api, f"PATCH {path}", lambda: api.delete(path))

    assert make(client, Changes(unbind=(former("dev"),))).done == {former("dev").key}


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
    api.objects[path]["metadata"]["finalizers"] = ["example.com/keep"]
    return path


# What an option asked for, and what a person reads.


@pytest.mark.parametrize(
    ("mark", "asked", "stays"),
    [(OWNER.mark, False, False), (OWNER.mark, True, True), ("", False, True)],
    ids=["reset", "set", "a person's"],
)
def test_given_a_secret_that_an_option_asked_for_then_it_stays_while_it_does(
    client: Client, api: FakeCluster, mark: str, asked: bool, stays: bool
):
    metadata = {"name": "aws-iam-pull-secret", "annotations": {"aws-iam/owner": mark}}
    api.put(PULL_SECRET, {"metadata": {**metadata, "resourceVersion": "1"}})
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "aws-iam-pull-secret", "namespace": "kube-system"},
    }

    sync.prune(client, OWNER, [secret] if asked else [])

    assert (PULL_SECRET in api.objects) == stays


def test_given_nothing_that_an_option_asked_for_then_nothing_is_deleted(
    client: Client, api: FakeCluster
):
    api.forget()

    sync.prune(client, OWNER, [])

    assert api.requests == [f"GET {PULL_SECRET}"]


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

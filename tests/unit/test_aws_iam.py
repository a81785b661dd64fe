"""Both sides of the interface ``aws-iam``, held to what is in the databags of old control planes.

Every value there is JSON, and what does not decode is nobody's yes.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeVar

import ops
import ops.testing
import pytest
from charms.aws_iam.v0.aws_iam import AwsIamProvider, AwsIamRequirer, Webhook, principal_in
from hypothesis import given
from hypothesis import strategies as st

Bag = dict[str, str]

NO_YES = ("", "True", "1", '"true"', "false", "[" * 100_000)

Side = TypeVar("Side", AwsIamRequirer, AwsIamProvider)

_ENDPOINT = {"aws-iam": {"interface": "aws-iam", "scope": "container"}}
_PRINCIPAL = {"container": {"interface": "juju-info", "scope": "container"}}
_META: dict[type[Any], dict[str, Any]] = {
    AwsIamRequirer: {"name": "aws-iam", "subordinate": True, "requires": _ENDPOINT},
    AwsIamProvider: {"name": "cp", "provides": _ENDPOINT, "requires": _PRINCIPAL},
}


class Charm(ops.CharmBase):
    """A charm at either end of the relation."""

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        framework.observe(self.on.update_status, self._on_update_status)

    def _on_update_status(self, _: ops.EventBase) -> None:
        pass


def at(side: type[Side], remote: Bag | None, do: Callable[[Side], object], **local: str) -> Bag:
    """Let ``do`` have that side of a relation to a unit with the databag ``remote``, in a
    hook; its own databag afterwards, which had ``local`` in it."""
    relation = ops.testing.SubordinateRelation(
        "aws-iam",
        remote_app_name="cp" if side is AwsIamRequirer else "aws-iam",
        remote_unit_data=remote or {},
        local_unit_data=local,
    )
    state = ops.testing.State(relations=[] if remote is None else [relation])
    context = ops.testing.Context(Charm, meta=_META[side])
    with context(context.on.update_status(), state) as hook:
        do(side(hook.charm))
        after = hook.run()
    for relation in after.relations:
        return {key: relation.local_unit_data[key] for key in relation.local_unit_data}
    return {}


def read(side: type[Side], remote: Bag | None, attribute: str) -> Any:
    seen: list[Any] = []
    at(side, remote, lambda end: seen.append(getattr(end, attribute)))
    return seen[0]


def webhook_in(remote: Bag) -> Webhook | None:
    return read(AwsIamProvider, remote, "webhook")


def is_ready(remote: Bag) -> bool:
    return read(AwsIamRequirer, remote, "api_server_ready")


WEBHOOK = Webhook(cluster_id="0123", status=True, hash="abc")
UNNAMED = Webhook(cluster_id="0123", status=True)
RAW = {"cluster_id": '"0123"', "webhook_status": "true", "webhook_hash": '"abc"'}


def test_given_a_webhook_when_published_again_then_its_json_is_written_once():
    said: list[bool] = []

    assert at(AwsIamRequirer, {}, lambda end: said.append(end.publish(WEBHOOK))) == RAW
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ops.RelationDataContent, "update", None)
        at(AwsIamRequirer, {}, lambda end: said.append(end.publish(WEBHOOK)), **RAW)

    assert said == [True, False]


def test_given_a_published_webhook_when_withdrawn_then_its_status_alone_changes():
    bag = at(AwsIamRequirer, {}, lambda end: end.withdraw(), **RAW)

    assert bag == {**RAW, "webhook_status": "false"}


def test_given_no_relation_when_anything_is_done_then_nothing_happens():
    assert at(AwsIamRequirer, None, lambda end: end.publish(WEBHOOK)) == {}
    assert at(AwsIamRequirer, None, lambda end: end.withdraw()) == {}
    assert at(AwsIamProvider, None, lambda end: end.publish(api_server_state=True)) == {}
    assert read(AwsIamRequirer, None, "api_server_ready") is False
    assert read(AwsIamProvider, None, "webhook") is None


@pytest.mark.parametrize(
    ("side", "attribute", "key", "texts", "expected"),
    [
        (AwsIamRequirer, "api_server_ready", "api_server_state", NO_YES, False),
        (AwsIamProvider, "webhook", "webhook_hash", ("1", "abc", ""), UNNAMED),
        (AwsIamProvider, "webhook", "webhook_status", NO_YES, None),
        (AwsIamProvider, "webhook", "cluster_id", ("123", "AbC", "null"), None),
    ],
)
def test_given_a_value_that_is_not_the_json_it_should_be_then_it_says_nothing(
    side: type[Any], attribute: str, key: str, texts: tuple[str, ...], expected: object
):
    for text in texts:
        assert read(side, {**RAW, key: text}, attribute) == expected, text


def test_given_a_state_when_the_provider_publishes_then_it_is_json():
    bag = at(AwsIamProvider, {}, lambda end: end.publish(api_server_state=True))

    assert bag == {"api_server_state": "true"}
    assert is_ready(bag) is True


def test_given_units_of_other_machines_when_a_subordinate_looks_then_it_sees_its_principal(
    monkeypatch: pytest.MonkeyPatch,
):
    units = [SimpleNamespace(name=f"cp/{number}") for number in range(3)]
    relation: Any = SimpleNamespace(units=units)
    monkeypatch.setenv("JUJU_PRINCIPAL_UNIT", "cp/1")
    assert principal_in(relation) is units[1]

    monkeypatch.setenv("JUJU_PRINCIPAL_UNIT", "cp/7")
    assert principal_in(relation) is None
    assert is_ready({"api_server_state": "true"}) is False


@pytest.mark.parametrize(("principal", "found"), [("cp/0", WEBHOOK), ("cp/1", None)])
def test_given_the_webhook_of_a_machine_when_a_control_plane_reads_then_it_takes_its_own(
    monkeypatch: pytest.MonkeyPatch, principal: str, found: Webhook | None
):
    monkeypatch.setenv("JUJU_PRINCIPAL_UNIT", principal)
    bag = at(AwsIamRequirer, {}, lambda end: end.publish(WEBHOOK))
    monkeypatch.delenv("JUJU_PRINCIPAL_UNIT")

    assert bag == {**RAW, "principal": f'"{principal}"'}
    assert webhook_in(bag) == found


def test_given_the_relation_of_another_principal_too_then_the_unit_takes_its_own(
    monkeypatch: pytest.MonkeyPatch,
):
    """Juju 4.0 lists that for a unit that begins on the second of two control planes."""
    monkeypatch.setenv("JUJU_PRINCIPAL_UNIT", "other/0")
    both = [ops.testing.SubordinateRelation("aws-iam", remote_app_name=n) for n in ("cp", "other")]
    context = ops.testing.Context(Charm, meta=_META[AwsIamRequirer])
    with context(context.on.update_status(), ops.testing.State(relations=both)) as hook:
        found = AwsIamRequirer(hook.charm).relation
        hook.run()

    assert found
    assert found.app.name == "other"


def test_given_a_relation_that_juju_took_away_when_written_to_then_nothing_is_raised(
    monkeypatch: pytest.MonkeyPatch,
):
    def gone(*_: object) -> None:
        raise ops.RelationNotFoundError("ERROR relation not found")

    monkeypatch.setattr(ops.RelationDataContent, "update", gone)
    assert at(AwsIamRequirer, {}, lambda end: end.withdraw(), **RAW) == RAW
    assert at(AwsIamProvider, {}, lambda end: end.publish(api_server_state=True)) == {}


def test_given_a_unit_that_departs_when_the_provider_publishes_then_only_others_are_told():
    """Juju 4 has taken that databag away, and fails the hook at its end."""
    left, stays = (ops.testing.SubordinateRelation("aws-iam") for _ in range(2))
    context = ops.testing.Context(Charm, meta=_META[AwsIamProvider])
    departed = context.on.relation_departed(left, departing_unit=0)
    with context(departed, ops.testing.State(relations=[left, stays])) as hook:
        AwsIamProvider(hook.charm).publish(api_server_state=True)
        after = hook.run()

    told = [after.get_relation(each.id).local_unit_data for each in (left, stays)]
    assert ["api_server_state" in each for each in told] == [False, True]


def test_given_a_control_plane_that_goes_when_the_provider_publishes_then_it_tells_nobody(
    monkeypatch: pytest.MonkeyPatch,
):
    def publish(end: AwsIamProvider) -> None:
        monkeypatch.setenv("JUJU_DEPARTING_UNIT", end._charm.unit.name)
        end.publish(api_server_state=True)

    assert at(AwsIamProvider, {}, publish) == {}


@given(st.dictionaries(st.sampled_from([*RAW, "principal", "api_server_state"]), st.text()))
def test_given_any_databag_when_read_by_either_side_then_nothing_is_raised(bag: Bag):
    assert webhook_in(bag) is None or bag["webhook_status"].strip() == "true"
    assert is_ready(bag) is (bag.get("api_server_state", "").strip() == "true")


def test_given_a_second_application_that_is_blocked_when_read_then_the_first_ones_webhook_counts():
    blocked = ops.testing.SubordinateRelation("aws-iam", remote_app_name="second")
    serving = ops.testing.SubordinateRelation("aws-iam", remote_unit_data=RAW)
    state = ops.testing.State(relations=[blocked, serving])
    context = ops.testing.Context(Charm, meta=_META[AwsIamProvider])
    with context(context.on.update_status(), state) as hook:
        provider = AwsIamProvider(hook.charm)
        assert provider.webhook == WEBHOOK
        provider.publish(api_server_state=True)
        after = hook.run()

    assert [is_ready(dict(found.local_unit_data)) for found in after.relations] == [True, True]

"""What the operator does: options of the charm and of the control plane, and actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.lives import access
from tests.lives.option import Option, Role, Row, arn, principal
from tests.lives.steps import Step

if TYPE_CHECKING:
    from tests.lives.life import Life
    from tests.lives.transport import Run


class Grant:
    """What an operator has granted and been told so."""

    def __init__(self, name: str, rights: set[Role], ends: float | None) -> None:
        self.name, self.rights, self.ends = name, rights, ends


def declare(life: Life, step: Step) -> None:
    rows = [Row(**row) for row in step.what.get("rows", ())]
    new = Option.of(rows, step.what.get("form", "list"), life.now)
    life.option = new
    _configure_with(life, mappings=new.text(access.shown))
    found = access.mappings(life.objects).values()
    people = {access.principal(each) for each in found if access.source(each) == "option"}
    life.held = {who: life.rights.get(who, set()) for who in people} if new.has_fault else {}
    for who, row in new.good(life.now).items():
        life.allow(who, new.rights(row))
        # What the option declares, no grant holds any more.
        life.grants.pop(who, None)


def _configure_with(life: Life, **options: Any) -> None:
    life.model.config = {**life.model.config, **options}
    for unit in life.units:
        if "config-changed" not in life.due[unit]:
            life.due[unit].insert(0, "config-changed")


def configure(life: Life, step: Step) -> None:
    if "mapping-policy" in step.what:
        # The policy follows in a later hook.
        life.were_guards_lost = True
    _configure_with(life, **step.what)


def webhook(life: Life, step: Step) -> None:
    """The operator sets the control plane's option to what the status says, or empties it."""
    if life.begin.endpoint == "aws-iam":
        return
    address = life.model.peer.get("address", "") if step.what["is_set"] else ""
    only = step.what.get("only")
    life.set_webhook(address, None if only is None else only % len(life.machines))


def _writer(life: Life, unit: int) -> int:
    """The unit that an operator asks to change access: mostly the leader, which alone does it."""
    leader = life.leader
    is_drawn = unit == len(life.machines) - 1 or leader is None or not life.is_ready(leader)
    return unit if is_drawn else leader or 0


def grant(life: Life, step: Step) -> None:
    what = dict(step.what)
    unit, who = _writer(life, what.pop("unit")), what.pop("who")
    role, space = what.get("role", ""), what.get("namespaces", "")
    group = what.get("groups", "")
    new: set[Role] = {("ClusterRole", role, space)} if role else set()
    new |= {("Group", group, "")} if group else set()
    known = principal(who)
    had, was_allowed = life.grants.get(known), set(life.allowed.get(known, ()))
    life.allow(known, new)
    params = {"arn": arn(who), "username": who, **what}
    run = _action(life, "grant-access", unit, step, params)
    if run.failure and not run.effects and not run.others:
        life.allowed[known] = was_allowed
    if life.grants.get(known) is not had:
        # Another unit has granted something meanwhile: either may be the last.
        life.unsure.add(known)
        life.grants.pop(known, None)
    elif run.results:
        name, has = run.results["mapping"], new
        mapping = access.mappings(life.objects).get(name)
        life.unsure.discard(known)
        is_declared = known in life.option.counts
        if run.people:
            # They may have taken it away again.
            has = has & life.rights.get(known, set())
        is_there = mapping is not None or not run.people
        if is_there and not is_declared:
            ends = access.end(mapping) if mapping else None
            life.grants[known] = Grant(name, has, ends)
        else:
            life.grants.pop(known, None)
    elif run.effects or run.dead or run.met:
        life.unsure.add(known)
        life.grants.pop(known, None)


def revoke(life: Life, step: Step) -> None:
    unit, who = _writer(life, step.what["unit"]), principal(step.what["who"])
    life.grants.pop(who, None)
    for outer in life.transport.runs:
        outer.people = True
        outer.deleted.add(who)
    params = {"arn": arn(step.what["who"])}
    run = _action(life, "revoke-access", unit, step, params, who, {who})
    if run.others and life.grants.pop(who, None):
        # It may have taken back what was granted meanwhile.
        life.unsure.add(who)


def look(life: Life, step: Step) -> None:
    """An action that changes nothing."""
    what = dict(step.what)
    unit, name = what.pop("unit"), what.pop("action")
    if name == "plan-mappings":
        what["mappings"] = life.option.text(access.shown)
    _action(life, name, unit, step, what)


def _action(
    life: Life,
    name: str,
    unit: int,
    step: Step,
    params: dict[str, Any],
    who: str = "",
    ends: set[str] | None = None,
) -> Run:
    def go() -> None:
        life.transport.runs[-1].deleted |= ends or set()
        life.transport.runs[-1].results = life.model.action(name, unit, **params)

    return life.run(unit, name, step, go, who)

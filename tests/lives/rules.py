"""The rules by which lives are drawn: who may act, how, and what may go wrong meanwhile.

A rule names an actor and what it does, never a fault that is known. What it draws is a `Step`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tests.fakes.kubernetes.paths import (
    DEFINITION,
    DEPLOYMENT,
    POLICY,
    POLICY_BINDING,
    SECRET,
    SERVICE,
)
from tests.lives.broken import Broken
from tests.lives.life import LAST_HOOKS, Life
from tests.lives.option import PEOPLE
from tests.lives.people import EDITS as OBJECT_EDITS
from tests.lives.steps import (
    ACTED,
    KILLS,
    LASTING,
    LOST,
    NOT_COMMITTED,
    REFUSED,
    Begin,
    Between,
    Fault,
    Step,
    Story,
)

NAMES = ("one", "two", "three")
ROLES = ("view", "edit", "admin")
UNITS = st.integers(0, 2)
SOON = (45, 600, 3600)
PERSON = st.sampled_from(PEOPLE)


def _step(do: str, **what: Any) -> st.SearchStrategy[Step]:
    """A step whose parts are drawn; of a part that is None, nothing is said."""
    parts = st.fixed_dictionaries(dict(what.items()))
    return parts.map(lambda made: Step(do, {k: v for k, v in made.items() if v is not None}))


def _maybe(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from((None, *values))


def _any(*steps: st.SearchStrategy[Step]) -> st.SearchStrategy[Step]:
    """One of these, each as often as it is named. `one_of` counts what each is made of instead."""
    return st.integers(0, len(steps) - 1).flatmap(steps.__getitem__)


def _without_space(step: Step) -> Step:
    if "role" not in step.what:
        step.what.pop("namespaces", None)
    return step


HOOK = _step("hook", unit=UNITS)
GRANT = _step(
    "grant",
    unit=UNITS,
    who=PERSON,
    role=_maybe(None, *ROLES),
    namespaces=_maybe(None, "default"),
    groups=_maybe(None, "devs"),
    **{"for": _maybe("45s", "45s", "10m", "1h")},
).map(_without_space)
REVOKE = _step("revoke", unit=UNITS, who=PERSON)
MAPS = _step(
    "delegate maps",
    name=st.sampled_from(("his", "his", "one")),
    ends=_maybe(0, 45, 600),
    kept=_maybe(True),
)
DELEGATE = _any(
    MAPS,
    MAPS,
    _step("delegate maps", name=st.just("his"), masters=st.just(True)),
    _step("delegate keeps", number=UNITS),
    _step("delegate ends", number=UNITS, seconds=st.sampled_from((600, 45, 0))),
)
EXTENDS = _step("person extends", number=UNITS, seconds=st.sampled_from((7200, 86400)))
PERSON_ACTS = _any(
    _step("person maps", name=st.sampled_from(("hers", *NAMES)), who=PERSON, group=_maybe("devs")),
    _step("person maps", name=st.just("hers"), who=PERSON, other=PERSON),
    EXTENDS,
    _step("person deletes", number=UNITS),
)
EDITOR = _step(
    "editor binds",
    space=st.just("default"),
    number=UNITS,
    how=st.sampled_from(
        ("deletes it", "keeps it", "has another role", "has another role, and keeps it")
    ),
)
OTHERS = _any(GRANT, GRANT, HOOK, REVOKE, EXTENDS, DELEGATE, PERSON_ACTS, EDITOR)


# Most hooks and actions write once or twice, and few of them much.
FEW = st.sampled_from((1, 1, 1, 1, 2, 2, 3, 4, 7, 12))
WHICH = st.sampled_from(("write", "write", "write", "any"))


def _fault(kind: str) -> st.SearchStrategy[Fault]:
    if kind in KILLS:
        of = st.sampled_from(("write", "write", "any", "tool"))
        return st.builds(Fault, st.just(kind), FEW, of)
    if kind == NOT_COMMITTED:
        return st.just(Fault(kind, of="commit"))
    if kind == "slow":
        return st.builds(Fault, st.just(kind), FEW, st.just("any"))
    lasts = st.booleans() if kind in LASTING else st.just(False)
    return st.builds(Fault, st.just(kind), FEW, WHICH, lasts)


KINDS = (*REFUSED, *LOST, *ACTED, *KILLS, NOT_COMMITTED, "slow")
FAULT = st.sampled_from((*KINDS, *ACTED, *LASTING, *LASTING)).flatmap(_fault)
BETWEEN = st.one_of(
    st.builds(Between, OTHERS, st.integers(1, 24), st.just("any")),
    st.builds(Between, OTHERS, FEW, st.just("write")),
)
MEANWHILE = st.one_of(
    st.tuples(FAULT), st.just(()), st.tuples(BETWEEN), st.tuples(FAULT), st.tuples(BETWEEN, FAULT)
)


# What becomes of a row; without its ``who``, there is none.
EDITS: dict[str, tuple[Any, ...]] = {
    "who": (),
    "role": ROLES,
    "group": ("devs", "ops"),
    "typo": ("arn", "groups"),
}


@st.composite
def _rows(draw: st.DrawFn) -> dict[str, Any]:
    """What the operator declares: few rows, in one of the formats."""
    form = draw(st.sampled_from((*("list",) * 5, "aws-auth", "eks", "unreadable")))
    if form == "unreadable":
        return {"form": form, "rows": []}
    # In a list of rows, somebody may have two.
    most = len(PEOPLE) if form == "list" else 3
    who = draw(st.lists(PERSON, max_size=most, unique=form == "list"))
    rows = []
    for each in who:
        row: dict[str, Any] = {"who": each}
        if draw(st.integers(0, 3)) == 3:
            row["group"] = draw(st.sampled_from(("devs", "ops")))
        if form == "list" and draw(st.booleans()):
            row["role"] = draw(st.sampled_from(ROLES))
            row["namespace"] = draw(st.sampled_from(("", "default")))
        if form == "list" and draw(st.integers(0, 3)) == 3:
            row["seconds"] = draw(st.sampled_from(SOON))
        if draw(st.integers(0, 5)) == 5:
            row["typo"] = draw(st.sampled_from(("arn", "groups")))
        rows.append(row)
    return {"form": form, "rows": rows} if form != "list" else {"rows": rows}


@st.composite
def _edited(draw: st.DrawFn) -> dict[str, Any]:
    """What the operator declares by a small change of what is declared: of one row."""
    life: Life | None = draw(st.runner()).life
    rows = [row.said() for row in life.option.rows] if life and life.option.form == "list" else []
    if not rows:
        return draw(_rows())
    row = rows[draw(st.integers(0, len(rows) - 1))]
    key = draw(st.sampled_from(tuple(EDITS)))
    if key == "who":
        rows.remove(row)
    elif (value := draw(st.sampled_from(EDITS[key]))) == row.get(key, ""):
        row.pop(key, None)
    else:
        row[key] = value
    return {"rows": rows}


DECLARE = st.one_of(_rows(), _edited()).map(lambda what: Step("declare", what))
CONFIGURE = _any(
    _step("configure", replicas=st.sampled_from((0, 3, 0, 2))),
    _step("configure", image=st.just("registry.example.com/aws-iam-authenticator:v0.7.17")),
    st.sampled_from(
        ({"cluster-id": "other"}, {"mapping-policy": "warn"}, {"mapping-policy": "enforce"})
    ).map(lambda what: Step("configure", what)),
)
END = st.sampled_from((45, 45, 600, 0))
PROVIDES = ("another authority", "another authority", "signs again", "is silent", "speaks")
TIME = _step(
    "time",
    seconds=st.sampled_from((120, 120, 700, 4000, 100_000)),
    bell=st.sampled_from(("on time", "on time", "late", "never")),
)
# Control planes of Charmed Kubernetes, each with its endpoint, and providers as people have them.
WORLDS = (
    ("control-plane", "easyrsa", "v1.37.2"),
    ("aws-iam", "easyrsa", "v1.28.5"),
    ("control-plane", "self-signed-certificates", "v1.37.2"),
    ("aws-iam", "vault", "v1.28.5"),
    ("control-plane", "vault", "v1.29.9"),
)


BEGIN = st.builds(
    lambda world, units, settled: Begin(units, *world, settled=settled),
    st.sampled_from(WORLDS),
    st.sampled_from((1, 2, 2, 2, 3)),
    st.sampled_from((True,) * 7 + (False,)),
)
# What has happened before all else: an application that is in use.
USE = st.lists(_any(DECLARE, GRANT), min_size=1, max_size=2)
# Each rule. Who decides about access acts most.
RULES: dict[str, st.SearchStrategy[Step]] = {
    "a_declaration_is_applied": DECLARE,
    "access_is_granted": GRANT,
    "access_is_revoked": REVOKE,
    "hook_runs": _any(HOOK, HOOK, HOOK, st.just(Step("rest"))),
    "juju_acts": _any(
        _step("leader moves", to=UNITS),
        _step("agent", unit=st.integers(1, 2)),
        _any(_step("unit comes"), _step("refresh"), _step("unit goes", leads=st.booleans())),
    ),
    "operator_does_else": _any(
        CONFIGURE,
        CONFIGURE,
        _step("webhook", is_set=st.booleans(), only=_maybe(0, 1)),
        _any(_step("another version"), _step("machine loses", unit=UNITS)),
        _step("look", unit=UNITS, action=st.sampled_from(("plan-mappings", "list-mappings"))),
    ),
    "operator_deploys": _step("deploy again"),
    "operator_removes": _step(
        "remove",
        hooks=st.sampled_from(tuple(LAST_HOOKS)),
        backwards=st.booleans(),
        heir=_maybe(None, True),
    ),
    "people_act": _any(DELEGATE, PERSON_ACTS, EDITOR),
    "provider_acts": _any(
        _step("provider", kind=st.sampled_from(PROVIDES)),
        _step("provider", kind=st.sampled_from(PROVIDES)),
        _step("answers"),
        _step("certificates", other=st.sampled_from((1, 0))),
    ),
    "strangers_act": _any(
        _step("another application", name=st.just("theirs"), who=PERSON),
        _step("takes address", number=UNITS),
        _step("pods start", seconds=st.sampled_from((40, 40, 2))),
        _step("crowd", number=st.sampled_from((3,) * 9 + (400,)), ends=END, kept=st.booleans()),
        _step("person forces object", path=st.just(SERVICE)),
        _step(
            "person deletes object",
            path=st.sampled_from(
                (SERVICE, SECRET, DEPLOYMENT, POLICY, POLICY_BINDING, DEFINITION)
            ),
        ),
        _step("person edits object", path=st.sampled_from(tuple(OBJECT_EDITS))),
        _step("person edits object", path=st.sampled_from(tuple(OBJECT_EDITS))),
    ),
    "time_passes": TIME,
}
# While this is done, something may go wrong, or others act.
DISTURBED = {
    *("declare", "configure", "grant", "revoke", "hook"),
    *("leader moves", "certificates", "remove", "time"),
}
# After these, the leader's hook runs at once.
THEN_HOOK = ("declare", "configure", "leader moves")


# An application is not removed before so many steps.
LATE = 8
# Every step that the rules may draw.
STEPS = (
    *("hook", "leader moves", "agent", "unit comes", "unit goes", "refresh", "certificates"),
    *("provider", "another version", "machine loses", "person edits object"),
    *("answers", "declare", "configure", "webhook", "grant", "revoke", "look", "remove"),
    *("deploy again", "delegate maps", "delegate keeps", "delegate ends", "person maps"),
    *("person extends", "person deletes", "person deletes object", "person forces object"),
    *("editor binds", "another application", "takes address", "pods start", "crowd"),
    *("time", "rest"),
)


class LifeMachine(RuleBasedStateMachine):
    """Draws a life, takes each step at once, and remembers them as a story."""

    # What all lives of a run count, and whoever wants to know of a life's end.
    on_end: Callable[[LifeMachine, Broken | None], None] = staticmethod(lambda *_: None)
    counts: Any = None
    known: Any = frozenset[str]()

    def __init__(self) -> None:
        super().__init__()
        self.life: Life | None = None
        self.begin = Begin()
        self.steps: list[Step] = []
        self.broken: Broken | None = None

    @property
    def story(self) -> Story:
        return Story(self.begin, tuple(self.steps))

    @initialize(begin=BEGIN, use=USE, number=st.integers(0, 1_000_000))
    def begins(self, begin: Begin, use: list[Step], number: int) -> None:
        # What is drawn first has the least of everything, so it is the same for each seed.
        if not number:
            return
        self.begin, self.life = begin, Life(begin, self.counts, self.known)
        for step in use:
            self.take(step)
            self.take(Step("hook"))

    def take(self, step: Step) -> None:
        if self.broken or not self.life:
            return
        self.steps.append(step)
        try:
            self.life.take(step)
        except Broken as broken:
            self.broken = broken

    def teardown(self) -> None:
        try:
            self.take(Step("rest"))
        finally:
            if self.life:
                self.life.close()
            self.on_end(self, self.broken)


def _disturbed(step: Step) -> st.SearchStrategy[Step]:
    if step.do not in DISTURBED:
        return st.just(step)
    return MEANWHILE.map(lambda meanwhile: Step(step.do, step.what, meanwhile))


def _rule(name: str, steps: st.SearchStrategy[Step]) -> Any:
    """A rule that takes a step, with something that goes wrong meanwhile where that may be."""

    def taken(machine: LifeMachine, step: Step) -> None:
        hook = {"unit": machine.life.model.leader or 0} if machine.life else {}
        if step.do in THEN_HOOK:
            machine.take(Step(step.do, step.what))
            step = Step("hook", hook, step.meanwhile)
        elif step.do == "time" and step.what["bell"] != "never":
            # Some hook has seen by then what is to end.
            machine.take(Step("hook", hook))
        machine.take(step)

    taken.__name__ = name
    made = rule(step=steps.flatmap(_disturbed))(taken)
    if name == "operator_removes":
        return precondition(lambda m: m.life and m.life.is_deployed and len(m.steps) >= LATE)(made)
    if name == "operator_deploys":
        return precondition(lambda m: m.life and not m.life.is_deployed)(made)
    return made


for _name, _steps in RULES.items():
    setattr(LifeMachine, _name, _rule(_name, _steps))

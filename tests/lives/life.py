"""One life of an application: its units, its cluster, and whoever acts on them."""

from __future__ import annotations

import collections
import copy
import dataclasses
import datetime
import functools
import json
import shutil
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import httpx2
import ops
import ops.testing
import pytest
from tests.fakes import at_rest
from tests.fakes.certificates.authority import root
from tests.fakes.certificates.self_signed import SelfSigned
from tests.fakes.juju.model import HOOK_TOOLS, Easyrsa, Model
from tests.fakes.kubernetes.clock import Clock
from tests.fakes.kubernetes.paths import ADDRESS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files, rendered
from tests.lives import access, operator, people, promises, provider, story
from tests.lives.access import Objects
from tests.lives.broken import Broken
from tests.lives.option import Option, Role, Row
from tests.lives.steps import Begin, Fault, Step
from tests.lives.transport import Killed, Run, Stopped, Transport

# What ops logs of itself.
_OF_OPS = ("ops ", "Initializing SQLite", "Emitting Juju event")
START = 1_796_040_000.0
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MINUTE = 60.0
# After so many seconds a unit has looked again at what was left.
_LOOKS = 4000
_ROUNDS = 14
# How long a hook takes at most: its time for Kubernetes, and what it does without Kubernetes.
_MOST_SECONDS = 30.0
MACHINES = 3
# How many times an alarm may ring in one stretch of time.
_RINGS = 20
LAST_HOOKS = {
    "all": ("departed", "broken", "stop", "remove"),
    "without broken": ("departed", "stop", "remove"),
    "without remove": ("departed", "broken", "stop"),
}


class Vault(Easyrsa):
    """As the older vault: each unit's request gets a certificate of its own."""

    def _answer(self, unit: str, common_name: str, names: frozenset[str]) -> None:
        self._pairs.clear()
        super()._answer(unit, common_name, names)


PROVIDERS: dict[str, Callable[[str], Any]] = {
    "easyrsa": lambda name: Easyrsa(root(name)),
    "vault": lambda name: Vault(root(name), name="vault"),
    "self-signed-certificates": lambda name: SelfSigned(
        "self-signed-certificates" if name == "root" else name
    ),
}


class Life:
    """A life as far as it has come, with what was declared, granted and said in it."""

    def __init__(
        self,
        begin: Begin,
        counts: collections.Counter[str] | None = None,
        known: Collection[str] = (),
    ) -> None:
        self.begin = begin
        # What is known to be broken, by its signature.
        self._known = known
        self.counts = counts if counts is not None else collections.Counter()
        self.checks: collections.Counter[str] = collections.Counter()
        self._folder = tempfile.mkdtemp(prefix="life-")
        self._patch = pytest.MonkeyPatch()
        self.api = FakeCluster(Clock())
        self.api.clock.now = START
        self.api.version = begin.kubernetes
        self.machines = [Files(Path(self._folder) / str(n)) for n in range(MACHINES)]
        self.api.install(self._patch)
        HOOK_TOOLS.install(self._patch)
        self.transport = Transport(self)
        # Whether anything took away what guards mappings, since all was last at rest.
        self.were_guards_lost = False
        send = self.transport.send
        self.provider_number = 0
        self.model = self._deploy()
        self.addresses: set[str] = set()
        if begin.endpoint == "control-plane":
            self.set_webhook("")
        if begin.settled:
            if begin.endpoint == "control-plane":
                self.set_webhook(ADDRESS)
            at_rest.settle(self.model, self.api)
        self._patch.setattr(
            httpx2.HTTPTransport, "handle_request", lambda _, request: send(request)
        )
        self._patch.setattr(HOOK_TOOLS, "around", self.transport.around)
        self._patch.setattr(HOOK_TOOLS, "before_commit", self.transport.before_commit)
        for name in ("view", "edit", "admin"):
            self.api.add_role(name, "get")
        # What happened, a line a step.
        self.notes: list[str] = []
        # What was said: log lines, results, memories.
        self.said: list[str] = []
        # The pair by its hash that all pods served last, and its authority.
        self.rolled_out, self.served = "", set[str]()
        self.option = Option()
        # Whether people have acted since the leader's last hook: nothing rings for that.
        self.was_touched = False
        self.grants: dict[str, operator.Grant] = {}
        # Principals of whom nobody knows what they were granted: an answer was lost.
        self.unsure: set[str] = set()
        self.allowed: dict[str, set[Role]] = {}
        # What the option's principals had when it got a fault.
        self.held: dict[str, set[Role]] = {}
        # Units whose agents are lost, and those that are removed.
        self.silent, self.gone = set[int](), set[int]()
        self.due: list[list[str]] = [[] for _ in range(MACHINES)]
        # The ends of access that an undisturbed hook of a leader has seen, by the mappings' names.
        self.seen_ends: dict[str, float | None] = {}
        self.untold: list[tuple[set[str], int, str]] = []
        # What went wrong in the last hooks, and how much had been said before them.
        self.removal_met: list[Fault] = []
        self.removed_from = 0
        # Why the pair in use may be replaced.
        self.reasons: set[str] = set()
        if begin.settled:
            self.addresses.add(ADDRESS)
        self.is_deployed = True
        # Whether hooks changed nothing more when all was last let come to rest.
        self.is_quiet = begin.settled
        if not begin.settled:
            self._begin_hooks()

    def close(self) -> None:
        self._patch.undo()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _deploy(self) -> Model:
        units, endpoints = self.begin.units, (self.begin.endpoint,)
        provider = self.new_provider()
        return Model(provider, self.machines, units=units, endpoints=endpoints)

    def _begin_hooks(self) -> None:
        self.due = [["install", "config-changed", "start"] for _ in range(MACHINES)]
        self.due[0].insert(1, "leader-elected")

    def new_provider(self) -> Any:
        name = f"root-{self.provider_number}" if self.provider_number else "root"
        return PROVIDERS[self.begin.provider](name)

    # What there is.

    @property
    def now(self) -> float:
        return self.api.clock.now

    @property
    def objects(self) -> Objects:
        return self.api.objects

    @property
    def rights(self) -> dict[str, set[Role]]:
        return access.rights(self.objects)

    @property
    def units(self) -> range:
        return range(len(self.model.units))

    @property
    def declared(self) -> dict[str, Row]:
        """The rows that apply, by their principals."""
        return self.option.good(self.now)

    @property
    def leader(self) -> int | None:
        """The leader's number, unless its agent is silent."""
        leader = self.model.leader
        return None if leader is None or leader in self.silent else leader

    @property
    def is_guarded(self) -> bool:
        """Whether Kubernetes has policies on who may write mappings, and the option wants one."""
        return self.api.version >= "v1.30" and self.model.config.get("mapping-policy") != "warn"

    @property
    def can_work(self) -> bool:
        """Whether nobody but the charm has to act for everything to be as declared."""
        config = self.model.config
        return (
            self.is_deployed
            and self.leader is not None
            and self.model.provider is not None
            and not self.model.silent
            and config.get("replicas", 2) > 0
            and self.is_asked
            and self.api.start_seconds is not None
        )

    @property
    def is_asked(self) -> bool:
        """Whether the control planes ask where the Service is, as far as an operator decides."""
        if self.begin.endpoint == "aws-iam":
            return True
        address = self.model.peer.get("address", "none")
        files = [self.machines[unit].auth_webhook for unit in self.units]
        return all(each.exists() and f"//{address}:" in each.read_text() for each in files)

    def knows(self, broken: Broken) -> bool:
        """Whether a promise is known to be broken like this. The life goes on then."""
        if broken.signature not in self._known:
            return False
        self.counts[f"known {broken.signature}"] += 1
        if broken.promise == "P11":
            for who, roles in self.rights.items():
                self.allow(who, roles)
        return True

    # What happens.

    def take(self, step: Step) -> None:
        """Take one step."""
        self.counts[f"rule {step.do}"] += 1
        if step.do in story.BY_UNIT:
            if (unit := self._able(step)) is None:
                return
            step = dataclasses.replace(step, what={**step.what, "unit": unit})
        self.notes.append("  " * len(self.transport.runs) + story.words(step))
        name = step.do.replace(" ", "_")
        if act := getattr(people, name, None):
            self._act(act, step)
        elif act := getattr(operator, name, None) or getattr(provider, name, None):
            act(self, step)
        else:
            getattr(self, f"_{name}")(step)

    def _act(self, act: Callable[..., object], step: Step) -> None:
        """Let people act on the cluster. What they may give, they give."""
        before, self.was_touched = self.rights, True
        for run in self.transport.runs:
            run.people = True
        act(self, **step.what)
        for who, roles in self.rights.items():
            if more := roles - before.get(who, set()):
                self.allow(who, more - people.NEVER)
            if who in self.held:
                self.held[who] |= more
        for who in self.held:
            # Nor does an option with a fault keep what people take away.
            self.held[who] -= before.get(who, set()) - self.rights.get(who, set())
        for who, grant in self.grants.items():
            # What people take away, the charm cannot know to give back.
            grant.rights -= before.get(who, set()) - self.rights.get(who, set())
        self._note_hands()
        promises.ask(self, promises.p11)

    def _note_hands(self) -> None:
        """What people have changed of a grant is no longer the charm's to keep."""
        found = access.mappings(self.objects)
        for who, grant in list(self.grants.items()):
            mapping = found.get(grant.name)
            if not mapping or access.principal(mapping) != who:
                self.grants.pop(who, None)
                continue
            grant.ends = access.end(mapping)

    def allow(self, who: str, roles: set[Role]) -> None:
        self.allowed.setdefault(who, set()).update(roles)

    # Juju.

    def _runs_unit(self, unit: int) -> bool:
        return any(run.unit == unit for run in self.transport.runs)

    def is_ready(self, unit: int) -> bool:
        """Whether the unit can run something now."""
        is_there = self.is_deployed and unit < len(self.model.units)
        is_gone = unit in self.silent | self.gone
        return is_there and not is_gone and not self._runs_unit(unit)

    def _able(self, step: Step) -> int | None:
        """The unit that a step names, or the next one that can run something now."""
        first, units = step.what.get("unit", 0), self.units
        return next((n for at in units if self.is_ready(n := (first + at) % len(units))), None)

    def _hook(self, step: Step) -> None:
        unit = step.what["unit"]
        self.run_hook(unit, self._next(unit), step)

    def _next(self, unit: int) -> str:
        return self.due[unit][0] if self.due[unit] else "update-status"

    def run_hook(self, unit: int, kind: str, step: Step | None = None) -> None:
        """Run a hook of a unit. It runs again if it is killed."""
        event = self._event(kind, unit)
        if event is None:
            self.due[unit] = [each for each in self.due[unit] if each != kind]
            return

        def go() -> None:
            self.model.hook(event, unit=unit)

        run = self.run(unit, kind, step, go)
        if not run.dead and kind in self.due[unit]:
            self.due[unit].remove(kind)

    def _event(self, kind: str, unit: int) -> Any:
        model, on = self.model, self.model.on
        endpoint, _, what = kind.rpartition("-")
        if endpoint == "certificates" and not model.provider:
            return None
        if what == "created":
            return on.relation_created(model.relation(endpoint, unit))
        if endpoint in ("certificates", "peers", "aws-iam") and what == "changed":
            if endpoint == "peers" and len(model.units) < 2:
                return None
            if endpoint == "peers":
                relation = model.relation("peers", unit)
                return on.relation_changed(relation, remote_unit=(unit + 1) % len(model.units))
            return model.changed(endpoint, unit)
        if kind == "alarm":
            alarms = model.units[unit].alarms
            return on.secret_expired(alarms[0], revision=1) if alarms else None
        return getattr(on, kind.replace("-", "_"))()

    def run(
        self,
        unit: int,
        what: str,
        step: Step | None,
        go: Callable[[], object],
        who: str = "",
    ) -> Run:
        """Run a hook or an action, and check what must hold after it."""
        transport, context = self.transport, self.model.units[unit].context
        before = {path: copy.deepcopy(each) for path, each in self.objects.items()}
        meanwhile = step.meanwhile if step else ()
        run = Run(unit, what, before, meanwhile, len(self.said), who)
        for outer in transport.runs:
            outer.others = True
        memory, bags = dict(self.model.peer), self.model.bags()
        self.counts["actions" if run.is_action else "hooks"] += 1
        context.juju_log.clear()
        transport.runs.append(run)
        began = self.now
        try:
            go()
        except Killed:
            run.dead = True
        except Stopped:
            pass
        except ops.testing.ActionFailed as failure:
            run.failure = failure.message
        except Exception as error:  # noqa: BLE001  (whatever the charm raises)
            run.raised = error
        finally:
            transport.runs.pop()
        lines = [line.message for line in context.juju_log if not line.message.startswith(_OF_OPS)]
        if broken := transport.broken or transport.error:
            raise broken
        self._note_said(run, lines, memory)
        if unit == self.leader and not run.is_action and not run.others:
            self.was_touched = False
        if bags != self.model.bags():
            self._call_others(unit)
        if not run.others and self.now - began > _MOST_SECONDS:
            raise Broken("P13", "a hook takes long", what, f"{self.now - began:.0f} s")
        promises.after_run(self, run, lines)
        return run

    def _note_said(self, run: Run, lines: list[str], memory: dict[str, str]) -> None:
        """Note what a hook or an action has said: logged, answered, remembered, shown."""
        self.said += lines
        if run.results is not None:
            self.said.append(f"{run.what}: {run.results}")
        if run.failure:
            self.said.append(f"{run.what} failed: {run.failure}")
        self.said += [v for k, v in self.model.peer.items() if v and memory.get(k) != v]
        if not run.is_action and not run.dead and (status := self.model.units[run.unit].status):
            self.said.append(f"status: {status.message}")

    def _call_others(self, unit: int) -> None:
        for other in self.units:
            if other != unit and "peers-changed" not in self.due[other]:
                self.due[other].append("peers-changed")

    def answer(self) -> None:
        """Let the other ends take in what the units wrote."""
        before = json.dumps(self.model._answer)
        self.model.answer()
        if before != json.dumps(self.model._answer):
            for unit in self.units:
                if "certificates-changed" not in self.due[unit]:
                    self.due[unit].append("certificates-changed")

    def _answers(self, step: Step) -> None:
        if self.is_deployed:
            self.answer()

    def _leader_moves(self, step: Step) -> None:
        if self.transport.runs or not self.is_deployed:
            return
        leader = self.model.leader = step.what["to"] % len(self.model.units)
        self.due[leader].insert(0, "leader-elected")
        if self.begin.provider == "vault":
            # It signs for each unit, and a leader serves its own pair.
            self.reasons.add("another leader")

    def _agent(self, step: Step) -> None:
        """The agent of one of several units is lost for a while, or back."""
        unit = step.what["unit"] % max(len(self.model.units), 1)
        if unit in self.silent:
            self.silent.discard(unit)
        elif not self._runs_unit(unit) and len(self.model.units) > 1:
            self.silent.add(unit)

    def _unit_comes(self, step: Step) -> None:
        if self.transport.runs or not self.is_deployed or len(self.model.units) >= MACHINES:
            return
        unit = len(self.model.units)
        if self.begin.endpoint == "control-plane":
            self.machines[unit].auth_webhook.write_text(self.machines[0].auth_webhook.read_text())
        self.model.add_unit()
        self.model.planned_units += 1
        self.due[unit] = ["install", "config-changed", "start"]

    def _unit_goes(self, step: Step) -> None:
        """The last unit goes with its control plane; the cluster is the other control planes'."""
        unit = len(self.model.units) - 1
        if self.transport.runs or not self.is_deployed or not unit or unit in self.silent:
            return
        if step.what["leads"]:
            self._leader_moves(Step("leader moves", {"to": unit}))
        principal, goal = self.model.principal, functools.partial(ops.hookcmds.Goal, since=EPOCH)
        goals = {f"{principal}/{n}": goal(status="joined") for n in range(unit)}
        goals |= {principal: goal(status="joined"), f"{principal}/{unit}": goal(status="dying")}
        listed = ops.hookcmds.GoalState(units={}, relations={self.begin.endpoint: goals})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(HOOK_TOOLS, "goal", listed)
            for kind in LAST_HOOKS["all"]:
                promises.ask(self, promises.p6_unit, self._last_hook(unit, kind, None))
        self.model.units.pop()
        self.model.planned_units -= 1
        self.due[unit] = []
        if self.model.leader == unit:
            self._leader_moves(Step("leader moves", {"to": 0}))

    def _another_version(self, step: Step) -> None:
        """The operator upgrades Kubernetes, where the control plane can be."""
        if self.begin.endpoint == "control-plane":
            self.api.version = "v1.37.2"
            # It may be the first with policies: one follows in a later hook.
            self.were_guards_lost = True

    def _machine_loses(self, step: Step) -> None:
        """Somebody deletes the files that the charm has written on a machine."""
        files = self.machines[step.what["unit"]]
        for path in (files.webhook, files.machine.login_kubeconfig):
            path.unlink(missing_ok=True)

    def _refresh(self, step: Step) -> None:
        for unit in self.units:
            self.due[unit].append("upgrade-charm")

    # The operator.

    def set_webhook(self, address: str, only: int | None = None) -> None:
        url = f"https://{address}:443/authenticate" if address else ""
        if address:
            self.addresses.add(address)
        for number, files in enumerate(self.machines):
            if only in (None, number):
                files.auth_webhook.write_text(rendered(url))

    # Time.

    def _time(self, step: Step) -> None:
        """Time passes, and alarms ring: on time, late, or never."""
        if self.transport.runs:
            self.api.clock.now += min(step.what["seconds"], 60)
            return
        until, bell = self.now + step.what["seconds"], step.what.get("bell", "on time")
        late = 40.0 if bell == "late" else 0.0
        most = 0 if bell == "never" else _RINGS
        for rings_so_far in range(most):
            rings = [
                (alarm.expire.timestamp() + late, unit)
                for unit in self.units
                if self.is_ready(unit)
                for alarm in self.model.units[unit].alarms
                if alarm.expire
            ]
            at, unit = min(rings, default=(until + 1, 0))
            if at > until:
                break
            self.api.clock.now = max(at, self.now)
            # What goes wrong does so at the first ring.
            self.run_hook(unit, "alarm", step if not rings_so_far else None)
        else:
            # No more time passes than that in which alarms have rung.
            until = self.now if most else until
        self.api.clock.now = max(until, self.now)
        if bell == "never":
            for unit in self.units:
                if self.is_ready(unit):
                    self.run_hook(unit, "update-status")
        # A hook that a slow answer ends goes on in the next one, and what fails is tried again by
        # another alarm, which is late too.
        slow = any(isinstance(each, Fault) and each.kind == "slow" for each in step.meanwhile)
        grace = _MINUTE * (1 + slow) + late * (1 + bool(step.meanwhile))
        is_long = bell == "on time" and step.what["seconds"] >= _LOOKS and not step.meanwhile
        promises.in_time(self, grace if bell != "never" else promises.SOON, is_long=is_long)

    # Rest.

    def _rest(self, step: Step) -> None:
        self.rest()

    def rest(self) -> None:
        """Let faults stop and each unit have its hooks, and check that all is as declared."""
        if self.transport.runs or not self.is_deployed:
            return
        if self.begin.endpoint == "control-plane" and not self.is_asked:
            # Each unit says so by then, and its operator does it.
            self._come_to_rest()
            self.set_webhook(self.model.peer.get("address", ""))
        if self.transport.lasting:
            self._come_to_rest()
            promises.beside_a_fault(self)
            self.transport.lasting.clear()
        self._come_to_rest()
        promises.at_rest(self)
        self.were_guards_lost = False
        # A pair waits for its provider and its operator.
        if self.can_work and not self.silent:
            self.reasons.clear()
        self.unsure.clear()
        self.allowed = {who: set(roles) for who, roles in self.rights.items()}
        for who, row in self.option.good(self.now).items():
            self.allow(who, self.option.rights(row))

    def _come_to_rest(self) -> None:
        for _ in range(_ROUNDS):
            before = self._whole()
            self.api.forget()
            self.api.clock.now += 35
            self.answer()
            for unit in self.units:
                for _ in range(6):
                    if not self.is_ready(unit) or not self.due[unit]:
                        break
                    self.run_hook(unit, self._next(unit))
                if self.is_ready(unit):
                    self.run_hook(unit, "update-status")
                self.answer()
            self.is_quiet = not self.api.changes and before == self._whole()
            if self.is_quiet:
                return

    def _whole(self) -> str:
        """All that hooks may change, to compare."""
        files = [f.webhook.read_text() if f.webhook.exists() else "" for f in self.machines]
        return json.dumps([dict(self.objects), self.model.bags(), files], sort_keys=True)

    # The end.

    def _remove(self, step: Step) -> None:
        """The application is removed, by the last hooks that Juju runs."""
        if self.transport.runs or not self.is_deployed:
            return
        order = [unit for unit in self.units if unit not in self.silent]
        if step.what.get("backwards"):
            order.reverse()
        left: Step | None = step
        self.removed_from = len(self.said)
        was_free = promises.is_free(self, self.model.peer.get("address", ""))
        self.removal_met.clear()
        theirs = people.heir_claims(self) if step.what.get("heir") else []
        # A unit that never had the webhook knows no address.
        had = [unit for unit in order if self.machines[unit].webhook.exists()]
        writes = list[str]()
        for unit in order:
            for kind in LAST_HOOKS[step.what.get("hooks", "all")]:
                # What goes wrong does so in the last unit, once.
                run = self._last_hook(unit, kind, left if unit == order[-1] else None)
                self.removal_met += run.met
                writes += run.writes
                left = None if run.met or run.dead else left
                if run.dead:
                    self._last_hook(unit, kind, None)
            self.gone.add(unit)
            if unit in had and not was_free:
                promises.ask(self, promises.p11_address, [unit])
        if theirs:
            self._heir_goes(theirs, writes)
        elif order and len(order) == len(self.model.units):
            promises.at_the_end(self)
        self.transport.lasting.clear()
        self.is_deployed = False
        self.grants.clear()

    def _heir_goes(self, theirs: list[str], writes: list[str]) -> None:
        """The application that has claimed these objects still has them, and goes with them."""
        promises.ask(self, promises.p10_heir, theirs, writes)
        for path in theirs:
            if path in self.objects:
                self.api.delete(path)

    def _last_hook(self, unit: int, kind: str, step: Step | None) -> Run:
        model, on = self.model, self.model.on
        relation = model.relation(self.begin.endpoint, unit)
        events: dict[str, Any] = {
            "departed": on.relation_departed(relation, remote_unit=unit, departing_unit=unit),
            "broken": on.relation_broken(relation),
            "stop": on.stop(),
            "remove": on.remove(),
        }
        with pytest.MonkeyPatch.context() as patch:
            if kind == "departed":
                own = property(lambda event: event.framework.model.unit)
                patch.setattr(ops.RelationDepartedEvent, "departing_unit", own)
            return self.run(unit, kind, step, lambda: model.hook(events[kind], unit=unit))

    def asked_by(self, unit: int) -> str:
        """The address that a unit's control plane asks, if it was ever the application's."""
        path = self.machines[unit].auth_webhook
        text = path.read_text() if path.exists() else ""
        return next((each for each in self.addresses if f"//{each}:" in text), "")

    def _asked(self) -> set[str]:
        """The addresses that control planes ask."""
        return {self.asked_by(unit) for unit in self.units} - {""}

    def _deploy_again(self, step: Step) -> None:
        if self.transport.runs or self.is_deployed:
            return
        self.model = self._deploy()
        self._begin_hooks()
        self.option, self.silent, self.gone, self.held = Option(), set(), set(), {}
        # What a stranger has by now, a new application cannot know to have been another's.
        self.addresses -= self.api.taken_addresses
        self.reasons.add("deployed again")
        self.is_deployed = True

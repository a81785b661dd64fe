"""A unit in which the steps of a sequence are taken, and what must hold is checked after each."""

from __future__ import annotations

import copy
import datetime
import json
from collections.abc import Callable
from typing import Any

import httpx2
import ops.testing
import pytest
from tests.fakes.juju.model import OWNER
from tests.fakes.kubernetes.faults import Answer, refusal, unreachable
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.rbac import RBAC
from tests.fuzz import hooks
from tests.fuzz.damaged_unit import DamagedUnit
from tests.fuzz.rights import model
from tests.fuzz.rights.model import EXPIRES, MARK, SOURCE, Entry, Grant, Rights, Role
from tests.fuzz.rights.steps import CLUSTER_ROLES, NAMESPACES, Fault, Step
from tests.fuzz.runner import Violation

from cluster import sync

_HOUR = 3600


class Killed(BaseException):
    """The process of a hook is killed."""


def check(steps: list[Step]) -> None:
    """Take the steps, and settle. What must hold is checked all along."""
    unit = hooks.legacy()
    with unit.borrowed(), pytest.MonkeyPatch.context() as patch:
        # With more than one, a seed would not repeat which request is the nth.
        patch.setattr(sync, "WRITERS", 1)
        world = World(unit)
        for step in (*steps, Step("settle")):
            world.take(step)


class World:
    """The unit, what was declared and granted, and what anybody may have since it settled."""

    def __init__(self, unit: DamagedUnit) -> None:
        self._unit, self._api = unit, unit.api
        self._entries: list[Entry] = []
        # The places of entries with a fault, by their mappings' names.
        self._wrong: dict[str, str] = {}
        # Whether the option can be read.
        self._is_good = True
        self._grants: dict[str, Grant] = {}
        self._allowed: Rights = {}
        self._api.namespaces = {*NAMESPACES, "kube-system"}
        for name in (*CLUSTER_ROLES, *(f"{space}/reader" for space in NAMESPACES)):
            self._api.add_role(name, "get")

    def take(self, step: Step) -> None:
        """Take one step."""
        take: dict[str, Callable[[Step], None]] = {
            "declare": self._declare,
            "grant": self._grant,
            "revoke": self._revoke,
            "hook": lambda step: self._hook("update_status", step.fault),
            "settle": lambda _: self._settle(),
            "time": self._let_pass,
            "role": self._toggle_role,
            "namespace": self._toggle_namespace,
            "hand on mapping": self._touch_mapping,
            "hand on binding": self._touch_binding,
        }
        take[step.do](step)
        model.check_allowed(self._api.objects, self._allowed)

    # The operator.

    def _declare(self, step: Step) -> None:
        entries = [_with_end(each, self._now) for each in step.what.get("entries", ())]
        text = step.what.get("text") or (json.dumps(entries) if entries else "")
        self._is_good = "entries" in step.what
        planned = None
        if self._is_good:
            read = [_entry(number, each) for number, each in enumerate(entries)]
            self._entries = [each for each in read if each.arn.startswith("arn:")]
            self._wrong = {
                each.name: f"mappings[{number}]"
                for number, each in enumerate(read)
                if each not in self._entries
            }
            for entry in self._entries:
                self._allow(entry.principal, {role for _, role in entry.roles})
            if step.what.get("plan") and not step.fault and not self._held():
                planned = self._plan(text)
        before = copy.deepcopy(self._api.objects)
        self._unit.model.config = {"mappings": text}
        self._hook("config_changed", step.fault)
        ended = {
            name
            for name, each in model.mappings(before).items()
            if (end := _end(model.annotation(each, EXPIRES))) and end <= self._now
        }
        made = model.counts(before, self._api.objects, ended)
        if planned and planned != made:
            raise Violation("a plan that says something else", f"{planned}, {made}")

    def _plan(self, text: str) -> model.Counts:
        results = self._act("plan-mappings", None, {"mappings": text})
        assert results
        if self._api.changes:
            raise Violation("a plan that writes", self._api.changes)
        missing = [*self._wrong.values()]
        missing += [place for entry in self._entries for place in self._missing(entry)]
        if results["refuse"] != str(len(missing)) or any(
            place not in results["plan"] for place in missing
        ):
            raise Violation("a plan without what is missing", f"{missing} {results['plan']}")
        return model.Counts(
            *(int(results[key]) for key in ("delete", "replace", "change", "make"))
        )

    def _missing(self, entry: Entry) -> list[str]:
        """The places of the roles that the cluster lacks, or their namespaces."""
        return [
            place
            for place, role in entry.roles
            if entry.applies(self._now)
            if not self._has_namespace(role) or _path(*role) not in self._api.objects
        ]

    def _has_namespace(self, role: Role) -> bool:
        return not role[2] or role[2] in self._api.namespaces

    def _grant(self, step: Step) -> None:
        who = step.what["arn"].lower()
        role, listed = step.what.get("role", ""), step.what.get("namespaces", "")
        new = {("ClusterRole", role, space) for space in listed.split(",")} if role else set()
        is_again = any(
            model.label(each) == "grant" and model.principal(each) == who
            for each in model.mappings(self._api.objects).values()
        )
        grant = self._grants.setdefault(who, Grant())
        self._allow(who, new | grant.most)
        if done := self._act("grant-access", step.fault, step.what):
            self._check_granted(done["mapping"], who)
            if role or not is_again:
                grant.least, grant.most = {*new}, {*new}
        elif step.fault:
            grant.least = grant.least & new if role else grant.least
            grant.most |= new
        elif self._api.changes:
            raise Violation("an action that fails and writes", self._api.changes)

    def _check_granted(self, name: str, who: str) -> None:
        mapping = model.mappings(self._api.objects)[name]
        end = _end(model.annotation(mapping, EXPIRES))
        if mapping.get("status", {}).get("canonicalARN") != who or (end and end <= self._now):
            raise Violation("a grant that lets nobody in", mapping)

    def _revoke(self, step: Step) -> None:
        who = step.what.get("arn", "").lower()
        if mapping := model.mappings(self._api.objects).get(step.what.get("name", "")):
            who = model.principal(mapping)
        done = self._act("revoke-access", step.fault, step.what)
        if done:
            self._grants.pop(who, None)
        elif step.fault and who in self._grants:
            self._grants[who].least = set()
        for name, each in model.mappings(self._api.objects).items():
            is_meant = name == step.what.get("name") or (
                "arn" in step.what and each.get("status", {}).get("canonicalARN") == who
            )
            if done and is_meant:
                raise Violation("a mapping that is left when all are revoked", each)

    def _act(
        self, name: str, fault: Fault | None, params: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Run an action. Return its results; None if it fails."""
        self._disturb(fault)
        try:
            return self._unit.action(name, **params)
        except (ops.testing.ActionFailed, Killed):
            return None
        finally:
            self._api._faults.clear()

    # The unit.

    def _hook(self, event: str, fault: Fault | None = None) -> None:
        before = copy.deepcopy(self._api.objects)
        self._disturb(fault)
        for entry in self._entries if fault else ():
            # A hook that ends early may leave a grant that an entry takes over without roles.
            self._grants.setdefault(entry.principal, Grant()).least = set()
        try:
            self._unit.hook(event)
        except Killed:
            pass
        finally:
            self._api._faults.clear()
        names = {each.name for each in self._entries} if self._is_good else set()
        model.check_untouched(before, self._api.objects, names, self._now, _end)

    def _disturb(self, fault: Fault | None) -> None:
        """Let one of the next requests fail."""
        if not fault:
            return
        met, is_dead = 0, False

        def answer(request: httpx2.Request) -> httpx2.Response | None:
            nonlocal met, is_dead
            if is_dead:
                raise Killed
            if not fault.writes or request.method != "GET":
                met += 1
                if met == fault.nth:
                    kind, _, when = fault.kind.partition(" ")
                    is_dead = kind == "killed"
                    if when == "after":
                        self._api._handle(request)
                    return _ANSWERS[kind](request)
            return None

        self._api.fail(answer)

    def _settle(self) -> None:
        """Run hooks until nothing is left, and check that all is as it should be."""
        for name, each in model.mappings(self._api.objects).items():
            each["metadata"].pop("finalizers", None)
            if "deletionTimestamp" in each["metadata"]:
                self._api.delete(f"{MAPPINGS}/{name}")
        self._unit.come_to_rest(lambda: self._hook("update_status"))
        self._check_settled()

    def _check_settled(self) -> None:
        objects, now = self._api.objects, self._now
        model.check_statuses(objects)
        model.check_bindings(objects)
        if self._is_good:
            model.check_entries(objects, self._entries, self._wrong, now)
        declared: Rights = {}
        for entry in self._entries:
            if entry.applies(now):
                roles = {role for _, role in entry.roles if self._has_namespace(role)}
                declared.setdefault(entry.principal, set()).update(roles)
        has = model.rights(objects)
        names = {each.name for each in self._entries if each.applies(now)}
        kept = {
            model.principal(each)
            for name, each in model.mappings(objects).items()
            if name in self._wrong and model.label(each) == "option"
        }
        for who in {*has, *declared, *self._grants}:
            grant = self._grants.setdefault(who, Grant())
            if not self._is_granted(who, names):
                grant.least, grant.most = set(), set()
            own, here = declared.get(who, set()), has.get(who, set())
            is_known = self._is_good and who not in kept
            # Nobody knows then what the option declared last of which a hook took notice.
            former = set() if is_known else self._allowed.get(who, set())
            if more := here - own - grant.most - former:
                raise Violation("somebody has more than he should", f"{who}: {sorted(more)}")
            if is_known and (less := (own | grant.least) - here):
                raise Violation("somebody has less than he should", f"{who}: {sorted(less)}")
            grant.most &= here
            if is_known:
                grant.least |= here - own
        if self._is_good:
            self._allowed = {
                who: declared.get(who, set())
                | grant.most
                | (has.get(who, set()) if who in kept else set())
                for who, grant in self._grants.items()
            }

    def _is_granted(self, who: str, names: set[str]) -> bool:
        return any(
            model.label(each) == "grant"
            and model.principal(each) == who
            and model.own_group(name) in model.groups(each)
            and not (self._is_good and name in names)
            for name, each in model.mappings(self._api.objects).items()
        )

    # Others.

    def _let_pass(self, step: Step) -> None:
        self._api.clock.now += step.what["hours"] * _HOUR

    def _toggle_role(self, step: Step) -> None:
        space, _, name = step.what["name"].rpartition("/")
        path = _path("Role" if space else "ClusterRole", name, space)
        if path in self._api.objects:
            self._api.delete(path)
        else:
            self._api.add_role(step.what["name"], "get")

    def _toggle_namespace(self, step: Step) -> None:
        name = step.what["name"]
        if name not in self._api.namespaces:
            self._api.namespaces.add(name)
            return
        self._api.namespaces.discard(name)
        for path in [p for p in self._api.objects if f"/namespaces/{name}/" in p]:
            self._api.delete(path)
        for grant in self._grants.values():
            grant.least = {role for role in grant.least if role[2] != name}

    def _touch_mapping(self, step: Step) -> None:
        what, kind = step.what, step.what["kind"]
        found = model.mappings(self._api.objects)
        if kind == "create":
            if what["name"] not in found:
                self._api.add_mapping(what["name"], what["arn"], source=what["label"])
            return
        if not found:
            return
        name = [*found][what["number"] % len(found)]
        mapping = found[name]
        metadata, spec = mapping["metadata"], mapping["spec"]
        labels, notes = metadata.setdefault("labels", {}), metadata.setdefault("annotations", {})
        soon = _shown(self._now + _HOUR)
        if kind in ("delete", "squat"):
            self._api.delete(f"{MAPPINGS}/{name}")
        if kind == "squat":
            self._api.add_mapping(name, what["arn"], source=what["label"])
        edits: dict[str, Callable[[], object]] = {
            "username": lambda: spec.update(username="root"),
            "no groups": lambda: spec.update(groups=[]),
            "another group": lambda: spec.setdefault("groups", []).append("others"),
            "no label": lambda: labels.pop(SOURCE, None),
            "label grant": lambda: labels.update({SOURCE: "grant"}),
            "label option": lambda: labels.update({SOURCE: "option"}),
            "end": lambda: notes.update({EXPIRES: soon}),
            "bad end": lambda: notes.update({EXPIRES: "tomorrow"}),
            "no end": lambda: notes.pop(EXPIRES, None),
            "no mark": lambda: notes.pop(MARK, None),
            "no status": lambda: mapping.pop("status", None),
            "finalizer": lambda: metadata.update(finalizers=["example.com/keep"]),
        }
        edits.get(kind, lambda: None)()
        if kind in ("delete", "squat", "no groups", "no label", "label option", "end"):
            self._grants.setdefault(model.principal(mapping), Grant()).least = set()
        self._allow_what_is_there()

    def _touch_binding(self, step: Step) -> None:
        what, kind = step.what, step.what["kind"]
        if kind == "create":
            return self._api.add_binding("default/theirs", "ClusterRole/edit", Group="devs")
        own = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group"}
        own["name"] = model.own_group(what["name"])
        if kind == "forge":
            self._api.add_binding("forged", "ClusterRole/admin", Group=own["name"])
            metadata = self._api.objects[f"{RBAC}/clusterrolebindings/forged"]["metadata"]
            metadata["labels"] = {SOURCE: what["label"] or "option"}
            metadata["annotations"] = {MARK: OWNER.mark}
            return self._allow_what_is_there()
        found = sorted(model.ours(self._api.objects).items())
        if not found:
            return None
        path, binding = found[what["number"] % len(found)]
        metadata, subjects = binding["metadata"], binding["subjects"]
        if model.label(binding) == "grant":
            for grant in self._grants.values():
                grant.least.discard(model.role(binding))
        owners = [each["metadata"]["uid"] for each in model.mappings(self._api.objects).values()]
        edits: dict[str, Callable[[], object]] = {
            "delete": lambda: self._api.delete(path),
            "no subjects": subjects.clear,
            "another subject": lambda: subjects.append({"kind": "User", "name": "mallory"}),
            "another group": lambda: binding.update(subjects=[own]),
            # A roleRef cannot be changed, but the binding can be made again.
            "role": lambda: binding["roleRef"].update(name="admin"),
            "no label": lambda: metadata.pop("labels", None),
            "no mark": lambda: metadata.pop("annotations", None),
            "another mark": lambda: metadata.update(annotations={MARK: "other of model k8s (0)"}),
            "owner": lambda: metadata.update(
                ownerReferences=[{"uid": owners[0]}] if owners else []
            ),
            "finalizer": lambda: metadata.update(finalizers=["example.com/keep"]),
        }
        edits[kind]()
        self._allow_what_is_there()
        return None

    def _allow(self, who: str, roles: set[Role]) -> None:
        self._allowed.setdefault(who, set()).update(roles)

    def _allow_what_is_there(self) -> None:
        """Allow what people have given by hand, until it is taken back."""
        for who, roles in model.rights(self._api.objects).items():
            self._allow(who, roles)

    def _held(self) -> bool:
        """Whether a finalizer keeps a mapping."""
        found = model.mappings(self._api.objects).values()
        return any(each["metadata"].get("finalizers") for each in found)

    @property
    def _now(self) -> float:
        return self._api.clock.now


def _killed(_: httpx2.Request) -> httpx2.Response:
    raise Killed


_ANSWERS: dict[str, Answer] = {
    "killed": _killed,
    "late": unreachable(httpx2.ReadTimeout),
    "denied": refusal(403, 'admission webhook "x" denied the request: no'),
    "conflict": refusal(409, "the object has been modified"),
    "throttled": refusal(429, "too many requests"),
    "error": refusal(500, "etcdserver: no leader"),
}


def _path(kind: str, name: str, namespace: str) -> str:
    """Where the API server has a role."""
    scope = "clusterroles" if kind == "ClusterRole" else f"namespaces/{namespace}/roles"
    return f"{RBAC}/{scope}/{name}"


def _with_end(entry: dict[str, Any], now: float) -> dict[str, Any]:
    """The entry with a time in place of hours from now."""
    entry = {**entry}
    if hours := entry.pop("hours", 0):
        entry["expires"] = _shown(now + hours * _HOUR)
    return entry


def _entry(number: int, entry: dict[str, Any]) -> Entry:
    roles = [
        (
            f"mappings[{number}].access[{at}]" + (f" in {space}" if space else ""),
            (each.get("kind", "ClusterRole"), each["role"], space),
        )
        for at, each in enumerate(entry.get("access", ()))
        for space in each.get("namespaces", ("",))
    ]
    expires = entry.get("expires", "")
    end = _end(expires)
    return Entry(
        entry["name"],
        entry["arn"],
        entry["username"],
        tuple(entry.get("groups", ())),
        None if end is None else int(end),
        expires,
        tuple(roles),
    )


def _shown(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _end(text: str) -> float | None:
    """When access with this annotation ends; None for never."""
    try:
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None

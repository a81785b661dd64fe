"""What must hold, each promise a function of its number.

`after_write` is asked after each request that writes, `after_run` after each hook and action,
`beside_a_fault` while one object fails for ever, `at_rest` once faults have stopped, and `p6` at
the end. A promise that does not hold raises `Broken`.
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any

import ops
import yaml
from tests.fakes.juju.model import OWNER
from tests.fakes.kubernetes.paths import (
    DEFINITION,
    DEPLOYMENT,
    MAPPINGS,
    POLICY,
    POLICY_BINDING,
    SECRET,
    SERVICE,
)
from tests.fakes.machine import ADMIN_TOKEN
from tests.lives import access, people, said
from tests.lives.access import Object, Objects
from tests.lives.broken import Broken
from tests.lives.option import Role, Row, own_group, principal
from tests.lives.people import DELEGATE, MASTERS

from owner import CERTIFICATE_HASH

if TYPE_CHECKING:
    from tests.lives.life import Life
    from tests.lives.transport import Effect, Run

# What has ended this many seconds ago may still wait for its hook.
SOON = 5.0
# In how many seconds a unit goes on with what a hook had no time for.
_GO_ON_SECONDS = 1.0
# A unit that waits for others looks again and again for an hour, and less and less often.
_MOST_RINGS = 40
# An answer of a server that goes on to answer others, and how long a hook takes at most.
_OF_ONE, _LONGEST = ("denied", "conflict", "failed", "acted, failed"), 40.0
# How a status says that something of access is still to be made.
_LEFT = ("role binding", "not applied", "no effect", "not deleted")
_OURS = re.compile(r"aws-iam-.*-[0-9a-f]{10}")
_BUG = re.compile(r"internal error (\w+) at")
_COMMAND = re.compile(r"run: (?P<command>.*)$")
_FOLLOWED = re.compile(r", (\d|next|old |no |certificate|CA )")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+(\S{20})")


def ask(life: Life, promise: Callable[..., None], *args: Any, **kwargs: Any) -> None:
    """Ask whether a promise holds. Of one that is known to be broken, take no more notice."""
    try:
        promise(life, *args, **kwargs)
    except Broken as broken:
        if not life.knows(broken):
            raise


def after_write(life: Life, run: Run, changed: list[Effect], had: dict[str, set[Role]]) -> None:
    """What must hold after each request of the charm that writes; ``had`` were the rights."""
    ask(life, p2, run, changed, had)
    ask(life, p9, run, changed)
    ask(life, p10, run, changed)
    ask(life, p11)


def after_run(life: Life, run: Run, lines: list[str]) -> None:
    """What must hold after each hook and action."""
    ask(life, p4, run, lines)
    if run.unit == life.model.leader and run.undisturbed:
        ask(life, p5, [run.unit])
    ask(life, p14, lines, run)
    said.note_changes(life, run)
    if run.unit == life.model.leader and run.undisturbed:
        found = access.mappings(life.objects)
        life.seen_ends = {name: access.end(each) for name, each in found.items()}
    if run.dead:
        return
    ask(life, p1, run)
    if run.raised:
        return
    ask(life, p3_looks, run)
    ask(life, p7, run)
    ask(life, said.p15, run)
    ask(life, p15_left, run)
    ask(life, p16_hook, run)
    ask(life, p18, run)


def in_time(life: Life, grace: float, *, is_long: bool) -> None:
    """What must hold when time has passed, long enough for another look or not, and alarms have
    rung."""
    if _goes_on(life):
        return
    if grace <= SOON and not life.can_work:
        # So does one whose reconcile stops early, if its alarm rings.
        return
    ask(life, p13, grace=grace, kept=False)
    if life.can_work:
        ask(life, p13, grace=grace)
    if is_long and life.can_work and not life.due[life.leader or 0]:
        ask(life, p17_by_alarms)


def beside_a_fault(life: Life) -> None:
    """What must hold while one object fails for ever."""
    ask(life, p13, grace=_LONGEST, kept=False)
    ask(life, p16)


def at_rest(life: Life) -> None:
    """What must hold once faults have stopped and each unit has had its hooks."""
    ask(life, p13, grace=SOON, kept=False)
    ask(life, said.p15_told)
    if life.can_work:
        ask(life, p11_address, life.units)
    ask(life, p8)
    ask(life, p5, [each for each in life.units if each not in life.silent])
    ask(life, p12)
    ask(life, p17)
    ask(life, p3)
    ask(life, p13, grace=SOON)
    ask(life, p3_rings)


def at_the_end(life: Life) -> None:
    """What must hold once the application is gone."""
    ask(life, p6)
    ask(life, p18_without_units)


# P1 to P18.


def p1(life: Life, run: Run) -> None:
    """No input puts a unit into error: a hook ends in active, blocked or waiting."""
    life.checks["P1"] += 1
    if run.raised:
        kind = "an action" if run.is_action else "a hook"
        found = _BUG.findall(str(run.raised).replace("\\n", "\n"))
        ends = found[-1] if found else type(run.raised.__cause__ or run.raised).__name__
        raise Broken("P1", f"{kind} ends in {ends}", run.what, str(run.raised)[-500:])
    if run.is_action:
        return
    status = life.model.units[run.unit].status
    good = (ops.ActiveStatus, ops.BlockedStatus, ops.WaitingStatus)
    if run.what not in ("stop", "departed", "remove") and not isinstance(status, good):
        raise Broken("P1", "a hook without a status", status)


def p2(life: Life, run: Run, changed: list[Effect], old: dict[str, set[Role]]) -> None:
    """What worked goes on to work, after each single request."""
    life.checks["P2"] += 1
    if run.what in ("stop", "remove", "broken", "departed"):
        return
    new = life.rights
    if old == new:
        return
    # A person may delete somebody's new mapping before the charm deletes the former one.
    excused = _ended(life, changed) | run.deleted
    for who, row in ((who, row) for who, row in life.declared.items() if who not in excused):
        if who in old and who not in new and _is_named(life, who, run.before):
            raise Broken("P2", "a declared person is locked out", who, run.what)
        less = (old.get(who, set()) & _wanted(life, row)) - new.get(who, set())
        if less and _is_as(row, run.before):
            raise Broken("P2", "a declared person loses a role", who, sorted(less), run.what)
    _check_granted(life, run, old)


def _check_granted(life: Life, run: Run, old: dict[str, set[Role]]) -> None:
    new = life.rights
    for who, grant in life.grants.items():
        is_over = grant.ends is not None and grant.ends <= life.now
        if run.what == "grant-access" or is_over or who in {*life.declared, *run.deleted}:
            continue
        if who in old and who not in new:
            raise Broken("P2", "a granted person is locked out", who, run.what)
        if less := (old.get(who, set()) & grant.rights) - new.get(who, set()):
            raise Broken("P2", "a granted person loses a role", who, sorted(less), run.what)


def _ended(life: Life, changed: list[Effect]) -> set[str]:
    """Whose changed mapping has ended: somebody may have ended it since the hook began."""
    former = [each.before for each in changed if each.path.startswith(MAPPINGS) and each.before]
    return {access.admitted(each) for each in former if access.has_ended(each, life.now)}


def p3(life: Life) -> None:
    """Where all is as declared, a further hook writes nothing."""
    if not life.can_work:
        return
    life.checks["P3"] += 1
    if not life.is_quiet:
        raise Broken("P3", "the units do not come to rest", _status(life))


def p3_looks(life: Life, run: Run) -> None:
    """An action that only looks writes nothing, nor does one of a unit that does not lead."""
    if run.what in ("plan-mappings", "list-mappings") or (
        run.is_action and run.unit != life.model.leader and not run.others
    ):
        life.checks["P3"] += 1
        if run.writes:
            raise Broken("P3", f"{run.what} writes", run.writes)


def p3_rings(life: Life) -> None:
    """The alarms of a unit that does not lead come to rest too: nothing ends by it."""
    for unit in life.units:
        if unit == life.model.leader or not life.is_ready(unit):
            continue
        life.checks["P3"] += 1
        rang = None
        for _ in range(_MOST_RINGS):
            alarms = life.model.units[unit].alarms
            if not alarms or not alarms[0].expire or alarms[0].expire == rang:
                break
            rang = alarms[0].expire
            life.api.clock.now = max(life.now, rang.timestamp())
            life.run_hook(unit, "alarm")
        else:
            raise Broken("P3", "a unit that does not lead rings for ever", unit)


def p4(life: Life, run: Run, lines: list[str]) -> None:
    """No secret is in a log, a status, a result or a databag."""
    life.checks["P4"] += 1
    shown = [*lines, str(run.results or ""), run.failure]
    shown += (
        [life.model.units[run.unit].status.message] if life.model.units[run.unit].status else []
    )
    text = "\n".join(shown)
    secrets = [ADMIN_TOKEN]
    if stored := life.objects.get(SECRET):
        key = base64.b64decode(stored["data"]["key.pem"]).decode()
        secrets += _KEY.findall(key)
    bags = life.model.bags() if life.begin.provider == "self-signed-certificates" else ""
    bags += str(life.model.peer)
    for secret in secrets:
        if secret in text or secret in bags:
            raise Broken("P4", "a secret is shown", secret, run.what)


def p5(life: Life, units: Iterable[int]) -> None:
    """The control planes of these units trust what the pods serve."""
    life.checks["P5"] += 1
    if life.begin.endpoint != "aws-iam" or SECRET not in life.objects or not life.is_deployed:
        return
    if life.model.peer.get("serving") != "true" or "pair lost" in life.reasons:
        return
    served = _served(life)
    for number in units:
        webhook = life.machines[number].webhook
        if webhook.exists():
            trusted = _trusted(webhook.read_text())
            if not all(authority & trusted for authority in served):
                raise Broken("P5", "a control plane does not trust the pods", number)


def _served(life: Life) -> tuple[set[str], set[str]]:
    """The authorities of the pair that new pods serve, and of the one that all served last."""
    authority = set(_PEM.findall(life.api.secret("ca.pem")))
    if DEPLOYMENT not in life.objects:
        life.rolled_out, life.served = "", set()
        return authority, authority
    template = life.objects[DEPLOYMENT]["spec"]["template"]["metadata"]
    pair = template.get("annotations", {}).get(CERTIFICATE_HASH, "")
    if pair != life.rolled_out and life.api.is_rolled_out:
        life.rolled_out, life.served = pair, authority
    return authority, life.served or authority


@functools.lru_cache(64)
def _trusted(text: str) -> set[str]:
    cluster = yaml.load(text, yaml.CSafeLoader)["clusters"][0]["cluster"]
    bundle = base64.b64decode(cluster["certificate-authority-data"]).decode()
    return set(_PEM.findall(bundle))


def p6(life: Life) -> None:
    """A removal leaves nothing, or says the command that removes it."""
    life.checks["P6"] += 1
    left = [path for path, each in life.objects.items() if _is_charms(life, path, each)]
    kept = {path for path in left if path in (DEFINITION, POLICY, POLICY_BINDING)}
    for path in left:
        if path.startswith(SERVICE):
            address = life.objects[path]["spec"]["clusterIP"]
            if address in life._asked():
                kept.add(path)
    held = {p for p in left if life.objects[p]["metadata"].get("finalizers")}
    lost = [path for path in left if path not in kept | held]
    told = "\n".join(life.said[life.removed_from :])
    # A server that stays slow, or keeps an object, leaves no more than to say the command.
    lasts = any(each.lasts or each.kind == "slow" for each in life.removal_met)
    if lost and not (lasts and "kubectl" in told and " delete" in told):
        raise Broken("P6", "a removal leaves objects", [p.rpartition("/")[2] for p in lost])
    for unit in set(life.units) - life.silent:
        _check_files(life, unit)


def p6_unit(life: Life, run: Run) -> None:
    """A unit that goes with its control plane takes its file along, and leaves the cluster."""
    life.checks["P6"] += 1
    if run.writes:
        raise Broken("P6", "a unit that goes changes the cluster", run.what, run.writes)
    if run.what == "remove":
        _check_files(life, run.unit)


def _check_files(life: Life, unit: int) -> None:
    files = life.machines[unit]
    left = [each.name for each in (files.webhook, files.machine.login_kubeconfig) if each.exists()]
    if left:
        raise Broken("P6", "a unit that goes leaves files", unit, left)


def p11_address(life: Life, units: Collection[int]) -> None:
    """The Service's address is not free while the control planes of these units ask it."""
    life.checks["P11"] += 1
    address = life.model.peer.get("address", "")
    if address in map(life.asked_by, units) and is_free(life, address):
        raise Broken("P11", "an address is free that a control plane asks", address)


def is_free(life: Life, address: str) -> bool:
    """Whether no Service has an address."""
    there = {each.get("spec", {}).get("clusterIP") for each in life.objects.values()}
    return bool(address) and address not in there | life.api.taken_addresses


def _is_charms(life: Life, path: str, stored: Object) -> bool:
    if path.startswith(f"{MAPPINGS}/"):
        return access.source(stored) in ("option", "grant")
    if access.is_binding(path) and access.source(stored):
        return path.rpartition("/")[2].startswith("aws-iam-")
    labels = stored["metadata"].get("labels") or {}
    return labels.get("aws-iam") == "true" or access.mark(stored) == OWNER.mark


def p7(life: Life, run: Run) -> None:
    """A command is at the end of its line, and is one that helps."""
    if run.is_action or not life.model.units[run.unit].status:
        return
    message = life.model.units[run.unit].status.message
    if not (found := _COMMAND.search(message)):
        return
    life.checks["P7"] += 1
    if _FOLLOWED.search(found["command"]):
        raise Broken("P7", "a command is not at the end of its line", message)
    is_about = "integrate" in found["command"] and "certificates" in found["command"]
    if is_about and life.model.provider and run.what != "certificates-broken":
        raise Broken("P7", "a command was just run", message, run.what)


def p8(life: Life) -> None:
    """A person's mapping that the authenticator accepts admits whom it names."""
    if not life.can_work:
        return
    life.checks["P8"] += 1
    for name, mapping in access.mappings(life.objects).items():
        if access.has_ended(mapping, life.now):
            continue
        if access.admitted(mapping) != access.principal(mapping):
            raise Broken("P8", "a mapping does not admit whom it names", name, mapping)


def p9(life: Life, run: Run, changed: list[Effect]) -> None:
    """A key pair replaces the one in use only for a reason."""
    life.checks["P9"] += 1
    for each in changed:
        if each.path != SECRET or not each.before or not each.after or life.reasons:
            continue
        if each.before["data"]["cert.pem"] != each.after["data"]["cert.pem"]:
            raise Broken("P9", f"the pair in use is replaced without a reason, by {run.what}")


def p10(life: Life, run: Run, changed: list[Effect]) -> None:
    """Nothing of a person or of another application is changed or deleted."""
    life.checks["P10"] += 1
    for each in changed:
        if not each.before or not _is_theirs(life, run, each.path, each.before):
            continue
        if access.is_change(each.before, each.after):
            raise Broken("P10", "what belongs to others is changed", each)


def p10_heir(life: Life, theirs: list[str], writes: list[str]) -> None:
    """A removal, which wrote these, leaves what another application has claimed, and what that is
    about to mark."""
    life.checks["P10"] += 1
    if gone := [path for path in theirs if f"DELETE {path}" in writes]:
        raise Broken("P10", "a removal deletes what another application claims", gone)


def _is_theirs(life: Life, run: Run, path: str, stored: Object) -> bool:
    if path.startswith(f"{MAPPINGS}/"):
        # Nobody extends what had ended, though that hook deletes it later.
        looks = (stored, run.before.get(path, stored))
        has_ended = any(access.has_ended(each, life.now) for each in looks)
        is_over = has_ended or f"DELETE {path}" in run.writes[:-1]
        is_revoked = run.what == "revoke-access" and access.principal(stored) in run.deleted
        return not (access.source(stored) or is_over or is_revoked)
    if not access.is_binding(path):
        return False
    if _OURS.fullmatch(path.rpartition("/")[2]):
        return False
    return bool(access.mark(stored)) and access.mark(stored) != OWNER.mark


def p11(life: Life) -> None:
    """Nobody has more than he was given."""
    life.checks["P11"] += 1
    for who, roles in life.rights.items():
        if more := roles - life.allowed.get(who, set()):
            raise Broken("P11", "somebody has more than he was given", who, sorted(more))
    for mapping in access.mappings(life.objects).values():
        is_his = access.principal(mapping) == principal(DELEGATE)
        if is_his and MASTERS in access.groups(mapping):
            raise Broken("P11", "a delegate is an administrator", mapping["metadata"]["name"])


def p12(life: Life) -> None:
    """An option with a fault changes nobody's access; what has an end ends all the same."""
    if not life.can_work or not life.option.has_fault:
        return
    life.checks["P12"] += 1
    for who, had in life.held.items():
        if who in life.grants or who in life.unsure:
            continue
        has_ended = any(
            said.names(who, line.lower()) for line in life.said if "expired at" in line
        )
        if had and life.rights.get(who) != had and not has_ended:
            now = life.rights.get(who)
            raise Broken("P12", "an option with a fault changes access", who, had, now)


def p13(life: Life, *, grace: float, kept: bool = True) -> None:
    """What ends, ends: first what nobody keeps, then what a finalizer keeps, if ``kept``."""
    # Without these, nobody logs in at all.
    serves = DEPLOYMENT in life.objects and SERVICE in life.objects
    if not serves or life.leader is None or not life.is_deployed:
        return
    if life.due[life.leader] and grace > _LONGEST:
        return
    looks = {key for key in life.transport.lasting if key.startswith("GET ")}
    if any(not key.startswith(f"GET {MAPPINGS}/") for key in looks):
        # Who cannot look at all that there is knows of nothing that ends.
        return
    life.checks["P13"] += 1
    found = access.mappings(life.objects).items()
    failing = {key.partition(" ")[2] for key in life.transport.lasting}
    for name, mapping in sorted(found, key=lambda each: _is_kept(each[1])):
        moment = access.end(mapping)
        if _is_kept(mapping) and not kept:
            return
        if moment is None or moment > life.now - grace or f"{MAPPINGS}/{name}" in failing:
            continue
        row = life.option.good(life.now).get(access.principal(mapping))
        if row and name == row.name:
            # Its row gives it its end, whatever a hand has written there.
            continue
        if grace > _LONGEST and life.seen_ends.get(name) != moment:
            # No hook knew of it, so no alarm was set.
            continue
        late = int(life.now - moment)
        what = "access that a finalizer keeps" if _is_kept(mapping) else "access"
        raise Broken("P13", f"{what} does not end", name, f"{late} s late")


def _is_kept(mapping: Object) -> bool:
    return bool(mapping["metadata"].get("finalizers"))


def p14(life: Life, lines: list[str], run: Run) -> None:
    """Text that others control is shown as text."""
    life.checks["P14"] += 1
    shown = [*lines, *[str(each) for each in (run.results or {}).values()], run.failure]
    for text in shown:
        for line in text.split("\n"):
            if not line.isprintable():
                raise Broken("P14", "a line that is not printable", repr(line)[:200])


def p15_left(life: Life, run: Run) -> None:
    """Where somebody keeps a role that the option has taken away, the status says so."""
    status = life.model.units[run.unit].status
    if run.is_action or run.others or run.unit != life.leader or _goes_on(life):
        return
    if not isinstance(status, ops.ActiveStatus):
        return
    life.checks["P15"] += 1
    given = access.bound(life.objects)
    for who, row in life.declared.items():
        more = given.get(own_group(row.name), set()) - life.option.rights(row)
        if more and not any(each in status.message for each in _LEFT):
            raise Broken("P15", "nobody is told of a role that stays", who, more, status.message)


def p16(life: Life) -> None:
    """One object's fault is that object's: all else is as declared."""
    failing = [key.partition(" ")[2] for key in life.transport.lasting]
    if life.can_work and failing and all(_is_beside(path) for path in failing):
        life.checks["P16"] += 1
        _check_beside(life, failing)
        _check_authority(life, "P16")


def p16_hook(life: Life, run: Run) -> None:
    """All else is as declared by the end of the hook that meets one object's fault."""
    failing = [key.partition(" ")[2] for key in run.failed]
    is_whole = all(path in run.before for path in (DEFINITION, SERVICE, DEPLOYMENT, SECRET))
    if run.is_action or run.others or run.unit != life.leader or not is_whole:
        return
    if run.what in ("departed", "broken", "stop", "remove"):
        return
    if not failing or not life.can_work or life.model.peer.get("serving") != "true":
        return
    if _goes_on(life):
        return
    if all(_is_beside(path) for path in failing) and all(e.kind in _OF_ONE for e in run.met):
        life.checks["P16"] += 1
        _check_beside(life, failing)
        for name, mapping in access.mappings(run.before).items():
            is_over = access.source(mapping) == "grant" and access.has_ended(
                mapping, life.now - _LONGEST
            )
            # Whom the option declares by now ends when that says.
            is_over &= all(row.name != name for row in life.declared.values())
            is_there = f"{MAPPINGS}/{name}" in life.objects
            if is_over and is_there and not any(name in path for path in failing):
                raise Broken("P16", "access does not end beside one object's fault", name)


def _check_beside(life: Life, failing: list[str]) -> None:
    """Check that all rows but those of failing objects are as declared."""
    for who, row in life.declared.items():
        if not any(row.name in path for path in failing):
            _check_row(life, "P16", who, row)
    if SECRET not in life.objects or DEPLOYMENT not in life.objects:
        raise Broken("P16", "the authenticator is not deployed beside one object's fault", failing)


def _is_beside(path: str) -> bool:
    return path.startswith(f"{MAPPINGS}/") or (
        access.is_binding(path) and bool(_OURS.fullmatch(path.rpartition("/")[2]))
    )


def p17(life: Life) -> None:
    """What is declared is so, and what was granted is there, without a person's doing."""
    if not life.can_work:
        return
    life.checks["P17"] += 1
    for who, row in life.declared.items():
        _check_row(life, "P17", who, row)
    counts = life.option.counts
    for name, mapping in access.mappings(life.objects).items():
        may_be = life.option.has_fault or access.principal(mapping) in counts
        if access.source(mapping) == "option" and not may_be:
            raise Broken("P17", "a mapping that is not declared", name, _status(life))
    _check_grants(life)
    _check_bindings(life)
    _check_whole(life)
    _check_authority(life, "P17")
    status = _status(life)
    if _needs_person(life):
        return
    if life.option.has_fault and not status.message.startswith("option mappings: "):
        raise Broken("P12", "nobody is told of the option's fault", status)
    if not life.option.has_fault and not isinstance(status, ops.ActiveStatus):
        raise Broken("P17", "the leader does not come back to active", status)


def p17_by_alarms(life: Life) -> None:
    """What a fault held up is made so by the unit's alarms alone."""
    if life.was_touched or life.transport.lasting or life.model.peer.get("serving") != "true":
        return
    life.checks["P17"] += 1
    for who, row in life.declared.items():
        _check_row(life, "P17", who, row)


def _check_grants(life: Life) -> None:
    for who, grant in life.grants.items():
        is_over = grant.ends is not None and grant.ends <= life.now
        if is_over or who in life.declared or who in life.unsure:
            continue
        if less := grant.rights - life.rights.get(who, set()):
            raise Broken("P17", "a grant has lost its role", who, sorted(less), _status(life))
        if who not in life.rights:
            raise Broken("P17", "a grant is gone", who, _status(life))


def _check_bindings(life: Life) -> None:
    names = access.mappings(life.objects)
    for path, binding in access.bindings(life.objects).items():
        group = (binding.get("subjects") or [{"name": ""}])[0]["name"]
        name = group.removeprefix("aws-iam:")
        if name not in names or own_group(name) not in access.groups(names[name]):
            raise Broken("P17", "a binding without its mapping", path)


def _check_whole(life: Life) -> None:
    """No object is as somebody has edited it, and no machine lacks the kubeconfig for people."""
    for path, (field, value) in people.EDITS.items():
        part = people.edited(life, path)
        if part and part[field[-1]] == value:
            raise Broken("P17", "an object stays as somebody has edited it", path, _status(life))
    for unit in set(life.units) - life.silent if life.model.peer.get("serving") else ():
        if not life.machines[unit].machine.login_kubeconfig.exists():
            raise Broken("P17", "a machine has no kubeconfig for people", unit)


def _needs_person(life: Life) -> bool:
    return bool(life.silent) or bool(life.api.taken_addresses) or "image" in life.model.config


def _check_row(life: Life, promise: str, who: str, row: Row) -> None:
    mapping, status = access.mappings(life.objects).get(row.name), _status(life)
    if not mapping or access.source(mapping) != "option":
        raise Broken(promise, "a declared person has no mapping", who, status)
    if mapping["spec"]["username"] != row.who or access.admitted(mapping) != who:
        raise Broken(promise, "a mapping is not as its row", who, mapping, status)
    if less := _wanted(life, row) - life.rights.get(who, set()):
        raise Broken(promise, "a declared person lacks a role", who, sorted(less), status)


def _check_authority(life: Life, promise: str) -> None:
    """The pods serve a certificate of the provider's present authority."""
    if SECRET not in life.objects or (life.silent and life.begin.endpoint == "aws-iam"):
        return
    authority: Any = getattr(life.model.provider, "authority", None)
    text = getattr(authority, "certificate", None) or str(authority)
    if not set(_PEM.findall(text)) & set(_PEM.findall(life.api.secret("ca.pem"))):
        raise Broken(promise, "the pods do not serve the new authority's pair", _status(life))


def p18(life: Life, run: Run) -> None:
    """Active means that somebody who is mapped can log in."""
    status = life.model.units[run.unit].status
    if run.is_action or not isinstance(status, ops.ActiveStatus) or not run.undisturbed:
        return
    life.checks["P18"] += 1
    address = life.model.peer.get("address", "")
    files = life.machines[run.unit]
    if life.begin.endpoint == "aws-iam":
        if not files.webhook.exists() or f"//{address}:" not in files.webhook.read_text():
            raise Broken("P18", "active without the webhook file", status.message)
    elif f"//{address}:" not in files.auth_webhook.read_text():
        raise Broken("P18", "active, and the control plane asks another address", status.message)
    if run.unit == life.model.leader:
        _check_served(life, run, status.message)


def p18_without_units(life: Life) -> None:
    """An application whose units are gone does not say that somebody can log in."""
    life.checks["P18"] += 1
    line = life.model.status
    if life.leader is not None and isinstance(line, ops.ActiveStatus):
        raise Broken("P18", "active without a unit", line.message)


def _check_served(life: Life, run: Run, message: str) -> None:
    for path in (SERVICE, DEPLOYMENT, SECRET):
        if path not in life.objects:
            raise Broken("P18", "active without an object", path, message)
    for name, mapping in access.mappings(life.objects).items():
        counts = f"{MAPPINGS}/{name}" in run.before and not access.has_ended(mapping, life.now)
        if counts and not access.admitted(mapping) and not _goes_on(life):
            raise Broken("P18", "active, and a mapping admits nobody", name, message)


# What is declared.


def _wanted(life: Life, row: Row) -> set[Role]:
    """The rights of a row, as far as there is the namespace."""
    rights = life.option.rights(row)
    return {each for each in rights if not each[2] or each[2] in life.api.namespaces}


def _is_as(row: Row, before: Objects) -> bool:
    """Whether a row was in effect when the hook began."""
    mapping = access.mappings(before).get(row.name)
    return bool(mapping) and access.source(mapping or {}) == "option"


def _is_named(life: Life, who: str, before: Objects) -> bool:
    """Whether a mapping that lasts names whom it admits: a status alone may name anybody."""
    return any(
        access.principal(each) == access.admitted(each) == who
        and not access.has_ended(each, life.now)
        for each in access.mappings(before).values()
    )


def _goes_on(life: Life) -> bool:
    """Whether a hook had no time left, and its next one goes on: it says so, unless something
    worse is to be said, and has Juju ring at once."""
    status, alarms = _status(life), life.model.units[life.model.leader or 0].alarms
    says_so = bool(status) and "not made yet" in status.message
    return says_so or any(
        each.expire and 0 < each.expire.timestamp() - life.now <= _GO_ON_SECONDS for each in alarms
    )


def _status(life: Life) -> Any:
    return life.model.units[life.model.leader or 0].status

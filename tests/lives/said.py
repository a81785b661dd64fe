"""P15: what is said, against what has taken effect.

`note_changes` keeps what took effect until it must have been told; the lines, results and
statuses that were said are `life.said`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import ops
from tests.lives import access
from tests.lives.broken import Broken

if TYPE_CHECKING:
    from tests.lives.life import Life
    from tests.lives.transport import Effect, Run

# How many changes of one hook are named.
MOST_NAMED = 20
_COUNT = re.compile(r"(?<![\d/,])(\d[\d,]*) mappings?\b")
_COUNTED = re.compile(r"\d (more|others?)\b")


def p15(life: Life, run: Run) -> None:
    """What a hook or an action says is what happened."""
    life.checks["P15"] += 1
    said = life.said[run.said_from :]
    if not run.is_action:
        _check_count(life, run)
        return
    changed = [each for each in run.effects if access.is_change(each.before, each.after)]
    what = {"grant-access": "a grant", "revoke-access": "a revocation"}.get(run.what, "an action")
    if run.failure and changed and not _is_told(changed[0].name, said, run.failure):
        did = "given" if run.what == "grant-access" else "ended"
        raise Broken(
            "P15",
            f"{what} fails, and has {did} access",
            run.failure,
            [each.name for each in changed],
        )
    if not run.others and run.what == "grant-access":
        _check_grant(run, changed)
    if not run.others and run.what == "revoke-access":
        _check_revocation(life, run, changed)


def _check_grant(run: Run, changed: list[Effect]) -> None:
    result = str((run.results or {}).get("result", ""))
    # A mapping that a killed grant has left admits nobody before its status is written.
    admits = any(
        access.admitted(each.before or {}) != access.admitted(each.after or {})
        for each in run.effects
        if each.is_mapping
    )
    if result == "granted" and not changed and not admits:
        raise Broken("P15", f"a grant says {result}, and has changed nothing", run.results)


def _check_revocation(life: Life, run: Run, changed: list[Effect]) -> None:
    result = str((run.results or {}).get("result", ""))
    nothing = result.startswith("nothing to revoke")
    if nothing and any(each.is_mapping and not each.after for each in changed):
        raise Broken("P15", "a revocation says that there was nothing, and has ended access")
    found = access.mappings(life.objects)
    left = [name for name, each in found.items() if access.admitted(each) == run.who != ""]
    if (nothing or result == "revoked") and left:
        raise Broken("P15", f"a revocation says {result[:17]}, and access is left", left)


def _is_told(name: str, said: list[str], failure: str) -> bool:
    lines = [line for line in said if "failed: " not in line]
    return names(name, failure) or any(names(name, line) for line in lines)


def names(name: str, line: str) -> bool:
    """Whether a line has a name as a whole word: ``one`` is not told by ``none``."""
    return bool(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", line))


def _is_of_access(effect: Effect) -> bool:
    """Whether a request wrote a mapping, or a binding that comes with one."""
    return effect.is_mapping or bool(
        access.source(effect.after or effect.before or {"metadata": {}})
    )


def note_changes(life: Life, run: Run) -> None:
    """Note what the charm has changed of access, to be told by the time that all is at rest."""
    for effect in run.effects:
        if not access.is_change(effect.before, effect.after) or not _is_of_access(effect):
            continue
        old = effect.before
        is_end = bool(effect.is_mapping and old and not effect.after)
        is_end = is_end and access.has_ended(old or {}, life.now)
        what = "access has ended" if is_end else "access was changed"
        how = ", the answer was lost" if effect.lost and not run.dead else ""
        how = ", the hook was killed" if run.dead else how
        subject = next(iter((effect.after or old or {}).get("subjects") or ({},)), {})
        group = subject.get("name", "").removeprefix("aws-iam:")
        life.untold.append(({effect.name, group or effect.name}, run.said_from, f"{what}{how}"))


def _check_count(life: Life, run: Run) -> None:
    status = life.model.units[run.unit].status
    if not isinstance(status, ops.ActiveStatus) or run.met:
        return
    if run.others and not any(map(_is_of_access, run.effects[run.acted_at :])):
        # They may have acted after the charm's last look, which follows its last write.
        return
    found = _COUNT.search(status.message)
    there = [m["metadata"] for m in access.mappings(life.objects).values()]
    kept = sum("deletionTimestamp" in each for each in there)
    if found and int(found[1].replace(",", "")) not in (len(there), len(there) - kept):
        raise Broken("P15", "the status miscounts mappings", status.message, len(there))


def p15_told(life: Life) -> None:
    """Each change of access was told at least once."""
    left, life.untold = life.untold, []
    for known, since, what in left:
        lines = [line for line in life.said[since:] if "refuses to delete" not in line]
        # Of very many, the first are named and the others counted.
        counted = len(left) > MOST_NAMED and any(_COUNTED.search(line) for line in lines)
        if not counted and not any(names(name, line) for line in lines for name in known):
            raise Broken("P15", f"{what}, and nobody was told", known)

# SPDX-License-Identifier: Apache-2.0

"""The writer of mappings and bindings: it makes the cluster have them.

`make` makes thousands of small changes, several at a time. It knows what the server does
meanwhile: somebody else writes (409), it has too many requests (429), a policy refuses, an answer
is lost, or the hook's time is over. What is left, the next hook finds.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping
from typing import Any

import httpx2

import times
from access import desired, expiry
from access.desired import Access, Changes
from access.mapping import IdentityMapping
from access.rights import RoleBinding
from cluster import api, state, writes
from cluster.errors import ApiError, Conflict, errors_as_status, is_refused
from cluster.writes import HalfMadeError, Outdated
from errors import Unready
from owner import Owner
from text import brief, word

logger = logging.getLogger(__name__)

# How many requests write at the same time: more make the API server slower, not faster.
WRITERS = 8
# How long a writer leaves a server alone that has too many requests.
RETRY_SECONDS = 1.0
# How often one change is tried whose answer is lost, and how many answers in a row a writer waits
# for that do not come.
TRIES = 2
# How many of many changes the log names.
MOST_LOGGED = 20

# Why a change is still to be made of which nobody says why.
UNSAID = "others change it, or no time was left"

Change = Callable[[], None]


@dataclasses.dataclass(frozen=True)
class Left:
    """Why a change is still to be made."""

    # What the server says, or why no answer came. Empty if others have changed the object
    # meanwhile, or if there was no time.
    why: str = ""
    is_said: bool = False  # Whether the server says so.
    # Whether the server refuses this change, by a policy, a webhook or a rule.
    refused: bool = False


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of changes. A mapping is known by its name, a binding by its key."""

    before: Access  # The access that they were decided on.
    after: Access  # The access that the server has now.
    # Why each change is still to be made.
    left: Mapping[str, Left] = dataclasses.field(default_factory=dict[str, Left])
    made: int = 0  # How many changes were made: by a clear answer, or by another look.

    @property
    def unfinished(self) -> frozenset[str]:
        """Return what another hook has to look at again."""
        return frozenset(key for key, left in self.left.items() if not left.refused)


def shown(key: str) -> str:
    """Return what a key of a `Result` is, as a person reads it."""
    return f"binding {key.lstrip('/')}" if "/" in key else f"mapping {key}"


def make(
    client: api.Client, owner: Owner, steps: Changes, why: str, *, seconds: float | None = None
) -> Result:
    """Make the changes ``steps``, for this reason, as long as the hook's time lasts.

    No change begins after ``seconds``, if they are given.

    Access that ends goes first: nothing is added before all that is to go has been tried. A
    binding goes after its mapping, without which it gives nobody anything. A binding that is still
    there would give its role to whoever gets the group of its mapping, so nobody gets that then.

    Where an answer is lost, or others act in between, this reads all access again, once.
    """
    left = client.seconds_left if seconds is None else seconds
    batch = _Batch(client, owner, time.monotonic() + left)
    _log(steps, why)
    _make(batch, steps)
    return _result(client, owner, steps, batch.outcomes)


def _make(batch: _Batch, steps: Changes) -> None:
    """Make changes in their order: what ends, then what comes."""
    before = {each.name: each for each in steps.before.mappings}
    going = {each.name for each in steps.delete}
    batch.run(
        {each.name: batch.of(writes.delete, each) for each in steps.delete}
        | {new.name: batch.of(writes.set_status, new) for _, new in steps.withdraw}
        | {
            _gone(each): batch.of(writes.unbind, each, before.get(each.mapping))
            for each in steps.unbind
            if each.mapping not in going
        }
    )
    stuck = {each.mapping for each in steps.unbind if not batch.outcome(_gone(each)).done} - going
    owner = batch.owner
    batch.run(
        batch.unbound(steps, going)
        | {old.name: batch.of(writes.update, owner, old, new, stuck) for old, new in steps.update}
        | {
            new.name: batch.of(writes.replace, owner, old, new, stuck)
            for old, new in steps.replace
        }
        | {each.name: batch.of(writes.create, owner, each, stuck) for each in steps.create}
        | {new.name: batch.of(writes.set_status, new) for _, new in steps.activate}
    )
    failed = {key for key in steps.keys if "/" not in key and not batch.outcome(key).done}
    bind = [each for each in steps.bind if each.mapping not in failed]
    batch.run({each.key: batch.of(writes.bind, owner, each) for each in bind})


@dataclasses.dataclass(frozen=True)
class _Outcome:
    """What became of one change."""

    done: bool = False
    # Whether the server has what its answer says. Otherwise only another look tells.
    sure: bool = True
    left: Left = Left()  # Why it is still to be made, if it is.


_DONE, _LATER = _Outcome(done=True), _Outcome()


def _gone(binding: RoleBinding) -> str:
    """Return the key of a deletion: a binding may be deleted and made again."""
    return f"-{binding.key}"


@dataclasses.dataclass(frozen=True)
class _Batch:
    """Changes that are made several at a time, until a ``deadline``, and what became of each."""

    client: api.Client
    owner: Owner
    deadline: float
    outcomes: MutableMapping[str, _Outcome] = dataclasses.field(
        default_factory=dict[str, _Outcome]
    )

    def of(self, write: Callable[..., None], *arguments: Any) -> Change:
        return functools.partial(write, self.client, *arguments)

    def outcome(self, key: str) -> _Outcome:
        return self.outcomes.get(key, _LATER)

    def unbound(self, steps: Changes, going: Collection[str]) -> dict[str, Change]:
        """Return the deletions of bindings whose mapping, of those ``going``, is gone."""
        gone = {name for name in going if self.outcome(name).done}
        return {
            _gone(each): self.of(writes.delete_binding, each)
            for each in steps.unbind
            if each.mapping in gone and not self.outcome(_gone(each)).done
        }

    def run(self, changes: Mapping[str, Change]) -> None:
        """Make ``changes`` in their order, several at a time; each may be made twice."""
        if not changes:
            return
        from concurrent.futures import ThreadPoolExecutor

        # Several threads may take from a deque, and write into a dict.
        queue = deque((key, change, 1) for key, change in changes.items())
        writers = min(WRITERS, len(queue))
        with ThreadPoolExecutor(writers) as pool:
            for running in [pool.submit(self._work, queue) for _ in range(writers)]:
                running.result()

    def _work(self, queue: deque[tuple[str, Change, int]]) -> None:
        """Make changes from ``queue`` until it is empty, the time is over or nobody answers."""
        late = 0
        while time.monotonic() < self.deadline and late < TRIES:
            try:
                key, change, tries = queue.popleft()
            except IndexError:
                break
            try:
                outcome = _attempt(change)
                if outcome is None:
                    queue.append((key, change, tries))
                    time.sleep(RETRY_SECONDS)
                    continue
                self.outcomes[key], late = outcome, 0
                if outcome.left.is_said and not outcome.sure and tries < TRIES:
                    queue.append((key, change, tries + 1))
            except httpx2.HTTPError as error:
                self.outcomes[key] = _Outcome(sure=False, left=Left(_reason(error)))
                if isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout)):
                    break
                # It may have been made, so it does no harm to make it again.
                if tries < TRIES:
                    queue.append((key, change, tries + 1))
                late += isinstance(error, httpx2.TimeoutException)


def _attempt(change: Change) -> _Outcome | None:
    """Make one change, and return what became of it; None if the server has too many requests.
    Raise `httpx2.HTTPError` if its answer is lost."""
    try:
        change()
    except Outdated:
        return _Outcome(sure=False)
    except HalfMadeError as half:
        refused = _refusal(half.refusal)
        return refused and dataclasses.replace(refused, sure=False)
    except (ApiError, Conflict) as refusal:
        return _refusal(refusal)
    except Unready as reason:
        # Something other than Kubernetes answers.
        return _Outcome(sure=False, left=Left(str(reason), is_said=True))
    return _DONE


def _refusal(error: ApiError | Conflict) -> _Outcome | None:
    code = error.code if isinstance(error, ApiError) else 409
    if is_refused(code, str(error)):
        return _Outcome(left=Left(brief(error), is_said=True, refused=True))
    if code == 429:
        return None
    if code in (404, 409, 422):
        # Others have changed or deleted the object.
        return _Outcome(sure=False)
    return _Outcome(sure=code < 500, left=Left(brief(f"{code} {error}"), is_said=True))


def _reason(error: httpx2.HTTPError) -> str:
    """Return why no answer came, without what may be secret."""
    try:
        with errors_as_status():
            raise error
    except Unready as reason:
        return str(reason)


def _result(
    client: api.Client, owner: Owner, steps: Changes, outcomes: Mapping[str, _Outcome]
) -> Result:
    """Return what became of ``steps``: from clear answers, and else from another look."""
    after, left = _after(steps, outcomes), _left(steps, outcomes)
    made = sum(outcome.done for outcome in outcomes.values())
    if not all(outcome.sure for outcome in left.values()):
        # Without an answer to this, either, the next hook finds what is there.
        with contextlib.suppress(Unready), errors_as_status():
            after = state.access(client, owner, newest=True)
            still = desired.changes(after, steps.wanted).keys
            found = {key for key, each in left.items() if not each.sure and key not in still}
            left = {key: each for key, each in left.items() if key not in found}
            made += len(found)
    return Result(
        steps.before,
        after,
        {key: each.left for key, each in left.items()},
        made,
    )


def _left(steps: Changes, outcomes: Mapping[str, _Outcome]) -> dict[str, _Outcome]:
    """Return what is left to do, each with what became of it."""
    parts = [(key, key) for key in sorted(steps.keys) if "/" not in key]
    refused = {key for key, outcome in outcomes.items() if outcome.left.refused}
    # Where a mapping's change is refused, its bindings stay as they are.
    parts += [
        (each.key, _gone(each))
        for each in steps.unbind
        if _gone(each) in outcomes or each.mapping not in refused
    ]
    parts += [(each.key, each.key) for each in steps.bind if each.mapping not in refused]
    found = ((key, outcomes.get(part, _LATER)) for key, part in parts)
    return {key: outcome for key, outcome in found if not outcome.done}


def _after(steps: Changes, outcomes: Mapping[str, _Outcome]) -> Access:
    """Return the access that there is by the clear answers."""
    done = {key for key, outcome in outcomes.items() if outcome.done}
    before, wanted = steps.before, steps.wanted
    return Access(
        (
            *(each for each in before.mappings if each.name not in done),
            *(each for each in wanted.mappings if each.name in done),
        ),
        (
            *(each for each in before.bindings if not done & {_gone(each), each.key}),
            *(each for each in wanted.bindings if each.key in done),
        ),
    )


def _log(steps: Changes, why: str) -> None:
    """Log what is about to be written, and for which reason: a hook may die before it tells more.

    A line of these stays true whatever becomes of the change.
    """
    lines = [*_lines(steps, why)]
    for line in lines[:MOST_LOGGED]:
        logger.info("%s", line)
    if len(lines) > MOST_LOGGED:
        logger.info("%s: and %s more changes", why, f"{len(lines) - MOST_LOGGED:,}")


def _lines(steps: Changes, why: str) -> Iterable[str]:
    now = times.now()
    for each in steps.delete:
        end = expiry.end(each)
        cause = f"expired at {times.shown(end)}" if end and end <= now else why
        yield f"{cause}: delete mapping {_known(each)}"
    for each in steps.unbind:
        yield f"{why}: delete binding {_bound(each)}"
    for old, new in steps.replace:
        yield f"{why}: replace mapping {_known(old)} by {_known(new)}"
    for _, new in steps.update:
        yield f"{why}: change mapping {_known(new)}"
    for each in steps.create:
        yield f"{why}: create mapping {_known(each)}"
    for each in steps.bind:
        yield f"{why}: create binding {_bound(each)}"
    for _, new in (*steps.withdraw, *steps.activate):
        yield f"{why}: write the status of mapping {_known(new)}"


def _known(mapping: IdentityMapping) -> str:
    return f"{mapping.name} of {word(mapping.arn)}"


def _bound(binding: RoleBinding) -> str:
    return f"{binding.key.lstrip('/')} of {binding} for mapping {word(binding.mapping)}"

"""The IAMIdentityMappings that the charm makes: those that the option `mappings` declares.

`delete_all` also deletes those of the action `grant-access`.

Call every function inside `api.errors_as_status`.
"""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from access import plan
from access.declared import Entry
from access.mappings import GRANT, OPTION, SOURCE, canonical_arn
from cluster import api, manifests
from cluster.identity_mappings import RETRY_SECONDS, WRITERS, is_refused, kind
from errors import brief
from owner import Owner

if TYPE_CHECKING:
    import httpx2

# How many mappings one request deletes: the server takes a second or two for them.
PAGE = 500
_MADE = f"{SOURCE} in ({OPTION},{GRANT})"
_DECLARED = f"{SOURCE}={OPTION}"


@dataclasses.dataclass(frozen=True)
class Applied:
    """What became of a plan.

    Attributes:
        done: How many of its changes were made.
        pending: How many of its changes are left for the next hook.
        refused: Why the server refuses an entry, by its place.
    """

    done: int
    pending: int
    refused: dict[str, str]


@dataclasses.dataclass(frozen=True)
class _Change:
    """A change of one mapping. A mapping that is replaced is deleted and then created."""

    delete: str = ""
    update: Entry | None = None
    create: Entry | None = None


def apply(client: api.Client, owner: Owner, changes: plan.Plan, seconds: float) -> Applied:
    """Make ``changes``; no request begins after ``seconds``.

    Delete first what the option no longer declares, so that nobody keeps access meanwhile.
    """
    deadline = time.monotonic() + seconds
    if changes.delete and not any(mapping.source == OPTION for mapping in changes.after):
        complete = _delete(client, _DECLARED, deadline)
        total = len(changes.delete)
        return Applied(total, 0, {}) if complete else Applied(0, total, {})
    left = [
        *(_Change(delete=name) for name in changes.delete),
        *(_Change(update=entry) for entry in changes.update),
        *(_Change(delete=former, create=entry) for former, entry in changes.create),
    ]
    return _Writers(client, owner, left, deadline).run() if left else Applied(0, 0, {})


def delete_all(client: api.Client, seconds: float) -> bool:
    """Delete all mappings that the charm made, also by its actions.

    Return whether they are gone; no request begins after ``seconds``.
    """
    import httpx2

    try:
        return _delete(client, _MADE, time.monotonic() + seconds)
    except httpx2.HTTPStatusError as error:
        # Without the CRD, there are no mappings.
        if error.response.status_code != 404:
            raise
        return True


def _delete(client: api.Client, selector: str, deadline: float) -> bool:
    """Delete the mappings with these labels; return whether there was time for all."""
    import httpx2

    params = {"labelSelector": selector, "limit": str(PAGE)}
    try:
        while time.monotonic() < deadline:
            following = client.delete_some(kind(), params)
            if not following:
                return True
            params["continue"] = following
    except httpx2.TimeoutException:
        # Some of them may be gone.
        return False
    return False


class _Writers:
    """Threads that make changes until there are none left, or the time is over."""

    def __init__(
        self, client: api.Client, owner: Owner, changes: Iterable[_Change], deadline: float
    ):
        self._client, self._owner, self._deadline = client, owner, deadline
        # Several threads may take from a deque.
        self._left = deque(changes)
        self._skipped = 0
        self._refused: dict[str, str] = {}
        self._kind = kind()

    def run(self) -> Applied:
        from concurrent.futures import ThreadPoolExecutor

        total, writers = len(self._left), min(WRITERS, len(self._left))
        with ThreadPoolExecutor(writers) as pool:
            for done in [pool.submit(self._write_some) for _ in range(writers)]:
                done.result()
        pending = len(self._left) + self._skipped
        return Applied(total - pending - len(self._refused), pending, self._refused)

    def _write_some(self) -> None:
        import httpx2

        while time.monotonic() < self._deadline:
            try:
                change = self._left.popleft()
            except IndexError:
                return
            try:
                self._write(change)
            except httpx2.TimeoutException:
                self._left.append(change)
                return
            except httpx2.HTTPStatusError as error:
                self._refuse(change, error)

    def _refuse(self, change: _Change, error: httpx2.HTTPStatusError) -> None:
        code, entry = error.response.status_code, change.update or change.create
        if code == 429:
            self._left.append(change)
            time.sleep(RETRY_SECONDS)
        elif code in (404, 409):
            # Deleted or created since it was read. The next hook reads it again.
            self._skipped += 1
        elif is_refused(code, api.reason(error)):
            what = entry.place if entry else f"mapping {change.delete}"
            self._refused[what] = f"the cluster refuses it: {brief(api.reason(error))}"
        else:
            raise error

    def _write(self, change: _Change) -> None:
        if change.delete:
            self._delete(change.delete)
        if change.update:
            self._update(change.update)
        if change.create:
            self._create(change.create)

    def _delete(self, name: str) -> None:
        """Delete one mapping, unless it is no longer the option's."""
        params = {"fieldSelector": f"metadata.name={name}", "labelSelector": _DECLARED}
        self._client.delete_some(self._kind, params)

    def _update(self, entry: Entry) -> None:
        """Change one mapping to what ``entry`` declares, unless it is no longer the option's."""
        manifest = self._manifest(entry)
        label, spec = SOURCE.replace("/", "~1"), manifest["spec"]
        edits = {
            "/metadata/annotations": manifest["metadata"]["annotations"],
            "/spec/username": spec["username"],
            "/spec/groups": spec["groups"],
        }
        operations: list[dict[str, Any]] = [
            {"op": "test", "path": f"/metadata/labels/{label}", "value": OPTION},
            *({"op": "add", "path": path, "value": value} for path, value in edits.items()),
        ]
        self._client.edit(self._kind, entry.name, operations)

    def _create(self, entry: Entry) -> None:
        """Create one mapping with its status: the authenticator writes that of five a second."""
        self._client.create(self._kind, self._manifest(entry))
        status = {"canonicalARN": canonical_arn(entry.arn)}
        operations: list[dict[str, Any]] = [
            {"op": "test", "path": "/spec/arn", "value": entry.arn},
            {"op": "add", "path": "/status", "value": status},
        ]
        self._client.edit(self._kind.Status, entry.name, operations)

    def _manifest(self, entry: Entry) -> manifests.Manifest:
        sets = entry.permission_set
        permission_set = f"{sets.name}@{sets.account}" if sets else ""
        return manifests.identity_mapping(self._owner, plan.mapping_of(entry), permission_set)

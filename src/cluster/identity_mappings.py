"""IAMIdentityMapping in the cluster: its CRD, and the objects that people make of it.

Call every function inside `api.errors_as_status`.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from access.mappings import IdentityMapping
from cluster import api, manifests, objects
from errors import Waiting, brief

if TYPE_CHECKING:
    from lightkube.resources.apiextensions_v1 import CustomResourceDefinition

POLL_SECONDS = 0.5
# What the charm reads of a mapping: columns of the CRD, which `kubectl get -o wide` prints.
COLUMNS = {"Name", "ARN", "Username", "Groups", "Canonical ARN", "Source", "Expires"}
# How many requests write at the same time: more make the API server slower, not faster.
WRITERS = 8
# How long a writer leaves a server alone that has too many requests.
RETRY_SECONDS = 1.0
# The first minor version that lets people write stored objects which break a new rule.
RATCHETING_SINCE = (1, 30)
_NOT_SERVED = "waiting for the Kubernetes API to serve IAMIdentityMapping"
_MINOR = re.compile(r"v(\d+)\.(\d+)")
# What the server says where a person's webhook or policy refuses a write, with any code.
_DENIED = re.compile("denied (the )?request")
_REFUSED = (400, 403, 413, 422)
# What it says of a user who has no right to write (403), and of a failed test in a patch (422).
_NOT_REFUSED = re.compile("is forbidden: User |the server rejected our request")


@dataclasses.dataclass(frozen=True)
class Written:
    """What became of the mappings whose status was to be written.

    Attributes:
        done: How many were written.
        pending: How many mappings are left for the next hook.
        refused: Why the server refuses to write a mapping's status, by the mapping's name.
    """

    done: int
    pending: int
    refused: Mapping[str, str]


def apply_crd(client: api.Client, partition: str) -> None:
    """Apply the CRD, with the rules that the server can have, and wait until it is there."""
    from lightkube.resources.apiextensions_v1 import CustomResourceDefinition

    manifest = manifests.crd(strict=_ratchets(client), partition=partition)
    crd = objects.apply(client, manifest)
    deadline = time.monotonic() + api.ANSWER_SECONDS
    while not _established(crd):
        if time.monotonic() > deadline:
            raise Waiting(_NOT_SERVED)
        time.sleep(POLL_SECONDS)
        crd = client.get(CustomResourceDefinition, manifest["metadata"]["name"])


def _established(crd: CustomResourceDefinition) -> bool:
    conditions = (crd.status and crd.status.conditions) or []
    return any(c.type == "Established" and c.status == "True" for c in conditions)


def _ratchets(client: api.Client) -> bool:
    """Return whether the server accepts writes of stored objects that break a new rule.

    A node's kubelet is never newer than the server, so its version errs on the safe side.
    """
    from lightkube.resources.core_v1 import Node

    node = next(iter(client.list(Node, chunk_size=1)), None)
    info = node.status.nodeInfo if node and node.status else None
    version = _MINOR.match(info.kubeletVersion) if info else None
    return bool(version) and (int(version[1]), int(version[2])) >= RATCHETING_SINCE


def find(client: api.Client, *, newest: bool = False) -> list[IdentityMapping]:
    """Return every IAMIdentityMapping of the cluster, as it is, or as it was moments ago.

    ``newest`` leaves none out that there is; it may cost the server more.
    """
    return [
        IdentityMapping(
            name=row["Name"],
            arn=row["ARN"] or "",
            username=row["Username"] or "",
            canonical=row["Canonical ARN"] or "",
            groups=_groups(row["Groups"]),
            source=row["Source"] or "",
            expires=row["Expires"] or "",
        )
        for row in _rows(client, newest)
    ]


def _groups(cell: str | None) -> tuple[str, ...]:
    """Return the groups in a cell: the server writes a list as JSON."""
    import msgspec

    return tuple(msgspec.json.decode(cell, type=list[str])) if cell else ()


def _rows(client: api.Client, newest: bool) -> list[dict[str, Any]]:
    """Return the table of the objects once the server has their storage and columns ready.

    For about a second after the CRD came or changed, the server answers 429, and another of
    several servers 404, or with the columns of the former CRD.
    """
    import httpx2

    deadline = time.monotonic() + api.ANSWER_SECONDS
    while True:
        try:
            rows = client.table(kind(), newest=newest)
            if not rows or rows[0].keys() >= COLUMNS:
                return rows
        except httpx2.HTTPStatusError as error:
            if error.response.status_code not in (404, 429):
                raise
        if time.monotonic() > deadline:
            raise Waiting(_NOT_SERVED)
        time.sleep(POLL_SECONDS)


def write_canonical_arns(
    client: api.Client,
    found: Iterable[IdentityMapping],
    corrections: Mapping[str, str],
    seconds: float,
) -> Written:
    """Write ``status.canonicalARN`` of the mappings in ``corrections`` (name → value).

    The authenticator does so too, five a second; this makes new mappings work at once. No
    request begins after ``seconds``. Return what became of them.
    """
    if not corrections:
        return Written(0, 0, {})
    from concurrent.futures import ThreadPoolExecutor

    deadline = time.monotonic() + seconds
    arns = {mapping.name: mapping.arn for mapping in found}
    # Several threads may take from a deque.
    left = deque((name, arns[name], canonical) for name, canonical in corrections.items())
    writers, status = min(WRITERS, len(left)), kind().Status
    with ThreadPoolExecutor(writers) as pool:
        done = [pool.submit(_write_some, client, status, left, deadline) for _ in range(writers)]
    shares = [writer.result() for writer in done]
    return Written(
        done=sum(share.done for share in shares),
        pending=sum(share.pending for share in shares) + len(left),
        refused={name: reason for share in shares for name, reason in share.refused.items()},
    )


def _write_some(
    client: api.Client, status: Any, left: deque[tuple[str, str, str]], deadline: float
) -> Written:
    """Write from ``left`` until it is empty or the time is over."""
    import httpx2

    written, skipped, refused = 0, 0, dict[str, str]()
    while time.monotonic() < deadline:
        try:
            correction = left.popleft()
        except IndexError:
            break
        try:
            _write(client, status, *correction)
            written += 1
        except httpx2.TimeoutException:
            # It may have been written, so it does no harm to write it again.
            left.append(correction)
            break
        except httpx2.HTTPStatusError as error:
            code, reason = error.response.status_code, api.reason(error)
            if is_refused(code, reason):
                refused[correction[0]] = f"the cluster refuses its status: {brief(reason)}"
            elif code == 429:
                left.append(correction)
                time.sleep(RETRY_SECONDS)
            elif code == 409:
                skipped += 1
            # Deleted or created anew since.
            elif code not in (404, 422):
                raise
    return Written(written, skipped, refused)


def is_refused(code: int, reason: str) -> bool:
    """Return whether the server refuses this mapping, rather than whatever the charm writes."""
    if _DENIED.search(reason):
        return True
    return code in _REFUSED and not _NOT_REFUSED.search(reason)


def _write(client: api.Client, status: Any, name: str, arn: str, canonical: str) -> None:
    """Write one ``status.canonicalARN``, unless the mapping no longer has the ARN ``arn``."""
    client.edit(
        status,
        name,
        [
            {"op": "test", "path": "/spec/arn", "value": arn},
            {"op": "add", "path": "/status", "value": {"canonicalARN": canonical}},
        ],
    )


def kind() -> Any:
    """Return the class that lightkube has for IAMIdentityMapping."""
    from lightkube import generic_resource

    return cast("Any", generic_resource).create_global_resource(
        "iamauthenticator.k8s.aws", "v1alpha1", "IAMIdentityMapping", "iamidentitymappings"
    )

"""`list-mappings`: who may log in, as whom, and what RBAC gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import clock
from access import declared, listing, mappings
from actions import MAX_BYTES, Context
from cluster import api, bindings, identity_mappings
from errors import cut, one_line


def run(params: Mapping[str, Any], context: Context) -> Mapping[str, str]:
    """Return ``mappings``, one page of a table or of JSON, and which of how many pages it is.

    ``ended`` is there if the charm has ended access within a day, ``left-out`` if a part of the
    option `mappings` has no meaning here, and ``warning`` if roles do not matter, because
    everybody may do everything.

    Raises:
        ValueError: there is no such page.
        errors.Unready: the API server does not answer as it should.
    """
    with api.errors_as_status():
        client = api.connect(context.machine.admin_kubeconfig)
        found = identity_mappings.find(client)
        bound, warning = bindings.find(client)
    report = mappings.check(found, str(context.options["partition"]))
    listed = listing.rows(found, report.problems, bound)
    form = listing.jsons if params["format"] == "json" else listing.tables
    pages = form(listed, MAX_BYTES)
    page = int(params["page"])
    if not 1 <= page <= len(pages):
        raise ValueError(f"there is no page {page}: give page=1 to page={len(pages)}")
    results = {"warning": one_line(warning)} if warning else {}
    if ended := context.shared.ended:
        lines = (f"{each.name} ({each.arn}) ended at {each.at}" for each in ended)
        results["ended"] = cut("\n".join(map(one_line, lines)), MAX_BYTES)
    if left_out := _left_out(str(context.options["mappings"])):
        results["left-out"] = cut("\n".join(map(one_line, left_out)), MAX_BYTES)
    return {
        **results,
        "mappings": pages[page - 1],
        "page": f"{page}",
        "pages": str(len(pages)),
        "total": str(len(listed)),
    }


def _left_out(option: str) -> list[str]:
    """Return each part of the option that has no meaning here, or that the option is wrong."""
    if not option:
        return []
    try:
        declaration = declared.parse(option, clock.now())
    except ValueError as error:
        return [f"everything: {error}"]
    return [f"{out.place}: {out.reason}" for out in declaration.left_out]

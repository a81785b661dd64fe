"""The action that says what another text of the option `mappings` would change."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.declaring import ACCOUNT, DEV, NAME, Declare, entry, name_of, names, stored
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.rbac import EVERYTHING
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.listing import add

from actions import MAX_BYTES
from actions.plan_mappings import CHANGES

OPS = f"{ACCOUNT}:role/Ops"
QA = f"{ACCOUNT}:role/Qa"


def plan(model: Model, *entries: dict[str, Any], **params: Any) -> dict[str, str]:
    return model.action("plan-mappings", mappings=json.dumps(entries), **params)


def lines(results: dict[str, str]) -> list[str]:
    return results["plan"].splitlines()


def of(arn: str) -> str:
    """A principal's mapping."""
    return f"mapping {name_of(arn)} of {arn}"


def counts(results: dict[str, str]) -> dict[str, int]:
    return {key: number for key in CHANGES if (number := int(results[key]))}


def test_given_a_text_when_planned_then_each_change_has_its_place_and_nothing_is_written(
    declare: Declare, deployed: Model, api: FakeCluster
):
    gone, new, taken = (f"{ACCOUNT}:user/{name}" for name in ("gone", "new", "taken"))
    declare(entry("dev", groups=["view"]), entry("gone", gone))
    api.add_mapping(name_of(taken), me := f"{ACCOUNT}:user/me")
    api.forget()
    texts = [
        entry("new", new, groups=["view"], expires="2027-01-01T00:00:00Z"),
        entry("dev", groups=["edit"]),
        entry("taken", taken),
        entry("node", f"{ACCOUNT}:role/Node", groups=["system:nodes"]),
        {"permission-set": "DevOps", "account": "111122223333"},
    ]
    until = "until 2027-01-01T00:00:00Z"
    forced = f"in place of one of {me}"
    unknown = "role unknown; log in once with this permission set, or set suffix"
    made = [
        f"change: mappings[1]: {of(DEV)}, 'dev' with groups 'edit'; was 'dev' with groups 'view'",
        f"make: mappings[0]: {of(new)}, 'new' with groups 'view', {until}",
        f"make: mappings[2]: {of(taken)}, 'taken' with no groups, {forced}",
        f"wait: mappings[4]: {unknown}",
        "leave-out: mappings[3]: nodes do not log in with IAM here",
    ]

    good = plan(deployed, *texts)
    faulty = plan(deployed, *texts, entry("bot", QA, oops=1), entry("dev"))

    assert api.changes == []
    assert counts(good) == {"delete": 1, "change": 1, "make": 2, "wait": 1, "leave-out": 1}
    assert lines(good) == [f"delete: {of(gone)}, 'gone' with no groups", *made]
    # Whom a text with faults no longer declares, nobody knows.
    assert counts(faulty) == {"fault": 2, "change": 1, "make": 2, "wait": 1, "leave-out": 1}
    assert lines(faulty) == [
        "fault: mappings[5]: the key 'oops' is unknown",
        "fault: mappings[6]: it has the same principal as mappings[1]",
        *made,
    ]


def test_given_a_plan_when_the_option_becomes_that_text_then_the_hook_does_what_it_said(
    declare: Declare, deployed: Model, api: FakeCluster
):
    declare(entry("dev", groups=["view"]), entry("gone", OPS))
    wanted = [entry("developer"), entry("new", f"{ACCOUNT}:user/new")]
    assert counts(plan(deployed, *wanted)) == {"change": 1, "delete": 1, "make": 1}

    declare(*wanted)

    assert names(api) == ["dev", "new"]
    assert stored(api, "dev")["spec"]["username"] == "developer"
    assert counts(plan(deployed, *wanted)) == {}
    assert plan(deployed, *wanted)["plan"] == "nothing would change"


def test_given_an_option_that_is_wrong_now_when_a_good_text_is_planned_then_that_alone_counts(
    deployed: Model,
):
    deployed.config["mappings"] = "- wrong"

    assert counts(plan(deployed, entry("dev"))) == {"make": 1}


def test_given_a_mapping_of_others_with_the_principal_when_planned_then_it_would_be_a_duplicate(
    deployed: Model, api: FakeCluster
):
    api.add_mapping("mine", DEV, DEV.lower())

    made, problem = lines(plan(deployed, entry("dev")))

    assert made.startswith("make: ")
    said = f"problem: mapping mine: same ARN as declared mapping {NAME}; run: kubectl"
    assert problem.startswith(said)


# What somebody could hide or forge by names that he chooses.


def test_given_masters_behind_many_groups_when_planned_then_it_is_the_first_that_is_shown(
    declare: Declare, deployed: Model
):
    declare(entry("ops", OPS))
    groups = [*(f"{number:0500}" for number in range(900)), "system:masters"]

    changed, made = lines(
        plan(deployed, entry("dev", groups=groups), entry("ops", OPS, groups=groups))
    )

    assert ", 'ops' with groups 'system:masters' (everything), '000" in changed
    assert ", 'dev' with groups 'system:masters' (everything), '000" in made
    assert made.endswith(", and 881 more")


def test_given_names_with_lines_and_quotes_when_planned_then_they_forge_no_line_and_no_value(
    deployed: Model, api: FakeCluster
):
    add(api, NAME, "Dev", "x'\ndelete  -  root  y", "a', remove 'view")

    results = plan(deployed, entry("dev", groups=["view"]))

    (change,) = lines(results)
    assert change.startswith("change: ")
    assert change.endswith(
        """; was "x'\\ndelete  -  root  y" with groups "a', remove 'view", made by kubectl"""
    )


def test_given_thousands_of_entries_when_planned_then_a_result_is_no_longer_than_juju_takes(
    deployed: Model,
):
    many = [entry(f"r{n}", f"{ACCOUNT}:role/R{n}", groups=["g" * 500]) for n in range(1_000)]

    results = plan(deployed, *many)

    assert results["make"] == "1000"
    assert all(len(text.encode()) <= MAX_BYTES for text in results.values())
    left = 1_000 - len(lines(results))
    assert 0 < left < 1_000
    assert results["more"] == f"and {left} more; the numbers beside the plan count these too"


def test_given_other_rights_when_planned_then_each_role_that_comes_or_goes_is_shown(
    declare: Declare, deployed: Model, api: FakeCluster
):
    view, edit = {"role": "view"}, {"role": "edit", "namespaces": ["default"]}
    declare(entry("dev", access=[view]), entry("ops", OPS, access=[view, edit]), entry("qa", QA))
    for role in ("view", "edit"):
        api.add_role(role, "get")
    api.forget()

    results = plan(
        deployed,
        entry("dev", access=[edit]),
        entry("ops", OPS, access=[view, edit]),
        entry("qa", QA, access=[view]),
    )

    assert api.changes == []
    assert counts(results) == {"change": 2}
    edited, viewed = "'ClusterRole edit in default'", "'ClusterRole view'"
    dev, qa = "'dev' with no groups", "'qa' with no groups"
    assert lines(results) == [
        f"change: mappings[0]: {of(DEV)}, {dev}, roles {edited}; was {dev}, roles {viewed}",
        f"change: mappings[2]: {of(QA)}, {qa}, roles {viewed}; was {qa}",
    ]


def test_given_a_role_or_a_group_that_allows_everything_when_planned_then_the_plan_says_so(
    deployed: Model, api: FakeCluster
):
    api.add_rules("all", EVERYTHING)
    api.namespaces.add("team")

    results = plan(
        deployed,
        entry("dev", access=[{"role": "all"}]),
        entry("ops", OPS, groups=["system:masters"]),
        entry("qa", QA, access=[{"role": "all", "namespaces": ["team"]}]),
    )

    dev, ops, qa = lines(results)
    assert "'ClusterRole all' (everything)" in dev
    assert "'system:masters' (everything)" in ops
    assert "everything" not in qa

"""What people and other programs do in the cluster, each with the rights that they have there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.juju.model import OWNER
from tests.fakes.kubernetes.paths import (
    CLUSTER_ROLE,
    CONFIG,
    DEFINITION,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    MAPPINGS,
    POLICY,
    POLICY_BINDING,
    SECRET,
    SERVICE,
)
from tests.fakes.kubernetes.rbac import RBAC
from tests.fakes.kubernetes.stored import renew
from tests.lives import access
from tests.lives.access import EXPIRES, MARK, SOURCE, Object
from tests.lives.option import Role, arn, principal

if TYPE_CHECKING:
    from tests.lives.life import Life

MASTERS = "system:masters"
# What nobody here may give.
NEVER: set[Role] = {("Group", MASTERS, "")}
DELEGATE = "mallory"
KEEP = "example.com/keep"
# What people put in the place of what the charm sets, by the object's path and the field.
EDITS: dict[str, tuple[tuple[str, ...], Any]] = {
    DEPLOYMENT: (("spec", "template", "spec", "priorityClassName"), "edited"),
    SERVICE: (("spec", "ports"), [{"port": 444, "targetPort": 444}]),
    CONFIG: (("data",), {}),
    CLUSTER_ROLE: (("rules",), []),
    DISRUPTION_BUDGET: (("spec", "maxUnavailable"), 0),
    POLICY_BINDING: (("spec", "validationActions"), ["Audit"]),
}
_OTHER = "other of model k8s (0)"


def _mapping(life: Life, number: int) -> Object | None:
    found = sorted(access.mappings(life.objects).items())
    return found[number % len(found)][1] if found else None


def _is_guarded(life: Life) -> bool:
    """Whether a policy refuses what a delegate may not write."""
    actions = life.objects.get(POLICY_BINDING, {}).get("spec", {}).get("validationActions", ())
    return POLICY in life.objects and "Deny" in actions


def delegate_maps(
    life: Life, name: str, masters: bool = False, ends: int | None = None, kept: bool = False
) -> None:
    """A delegate, who may write mappings, writes one for himself, with a finalizer if ``kept``."""
    path = f"{MAPPINGS}/{name}"
    if path in life.objects or DEFINITION not in life.objects:
        return
    if masters and (_is_guarded(life) or not life.is_guarded or life.were_guards_lost):
        return
    life.api.add_mapping(name, arn(DELEGATE), groups=[MASTERS] if masters else [])
    metadata = life.api.objects[path]["metadata"]
    if ends is not None:
        metadata["annotations"] = {EXPIRES: access.shown(life.now + ends if ends else 0)}
    if kept:
        metadata["finalizers"] = [KEEP]


def delegate_keeps(life: Life, number: int) -> None:
    """A delegate puts a finalizer on a mapping."""
    if (mapping := _mapping(life, number)) and "deletionTimestamp" not in mapping["metadata"]:
        mapping["metadata"]["finalizers"] = [KEEP]
        renew(mapping["metadata"])


def delegate_ends(life: Life, number: int, seconds: int) -> None:
    """A delegate gives a mapping another end: 0 is the beginning of time."""
    if mapping := _mapping(life, number):
        at = access.shown(life.now + seconds if seconds else 0)
        mapping["metadata"].setdefault("annotations", {})[EXPIRES] = at
        renew(mapping["metadata"])
        life.grants.pop(access.principal(mapping), None)


def crowd(life: Life, number: int, ends: int, kept: bool) -> None:
    """A delegate writes many mappings, which end soon."""
    if DEFINITION not in life.objects:
        return
    at = access.shown(life.now + ends if ends else 0)
    for each in range(number):
        life.api.add_mapping(f"crowd-{each}", arn(f"crowd{each}"), expires=at)
        if kept:
            life.api.objects[f"{MAPPINGS}/crowd-{each}"]["metadata"]["finalizers"] = [KEEP]


def person_maps(life: Life, name: str, who: str, other: str = "", group: str = "") -> None:
    """An administrator writes a mapping, whose status may admit somebody else."""
    path = f"{MAPPINGS}/{name}"
    if path in life.objects or DEFINITION not in life.objects:
        return
    canonical = principal(other or who)
    life.api.add_mapping(name, arn(who), canonical, groups=[group] if group else [])
    life.api.objects[path]["spec"]["username"] = who


def person_extends(life: Life, number: int, seconds: int) -> None:
    """An operator extends a grant as the page says: kubectl annotate."""
    grants = [
        each for each in access.mappings(life.objects).values() if access.source(each) == "grant"
    ]
    if grants:
        mapping = grants[number % len(grants)]
        if access.has_ended(mapping, life.now) and life.transport.runs:
            # The hook that is under way deletes it all the same.
            life.unsure.add(access.principal(mapping))
            life.grants.pop(access.principal(mapping), None)
        at = access.shown(life.now + seconds)
        mapping["metadata"].setdefault("annotations", {})[EXPIRES] = at
        renew(mapping["metadata"])


def person_deletes(life: Life, number: int) -> None:
    """An administrator deletes a mapping."""
    if mapping := _mapping(life, number):
        for run in life.transport.runs:
            run.deleted.add(access.principal(mapping))
        life.api.kubectl_delete(f"{MAPPINGS}/{mapping['metadata']['name']}")


def person_deletes_object(life: Life, path: str) -> None:
    """An administrator deletes one of the charm's objects."""
    if path in (POLICY, POLICY_BINDING):
        life.were_guards_lost = True
    if path == DEFINITION and path in life.objects:
        # All mappings go with it.
        life.grants.clear()
        life.held.clear()
        for run in life.transport.runs:
            run.deleted |= set(life.rights)
        for name in access.mappings(life.objects):
            life.api.delete(f"{MAPPINGS}/{name}")
    if path == SECRET:
        # Then nobody can say what the pods serve, and no unit is waited for.
        life.reasons.add("pair lost")
    if path in life.objects:
        life.api.kubectl_delete(path)


def person_edits_object(life: Life, path: str) -> None:
    """An administrator changes what the charm has set in one of its objects."""
    if path == POLICY_BINDING:
        life.were_guards_lost = True
    field = edited(life, path)
    if field is not None:
        field[EDITS[path][0][-1]] = EDITS[path][1]
        renew(life.objects[path]["metadata"])


def edited(life: Life, path: str) -> Object | None:
    """Return the part of an object that has the field which people edit; None without it."""
    found: Any = life.objects.get(path)
    *parents, last = EDITS[path][0]
    for each in parents:
        found = found and found.get(each)
    return found if found and last in found else None


def person_forces_object(life: Life, path: str) -> None:
    """An administrator takes the finalizers off one of the charm's objects, and deletes it."""
    if path == SERVICE:
        life.reasons.add("another address")
    if path in life.objects:
        life.api.delete(path)


def editor_binds(life: Life, space: str, number: int, how: str) -> None:
    """An editor of a namespace, who may write RoleBindings there, has another one of a name."""
    scope = f"{RBAC}/namespaces/{space}/rolebindings/"
    found = sorted(path for path in life.objects if path.startswith(scope))
    if not found:
        return life.api.add_binding(f"{space}/theirs", "ClusterRole/view", Group="devs")
    path = found[number % len(found)]
    binding = life.api.objects[path]
    if how == "deletes it":
        life.api.delete(path)
    elif how == "keeps it":
        binding["metadata"]["finalizers"] = [KEEP]
        renew(binding["metadata"])
    else:
        life.api.delete(path)
        life.api.add_binding(
            f"{space}/{path.rpartition('/')[2]}", "ClusterRole/view", Group="devs"
        )
        if how == "has another role, and keeps it":
            life.api.objects[path]["metadata"]["finalizers"] = [KEEP]
    return None


def another_application(life: Life, name: str, who: str) -> None:
    """Another application of this charm grants access."""
    path = f"{MAPPINGS}/{name}"
    if path in life.objects or DEFINITION not in life.objects:
        return
    life.api.add_mapping(name, arn(who), principal(who), source="", groups=[f"other:{name}"])
    life.api.add_binding(f"other-{name}", "ClusterRole/edit", Group=f"other:{name}")
    metadata = life.api.objects[f"{RBAC}/clusterrolebindings/other-{name}"]["metadata"]
    metadata["labels"] = {SOURCE: "grant"}
    metadata["annotations"] = {MARK: _OTHER}


def heir_claims(life: Life) -> list[str]:
    """Another application claims the authenticator: it has marked the Service, and is about to
    mark the other objects. Return the paths of all but the guards, which outlive both."""
    guards = (DEFINITION, POLICY, POLICY_BINDING)
    marked = {path for path, each in life.objects.items() if access.mark(each) == OWNER.mark}
    found = sorted(marked.difference(guards))
    if SERVICE not in found:
        return []
    for path in found:
        metadata = life.objects[path]["metadata"]
        del metadata["annotations"][MARK]
        if path == SERVICE:
            metadata["annotations"][MARK] = _OTHER
        renew(metadata)
    return found


def pods_start(life: Life, seconds: int) -> None:
    """From now on, nodes take so long until a new pod serves."""
    life.api.start_seconds = seconds


def takes_address(life: Life, number: int) -> None:
    """An editor of another namespace makes a Service with an address, if that is free."""
    addresses = sorted(life.addresses)
    if not addresses:
        return
    address = addresses[number % len(addresses)]
    taken = {each.get("spec", {}).get("clusterIP") for each in life.objects.values()}
    if address not in taken:
        life.api.taken_addresses.add(address)
        # The charm's Service gets another, and its certificate has it.
        life.reasons.add("another address")
    if not life.model.peer.get("address"):
        # Nor does an application know of it that has had none yet.
        life.addresses -= life.api.taken_addresses

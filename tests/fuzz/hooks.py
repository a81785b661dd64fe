"""Targets that are whole hooks and actions, in a `tests.fuzz.damaged_unit.DamagedUnit`.

An input is what is damaged, and the event that is to meet it. To add a target, write a function
that returns an input, one that puts the input around the unit, and a line in `TARGETS`.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import json
from collections.abc import Callable
from random import Random
from typing import Any

import httpx2
import ops.testing
from tests.fakes.certificates.self_signed import SelfSigned
from tests.fakes.juju.model import Easyrsa
from tests.fakes.kubernetes.faults import answer
from tests.fakes.kubernetes.paths import MAPPINGS, PODS, SECRET, SETTLED
from tests.fakes.kubernetes.pods import UNSCHEDULABLE, waiting
from tests.fuzz import mutate, samples
from tests.fuzz.damaged_unit import DamagedUnit, restore
from tests.fuzz.functions import control_plane
from tests.fuzz.functions.access import ARNS, LOGGED_AT, make_declared, make_log
from tests.fuzz.functions.certificates import damage_reply
from tests.fuzz.functions.config import make_config
from tests.fuzz.functions.login_kubeconfig import make_client, make_kubeconfig
from tests.fuzz.runner import Target

Sample = dict[str, Any]

EVENTS = (
    *("update_status", "config_changed", "upgrade_charm", "leader_elected", "install", "start"),
    *("certificates changed", "certificates broken", "aws-iam changed", "remove"),
)


@functools.cache
def legacy() -> DamagedUnit:
    """Return a unit with the older protocol of certificates."""
    return DamagedUnit(Easyrsa(samples.AUTHORITY))


@functools.cache
def modern() -> DamagedUnit:
    """Return a unit with the newer protocol of certificates."""
    return DamagedUnit(SelfSigned())


@functools.cache
def implicit() -> DamagedUnit:
    """Return a unit on a control plane of Charmed Kubernetes >= 1.29."""
    return DamagedUnit(Easyrsa(samples.AUTHORITY), "control-plane")


def hook(
    name: str,
    make: Callable[[Random], Sample],
    damage: Callable[[DamagedUnit, Sample], None],
    damaged: Callable[[], DamagedUnit] = legacy,
) -> Target:
    """Return a target that runs hooks with inputs of ``make``, which ``damage`` applies.

    The input's ``event`` is the event of the first hook; ``follows`` says that the unit is not
    the leader.
    """

    def make_hook(rng: Random) -> Sample:
        event = rng.choice(EVENTS) if rng.random() < 0.5 else "update_status"
        if damaged is implicit and event.startswith("aws-iam"):
            event = "start"
        return {**make(rng), "event": event, "follows": rng.random() < 0.1}

    def check(sample: Sample) -> None:
        def apply(here: DamagedUnit) -> None:
            here.model.leader = None if sample.get("follows") else 0
            damage(here, sample)

        damaged().examine(apply, sample.get("event", "update_status"))

    return Target(f"hook: {name}", make_hook, check, weight=4)


def warm_up() -> None:
    """Make the units, so that no process of a target must."""
    for damaged in (legacy, modern, implicit):
        damaged()
    _answers()


# Relations


def make_legacy(rng: Random) -> Sample:
    app, unit = legacy().answer
    if rng.random() < 0.1:
        app = {"certificates": "[{}]", "request_errors": mutate.json_text(rng, "[]")}
    return {"app": app, "unit": mutate.bag(rng, unit, damage_reply)}


def make_modern(rng: Random) -> Sample:
    app, unit = modern().answer
    error = {"code": 101, "name": "IP_NOT_ALLOWED", "message": "no", "reason": None}
    csr = json.loads(app["certificates"])[0]["certificate_signing_request"]
    extra = {
        "request_errors": json.dumps([{"csr": csr, "error": error}]),
        "capabilities": json.dumps({"supports_ip_sans": False, "version": 1}),
    }
    chosen = {key: extra[key] for key in rng.sample(sorted(extra), rng.choice((0, 0, 1)))}
    return {"app": mutate.bag(rng, {**app, **chosen}, damage_modern), "unit": unit}


def damage_modern(rng: Random, text: str) -> str:
    """Return a value of the newer protocol's databag with damage."""
    found, name = mutate.decoded(text), rng.choice(("certificate", "ca", "chain", "revoked"))
    try:
        entry = found[0]
        if name == "chain":
            entry["chain"][-1] = mutate.pem(rng, entry["chain"][-1])
        elif name == "revoked":
            entry["revoked"] = rng.choice((True, "true", None, 1))
        else:
            entry[name] = mutate.pem(rng, entry[name])
    except (AttributeError, LookupError, TypeError):
        return mutate.json_text(rng, text)
    return json.dumps(found) if rng.random() < 0.6 else mutate.json_text(rng, text)


def damage_certificates(damaged: DamagedUnit, sample: Sample) -> None:
    damaged.model._answer = (sample.get("app", {}), sample.get("unit", {}))


def make_interface(rng: Random) -> Sample:
    return {"unit": control_plane.make_interface(rng)}


def damage_interface(damaged: DamagedUnit, sample: Sample) -> None:
    damaged.model.units[0].control_plane = sample.get("unit", {})


def make_peers(rng: Random) -> Sample:
    damaged = legacy()
    good = {**damaged.model.peer, "inherited": "true"}
    app = mutate.bag(rng, good, mutate.pem)
    return {"app": app, "unit": mutate.bag(rng, damaged.model.units[0].peer, mutate.text)}


def damage_peers(damaged: DamagedUnit, sample: Sample) -> None:
    damaged.model.peer = sample.get("app", {})
    damaged.model.units[0].peer = sample.get("unit", {})


# The operator


def make_options(rng: Random) -> Sample:
    made = make_config(rng)
    options = {
        "image": made["image"],
        "cluster-id": made["cluster_id"],
        "partition": made["partition"],
    }
    texts = {key: mutate.utf8(text) for key, text in options.items()}
    declared = {"mappings": make_declared(rng)} if rng.random() < 0.3 else {}
    return {"options": {**texts, **declared, "replicas": made["replicas"]}}


def damage_options(damaged: DamagedUnit, sample: Sample) -> None:
    damaged.model.config = sample.get("options", {})


# The machine


def make_file(rng: Random) -> Sample:
    text = make_kubeconfig(rng).encode(errors="surrogatepass")
    return {"file": mutate.data(rng, text) if rng.random() < 0.2 else text}


def damage_file(damaged: DamagedUnit, sample: Sample) -> None:
    damaged.files.admin.write_bytes(sample.get("file", b""))


def make_program(rng: Random) -> Sample:
    good = f"X = 'https://{samples.ADDRESS}:443/authenticate'\nT = 'https://{samples.TOKEN}/'\n"
    return {"file": mutate.text(rng, good).encode(errors="surrogatepass")}


def damage_program(damaged: DamagedUnit, sample: Sample) -> None:
    damaged.files.auth_webhook.write_bytes(sample.get("file", b""))


def make_places(rng: Random) -> Sample:
    """Return what is in the place of one or two of the machine's files."""
    numbers = rng.sample(range(7), rng.choice((1, 2)))
    return {"places": {n: rng.choice(("folder", "full", "nowhere", "loop")) for n in numbers}}


def damage_places(damaged: DamagedUnit, sample: Sample) -> None:
    """Put a folder, an empty one or not, or a link that leads nowhere, in a file's place."""
    for number, kind in sample.get("places", {}).items():
        path = damaged._paths()[number]
        restore(path, None)
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind in ("folder", "full"):
            path.mkdir()
        if kind == "full":
            (path / "x").touch()
        if kind in ("nowhere", "loop"):
            path.symlink_to("no-such-file" if kind == "nowhere" else path.name)


# The cluster


@functools.cache
def _answers() -> dict[str, Any]:
    """Return what the cluster answers to every request of a hook."""
    damaged, found = legacy(), {}

    def watch(request: httpx2.Request) -> httpx2.Response:
        response = damaged.api._handle(request)
        found[f"{request.method} {request.url.path}"] = json.loads(response.content)
        return response

    def damage(_: DamagedUnit) -> None:
        damaged.api.add_mapping("m", ARNS[0])
        damaged.api.add_pod(
            "p", containerStatuses=waiting("ErrImagePull"), conditions=UNSCHEDULABLE
        )
        damaged.api.start_seconds = None
        damaged.api.delete(SECRET)
        damaged.api.fail(watch)

    damaged.examine(damage)
    return {key: value for key, value in found.items() if isinstance(value, dict)}


def make_answers(rng: Random) -> Sample:
    """Return one or two requests with what is answered to them."""
    answers = {}
    for _ in range(rng.choice((1, 1, 2))):
        request = rng.choice((*SETTLED, f"GET {PODS}", f"GET {MAPPINGS}"))
        good = _answers().get(request, {"metadata": {}, "items": []})
        code = rng.choice((200, 200, 200, 200, rng.randrange(100, 600)))
        if code >= 400:
            good = {"kind": "Status", "message": "no", "reason": "Forbidden", "code": code}
        body = mutate.data(rng, json.dumps(good).encode())
        if mutate.decoded(body.decode(errors="replace")) is not None:
            # What answers in Kubernetes' own shape is Kubernetes.
            body = body[: len(body) // 2]
        kind = rng.choice(("application/json", "application/json", "text/html", None))
        answers[request] = [code, body, kind]
    return {"answers": answers, "deploys": rng.random() < 0.3, "stuck": rng.random() < 0.2}


def damage_answers(damaged: DamagedUnit, sample: Sample) -> None:
    if sample.get("deploys"):
        damaged.api.clear()
    if sample.get("stuck"):
        damaged.api.start_seconds = None
    for request, (code, body, kind) in sample.get("answers", {}).items():
        damaged.api.fail(answer(code, body, kind), request=request)


def make_mappings(rng: Random) -> Sample:
    """Return mappings as they are stored."""
    arn = rng.choice(ARNS)
    good = {
        "spec": {"arn": arn, "username": "u", "groups": ["g"]},
        "status": {"canonicalARN": arn.lower(), "userID": "AROA"},
    }
    stored = []
    for _ in range(rng.randint(1, 3)):
        item = mutate.value(rng, good) if rng.random() < 0.5 else {**good}
        if not isinstance(item, dict):
            item = {}
        if rng.random() < 0.7:
            item["spec"] = {"arn": mutate.text(rng, arn, ARNS)}
        # No API server stores half a character.
        stored.append(json.loads(mutate.utf8(json.dumps(item, ensure_ascii=False))))
    return {"mappings": stored}


def damage_mappings(damaged: DamagedUnit, sample: Sample) -> None:
    for number, item in enumerate(sample.get("mappings", [])):
        metadata = {"name": f"m{number}", "resourceVersion": "1"}
        path = f"{MAPPINGS}/{metadata['name']}"
        damaged.api.put(path, {**copy.deepcopy(item), "metadata": metadata})


# The actions


def action(name: str, make: Callable[[Random], Sample]) -> Target:
    """Return a target that runs an action with inputs of ``make``."""

    def check(sample: Sample) -> None:
        damaged = legacy()
        with damaged.borrowed(), contextlib.suppress(ops.testing.ActionFailed):
            if "file" in sample:
                damaged.files.client.write_bytes(sample["file"])
            damage_options(damaged, sample)
            damage_mappings(damaged, sample)
            if "log" in sample:
                damaged.api.add_log("a", "".join(sample["log"]).encode())
            damaged.action(name, **sample.get("params", {}))

    return Target(f"action: {name}", make, check, weight=2)


def make_get_kubeconfig(rng: Random) -> Sample:
    """Return parameters of get-kubeconfig, and the file that it reads."""
    params = make_client(rng)
    chosen = rng.sample(("arn", "region", "profile", "context", "server"), rng.randint(0, 4))
    sample: Sample = {"params": {key: params[key] for key in chosen}}
    return sample if rng.random() < 0.5 else {**sample, **make_file(rng)}


def make_access(rng: Random, **good: str) -> Sample:
    """Return parameters with damage, mappings in the cluster and, for some, declared ones."""
    params = {
        key: mutate.utf8(mutate.text(rng, text)) if rng.random() < 0.3 else text
        for key, text in good.items()
        if rng.random() < 0.9
    }
    declared = {"options": {"mappings": make_declared(rng)}} if rng.random() < 0.3 else {}
    return {"params": params, **make_mappings(rng), **declared}


def make_grant_access(rng: Random) -> Sample:
    """Return parameters of grant-access. Juju itself demands a username."""
    lasts = {"for": rng.choice(("30m", "1d", "1h30m", "366d"))}
    good = {"arn": rng.choice(ARNS), "groups": "view,dev", "reason": "a ticket", **lasts}
    sample = make_access(rng, **good, username="bob", name="m1")
    params = {"arn": good["arn"], "username": "bob", **sample["params"]}
    return {**sample, "params": {**params, "dry-run": rng.random() < 0.2}}


def make_revoke_access(rng: Random) -> Sample:
    target = {"arn": rng.choice(ARNS)} if rng.random() < 0.7 else {"name": "m1"}
    return make_access(rng, **target)


def make_list_mappings(rng: Random) -> Sample:
    """Return parameters of list-mappings, in the ranges that Juju itself checks."""
    params = {"format": rng.choice(("table", "json")), "page": rng.choice((1, 1, 2, 2**31))}
    return {**make_access(rng), "params": params}


def make_plan_mappings(rng: Random) -> Sample:
    params = {"mappings": make_declared(rng), "page": rng.choice((1, 1, 2))}
    return {**make_access(rng), "params": params}


def make_explain_access(rng: Random) -> Sample:
    """Return parameters of explain-access. Juju itself demands an arn."""
    arn = rng.choice(ARNS)
    sample = make_access(rng, arn=arn)
    return {**sample, "params": {"arn": arn, **sample["params"]}}


def make_list_refusals(rng: Random) -> Sample:
    """Return what the authenticator logged of strangers, with mappings, for some declared ones."""
    now = "1970-01-01T00:00:05Z"
    log = [mutate.utf8(line).replace(LOGGED_AT, now) + "\n" for line in make_log(rng)]
    return {**make_access(rng), "log": log}


TARGETS = (
    hook("certificates, older", make_legacy, damage_certificates),
    hook("certificates, newer", make_modern, damage_certificates, modern),
    hook("aws-iam", make_interface, damage_interface),
    hook("peers", make_peers, damage_peers),
    hook("options", make_options, damage_options),
    hook("admin's kubeconfig", make_file, damage_file),
    hook("auth-webhook.py", make_program, damage_program, implicit),
    hook("machine's files", make_places, damage_places),
    hook("cluster's answers", make_answers, damage_answers),
    hook("cluster's answers, >= 1.29", make_answers, damage_answers, implicit),
    hook("mappings", make_mappings, damage_mappings),
    action("get-kubeconfig", make_get_kubeconfig),
    action("grant-access", make_grant_access),
    action("revoke-access", make_revoke_access),
    action("list-mappings", make_list_mappings),
    action("plan-mappings", make_plan_mappings),
    action("explain-access", make_explain_access),
    action("list-refusals", make_list_refusals),
)

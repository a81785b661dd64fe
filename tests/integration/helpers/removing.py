"""A cluster to which aws-iam comes and from which it goes again, once for each test."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import jubilant
from tests.integration.helpers import (
    bundle,
    how_to,
    juju_status,
    kubernetes,
    snapshot,
    units,
    upgrade_page,
)
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import MAPPINGS, Cluster
from tests.integration.helpers.snapshot import Object, Snapshot

APP = "aws-iam"
CONTROL_PLANE = "kubernetes-control-plane"
OPTION = "authn-webhook-endpoint"
PAGE = "remove.md"
NEWER = "On Charmed Kubernetes 1.29 and newer"
WENT_FIRST = "If the application went first"
LEFT = "If something is left"
MAPPINGS_TOO = "The mappings too"
STAYS = "What stays"
# Each hook of a unit that goes may wait for an API server.
GONE_SECONDS = 420
# Longer than units need to go.
HELD_SECONDS = 30
# What Kubernetes deletes by itself goes a moment after its owner.
SETTLED_SECONDS = 60
_AT_ONCE = ("--force", "--grace-period=0", "--ignore-not-found", "--wait=false")
_ARN = "arn:aws:iam::111122223333:role/{}"
_ACCESS = [{"role": "view"}, {"role": "edit", "namespaces": ["default"]}]
_COMMAND = re.compile(r"kubectl -n kube-system delete --ignore-not-found .*")


@dataclass(frozen=True)
class Site:
    """A deployed cluster, and everything that it and its machines had before aws-iam came.

    `by_option` says how the control plane learns of the webhook: by its option, as from 1.29 on,
    or by the relation.
    """

    juju: jubilant.Juju
    cluster: Cluster
    before: Snapshot
    by_option: bool

    def deploy(self, *, authority: bool = True) -> None:
        """Deploy aws-iam on the control plane, with easyrsa or without an authority."""
        self.juju.deploy(bundle.packed_charm(), APP, base=bundle.BASE)
        if authority:
            self.juju.integrate(f"{APP}:certificates", "easyrsa:client")
        ends = ("control-plane", "juju-info") if self.by_option else (APP, APP)
        self.juju.integrate(f"{APP}:{ends[0]}", f"{CONTROL_PLANE}:{ends[1]}")

    def serve(self) -> None:
        """Deploy aws-iam, and let people in: one by the option, and one by each other way."""
        self.deploy()
        entry = {"arn": _ARN.format("declared"), "username": "declared", "access": _ACCESS}
        self.juju.config(APP, {"mappings": json.dumps([entry])})
        if self.by_option:
            self.wait_until_idle("blocked")
            self.set_webhook()
        self.wait_until_idle("active")
        self.cluster.map("people-view", _ARN.format("people-view"), "people", "view")
        grant = {"arn": _ARN.format("granted"), "username": "granted", "role": "view"}
        self.juju.run(units.leader(self.juju), "grant-access", grant)
        self.wait_until_idle("active")

        def status() -> object:
            return self.cluster.get(MAPPINGS, "people-view").get("status")

        eventually(status, "people's mapping works")

    def set_webhook(self) -> None:
        """Run the command that the status of each unit gives, and have the units see it.

        They would look half a minute later.
        """
        how_to.run(self.juju, upgrade_page.command_in_status(self.juju))
        juju_status.wait_until_idle(self.juju)
        for unit in units.names(self.juju):
            juju_status.run_update_status(self.juju, unit)

    def empty_the_option(self) -> None:
        """Empty the control plane's option as the page says, until each unit has seen it."""
        reset, wanted, _ = how_to.shown(PAGE, NEWER)
        how_to.run(self.juju, reset)
        start = wanted.partition(";")[0]

        def seen() -> bool:
            said = [juju_status.message(self.juju, unit) for unit in units.names(self.juju)]
            return all(message.startswith(start) for message in said)

        with juju_status.frequent_update_status(self.juju):
            eventually(seen, start, juju_status.WAIT_SECONDS)

    def wait_until_idle(self, status: str) -> None:
        """Wait until no hook runs and none is due, and aws-iam has this status."""
        juju_status.wait_until(self.juju, status)

    def remove(self) -> None:
        """Remove aws-iam once its units are idle, and wait until it is gone."""
        juju_status.wait_until_idle(self.juju)
        self.juju.remove_application(APP)
        self.wait_until_gone()

    def remove_last(self, last: list[str]) -> None:
        """Remove aws-iam, so that these of its units run their hooks after all others are gone."""
        principals = [units.principal(self.juju, unit) for unit in last]

        def are_held(status: jubilant.Status) -> bool:
            found = status.get_units(CONTROL_PLANE)
            return all(found[each].juju_status.current == "executing" for each in principals)

        juju_status.wait_until_idle(self.juju)
        with ThreadPoolExecutor() as pool:
            for each in principals:
                # On a machine, one hook or one command runs at a time.
                pool.submit(self.juju.exec, f"sleep {HELD_SECONDS}", unit=each)
            self.juju.wait(are_held, delay=0.1)
            self.juju.remove_application(APP)
            self.juju.wait(lambda status: {*status.get_units(APP)} == {*last}, delay=0.1)
        self.wait_until_gone()

    def wait_until_gone(self) -> None:
        def gone(status: jubilant.Status) -> bool:
            return APP not in status.apps and jubilant.all_agents_idle(status)

        self.juju.wait(gone, delay=0.5, successes=2, timeout=GONE_SECONDS)

    def peoples_mappings(self) -> list[Object]:
        """Return the mappings that people made, whole, with what the server says of them."""
        found = self.cluster.get(MAPPINGS, "--show-managed-fields")["items"]
        made_by = "aws-iam/source"
        return [each for each in found if made_by not in each["metadata"].get("labels", {})]

    @contextlib.contextmanager
    def only_people_stay(self, *more: str) -> Iterator[None]:
        """Check that a removal leaves people's mappings as they were, and just `more` besides."""
        people = self.peoples_mappings()
        yield
        self.check_left(*names(people), *more)
        assert self.peoples_mappings() == people

    def differences(self) -> list[str]:
        """Return what there is now and was not before aws-iam came, and the reverse."""
        return snapshot.differences(self.before, snapshot.take(self.juju, self.cluster))

    def check_left(self, *more: str) -> None:
        """Check that aws-iam has left what it always leaves, and besides that just `more`."""
        wanted = sorted([*self._kept(), *more])
        with contextlib.suppress(AssertionError):
            eventually(lambda: self._settled() == wanted, "settled", SETTLED_SECONDS)
        found = self._settled()
        assert found == wanted, f"{sorted({*found} ^ {*wanted})} of {found}"

    def check_as_before(self) -> None:
        """Check that everything is as it was before aws-iam came."""
        with contextlib.suppress(AssertionError):
            eventually(lambda: not self._settled(), "settled", SETTLED_SECONDS)
        found = self._settled()
        assert found == [], found

    def log(self) -> str:
        """Return what the units of aws-iam have logged, as the page has its readers print it."""
        return self.juju.cli("debug-log", "--replay", "--include", APP)

    def command_in_log(self) -> str:
        """Return the last command that the log has for everything that a removal left."""
        return _COMMAND.findall(self.log())[-1].rstrip()

    def run(self, command: str) -> str:
        """Run a command in the shell of the cluster's administrator; return what it prints."""
        done = subprocess.run(
            ["/bin/bash", "-c", command],
            env={
                **os.environ,
                "KUBECONFIG": str(self.cluster.admin),
                "JUJU_MODEL": self.juju.model or "",
            },
            capture_output=True,
            text=True,
            timeout=GONE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def restore(self) -> None:
        """Bring back what was there before aws-iam came, whatever a test has left."""
        if APP in self.juju.status().apps:
            self.juju.remove_application(APP, force=True)
            self.wait_until_gone()
        if self.by_option:
            self.juju.config(CONTROL_PLANE, {OPTION: ""})
        juju_status.wait_until_idle(self.juju)
        new = [line.removeprefix("+ ") for line in self.differences() if line.startswith("+ ")]
        # The CRD goes last: with it go all mappings.
        for what in sorted(new, key=lambda what: MAPPINGS in what):
            self._take_away(what)
        self.check_as_before()

    def changed(self) -> list[str]:
        """Return what was there before aws-iam and is different now: what a webhook changes."""
        return [line for line in self.differences() if line.startswith("~ ")]

    def service(self) -> list[str]:
        """Return the Services of aws-iam, with what Kubernetes makes of each."""
        kinds = ("Service", "Endpoints", "EndpointSlice", "IPAddress")
        return [line for line in self.differences() if line.split()[1] in kinds]

    def _take_away(self, what: str) -> None:
        if "/" in what.partition(" ")[0]:
            unit, _, path = what.partition(":")
            self.juju.exec("rm", "-rf", path, unit=unit)
            return
        kind, _, name = what.partition(" ")
        namespace, _, name = name.rpartition("/")
        where = ("-n", namespace or "default", f"{kind.lower()}/{name}")
        self.cluster.refusal(
            "patch", *where, "--type=merge", "-p", '{"metadata":{"finalizers":null}}'
        )
        self.cluster.refusal("delete", *where, "--ignore-not-found", "--wait=false")

    def _settled(self) -> list[str]:
        """End the pods that are going, which would serve for a minute, and return what is left."""
        for pod in self.cluster.pods():
            if "deletionTimestamp" in pod["metadata"]:
                name = pod["metadata"]["name"]
                self.cluster.kubectl("delete", "-n", "kube-system", "pod", name, *_AT_ONCE)
        return sorted(self.differences())

    def _kept(self) -> list[str]:
        """Return what every removal leaves: the CRD, with what serves it, and what guards it."""
        kinds = self.cluster.kubectl("api-resources", "--output=name")
        guards = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
        guarded = "validatingadmissionpolicies." in kinds
        return [
            f"+ CustomResourceDefinition {MAPPINGS}",
            "+ APIService v1alpha1.iamauthenticator.k8s.aws",
            *(f"+ {kind} aws-iam-mappings" for kind in guards if guarded),
        ]


def names(found: list[Object]) -> list[str]:
    """Return objects as `Site.differences` shows them where they are new."""
    return [f"+ {snapshot.name(each)}" for each in found]


def new_site(juju: jubilant.Juju, folder: Path, channel: str, number: int) -> Site:
    """Deploy Charmed Kubernetes with this number of control planes, without aws-iam."""
    juju.deploy("charmed-kubernetes", channel=channel)
    juju.wait(_settled, delay=0.5, successes=2, timeout=juju_status.WAIT_SECONDS)
    if number > 1:
        juju.add_unit(CONTROL_PLANE, num_units=number - 1)
    juju.wait(_settled, delay=0.5, successes=4, timeout=juju_status.WAIT_SECONDS)
    cluster = Cluster(folder / "admin", folder / "person")
    cluster.admin.write_text(kubernetes.admins_kubeconfig(juju))
    before = snapshot.take(juju, cluster)
    return Site(juju, cluster, before, by_option=not channel.startswith("1.28/"))


def _settled(status: jubilant.Status) -> bool:
    return jubilant.all_active(status) and jubilant.all_agents_idle(status)

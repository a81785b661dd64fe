# SPDX-License-Identifier: Apache-2.0

"""What a unit's last hooks do: bring the machine and the cluster to nothing of ours."""

from __future__ import annotations

import dataclasses
import functools
import logging
import time
from collections.abc import Callable

from lightkube.resources.apiextensions_v1 import CustomResourceDefinition

from access.desired import Access
from cluster import access, api, objects, references, services
from cluster.errors import errors_as_status
from errors import Blocked, Unready, bugs_as_status, collected
from hook import Hook
from juju import control_plane
from machine import files, webhook
from machine.files import Machine
from owner import GRANT, OPTION, SOURCE
from statuses import waiting
from text import status_line

logger = logging.getLogger(__name__)

# How often one hook tries, how long it waits in between, and how long one more try may take. The
# next hook tries again too.
TRIES, RETRY_SECONDS, TRY_SECONDS = 3, 1.0, 8.0
# The commands with which a person removes the access that the charm has given.
ACCESS_REMOVAL = (
    f"kubectl delete iamidentitymappings --selector {SOURCE}; "
    f"kubectl delete clusterrolebindings --selector {SOURCE}; "
    f"kubectl delete rolebindings --all-namespaces --selector {SOURCE}"
)
# Says whether this machine's control plane sends logins to an address.
Asks = Callable[[str], bool]


@dataclasses.dataclass
class Remains:
    """What a removal leaves."""

    failed: list[Unready]  # Why objects stay that should go.
    # How many mappings and bindings of the charm's stay: no time was left, or a refusal.
    access: int = 0
    address: str = ""  # The address at which the Service is kept; empty if it is not.


def run(hook: Hook, *, with_file: bool) -> str:
    """Remove what is the application's. Log what stays, and the commands that remove it.

    Every last hook of a unit runs this, because Juju may leave out the others. ``with_file``
    removes the webhook file too: the control plane must not look for it any more. What another
    application has written on this machine stays.

    While this machine's control plane sends logins to the Service, the Service stays, without
    pods: whoever got its address would get the tokens.

    Return what the operator must do first, as a status; empty if that is nothing.
    """
    memory, machine = hook.memory, hook.machine
    try:
        if not webhook.is_foreign(machine, hook.owner):
            files.remove(*([machine.webhook] if with_file else []), machine.login_kubeconfig)
    except Blocked as reason:
        logger.warning(status_line(reason))
    asks = functools.partial(webhook.asks, machine)
    # The control plane may render another address meanwhile.
    first = f"{_reset(machine, memory.address)}: " if asks(memory.address) else ""
    try:
        # What another Kubernetes has under the charm's names is somebody else's.
        if not control_plane.is_supported(machine) or hook.principal_leaves():
            return ""
        # A unit in error would never go.
        with bugs_as_status(hook.charm.unit.name), errors_as_status():
            remains = _remove(hook, api.connect(machine.admin_kubeconfig), asks)
    except Unready as reason:
        remains = Remains([reason])
    memory.keeps = memory.keeps or bool(remains.address)
    if remains.failed:
        logger.warning(
            "the cluster keeps what this charm deployed (%s); unless another application of this "
            "charm uses it, remove it with: %s%s",
            *(status_line(remains.failed[0]), first, removal_command()),
        )
    if remains.access:
        logger.warning(waiting.MAPPINGS_LEFT(number=remains.access, command=ACCESS_REMOVAL))
    if not remains.address:
        return ""
    principal = control_plane.principal_unit()
    kubectl = "/snap/bin/kubectl --kubeconfig /root/.kube/config"
    logger.warning(
        "the Service stays: %s still sends logins to its address, and whoever has that reads "
        "their tokens. Delete it with: %s: juju exec --unit %s -- '%s'",
        *(principal, _reset(machine, remains.address), principal, _service_removal(kubectl)),
    )
    return waiting.SERVICE_KEPT(command=control_plane.reset_command(machine, remains.address))


def _reset(machine: Machine, address: str) -> str:
    """Return what to do until no control plane sends logins to ``address``."""
    application = control_plane.application()
    shown = f"juju exec --application {application} -- grep _ENDPOINT {Machine().auth_webhook}"
    reset = control_plane.reset_command(machine, address)
    return f"first {reset}; then, when {shown} no longer shows {address}"


def removal_command() -> str:
    """Return the commands with which a person removes everything that the charm owns."""
    owned = [each for each in references.OWNED if each != references.SERVICE]
    named = " ".join(f"{each.kind.lower()}/{each.name}" for each in owned)
    delete = f"kubectl -n {references.NAMESPACE} delete --ignore-not-found {named}"
    return f"{delete}; {_service_removal('kubectl')}; {ACCESS_REMOVAL}"


def _service_removal(kubectl: str) -> str:
    """Return the commands that delete the Service. Its finalizers would keep it, and ``kubectl``
    waiting for its end."""
    kubectl, service = f"{kubectl} -n {references.NAMESPACE}", f"service {references.NAME}"
    patch = f'{kubectl} patch {service} --patch "metadata: {{finalizers: null}}"'
    return f"{patch}; {kubectl} delete {service}"


def _remove(hook: Hook, client: api.Client, asks: Asks) -> Remains:
    """Delete all that the application owns: never the CRD, its policy and people's mappings.

    Try again what fails, as long as there is time.
    """
    remains = _try(hook, client, asks)
    for _ in range(TRIES - 1):
        if not (remains.failed or remains.access) or client.seconds_left < TRY_SECONDS:
            break
        time.sleep(RETRY_SECONDS)
        remains = _try(hook, client, asks)
    return remains


def _try(hook: Hook, client: api.Client, asks: Asks) -> Remains:
    """Try once. What the server does not delete keeps nothing else from going.

    The authenticator goes first: if there is no time for all mappings, nobody logs in. The Service
    goes last, because its mark says whose all is: an application that waits for it would take over
    the access with it.
    """
    remains, service = Remains([]), None
    with collected(remains.failed), errors_as_status(references.SERVICE.text):
        service = objects.get(client, references.SERVICE)
        # Somebody may have deleted the Service, or taken its mark off.
        mark = objects.mark_of(service) or objects.mark_of(
            objects.get(client, references.DEPLOYMENT)
        )
        if hook.owner.is_foreign(mark):
            return remains
    if remains.failed:
        return remains
    for what in references.OWNED:
        if what != references.SERVICE:
            with collected(remains.failed), errors_as_status(what.text):
                objects.delete(client, what)
    with collected(remains.failed), errors_as_status():
        remains.access = _remove_access(client)
        with errors_as_status(references.SERVICE.text):
            known, keeps = hook.memory.address, hook.memory.keeps
            remains.address = services.remove(
                client, hook.owner, service, known, asks, is_keeper=keeps
            )
    return remains


def _remove_access(client: api.Client) -> int:
    """Delete the mappings that the charm made, and their bindings; return how many are left.

    Grants go first: an application that is deployed later deletes what no option declares, and
    keeps grants.
    """
    bound = tuple(access.role_bindings(client))
    crd = client.get(CustomResourceDefinition, references.CRD)
    mappings = access.mappings(client) if crd else []
    mappings.sort(key=lambda mapping: mapping.source != GRANT)
    theirs = tuple(each for each in mappings if each.source not in (GRANT, OPTION))
    found = Access(tuple(mappings), bound)
    return len(access.make(client, found, Access(theirs), "removal").left)

"""The situations of an idle unit in which aws-iam is removed."""

from __future__ import annotations

from tests.integration.helpers import juju_status
from tests.integration.helpers.kubernetes import SERVICE
from tests.integration.helpers.removing import APP, CONTROL_PLANE, OPTION, Site


def active(site: Site) -> None:
    site.serve()
    unset(site)


def blocked_by_an_option(site: Site) -> None:
    site.serve()
    unset(site)
    site.juju.config(APP, {"cluster-id": "no id"})
    site.wait_until_idle("blocked")


def without_an_authority(site: Site) -> None:
    site.deploy(authority=False)
    site.wait_until_idle("blocked")


def without_its_former_authority(site: Site) -> None:
    site.serve()
    unset(site)
    site.juju.remove_relation(f"{APP}:certificates", "easyrsa:client")
    site.juju.wait(lambda status: "certificates" not in status.apps[APP].relations)
    site.wait_until_idle("blocked")


def with_a_finalizer_on_the_service(site: Site) -> None:
    site.serve()
    unset(site)
    keep = '[{"op": "add", "path": "/metadata/finalizers/-", "value": "example.com/keep"}]'
    site.cluster.kubectl("patch", *SERVICE, "--type=json", "-p", keep)


def unset(site: Site) -> None:
    """Empty the control plane's option, of which its units of aws-iam hear at their next hook."""
    if site.by_option:
        with juju_status.no_update_status(site.juju):
            site.juju.config(CONTROL_PLANE, {OPTION: ""})
            site.wait_until_idle("active")


IDLE = (
    active,
    blocked_by_an_option,
    without_its_former_authority,
    with_a_finalizer_on_the_service,
)

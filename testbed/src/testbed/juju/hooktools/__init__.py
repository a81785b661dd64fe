"""The hook tools: what each answers. Called under the controller's lock."""

from testbed.juju.hooktools import (
    absent,
    action,
    network,
    relation,
    resource,
    secret,
    secretread,
    status,
    unit,
)

SPECS = {
    **absent.SPECS,
    **action.SPECS,
    **network.SPECS,
    **relation.SPECS,
    **resource.SPECS,
    **secret.SPECS,
    **secretread.SPECS,
    **status.SPECS,
    **unit.SPECS,
}

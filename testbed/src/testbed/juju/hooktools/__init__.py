"""The hook tools: what each answers. Called under the controller's lock."""

from testbed.juju.hooktools import (
    action,
    relation,
    secret,
    secretread,
    status,
    unit,
)

SPECS = {
    **action.SPECS,
    **relation.SPECS,
    **secret.SPECS,
    **secretread.SPECS,
    **status.SPECS,
    **unit.SPECS,
}

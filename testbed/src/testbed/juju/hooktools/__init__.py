"""The hook tools: what each answers, on which terms. Called under the controller's lock."""

from testbed.juju.hooktools import absent, action, network, relation, secret, status, unit

SPECS = {
    **absent.SPECS,
    **action.SPECS,
    **network.SPECS,
    **relation.SPECS,
    **secret.SPECS,
    **status.SPECS,
    **unit.SPECS,
}

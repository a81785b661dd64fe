"""The environment variables of a hook, an action or `juju exec`. Pure."""

from __future__ import annotations

from testbed.juju.hooktools.context import Context
from testbed.juju.state.paths import SEARCH_PATH, charm_dir, tools_dir

SOCKET = "/run/testbed-juju/tools.sock"


def environment(context: Context, dispatch_path: str) -> dict[str, str]:
    """Return the whole environment of a run: nothing is inherited."""
    unit, model = context.unit, context.model
    charm = charm_dir(unit.name)
    env = {
        "APT_LISTCHANGES_FRONTEND": "none",
        "CHARM_DIR": charm,
        "CLOUD_API_VERSION": "",
        "DEBIAN_FRONTEND": "noninteractive",
        "HOME": "/root",
        "JUJU_AGENT_SOCKET_ADDRESS": SOCKET,
        "JUJU_AGENT_SOCKET_NETWORK": "unix",
        "JUJU_API_ADDRESSES": "",
        "JUJU_AVAILABILITY_ZONE": "",
        "JUJU_CHARM_DIR": charm,
        "JUJU_CHARM_FTP_PROXY": "",
        "JUJU_CHARM_HTTPS_PROXY": model.setting("juju-https-proxy"),
        "JUJU_CHARM_HTTP_PROXY": model.setting("juju-http-proxy"),
        "JUJU_CHARM_NO_PROXY": model.setting("juju-no-proxy"),
        "JUJU_CONTEXT_ID": context.id,
        "JUJU_HOOK_NAME": context.hook.name if context.hook else "",
        "JUJU_MACHINE_ID": unit.machine.id,
        "JUJU_MODEL_NAME": model.name,
        "JUJU_MODEL_UUID": model.uuid,
        "JUJU_PRINCIPAL_UNIT": unit.principal,
        "JUJU_UNIT_NAME": unit.name,
        "JUJU_VERSION": model.manner.version,
        "LANG": "C.UTF-8",
        "PATH": f"{tools_dir(unit.name)}:{SEARCH_PATH}",
        "TERM": "tmux-256color",
    }
    if dispatch_path:
        env["JUJU_DISPATCH_PATH"] = dispatch_path
    return env | _hook_variables(context) | _action_variables(context)


def _hook_variables(context: Context) -> dict[str, str]:
    hook = context.hook
    if hook is None:
        return {}
    if hook.secret:
        about = {"JUJU_SECRET_ID": hook.secret, "JUJU_SECRET_LABEL": hook.secret_label}
        if hook.kind in ("secret-expired", "secret-remove"):
            about["JUJU_SECRET_REVISION"] = str(hook.secret_revision)
        return about
    if hook.relation_id < 0:
        return {}
    return {
        "JUJU_RELATION": hook.endpoint,
        "JUJU_RELATION_ID": f"{hook.endpoint}:{hook.relation_id}",
        "JUJU_REMOTE_APP": hook.remote_application,
        "JUJU_REMOTE_UNIT": hook.remote_unit,
        "JUJU_DEPARTING_UNIT": hook.departing_unit,
    }


def _action_variables(context: Context) -> dict[str, str]:
    action = context.action
    if action is None or not action.name:
        return {}
    return {
        "JUJU_ACTION_NAME": action.name,
        "JUJU_ACTION_UUID": action.id,
        "JUJU_ACTION_TAG": f"action-{action.id}",
    }

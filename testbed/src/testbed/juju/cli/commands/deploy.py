"""juju deploy."""

from __future__ import annotations

from testbed.juju.cli.commands import deploy_bundle
from testbed.juju.cli.commands.parsing import assignments, placements
from testbed.juju.cli.commands.sources import is_local, origin, source
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.controller import deploying
from testbed.juju.controller.deploying import Request
from testbed.juju.controller.store import Source
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.state.settings import typed


def deploy(invocation: Invocation, parsed: Parsed) -> None:
    if not parsed.args:
        raise UsageError("no charm or bundle specified")
    if len(parsed.args) > 2:
        raise UsageError(f'unrecognized args: ["{parsed.args[2]}"]')
    texts = _bundle_texts(invocation, parsed)
    if texts is not None:
        deploy_bundle.deploy(invocation, parsed, texts)
        return
    if parsed.all("overlay"):
        raise JujuError("flags provided but not supported when deploying a charm: --overlay.")
    with invocation.controller.lock:
        found = source(invocation, invocation.model, parsed.args[0], parsed.text("channel"))
        _deploy_charm(invocation, parsed, found)


def _bundle_texts(invocation: Invocation, parsed: Parsed) -> list[tuple[str, str]] | None:
    """Return the bundle and its overlays as names and texts; None for a charm."""
    name = parsed.args[0]
    if is_local(name):
        if not name.endswith((".yaml", ".yml")):
            return None
        first = (name, invocation.read(name))
    else:
        path = invocation.controller.store.bundle(name)
        if path is None:
            return None
        first = (str(path), path.read_text())
    return [first, *((overlay, invocation.read(overlay)) for overlay in parsed.all("overlay"))]


def _deploy_charm(invocation: Invocation, parsed: Parsed, found: Source) -> None:
    charm, model = found.charm, invocation.model
    units, to = int(parsed.text("num-units", "1")), placements(parsed)
    if charm.subordinate and ("num-units" in parsed.values or to):
        raise JujuError("cannot use --num-units or --to with subordinate application")
    application = parsed.args[1] if len(parsed.args) > 1 else charm.name
    request = Request(
        source=found,
        application=application,
        base=parsed.text("base"),
        units=units,
        to=to,
        config=typed(charm.options, assignments(invocation, parsed.all("config"))),
    )
    deployed = deploying.deploy(invocation.controller, model, request)
    invocation.info(f'Deploying "{application}" from {origin(found)} on {deployed.base}/stable')


COMMANDS = (
    Command(
        "deploy",
        deploy,
        "Deploys a charm or a bundle with overlays.",
        (Flag("channel"), Flag("config", "list"), Flag("base"), Flag("to"),
         Flag("num-units", aliases=("n",)), Flag("overlay", "list")),
    ),
)  # fmt: skip

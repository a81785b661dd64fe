"""A Juju model around the charm: one application, its units, and the other ends of its
relations, played as far as the charm sees them.

Databags live here between hooks, as Juju keeps them: the application's own are shared by its
units, and what a hook wrote is there for the next one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import inspect
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import ops
import ops.testing
import pytest
import yaml
from ops.log import JujuLogHandler
from tests.fakes.certificates.authority import PREAMBLE, Authority

from charm import AwsIamCharm
from machine.files import Machine
from owner import Owner

Bag = dict[str, str]
_ENDPOINTS = ("aws-iam", "control-plane")
UUID = "0c6a1f4e-6f0b-4a53-8d5e-2f1f0f7f2a11"
# Whether `make quick` runs the tests: those without a whole hook.
QUICK = "QUICK" in os.environ
OWNER = Owner("aws-iam", "k8s", UUID)
# An alarm that is later than this never rings, and a line that begins so is a bug of the charm's.
_FAR = datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc)
_BUG = "internal error"


_CHARM = Path(inspect.getfile(AwsIamCharm)).parents[1]


def _described(name: str) -> Any:
    """A file of the charm's top level, without its prose: ops.testing writes it and ops reads
    it in every hook, which is most of what a hook costs here."""

    def plain(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {
            key: plain(inner)
            for key, inner in value.items()
            if not (key in ("description", "summary") and isinstance(inner, str))
        }

    return plain(yaml.safe_load((_CHARM / name).read_text()))


_META, _CONFIG, _ACTIONS = (
    _described(f"{name}.yaml") for name in ("metadata", "config", "actions")
)
DESCRIBED = [_META, _CONFIG, _ACTIONS]


class Placed(Protocol):
    """Where a unit's files are."""

    machine: Machine


class Provider(Protocol):
    """The other end of ``certificates``: what it writes, given what the units wrote."""

    name: str

    def answer(self, app: Bag, units: list[Bag]) -> tuple[Bag, Bag]:
        """Its application's databag and its unit's."""
        ...


@dataclasses.dataclass
class Easyrsa:
    """The legacy protocol. As the real one, it gives a unit's request the same answer for ever,
    unless its names change, and keeps the answers to what a unit no longer asks for. With
    ``one_name``, its certificates have that name alone. With ``per_unit``, each unit gets a pair
    of its own, as from vault."""

    authority: Authority
    name: str = "easyrsa"
    chain: str = ""
    days: tuple[int, int] = (-1, 365)
    one_name: str = ""
    per_unit: bool = False
    overrides: Bag = dataclasses.field(default_factory=dict)
    _pairs: dict[tuple[str, str, frozenset[str]], tuple[str, str]] = dataclasses.field(
        default_factory=dict
    )
    _answers: dict[str, dict[str, tuple[frozenset[str], Bag]]] = dataclasses.field(
        default_factory=dict
    )

    def reissue(self) -> None:
        self._pairs.clear()
        self._answers.clear()

    def reissue_for(self, unit: str) -> None:
        """Sign again what this unit asks for; the answers to others stay."""
        self._answers.pop(unit, None)
        if self.per_unit:
            self._pairs = {key: pair for key, pair in self._pairs.items() if key[0] != unit}

    def expire(self, unit: str) -> None:
        """Let what this unit was answered come to its end."""
        for common_name, (names, _) in self._answers[unit].items():
            certificate, key = self.authority.issue(sorted(names), days=(-300, -1))
            self._answers[unit][common_name] = names, {"cert": certificate, "key": key}

    def replace_authority(self, authority: Authority) -> None:
        """Sign with another authority what is asked for from now on."""
        self.authority = authority
        self._pairs.clear()

    def answer(self, app: Bag, units: list[Bag]) -> tuple[Bag, Bag]:
        bag = {"ca": self.authority.certificate, "client.cert": "-", "client.key": "-"}
        if self.chain:
            bag["chain"] = self.chain
        for unit in units:
            asked = json.loads(unit.get("cert_requests") or "{}")
            for common_name, wanted in asked.items():
                self._answer(unit["unit_name"], common_name, frozenset(wanted["sans"]))
        for name, answers in self._answers.items():
            processed = {common_name: reply for common_name, (_, reply) in answers.items()}
            bag[f"{name}.processed_requests"] = json.dumps(processed)
        return {}, {**bag, **self.overrides}

    def _answer(self, unit: str, common_name: str, names: frozenset[str]) -> None:
        answers = self._answers.setdefault(unit, {})
        if common_name in answers and answers[common_name][0] == names:
            return
        asked = (unit if self.per_unit else "", common_name, names)
        if asked not in self._pairs:
            signed = [self.one_name] if self.one_name else sorted(names)
            issued = self.authority.issue(signed, days=self.days)
            self._pairs[asked] = issued
        certificate, key = self._pairs[asked]
        answers[common_name] = names, {"cert": PREAMBLE + certificate, "key": key}


class Silent:
    """A provider that has not answered yet, such as a sealed vault."""

    name = "vault"

    def answer(self, app: Bag, units: list[Bag]) -> tuple[Bag, Bag]:
        return {}, {}


@dataclasses.dataclass
class Unit:
    """One unit's own part of the model."""

    context: ops.testing.Context[AwsIamCharm]
    peer: Bag = dataclasses.field(default_factory=dict)
    certificates: Bag = dataclasses.field(default_factory=dict)
    webhook: Bag = dataclasses.field(default_factory=dict)
    control_plane: Bag = dataclasses.field(default_factory=dict)
    collector: Bag = dataclasses.field(default_factory=dict)
    stored: Any = frozenset()
    secrets: Any = frozenset()
    status: Any = None
    version: str = ""
    # The ids of the relations that it has had hooks of; None before its first hook.
    known: frozenset[int] | None = None
    # The hook tools that its last hook called.
    tools: list[str] = dataclasses.field(default_factory=list)

    @property
    def alarms(self) -> list[ops.testing.Secret]:
        """Its secrets that are to wake it."""
        return [secret for secret in self.secrets if secret.expire and secret.expire < _FAR]


class Model:
    """The application ``application`` with ``units`` units, subordinate by ``endpoints``."""

    def __init__(
        self,
        provider: Provider | None,
        machines: Sequence[Placed],
        *,
        units: int = 1,
        endpoints: tuple[str, ...] = ("aws-iam",),
        application: str = "aws-iam",
        principal: str = "kubernetes-control-plane",
        juju: str = "3.6",
    ) -> None:
        self.provider = provider
        self.application = application
        self.juju_model = ops.testing.Model(name="k8s", uuid=UUID)
        self.endpoints = endpoints
        # The applications of principals, by the units that have another than `principal`.
        self.principals: dict[int, str] = {}
        # Juju 4.0 lists the relation with `principal` for these units too.
        self.lists_all = False
        self.principal = principal
        self.juju = juju
        # Juju numbers each relation once and never again.
        self.first_relation = 2
        self.certificates_relation = 9
        self.machines = machines
        self.leader: int | None = 0
        self.config: dict[str, Any] = {}
        self.planned_units = units
        self.peer: Bag = {}
        self.peers_joined = True
        self.certificates: Bag = {}
        self.secrets: Any = frozenset()
        # Relations of the endpoint receive-ca-cert.
        self.authorities: list[ops.testing.Relation] = []
        # Whether a collector is related to every unit.
        self.collected = False
        self.version = ""
        # The application's status.
        self.status: Any = ops.testing.UnknownStatus()
        # Whether the provider of certificates answers nothing new.
        self.silent = False
        # Whether a test makes the charm itself fail. Otherwise each of its bugs fails the test.
        self.has_bugs = False
        self.units: list[Unit] = []
        for _ in range(units):
            self.add_unit()
        self._answer: tuple[Bag, Bag] = ({}, {})

    # What happens in it.

    def add_unit(self) -> None:
        """A unit joins, on a control plane whose API server answers."""
        context = ops.testing.Context(
            _charm_on(self.machines[len(self.units)].machine),
            meta=_META,
            config=_CONFIG,
            actions=_ACTIONS,
            app_name=self.application,
            unit_id=len(self.units),
            principal_unit=f"{self._principal_of(len(self.units))}/{len(self.units)}",
            juju_version=self.juju,
        )
        self.units.append(Unit(context, control_plane={"api_server_state": "true"}))

    def _relation_with_principal(self, endpoint: str) -> int:
        return self.first_relation + _ENDPOINTS.index(endpoint)

    def _principal_of(self, number: int) -> str:
        return self.principals.get(number, self.principal)

    def hook(self, event: Any = None, unit: int = 0) -> ops.StatusBase:
        """Run a hook of ``unit``, update-status if no event is given; its status afterwards.

        A hook that raises fails the test.
        """
        self._run(unit, event or self.on.update_status())
        return self.units[unit].status

    @property
    def on(self) -> ops.testing.CharmEvents:
        """The events of `ops.testing`, the same for every unit."""
        return self.units[0].context.on

    def relation(self, endpoint: str, unit: int = 0) -> Any:
        """A relation as ``unit`` sees it now."""
        return next(r for r in self._relations(unit) if r.endpoint == endpoint)

    def changed(self, endpoint: str, unit: int = 0) -> Any:
        """relation-changed, as ``unit`` is told of it."""
        if endpoint == "peers":
            return self.on.relation_changed(self.relation("peers", unit), remote_unit=1 - unit)
        return self.on.relation_changed(self.relation(endpoint, unit))

    def broken(self, endpoint: str, unit: int = 0) -> Any:
        """relation-broken, by when the units of a relation of the whole application are gone."""
        relation = self.relation(endpoint, unit)
        if endpoint == "certificates":
            relation = dataclasses.replace(relation, remote_units_data={})
        return self.on.relation_broken(relation)

    def action(self, name: str, /, unit: int = 0, **params: Any) -> dict[str, Any]:
        """Run an action; its results. Raises `ops.testing.ActionFailed` as it does."""
        context = self.units[unit].context
        # Juju fills these in.
        described = _ACTIONS[name].get("params", {})
        defaults = {key: what["default"] for key, what in described.items() if "default" in what}
        self._run(unit, context.on.action(name, params={**defaults, **params}))
        return dict(context.action_results or {})

    def answer(self) -> bool:
        """Let the other ends take in what the units wrote, as their hooks would."""
        before = self.bags()
        if self.provider and not self.silent:
            bags = [unit.certificates for unit in self.units]
            self._answer = self.provider.answer(self.certificates, bags)
        return before != self.bags()

    def settle(self, rounds: int = 12) -> None:
        """Run hooks everywhere until nobody has anything new to say."""
        self.answer()
        for _ in range(rounds):
            before = self.bags()
            for unit in range(len(self.units)):
                self.hook(unit=unit)
                self.answer()
            if before == self.bags():
                return
        raise AssertionError("the units do not come to rest")

    def move(self, provider: Provider) -> None:
        """Relate to another authority: a new relation, with empty databags."""
        self.provider = provider
        self.certificates_relation += 100
        self.certificates = {}
        self._answer = ({}, {})
        for unit in self.units:
            unit.certificates = {}

    def expire(self, label: str, unit: int = 0, revision: int = 1) -> None:
        """Let the secret with ``label`` in its label come to its end."""
        kept = {*self.secrets, *self.units[unit].secrets}
        (secret,) = (secret for secret in kept if label in secret.label)
        event = self.units[unit].context.on.secret_expired(secret, revision=revision)
        self._run(unit, event)

    # What there is to see.

    def bags(self) -> str:
        """Everything that is in any databag, to compare."""
        units = [
            (u.peer, u.certificates, u.webhook, u.control_plane, u.collector) for u in self.units
        ]
        return json.dumps([self.peer, self.certificates, self._answer, units], sort_keys=True)

    def published(self, unit: int = 0) -> dict[str, Any]:
        """What ``unit`` tells its control plane, decoded, but for the name that it tells it by."""
        told = {key: json.loads(value) for key, value in self.units[unit].webhook.items()}
        assert told.pop("principal", None) in (None, f"kubernetes-control-plane/{unit}")
        return told

    def log(self, unit: int = 0) -> str:
        """All that ``unit`` has logged."""
        return "\n".join(line.message for line in self.units[unit].context.juju_log)

    # Between the model and ops.testing.

    def _run(self, number: int, event: Any) -> None:
        if QUICK:
            pytest.skip("this runs a whole hook")
        unit = self.units[number]
        known = unit.known
        self._create_relations(number, event)
        relations = [event.relation] if event.relation else []
        relations += [
            relation
            for relation in self._relations(number)
            if relation.id not in {known.id for known in relations}
        ]
        state = ops.testing.State(
            relations=relations,
            leader=number == self.leader,
            config=self.config,
            planned_units=self.planned_units,
            secrets={*self.secrets, *unit.secrets},
            stored_states=unit.stored,
            unit_status=unit.status or ops.testing.UnknownStatus(),
            model=self.juju_model,
            app_status=self.status,
        )
        logged = len(unit.context.juju_log)
        try:
            with _process():
                after = unit.context.run(event, state)
                unit.tools = HOOK_TOOLS.called
            HOOK_TOOLS.before_commit()
        except BaseException:
            # Juju commits nothing of a hook that fails, and runs it again.
            unit.known = known
            raise
        finally:
            unit.context.emitted_events.clear()
            said = [line.message for line in unit.context.juju_log[logged:]]
            bugs = [line for line in said if line.startswith(_BUG)]
            assert self.has_bugs or not bugs, bugs
        unit.status = after.unit_status
        self.status = after.app_status if number == self.leader else self.status
        # What else there is, `status-set` cannot be given, or `juju status` cannot show.
        assert unit.status.message.isprintable()
        assert len(unit.status.message) <= 300
        unit.stored = after.stored_states
        if number == self.leader:
            self.secrets = frozenset(s for s in after.secrets if s.owner == "app")
        unit.secrets = frozenset(s for s in after.secrets if s.owner == "unit")
        unit.version = after.workload_version or unit.version
        self.version = unit.version or self.version
        for relation in after.relations:
            self._keep(unit, relation, leader=number == self.leader)

    def _create_relations(self, number: int, event: Any) -> None:
        """Juju begins each new relation of a unit with relation-created."""
        unit, found = self.units[number], self._relations(number)
        known, unit.known = unit.known, frozenset(relation.id for relation in found)
        for relation in found:
            if known is not None and relation.id not in known and not event.relation:
                self._run(number, self.on.relation_created(relation))

    def _relations(self, number: int) -> list[Any]:
        unit = self.units[number]
        others = {n: dict(u.peer) for n, u in enumerate(self.units) if n != number}
        relations: list[Any] = [*self.authorities]
        if self.peers_joined:
            relations.append(
                ops.testing.PeerRelation(
                    "peers",
                    id=1,
                    local_app_data=dict(self.peer),
                    local_unit_data=dict(unit.peer),
                    peers_data=others,
                )
            )
        relations += [
            ops.testing.SubordinateRelation(
                endpoint,
                id=self._relation_with_principal(endpoint) + 40 * (number in self.principals),
                remote_app_name=self._principal_of(number),
                remote_unit_id=number,
                local_unit_data=dict(unit.webhook) if endpoint == "aws-iam" else {},
                remote_unit_data=dict(unit.control_plane) if endpoint == "aws-iam" else {},
            )
            for endpoint in self.endpoints
        ]
        if self.lists_all and number in self.principals:
            relations += [
                ops.testing.SubordinateRelation(
                    endpoint,
                    id=self._relation_with_principal(endpoint),
                    remote_app_name=self.principal,
                )
                for endpoint in self.endpoints
            ]
        if self.provider:
            relations.append(
                ops.testing.Relation(
                    "certificates",
                    id=self.certificates_relation,
                    remote_app_name=self.provider.name,
                    local_app_data=dict(self.certificates),
                    local_unit_data=dict(unit.certificates),
                    remote_app_data=dict(self._answer[0]),
                    remote_units_data={0: dict(self._answer[1])},
                )
            )
        if self.collected:
            relations.append(
                ops.testing.Relation(
                    "cos-agent",
                    id=11,
                    remote_app_name="otelcol",
                    local_unit_data=dict(unit.collector),
                    remote_units_data={number: {}},
                )
            )
        return relations

    def _keep(self, unit: Unit, relation: Any, *, leader: bool) -> None:
        if relation.endpoint == "peers":
            unit.peer = _bag(relation.local_unit_data)
            self.peer = _bag(relation.local_app_data) if leader else self.peer
        elif relation.endpoint == "certificates":
            unit.certificates = _bag(relation.local_unit_data)
            self.certificates = _bag(relation.local_app_data) if leader else self.certificates
        elif relation.endpoint == "receive-ca-cert":
            kept = (r for r in self.authorities if r.id != relation.id)
            self.authorities = sorted([*kept, relation], key=lambda r: r.id)
        elif relation.endpoint == "aws-iam":
            unit.webhook = _bag(relation.local_unit_data)
        elif relation.endpoint == "cos-agent":
            unit.collector = _bag(relation.local_unit_data)


# The methods of ops' backend that run a hook tool each.
_TOOLS = {
    name.replace("-", "_"): name
    for name in (
        *("application-version-set", "config-get", "is-leader", "juju-log", "network-get"),
        *("planned-units", "relation-get", "relation-ids", "relation-list", "relation-set"),
        *("secret-add", "secret-get", "secret-grant", "secret-info-get", "secret-remove"),
        *("secret-set", "status-get", "status-set"),
    )
}


class HookTools:
    """The hook tools that the charm calls past ops' model, in the present hook."""

    backend: Any = None
    # What Juju says of a unit whose relations are gone; a test may have it say more.
    goal = ops.hookcmds.GoalState(units={}, relations={})

    def __init__(self) -> None:
        self.called: list[str] = []
        # What happens around each hook tool: a test may kill the hook before or after it.
        self.around: Callable[[str], AbstractContextManager[None]] = lambda _: (
            contextlib.nullcontext()
        )

        # What happens before Juju keeps what a hook wrote.
        self.before_commit: Callable[[], None] = lambda: None

    def install(self, patch: pytest.MonkeyPatch) -> None:
        secrets = ("secret_info_get", "secret_set")
        for tool in ("goal_state", "relation_get", "relation_ids", *secrets):
            patch.setattr(ops.hookcmds, tool, getattr(self, tool))

    def record(self) -> None:
        """Note each hook tool that the present hook calls, as ops calls it under Juju."""
        for method, tool in _TOOLS.items():
            setattr(self.backend, method, self._recording(getattr(self.backend, method), tool))

    def _recording(self, method: Callable[..., Any], tool: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            # ops asks for the leader once.
            if tool != "is-leader" or tool not in self.called:
                self.called.append(" ".join([tool, *map(str, args[:2])]).strip())
            with self.around(tool):
                return method(*args, **kwargs)

        return call

    def goal_state(self) -> ops.hookcmds.GoalState:
        self.called.append("goal-state")
        return self.goal

    def relation_ids(self, name: str) -> list[str]:
        return [f"{name}:{number}" for number in self.backend.relation_ids(name)]

    def relation_get(self, id: int, *, unit: str, app: bool) -> dict[str, str]:  # noqa: A002 (ops')
        return self.backend.relation_get(id, unit, app)

    def secret_info_get(self, *, label: str) -> ops.hookcmds.SecretInfo:
        try:
            found = self.backend.secret_info_get(label=label)
        except ops.SecretNotFoundError as error:
            says = f'ERROR secret "{label}" not found'
            raise ops.hookcmds.Error(returncode=1, cmd=["secret-info-get"], stderr=says) from error
        return ops.hookcmds.SecretInfo(
            id=found.id.removeprefix("secret:"),
            label=found.label,
            description=found.description,
            revision=found.revision,
            expiry=found.expires,
        )

    def secret_set(self, id: str, *, expire: datetime.datetime, owner: str) -> None:  # noqa: A002 (ops')
        assert owner == "unit"
        secret = self.backend._get_secret(id)
        revision = secret._latest_revision
        self.backend.secret_set(id, expire=expire)
        # Without content, Juju makes no revision; ops.testing counts one.
        object.__setattr__(secret, "_latest_revision", revision)


HOOK_TOOLS = HookTools()


@contextlib.contextmanager
def _process() -> Iterator[None]:
    """Let a hook have its own hook tools and its own log, as a process has, though it may run
    between two requests of another unit's hook."""
    tools, root = (HOOK_TOOLS.backend, HOOK_TOOLS.called), logging.getLogger()
    handlers = list(root.handlers)
    root.handlers = [each for each in handlers if not isinstance(each, JujuLogHandler)]
    HOOK_TOOLS.called = []
    # By this, ops sees that a charm has called itself.
    runs_already = os.environ.pop("OPERATOR_DISPATCH", "")
    # Of each framework, ops keeps what keeps it: a megabyte a life.
    kept = ops.Framework.on._cache
    outer = set(kept)
    try:
        yield
    finally:
        for framework in set(kept) - outer:
            del kept[framework]
        HOOK_TOOLS.backend, HOOK_TOOLS.called = tools
        root.handlers = handlers
        if runs_already:
            os.environ["OPERATOR_DISPATCH"] = runs_already


def _charm_on(machine: Machine) -> type[AwsIamCharm]:
    """The charm, with the files of a machine of the test's."""

    def begin(charm: AwsIamCharm, framework: ops.Framework) -> None:
        HOOK_TOOLS.backend = framework.model._backend
        HOOK_TOOLS.record()
        AwsIamCharm.__init__(charm, framework)

    return type("AwsIamCharm", (AwsIamCharm,), {"machine": machine, "__init__": begin})


# What Juju itself puts into every unit's databag.
_ADDRESSES = ("egress-subnets", "ingress-address", "private-address")


def _bag(data: Any) -> Bag:
    return {key: value for key, value in data.items() if key not in _ADDRESSES}

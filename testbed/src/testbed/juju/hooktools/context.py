"""What one run of a hook, action or `juju exec` sees, and what it has written so far.

Writes stay in the context until the process exits with 0. Then `commit` puts all of them into the
model at once. Until then only the run itself sees them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from testbed.juju.errors import CommitError, ToolError
from testbed.juju.hooktools.secretchanges import SecretChanges
from testbed.juju.manner import Manner
from testbed.juju.state.model import Application, Model, Unit
from testbed.juju.state.relation import Databag, Relation
from testbed.juju.state.secrets import Secret, Settings
from testbed.juju.state.status import ALIVE
from testbed.juju.state.unitstate import Hook

NOT_LEADER = "ERROR this unit is not the leader"


@dataclass
class ActionRun:
    """An action while it runs, and its results."""

    name: str
    id: str
    params: dict[str, object]
    results: dict[str, object] = field(default_factory=dict)
    failure: str | None = None


@dataclass
class Context:
    """One run. All methods are called under the controller's lock."""

    id: str
    model: Model
    application: Application
    unit: Unit
    log: Callable[[str, str, str], None]  # level, module, message
    hook: Hook | None = None
    action: ActionRun | None = None
    calls: int = 0  # of hook tools
    _relations: dict[tuple[int, bool], dict[str, str]] = field(default_factory=dict)
    _leader_settings: dict[str, str] = field(default_factory=dict)
    secret_changes: SecretChanges = field(default_factory=SecretChanges)

    @property
    def leader(self) -> bool:
        return self.application.leader == self.unit.name

    def require_leader(self) -> None:
        if not self.leader:
            raise ToolError(NOT_LEADER)

    def relations(self) -> dict[int, str]:
        """Return the endpoint of each relation that this unit has joined, by its number.

        A unit that was let out of a relation lists it on, but can read nothing of it.
        """
        joined = {each.id: self.endpoint(each) for each in self.model.scopes(self.unit)}
        left = self.unit.local.relations.items() if self.unit.let_out else ()
        known = joined | {number: relation.endpoint for number, relation in left}
        return dict(sorted(known.items()))

    def relation(self, reference: str) -> Relation:
        """Return the relation `ENDPOINT:N` or `N`, by default the one of the relation hook."""
        number = self.relation_number(reference)
        relation = self.model.relations.get(number)
        if relation is None or self.unit.name not in relation.joined:
            raise ToolError("ERROR permission denied")
        return relation

    def relation_number(self, reference: str) -> int:
        """Return the number of a relation that this unit lists, as `relation` does."""
        if not reference:
            if self.hook is None or self.hook.relation_id < 0:
                raise ToolError("ERROR no relation id specified", 2)
            reference = str(self.hook.relation_id)
        number = reference.rpartition(":")[2]  # Juju does not compare the endpoint
        if not number.isdigit():
            raise ToolError(
                f'ERROR invalid value "{reference}" for option -r: invalid relation id', 2
            )
        if int(number) not in self.relations():
            raise ToolError(
                f'ERROR invalid value "{reference}" for option -r: relation not found', 2
            )
        return int(number)

    def endpoint(self, relation: Relation) -> str:
        side = relation.side_of(self.application.name)
        assert side is not None
        return side.endpoint.name

    def remote_application(self, number: int) -> str:
        """Return the application at the other end of a relation that this unit lists."""
        relation = self.model.relations.get(number)
        if relation is None:
            return self.unit.local.relations[number].remote_application
        return relation.other_side(self.application.name).application

    def members(self, number: int) -> list[str]:
        """Return the units that this unit's charm knows, with the unit of the running hook."""
        known = self.unit.local.relations.get(number)
        members = set(known.members) if known else set()
        if self.hook and self.hook.relation_id == number and self.hook.remote_unit:
            if self.hook.kind == "relation-departed":
                members.discard(self.hook.remote_unit)
            else:
                members.add(self.hook.remote_unit)
        return sorted(members)

    def has_left(self, relation: Relation) -> bool:
        """Return whether this unit is dying and in `departed`, on Juju 4.1."""
        hook = self.hook
        if self.model.manner is not Manner.JUJU_4_1 or hook is None:
            return False
        departed = hook.kind == "relation-departed" and hook.relation_id == relation.id
        return departed and self.unit.life != ALIVE

    def own_data(self, relation: Relation, *, application: bool) -> dict[str, str]:
        """Return this unit's or its application's data, with the changes of this run."""
        name = self.application.name if application else self.unit.name
        bags = relation.applications if application else relation.units
        view = Databag(dict(bags[name].values) if name in bags else {})
        view.write(self._relations.get((relation.id, application), {}))
        return view.values

    def write_data(
        self, relation: Relation, changes: dict[str, str], *, application: bool
    ) -> None:
        self._relations.setdefault((relation.id, application), {}).update(changes)

    def leader_settings(self) -> dict[str, str]:
        view = Databag(dict(self.application.leader_settings.values))
        view.write(self._leader_settings)
        return view.values

    def write_leader_settings(self, changes: dict[str, str]) -> None:
        self._leader_settings.update(changes)

    def secret(self, secret_id: str) -> Secret | None:
        """Return a secret's metadata as this run sees it; None when the run removes it."""
        stored = self.model.secrets.get(secret_id)
        return self.secret_changes.metadata(secret_id, stored)

    def any_secret(self, secret_id: str) -> Secret | None:
        """Return a secret that is stored, or that this run creates."""
        return self.model.secrets.get(secret_id) or self.secret_changes.created.get(secret_id)

    def secrets(self) -> list[Secret]:
        ids = dict.fromkeys([*self.model.secrets, *self.secret_changes.created])
        seen = (self.secret(secret_id) for secret_id in ids)
        return [secret for secret in seen if secret is not None]

    def refusal(self, what: str) -> str:
        """Return how Juju refuses to `read` or to `manage` a secret of others."""
        if self.model.manner is Manner.JUJU_4_1:
            return f'"{self.unit.name}" is not allowed to {what} this secret'
        return "permission denied"

    def commit(self) -> None:
        """Put all changes of this run into the model. Raise CommitError, without any change."""
        for doing, secret_id in self.secret_changes.changed_ids():
            if problem := self._problem(doing, secret_id):
                raise CommitError(f"{doing} secrets: {problem}")
        for (number, application), changes in self._relations.items():
            if number in self.model.relations:
                self._commit_data(self.model.relations[number], changes, application)
        if self._leader_settings:
            self.application.leader_settings.write(self._leader_settings)
        self.secret_changes.commit(self.model.secrets, self.unit.name)

    def _problem(self, doing: str, secret_id: str) -> str:
        """Return why the controller refuses a change of a secret, or nothing."""
        secrets = self.model.secrets
        secret = self.secret_changes.created.get(secret_id) or secrets.get(secret_id)
        if secret is None:
            # 4.x passes over a secret that is gone, and so does 3.6 if it is to be removed.
            fails = doing == "updating" and self.model.manner is Manner.JUJU_3_6
            return f'secret "secret:{secret_id}" not found' if fails else ""
        if not secret.managed_by(self.unit.name, leader=self.leader):
            follows = secret.owner == self.application.name
            if follows and self.model.manner is Manner.JUJU_3_6:
                return f'"{self.unit.name}" is not leader of "{self.application.name}"'
            return self.refusal("manage")
        settings = self.secret_changes.settings.get(secret_id, Settings())
        for other in secrets.values():
            is_namesake = other.owner == secret.owner and other.label == settings.label
            if settings.label and is_namesake and other.id != secret_id:
                return f'secret with label "{settings.label}" already exists'
        return ""

    def _commit_data(self, relation: Relation, changes: dict[str, str], application: bool) -> None:
        if application:
            relation.application_bag(self.application.name).write(changes)
        elif self.unit.name in relation.units:
            relation.units[self.unit.name].write(changes)

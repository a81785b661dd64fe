"""How far a unit's agent has come with its hooks: the agent's state in the model. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Hook:
    """One hook to run. `version` is the version of the remote data that the hook sees."""

    kind: str
    relation_id: int = -1
    endpoint: str = ""
    remote_application: str = ""
    remote_unit: str = ""
    departing_unit: str = ""
    version: int = 0
    secret: str = ""
    secret_label: str = ""
    secret_revision: int = 0

    @property
    def name(self) -> str:
        return f"{self.endpoint}-{self.kind}" if self.kind.startswith("relation-") else self.kind


@dataclass(frozen=True)
class LocalRelation:
    """What the agent has told its charm about one relation."""

    endpoint: str
    remote_application: str
    created: bool = False
    members: Mapping[str, int] = field(default_factory=dict)
    applications: Mapping[str, int] = field(default_factory=dict)
    changed_pending: str = ""


@dataclass(frozen=True)
class LocalState:
    """What the agent has done so far."""

    installed: bool = False
    started: bool = False
    stopped: bool = False
    removed: bool = False
    charm_version: int = 0
    config_version: str = ""
    leader: bool = False
    leader_settings_version: int = -1
    update_status_version: int = 0
    queued: str = ""
    failed: Hook | None = None
    relations: Mapping[int, LocalRelation] = field(default_factory=dict)
    secrets_changed: Mapping[str, int] = field(default_factory=dict)
    secrets_done: frozenset[tuple[str, str, int]] = frozenset()

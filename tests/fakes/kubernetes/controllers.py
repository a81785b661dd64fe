"""What the controllers would have written by now."""

from __future__ import annotations

from tests.fakes.kubernetes.clock import Clock
from tests.fakes.kubernetes.paths import DEFINITION, DEPLOYMENT
from tests.fakes.kubernetes.stored import Object, Stored


class Controllers(Stored):
    """The controllers of Deployments and of CRDs, on the clock of the server."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        # Seconds until new pods serve, and until a CRD is established; None for never.
        self.start_seconds: float | None = 2
        self.establish_seconds: float | None = 0
        # When the spec of each object changed last.
        self._rolled: dict[str, float] = {}
        # Generation of the Deployment whose pods all serve.
        self._pods: int | None = None

    def delete(self, path: str) -> None:
        super().delete(path)
        if path == DEPLOYMENT:
            self._pods = None

    def _established(self) -> bool:
        seconds = self.establish_seconds
        created = self._rolled.get(DEFINITION, 0.0)
        return seconds is not None and (
            DEFINITION in self.objects and self.clock.now >= created + seconds
        )

    def _with_status(self, path: str, stored: Object) -> Object:
        if path == DEPLOYMENT:
            return {**stored, "status": self._deployment_status(stored)}
        if path == DEFINITION:
            condition = {"type": "Established", "status": str(self._established())}
            return {**stored, "status": {"conditions": [condition]}}
        return stored

    def _deployment_status(self, stored: Object) -> Object:
        """As its controller would have written it: never in the instant of a change."""
        status = stored.setdefault("status", {})
        age = self.clock.now - self._rolled.get(DEPLOYMENT, -1.0)
        if age > 0 and self._pods != (pods := stored["metadata"]["generation"]):
            wanted, former = stored["spec"]["replicas"], status.get("availableReplicas", 0)
            started = self.start_seconds is not None and age >= self.start_seconds
            status.update(
                observedGeneration=pods,
                replicas=wanted if started else former + 1,
                updatedReplicas=wanted if started else 1,
                availableReplicas=wanted if started else former,
            )
            self._pods = pods if started else None
        return status

    @property
    def is_rolled_out(self) -> bool:
        """Whether every pod is of the Deployment as it is."""
        age = self.clock.now - self._rolled.get(DEPLOYMENT, -1.0)
        return self.start_seconds is not None and age >= self.start_seconds

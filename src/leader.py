"""The leader's part: everything in the cluster, and what the units may know of it when."""

from __future__ import annotations

import dataclasses
import logging
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

import ops

import reactive
from access import mappings
from certificates import Certificates, pem
from cluster import manifests, objects, pods
from config import Config
from errors import Unready, Waiting
from peers import Peers

if TYPE_CHECKING:
    from lightkube import Client

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Leader:
    """``hand_over`` gives this unit's own control plane what is published."""

    unit: ops.Unit
    peers: Peers
    certificates: Certificates
    hand_over: Callable[[], None]

    def lead(self, client: Client, config: Config) -> str:
        """Bring the cluster to where it belongs; the line for an active status.

        Raises:
            errors.Unready: something is missing, or held back; all that can be done was done.
        """
        self._agree_on_cluster_id(config)
        # 1. The Service first: its address goes into the certificate.
        address = objects.apply_service(client, self.peers.published.address or None)
        self._publish(address=address)
        # 2. The certificate; the pair in use stays in use while another is awaited.
        self.certificates.request(names(address))
        new, problem = self._answer()
        served, distrust = self._agree(objects.current_bundle(client), new)
        if not served:
            raise problem or Waiting("waiting for a certificate")
        # 3. The rest, and what the control plane may know of it.
        rollout = self._deploy(client, config, served)
        self._publish(serving=self.peers.published.serving or rollout.serving)
        behind = served == new and served.ca != self.peers.published.ca
        if behind and rollout.complete and pods.all_show(client, served):
            self._publish(ca=served.ca)
        self.unit.set_workload_version(config.version)
        survey = mappings.survey(objects.list_mappings(client))
        objects.correct_mappings(client, survey.corrections)
        # 4. What is left to be said.
        if not rollout.complete:
            raise pods.unfinished(client, rollout)
        if held_back := problem or distrust:
            raise held_back
        line = _line(config, rollout, survey, self.certificates.warning)
        if self.peers.published.ca != served.ca:
            line += ", the former authority is trusted until its last pod has ended"
        return line

    def _agree_on_cluster_id(self, config: Config) -> None:
        former = self.peers.published.cluster_id
        if not former:
            inherited = reactive.cluster_id()
            chosen = config.cluster_id or inherited or secrets.token_hex(8)
            self._publish(cluster_id=chosen, inherited=bool(inherited))
            return
        # Only in a later hook is it certain that Juju has kept the inherited one.
        if self.peers.published.inherited and reactive.forget_leader_data():
            self._publish(inherited=False)
        wanted = config.cluster_id or former
        if wanted != former:
            logger.warning(
                "cluster id changed from %s to %s: people need the new one in their kubeconfig",
                former,
                wanted,
            )
            self._publish(cluster_id=wanted)

    def _answer(self) -> tuple[manifests.Bundle | None, Unready | None]:
        try:
            return self.certificates.answer(), None
        except Unready as problem:
            return None, problem

    def _agree(
        self, current: manifests.Bundle | None, new: manifests.Bundle | None
    ) -> tuple[manifests.Bundle | None, Unready | None]:
        """The pair to serve now, and who holds the newer one back.

        Every unit, and its control plane, trusts a new authority before any pod shows a
        certificate of it, and the old one until no pod does.
        """
        known = [bundle for bundle in (current, new) if bundle]
        trust = pem.merged(self.peers.published.ca, *(bundle.ca for bundle in known))
        self._publish(ca=trust)
        if not current or not new or current.ca == new.ca:
            return new or current, None
        missing = self.peers.missing(trust)
        if not missing:
            return new, None
        return current, Waiting(f"waiting for {', '.join(missing)} to trust the new authority")

    def _deploy(self, client: Client, config: Config, served: manifests.Bundle) -> pods.Rollout:
        objects.apply_mapping_definition(client)
        wanted = manifests.authenticator(
            image=config.image,
            replicas=config.replicas,
            cluster_id=self.peers.published.cluster_id,
            served=served,
        )
        *_, deployment = [objects.apply(client, manifest) for manifest in wanted]
        return pods.await_rollout(client, deployment)

    def _publish(self, **changes: str | bool) -> None:
        if self.peers.publish(dataclasses.replace(self.peers.published, **changes)):
            self.hand_over()


def names(address: str) -> list[str]:
    """The names that the certificate must carry for the Service at ``address``."""
    return [*manifests.HOSTNAMES, address] if address else []


def _line(config: Config, rollout: pods.Rollout, survey: mappings.Survey, warning: str) -> str:
    parts = [
        f"authenticator {config.version}",
        f"{rollout.ready}/{rollout.wanted} pods",
        f"{survey.total} mapping{'' if survey.total == 1 else 's'}",
    ]
    if survey.problems:
        name, problem = next(iter(survey.problems.items()))
        parts.append(f"{len(survey.problems)} never work: {name}: {problem}")
    if warning:
        parts.append(warning)
    return ", ".join(parts)

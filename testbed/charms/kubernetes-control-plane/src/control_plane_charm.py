"""Stands in for kubernetes-control-plane: a real Kubernetes, told of webhooks as that is.

One source, two flavours: up to 1.28 the charm has the endpoint `aws-iam`; from 1.29 on it has not.
Both have an option for another webhook, which is asked last. As the original, it looks at
everything on each of its hooks, and fails where the file that aws-iam wrote is not what it should
be.
"""

from __future__ import annotations

import json

import ops
from charms.aws_iam.v0.aws_iam import WEBHOOK_CONFIG, AwsIamProvider, Webhook

import hook_process
import services
import tokens
import webhook
from client_config import admin_config, client_config
from host import ADMIN_KUBECONFIG, Host

_AWS_IAM = "aws-iam"
_CERTIFICATES = "certificates"
_CLIENT_CONFIG = "/home/ubuntu/config"
_MACHINE_ADMIN = "/var/lib/testbed/pki/admin.kubeconfig"
_AUTHORITYS_KEY = "/var/lib/testbed/pki/ca.key"


class ControlPlane(ops.CharmBase):
    """One unit: the Kubernetes services of one machine."""

    host = Host()

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.aws_iam = AwsIamProvider(self) if _AWS_IAM in self.meta.provides else None
        for event in (
            self.on.install,
            self.on.upgrade_charm,
            self.on.config_changed,
            self.on.update_status,
            *self._relation_events(),
        ):
            framework.observe(event, self._reconcile)
        framework.observe(self.on.upgrade_action, self._on_upgrade)
        framework.observe(self.on.stop, self._on_stop)

    def _relation_events(self) -> list[ops.BoundEvent]:
        names = [name for name in (_AWS_IAM, _CERTIFICATES) if name in self.meta.relations]
        return [
            event
            for relation in (self.on[name] for name in names)
            for event in (
                relation.relation_joined,
                relation.relation_changed,
                relation.relation_departed,
                relation.relation_broken,
            )
        ]

    def _reconcile(self, event: ops.EventBase) -> None:
        facts = self.host.facts()
        if problem := self._problem(facts["PROGRAMS"]):
            self.unit.status = ops.BlockedStatus(problem)
            return
        services.install(self.host, facts["PROGRAMS"], self._channel)
        asked = self.aws_iam.webhook if self.aws_iam else None
        self._run_services(facts["NODE_NAME"], self._webhook_file(asked))
        ready = services.api_server_answers(self.host, wait=True)
        config = client_config(self._admin(), self._cluster_id())
        self._keep(_CLIENT_CONFIG, config, owner="ubuntu")
        if self.aws_iam:
            self.aws_iam.publish(api_server_state=ready)
        # Juju 4 may have taken a unit that goes out of that relation, and fails what writes to it.
        if not isinstance(event, ops.RelationDepartedEvent):
            self._ask_for_certificate(facts["ADDRESS"])
        if isinstance(event, (ops.InstallEvent, ops.UpgradeCharmEvent, ops.ActionEvent)):
            self.unit.set_workload_version(services.version(self.host))
        self.unit.status = self._status(facts["PROGRAMS"], ready)

    def _status(self, programs: str, ready: bool) -> ops.StatusBase:
        if services.needs_upgrade(self.host, programs, self._channel):
            return ops.BlockedStatus("Needs manual upgrade, run the upgrade action.")
        if not ready:
            return ops.WaitingStatus("Waiting for the API server to answer")
        return ops.ActiveStatus("Kubernetes control-plane running.")

    def _problem(self, programs: str) -> str:
        """Return what is wrong with the options, empty for nothing."""
        if self._chosen_caller not in webhook.CALLERS:
            known = ", ".join(webhook.CALLERS)
            return f"option webhook-caller: {self._chosen_caller!r} is none of {known}"
        if not services.offers(self.host, programs, self._channel):
            lack = f"option channel: this lab has no Kubernetes in {self._channel!r}"
            return f"{lack}: start it with another TESTBED_KUBERNETES"
        return ""

    @property
    def _channel(self) -> str:
        return str(self.config["channel"])

    @property
    def _chosen_caller(self) -> str:
        return str(self.config.get("webhook-caller", webhook.ORIGINAL))

    @property
    def _caller(self) -> str:
        """Who calls the webhook. The option has a bare URL, which only the original can call."""
        given = self.aws_iam and self.aws_iam.webhook
        return webhook.ORIGINAL if self._custom and not given else self._chosen_caller

    @property
    def _custom(self) -> str:
        return str(self.config["authn-webhook-endpoint"])

    def _webhook_file(self, asked: Webhook | None) -> str:
        """Return the webhook kubeconfig that the API server is to use; empty for none."""
        # aws-iam may have left the machine, and its file with it, before their relation ends.
        text = self.host.text(WEBHOOK_CONFIG) if asked else ""
        strict = self._caller != webhook.ORIGINAL
        self._keep(webhook.TRUST, webhook.trusted(webhook.trust(text) if strict else None))
        self._keep(webhook.RENDERED, self._rendered(text))
        return text if self._caller == webhook.API_SERVER else webhook.of_the_forwarder()

    def _rendered(self, text: str) -> str:
        return webhook.rendered(aws_iam=webhook.url(text) if text else "", custom=self._custom)

    def _run_services(self, node: str, webhook_file: str) -> None:
        self._keep(tokens.KNOWN_TOKENS, tokens.known(self._token))
        self._keep(ADMIN_KUBECONFIG, self._admin())
        mode, extra = str(self.config["authorization-mode"]), str(self.config["api-extra-args"])
        flags = services.api_server_flags(self.host, mode, extra, webhook=bool(webhook_file))
        if self._caller != webhook.API_SERVER:
            services.run_forwarder(self.host, self.host.read(webhook.RENDERED))
        services.run_api_server(self.host, flags, webhook_file)
        services.run_others(self.host, node)

    def _admin(self) -> str:
        """Return the administrator's kubeconfig: with a token that the original's webhook knows,
        or with a certificate where that webhook is not asked."""
        config, token = self.host.read(_MACHINE_ADMIN), self._token
        return admin_config(config, token) if token else config

    @property
    def _token(self) -> str:
        """The administrator's token, empty where no webhook knows it."""
        if self._caller != webhook.ORIGINAL:
            return ""
        return tokens.admin(self.host.read(_AUTHORITYS_KEY))

    def _cluster_id(self) -> str:
        """Return the id that aws-iam gave, for as long as their relation lasts."""
        relations = self.aws_iam.relations if self.aws_iam else []
        bags = [relation.data[unit] for relation in relations for unit in relation.units]
        given = (bag["cluster_id"] for bag in bags if "cluster_id" in bag)
        return next((str(json.loads(text)) for text in given), "")

    def _keep(self, name: str, text: str, owner: str = "") -> None:
        if self.host.text(name) != text:
            self.host.write(name, text, owner)

    def _ask_for_certificate(self, address: str) -> None:
        """Ask as the original does, in the oldest form of the protocol. The answer is not used."""
        for relation in self.model.relations[_CERTIFICATES]:
            name = self.unit.name.replace("/", "_")
            asked = {
                "unit_name": name,
                "certificate_name": name,
                "common_name": address,
                "sans": json.dumps([address, "kubernetes.default.svc"]),
            }
            if any(relation.data[self.unit].get(key) != value for key, value in asked.items()):
                relation.data[self.unit].update(asked)

    def _on_upgrade(self, event: ops.ActionEvent) -> None:
        programs = self.host.facts()["PROGRAMS"]
        if problem := self._problem(programs):
            event.fail(problem)
            return
        services.upgrade(self.host, programs, self._channel)
        self._reconcile(event)

    def _on_stop(self, _: ops.EventBase) -> None:
        services.stop(self.host, self.host.facts()["NODE_NAME"])


if __name__ == "__main__":
    hook_process.run(ControlPlane)

# SPDX-License-Identifier: Apache-2.0

"""Both sides of the `aws-iam` interface: webhook authentication of Kubernetes with AWS IAM.

kubernetes-control-plane is the provider, and the subordinate aws-iam is the requirer. The relation
is container-scoped: a control-plane unit and the aws-iam unit on its machine share a file there.
Juju 4.1 also shows each of them the units on other machines. They use their **unit** databags
only, and every value is JSON:

| writer        | key                | value                                              |
|---------------|--------------------|----------------------------------------------------|
| control plane | `api_server_state` | bool: the API server answers on this machine       |
| aws-iam       | `cluster_id`       | string: the id that a login token must be made for |
| aws-iam       | `webhook_status`   | bool: use the file, the webhook serves             |
| aws-iam       | `webhook_hash`     | string: hash of the file, which changes with it    |
| aws-iam       | `principal`        | string: the control-plane unit that this is for    |

`webhook_hash` is optional: it only wakes the control plane. `principal` is optional too: without
it, what aws-iam says is for each control-plane unit that sees it.

The file is `WEBHOOK_CONFIG`, a kubeconfig for kube-apiserver's
`--authentication-token-webhook-config-file`. It is complete before `webhook_status` is true, and
is replaced atomically. A control plane that forwards token reviews itself should open a new
connection for each: the authenticator closes no connection before its pod is killed.

## The provider

A control plane takes in its side in three steps.

1. Fetch this library into its `lib` folder. It needs no package but ops:

   ```shell
   charmcraft fetch-lib charms.aws_iam.v0.aws_iam
   ```

2. Declare the endpoint in `metadata.yaml` or `charmcraft.yaml`:

   ```yaml
   provides:
     aws-iam:
       interface: aws-iam
       scope: container
   ```

3. Start the API server with the file while there is a webhook, and say when it answers:

   ```python
   from charms.aws_iam.v0.aws_iam import WEBHOOK_CONFIG, AwsIamProvider

   class ControlPlane(ops.CharmBase):
       def __init__(self, framework: ops.Framework):
           super().__init__(framework)
           self.aws_iam = AwsIamProvider(self, "aws-iam")
           framework.observe(self.on["aws-iam"].relation_changed, self._on_aws_iam)
           framework.observe(self.on["aws-iam"].relation_departed, self._on_aws_iam)
           framework.observe(self.on["aws-iam"].relation_broken, self._on_aws_iam)

       def _on_aws_iam(self, _: ops.EventBase):
           webhook = self.aws_iam.webhook  # None: run without it
           self.restart_api_server(WEBHOOK_CONFIG if webhook else None)
           self.aws_iam.publish(api_server_state=self.api_server_answers())
   ```

## The requirer

```python
from charms.aws_iam.v0.aws_iam import AwsIamRequirer, Webhook

class Subordinate(ops.CharmBase):
    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.webhook = AwsIamRequirer(self, "aws-iam")
        framework.observe(self.on["aws-iam"].relation_changed, self._on_changed)

    def _on_changed(self, _: ops.EventBase):
        if self.webhook.api_server_ready:
            self.webhook.publish(Webhook(cluster_id="prod", status=True, hash="1f3a"))
```
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any

import ops

# charmcraft reads these three as they stand here.
LIBID = "6f1b3c9a8d2e4f70a5c4b1d09e7f2a63"
LIBAPI = 0
LIBPATCH = 1

WEBHOOK_CONFIG = "/root/cdk/aws-iam-webhook.yaml"


@dataclasses.dataclass(frozen=True)
class Webhook:
    """What an aws-iam unit tells its control plane."""

    cluster_id: str
    status: bool
    hash: str = ""


def principal_in(relation: ops.Relation) -> ops.Unit | None:
    """Return the unit in ``relation`` that this subordinate unit belongs to; None without it.

    Juju 4.1 shows a unit all units of a container-scoped relation, those on other machines too.
    """
    principal = os.environ.get("JUJU_PRINCIPAL_UNIT")
    return next((unit for unit in relation.units if principal in (None, "", unit.name)), None)


class _Side:
    """The part of both sides."""

    def __init__(self, charm: ops.CharmBase, relation_name: str = "aws-iam"):
        self._charm = charm
        self._name = relation_name

    @property
    def relations(self) -> list[ops.Relation]:
        """Return the relations, without those that Juju removes."""
        found = self._charm.model.relations[self._name]
        return [relation for relation in found if relation.active]


class AwsIamRequirer(_Side):
    """The subordinate's side, of a relation with one control-plane unit at most."""

    @property
    def relation(self) -> ops.Relation | None:
        """Return the relation; None where there is none, or while Juju removes it.

        Juju may list one with the control plane of another cluster too.
        """
        own = os.environ.get("JUJU_PRINCIPAL_UNIT", "").partition("/")[0]
        return next((each for each in self.relations if own in ("", each.app.name)), None)

    @property
    def api_server_ready(self) -> bool:
        """Return whether the control plane says that its API server answers."""
        return self._remote("api_server_state") is True

    def publish(self, webhook: Webhook) -> bool:
        """Tell the control plane, unless it knows already; return whether it did not."""
        return self._write(
            cluster_id=webhook.cluster_id,
            webhook_status=webhook.status,
            webhook_hash=webhook.hash,
            principal=os.environ.get("JUJU_PRINCIPAL_UNIT"),
        )

    def withdraw(self) -> None:
        """Tell the control plane to stop using the webhook, unless Juju took the relation away.

        Juju 4.1 may do so before relation-departed, and then the control plane knows already.
        """
        with contextlib.suppress(ops.ModelError):
            self._write(webhook_status=False)

    def _write(self, **values: object) -> bool:
        relation = self.relation
        return bool(relation) and _write(relation.data[self._charm.unit], values)

    def _remote(self, key: str) -> Any:
        relation = self.relation
        unit = relation and principal_in(relation)
        return _decoded(relation.data[unit], key) if relation and unit else None


class AwsIamProvider(_Side):
    """The control plane's side, of relations with one aws-iam unit each.

    One application of aws-iam serves a cluster. Another one may be related too: it is blocked.
    """

    @property
    def webhook(self) -> Webhook | None:
        """Return the webhook to use; None while no webhook serves."""
        for data in self._received():
            cluster_id = _decoded(data, "cluster_id")
            if isinstance(cluster_id, str) and _decoded(data, "webhook_status") is True:
                file = _decoded(data, "webhook_hash")
                return Webhook(cluster_id, True, file if isinstance(file, str) else "")
        return None

    def publish(self, *, api_server_state: bool) -> None:
        """Tell each aws-iam unit about the API server, unless Juju took its relation away.

        Juju 4 may do so before relation-departed, and then fails the hook that wrote to it at its
        end. So that hook tells nobody in its relation; the next one does, if there is somebody.
        """
        if os.environ.get("JUJU_DEPARTING_UNIT") == self._charm.unit.name:
            # A unit that is removed by force may lose all its relations before its last hooks.
            return
        values = {"api_server_state": api_server_state}
        departed = _departed()
        for relation in (each for each in self.relations if each.id != departed):
            with contextlib.suppress(ops.RelationNotFoundError):
                _write(relation.data[self._charm.unit], values)

    def _received(self) -> list[ops.RelationDataContent]:
        """Return the databags that are for this unit: the others are about files elsewhere."""
        bags = [relation.data[unit] for relation in self.relations for unit in relation.units]
        for_this_unit = (None, self._charm.unit.name)
        return [bag for bag in bags if _decoded(bag, "principal") in for_this_unit]


def _departed() -> int | None:
    """Return the id of the relation that a unit leaves in this hook; None in other hooks."""
    if not os.environ.get("JUJU_DEPARTING_UNIT"):
        return None
    return int(os.environ["JUJU_RELATION_ID"].rpartition(":")[2])


def _write(data: ops.RelationDataContent, values: Mapping[str, object]) -> bool:
    """Write what differs, and return whether anything did."""
    # Juju removes a key whose value is empty.
    texts = {key: "" if value is None else json.dumps(value) for key, value in values.items()}
    if changed := {key: text for key, text in texts.items() if data.get(key, "") != text}:
        data.update(changed)
    return bool(changed)


def _decoded(data: Mapping[str, str], key: str) -> Any:
    """Return the value of ``key``; None where it is missing or not JSON."""
    try:
        return json.loads(data.get(key, "null"))
    except (ValueError, RecursionError):
        return None

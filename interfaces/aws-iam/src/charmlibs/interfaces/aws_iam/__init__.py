# SPDX-License-Identifier: Apache-2.0

"""Both sides of the `aws-iam` interface: webhook authentication of Kubernetes with AWS IAM.

What the units say to each other is in `interface/v0/README.md` of the package's source.

The requirer (the subordinate):

```python
import ops
from charmlibs.interfaces.aws_iam import AwsIamRequirer, Webhook

class Subordinate(ops.CharmBase):
    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.webhook = AwsIamRequirer(self, "aws-iam")
        framework.observe(self.on["aws-iam"].relation_changed, self._on_changed)

    def _on_changed(self, _: ops.EventBase):
        if self.webhook.api_server_ready:
            self.webhook.publish(Webhook(cluster_id="prod", status=True, hash="1f3a"))
```

The provider (kubernetes-control-plane):

```python
import ops
from charmlibs.interfaces.aws_iam import AwsIamProvider

class ControlPlane(ops.CharmBase):
    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.aws_iam = AwsIamProvider(self, "aws-iam")
        framework.observe(self.on["aws-iam"].relation_changed, self._on_aws_iam)
        framework.observe(self.on["aws-iam"].relation_departed, self._on_aws_iam)

    def _on_aws_iam(self, _: ops.EventBase):
        webhook = self.aws_iam.webhook  # None: run without it
        self.aws_iam.publish(api_server_state=self.restart_api_server(webhook))
```
"""

from charmlibs.interfaces.aws_iam._aws_iam import (
    WEBHOOK_CONFIG,
    AwsIamProvider,
    AwsIamRequirer,
    Webhook,
    principal_in,
)
from charmlibs.interfaces.aws_iam._version import __version__ as __version__

__all__ = ["WEBHOOK_CONFIG", "AwsIamProvider", "AwsIamRequirer", "Webhook", "principal_in"]

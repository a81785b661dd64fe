# SPDX-License-Identifier: Apache-2.0

"""Which application of this charm owns the objects in a cluster, and the file on a machine; and
the labels, the annotations and the finalizer by which objects are known as the charm's.

Applications of this charm may meet on one cluster or machine. They use the same names there, so
one of them owns all, and the others leave all alone.
"""

from __future__ import annotations

import dataclasses

from text import brief

# On a mapping, the label that says which part of this charm made it, and its values.
SOURCE = "aws-iam/source"
OPTION, GRANT = "option", "grant"
# On a mapping: when the charm deletes it.
EXPIRES = "aws-iam/expires"
# On a mapping: why somebody was let in.
REASON = "aws-iam/reason"
# On every object but the CRD: whose it is. The Service's counts for all of them.
OWNER = "aws-iam/owner"
# On the Service: keeps it, and so its address, until the charm takes this off.
FINALIZER = "aws-iam.charmhub.io/address"
# On a pod: which pair it serves.
CERTIFICATE_HASH = "aws-iam/certificate-hash"


@dataclasses.dataclass(frozen=True)
class Owner:
    """An application: it is known by its name and its model's UUID, which `juju migrate` keeps."""

    application: str
    model: str
    model_uuid: str

    @property
    def mark(self) -> str:
        """Return the text that marks what this application owns."""
        return f"{self.application} of model {self.model} ({self.model_uuid})"

    def owns(self, mark: str) -> bool:
        """Return whether ``mark`` is this application's."""
        return mark.startswith(f"{self.application} of ") and mark.endswith(f"({self.model_uuid})")

    def is_foreign(self, mark: str) -> bool:
        """Return whether ``mark`` is another application's. An empty mark is not."""
        return bool(mark) and not self.owns(mark)


def short_name(mark: str) -> str:
    """Return the application and the model in ``mark``, as a status names them."""
    return brief(mark.partition(" (")[0])

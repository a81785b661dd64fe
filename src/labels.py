# SPDX-License-Identifier: Apache-2.0

"""The labels, the annotations and the finalizer that the charm writes."""

from __future__ import annotations

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

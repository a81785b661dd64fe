# SPDX-License-Identifier: Apache-2.0

# A subordinate has as many units as its control plane, on the same machines. So it takes neither units nor constraints.
resource "juju_application" "aws_iam" {
  name       = var.app_name
  model_uuid = var.model_uuid
  config     = var.config

  charm {
    name     = "aws-iam"
    base     = var.base
    channel  = var.channel
    revision = var.revision
  }
}

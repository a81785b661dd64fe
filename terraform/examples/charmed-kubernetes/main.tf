# SPDX-License-Identifier: Apache-2.0

# aws-iam beside the kubernetes-control-plane of a model, with the people of mappings.yaml.
provider "juju" {}

module "aws_iam" {
  source = "../.."

  model_uuid = var.model_uuid
  base       = var.base
  config = {
    mappings        = file("${path.module}/mappings.yaml")
    replicas        = 2
    webhook-address = var.webhook_address
  }
}

resource "juju_integration" "control_plane" {
  model_uuid = var.model_uuid

  application {
    name     = module.aws_iam.app_name
    endpoint = module.aws_iam.requires[var.control_plane.endpoint]
  }

  application {
    name     = var.control_plane.name
    endpoint = { aws-iam = "aws-iam", control-plane = "juju-info" }[var.control_plane.endpoint]
  }
}

resource "juju_integration" "certificates" {
  model_uuid = var.model_uuid

  application {
    name     = module.aws_iam.app_name
    endpoint = module.aws_iam.requires.certificates
  }

  application {
    name     = var.certificates.name
    endpoint = var.certificates.endpoint
  }
}

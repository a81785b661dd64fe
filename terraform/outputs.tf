# SPDX-License-Identifier: Apache-2.0

output "app_name" {
  description = "Name of the application, for juju_integration."
  value       = juju_application.aws_iam.name
}

output "provides" {
  description = "Endpoints that the charm provides, by name."
  value       = { cos-agent = "cos-agent" }
}

output "requires" {
  description = "Endpoints that the charm requires, by name."
  value = {
    aws-iam         = "aws-iam"
    certificates    = "certificates"
    control-plane   = "control-plane"
    receive-ca-cert = "receive-ca-cert"
  }
}

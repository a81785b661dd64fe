# SPDX-License-Identifier: Apache-2.0

variable "model_uuid" {
  description = "UUID of the model in which kubernetes-control-plane runs: `juju show-model` prints it."
  type        = string
  nullable    = false
}

variable "base" {
  description = "Base of kubernetes-control-plane: `juju status` shows it."
  type        = string
  default     = "ubuntu@24.04"
  nullable    = false
}

variable "control_plane" {
  description = "Name of the control plane's application, and aws-iam's endpoint for it: control-plane for Charmed Kubernetes 1.29 and newer, aws-iam for older ones."
  type        = object({ name = string, endpoint = string })
  default     = { name = "kubernetes-control-plane", endpoint = "control-plane" }
  nullable    = false

  validation {
    condition     = contains(["aws-iam", "control-plane"], var.control_plane.endpoint)
    error_message = "endpoint is control-plane or aws-iam."
  }
}

variable "certificates" {
  description = "Name and endpoint of the certificate authority: easyrsa and client, vault and vault-pki, or self-signed-certificates and certificates."
  type        = object({ name = string, endpoint = string })
  default     = { name = "easyrsa", endpoint = "client" }
  nullable    = false
}

variable "webhook_address" {
  description = "A free address of the cluster's Service range. On Charmed Kubernetes 1.29 and newer, also give kubernetes-control-plane authn-webhook-endpoint = https://<address>:443/authenticate. If it is empty, Kubernetes chooses."
  type        = string
  default     = ""
  nullable    = false
}

# SPDX-License-Identifier: Apache-2.0

variable "app_name" {
  description = "Name of the application in the model."
  type        = string
  default     = "aws-iam"
  nullable    = false
}

variable "base" {
  description = "Base of the application, such as ubuntu@24.04: that of kubernetes-control-plane. If it is null, Juju chooses."
  type        = string
  default     = null
}

variable "channel" {
  description = "Channel of the charm on Charmhub."
  type        = string
  default     = "latest/stable"
  nullable    = false
}

variable "config" {
  description = "Options of the charm, by the names that `juju config aws-iam` shows."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "model_uuid" {
  description = "UUID of the model in which kubernetes-control-plane runs."
  type        = string
  nullable    = false
}

variable "revision" {
  description = "Revision of the charm. If it is null, the newest of the channel."
  type        = number
  default     = null
}

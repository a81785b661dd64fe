# SPDX-License-Identifier: Apache-2.0

"""Certificates: what the webhook is served with, and whether the API server accepts it."""

# The Service's name in the cluster's DNS, and the TLS server name of the webhook's kubeconfig: the
# one name that an API server checks. It is the certificate's common name too.
SERVER_NAME = "aws-iam-authenticator.kube-system.svc"

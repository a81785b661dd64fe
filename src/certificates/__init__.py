# SPDX-License-Identifier: Apache-2.0

"""Certificates: what the webhook is served with, and whether the API server accepts it."""

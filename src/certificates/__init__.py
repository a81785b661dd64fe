# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""Certificates: what the webhook is served with, and whether the API server accepts it."""

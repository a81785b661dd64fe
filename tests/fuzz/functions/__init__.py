"""Targets that are functions of the charm: no hook, no files, no cluster."""

from __future__ import annotations

from tests.fuzz.functions import access, certificates, config, control_plane, login_kubeconfig

TARGETS = (
    *access.TARGETS,
    *config.TARGETS,
    *certificates.TARGETS,
    *login_kubeconfig.TARGETS,
    *control_plane.TARGETS,
)

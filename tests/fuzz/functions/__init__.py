"""Targets that are functions of the charm: no hook, no files, no cluster."""

from __future__ import annotations

from tests.fuzz.functions import (
    access,
    certificates,
    cluster,
    config,
    control_plane,
    kubeconfigs,
)

TARGETS = (
    *access.TARGETS,
    *config.TARGETS,
    *certificates.TARGETS,
    *kubeconfigs.TARGETS,
    *cluster.TARGETS,
    *control_plane.TARGETS,
)

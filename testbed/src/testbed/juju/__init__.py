"""A stand-in for Juju: controller, unit agents, command line (see testbed/README.md)."""

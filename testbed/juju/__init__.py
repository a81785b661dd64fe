"""A stand-in for the Juju controller, its unit agents and its command line (see testbed/README.md)."""

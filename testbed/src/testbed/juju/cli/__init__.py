"""The `juju` and `testbedctl` commands."""

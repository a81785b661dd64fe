"""The commands of `juju` and `testbedctl`, one module for each family."""

"""A real Juju in the place of the stand-in: TESTBED_JUJU names the folder of its programs."""

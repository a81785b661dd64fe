"""What every test here has: the fakes, as fixtures."""

from tests.fakes.fixtures import *  # noqa: F403  (it says what it exports)

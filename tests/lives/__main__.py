"""Play lives: `make lives`, or `make lives MINUTES=60 SEED=7`."""

from __future__ import annotations

import sys

from tests.lives import process

process.prepare()

from tests.lives import play  # noqa: E402

if __name__ == "__main__":
    sys.exit(play.main())

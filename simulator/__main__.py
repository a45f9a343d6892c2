"""`python -m simulator`: see `python -m simulator --help` and docs/simulator.md."""

from __future__ import annotations

import sys

from simulator.headless.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

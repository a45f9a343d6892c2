"""helm v3.19: charts rendered by an engine of our own, releases kept in Secrets as the real one keeps them, and simulated repositories.

`main` is the command.  `tree.py` lists the commands; `engine.py` and `sprig.py` render; `actions.py` does what changes the cluster.
"""

from __future__ import annotations

from .root import main

__all__ = ["main"]

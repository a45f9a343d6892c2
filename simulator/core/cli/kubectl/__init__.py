"""kubectl v1.36: a client of the simulated API server.

`main` is the command.  `registry.py` lists every command; a command is one file under `commands/` with Complete, Validate and Run in one
function of a `Session`; what is not there says so: `Command.simulated`, `Flag.support`.
"""

from __future__ import annotations

from .root import main

__all__ = ["main"]

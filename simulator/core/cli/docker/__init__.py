"""docker, the command line of Docker's engine (docker/cli v28.5)."""

from __future__ import annotations

from .main import main

__all__ = ["main"]

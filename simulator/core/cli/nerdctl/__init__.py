"""nerdctl, the Docker-compatible client of containerd (containerd/nerdctl v2.2)."""

from __future__ import annotations

from .main import main

__all__ = ["main"]

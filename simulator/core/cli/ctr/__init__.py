"""ctr, containerd's debugging client (containerd v2.2)."""

from __future__ import annotations

from .main import main

__all__ = ["main"]

"""crictl, the client for the Container Runtime Interface (kubernetes-sigs/cri-tools v1.36)."""

from __future__ import annotations

from .main import main

__all__ = ["main"]

"""`kubeadm`, which makes a cluster of machines (cmd/kubeadm of Kubernetes 1.36)."""

from __future__ import annotations

from .root import main

__all__ = ["main"]

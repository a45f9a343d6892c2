"""A simulated cluster for tests of operators and tools in Python: real sockets, TLS, a kubeconfig (docs/testing-with-slipway.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cluster import Cluster, Server

__all__ = ["Cluster", "Server"]


def __getattr__(name: str) -> Any:
    """The classes, loaded when they are asked for: the plug-in is imported by every suite where it is installed."""
    if name not in __all__:
        raise AttributeError(name)
    from . import cluster

    return getattr(cluster, name)

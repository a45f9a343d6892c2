"""`etcdutl`, the tool that works on etcd's files while no member runs (etcdutl of etcd 3.6)."""

from __future__ import annotations

from .root import main

__all__ = ["main"]

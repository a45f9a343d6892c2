"""`etcdctl`, the command-line client of etcd (etcdctl/ctlv3 of etcd 3.6)."""

from __future__ import annotations

from .root import main

__all__ = ["main"]

"""`/registry/ranges/servicenodeports`: the record of the node ports in use (`pkg/registry/core/service/allocator/storage`).

The API server allocates from what the stored services use; the record is kept beside them, as the real server keeps its bitmap.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from .server import Server

KEY = b"/registry/ranges/servicenodeports"


def bitmap(ports: Iterable[int], first: int) -> str:
    """The ports as bits from `first` on, the highest byte first, in base64 (`big.Int.Bytes`)."""
    number = sum(1 << (port - first) for port in set(ports) if port >= first)
    return base64.b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode()


def record(server: Server, ports: Iterable[int] = ()) -> None:
    """Write which ports are in use, unless that is what is written."""
    low, high = server.config.node_port_low, server.config.node_port_high
    obj = {"kind": "RangeAllocation", "apiVersion": "v1", "metadata": {}, "range": f"{low}-{high}", "data": bitmap(ports, low)}
    value = orjson.dumps(obj)
    found = server.client.range(KEY).kvs
    if not found or found[0].value != value:
        server.client.put(KEY, value)


def repair(server: Server) -> None:
    """Write the record of what the stored services use when there is none (`portallocator/controller/repair.go`)."""
    if not server.client.range(KEY, keys_only=True).kvs:
        services = server.storage.list(b"/registry/services/specs/")[0]
        record(
            server, (port["nodePort"] for item in services for port in item["spec"].get("ports") or () if port.get("nodePort"))
        )

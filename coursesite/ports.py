"""Ports for servers of our own on this machine."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Collection

#: Below the ports that Linux gives to outgoing connections (net.ipv4.ip_local_port_range begins at 32768): a port that the kernel picks for a
#: server may be some connection's own by the time the server asks for it, one of these is only taken by another server.
RANGE = range(20_000, 32_000)


def free(count: int = 1, *, besides: Collection[int] = ()) -> int:
    """The first of `count` neighbouring ports of the loopback interface that nobody listens on; raises OSError when there are none.

    `besides` are ports that are given away already, although nobody listens on them yet.
    """
    for _ in range(200):
        first = RANGE[secrets.randbelow(len(RANGE) - count)]
        if not {*range(first, first + count)}.isdisjoint(besides):
            continue
        held = []
        try:
            for port in range(first, first + count):
                held.append(socket.create_server(("127.0.0.1", port)))
            return first
        except OSError:
            continue
        finally:
            for one in held:
                one.close()
    raise OSError(f"no free port among {RANGE.start} to {RANGE.stop - 1}")

"""A command's packets: sent over the simulated network, and left in the trace with every hop, arrived or not."""

from __future__ import annotations

from typing import Any

from ...host.invocation import Call
from ...kernel import routing
from ...kernel.errors import ConnectError


def send(call: Call, ip: str, port: int, protocol: str = "tcp") -> routing.Path:
    """Walk a packet from where the command runs; raises ConnectError, with the same trace."""
    actor = call.argv[0].rpartition("/")[2]
    target = f"{ip}:{port}" if port else ip
    try:
        path = routing.walk(call.world, call.proc.netns, ip, port, protocol, hops=True)
    except ConnectError as failed:
        detail: dict[str, Any] = {"from": call.proc.netns, "hops": list(failed.hops), "error": failed.kind}
        call.world.emit(actor, "packet.failed", target, detail)
        raise
    call.world.emit(actor, "packet", target, {"from": call.proc.netns, "to": f"{path.ip}:{path.port}", "hops": path.hops})
    return path

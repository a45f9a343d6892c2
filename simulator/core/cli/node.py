"""node in images: its version; programs in JavaScript are not run."""

from __future__ import annotations

from ..host.program import Invocation


def node(inv: Invocation) -> int:
    """The command `node`."""
    words = inv.argv[1:]
    if words and words[0] in ("--version", "-v"):
        inv.out(f"v{inv.env.get('NODE_VERSION', '24.11.1')}\n")
        return 0
    inv.err("node: programs in JavaScript are not simulated in Slipway yet\n")
    return 127

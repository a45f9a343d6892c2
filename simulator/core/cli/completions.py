"""`tables["complete"]`: the completion hooks by command, as `module:attribute` below `simulator.core`; each loads at its first Tab."""

from __future__ import annotations

COMPLETE: dict[str, str] = {
    "etcdctl": "cli.completing:etcdctl",
    "kubectl": "cli.completing:kubectl",
    "nerdctl": "cli.completing:nerdctl",
}

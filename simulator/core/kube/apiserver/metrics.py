"""`/metrics`: a few well-known series with true values (`component-base/metrics`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api.errors import ApiError
from ..api.kinds import KINDS

if TYPE_CHECKING:
    from .server import Server


def text(server: Server) -> bytes:
    """The exposition of what this server can count truthfully."""
    lines = [
        "# HELP apiserver_storage_objects [STABLE] Number of stored objects at the time of last check split by kind.",
        "# TYPE apiserver_storage_objects gauge",
    ]
    for kind in sorted(KINDS, key=lambda k: k.group_resource):
        if "list" not in kind.verbs or kind.kind == "ComponentStatus" or kind.group == "events.k8s.io":
            continue
        try:
            _, _, _, count = server.storage.list(f"{kind.prefix}/".encode(), limit=1)
        except ApiError:
            continue
        lines.append(f'apiserver_storage_objects{{resource="{kind.group_resource}"}} {count}')
    lines += [
        "# HELP kubernetes_build_info [ALPHA] A metric with a constant '1' value labeled by version.",
        "# TYPE kubernetes_build_info gauge",
        'kubernetes_build_info{git_version="v1.36.2",major="1",minor="36",platform="linux/amd64"} 1',
    ]
    return ("\n".join(lines) + "\n").encode()

"""What containerd says when a forwarded port cannot be reached, to every client of `portforward`."""

from __future__ import annotations

from .flags import quote
from .interfaces import namespace_name


def _where(netns: str, port: int) -> tuple[str, str]:
    """The sandbox, and the beginning of every message about a failed connection."""
    sandbox = netns.rpartition("/")[2]
    space = f"/var/run/netns/{namespace_name(netns)}"
    return sandbox, (
        f"error forwarding port {port} to pod {sandbox}, uid : failed to execute portforward in network namespace {quote(space)}: "
    )


def refused(netns: str, port: int) -> str:
    """Nothing listens there (containerd `internal/cri/server/sandbox_portforward_linux.go`)."""
    sandbox, head = _where(netns, port)
    return (
        f"{head}failed to connect to localhost:{port} inside namespace {quote(sandbox)}, IPv4: dial tcp4 127.0.0.1:{port}: "
        f"connect: connection refused IPv6 dial tcp6 [::1]:{port}: connect: connection refused "
    )


def reset(netns: str, port: int) -> str:
    """The server has broken off."""
    return f"{_where(netns, port)[1]}read tcp4 127.0.0.1:{40000 + port % 20000}->127.0.0.1:{port}: read: connection reset by peer"

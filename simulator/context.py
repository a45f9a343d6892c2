"""What a log line is about: the request, the cluster and the task of whatever runs now."""

from __future__ import annotations

from contextvars import ContextVar

request: ContextVar[str] = ContextVar("slipway_request", default="")
cluster: ContextVar[str] = ContextVar("slipway_cluster", default="")
task: ContextVar[str] = ContextVar("slipway_task", default="")


def current() -> dict[str, str]:
    """The parts that are known."""
    found = {"request": request.get(), "cluster": cluster.get(), "task": task.get()}
    return {name: value for name, value in found.items() if value}

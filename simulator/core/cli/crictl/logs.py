"""`crictl logs` (`cmd/crictl/logs.go`, `k8s.io/cri-client/pkg/logs`)."""

from __future__ import annotations

import posixpath
from collections.abc import Generator
from typing import Any

from ...host.program import Wait, WaitTopic
from ...kernel.clock import parse_rfc3339
from ...runtime import cri
from ...runtime import logs as store
from ...runtime.state import find_container
from .. import human
from ..flags import parse_duration
from .session import CrictlError, Session


def since(session: Session, text: str) -> int:
    """A relative duration or a timestamp as Unix ns."""
    if not text:
        return 0
    try:
        return session.world.wall - parse_duration(text)
    except ValueError:
        pass
    try:
        return parse_rfc3339(text if len(text) > 10 else text + "T00:00:00")
    except ValueError:
        raise CrictlError(f'parsing time "{text}" as "2006-01-02T15:04:05": cannot parse "{text}" as "2006"') from None


def run(session: Session) -> Generator[Wait, Any, int]:
    """`crictl logs`."""
    from .main import ShowHelp

    if not session.args or not session.args[0]:
        raise CrictlError("ID cannot be empty")
    if len(session.args) > 1:
        raise ShowHelp
    session.runtime()
    start, stream = since(session, str(session.flag("since"))), str(session.flag("stream"))
    if session.flag("reopen"):
        human.logrus(session.inv, "info", "Container logs reopened")
    if stream not in ("", "stdout", "stderr"):
        raise CrictlError(f'invalid stream "{stream}", must be "stdout" or "stderr"')
    try:
        container = cri.find_container(session.world, session.host, session.args[0])
    except cri.CriError as failed:
        session.rpc_failed("ContainerStatus from runtime service", failed, containerID=session.args[0])
        raise
    if not container.log_path:
        raise CrictlError("the container has not set log path")
    path = container.log_path
    if session.flag("previous"):
        if container.attempt == 0:
            raise CrictlError(f"previous terminated container {container.name} not found")
        path = posixpath.join(posixpath.dirname(path), f"{container.attempt - 1}.log")
    if not session.inv.host.fs.exists(path):
        if container.state == "CREATED" or session.flag("previous"):
            raise CrictlError(f'failed to try resolving symlinks in path "{path}": lstat {path}: no such file or directory')
        return 0
    tail, stamps = int(session.flag("tail")), bool(session.flag("timestamps"))
    lines = store.read(session.world, session.host, path)
    seen = len(lines)
    _show(
        session, store.select(lines, tail=tail, since=start, limit_bytes=int(session.flag("limit-bytes")), stream=stream), stamps
    )
    while session.flag("follow"):
        current = find_container(session.world, session.host, container.id)
        if current is None or current.state == "EXITED":
            break
        yield WaitTopic((f"file:{session.host}:{posixpath.dirname(path)}", f"container:{session.host}:{container.id}"))
        lines = store.read(session.world, session.host, path)
        _show(session, store.select(lines[seen:], stream=stream), stamps)
        seen = len(lines)
    return 0


def _show(session: Session, lines: list[store.LogLine], stamps: bool) -> None:
    for line in lines:
        (session.inv.err if line.stream == "stderr" else session.inv.out)(store.render(line, stamps))

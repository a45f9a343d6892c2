"""Running a container in the foreground, for ctr and nerdctl: output as it comes, the exit status, and Ctrl-C passed on."""

from __future__ import annotations

import posixpath
from collections.abc import Generator
from typing import Any, cast

from ..host import files
from ..host.invocation import Call
from ..host.program import Invocation, Wait, WaitTopic
from ..runtime import containers, logs
from ..runtime.state import Container, find_container


def begin(inv: Invocation, container: Container, *, interactive: bool) -> None:
    """Start the container; an interactive one gets the caller's descriptors.  Raises containers.StartError."""
    fds = dict(cast(Call, inv).fds) if interactive else None
    containers.start(inv.world, inv.host.name, container, fds=fds)


def follow(inv: Invocation, container: Container, *, interactive: bool, fresh: bool = False) -> Generator[Wait, Any, int]:
    """Print what the container writes until it ends; returns its exit status.

    With `fresh`, what the log already holds is left out.  Signals are passed on to the container, which may ignore them (`sleep` as PID 1 does); the third ends this command alone.
    """
    world, host = inv.world, inv.host.name
    seen = (
        len(logs.read(world, host, container.log_path))
        if fresh and container.state == "RUNNING" and world.wall > container.started_at
        else 0
    )
    topics = [f"container:{host}:{container.id}"]
    if container.log_path and not interactive:
        topics.append(f"file:{host}:{posixpath.dirname(container.log_path)}")
    asked = 0

    def passed_on(number: int) -> bool:
        nonlocal asked
        asked += 1
        containers.signal(world, host, container, number)
        return asked < 3

    cast(Call, inv).task.on_signal = passed_on
    finished = False
    try:
        while True:
            if not interactive:
                lines = logs.read(world, host, container.log_path)
                for line in lines[seen:]:
                    (inv.err if line.stream == "stderr" else inv.out)(line.text + "\n")
                seen = len(lines)
            if container.state != "RUNNING" or find_container(world, host, container.id) is None:
                finished = True
                return container.exit_code
            yield WaitTopic(tuple(topics))
    finally:
        if finished:
            cast(Call, inv).task.on_signal = None


def forget_log(inv: Invocation, container: Container) -> None:
    """Remove the log of a container that keeps none."""
    path = posixpath.dirname(container.log_path)
    if container.log_path and inv.host.fs.exists(path):
        files.remove_file(inv.world, inv.host, path, recursive=True)

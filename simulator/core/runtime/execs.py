"""Commands in containers: as a main process whose output goes to the container's log, and by exec.

`exec` in a container that lacks the command fails with runc's words (containerd `pkg/oci`, runc `libcontainer`).
"""

from __future__ import annotations

from ..host import executor, streams
from ..host.machine import hosts
from ..host.process import Process
from ..kernel.world import World
from . import logs, rootfs
from .state import Container


def user_of(container: Container) -> str:
    """The user of a container's processes, with its groups where they are not the user's own."""
    user, _, groups = container.user.partition(":")
    return container.user if groups and groups != user else user or "root"


class LogStream(streams.Stream):
    """A descriptor that writes whole lines to a container's log."""

    def __init__(self, world: World, host: str, container: str, name: str) -> None:
        super().__init__()
        self.world, self.host, self.container, self.name = world, host, container, name
        self.rest = b""

    def write(self, data: bytes) -> None:
        """Log the complete lines, keep what follows the last newline."""
        self.rest += data
        whole, newline, rest = self.rest.rpartition(b"\n")
        if newline:
            logs.append(self.world, self.host, self.container, (whole + newline).decode(errors="replace"), self.name)
            self.rest = rest

    def closed(self) -> None:
        """The process has gone: log an unfinished line."""
        if self.rest:
            logs.append(self.world, self.host, self.container, self.rest.decode(errors="replace") + "\n", self.name)
            self.rest = b""


def spawn_main(world: World, host: str, container: Container, argv: list[str], shim: Process, sink: str) -> Process:
    """Start a command as the main process of a container."""
    out: streams.Stream
    err: streams.Stream
    if sink.startswith("cri:"):
        out = LogStream(world, host, container.id, "stdout")
        err = out if container.tty else LogStream(world, host, container.id, "stderr")
    else:
        out = err = streams.Null()
    stdin: streams.Stream = streams.Buffer(b"", ended=False) if container.stdin or container.tty else streams.Null()
    proc = executor.get(world).spawn(
        host,
        argv,
        {0: stdin, 1: out, 2: err},
        user=user_of(container),
        cwd=container.cwd,
        env=dict(container.env),
        mnt=container.id,
        netns=container.netns or host,
        ppid=shim.pid,
        container=container.id,
    )
    world.at(world.now, "co:", None)
    return proc


def exec_error(world: World, host: str, container: Container, argv: list[str]) -> str:
    """runc's message when a command cannot be executed in a container, or ""."""
    if rootfs.find_executable(hosts(world)[host], container, argv[0]) is not None:
        return ""
    if "/" in argv[0]:
        return f'exec: "{argv[0]}": stat {argv[0]}: no such file or directory'
    return f'exec: "{argv[0]}": executable file not found in $PATH'

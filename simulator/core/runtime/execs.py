"""Commands in containers: as a main process whose output goes to the container's log, and by exec.

`exec` in a container that lacks the command fails with runc's words (containerd `pkg/oci`, runc `libcontainer`).
"""

from __future__ import annotations

from ..host import executor, streams
from ..host.machine import hosts
from ..host.process import Process
from ..kernel.world import World
from . import rootfs, stdio
from .state import Container


def user_of(container: Container) -> str:
    """The user of a container's processes, with its groups where they are not the user's own."""
    user, _, groups = container.user.partition(":")
    return container.user if groups and groups != user else user or "root"


def spawn_main(world: World, host: str, container: Container, argv: list[str], shim: Process, sink: str) -> Process:
    """Start a command as the main process of a container."""
    logged = sink.startswith("cri:")
    if container.stdin or container.tty:
        fds = stdio.make(world, host, container).fds(world, host, container, logged)
    elif logged:
        fds = {
            0: streams.Null(),
            1: stdio.LogStream(world, host, container.id, "stdout"),
            2: stdio.LogStream(world, host, container.id, "stderr"),
        }
    else:
        fds = {0: streams.Null(), 1: streams.Null(), 2: streams.Null()}
    proc = executor.get(world).spawn(
        host,
        argv,
        fds,
        user=user_of(container),
        cwd=container.cwd,
        env=dict(container.env),
        mnt=container.id,
        netns=container.netns or host,
        ppid=shim.pid,
        container=container.id,
    )
    stdio.leader(world, container.id, proc)
    world.at(world.now, "co:", None)
    return proc


def exec_error(world: World, host: str, container: Container, argv: list[str]) -> str:
    """runc's message when a command cannot be executed in a container, or ""."""
    if rootfs.find_executable(hosts(world)[host], container, argv[0]) is not None:
        return ""
    return rootfs.exec_failure(hosts(world)[host], container, argv[0])

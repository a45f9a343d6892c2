"""What a container uses, as cgroup counters tell it: memory of its processes, processor time, tasks."""

from __future__ import annotations

import msgspec

from ..host.machine import hosts
from ..host.process import Process
from ..kernel.clock import SECOND
from ..kernel.world import World
from .state import Container, find_container


class Usage(msgspec.Struct, frozen=True):
    """Processor in per cent of one core, memory in bytes, bytes received and sent, tasks, processor time used so far (ns)."""

    cpu: float
    memory: int
    received: int
    sent: int
    pids: int
    cpu_ns: int


#: What a program that waits uses of a core, in thousandths of a per cent, by program; others 10.
_IDLE = {"nginx": 0, "nginx-worker": 0, "redis-server": 150, "mysqld": 420, "mariadbd": 30, "postgres": 12, "mongod": 310, "etcd": 900, "kube-apiserver": 2900, "kubelet": 1500,
         "kube-controller-manager": 900, "kube-scheduler": 250, "coredns": 120, "kube-proxy": 30, "pause": 0, "container-sleep": 0, "sleep": 0, "sh": 0, "bash": 0}  # fmt: skip


def of_daemons(world: World, host: str) -> int:
    """Processor time (ns) that what runs outside containers has used."""
    machine = hosts(world)[host]
    milli = sum(_IDLE.get(p.program.partition(":")[0], 10) for p in machine.processes.values() if not p.container)
    return 30_000_000_000 + max(0, world.now - machine.boot_at) * milli // 100_000


def work(world: World, proc: Process, ns: int) -> None:
    """A process has worked for a request: processor time for the container's account."""
    container = find_container(world, proc.host, proc.container) if proc.container else None
    if container is not None:
        container.worked += ns


def of_container(world: World, host: str, container: Container) -> Usage:
    """The use of a container's processes now."""
    found = [p for p in hosts(world)[host].processes.values() if p.container == container.id]
    milli = sum(_IDLE.get(p.program.partition(":")[0], 10) for p in found)
    ran = max(0, world.wall - container.started_at) if container.state == "RUNNING" else 0
    ident = (
        int(container.id[:4] or "0", 16)
        if container.id[:4].isalnum() and all(c in "0123456789abcdef" for c in container.id[:4])
        else 7
    )
    start_up = 20_000_000 + ident % 30_000_000
    wanted = min(container.busy, container.cpu_limit) if container.cpu_limit else container.busy
    cpu_ns = start_up + ran * milli // 100_000 + ran * wanted // 1000 + container.worked if found else 0
    memory = sum(p.memory_kib for p in found) * 1024
    traffic = 876 + ident % 500 if not container.shared_netns else 0
    return Usage(
        milli / 1000 + wanted / 10, memory, traffic + ran // (60 * SECOND) * 42, 126 if traffic else 0, len(found), cpu_ns
    )

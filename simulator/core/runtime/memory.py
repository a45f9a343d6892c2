"""Memory of containers: what their processes take, and the OOM killer (mm/oom_kill.c, memory cgroups).

With cgroup v2 a container whose processes exceed its limit is killed as a whole (memory.oom.group): exit status 137, reason OOMKilled.
When the machine itself has none left, the process with the highest score goes: BestEffort pods first, then the largest.
"""

from __future__ import annotations

from ..host import processes
from ..host.machine import hosts
from ..host.process import Process
from ..host.virtual import used_memory
from ..kernel.world import World
from .state import Container, find_container

#: A container whose limit is smaller cannot even be started: runc's own init does not fit.
SMALLEST = 4 * 1024 * 1024


def usage(world: World, host: str, ident: str) -> int:
    """Bytes that a container's processes hold."""
    return sum(p.memory_kib for p in hosts(world)[host].processes.values() if p.container == ident) * 1024


def take(world: World, proc: Process, kib: int) -> bool:
    """A process wants that much memory in all; False when somebody was killed for it (maybe the process itself)."""
    proc.memory_kib = kib
    container = find_container(world, proc.host, proc.container) if proc.container else None
    if container is not None and container.memory_limit and usage(world, proc.host, container.id) > container.memory_limit:
        kill(world, proc.host, container)
        return False
    machine = hosts(world)[proc.host]
    if used_memory(machine) > machine.memory_kib + sum(machine.swap.values()):
        return _machine(world, proc.host)
    return True


def kill(world: World, host: str, container: Container, *, system: bool = False) -> None:
    """The OOM killer ends a container, for its own limit or (`system`) because the machine has no memory left."""
    proc = processes.find(world, host, container.pid)
    name = (proc.argv[0] if proc else "?").rpartition("/")[2]
    where = (
        "CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom"
        if system
        else f"CONSTRAINT_MEMCG,nodemask=(null),cpuset=cri-containerd-{container.id}.scope,mems_allowed=0,oom_memcg=/kubepods.slice"
    )
    container.reason = "OOMKilled"
    world.emit(f"kernel/{host}", "oom.kill", f"containers/{container.id[:12]}", {"limit": container.memory_limit})
    processes.journal(
        world,
        host,
        "",
        0,
        f"{name} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=1000\n"
        f"oom-kill:constraint={where},task={name},pid={container.pid},uid=0\n"
        f"{'Out of memory' if system else 'Memory cgroup out of memory'}: Killed process {container.pid} ({name}) "
        f"total-vm:{usage(world, host, container.id) // 1024 + 2048}kB, anon-rss:{usage(world, host, container.id) // 1024}kB, "
        f"file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:180kB oom_score_adj:{container.oom}",
        "kernel",
    )
    if proc is not None:
        processes.kill(world, proc, 9)


def _machine(world: World, host: str) -> bool:
    machine = hosts(world)[host]
    ranked = sorted((p for p in machine.processes.values() if p.container), key=lambda p: (-p.memory_kib, p.pid))
    for proc in ranked:
        container = find_container(world, host, proc.container)
        if container is not None and container.pid == proc.pid and proc.memory_kib > 64 * 1024:
            kill(world, host, container, system=True)
            world.ring(f"oom:{host}")
            return False
    return True

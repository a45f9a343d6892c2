"""PID namespaces: a container's processes count from 1 (pid_namespaces(7)).

A container has a namespace of its own unless `Host.pid_spaces` names another: "" is the host's (hostPID), else the pod's, whose process 1 is the
pause container.  Numbers inside are the host's less those before the first process, so they are kept nowhere, never change while a process
lives, and grow as real ones do.
"""

from __future__ import annotations

import msgspec

from .machine import Host
from .process import Process


def space(host: Host, proc: Process) -> str:
    """The PID namespace of a process: "" is the host's."""
    return host.pid_spaces.get(proc.container, proc.container)


def members(host: Host, looks: Process) -> list[Process]:
    """The processes of the same namespace, by number; everybody but PID 1 from the host's own."""
    own = space(host, looks)
    found = host.processes.values()
    return sorted((p for p in found if not own or space(host, p) == own), key=lambda p: p.pid)


def base(host: Host, looks: Process) -> int:
    """What is taken from the host's numbers to have those that a process sees."""
    own = space(host, looks)
    if not own:
        return 0
    return min((p.pid for p in host.processes.values() if space(host, p) == own), default=1) - 1


def number(host: Host, looks: Process, pid: int) -> int:
    """A PID of the host as `looks` sees it; 0 for one outside its namespace, as getppid(2) has it."""
    less = base(host, looks)
    if not less:
        return pid
    proc = host.processes.get(pid)
    return max(pid - less, 0) if proc is None or space(host, proc) == space(host, looks) else 0


def find(host: Host, looks: Process, pid: int) -> Process | None:
    """The process that `looks` calls `pid`."""
    proc = host.processes.get(pid + base(host, looks))
    return proc if proc is not None and (not space(host, looks) or space(host, proc) == space(host, looks)) else None


def is_init(host: Host, sender: Process, proc: Process) -> bool:
    """Whether `proc` is PID 1 of the sender's own namespace: from inside it gets only signals that it has a handler for."""
    own = space(host, proc)
    return bool(own) and own == space(host, sender) and proc.pid == base(host, proc) + 1


def shown(host: Host, looks: Process) -> list[Process]:
    """Copies of the processes that `looks` can see, with the numbers that it sees (to be printed)."""
    less, found = base(host, looks), members(host, looks)
    if not less:
        return found
    inside = {proc.pid for proc in found}
    return [msgspec.structs.replace(p, pid=p.pid - less, ppid=p.ppid - less if p.ppid in inside else 0) for p in found]

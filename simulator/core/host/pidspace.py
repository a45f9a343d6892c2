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


#: The program of a shell's process that has called exec(2): what it runs is a process of its own here, and stands for both.
REPLACED = "(exec)"


def members(host: Host, looks: Process) -> list[Process]:
    """The processes of the same namespace, by number; everybody but PID 1 from the host's own."""
    own = space(host, looks)
    found = host.processes.values()
    return sorted((p for p in found if p.program != REPLACED and (not own or space(host, p) == own)), key=lambda p: p.pid)


def parent(host: Host, proc: Process) -> int:
    """The parent's number on the host, past shells that have called exec."""
    above = proc.ppid
    while (one := host.processes.get(above)) is not None and one.program == REPLACED:
        above = one.ppid
    return above


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
    above = {p.pid: parent(host, p) for p in found}
    if not less:
        return [p if above[p.pid] == p.ppid else msgspec.structs.replace(p, ppid=above[p.pid]) for p in found]
    return [msgspec.structs.replace(p, pid=p.pid - less, ppid=above[p.pid] - less if above[p.pid] in above else 0) for p in found]

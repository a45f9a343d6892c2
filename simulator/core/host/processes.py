"""Starting, ending and watching processes; the world's side of fork, kill, wait and listen.

Timer targets: `proc:<host>/<pid>` reaches `Program.timer`; the timer of a dead process is dropped.  `watch_exit` tells a timer
target `[payload, pid, code]` when a process ends.  A status of 128 + n means death by signal n.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec

from ..kernel import network
from ..kernel.clock import SECOND
from ..kernel.errors import ConnectError
from ..kernel.http import Request, Response
from ..kernel.world import World
from . import files
from .machine import Host, JournalLine, hosts
from .process import Process
from .program import Exited, Program

#: Tests set this: a defect of a program's behaviour is then raised instead of ending the simulated process.
STRICT = False
#: Journal lines and bytes of a log file that a host keeps.
JOURNAL_KEEP = 4000
LOG_KEEP = 2 * 1024 * 1024


class ExitWatch(msgspec.Struct, array_like=True):
    """Who is told of the end of a process."""

    target: str
    payload: Any


class ProcessTable(msgspec.Struct):
    """State of this layer: exit watchers by `host/pid`, and the last exit statuses of terminals' processes (for `wait`)."""

    watchers: dict[str, list[ExitWatch]] = {}
    codes: dict[str, int] = {}


def table(world: World) -> ProcessTable:
    """The section `processes`."""
    return world.section("processes", ProcessTable)


def new_pid(host: Host) -> int:
    """The next free pid of a host."""
    host.next_pid += 1
    return host.next_pid


#: What programs hold in memory soon after their start, in KiB (resident set on a small idle cluster); others 4 MiB.
RESIDENT = {
    "kube-apiserver": 251_000, "etcd": 52_000, "kube-controller-manager": 57_000, "kube-scheduler": 26_000, "kubelet": 71_000,
    "containerd": 48_000, "kube-proxy": 21_000, "coredns": 15_000, "metrics-server": 22_000, "flanneld": 14_000, "dockerd": 78_000,
    "nginx": 3_800, "nginx-worker": 1_900, "httpd": 9_200, "redis-server": 9_800, "mysqld": 372_000, "mariadbd": 92_000, "postgres": 24_000, "mongod": 168_000,
    "rabbitmq-server": 118_000, "haproxy": 11_000, "pause": 600, "systemd-journald": 15_000,
}  # fmt: skip


def add(
    world: World,
    *,
    host: str,
    program: str,
    argv: list[str],
    ppid: int = 1,
    user: str = "root",
    cwd: str = "/",
    env: dict[str, str] | None = None,
    sink: str = "null",
    mnt: str = "host",
    netns: str | None = None,
    unit: str = "",
    container: str = "",
    tty: str = "",
    pgid: int = 0,
) -> Process:
    """Put a process in its host's table without running anything (commands; `start` is for daemons)."""
    machine = hosts(world)[host]
    pid = new_pid(machine)
    proc = Process(
        pid=pid,
        ppid=ppid,
        host=host,
        program=program,
        argv=list(argv),
        user=user,
        cwd=cwd,
        env=dict(env or {}),
        started=world.now,
        memory_kib=RESIDENT.get(program.partition(":")[0], 4096),
        sink=sink,
        mnt=mnt,
        netns=host if netns is None else netns,
        unit=unit,
        container=container,
        tty=tty,
        pgid=pgid if pgid > 0 else pid,
    )
    machine.processes[pid] = proc
    return proc


def start(
    world: World,
    *,
    host: str,
    program: str,
    argv: list[str],
    ppid: int = 1,
    user: str = "root",
    cwd: str = "/",
    env: dict[str, str] | None = None,
    sink: str = "null",
    mnt: str = "host",
    netns: str | None = None,
    unit: str = "",
    container: str = "",
) -> Process:
    """Start a daemon.  When it ends at once the returned process has `state` X and its `exit_code`."""
    behaviour = program_of(world, program)
    proc = add(
        world,
        host=host,
        program=program,
        argv=argv,
        ppid=ppid,
        user=user,
        cwd=cwd,
        env=env,
        sink=sink,
        mnt=mnt,
        netns=netns,
        unit=unit,
        container=container,
    )
    try:
        behaviour.start(world, proc)
    except Exited as ended:
        finish(world, proc, ended.code)
    return proc


def program_of(world: World, name: str) -> Program:
    """The behaviour of a daemon; `name:version` is found under `name`.  Raises KeyError."""
    programs: dict[str, Program] = world.tables["programs"]
    found = programs.get(name)
    return found if found is not None else programs[name.partition(":")[0]]


def alive(world: World, proc: Process) -> bool:
    """Whether the process is still in its host's table."""
    machine = hosts(world).get(proc.host)
    return machine is not None and machine.processes.get(proc.pid) is proc


def kill(world: World, proc: Process, signal: int = 15) -> int:
    """End a process by a signal; returns its exit status.  A command's coroutine may handle the signal and live on (-1)."""
    if not alive(world, proc):
        return proc.exit_code
    executor = world.warm.get("executor")
    if executor is not None and proc.pid and executor.owns(proc):
        return int(executor.signal(proc, signal))
    if signal in (17, 18, 19, 20, 23, 28):  # CHLD, CONT, STOP, TSTP, URG, WINCH: no end of a daemon
        proc.state = "T" if signal in (19, 20) else "S"
        if signal in (18, 19, 20):
            network.changed(world)  # who talks to it hears nothing any more, or again
        return -1
    programs = world.tables.get("programs", {})
    code = 128 + signal
    if proc.program in programs or proc.program.partition(":")[0] in programs:
        code = program_of(world, proc.program).stop(world, proc, signal)
    finish(world, proc, code)
    return code


def exit(world: World, proc: Process, code: int) -> None:
    """A program ends by itself."""
    if not alive(world, proc):
        return
    executor = world.warm.get("executor")
    if executor is not None and executor.owns(proc):
        executor.end(proc, code)
        return
    finish(world, proc, code)


def finish(world: World, proc: Process, code: int) -> None:
    """Drop what a process held and tell its watchers; its behaviour has been stopped already."""
    machine = hosts(world).get(proc.host)
    if machine is not None:
        machine.processes.pop(proc.pid, None)
        for child in [p for p in machine.processes.values() if p.ppid == proc.pid]:
            child.ppid = 1
    proc.state, proc.exit_code = "X", code
    if proc.ppid > 1:
        codes = table(world).codes
        codes[proc.key] = code
        if len(codes) > 200:
            del codes[next(iter(codes))]
    network.close_sockets(world, proc.netns, proc.pid)
    world.unsubscribe(proc.target)
    for watch in table(world).watchers.pop(proc.key, ()):
        world.at(world.now, watch.target, [watch.payload, proc.pid, code])
    world.ring(f"exit:{proc.key}")


def watch_exit(world: World, proc: Process, target: str, payload: Any = None) -> None:
    """Tell a timer target `[payload, pid, code]` when the process ends (at once when it has ended)."""
    if not alive(world, proc):
        world.at(world.now, target, [payload, proc.pid, proc.exit_code])
        return
    table(world).watchers.setdefault(proc.key, []).append(ExitWatch(target, payload))


def find(world: World, host: str, pid: int) -> Process | None:
    """The process of a host with that pid."""
    machine = hosts(world).get(host)
    return machine.processes.get(pid) if machine is not None else None


def by_program(world: World, host: str, program: str) -> list[Process]:
    """The host's processes that run a program (of any version), by pid."""
    found = hosts(world)[host].processes.values()
    return sorted((p for p in found if p.program.partition(":")[0] == program), key=lambda p: p.pid)


def log(world: World, proc: Process, text: str) -> None:
    """One or more lines to the process's sink."""
    write(world, proc, text if text.endswith("\n") else text + "\n")


def write(world: World, proc: Process, text: str) -> None:
    """Text to the process's sink; `tables['sinks']` may name more kinds of sink (`cri:<container>`)."""
    kind, _, rest = proc.sink.partition(":")
    if kind == "null" or not text:
        return
    if kind == "journal":
        journal(world, proc.host, rest, proc.pid, text)
    elif kind == "file":
        size = 0
        machine = hosts(world)[proc.host]
        with suppress(OSError):
            size = len(files.tree(machine).lookup(rest).data)
        files.write_file(world, machine, rest, text.encode(), append=size < LOG_KEEP, parents=True)
    elif kind == "tty":
        sink = world.tables.get("tty")
        if sink is not None:
            sink(world, rest, 1, text)
    else:
        handler = world.tables.get("sinks", {}).get(kind)
        if handler is not None:
            handler(world, proc, rest, text)


def say(world: World, proc: Process, text: str) -> None:
    """Text to standard output while a shell starts the process; everywhere else both outputs are one."""
    handler = world.tables.get("sinks", {}).get("stdout")
    if handler is None or not handler(world, proc, text):
        write(world, proc, text)


def journal(world: World, host: str, unit: str, pid: int, text: str, ident: str = "") -> None:
    """Lines to a host's journal under a unit (or identifier) and pid."""
    machine = hosts(world)[host]
    for line in text.splitlines():
        machine.journal.append(JournalLine(world.wall + machine.skew, unit, pid, line, ident))
    if len(machine.journal) > JOURNAL_KEEP + JOURNAL_KEEP // 8:
        del machine.journal[: len(machine.journal) - JOURNAL_KEEP]
    world.ring(f"journal:{host}")


def dispatch(world: World, rest: str, payload: Any) -> None:
    """Timer handler of `proc:<host>/<pid>`."""
    name, _, pid = rest.rpartition("/")
    proc = find(world, name, int(pid))
    if proc is None:
        return
    if proc.state == "T":  # stopped: what was due comes once it goes on
        world.after(SECOND, "proc:" + rest, payload)
        return
    try:
        program_of(world, proc.program).timer(world, proc, payload)
    except Exited as ended:
        finish(world, proc, ended.code)
    except Exception as error:
        if STRICT:
            raise
        _defect(world, proc, error)


def _defect(world: World, proc: Process, error: Exception) -> None:
    """A mistake of ours in a program's behaviour: only that process ends, as by a panic, and its log and the trace say so."""
    text = f"{type(error).__name__}: {error}"[:300]
    world.emit("simulator", "defect", f"{proc.host}/{proc.program}", {"error": text})
    try:
        log(world, proc, f"panic: this is a defect of Slipway, not of your cluster: {text}")
        program_of(world, proc.program).stop(world, proc, 6)
    except Exception as again:
        world.emit("simulator", "defect", f"{proc.host}/{proc.program}", {"error": f"{type(again).__name__}: {again}"[:300]})
    finish(world, proc, 2)


def serve(world: World, item: network.Listener, request: Request) -> Response:
    """`tables['http']`: hand a request to the program that holds the socket."""
    proc = find(world, item.host, item.pid)
    assert proc is not None, "a socket without a process"
    try:
        return program_of(world, proc.program).http(world, proc, request)
    except ConnectError:
        raise
    except Exception as error:
        if STRICT:
            raise
        world.emit("simulator", "defect", f"{proc.host}/{proc.program}", {"error": f"{type(error).__name__}: {error}"[:300]})
        return Response(status=500, body=b"a defect of Slipway, not of your cluster\n")

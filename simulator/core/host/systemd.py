"""systemd as far as a cluster needs it: unit files with drop-ins, services that start, stop, restart and are enabled.

Follows systemd's own rules: `/etc/systemd/system` wins over `/run`, then `/usr/lib` and `/lib`; `<unit>.d/*.conf` add to a unit,
an empty assignment clears a list; `Restart=` with `RestartSec=` (100 ms by default) restarts through a timer
(`unit:<host>/<unit>`); `StartLimitBurst=5` starts in `StartLimitIntervalSec=10` s are the limit.
"""

from __future__ import annotations

import errno
import posixpath
from typing import Any

from ..kernel.clock import MS, SECOND
from ..kernel.world import World
from . import cron, executor, files, processes, streams, timers, users
from .machine import Host, UnitState, hosts
from .process import Process
from .unitfiles import (
    UNIT_DIRS,
    Section,
    UnitFile,
    UnitNotFound,
    command_line,
    duration,
    environment,
    fragments,
    load,
    unit_name,
    unit_of,
)

__all__ = [
    "EXITS",
    "SIGNALS",
    "UNIT_DIRS",
    "JournalStream",
    "Section",
    "UnitFile",
    "UnitNotFound",
    "boot",
    "command_line",
    "dispatch",
    "duration",
    "enabled_units",
    "ended",
    "environment",
    "keep",
    "load",
    "reload",
    "restart_unit",
    "start_unit",
    "state",
    "stop_unit",
    "unit_name",
]

#: Keys that hold one value: the last assignment wins.
_BURST, _INTERVAL = 5, 10 * SECOND


def state(host: Host, name: str) -> UnitState:
    """What is known of a unit (made when first asked for)."""
    return host.units.setdefault(unit_name(name), UnitState())


def keep(world: World, host: Host, path: str) -> None:
    """A unit's file is about to change: the manager keeps what it has read of it, when it has it loaded (`tables['units']`).

    Loaded is what runs, has failed, or is wanted by a target; any other unit is read when it is asked for.
    """
    name = unit_of(path)
    if not name or name in host.kept:
        return
    known = host.units.get(name)
    if (known is not None and known.active != "inactive") or name in enabled_units(host):
        try:
            host.kept[name] = fragments(host, name)
        except UnitNotFound:
            return


def reload(host: Host) -> None:
    """`daemon-reload`: the manager reads all units anew."""
    host.kept.clear()


def _say(world: World, host: Host, unit: str, text: str) -> None:
    processes.journal(world, host.name, unit, 1, text, "systemd")


def _describe(unit: UnitFile) -> str:
    return f"{unit.name} - {unit.value('Unit', 'Description', unit.name)}"


def start_unit(world: World, host: str | Host, name: str) -> bool:
    """Start a unit and what it wants; True when it is active afterwards."""
    machine = files.host_of(world, host)
    unit = load(world, machine, name)
    status = state(machine, unit.name)
    if status.active in ("active", "activating") and status.sub != "auto-restart":
        return True
    for kind in ("Requires", "Wants"):
        for value in unit.values("Unit", kind):
            for other in value.split():
                if other.endswith((".service", ".socket")) and other != unit.name:
                    try:
                        start_unit(world, machine, other)
                    except UnitNotFound:
                        continue
    if unit.name.endswith(".timer"):
        return _start_timer(world, machine, unit, status)
    if not unit.name.endswith(".service"):
        _set(world, machine, unit.name, "active", "active" if unit.name.endswith(".target") else "listening")
        return True
    return _launch(world, machine, unit, status)


def _start_timer(world: World, machine: Host, unit: UnitFile, status: UnitState) -> bool:
    bad = timers.problem(unit)
    if bad:
        _say(world, machine, unit.name, f"{unit.name}: {bad}")
        return False
    _set(world, machine, unit.name, "active", "waiting")
    _say(world, machine, unit.name, f"Started {_describe(unit)}.")
    timers.arm(world, machine, unit, status)
    return True


def _elapse(world: World, machine: Host, name: str) -> None:
    """A timer has elapsed: start its unit, and wait for the next time."""
    status = state(machine, name)
    status.timer = 0
    if status.active != "active":
        return
    try:
        unit = load(world, machine, name)
    except UnitNotFound:
        return
    status.fired = world.now
    other = timers.activates(unit)
    try:
        load(world, machine, other)
    except UnitNotFound:
        _say(world, machine, name, f"{name}: Failed to queue unit startup job: Unit {other} not found.")
        _set(world, machine, name, "failed", "failed", "resources")
        return
    timers.arm(world, machine, unit, status)
    start_unit(world, machine, other)


def _launch(world: World, machine: Host, unit: UnitFile, status: UnitState) -> bool:
    simple = _simple(unit)
    if not simple:
        _say(world, machine, unit.name, f"Starting {_describe(unit)}...")
    try:
        env = environment(world, machine, unit)
        for pre in command_line(unit, "ExecStartPre", env):
            if not _exists(machine, pre[0]):
                raise FileNotFoundError(errno.ENOENT, "No such file or directory", pre[0])
        lines = command_line(unit, "ExecStart", env)
        if not lines:
            _set(world, machine, unit.name, "active", "exited")
            return True
        if simple:
            _say(world, machine, unit.name, f"Started {_describe(unit)}.")
        proc = _exec(world, machine, unit, lines[-1], env)
    except OSError as failed:
        path = failed.filename or ""
        name, pid = posixpath.basename(path), processes.new_pid(machine)
        for text in (f"Failed to locate executable {path}", f"Failed at step EXEC spawning {path}"):
            # the forked child says so itself, under the name that it was to take
            processes.journal(world, machine.name, unit.name, pid, f"{unit.name}: {text}: {failed.strerror}", f"({name})")
        status.ended_pid, status.ended_code, status.ended_argv = pid, 203, [path]
        _failed(world, machine, unit, status, 203, "exit-code")
        return simple
    status.main_pid, status.ended_argv = proc.pid, list(proc.argv)
    if proc.state == "X":
        _set(world, machine, unit.name, "active", "running")
        ended(world, machine, unit.name, proc.pid, proc.exit_code)
        return simple or status.active == "active"
    _set(world, machine, unit.name, "active", "running")
    if not simple:
        _say(world, machine, unit.name, f"Started {_describe(unit)}.")
    processes.watch_exit(world, proc, f"unit:{machine.name}/{unit.name}", "exit")
    return True


def _simple(unit: UnitFile) -> bool:
    """A service of Type=simple (the default) counts as started once its process has been forked, whatever becomes of it."""
    return unit.value("Service", "Type", "simple") == "simple"


def _exists(machine: Host, path: str) -> bool:
    return files.tree(machine).exists(path)


def _exec(world: World, machine: Host, unit: UnitFile, argv: list[str], env: dict[str, str]) -> Process:
    path, node = executor.resolve(machine, "host", argv[0], cwd="/", path=env["PATH"])
    user = unit.value("Service", "User", "root")
    cwd = unit.value("Service", "WorkingDirectory", "/").lstrip("-").replace("~", users.home_of(files.tree(machine), user))
    sink = f"journal:{unit.name}"
    name = node.target.partition(":")[0]
    if node.kind == "exec" and name in world.tables.get("programs", {}):
        return processes.start(
            world, host=machine.name, program=node.target, argv=argv, user=user, cwd=cwd, env=env, sink=sink, unit=unit.name
        )
    out = JournalStream(world, machine.name, unit.name)
    run = executor.get(world)
    proc = run.spawn(machine.name, argv, {0: streams.Null(), 1: out, 2: out}, user=user, cwd=cwd, env=env, found=(path, node))
    proc.unit = unit.name
    run.pump()
    return proc


class JournalStream(streams.Stream):
    """Standard output of a unit whose program is a command: lines go to the journal."""

    def __init__(self, world: World, host: str, unit: str) -> None:
        super().__init__()
        self.world, self.host, self.unit, self.rest = world, host, unit, b""

    def write(self, data: bytes) -> None:
        """Log whole lines, keep the rest."""
        whole, newline, self.rest = (self.rest + data).rpartition(b"\n")
        if newline:
            processes.journal(self.world, self.host, self.unit, 0, whole.decode(errors="replace"))


def _set(world: World, machine: Host, name: str, active: str, sub: str, result: str = "success") -> None:
    status = state(machine, name)
    if (status.active, status.sub) != (active, sub) or sub == "auto-restart":
        status.since = world.now
    status.active, status.sub, status.result = active, sub, result
    world.ring(f"unit:{machine.name}")


def how_ended(code: int) -> str:
    """`code=exited, status=1/FAILURE`, as `systemctl status` and the journal tell an exit status."""
    if 128 < code < 192:
        return f"code=killed, status={code - 128}/{SIGNALS.get(code - 128, code - 128)}"
    return f"code=exited, status={code}/{EXITS.get(code, 'n/a')}"


def _failed(world: World, machine: Host, unit: UnitFile, status: UnitState, code: int, result: str) -> None:
    status.main_pid = 0
    if code:
        _say(world, machine, unit.name, f"{unit.name}: Main process exited, {how_ended(code)}")
        _say(world, machine, unit.name, f"{unit.name}: Failed with result '{result}'.")
    policy = unit.value("Service", "Restart", "no")
    clean = code in (0, 143, 130)
    again = policy == "always" or (policy == "on-failure" and not clean) or (policy == "on-success" and clean)
    again = again or (policy in ("on-abnormal", "on-abort") and code > 128 and not clean)
    if not again:
        _set(
            world,
            machine,
            unit.name,
            "inactive" if clean else "failed",
            "dead" if clean else "failed",
            "success" if clean else result,
        )
        return
    _set(world, machine, unit.name, "activating", "auto-restart", result)
    delay = duration(unit.value("Service", "RestartSec"), 100 * MS)
    world.after(delay, f"unit:{machine.name}/{unit.name}", ["restart", status.main_pid, status.restarts])


SIGNALS = {1: "HUP", 2: "INT", 6: "ABRT", 9: "KILL", 11: "SEGV", 15: "TERM"}
EXITS = {0: "SUCCESS", 1: "FAILURE", 2: "INVALIDARGUMENT", 126: "n/a", 127: "n/a", 203: "EXEC"}


def ended(world: World, machine: Host, name: str, pid: int, code: int) -> None:
    """The main process of a unit has ended by itself or by somebody's signal."""
    status = state(machine, name)
    if status.main_pid != pid:
        return
    status.ended_pid, status.ended_code = pid, code
    try:
        unit = load(world, machine, name)
    except UnitNotFound:
        _set(world, machine, name, "inactive", "dead")
        return
    if unit.value("Service", "Type") == "oneshot" and code == 0:
        keep = unit.value("Service", "RemainAfterExit") in ("yes", "true", "1")
        status.main_pid = 0
        _set(world, machine, name, "active" if keep else "inactive", "exited" if keep else "dead")
        return
    _failed(world, machine, unit, status, code, "signal" if code > 128 else "exit-code")


def dispatch(world: World, rest: str, payload: Any) -> None:
    """Timer handler of `unit:<host>/<unit>`: `[what, pid, code]`."""
    host, _, name = rest.partition("/")
    machine = hosts(world).get(host)
    if machine is None or not machine.up:
        return
    what, pid, code = payload
    if what == "elapse":
        _elapse(world, machine, name)
        return
    if what == "exit":
        ended(world, machine, name, pid, code)
        return
    status = state(machine, name)
    if status.sub != "auto-restart" or status.restarts != code:
        return
    status.restarts += 1
    unit = load(world, machine, name)
    burst = unit.value("Unit", "StartLimitIntervalSec")
    if burst not in ("0", "0s") and _too_often(world, machine, unit):
        _say(world, machine, name, f"{name}: Start request repeated too quickly.")
        _say(world, machine, name, f"{name}: Failed with result 'exit-code'.")
        _set(world, machine, name, "failed", "failed", "exit-code")
        return
    _say(world, machine, name, f"{name}: Scheduled restart job, restart counter is at {status.restarts}.")
    _launch(world, machine, unit, status)


def _too_often(world: World, machine: Host, unit: UnitFile) -> bool:
    burst = int(unit.value("Unit", "StartLimitBurst", str(_BURST)) or _BURST)
    interval = duration(unit.value("Unit", "StartLimitIntervalSec"), _INTERVAL)
    mark = f"Started {_describe(unit)}." if _simple(unit) else f"Starting {_describe(unit)}..."
    recent = [
        line
        for line in machine.journal[-400:]
        if line.at > world.wall - interval and line.unit == unit.name and line.text == mark
    ]
    return len(recent) >= burst


def stop_unit(world: World, host: str | Host, name: str) -> None:
    """Stop a unit; its process gets SIGTERM."""
    machine = files.host_of(world, host)
    name = unit_name(name)
    status = state(machine, name)
    if status.active in ("inactive", "failed"):
        return
    unit = load(world, machine, name)
    timers.disarm(world, status)
    pid, status.main_pid = status.main_pid, 0
    if name.endswith(".timer"):
        _set(world, machine, name, "inactive", "dead")
        _say(world, machine, name, f"{name}: Deactivated successfully.")
        _say(world, machine, name, f"Stopped {_describe(unit)}.")
        return
    _say(world, machine, name, f"Stopping {_describe(unit)}...")
    proc = processes.find(world, machine.name, pid) if pid else None
    _set(world, machine, name, "inactive", "dead")
    if proc is not None:
        processes.kill(world, proc, 15)
        if processes.alive(world, proc):
            processes.kill(world, proc, 9)
    _say(world, machine, name, f"{name}: Deactivated successfully.")
    _say(world, machine, name, f"Stopped {_describe(unit)}.")


def restart_unit(world: World, host: str | Host, name: str) -> bool:
    """Stop and start a unit."""
    machine = files.host_of(world, host)
    load(world, machine, name)
    stop_unit(world, machine, name)
    state(machine, name).restarts = 0
    return start_unit(world, machine, name)


def enabled_units(machine: Host) -> list[str]:
    """Units that `*.wants` directories below /etc/systemd/system link, sorted."""
    tree = files.tree(machine)
    found: set[str] = set()
    root = UNIT_DIRS[0]
    if tree.isdir(root):
        for folder in tree.listdir(root):
            if folder.endswith(".wants") and tree.isdir(posixpath.join(root, folder)):
                found.update(tree.listdir(posixpath.join(root, folder)))
    return sorted(found)


def boot(world: World, host: str | Host) -> None:
    """Start every enabled unit, as multi-user.target would."""
    machine = files.host_of(world, host)
    machine.boot_at = world.now
    reload(machine)
    for held in machine.units.values():  # what ran before the machine lost its power does not run now
        held.active, held.sub, held.main_pid, held.restarts = "inactive", "dead", 0, 0
        timers.disarm(world, held)
    for name in enabled_units(machine):
        try:
            start_unit(world, machine, name)
            state(machine, name).enabled = True
        except UnitNotFound:
            continue
    cron.boot(world, machine)

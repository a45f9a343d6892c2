"""`systemctl`: start, stop, restart, reload, status, enable, disable, is-active, is-enabled, is-failed, show, cat, list-units, daemon-reload."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..host import files, processes, systemd
from ..host.executor import Ended
from ..host.invocation import Call
from ..host.machine import UnitState
from ..host.unitfiles import UnitNotFound, fragments, read
from ..kernel.clock import SECOND, to_datetime
from ..kernel.errors import NotSimulated
from . import poweroff, unitcmds, unitshow
from .journalctl import line_text

LEGEND = """
Legend: LOAD   → Reflects whether the unit definition was properly loaded.
        ACTIVE → The high-level unit activation state, i.e. generalization of SUB.
        SUB    → The low-level unit activation state, values depend on unit type.
"""


def _unit(call: Call, name: str) -> systemd.UnitFile | None:
    try:
        return systemd.load(call.world, call.host, name)
    except systemd.UnitNotFound:
        return None


def _enabled(call: Call, unit: systemd.UnitFile) -> str:
    if unitcmds.masked(call, unit.name):
        return "masked"
    if unit.name in systemd.enabled_units(call.host):
        return "enabled"
    return "disabled" if unit.values("Install", "WantedBy") else "static"


def _ago(call: Call, since: int) -> str:
    seconds = max((call.world.now - since) // SECOND, 0)
    if seconds < 60:
        return f"{seconds}s ago"
    if seconds < 3600:
        return f"{seconds // 60}min" + (f" {seconds % 60}s" if seconds % 60 else "") + " ago"
    return (
        f"{seconds // 3600}h {seconds // 60 % 60}min ago"
        if seconds < 86400
        else f"{seconds // 86400} day{'s' if seconds >= 172800 else ''} ago"
    )


def _status(call: Call, names: list[str], flags: set[str]) -> int:
    code = 0
    for number, name in enumerate(names):
        unit = _unit(call, name)
        if unit is None:
            call.err(f"Unit {systemd.unit_name(name)} could not be found.\n")
            code = 4
            continue
        if number:
            call.out("\n")
        state = systemd.state(call.host, unit.name)
        unitcmds.warn_if_stale(call, unit)
        _show_status(call, unit, state)
        code = code or (0 if state.active == "active" else 3)
    return code


def _show_status(call: Call, unit: systemd.UnitFile, state: UnitState) -> None:
    dot = {"active": "●", "failed": "×"}.get(state.active, "●" if state.active == "activating" else "○")
    call.out(f"{dot} {unit.name} - {unit.value('Unit', 'Description', unit.name)}\n")
    if unitcmds.masked(call, unit.name):
        call.out(f"     Loaded: masked (Reason: Unit {unit.name} is masked.)\n     Active: {state.active} ({state.sub})\n")
        return
    call.out(f"     Loaded: loaded ({unit.path}; {_enabled(call, unit)}; preset: enabled)\n")
    if unit.drop_ins:
        folder = posixpath.dirname(unit.drop_ins[0])
        call.out(f"    Drop-In: {folder}\n             └─{', '.join(posixpath.basename(item) for item in unit.drop_ins)}\n")
    since = to_datetime(call.world.epoch + state.since).strftime("%a %Y-%m-%d %H:%M:%S UTC")
    why = f" (Result: {state.result})" if state.active == "failed" or state.sub == "auto-restart" else f" ({state.sub})"
    if state.sub == "auto-restart":
        why = f" (auto-restart) (Result: {state.result})"
    known = state.since or state.active == "active"
    call.out(f"     Active: {state.active}{why}" + (f" since {since}; {_ago(call, state.since)}" if known else "") + "\n")
    for page in " ".join(unit.values("Unit", "Documentation")).split()[:1]:
        call.out(f"       Docs: {page}\n")
    proc = processes.find(call.world, call.host.name, state.main_pid) if state.main_pid else None
    if proc is None and state.ended_pid and state.ended_argv:
        how = systemd.how_ended(state.ended_code)
        call.out(f"    Process: {state.ended_pid} ExecStart={' '.join(state.ended_argv)} ({how})\n")
        call.out(f"   Main PID: {state.ended_pid} ({how})\n")
    if proc is not None:
        name = posixpath.basename(proc.argv[0])
        workers = [one for one in processes.by_program(call.world, call.host.name, "nginx-worker") if one.ppid == proc.pid]
        group = [proc, *workers]
        call.out(
            f"   Main PID: {proc.pid} ({name})\n      Tasks: {8 + proc.pid % 9} (limit: 9379)\n     Memory: {sum(one.memory_kib for one in group) / 1024:.1f}M\n"
        )
        call.out(f"     CGroup: /system.slice/{unit.name}\n")
        call.out("".join(f"             {'└─' if one is group[-1] else '├─'}{one.pid} {one.title}\n" for one in group))
    recent = [line for line in call.host.journal if line.unit == unit.name][-10:]
    if recent:
        call.out("\n" + "".join(line_text(call, line) + "\n" for line in recent))


def _overview(call: Call) -> int:
    """`systemctl status` without units: the machine and its tree of services."""
    failed = sum(one.active == "failed" for one in call.host.units.values())
    since = to_datetime(call.world.epoch + call.host.boot_at).strftime("%a %Y-%m-%d %H:%M:%S UTC")
    call.out(
        f"● {call.host.name}\n    State: {'degraded' if failed else 'running'}\n    Units: {len(call.host.units)} loaded (incl. loaded aliases)\n"
        f"     Jobs: 0 queued\n   Failed: {failed} units\n    Since: {since}; {_ago(call, call.host.boot_at)}\n  systemd: 255.4-1ubuntu8.4\n"
        "   CGroup: /\n           └─system.slice\n"
    )
    running = [(name, one) for name, one in sorted(call.host.units.items()) if one.main_pid]
    for number, (name, one) in enumerate(running):
        last = number == len(running) - 1
        proc = processes.find(call.world, call.host.name, one.main_pid)
        call.out(
            f"             {'└─' if last else '├─'}{name}\n             {'  ' if last else '│ '}└─{one.main_pid} {' '.join(proc.argv) if proc else ''}\n"
        )
    return 0


def _change(call: Call, names: list[str], work: Callable[[str], bool], verb: str) -> int:
    code = 0
    for name in names:
        unit = _unit(call, name)
        if unit is not None and not call.uid and verb != "stop":
            unitcmds.warn_if_stale(call, unit)
    if call.uid:
        call.err(f"Failed to {verb} {systemd.unit_name(names[0]) if names else ''}: Interactive authentication required.\n")
        return 1
    for name in names:
        full = systemd.unit_name(name)
        if verb != "stop" and unitcmds.masked(call, full):
            call.err(f"Failed to {verb} {full}: Unit {full} is masked.\n")
            code = 1
            continue
        if _unit(call, name) is None:
            call.err(f"Failed to {verb} {full}: Unit {full} not {'loaded' if verb == 'stop' else 'found'}.\n")
            code = 5
            continue
        if not work(name):
            call.err(
                f'Job for {full} failed because the control process exited with error code.\nSee "systemctl status {full}" and "journalctl -xeu {full}" for details.\n'
            )
            code = 1
    return code


def _stop(call: Call, name: str) -> bool:
    systemd.stop_unit(call.world, call.host, name)
    return True


def _enable(call: Call, names: list[str], flags: set[str], on: bool) -> int:
    for name in names:
        try:
            unit = read(call.host, name)
        except UnitNotFound:
            call.err(f"Failed to {'enable' if on else 'disable'} unit: Unit file {systemd.unit_name(name)} does not exist.\n")
            return 1
        if unitcmds.masked(call, unit.name):
            call.err(f"Failed to {'enable' if on else 'disable'} unit: Unit file /etc/systemd/system/{unit.name} is masked.\n")
            return 1
        for wants in " ".join(unit.values("Install", "WantedBy")).split():
            link = f"/etc/systemd/system/{wants}.wants/{unit.name}"
            there = unit.name in systemd.enabled_units(call.host)
            if on and not there:
                call.tree.mkdir(posixpath.dirname(link), True, now=call.world.wall)
                call.tree.symlink(unit.path, link, now=call.world.wall)
                call.err(f"Created symlink {link} → {unit.path}.\n")
            elif not on and there:
                files.remove_file(call.world, call.host, link)
                call.err(f'Removed "{link}".\n')
        systemd.state(call.host, unit.name).enabled = on
        systemd.reload(call.host)
        if "--now" in flags:
            (systemd.start_unit if on else systemd.stop_unit)(call.world, call.host, name)
    return 0


def _is(call: Call, names: list[str], flags: set[str], what: str) -> int:
    good = False
    for name in names:
        unit = _unit(call, name)
        state = call.host.units.get(systemd.unit_name(name), UnitState())
        if what == "is-enabled":
            if unit is None:
                call.err(f"Failed to get unit file state for {systemd.unit_name(name)}: No such file or directory\n")
                return 1
            text = _enabled(call, unit)
            good = good or text in ("enabled", "static")
        else:
            text = state.active
            good = good or text == ("failed" if what == "is-failed" else "active")
        if "--quiet" not in flags and "-q" not in flags:
            call.out(text + "\n")
    return 0 if good else (1 if what != "is-active" else 3)


def _names(call: Call) -> list[str]:
    found: set[str] = set(call.host.units)
    for folder in systemd.UNIT_DIRS:
        if call.tree.isdir(folder):
            found.update(name for name in call.tree.listdir(folder) if name.endswith((".service", ".socket")))
    return sorted(found)


def _list(call: Call, names: list[str], flags: set[str]) -> int:
    rows = []
    for name in _names(call):
        unit = _unit(call, name)
        state = call.host.units.get(name, UnitState())
        if unit is None or (state.active == "inactive" and "--all" not in flags and "-a" not in flags):
            continue
        if "--failed" in flags and state.active != "failed":
            continue
        rows.append(
            (
                ("× " if state.active == "failed" else "● " if state.active == "failed" else "  ") + name,
                "loaded",
                state.active,
                state.sub,
                unit.value("Unit", "Description", name),
            )
        )
    everything, chosen = bool({"--all", "-a"} & flags), any(word.startswith(("--state", "--failed")) for word in flags)
    if "--no-legend" not in flags and not {"-q", "--quiet"} & flags:
        rows.insert(0, ("  UNIT", "LOAD", "ACTIVE", "SUB", "DESCRIPTION"))
    widths = [max((len(row[n]) for row in rows), default=0) for n in range(4)]
    for row in rows:
        call.out(" ".join(cell.ljust(widths[n]) for n, cell in enumerate(row[:4])) + f" {row[4]}\n")
    if not rows or rows[0][1] != "LOAD":
        return 0
    if len(rows) > 1:
        call.out(LEGEND)
    count = f"{len(rows) - 1} loaded units listed."
    if chosen:
        call.out(f"\n{count}\n")
        return 0
    call.out(f"\n{count}" + ("" if everything else " Pass --all to see loaded but inactive units, too.") + "\n")
    call.out("To show all installed unit files use 'systemctl list-unit-files'.\n")
    return 0


def _cat(call: Call, names: list[str]) -> int:
    """What the files say now, with a warning where systemd has read something else."""
    for number, name in enumerate(names):
        full = systemd.unit_name(name)
        try:
            found = fragments(call.host, full)
        except UnitNotFound:
            call.err(f"No files found for {full}.\n")
            return 1
        if full in call.host.kept:
            call.err(
                f"Warning: {full} changed on disk, the version systemd has loaded is outdated.\nThis output shows the current version of the unit's original fragment and drop-in files.\n"
                "If fragments or drop-ins were added or removed, they are not properly reflected in this output.\nRun 'systemctl daemon-reload' to reload units.\n"
            )
        for place, (path, text) in enumerate(found):
            call.out(("\n" if place or number else "") + f"# {path}\n{text}")
    return 0


def _show(call: Call, names: list[str], wanted: list[str], value_only: bool) -> int:
    if not names:
        table = {
            "Version": "255.4-1ubuntu8.4",
            "Features": "+PAM +AUDIT +SELINUX +APPARMOR",
            "Architecture": "x86-64",
            "Virtualization": "kvm",
            "SystemState": "running",
        }
        for key in wanted or list(table):
            if key in table:
                call.out(f"{table[key]}\n" if value_only else f"{key}={table[key]}\n")
    for number, name in enumerate(names):
        full = systemd.unit_name(name)
        unit = _unit(call, name)
        state = call.host.units.get(full, UnitState())
        table = unitshow.properties(call, full, unit, state, _enabled(call, unit) if unit else "", unitcmds.masked(call, full))
        if number:
            call.out("\n")
        for key in table if not wanted else [key for key in table if key in wanted]:
            call.out(f"{table[key]}\n" if value_only else f"{key}={table[key]}\n")
    return 0


def _signal(flags: set[str]) -> int | None:
    """What `kill --signal=` names, by number or by name with or without SIG; TERM unless it is given; None for no signal."""
    word = next((word.partition("=")[2] for word in flags if word.startswith("--signal=")), "TERM")
    if word.isdigit():
        return int(word) if 0 < int(word) < 65 else None
    return next((number for number, name in systemd.SIGNALS.items() if name == word.upper().removeprefix("SIG")), None)


@dataclass
class Line:
    """A command line of systemctl: the verb, the units, the options as they stand, and what `-p` asks for."""

    verb: str
    names: list[str]
    flags: set[str]
    wanted: list[str]


def _line(args: list[str]) -> Line:
    flags = {word for word in args if word.startswith("-")}
    wanted: list[str] = []
    words: list[str] = []
    skip = False
    for at, word in enumerate(args):
        if skip:
            skip = False
        elif word in ("-p", "--property"):
            wanted += args[at + 1].split(",") if at + 1 < len(args) else []
            skip = True
        elif word in ("-t", "-n", "--lines", "--type", "-s", "--signal"):
            if word in ("-s", "--signal") and at + 1 < len(args):
                flags.add(f"--signal={args[at + 1]}")
            skip = True
        elif word.startswith("--property="):
            wanted += word.partition("=")[2].split(",")
        elif not word.startswith("-"):
            words.append(word)
    return Line(words[0] if words else "list-units", words[1:], flags, wanted)


def _start(call: Call, line: Line) -> Any:
    return _change(call, line.names, lambda name: systemd.start_unit(call.world, call.host, name), "start")


def _stop_all(call: Call, line: Line) -> Any:
    return _change(call, line.names, lambda name: _stop(call, name), "stop")


def _restart(call: Call, line: Line) -> Any:
    return _change(call, line.names, lambda name: systemd.restart_unit(call.world, call.host, name), "restart")


def _reload_daemon(call: Call, line: Line) -> int:
    if call.uid:
        call.err("Failed to reload daemon: Interactive authentication required.\n")
        return 1
    systemd.reload(call.host)
    return 0


def _reset_failed(call: Call, line: Line) -> int:
    wanted = {systemd.unit_name(name) for name in line.names}
    for name, unit in call.host.units.items():
        if unit.active == "failed" and (not wanted or name in wanted):
            unit.active, unit.sub, unit.result, unit.restarts = "inactive", "dead", "success", 0
    return 0


def _unit_files(call: Call, line: Line) -> Any:
    states = {name: _enabled(call, unit) for name in _names(call) if (unit := _unit(call, name)) is not None}
    return unitcmds.list_unit_files(call, line.names, states, "--no-legend" not in line.flags)


def _is_running(call: Call, line: Line) -> int:
    failed = any(one.active == "failed" for one in call.host.units.values())
    call.out("degraded\n" if failed else "running\n")
    return int(failed)


def _kill(call: Call, line: Line) -> int:
    number = _signal(line.flags)
    if number is None:
        call.err("Failed to parse signal string.\n")
        return 1
    for name in line.names:
        proc = processes.find(call.world, call.host.name, systemd.state(call.host, name).main_pid)
        if proc is not None:
            processes.kill(call.world, proc, number)
    return 0


def _says(text: str) -> Verb:
    """A verb that prints the same on every machine here."""

    def say(call: Call, line: Line) -> int:
        call.out(text)
        return 0

    return say


def _help(call: Call, line: Line) -> int:
    call.err("No manual pages are installed here: `systemctl cat` shows a unit, `systemctl status` what it does.\n")
    return 1


Verb = Callable[[Call, Line], Any]
VERBS: dict[str, Verb] = {
    "start": _start,
    "stop": _stop_all,
    **dict.fromkeys(("restart", "reload", "reload-or-restart", "try-restart"), _restart),
    "status": lambda call, line: _status(call, line.names, line.flags) if line.names else _overview(call),
    "enable": lambda call, line: _enable(call, line.names, line.flags, True),
    "disable": lambda call, line: _enable(call, line.names, line.flags, False),
    **dict.fromkeys(("is-active", "is-enabled", "is-failed"), lambda call, line: _is(call, line.names, line.flags, line.verb)),
    **dict.fromkeys(("daemon-reload", "daemon-reexec"), _reload_daemon),
    "reset-failed": _reset_failed,
    "list-units": lambda call, line: _list(call, line.names, line.flags),
    "list-unit-files": _unit_files,
    "mask": lambda call, line: unitcmds.mask(call, line.names, True),
    "unmask": lambda call, line: unitcmds.mask(call, line.names, False),
    "edit": lambda call, line: unitcmds.edit(call, line.names, line.flags),
    "revert": lambda call, line: unitcmds.revert(call, line.names),
    "list-dependencies": lambda call, line: unitcmds.list_dependencies(call, line.names),
    "list-timers": lambda call, line: unitshow.list_timers(call, line.names, line.flags),
    "list-sockets": lambda call, line: unitshow.list_sockets(call, line.flags),
    **dict.fromkeys(("reboot", "poweroff", "halt"), lambda call, line: poweroff.begin(call, line.verb)),
    "show-environment": _says("LANG=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"),
    "help": _help,
    "is-system-running": _is_running,
    "get-default": _says("multi-user.target\n"),
    "list-jobs": _says("No jobs running.\n"),
    "kill": _kill,
    "cat": lambda call, line: _cat(call, line.names),
    "show": lambda call, line: _show(call, line.names, line.wanted, "--value" in line.flags),
}
#: Verbs that ask for a unit, and those that exist and are not simulated.
WANT_UNITS = frozenset(
    "start stop restart reload reload-or-restart try-restart enable disable is-active is-enabled is-failed cat edit mask unmask revert".split()
)
NOT_YET = frozenset("isolate rescue set-property set-default link preset import-environment set-environment".split())


def systemctl(call: Call) -> Any:
    """`systemctl [options] command [units]`."""
    line = _line(call.argv[1:])
    if "--version" in line.flags:
        call.out("systemd 255 (255.4-1ubuntu8.4)\n")
        return 0
    if line.verb in WANT_UNITS and not line.names:
        call.err("Too few arguments.\n")
        raise Ended(1)
    if line.verb in NOT_YET:
        raise NotSimulated(line.verb)
    verb = VERBS.get(line.verb)
    if verb is None:
        call.err(f"Unknown command verb '{line.verb}'.\n")
        return 1
    return verb(call, line)

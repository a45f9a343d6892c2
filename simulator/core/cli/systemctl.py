"""`systemctl`: start, stop, restart, reload, status, enable, disable, is-active, is-enabled, is-failed, show, cat, list-units, daemon-reload."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
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
        call.out(
            f"   Main PID: {proc.pid} ({name})\n      Tasks: {8 + proc.pid % 9} (limit: 9379)\n     Memory: {proc.memory_kib / 1024:.1f}M\n"
        )
        call.out(f"     CGroup: /system.slice/{unit.name}\n             └─{proc.pid} {' '.join(proc.argv)}\n")
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


def systemctl(call: Call) -> Any:
    """`systemctl [options] command [units]`."""
    args = call.argv[1:]
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
    if "--version" in flags:
        call.out("systemd 255 (255.4-1ubuntu8.4)\n")
        return 0
    command, names = (words[0], words[1:]) if words else ("list-units", [])
    if (
        command
        in (
            "start",
            "stop",
            "restart",
            "reload",
            "reload-or-restart",
            "try-restart",
            "enable",
            "disable",
            "is-active",
            "is-enabled",
            "is-failed",
            "cat",
            "edit",
            "mask",
            "unmask",
            "revert",
        )
        and not names
    ):
        call.err("Too few arguments.\n")
        raise Ended(1)
    world, host = call.world, call.host
    if command == "start":
        return _change(call, names, lambda name: systemd.start_unit(world, host, name), "start")
    if command == "stop":
        return _change(call, names, lambda name: _stop(call, name), "stop")
    if command in ("restart", "reload", "reload-or-restart", "try-restart"):
        return _change(call, names, lambda name: systemd.restart_unit(world, host, name), "restart")
    if command == "status" and not names:
        return _overview(call)
    if command == "status":
        return _status(call, names, flags)
    if command in ("enable", "disable"):
        return _enable(call, names, flags, command == "enable")
    if command in ("is-active", "is-enabled", "is-failed"):
        return _is(call, names, flags, command)
    if command in ("daemon-reload", "daemon-reexec"):
        if call.uid:
            call.err("Failed to reload daemon: Interactive authentication required.\n")
            return 1
        systemd.reload(host)
        return 0
    if command == "reset-failed":
        for name, unit_state in host.units.items():
            if unit_state.active == "failed" and (not names or name in {systemd.unit_name(n) for n in names}):
                unit_state.active, unit_state.sub, unit_state.result, unit_state.restarts = "inactive", "dead", "success", 0
        return 0
    if command == "list-units":
        return _list(call, names, flags)
    if command == "list-unit-files":
        states = {name: _enabled(call, unit) for name in _names(call) if (unit := _unit(call, name)) is not None}
        return unitcmds.list_unit_files(call, names, states, "--no-legend" not in flags)
    if command in ("mask", "unmask"):
        return unitcmds.mask(call, names, command == "mask")
    if command == "edit":
        return unitcmds.edit(call, names, flags)
    if command == "revert":
        return unitcmds.revert(call, names)
    if command == "list-dependencies":
        return unitcmds.list_dependencies(call, names)
    if command == "list-timers":
        return unitshow.list_timers(call, names, flags)
    if command == "list-sockets":
        return unitshow.list_sockets(call, flags)
    if command in ("reboot", "poweroff", "halt"):
        return poweroff.begin(call, command)
    if command == "show-environment":
        call.out("LANG=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n")
        return 0
    if command == "help":
        call.err("No manual pages are installed here: `systemctl cat` shows a unit, `systemctl status` what it does.\n")
        return 1
    if command == "is-system-running":
        failed = any(one.active == "failed" for one in host.units.values())
        call.out("degraded\n" if failed else "running\n")
        return int(failed)
    if command == "get-default":
        call.out("multi-user.target\n")
        return 0
    if command == "list-jobs":
        call.out("No jobs running.\n")
        return 0
    if command == "kill":
        number = _signal(flags)
        if number is None:
            call.err("Failed to parse signal string.\n")
            return 1
        for name in names:
            proc = processes.find(world, host.name, systemd.state(host, name).main_pid)
            if proc is not None:
                processes.kill(world, proc, number)
        return 0
    if command == "cat":
        return _cat(call, names)
    if command == "show":
        return _show(call, names, wanted, "--value" in flags)
    if command in (
        "isolate",
        "rescue",
        "set-property",
        "set-default",
        "link",
        "preset",
        "import-environment",
        "set-environment",
    ):
        raise NotSimulated(command)
    call.err(f"Unknown command verb '{command}'.\n")
    return 1

"""`systemd-analyze` and `systemd-cgls`, as far as the simulated systemd has what they tell."""

from __future__ import annotations

import posixpath
from typing import Any

from ..host import calendar, procfs
from ..host.invocation import Call
from ..host.unitfiles import UnitFile, UnitNotFound, fragments, parse
from ..kernel.clock import SECOND, to_datetime
from ..kernel.errors import NotSimulated
from ..runtime import cgroups

#: What boot takes before systemd starts units, in ms.
KERNEL, USERSPACE = 2531, 4012
#: Keys of [Service] and [Unit] that `verify` knows; others it calls unknown.
_KNOWN = {
    "Unit": "Description Documentation Wants Requires Requisite BindsTo PartOf Upholds Conflicts Before After OnFailure OnSuccess StartLimitInterval StartLimitIntervalSec StartLimitBurst "
    "DefaultDependencies AssertPathExists RefuseManualStart RefuseManualStop RequiresMountsFor StopWhenUnneeded AllowIsolate",
    "Service": "Type ExitType RemainAfterExit GuessMainPID PIDFile BusName ExecStart ExecStartPre ExecStartPost ExecCondition ExecReload ExecStop ExecStopPost RestartSec RestartSteps TimeoutStartSec "
    "TimeoutStopSec TimeoutSec RuntimeMaxSec WatchdogSec Restart SuccessExitStatus RestartPreventExitStatus KillMode KillSignal SendSIGKILL User Group WorkingDirectory Environment EnvironmentFile "
    "StandardInput StandardOutput StandardError SyslogIdentifier Nice OOMScoreAdjust OOMPolicy UMask LimitNOFILE LimitNPROC LimitCORE LimitMEMLOCK TasksMax Delegate Slice MemoryMax MemoryHigh MemoryLow "
    "CPUQuota CPUWeight CPUAccounting MemoryAccounting TasksAccounting IOAccounting NotifyAccess PrivateTmp ProtectSystem ProtectHome NoNewPrivileges CapabilityBoundingSet AmbientCapabilities "
    "RuntimeDirectory StateDirectory StartLimitInterval StartLimitBurst",
    "Timer": "OnCalendar OnBootSec OnStartupSec OnActiveSec OnUnitActiveSec OnUnitInactiveSec Unit Persistent AccuracySec RandomizedDelaySec WakeSystem RemainAfterElapse",
    "Install": "WantedBy RequiredBy Alias Also DefaultInstance UpheldBy",
}


def _verify(call: Call, path: str) -> int:
    """Unknown keys, missing or relative executables, a service without a command."""
    name = posixpath.basename(path)
    try:
        found = [(path, call.read_file(path).decode(errors="replace"))] if "/" in path else fragments(call.host, path)
    except (OSError, UnitNotFound):
        call.err(f"Unit {name} not found.\n" if "/" not in path else f"Failed to load {name}: No such file or directory\n")
        return 1
    for where, text in found:
        section = ""
        for number, raw in enumerate(text.splitlines(), 1):
            line = raw.strip()
            if line.startswith("[") and line.endswith("]"):
                section = line[1:-1]
                if section not in _KNOWN and section not in ("Socket", "Path", "Mount", "Slice") and not section.startswith("X-"):
                    call.err(f"{where}:{number}: Unknown section '{section}'. Ignoring.\n")
            elif line and line[0] not in "#;":
                key, equals, _ = line.partition("=")
                key = key.strip()
                known = _KNOWN.get(section, "").split()
                if not equals:
                    call.err(f"{where}:{number}: Missing '=', ignoring line.\n")
                elif (
                    known
                    and key not in known
                    and not key.startswith(
                        ("Condition", "Assert", "X-", "Limit", "Protect", "Private", "Restrict", "System", "IO", "IP")
                    )
                ):
                    call.err(f"{where}:{number}: Unknown key name '{key}' in section '{section}', ignoring.\n")
    unit = parse(name, found)
    return _verify_commands(call, unit)


def _verify_commands(call: Call, unit: UnitFile) -> int:
    if not unit.name.endswith(".service"):
        return 0
    lines = unit.values("Service", "ExecStart")
    if not lines:
        call.err(f"{unit.name}: Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.\n")
        return 1
    code = 0
    for line in lines:
        path = line.lstrip("@-:+!").split()[0]
        if not path.startswith("/"):
            path = next(
                (
                    f"{d}/{path}"
                    for d in ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin")
                    if call.tree.exists(f"{d}/{path}")
                ),
                path,
            )
        if not call.tree.exists(path):
            call.err(f"{unit.name}: Command {path} is not executable: No such file or directory\n")
            code = 1
    return code


def _calendar(call: Call, texts: list[str]) -> int:
    for text in texts:
        try:
            schedule = calendar.event(text)
        except ValueError:
            call.err(f"Failed to parse calendar specification '{text}': Invalid argument\n")
            return 1
        when = schedule.after(call.world.wall)
        call.out(f"  Original form: {text}\n")
        if when is None:
            call.out("    Next elapse: never\n")
            continue
        at = to_datetime(when).strftime("%a %Y-%m-%d %H:%M:%S UTC")
        seconds = (when - call.world.wall) // SECOND
        left = (
            f"{seconds}s"
            if seconds < 60
            else f"{seconds // 60}min {seconds % 60}s"
            if seconds < 3600
            else f"{seconds // 3600}h {seconds // 60 % 60}min"
        )
        call.out(f"    Next elapse: {at}\n       From now: {left if seconds < 86400 else f'{seconds // 86400} days'} left\n")
    return 0


def analyze(call: Call) -> int:
    """`systemd-analyze [time|blame|critical-chain|verify FILE…|calendar SPEC…|cat-config …]`."""
    words = [word for word in call.argv[1:] if not word.startswith("-")]
    verb, rest = (words[0], words[1:]) if words else ("time", [])
    if verb == "time":
        total = (KERNEL + USERSPACE) / 1000
        call.out(f"Startup finished in {KERNEL / 1000:.3f}s (kernel) + {USERSPACE / 1000:.3f}s (userspace) = {total:.3f}s \n")
        call.out(f"multi-user.target reached after {(USERSPACE - 12) / 1000:.3f}s in userspace.\n")
        return 0
    if verb == "verify":
        return max((_verify(call, path) for path in rest), default=0)
    if verb == "calendar":
        return _calendar(call, rest)
    if verb in ("blame", "critical-chain"):
        started = [
            (unit.since - call.host.boot_at, name)
            for name, unit in call.host.units.items()
            if unit.main_pid and unit.since >= call.host.boot_at
        ]
        if verb == "blame":
            for number, (_, name) in enumerate(sorted(started, reverse=True)):
                call.out(f"{max(1500 - 700 * number, 40) / 1000:>6.3f}s {name}\n")
            return 0
        call.out(
            'The time when unit became active or started is printed after the "@" character.\nThe time the unit took to start is printed after the "+" character.\n\n'
        )
        call.out(f"multi-user.target @{(USERSPACE - 12) / 1000:.3f}s\n")
        for _, name in sorted(started, reverse=True)[:1]:
            call.out(f"└─{name} @{(USERSPACE - 1500) / 1000:.3f}s +1.500s\n")
        return 0
    if verb in (
        "plot",
        "dot",
        "dump",
        "security",
        "syscall-filter",
        "unit-files",
        "unit-paths",
        "condition",
        "timespan",
        "timestamp",
        "cat-config",
        "exit-status",
        "capability",
        "inspect-elf",
        "malloc",
        "fdstore",
    ):
        raise NotSimulated(f"systemd-analyze {verb}")
    call.err(f"Unknown command verb '{verb}'.\n")
    return 1


def cgls(call: Call) -> int:
    """`systemd-cgls [group]`: the control groups and the processes of each; empty ones are left out."""
    wanted = next((word for word in call.argv[1:] if not word.startswith("-")), "").removeprefix("/sys/fs/cgroup").strip("/")
    tree: dict[str, Any] = {}
    for proc in [procfs.init(call.host), *sorted(call.host.processes.values(), key=lambda p: p.pid)]:
        here = tree
        for part in cgroups.group_of(call.world, call.host, proc).split("/"):
            here = here.setdefault(part, {}) if part else here
        here.setdefault("", []).append(proc)
    for part in wanted.split("/") if wanted else ():
        if part not in tree:
            call.err("Failed to list cgroup tree: No such file or directory\n")
            return 1
        tree = tree[part]
    call.out(f"Control group /{wanted}:\n" if wanted else "CGroup /:\n-.slice\n")
    _group(call, tree, "")
    return 0


def _group(call: Call, tree: dict[str, Any], lead: str) -> None:
    """The processes of a group, then the groups in it."""
    rows = [*tree.get("", ()), *sorted(name for name in tree if name)]
    for number, row in enumerate(rows):
        last = number == len(rows) - 1
        call.out(f"{lead}{'└─' if last else '├─'}{row if isinstance(row, str) else f'{row.pid} ' + ' '.join(row.argv)}\n")
        if isinstance(row, str):
            _group(call, tree[row], lead + ("  " if last else "│ "))

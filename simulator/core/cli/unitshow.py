"""`systemctl show`, `list-timers` and `list-sockets`."""

from __future__ import annotations

from ..host import processes, systemd, timers
from ..host.invocation import Call
from ..host.machine import UnitState
from ..host.unitfiles import UnitFile, UnitNotFound
from ..kernel.clock import SECOND, to_datetime

_SPANS = {
    "RestartUSec": ("RestartSec", "100ms"),
    "TimeoutStartUSec": ("TimeoutStartSec", "1min 30s"),
    "TimeoutStopUSec": ("TimeoutStopSec", "1min 30s"),
}


def _stamp(call: Call, at: int) -> str:
    return to_datetime(call.world.epoch + at).strftime("%a %Y-%m-%d %H:%M:%S UTC")


def _span(text: str) -> str:
    return f"{text}s" if text.isdigit() else text


def properties(call: Call, name: str, unit: UnitFile | None, state: UnitState, enabled: str, masked: bool) -> dict[str, str]:
    """The properties of a unit in systemd's order as far as they are kept; a service has those of its process too."""
    active = state.active
    since = _stamp(call, state.since) if state.since or active == "active" else ""
    found: dict[str, str] = {}
    if name.endswith(".service"):
        service = (lambda key, default="": unit.value("Service", key, default)) if unit else (lambda key, default="": default)
        proc = processes.find(call.world, call.host.name, state.main_pid) if state.main_pid else None
        found |= {
            "Type": service("Type", "simple"),
            "ExitType": "main",
            "Restart": service("Restart", "no"),
            "NotifyAccess": "none",
        }
        found |= {key: _span(service(own, default)) for key, (own, default) in _SPANS.items()}
        ended = state.ended_pid
        found |= {
            "RemainAfterExit": service("RemainAfterExit", "no"), "MainPID": str(state.main_pid), "ControlPID": "0", "Result": state.result,
            "NRestarts": str(state.restarts), "ExecMainStartTimestamp": since if state.main_pid or ended else "", "ExecMainPID": str(state.main_pid or ended),
            "ExecMainCode": str(0 if state.main_pid or not ended else 2 if state.ended_code > 128 else 1),
            "ExecMainStatus": str(0 if state.main_pid or not ended else state.ended_code - 128 if state.ended_code > 128 else state.ended_code),
        }  # fmt: skip
        for key in ("ExecStartPre", "ExecStart", "ExecReload", "ExecStop"):
            for line in unit.values("Service", key) if unit else ():
                words = line.lstrip("@-:+!").split()
                found[key] = (
                    f"{{ path={words[0]} ; argv[]={' '.join(words)} ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid={state.main_pid} ; code=(null) ; status=0/0 }}"
                )
        found |= {
            "Slice": "system.slice", "ControlGroup": f"/system.slice/{name}" if state.main_pid else "", "MemoryCurrent": str(proc.memory_kib * 1024) if proc else "[not set]",
            "TasksCurrent": str(8 + proc.pid % 9) if proc else "[not set]", "MemoryMax": service("MemoryMax", "infinity"), "TasksMax": service("TasksMax", "9379"),
            "Environment": " ".join(unit.values("Service", "Environment")).replace('"', "") if unit else "",
            "EnvironmentFiles": "; ".join(f"{v.lstrip('-')} (ignore_errors={'yes' if v.startswith('-') else 'no'})" for v in unit.values("Service", "EnvironmentFile")) if unit else "",
            "User": service("User"), "WorkingDirectory": service("WorkingDirectory"), "LimitNOFILE": service("LimitNOFILE", "524288"), "KillMode": service("KillMode", "control-group"), "KillSignal": "15",
        }  # fmt: skip
    if name.endswith(".timer"):
        found |= {
            "Unit": timers.activates(unit) if unit else "",
            "NextElapseUSecRealtime": _stamp(call, state.due) if state.due else "",
            "LastTriggerUSec": _stamp(call, state.fired) if state.fired else "n/a",
            "Persistent": unit.value("Timer", "Persistent", "no") if unit else "no",
            "Result": state.result,
        }
    load = "masked" if masked else "loaded" if unit else "not-found"
    relation = {
        key: " ".join(unit.values("Unit", key)) if unit else ""
        for key in ("Requires", "Wants", "Conflicts", "Before", "After", "Documentation")
    }
    found |= {
        "Id": name, "Names": name, **relation, "Description": unit.value("Unit", "Description", name) if unit else name, "LoadState": load, "ActiveState": active, "SubState": state.sub,
        "FragmentPath": unit.path if unit else "", "DropInPaths": " ".join(unit.drop_ins) if unit else "", "UnitFileState": enabled, "UnitFilePreset": "enabled" if unit else "",
        "StateChangeTimestamp": since, "ActiveEnterTimestamp": since if active == "active" else "", "InactiveEnterTimestamp": since if active in ("inactive", "failed") else "",
        "CanStart": "yes" if unit else "no", "CanStop": "yes", "CanReload": "yes" if unit and unit.values("Service", "ExecReload") else "no", "NeedDaemonReload": "yes" if name in call.host.kept else "no",
        "ConditionResult": "yes" if since else "no",
    }  # fmt: skip
    if not unit:
        found["LoadError"] = f'org.freedesktop.systemd1.NoSuchUnit "Unit {name} not found."'
    return found


def _row_time(call: Call, at: int) -> tuple[str, str]:
    if not at:
        return "-", "-"
    seconds = abs(at - call.world.now) // SECOND
    if seconds < 60:
        span = f"{seconds}s"
    elif seconds < 3600:
        span = f"{seconds // 60}min" + (f" {seconds % 60}s" if seconds % 60 else "")
    elif seconds < 86400:
        span = f"{seconds // 3600}h" + (f" {seconds // 60 % 60}min" if seconds // 60 % 60 else "")
    else:
        span = f"{seconds // 86400} day{'s' if seconds >= 172800 else ''}"
    return _stamp(call, at), span + ("" if at > call.world.now else " ago")


def list_timers(call: Call, names: list[str], flags: set[str]) -> int:
    """`list-timers [--all]`: NEXT LEFT LAST PASSED UNIT ACTIVATES."""
    rows = []
    everything = bool({"--all", "-a"} & flags)
    for name, state in sorted(call.host.units.items(), key=lambda item: (item[1].due or 1 << 62, item[0])):
        if not name.endswith(".timer") or not (everything or state.active == "active"):
            continue
        if names and name not in {systemd.unit_name(n) for n in names}:
            continue
        try:
            unit = systemd.load(call.world, call.host, name)
        except UnitNotFound:
            continue
        rows.append((*_row_time(call, state.due), *_row_time(call, state.fired), name, timers.activates(unit)))
    if rows and "--no-legend" not in flags:
        rows.insert(0, ("NEXT", "LEFT", "LAST", "PASSED", "UNIT", "ACTIVATES"))
    widths = [max((len(row[n]) for row in rows), default=0) for n in range(5)]
    for row in rows:
        cells = [
            cell.rjust(widths[n]) if n == 1 and row is not rows[0] else cell.ljust(widths[n]) for n, cell in enumerate(row[:5])
        ]
        call.out(" ".join([*cells, row[5]]).rstrip() + "\n")
    if "--no-legend" not in flags:
        count = max(len(rows) - 1, 0)
        call.out(
            ("\n" if rows else "")
            + f"{count} timers listed.\n"
            + ("" if everything else "Pass --all to see loaded but inactive timers, too.\n")
        )
    return 0


def list_sockets(call: Call, flags: set[str]) -> int:
    """`list-sockets`: the socket units that listen."""
    rows = []
    for name, state in sorted(call.host.units.items()):
        if not name.endswith(".socket") or state.active != "active":
            continue
        try:
            unit = systemd.load(call.world, call.host, name)
        except UnitNotFound:
            continue
        rows += [(path, name, name.removesuffix(".socket") + ".service") for path in unit.values("Socket", "ListenStream")]
    if rows:
        rows.insert(0, ("LISTEN", "UNIT", "ACTIVATES"))
    widths = [max((len(row[n]) for row in rows), default=0) for n in range(2)]
    for row in rows:
        call.out(f"{row[0]:<{widths[0]}} {row[1]:<{widths[1]}} {row[2]}\n")
    call.out(("\n" if rows else "") + f"{max(len(rows) - 1, 0)} sockets listed.\n")
    if not {"--all", "-a"} & flags:
        call.out("Pass --all to see loaded but inactive sockets, too.\n")
    return 0

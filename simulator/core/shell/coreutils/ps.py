"""ps: the process table."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from ...host import users
from ...host.invocation import Call
from ...host.process import Process
from ...kernel.clock import SECOND, to_datetime


def table_of(call: Call) -> list[Process]:
    """The processes that the caller can see: its container's, or all of the host."""
    found = call.host.processes.values()
    return sorted((p for p in found if not call.proc.container or p.container == call.proc.container), key=lambda p: p.pid)


def _cpu_time(proc: Process, now: int) -> str:
    used = (now - proc.started) // SECOND // 50
    return f"{used // 3600:02d}:{used // 60 % 60:02d}:{used % 60:02d}"


def _command(proc: Process) -> str:
    return " ".join(proc.argv) or proc.program


def _tty(proc: Process) -> str:
    return "pts/0" if proc.tty else "?"


def ps(call: Call) -> int:
    """`ps`, `ps aux`, `ps -ef`, `-p`, `-o`, `-C`, `--no-headers`, `--sort` is by pid."""
    words = call.argv[1:]
    options: dict[str, str] = {}
    wide = False
    columns = ""
    at = 0
    while at < len(words):
        word = words[at]
        if word.startswith("--"):
            options[word[2:].partition("=")[0]] = word.partition("=")[2]
        elif word.startswith("-"):
            for place, letter in enumerate(word[1:], 1):
                if letter in "opCuU":
                    value = word[place + 1 :]
                    if not value:
                        at += 1
                        value = words[at] if at < len(words) else ""
                    if letter == "o":
                        columns += ("," if columns else "") + value
                    else:
                        options[letter] = value
                    break
                options[letter] = "1"
        else:
            for letter in word:
                wide = wide or letter == "u"
                options["bsd" + letter] = "1"
        at += 1
    rows = _select(call, options)
    header = "no-headers" not in options and "no-heading" not in options and "h" not in options
    if columns:
        return _custom(call, rows, columns.replace(" ", ",").split(","), header)
    if wide:
        _aux(call, rows, header)
    elif "f" in options or "F" in options:
        if header:
            call.out("UID          PID    PPID  C STIME TTY          TIME CMD\n")
        for proc in rows:
            start = to_datetime(call.world.epoch + proc.started)
            user = proc.user.partition(":")[0][:8]
            call.out(
                f"{user:<8} {proc.pid:>7} {proc.ppid:>7}  0 {start:%H:%M} {_tty(proc):<8} {_cpu_time(proc, call.world.now)} {_command(proc)}\n"
            )
    else:
        if header:
            call.out("    PID TTY          TIME CMD\n")
        for proc in rows:
            call.out(f"{proc.pid:>7} {_tty(proc):<8} {_cpu_time(proc, call.world.now)} {comm(proc)}\n")
    return int(not rows)


def comm(proc: Process) -> str:
    """The process's short name."""
    return posixpath.basename(proc.argv[0]).lstrip("-")[:15] if proc.argv else proc.program[:15]


def _select(call: Call, options: dict[str, str]) -> list[Process]:
    rows = table_of(call)
    if "p" in options:
        wanted = {int(n) for n in re.findall(r"\d+", options["p"])}
        return [proc for proc in rows if proc.pid in wanted]
    if "C" in options:
        return [proc for proc in rows if comm(proc) in options["C"].split(",")]
    if "u" in options or "U" in options:
        return [proc for proc in rows if proc.user == options.get("u", options.get("U"))]
    if any(flag in options for flag in ("e", "A", "bsda", "bsdx")):
        return rows
    return [proc for proc in rows if proc.tty == call.proc.tty and (proc.tty or proc.pid in (call.proc.pid, call.proc.ppid))]


def _aux(call: Call, rows: list[Process], header: bool) -> None:
    if header:
        call.out("USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n")
    for proc in rows:
        memory = 100 * proc.memory_kib / call.host.memory_kib
        start = to_datetime(call.world.epoch + proc.started)
        used = (call.world.now - proc.started) // SECOND // 50
        state = "R+" if proc is call.proc else "Ss" if not proc.tty else proc.state
        call.out(
            f"{proc.user.partition(':')[0][:8]:<8} {proc.pid:>7}  0.0 {memory:>4.1f} {proc.memory_kib * 6:>6} {proc.memory_kib:>5} {_tty(proc):<8} {state:<4} {start:%H:%M} "
            f"{used // 60:>3}:{used % 60:02d} {_command(proc)}\n"
        )


def _custom(call: Call, rows: list[Process], columns: list[str], header: bool) -> int:
    now = call.world.now
    table: dict[str, tuple[str, Callable[[Process], str]]] = {
        "pid": ("PID", lambda p: str(p.pid)), "ppid": ("PPID", lambda p: str(p.ppid)), "user": ("USER", lambda p: p.user.partition(":")[0]),
        "uid": ("UID", lambda p: str(users.uid_of(call.tree, p.user))), "comm": ("COMMAND", comm), "cmd": ("CMD", _command),
        "args": ("COMMAND", _command), "command": ("COMMAND", _command), "stat": ("STAT", lambda p: p.state), "tty": ("TT", _tty),
        "time": ("TIME", lambda p: _cpu_time(p, now)), "rss": ("RSS", lambda p: str(p.memory_kib)), "pgid": ("PGID", lambda p: str(p.pgid)),
        "etime": ("ELAPSED", lambda p: f"{(now - p.started) // SECOND // 60:02d}:{(now - p.started) // SECOND % 60:02d}"),
        "%cpu": ("%CPU", lambda p: "0.0"), "%mem": ("%MEM", lambda p: f"{100 * p.memory_kib / call.host.memory_kib:.1f}"), "pcpu": ("%CPU", lambda p: "0.0"),
    }  # fmt: skip
    titles: list[str] = []
    getters: list[Callable[[Process], str]] = []
    for column in columns:
        name, equals, title = column.partition("=")
        if name not in table:
            call.err(f'error: unknown user-defined format specifier "{name}"\n')
            return 1
        titles.append(title if equals else table[name][0])
        getters.append(table[name][1])
    body = [[getter(proc) for getter in getters] for proc in rows]
    shown = [titles] if header and any(titles) else []
    widths = [max((len(row[n]) for row in [*shown, *body]), default=0) for n in range(len(columns))]
    right = {"PID", "PPID", "UID", "RSS", "PGID", "ELAPSED", "%CPU", "%MEM"}
    for row in [*shown, *body]:
        cells = [cell.rjust(widths[n]) if titles[n] in right else cell.ljust(widths[n]) for n, cell in enumerate(row)]
        call.out(" ".join(cells).rstrip() + "\n")
    return int(not body)

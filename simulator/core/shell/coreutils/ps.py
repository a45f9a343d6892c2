"""ps: the process table."""

from __future__ import annotations

import re
from collections.abc import Callable

from ...host import pidspace, procfs, users
from ...host.executor import Ended
from ...host.invocation import Call
from ...host.machine import Host
from ...host.process import Process
from ...kernel.clock import SECOND, to_datetime
from .names import busybox


def table_of(call: Call) -> list[Process]:
    """The processes that the caller can see: its container's, or all of the host."""
    found = pidspace.members(call.host, call.proc)
    return found if pidspace.space(call.host, call.proc) else [procfs.init(call.host), *found]


def pid_of(call: Call, proc: Process) -> int:
    """A process's number as the caller sees it."""
    return pidspace.number(call.host, call.proc, proc.pid)


def shown(call: Call) -> list[Process]:
    """The same as `table_of`, with the numbers that the caller sees: to be printed."""
    found = pidspace.shown(call.host, call.proc)
    return found if pidspace.space(call.host, call.proc) else [procfs.init(call.host), *found]


def _cpu_time(proc: Process, now: int) -> str:
    used = (now - proc.started) // SECOND // 50
    return f"{used // 3600:02d}:{used // 60 % 60:02d}:{used % 60:02d}"


def _command(proc: Process) -> str:
    return proc.title


def _tty(proc: Process) -> str:
    return "pts/0" if proc.tty else "?"


def ps(call: Call) -> int:
    """`ps`, `ps aux`, `ps -ef`, `-p`, `-o`, `-C`, `--no-headers`, `--sort` is by pid."""
    words = call.argv[1:]
    if busybox(call):
        return _busybox(call, words)
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
    if options.get("sort"):
        rows = _sorted(call, rows, options["sort"])
    call_prefix = _forest(rows) if "forest" in options or "H" in options or "bsdf" in options else {}
    header = "no-headers" not in options and "no-heading" not in options and "h" not in options
    if columns:
        return _custom(call, rows, columns.replace(" ", ",").split(","), header, call_prefix)
    if wide:
        _aux(call, rows, header, call_prefix)
    elif "f" in options or "F" in options:
        if header:
            call.out("UID          PID    PPID  C STIME TTY          TIME CMD\n")
        for proc in _ordered(rows, call_prefix):
            start = to_datetime(call.world.epoch + proc.started)
            user = proc.user.partition(":")[0][:8]
            call.out(
                f"{user:<8} {proc.pid:>7} {proc.ppid:>7}  0 {start:%H:%M} {_tty(proc):<8} {_cpu_time(proc, call.world.now)} {call_prefix.get(proc.pid, '')}{_command(proc)}\n"
            )
    else:
        if header:
            call.out("    PID TTY          TIME CMD\n")
        for proc in _ordered(rows, call_prefix):
            call.out(
                f"{proc.pid:>7} {_tty(proc):<8} {_cpu_time(proc, call.world.now)} {call_prefix.get(proc.pid, '')}{comm(proc)}\n"
            )
    return int(not rows)


def _busybox(call: Call, words: list[str]) -> int:
    """BusyBox's ps: everything that there is in the namespace; `-o` chooses columns, other options are taken and ignored."""
    chosen = ",".join(words[at + 1] for at, word in enumerate(words[:-1]) if word == "-o") or "pid,user,time,args"
    table: dict[str, tuple[str, int, Callable[[Process], str]]] = {
        "pid": ("PID", 5, lambda p: f"{p.pid:>5}"), "ppid": ("PPID", 5, lambda p: f"{p.ppid:>5}"), "user": ("USER", 8, lambda p: p.user.partition(":")[0][:8]),
        "group": ("GROUP", 8, lambda p: p.user.partition(":")[0][:8]), "comm": ("COMMAND", 16, comm), "args": ("COMMAND", 0, _command), "stat": ("STAT", 4, lambda p: p.state),
        "time": ("TIME", 6, lambda p: f"{(call.world.now - p.started) // SECOND // 50 // 60:>3}:{(call.world.now - p.started) // SECOND // 50 % 60:02d}"),
        "tty": ("TT", 6, lambda p: "136,0" if p.tty else "?"), "vsz": ("VSZ", 4, lambda p: f"{p.memory_kib:>4}"), "rss": ("RSS", 4, lambda p: f"{p.memory_kib:>4}"),
        "pgid": ("PGID", 5, lambda p: f"{p.pgid or p.pid:>5}"), "nice": ("NI", 5, lambda p: "    0"), "etime": ("ELAPSED", 7, lambda p: f"{(call.world.now - p.started) // SECOND // 60:>4}:{(call.world.now - p.started) // SECOND % 60:02d}"),
    }  # fmt: skip
    names = chosen.split(",")
    for name in names:
        if name.partition("=")[0] not in table:
            call.err(f"ps: bad -o argument '{name}', supported arguments: {','.join(sorted(table))}\n")
            return 1
    columns = [table[name.partition("=")[0]] for name in names]
    call.out(" ".join(f"{title:<{width}}" for title, width, _ in columns).rstrip() + "\n")
    for proc in shown(call):
        call.out(" ".join(f"{make(proc):<{width}}" for _, width, make in columns).rstrip() + "\n")
    return 0


def comm(proc: Process) -> str:
    """The process's short name."""
    return procfs.name_of(proc)


def _select(call: Call, options: dict[str, str]) -> list[Process]:
    rows = shown(call)
    if "p" in options:
        wanted = {int(n) for n in re.findall(r"\d+", options["p"])}
        return [proc for proc in rows if proc.pid in wanted]
    if "C" in options:
        return [proc for proc in rows if comm(proc) in options["C"].split(",")]
    if "u" in options or "U" in options:
        return [proc for proc in rows if proc.user == options.get("u", options.get("U"))]
    if any(flag in options for flag in ("e", "A", "bsda", "bsdx")):
        return rows
    return [
        proc
        for proc in rows
        if proc.tty == call.proc.tty
        and (proc.tty or proc.pid in (pid_of(call, call.proc), pid_of(call, procfs.find(call.host, call.proc.ppid) or call.proc)))
    ]


#: Least widths of columns (procps-ng: output.c), and those that stand on the right.
_WIDTHS = {"pid": 7, "ppid": 7, "pgid": 7, "sid": 7, "tid": 7, "uid": 5, "user": 8, "euser": 8, "ruser": 8, "tty": 8, "tt": 8, "time": 8, "%cpu": 4, "pcpu": 4, "%mem": 4, "pmem": 4, "rss": 5, "vsz": 6,
           "stat": 4, "etime": 11, "etimes": 7, "ni": 3, "pri": 3, "comm": 15, "ucmd": 15, "args": 27, "cmd": 27, "command": 27, "lstart": 24, "nlwp": 4, "psr": 3}  # fmt: skip
_RIGHT = frozenset(
    "pid ppid pgid sid tid uid %cpu pcpu %mem pmem rss vsz etime etimes ni pri lstart nlwp psr netns pidns mntns utsns ipcns userns cgroupns timens".split()
)


def _sorted(call: Call, rows: list[Process], keys: str) -> list[Process]:
    """By `--sort` keys, the first one first; `-` turns one around."""
    by: dict[str, Callable[[Process], int | str]] = {
        "pid": lambda p: p.pid, "ppid": lambda p: p.ppid, "rss": lambda p: p.memory_kib, "%mem": lambda p: p.memory_kib, "pmem": lambda p: p.memory_kib, "vsz": lambda p: p.memory_kib,
        "user": lambda p: p.user, "comm": comm, "cmd": _command, "args": _command, "start_time": lambda p: p.started, "etime": lambda p: -p.started, "time": lambda p: -p.started,
        "%cpu": lambda p: 0, "pcpu": lambda p: 0,
    }  # fmt: skip
    for key in reversed(keys.split(",")):
        name = key.lstrip("+-")
        if name not in by:
            call.err(
                "error: unknown sort specifier\n\nUsage:\n ps [options]\n\n Try 'ps --help <simple|list|output|threads|misc|all>'\n  or 'ps --help <s|l|o|t|m|a>'\n for additional help text.\n\nFor more details see ps(1).\n"
            )
            raise Ended(1)
        rows = sorted(rows, key=by[name], reverse=key.startswith("-"))
    return rows


def _forest(rows: list[Process]) -> dict[int, str]:
    """The lines that show who began whom, by pid, in the order of the tree."""
    known = {proc.pid: proc for proc in rows}
    below: dict[int, list[Process]] = {}
    for proc in rows:
        below.setdefault(proc.ppid if proc.ppid in known and proc.ppid != 1 else 0, []).append(proc)
    out: dict[int, str] = {}

    def walk(proc: Process, lead: str, last: bool, depth: int) -> None:
        out[proc.pid] = (lead + " \\_ ") if depth else ""
        own = below.get(proc.pid, [])
        for number, child in enumerate(own):
            walk(child, (lead + ("    " if last else " |  ")) if depth else "", number == len(own) - 1, depth + 1)

    for proc in below.get(0, []):
        walk(proc, "", True, 0)
    return out


def _ordered(rows: list[Process], prefix: dict[int, str]) -> list[Process]:
    """The rows, or in the tree's order when there is one."""
    if not prefix:
        return rows
    known = {proc.pid: proc for proc in rows}
    return [known[pid] for pid in prefix]


def _aux(call: Call, rows: list[Process], header: bool, prefix: dict[int, str]) -> None:
    if header:
        call.out("USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n")
    for proc in _ordered(rows, prefix):
        memory = 100 * proc.memory_kib / call.host.memory_kib
        start = to_datetime(call.world.epoch + proc.started)
        used = (call.world.now - proc.started) // SECOND // 50
        state = "R+" if proc.pid == pid_of(call, call.proc) else "Ss" if not proc.tty else proc.state
        call.out(
            f"{proc.user.partition(':')[0][:8]:<8} {proc.pid:>7}  0.0 {memory:>4.1f} {proc.memory_kib * 6:>6} {proc.memory_kib:>5} {_tty(proc):<8} {state:<4} {start:%H:%M} "
            f"{used // 60:>3}:{used % 60:02d} {prefix.get(proc.pid, '')}{_command(proc)}\n"
        )


def _namespace(kind: str, host: Host) -> Callable[[Process], str]:
    return lambda proc: str(procfs.namespace(proc, kind, host))


def _custom(call: Call, rows: list[Process], columns: list[str], header: bool, prefix: dict[int, str]) -> int:
    now = call.world.now
    table: dict[str, tuple[str, Callable[[Process], str]]] = {
        "pid": ("PID", lambda p: str(p.pid)), "ppid": ("PPID", lambda p: str(p.ppid)), "user": ("USER", lambda p: p.user.partition(":")[0]),
        "uid": ("UID", lambda p: str(users.uid_of(call.tree, p.user))), "comm": ("COMMAND", comm), "cmd": ("CMD", _command),
        "args": ("COMMAND", _command), "command": ("COMMAND", _command), "stat": ("STAT", lambda p: p.state), "tty": ("TT", _tty),
        "time": ("TIME", lambda p: _cpu_time(p, now)), "rss": ("RSS", lambda p: str(p.memory_kib)), "pgid": ("PGID", lambda p: str(p.pgid)),
        "etime": ("ELAPSED", lambda p: f"{(now - p.started) // SECOND // 60:02d}:{(now - p.started) // SECOND % 60:02d}"),
        "lstart": ("STARTED", lambda p: f"{to_datetime(call.world.epoch + p.started):%a %b %e %H:%M:%S %Y}"), "start_time": ("START", lambda p: f"{to_datetime(call.world.epoch + p.started):%H:%M}"),
        "vsz": ("VSZ", lambda p: str(p.memory_kib * 6)), "ni": ("NI", lambda p: "0"), "s": ("S", lambda p: p.state), "state": ("S", lambda p: p.state), "sid": ("SID", lambda p: str(p.pgid or p.pid)),
        "tid": ("TID", lambda p: str(p.pid)), "nlwp": ("NLWP", lambda p: "1"), "euser": ("EUSER", lambda p: p.user.partition(":")[0]), "ruser": ("RUSER", lambda p: p.user.partition(":")[0]),
        "pmem": ("%MEM", lambda p: f"{100 * p.memory_kib / call.host.memory_kib:.1f}"), "etimes": ("ELAPSED", lambda p: str((now - p.started) // SECOND)), "cgroup": ("CGROUP", lambda p: f"0::{procfs.cgroup(p)}"),
        "tt": ("TT", _tty), "pri": ("PRI", lambda p: "19"), "psr": ("PSR", lambda p: str(p.pid % call.host.cpus)), "ucmd": ("CMD", comm), "fname": ("COMMAND", lambda p: comm(p)[:8]),
        **{f"{kind}ns": (f"{kind.upper()}NS", _namespace(kind, call.host)) for kind in ("net", "pid", "mnt", "uts", "ipc", "user", "cgroup", "time")},
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
    trees = {"comm", "cmd", "args", "command"}
    names = [column.partition("=")[0] for column in columns]
    ordered = _ordered(rows, prefix)
    body = [
        [(prefix.get(proc.pid, "") if name in trees else "") + getter(proc) for name, getter in zip(names, getters, strict=True)]
        for proc in ordered
    ]
    shown = [titles] if header and any(titles) else []
    widths = [max([_WIDTHS.get(names[n], 0), *(len(row[n]) for row in [*shown, *body])]) for n in range(len(columns))]
    for row in [*shown, *body]:
        cells = [cell.rjust(widths[n]) if names[n] in _RIGHT else cell.ljust(widths[n]) for n, cell in enumerate(row)]
        call.out(" ".join(cells).rstrip() + "\n")
    return int(not body)

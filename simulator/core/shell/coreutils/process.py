"""Commands about processes and time: sleep, timeout, time, watch, nohup, ps, kill, pgrep, pkill, top, uptime, free, df, du, sudo, su."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from ...host import processes, users
from ...host.executor import DEFAULT_PATH, resolve
from ...host.invocation import Call
from ...host.process import Process
from ...host.program import Sleep, WaitTopic
from ...host.virtual import used_memory
from ...kernel.clock import SECOND, to_datetime
from .. import known
from ..builtins.signals import SIGNAL_NAMES, number
from .common import Code, human, name_of, parse, usage
from .listing import size_of

SCALE = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> float | None:
    """A duration such as `1.5`, `10s`, `2m`, `infinity`."""
    match = re.fullmatch(r"(\d*\.?\d+)([smhd]?)", text)
    if match:
        return float(match.group(1)) * SCALE[match.group(2)]
    return 10.0**9 if text in ("inf", "infinity") else None


def sleep(call: Call) -> Code:
    """`sleep numbers`."""
    if len(call.argv) < 2:
        raise usage(call, "missing operand")
    total = 0.0
    for word in call.argv[1:]:
        value = seconds(word)
        if value is None:
            raise usage(call, f"invalid time interval ‘{word}’")
        total += value
    yield Sleep(int(total * SECOND))
    return 0


def _found(call: Call, name: str, who: str) -> int:
    """127 or 126 with a message when a command cannot be run, else 0."""
    try:
        resolve(call.host, call.proc.mnt, name, cwd=call.cwd, path=call.env.get("PATH", DEFAULT_PATH), user=call.proc.user)
        return 0
    except OSError as failed:
        if name in known.KNOWN:
            call.err(f"{name}: not simulated in Slipway yet\n")
        else:
            call.err(f"{who}: {failed.strerror}\n")
        return 127 if failed.errno == 2 else 126


def timeout(call: Call) -> Code:
    """`timeout [-s signal] [-k after] seconds command`."""
    options, rest = parse(call, "s:k:v", "signal=s kill-after=k preserve-status foreground", code=125, permute=False)
    if len(rest) < 2:
        call.err("Try 'timeout --help' for more information.\n")
        return 125
    limit = seconds(rest[0])
    if limit is None:
        raise usage(call, f"invalid time interval ‘{rest[0]}’", 125)
    signal = number(options.get("s", "15")) or 15
    code = _found(call, rest[1], f"timeout: failed to run command ‘{rest[1]}’")
    if code:
        return code
    child = call.executor.spawn_like(call.proc, rest[1:], call.fds)
    deadline = call.world.now + int(limit * SECOND)
    try:
        while processes.alive(call.world, child):
            if limit and call.world.now >= deadline:
                processes.kill(call.world, child, signal)
                if processes.alive(call.world, child):
                    yield Sleep(int((seconds(options.get("k", "")) or 5) * SECOND))
                    processes.kill(call.world, child, 9)
                return child.exit_code if "preserve-status" in options else 124
            yield WaitTopic((f"exit:{child.key}",), deadline if limit else None)
        return child.exit_code
    finally:
        if processes.alive(call.world, child):
            processes.kill(call.world, child, 9)


def nohup(call: Call) -> Code:
    """`nohup command`."""
    if len(call.argv) < 2:
        raise usage(call, "missing operand", 125)
    code = _found(call, call.argv[1], f"nohup: failed to run command '{call.argv[1]}'")
    if code:
        return code
    fds = dict(call.fds)
    if call.stdout_tty:
        from ...host.streams import FileStream

        call.write_file("nohup.out", b"", append=True)
        call.err("nohup: ignoring input and appending output to 'nohup.out'\n")
        fds[1] = FileStream(call.world, call.host, call.proc.mnt, call.path("nohup.out"), append=True)
    if 2 in fds and fds[2].tty:
        fds[2] = fds[1]
    child = call.executor.spawn_like(call.proc, call.argv[1:], fds)
    return (yield from call.executor.wait(child))


def time_(call: Call) -> Code:
    """`/usr/bin/time command`."""
    _, rest = parse(call, "pv", permute=False)
    start = call.world.now
    code = yield from call.run(rest)
    elapsed = (call.world.now - start) / SECOND
    call.err(f"real {elapsed:.2f}\nuser 0.00\nsys 0.00\n")
    return code


def watch(call: Call) -> Code:
    """`watch [-n seconds] [-t] command`: until Ctrl-C."""
    options, rest = parse(call, "n:tdgce", "interval=n no-title:t differences:d", permute=False)
    if not rest:
        call.err("Usage:\n watch [options] command\n")
        return 1
    every = seconds(options.get("n", "2")) or 2.0
    text = " ".join(rest)
    while True:
        _, out, err = yield from call.capture(["bash", "-c", text])
        screen = (out + err).decode("utf-8", "replace")
        head = ""
        if "t" not in options:
            stamp = to_datetime(call.world.wall)
            right = f"{call.host.name}: {stamp:%a %b} {stamp.day:2d} {stamp:%H:%M:%S %Y}"
            left = f"Every {every:.1f}s: {text}"
            head = left + " " * max(call.columns - len(left) - len(right), 1) + right + "\n\n"
        call.out("\x1b[H\x1b[2J" + head + screen)
        yield Sleep(int(every * SECOND))


def sudo(call: Call) -> Code:
    """`sudo [-u user] [-i|-s] command`: root here needs no password."""
    options, rest = parse(call, "u:isEHnSkv", "user=u login:i shell:s preserve-env:E", permute=False)
    user = options.get("u", "root")
    env = dict(call.env)
    while rest and re.match(r"\w+=", rest[0]):
        name, _, value = rest.pop(0).partition("=")
        env[name] = value
    if users.passwd(call.tree, user) is None and user != "root":
        call.err(f"sudo: unknown user {user}\nsudo: error initializing audit plugin sudoers_audit\n")
        return 1
    if not rest:
        if "i" not in options and "s" not in options:
            call.err("usage: sudo -h | -K | -k | -V\nusage: sudo [-u user] [command [arg ...]]\n")
            return 1
        rest = ["bash"]
    env.update(HOME=users.home_of(call.tree, user), USER=user, LOGNAME=user, SUDO_USER=call.proc.user)
    cwd = users.home_of(call.tree, user) if "i" in options else call.cwd
    try:
        resolve(call.host, call.proc.mnt, rest[0], cwd=call.cwd, path=env.get("PATH", DEFAULT_PATH))
    except OSError:
        call.err(f"sudo: {rest[0]}: command not found\n")
        return 1
    child = call.executor.spawn(
        call.host.name, rest, call.fds, user=user, cwd=cwd, env=env, mnt=call.proc.mnt, netns=call.proc.netns, ppid=call.proc.pid, tty=call.proc.tty, pgid=call.proc.pgid
    )  # fmt: skip
    return (yield from call.executor.wait(child))


def su(call: Call) -> Code:
    """`su [-] [user] [-c command]`."""
    options, rest = parse(call, "c:ls:", "command=c login:l", permute=True)
    rest = [word for word in rest if word != "-"]
    user = rest[0] if rest else "root"
    if users.passwd(call.tree, user) is None:
        call.err(f"su: user {user} does not exist or the user entry does not contain all the required fields\n")
        return 1
    argv = ["bash", "-c", options["c"]] if "c" in options else ["bash"]
    env = dict(call.env) | {"HOME": users.home_of(call.tree, user), "USER": user, "LOGNAME": user}
    child = call.executor.spawn(
        call.host.name,
        argv,
        call.fds,
        user=user,
        cwd=call.cwd,
        env=env,
        ppid=call.proc.pid,
        tty=call.proc.tty,
        pgid=call.proc.pgid,
    )
    return (yield from call.executor.wait(child))


# -- processes ---------------------------------------------------------------------------------------------------------


def _table(call: Call) -> list[Process]:
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
            user = proc.user[:8]
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
    rows = _table(call)
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
            f"{proc.user[:8]:<8} {proc.pid:>7}  0.0 {memory:>4.1f} {proc.memory_kib * 6:>6} {proc.memory_kib:>5} {_tty(proc):<8} {state:<4} {start:%H:%M} "
            f"{used // 60:>3}:{used % 60:02d} {_command(proc)}\n"
        )


def _custom(call: Call, rows: list[Process], columns: list[str], header: bool) -> int:
    now = call.world.now
    table: dict[str, tuple[str, Callable[[Process], str]]] = {
        "pid": ("PID", lambda p: str(p.pid)), "ppid": ("PPID", lambda p: str(p.ppid)), "user": ("USER", lambda p: p.user),
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


def kill(call: Call) -> int:
    """`/bin/kill`."""
    from ..builtins.jobs import kill as builtin

    return int(builtin(_Quiet(call), call.argv))


class _Quiet:
    """A command where a builtin expects a shell: no jobs, plain messages."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __getattr__(self, name: str) -> object:
        return getattr(self._call, name)

    def complain(self, text: str) -> None:
        """A message without the shell's prefix."""
        self._call.err(text + "\n")

    def find_job(self, spec: str) -> None:
        """There are none."""
        return


def _matching(call: Call, options: dict[str, str], pattern: str) -> list[Process]:
    from . import regexes

    test = regexes.compile_posix(pattern, extended=True, ignore_case="i" in options)
    found = []
    for proc in _table(call):
        if proc.pid == call.proc.pid:
            continue
        text = _command(proc) if "f" in options else comm(proc)
        match = test.search(text)
        if match and (match.group() == text or "x" not in options) and ("u" not in options or proc.user == options["u"]):
            found.append(proc)
    return found


def pgrep(call: Call) -> int:
    """`pgrep [-flxn] pattern`, `pidof`."""
    options, rest = parse(call, "flxincau:o", "full:f list-name:l exact:x count:c list-full:a", code=2)
    if not rest:
        call.err("pgrep: no matching criteria specified\nTry `pgrep --help' for more information.\n")
        return 2
    found = _matching(call, options, rest[0])
    if "n" in options:
        found = found[-1:]
    if "c" in options:
        call.out(f"{len(found)}\n")
    else:
        for proc in found:
            call.out(
                f"{proc.pid} {_command(proc)}\n"
                if "a" in options
                else f"{proc.pid} {comm(proc)}\n"
                if "l" in options
                else f"{proc.pid}\n"
            )
    return int(not found)


def pkill(call: Call) -> int:
    """`pkill [-signal] [-f] pattern`, `killall name`."""
    signal = 15
    args = [call.argv[0]]
    for word in call.argv[1:]:
        named = number(word[1:]) if word.startswith("-") and not re.fullmatch("-[fxniu]", word) else None
        if named is not None:
            signal = named
        else:
            args.append(word)
    call.argv = args
    options, rest = parse(call, "fxnis:u:eq", "full:f exact:x signal=s", code=2)
    if "s" in options:
        signal = number(options["s"]) or 15
    if not rest:
        call.err(f"{name_of(call)}: no matching criteria specified\nTry `{name_of(call)} --help' for more information.\n")
        return 2
    everybody = name_of(call) == "killall"
    found = [p for p in _table(call) if comm(p) == rest[0]] if everybody else _matching(call, options, rest[0])
    if everybody and not found:
        call.err(f"{rest[0]}: no process found\n")
    for proc in found:
        if call.uid and users.uid_of(call.tree, proc.user) != call.uid:
            call.err(f"{name_of(call)}: killing pid {proc.pid} failed: Operation not permitted\n")
            continue
        processes.kill(call.world, proc, signal)
    return int(not found)


def uptime(call: Call) -> int:
    """`uptime [-p]`."""
    up = (call.world.now - call.host.boot_at) // SECOND
    days, hours, minutes = up // 86400, up // 3600 % 24, up // 60 % 60
    if "-p" in call.argv:
        parts = [f"{n} {unit}{'s' if n != 1 else ''}" for n, unit in ((days, "day"), (hours, "hour"), (minutes, "minute")) if n]
        call.out("up " + (", ".join(parts) or "0 minutes") + "\n")
        return 0
    span = (f"{days} day{'s' if days != 1 else ''}, " if days else "") + (f"{hours}:{minutes:02d}" if hours else f"{minutes} min")
    call.out(f" {to_datetime(call.world.wall):%H:%M:%S} up {span},  1 user,  load average: 0.12, 0.10, 0.08\n")
    return 0


def free(call: Call) -> int:
    """`free [-hmg]`."""
    options, _ = parse(call, "hmgkb", "human:h mebi:m gibi:g")
    total, used = call.host.memory_kib, used_memory(call.host)
    cache = total // 8
    rows = [total, used, max(total - used - cache, 0), 1200, cache, max(total - used, 0)]

    def show(kib: int) -> str:
        if "h" in options:
            value = float(kib)
            for unit in ("Ki", "Mi", "Gi"):
                if value < 1024 or unit == "Gi":
                    return f"{value:.1f}{unit}" if value < 10 else f"{value:.0f}{unit}"
                value /= 1024
        return str(kib // 1024 if "m" in options else kib // 1024 // 1024 if "g" in options else kib)

    call.out("               total        used        free      shared  buff/cache   available\n")
    call.out("Mem:    " + "".join(f"{show(value):>12}" for value in rows) + "\n")
    zero = "0B" if "h" in options else "0"
    call.out(f"Swap:   {zero:>12}{zero:>12}{zero:>12}\n")
    return 0


def _used(call: Call, path: str) -> int:
    return sum(4096 if node.kind == "dir" else -(-size_of(node) // 4096) * 4096 for _, node in call.tree.walk(path))


def df(call: Call) -> int:
    """`df [-h] [-T] [paths]`."""
    options, _ = parse(call, "hTkai", "human-readable:h print-type:T")
    total = call.host.disk_kib
    own = (
        sum(
            len(node.data)
            for fs in call.host.filesystems.values()
            if fs.root.kind != "frozen"
            for _, node in fs.tree().walk("/")
            if node.kind == "file"
        )
        // 1024
    )
    used = 5_200_000 + own
    rows = [
        ("/dev/vda1", "ext4", total, used, total - used, "/"),
        ("tmpfs", "tmpfs", call.host.memory_kib // 10, 1200, call.host.memory_kib // 10 - 1200, "/run"),
    ]
    show = (lambda kib: human(kib * 1024)) if "h" in options else str
    table = [
        [
            "Filesystem",
            *(["Type"] if "T" in options else []),
            "Size" if "h" in options else "1K-blocks",
            "Used",
            "Avail" if "h" in options else "Available",
            "Use%",
            "Mounted on",
        ]
    ]
    for name, kind, size, taken, left, where in rows:
        table.append(
            [name, *([kind] if "T" in options else []), show(size), show(taken), show(left), f"{-(-taken * 100 // size)}%", where]
        )
    widths = [max(len(row[n]) for row in table) for n in range(len(table[0]))]
    text = 2 if "T" in options else 1
    for row in table:
        cells = [cell.ljust(widths[n]) if n < text else cell.rjust(widths[n]) for n, cell in enumerate(row[:-1])]
        call.out(" ".join(cells) + " " + row[-1] + "\n")
    return 0


def du(call: Call) -> int:
    """`du [-sha] [-d depth] [paths]`."""
    options, names = parse(call, "shacd:k", "summarize:s human-readable:h all:a max-depth=d total:c")
    depth = 0 if "s" in options else int(options.get("d", 1 << 20))
    code = 0
    for name in names or ["."]:
        try:
            root = call.path(name)
            for path, node in reversed(list(call.tree.walk(root))):
                level = 0 if path == root else posixpath.relpath(path, root).count("/") + 1
                if level > depth or (node.kind != "dir" and "a" not in options and path != root):
                    continue
                size = _used(call, path)
                shown = name if path == root else posixpath.join(name, posixpath.relpath(path, root))
                call.out(f"{human(size) if 'h' in options else size // 1024}\t{shown}\n")
        except OSError as failed:
            call.err(f"du: cannot access '{name}': {failed.strerror}\n")
            code = 1
    return code


__all__ = ["SIGNAL_NAMES"]

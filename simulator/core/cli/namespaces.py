"""`lsns`, `nsenter`, `pstree`: the namespaces of processes, entering them, and the tree of processes."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ..host import executor, pidspace, procfs
from ..host.invocation import Call
from ..host.process import Process
from ..host.program import Wait
from ..kernel.errors import NotSimulated
from ..runtime.state import find_container
from ..shell.coreutils.common import parse
from ..shell.coreutils.names import busybox
from ..shell.coreutils.ps import comm, table_of

Code = Generator[Wait, Any, int]
KINDS = ("time", "cgroup", "pid", "user", "uts", "ipc", "mnt", "net")


def lsns(call: Call) -> int:
    """`lsns [-t type] [-p pid] [-n] [-o columns]`."""
    options, _ = parse(call, "t:p:no:rluJW", "type=t task=p noheadings:n output=o raw:r list:l")
    kind, pid = options.get("t", ""), options.get("p", "")
    if kind and kind not in KINDS:
        call.err(f"lsns: unknown namespace type: {kind}\n")
        return 1
    columns = (
        options.get("o", "NS,TYPE,NPROCS,PID,USER,COMMAND" if kind != "net" else "NS,TYPE,NPROCS,PID,USER,NETNSID,NSFS,COMMAND")
        .upper()
        .split(",")
    )
    held: dict[tuple[int, str], list[Process]] = {}
    for proc in table_of(call):
        for one in KINDS if not kind else (kind,):
            held.setdefault((procfs.namespace(proc, one), one), []).append(proc)
    rows = []
    for (number, one), members in sorted(held.items(), key=lambda item: (item[0][0], KINDS.index(item[0][1]))):
        if pid and not any(str(proc.pid) == pid for proc in members):
            continue
        first = members[0]
        shown = {
            "NS": str(number), "TYPE": one, "NPROCS": str(len(members)), "PID": str(first.pid), "PPID": str(first.ppid), "USER": first.user.partition(":")[0], "UID": "0",
            "NETNSID": "unassigned" if number == procfs.FIRST["net"] else "0", "NSFS": "", "COMMAND": " ".join(first.argv) or first.program, "PATH": f"/proc/{first.pid}/ns/{one}",
        }  # fmt: skip
        unknown = next((column for column in columns if column not in shown), "")
        if unknown:
            call.err(f"lsns: unknown column: {unknown}\n")
            return 1
        rows.append([shown[column] for column in columns])
    right = {"NS", "NPROCS", "PID", "PPID", "UID"}
    table = ([] if "n" in options else [columns]) + rows
    widths = [max((len(row[n]) for row in table), default=0) for n in range(len(columns))]
    for row in table:
        cells = [cell.rjust(widths[n]) if columns[n] in right else cell.ljust(widths[n]) for n, cell in enumerate(row)]
        call.out(" ".join(cells).rstrip() + "\n")
    return int(bool(pid) and not rows)


def nsenter(call: Call) -> Code:
    """`nsenter -t PID [-a] [-m] [-u] [-i] [-n] [-p] [-C] [-U] [-r] [-w] [command]`: with its network, its files, or both."""
    options, rest = parse(
        call,
        "t:amuinpCUTrwFS:G:Z",
        "target=t all:a mount?m uts?u ipc?i net?n pid?p cgroup?C user?U time?T root?r wd?w no-fork:F setuid=S setgid=G preserve-credentials",
        permute=False,
    )
    if options.get("n", "1") not in ("", "1"):
        return (yield from _by_file(call, options["n"], rest))
    if "t" not in options:
        if any(letter in options for letter in "muinpCUTa"):
            call.err("nsenter: no target PID specified\n")
            return 1
        return (yield from call.run(rest or ["bash"]))
    if not options["t"].isdigit():
        call.err(f"nsenter: failed to parse pid: '{options['t']}'\n")
        return 1
    target = int(options["t"])
    inside = pidspace.space(call.host, call.proc)  # in a container of its own namespace, PID 1 is that container's
    proc = pidspace.find(call.host, call.proc, target) if inside else procfs.find(call.host, target)
    if proc is None:
        kind = next(
            (
                name
                for letter, name in zip("muinpC", ("mnt", "uts", "ipc", "net", "pid", "cgroup"), strict=True)
                if letter in options
            ),
            "ns",
        )
        call.err(_unopened(call, options["t"], kind, "No such file or directory"))
        return 1
    if call.uid or not _may_enter(call):
        return _refused(call, options, proc)
    every = "a" in options
    netns = (proc.netns or call.host.name) if every or "n" in options else call.proc.netns
    mnt = proc.mnt if every or "m" in options or "r" in options else call.proc.mnt
    container = proc.container if every or "p" in options else call.proc.container
    argv = rest or ["sh" if mnt != "host" else "bash"]
    try:
        executor.resolve(call.host, mnt, argv[0], cwd="/", path=call.env.get("PATH", executor.DEFAULT_PATH), user=call.proc.user)
    except OSError as failed:
        call.err(f"nsenter: failed to execute {argv[0]}: {failed.strerror}\n")
        return 127 if failed.errno == 2 else 126
    cwd = call.cwd if mnt == call.proc.mnt else "/"
    return (
        yield from executor.exec_in(
            call,
            call.host.name,
            argv,
            mnt=mnt,
            netns=netns,
            env=dict(call.env),
            user=call.proc.user,
            cwd=cwd,
            container=container,
            stdin=True,
        )
    )


#: The order in which nsenter opens and enters namespaces, with their options.
_ENTERED = (("U", "user"), ("C", "cgroup"), ("i", "ipc"), ("u", "uts"), ("n", "net"), ("p", "pid"), ("m", "mnt"), ("T", "time"))


def _may_enter(call: Call) -> bool:
    """Whether the caller has CAP_SYS_ADMIN: root of the machine, or of a privileged container."""
    if not call.proc.container:
        return True
    container = find_container(call.world, call.host.name, call.proc.container)
    if container is None:
        return True
    host = container.options.get("host") or {}
    added = {str(name).upper().removeprefix("CAP_") for name in host.get("CapAdd") or ()}
    return container.admin or bool(host.get("Privileged")) or bool(added & {"ALL", "SYS_ADMIN"})


def _refused(call: Call, options: dict[str, str], proc: Process) -> int:
    """What the kernel says without CAP_SYS_ADMIN: files of a mightier process are not opened, namespaces of an equal one not entered."""
    kind = next((name for option, name in _ENTERED if option in options), "user" if "a" not in options else "cgroup")
    if proc.container != call.proc.container or call.uid:
        call.err(_unopened(call, options["t"], kind, "Permission denied"))
    elif busybox(call):
        call.err(f"nsenter: setns(): can't reassociate to namespace '{kind}': Operation not permitted\n")
    else:
        call.err(f"nsenter: reassociate to namespace 'ns/{kind}' failed: Operation not permitted\n")
    return 1


def _unopened(call: Call, pid: str, kind: str, why: str) -> str:
    path = f"/proc/{pid}/ns/{kind}"
    return f"nsenter: can't open '{path}': {why}\n" if busybox(call) else f"nsenter: cannot open {path}: {why}\n"


def _by_file(call: Call, path: str, rest: list[str]) -> Code:
    raise NotSimulated(f"nsenter --net={path}")
    yield


def pstree(call: Call) -> int:
    """`pstree [-p] [-a] [pid]`."""
    options, names = parse(call, "paAucglnshTt", "show-pids:p arguments:a")
    table = table_of(call)
    children: dict[int, list[Process]] = {}
    for proc in table:
        children.setdefault(proc.ppid, []).append(proc)
    start = int(names[0]) if names and names[0].isdigit() else table[0].pid
    root = next((proc for proc in table if proc.pid == start), None)
    if root is None:
        return 1

    def label(proc: Process) -> str:
        text = " ".join([comm(proc), *proc.argv[1:]]) if "a" in options else comm(proc)
        return (
            (f"{comm(proc)},{proc.pid} {' '.join(proc.argv[1:])}".rstrip() if "a" in options else f"{text}({proc.pid})")
            if "p" in options
            else text
        )

    def block(proc: Process) -> list[str]:
        own = label(proc)
        below = [child for child in children.get(proc.pid, []) if child.pid != proc.pid]
        parts = [block(child) for child in sorted(below, key=lambda p: (comm(p), p.pid))]
        if "a" in options:
            out = [own]
            for number, part in enumerate(parts):
                last = number == len(parts) - 1
                out += [("  └─" if last else "  ├─") + part[0], *(("    " if last else "  │ ") + line for line in part[1:])]
            return out
        if "p" not in options:
            parts = _grouped(parts)
        if not parts:
            return [own]
        out, pad = [], " " * len(own)
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            head = (own + ("─┬─" if len(parts) > 1 else "───")) if not number else pad + (" └─" if last else " ├─")
            rest = pad + ("   " if last else " │ ")
            out += [head + part[0], *(rest + line for line in part[1:])]
        return out

    call.out("".join(line + "\n" for line in block(root)))
    return 0


def _grouped(parts: list[list[str]]) -> list[list[str]]:
    """Equal siblings as `3*[sh]`."""
    out: list[list[str]] = []
    counts: list[int] = []
    for part in parts:
        if out and out[-1] == part:
            counts[-1] += 1
        else:
            out.append(part)
            counts.append(1)
    return [
        part
        if count == 1
        else [f"{count}*[{part[0]}]" if len(part) == 1 else f"{count}*[{part[0]}", *part[1:-1], part[-1] + "]"][: len(part)]
        for part, count in zip(out, counts, strict=True)
    ]

"""`runc list|state|spec|ps|kill|events|exec`: the state of what containerd's shims started (opencontainers/runc v1.3)."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any, cast

from ..host import executor
from ..host.invocation import Call
from ..host.program import Invocation, Wait
from ..kernel.clock import rfc3339
from ..runtime import containers, execs, logs, spec
from ..runtime.cri import SIGNALS
from ..runtime.state import Container, Sandbox, runtime, spaces
from . import tabwriter

VERSION = "runc version 1.3.4\ncommit: v1.3.4-0-gd6d73eb8\nspec: 1.2.1\ngo: go1.25.5\nlibseccomp: 2.5.6\n"
_COMMANDS = (
    ("checkpoint", "checkpoint a running container"), ("create", "create a container"), ("delete", "delete any resources held by the container often used with detached container"),
    ("events", "display container events such as OOM notifications, cpu, memory, and IO usage statistics"), ("exec", "execute new process inside the container"),
    ("kill", "kill sends the specified signal (default: SIGTERM) to the container's init process"), ("list", "lists containers started by runc with the given root"),
    ("pause", "pause suspends all processes inside the container"), ("ps", "ps displays the processes running inside a container"), ("restore", "restore a container from a previous checkpoint"),
    ("resume", "resumes all processes that have been previously paused"), ("run", "create and run a container"), ("spec", "create a new specification file"),
    ("start", "executes the user defined process in a created container"), ("state", "output the state of a container"), ("update", "update container resource constraints"),
    ("features", "show the enabled features"), ("help, h", "Shows a list of commands or help for one command"),
)  # fmt: skip
_MORE = {"checkpoint", "create", "restore", "run", "start", "update", "features"}


def _tasks(inv: Invocation, space: str) -> list[tuple[str, Container | Sandbox, int, str, int]]:
    """(id, record, pid, status, created) of the tasks of a namespace, by id."""
    found: list[tuple[str, Container | Sandbox, int, str, int]] = []
    known = spaces(inv.world, inv.host.name).get(space)
    for c in known.containers.values() if known is not None else ():
        if c.state == "RUNNING":
            found.append((c.id, c, c.pid, "paused" if c.paused else "running", c.created_at))
        elif c.state == "EXITED" and c.has_task and space not in ("k8s.io", "moby"):
            found.append((c.id, c, 0, "stopped", c.created_at))
    if space == "k8s.io":
        found += [
            (s.id, s, s.pid, "running", s.created_at) for s in runtime(inv.world, inv.host.name).sandboxes.values() if s.pid
        ]
    return sorted(found, key=lambda row: row[0])


def main(inv: Invocation) -> Generator[Wait, Any, int] | int:
    """The command `runc`."""
    words = list(inv.argv[1:])
    root, form = "/run/runc", "table"
    while words and words[0].startswith("-"):
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if name in ("--version", "-v"):
            inv.out(VERSION)
            return 0
        if name in ("--help", "-h"):
            words = []
            break
        if name == "--root":
            root = value if equals else words.pop(0) if words else ""
        elif name in ("--log", "--log-format", "--rootless", "--criu"):
            if not equals and words:
                words.pop(0)
        elif name not in ("--debug", "--systemd-cgroup"):
            inv.err(f"Incorrect Usage: flag provided but not defined: {word.lstrip('-') and '-' + word.lstrip('-')}\n\n")
            inv.err(f"flag provided but not defined: -{word.lstrip('-')}\n")
            return 1
    if not words or words[0] in ("help", "h"):
        rows = "".join(f"   {name}\t{text}\n" for name, text in _COMMANDS)
        inv.out("NAME:\n   runc - Open Container Initiative runtime\n\nUSAGE:\n   runc [global options] command [command options] [arguments...]\n\nVERSION:\n   1.3.4\n\nCOMMANDS:\n"
                + tabwriter.align(rows, minwidth=1, tabwidth=8, padding=2))  # fmt: skip
        return 0
    command, *rest = words
    if command == "spec":
        return _spec(inv)
    if command in _MORE:
        inv.err(f"runc {command}: not simulated in Slipway yet\n")
        return 1
    if command not in {name.partition(",")[0] for name, _ in _COMMANDS}:
        inv.err(f"No help topic for '{command}'\n")
        return 3
    call: Any = inv
    if call.proc.user != "root" and root.startswith("/run"):
        inv.err(
            f'time="{rfc3339(inv.world.wall)}" level=error msg="open {root}: permission denied"\nopen {root}: permission denied\n'
        )
        return 1
    prefix = {
        "/run/containerd/runc/": "",
        "/var/run/containerd/runc/": "",
        "/run/docker/runtime-runc/": "",
        "/var/run/docker/runtime-runc/": "",
    }
    space = next((root.removeprefix(p).rstrip("/") for p in prefix if root.startswith(p)), "")
    tasks = _tasks(inv, space) if space else []
    flags = [w for w in rest if w.startswith("-")]
    names = [w for w in rest if not w.startswith("-")]
    if command == "list":
        for at, flag in enumerate(rest):
            if flag in ("-f", "--format") and at + 1 < len(rest):
                form = rest[at + 1]
        return _list(inv, tasks, space, form, "-q" in flags or "--quiet" in flags)
    if not names:
        inv.err(
            f'runc: "{command}" requires exactly 1 argument(s)\n'
            if command in ("state", "pause", "resume", "delete")
            else f'runc: "{command}" requires a minimum of 1 argument(s)\n'
        )
        return 1
    found = next((row for row in tasks if row[0] == names[0]), None)
    if found is None:
        inv.err(f'time="{rfc3339(inv.world.wall)}" level=error msg="container does not exist"\ncontainer does not exist\n')
        return 1
    return _one(inv, command, found, names[1:], space)


def _list(
    inv: Invocation, tasks: list[tuple[str, Container | Sandbox, int, str, int]], space: str, form: str, quiet: bool
) -> int:
    if quiet:
        inv.out("".join(row[0] + "\n" for row in tasks))
        return 0
    if form == "json":
        inv.out(json.dumps([_state(row, space) for row in tasks]) + "\n" if tasks else "null\n")
        return 0
    rows = "ID\tPID\tSTATUS\tBUNDLE\tCREATED\tOWNER\n"
    for ident, _, pid, status, created in tasks:
        rows += f"{ident}\t{pid}\t{status}\t{spec.bundle(space, ident)}\t{logs.stamp(created)}\troot\n"
    inv.out(tabwriter.align(rows, minwidth=12, tabwidth=1, padding=3))
    return 0


def _state(row: tuple[str, Container | Sandbox, int, str, int], space: str) -> dict[str, Any]:
    ident, record, pid, status, created = row
    folder = spec.bundle(space, ident)
    annotations = dict(record.annotations) if record.annotations else {}
    return {
        "ociVersion": "1.2.1",
        "id": ident,
        "pid": pid,
        "status": status,
        "bundle": folder,
        "rootfs": f"{folder}/rootfs",
        "created": logs.stamp(created),
        **({"annotations": annotations} if annotations else {}),
        "owner": "",
    }


def _one(
    inv: Invocation, command: str, row: tuple[str, Container | Sandbox, int, str, int], rest: list[str], space: str
) -> Generator[Wait, Any, int] | int:
    ident, record, _, status, _ = row
    if command == "state":
        inv.out(json.dumps(_state(row, space), indent=2) + "\n")
        return 0
    if command == "ps":
        rows = "UID\tPID\tPPID\tC\tSTIME\tTTY\tTIME\tCMD\n"
        for p in sorted(inv.host.processes.values(), key=lambda p: p.pid):
            if p.container == ident:
                rows += f"{p.user.partition(':')[0]}\t{p.pid}\t{p.ppid}\t0\t{rfc3339(inv.world.epoch + p.started)[11:16]}\t?\t00:00:00\t{' '.join(p.argv)}\n"
        inv.out(tabwriter.align(rows, minwidth=8, tabwidth=1, padding=1))
        return 0
    if isinstance(record, Sandbox):
        inv.err(f"runc {command} of a pod's pause container: not simulated in Slipway yet\n")
        return 1
    if command == "kill":
        word = rest[0] if rest else "SIGTERM"
        number = (
            int(word)
            if word.isdigit()
            else SIGNALS.get(word.upper() if word.upper().startswith("SIG") else "SIG" + word.upper(), 0)
        )
        if not number:
            inv.err(f'unknown signal "{word}"\n')
            return 1
        if status == "stopped":
            inv.err("container not running\n")
            return 1
        containers.signal(inv.world, inv.host.name, record, number)
        return 0
    if command in ("pause", "resume"):
        from ..runtime.engine import life

        (life.pause if command == "pause" else life.unpause)(inv.world, inv.host.name, record)
        return 0
    if command == "delete":
        inv.err("cannot delete container that is not stopped: running\n" if status != "stopped" else "")
        return 1 if status != "stopped" else 0
    if command == "events":
        from ..runtime import usage

        use = usage.of_container(inv.world, inv.host.name, record)
        inv.out(
            json.dumps(
                {
                    "type": "stats",
                    "id": ident,
                    "data": {
                        "cpu": {"usage": {"total": use.cpu_ns}},
                        "memory": {"usage": {"usage": use.memory}},
                        "pids": {"current": use.pids},
                    },
                }
            )
            + "\n"
        )
        return 0
    return _exec(inv, record, rest)


def _exec(inv: Invocation, record: Container, argv: list[str]) -> Generator[Wait, Any, int]:
    if not argv:
        inv.err("process args cannot be empty\n")
        return 1
    problem = execs.exec_error(inv.world, inv.host.name, record, argv)
    if problem:
        inv.err(f"exec failed: unable to start container process: {problem}\n")
        return 255
    code = yield from executor.exec_in(
        cast(Call, inv),
        inv.host.name,
        argv,
        mnt=record.id,
        netns=record.netns,
        env=dict(record.env),
        cwd=record.cwd,
        container=record.id,
        stdin=True,
    )
    return code


def default_spec() -> dict[str, Any]:
    """What `runc spec` and `ctr oci spec` start from."""
    return spec.config(
        args=["sh"],
        env=["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
        tty=True,
        hostname="runc",
        cgroup="",
    )


def _spec(inv: Invocation) -> int:
    call: Any = inv
    if call.exists("config.json"):
        inv.err(
            f'time="{rfc3339(inv.world.wall)}" level=error msg="File config.json exists. Remove it first"\nFile config.json exists. Remove it first\n'
        )
        return 1
    data = default_spec()
    data["linux"].pop("cgroupsPath", None)
    inv.write_file("config.json", json.dumps(data, indent="\t").encode())
    return 0

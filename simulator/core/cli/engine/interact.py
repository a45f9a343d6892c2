"""`exec`, `logs`, `top`, `port`, `cp`, `diff`, `export`, `stats` of a Docker-like client."""

from __future__ import annotations

import posixpath
from collections.abc import Generator
from typing import Any, cast

from ...host import executor, files, users
from ...host.filesystem import Inode, Tree
from ...host.invocation import Call
from ...host.machine import hosts
from ...host.program import Sleep, Wait, WaitTopic
from ...kernel import clock
from ...kernel.clock import SECOND
from ...runtime import execs, logs
from ...runtime.engine import core, diff
from ...runtime.engine.core import EngineError
from ...runtime.state import Container, find_container
from ...shell.coreutils import archive
from .. import human
from ..flags import parse_duration
from . import archives, formats
from .session import CliError, EngineSession, Steps


def not_running(session: EngineSession, container: Container) -> EngineError:
    """The refusal for a container that does not run."""
    if session.docker:
        if container.paused:
            return EngineError(f"Container {container.id} is paused, unpause the container before exec", 409)
        return EngineError(f"container {container.id} is not running", 409)
    if container.state == "EXITED":
        return EngineError(f"cannot exec in a stopped container {container.id}")
    return EngineError(f"no running task found: task {container.id} not found: not found")


def execute(session: EngineSession) -> Steps:
    """`exec`."""
    session.connect()
    env_files = []
    for path in session.items("env-file"):
        try:
            env_files.append(session.inv.read_file(path).decode(errors="replace"))
        except OSError as failed:
            raise CliError(f"open {path}: {(failed.strerror or '').lower()}") from None
    container = session.find(session.args[0])
    argv = session.args[1:]
    if container.state != "RUNNING" or container.paused:
        raise not_running(session, container)
    if session.on("tty") and not session.on("detach") and not session.inv.stdin_tty:
        raise CliError("the input device is not a TTY" if session.docker else "provided file is not a console")
    problem = execs.exec_error(session.world, session.host, container, argv)
    env = dict(container.env)
    for text in env_files:
        for line in text.splitlines():
            if line.strip() and not line.startswith("#"):
                env[line.partition("=")[0]] = line.partition("=")[2]
    for pair in session.items("env"):
        key, equals, value = pair.partition("=")
        env[key] = value if equals else session.inv.env.get(key, "")
    user = (session.flag("user") or container.user).partition(":")[0] or "root"
    tree = files.tree(session.inv.host, container.id)
    if not user.isdigit() and user != "root" and users.passwd(tree, user) is None:
        raise EngineError(f"unable to find user {user}: no matching entries in passwd file", 400)
    if problem:
        text = f"OCI runtime exec failed: exec failed: unable to start container process: {problem}"
        code = 126 if problem.endswith(("permission denied", "is a directory")) else 127
        if not session.docker:
            raise EngineError(text)
        if session.on("detach"):
            raise EngineError(text + ": unknown")
        session.inv.out(f"{text}: unknown\r\n")
        return code
    cwd = session.flag("workdir") or container.cwd
    ident = core.exec_begins(session.world, session.host, container, argv)
    if session.on("detach"):
        executor.run_in(
            session.world,
            session.host,
            argv,
            mnt=container.id,
            netns=container.netns,
            env=env,
            user=user,
            cwd=cwd,
            container=container.id,
        )
        return 0
    code = yield from executor.exec_in(
        cast(Call, session.inv), session.host, argv, mnt=container.id, netns=container.netns, env=env, user=user, cwd=cwd, container=container.id,
        stdin=session.on("interactive"),
    )  # fmt: skip
    core.exec_ends(session.world, session.host, container, ident, code)
    if code and not session.docker:
        raise CliError(f"exec failed with exit code {code}", code)
    return code


def moment(session: EngineSession, text: str) -> int:
    """`--since`/`--until`: a duration ago, a Unix time or RFC 3339, in Unix ns."""
    if not text:
        return 0
    try:
        return session.world.wall - parse_duration(text)
    except ValueError as failed:
        if text.replace(".", "", 1).isdigit():
            return int(float(text) * SECOND)
        try:
            padded = text if "T" in text else text + "T00:00:00"
            return clock.parse_rfc3339(padded if padded.endswith("Z") else padded[:19] + "Z")
        except ValueError:
            raise EngineError(
                f'invalid value for "since": failed to parse value as time or duration: {text!r}'.replace("'", '"')
                if session.docker
                else str(failed),
                400,
            ) from None


def show_logs(session: EngineSession) -> Steps:
    """`logs`."""
    session.connect()
    container = session.find(session.args[0])
    since, until = moment(session, session.flag("since")), moment(session, session.flag("until"))
    tail = session.flag("tail") or "all"
    count = int(tail) if tail.isdigit() and (int(tail) or session.docker) else -1
    details = session.on("details")
    seen, first = 0, True
    while True:
        lines = logs.read(session.world, session.host, container.log_path)
        fresh, seen = lines[seen:], len(lines)
        for line in logs.select(fresh, tail=count if first else -1, since=since):
            if until and line.at > until:
                continue
            text = logs.render(line, session.on("timestamps"))
            (session.inv.err if line.stream == "stderr" and not container.tty else session.inv.out)(
                (" " if details else "") + text
            )
        first = False
        gone = find_container(session.world, session.host, container.id) is None
        if not session.on("follow") or gone or (container.state != "RUNNING" and not container.restarting):
            return 0
        yield WaitTopic(
            (f"file:{session.host}:{posixpath.dirname(container.log_path)}", f"container:{session.host}:{container.id}")
        )


def top(session: EngineSession) -> Steps:
    """`top`: the host's `ps` of the container's processes."""
    session.connect()
    container = session.find(session.args[0])
    if container.state != "RUNNING":
        raise EngineError(f"container {container.id} is not running", 409)
    pids = sorted(p.pid for p in hosts(session.world)[session.host].processes.values() if p.container == container.id)
    options = session.args[1:] or ["-ef"]
    code, out, err = yield from session.inv.capture(["ps", *options])
    if code:
        raise EngineError(f"ps: {err.decode(errors='replace').strip()}")
    lines = out.decode(errors="replace").splitlines()
    head = lines[0].split()
    if "PID" not in head:
        raise EngineError("Couldn't find PID field in ps output")
    column = head.index("PID")
    rows = [head]
    for line in lines[1:]:
        cells = line.split(None, len(head) - 1)
        if len(cells) > column and cells[column].isdigit() and int(cells[column]) in pids:
            rows.append(cells)
    session.inv.out(session.table(rows, minwidth=20))
    return 0


def port(session: EngineSession) -> int:
    """`port`."""
    session.connect()
    container = session.find(session.args[0])
    bound = [p for p in container.ports if p.host_port] if container.state == "RUNNING" else []
    both = session.docker
    if len(session.args) > 1:
        wanted, _, protocol = session.args[1].partition("/")
        protocol = protocol or "tcp"
        if not wanted.isdigit():
            raise CliError(f"invalid port '{wanted}': must be a number")
        found = [p for p in bound if p.container_port == int(wanted) and p.protocol == protocol]
        if not found:
            text = f"no public port '{session.args[1]}' published for {session.args[0]}"
            raise CliError(text if session.docker else text.replace("'", '"'))
        for p in found:
            session.inv.out(f"{p.host_ip}:{p.host_port}\n" + (f"[::]:{p.host_port}\n" if both and p.host_ip == "0.0.0.0" else ""))
        return 0
    lines = []
    for p in bound:
        lines.append(f"{p.container_port}/{p.protocol} -> {p.host_ip}:{p.host_port}\n")
        if both and p.host_ip == "0.0.0.0":
            lines.append(f"{p.container_port}/{p.protocol} -> [::]:{p.host_port}\n")
    session.inv.out("".join(lines))
    return 0


def show_diff(session: EngineSession) -> int:
    """`diff`."""
    session.connect()
    container = session.find(session.args[0])
    found = diff.of_container(session.world, session.host, container)
    session.inv.out("".join(f"{kind} {path}\n" for kind, path, _ in found))
    return 0


# -- cp and export --------------------------------------------------------------------------------------------------------
def _side(session: EngineSession, word: str) -> tuple[Container | None, str]:
    head, colon, path = word.partition(":")
    if not colon or word.startswith((".", "/")):
        return None, word
    return session.find(head), path


def copy(session: EngineSession) -> Generator[Wait, Any, int]:
    """`cp`, between a container and the host; `-` is a tar on standard input or output."""
    session.connect()
    source_word, target_word = session.args
    source, source_path = _side(session, source_word)
    target, target_path = _side(session, target_word)
    if source is not None and target is not None:
        raise CliError("copying between containers is not supported")
    if source is None and target is None:
        raise CliError("must specify at least one container source")
    one = source or target
    assert one is not None
    inside = files.tree(session.inv.host, one.id)
    outside = files.tree(session.inv.host)
    if source is not None:
        path = posixpath.normpath("/" + source_path)
        if not inside.exists(path):
            raise EngineError(f"Could not find the file {source_path} in container {source_word.partition(':')[0]}", 404)
        if target_word == "-":
            session.inv.out(_tar(inside, path))
            return 0
        where = posixpath.normpath(posixpath.join(session.inv.cwd, target_path))
        size = _copy(session, inside, source.id, path, outside, "host", where, source_path, target_path)
        session.inv.err(f"Successfully copied {_copied(size)} to {where}\n" if session.docker and not session.on("quiet") else "")
        return 0
    assert target is not None
    where = posixpath.normpath("/" + target_path)
    if source_word == "-":
        data = yield from session.inv.read()
        for info, node in archives.read_entries(data):
            full = posixpath.join(where, info)
            inside.mkdir(posixpath.dirname(full), True, now=session.world.wall)
            inside.put(full, node, session.world.wall)
        return 0
    path = posixpath.normpath(posixpath.join(session.inv.cwd, source_path))
    if not outside.exists(path):
        raise CliError(f"lstat {path}: no such file or directory")
    size = _copy(session, outside, "host", path, inside, target.id, where, source_path, target_path)
    session.inv.err(
        f"Successfully copied {_copied(size)} to {target_word}\n" if session.docker and not session.on("quiet") else ""
    )
    return 0


def _copied(size: int) -> str:
    return human.size(-(-(size + 512) // 512) * 512 + 1024, 3)


def _copy(
    session: EngineSession, tree: Tree, key: str, path: str, into: Tree, into_key: str, where: str, typed: str, typed_target: str
) -> int:
    """Copy a file or directory as `cp -a` does; returns its bytes."""
    contents = typed.endswith("/.")
    isdir = tree.isdir(path)
    if into.isdir(where):
        if not contents:
            where = posixpath.join(where, posixpath.basename(path))
    elif typed_target.endswith("/") and not isdir:
        raise EngineError(f"no such directory: {typed_target}", 404)
    elif not into.isdir(posixpath.dirname(where)):
        raise (
            CliError(f'invalid output path: directory "{posixpath.dirname(where)}" does not exist')
            if into_key == "host"
            else EngineError(
                f"Could not find the file {posixpath.dirname(where)} in container {session.args[1].partition(':')[0]}", 404
            )
        )
    total = 0
    for name, node in list(tree.walk(path)):
        spot = posixpath.normpath(where + name[len(path.rstrip("/")) :])
        if node.kind == "dir":
            if not into.isdir(spot):
                into.mkdir(spot, True, mode=node.mode, uid=node.uid, gid=node.gid, now=session.world.wall)
            continue
        total += len(node.data)
        into.put(
            spot,
            Inode(
                node.kind if node.kind != "virtual" else "file",
                node.mode,
                node.uid,
                node.gid,
                node.mtime,
                node.data,
                None,
                node.target,
            ),
            session.world.wall,
        )
        files.ring(session.world, session.inv.host, into_key, spot)
    return total


def _tar(tree: Tree, path: str) -> bytes:
    base = posixpath.dirname(path)
    entries = [(name[len(base.rstrip("/")) + 1 :], node) for name, node in tree.walk(path) if name != "/"]
    return archive.build(entries, compress=False)


def export(session: EngineSession) -> int:
    """`export`: the container's files as a tar."""
    session.connect()
    container = session.find(session.args[0])
    if not session.flag("output") and session.inv.stdout_tty:
        raise CliError("cowardly refusing to save to a terminal. Use the -o flag or redirect")
    data = _tar(Tree(session.inv.host.filesystems, container.id, mounted=False), "/")
    if session.flag("output"):
        session.inv.write_file(session.flag("output"), data)
    else:
        session.inv.out(data)
    return 0


# -- stats ----------------------------------------------------------------------------------------------------------------
def _binary(count: float) -> str:
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    at = 0
    while count >= 1024 and at < len(units) - 1:
        count, at = count / 1024, at + 1
    return f"{count:.4g}{units[at]}"


_STATS = {
    "Container": "CONTAINER", "ID": "CONTAINER ID", "Name": "NAME", "CPUPerc": "CPU %", "MemUsage": "MEM USAGE / LIMIT", "MemPerc": "MEM %", "NetIO": "NET I/O",
    "BlockIO": "BLOCK I/O", "PIDs": "PIDS",
}  # fmt: skip


def _stats_row(session: EngineSession, container: Container) -> dict[str, str]:
    from ...runtime import usage

    live = container.state == "RUNNING"
    found = usage.of_container(session.world, session.host, container)
    limit = container.memory_limit or session.inv.host.memory_kib * 1024
    return {
        "Container": container.id[:12], "ID": container.id[:12], "Name": container.name, "CPUPerc": f"{found.cpu:.2f}%" if live else "0.00%",
        "MemUsage": f"{_binary(found.memory)} / {_binary(limit)}" if live else "0B / 0B", "MemPerc": f"{100 * found.memory / limit:.2f}%" if live else "0.00%",
        "NetIO": f"{human.size(found.received, 3)} / {human.size(found.sent, 3)}" if live else "0B / 0B", "BlockIO": "0B / 0B", "PIDs": str(found.pids if live else 0),
    }  # fmt: skip


def stats(session: EngineSession) -> Steps:
    """`stats`: a picture a second until Ctrl-C, or one with `--no-stream`."""
    session.connect()
    form = session.flag("format")
    while True:
        if session.args:
            chosen = [session.find(word) for word in session.args]
        else:
            chosen = [
                c
                for c in core.containers(session.world, session.host, session.space).values()
                if not c.sandbox and (session.on("all") or c.state == "RUNNING")
            ]
            chosen.sort(key=lambda c: (-c.created_at, c.id))
        if session.on("no-stream"):
            yield Sleep(SECOND)
        text = formats.listing(
            form,
            _STATS,
            ("ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"),
            [_stats_row(session, c) for c in chosen],
        )
        if session.on("no-stream"):
            session.inv.out(text)
            return 0
        session.inv.out(("\x1b[H\x1b[J" if session.inv.stdout_tty else "") + text)
        yield Sleep(SECOND)

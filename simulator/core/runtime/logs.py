"""Logs of containers: the CRI format under /var/log/pods, and nerdctl's json-file.

A line is `2026-11-02T09:00:00.123456789Z stdout F text` (containerd `internal/cri/io/logger.go`; the kubelet reads it in
`staging/src/k8s.io/cri-client/pkg/logs/logs.go`).
"""

from __future__ import annotations

import posixpath

import msgspec

from ..host import files
from ..host.machine import hosts
from ..host.process import Process
from ..kernel import clock
from ..kernel.world import World
from .state import Container, find_container

#: The kubelet's containerLogMaxSize and containerLogMaxFiles, where its configuration says nothing else.
KEEP, FILES = 10 * 1024 * 1024, 5
#: Programs that log to standard error, as klog and etcd's zap do.
TO_STDERR = ("kube-", "etcd")


class LogLine(msgspec.Struct, array_like=True):
    """One line of a container's log."""

    at: int
    stream: str
    text: str


def stamp(wall: int) -> str:
    """RFC 3339 with nanoseconds, as containerd writes it."""
    return clock.rfc3339(wall)[:-1] + f".{wall % clock.SECOND:09d}Z"


def parse_stamp(text: str) -> int:
    """Unix ns of a stamp with nanoseconds."""
    head, _, fraction = text.rstrip("Z").partition(".")
    return clock.parse_rfc3339(head + "Z") + int((fraction or "0").ljust(9, "0")[:9])


def emit(world: World, proc: Process, text: str, stream: str = "stdout") -> None:
    """Output of a container's process to wherever its sink leads; programs of images use this to name the stream."""
    kind, _, rest = proc.sink.partition(":")
    if kind == "cri":
        append(world, proc.host, rest, text, stream)
        return
    from ..host import processes

    processes.write(world, proc, text)


def sink(world: World, proc: Process, rest: str, text: str) -> None:
    """`tables['sinks']['cri']`: text of a process whose sink is `cri:<container>`."""
    append(world, proc.host, rest, text, "stderr" if proc.program.startswith(TO_STDERR) else "stdout")


def append(world: World, host: str, ident: str, text: str, stream: str = "stdout") -> None:
    """Lines to a container's log file."""
    container = find_container(world, host, ident)
    if container is None or not container.log_path or not text:
        return
    lines = text.splitlines()
    when = stamp(world.wall)
    if container.log_path.endswith("-json.log"):
        out = "".join(msgspec.json.encode({"log": line + "\n", "stream": stream, "time": when}).decode() + "\n" for line in lines)
    else:
        out = "".join(f"{when} {stream} F {line}\n" for line in lines)
    files.write_file(world, host, container.log_path, out.encode(), append=True, parents=True, mode=0o640)


def rotate(world: World, host: str, path: str, keep: int) -> str:
    """Put a log aside as `<path>.<date>-<time>` and begin an empty one; the oldest beyond `keep` go (`container_log_manager.go`).

    Older ones are compressed in reality; here they stay as they are.  Returns the new name.
    """
    tree = files.tree(hosts(world)[host])
    folder, name = posixpath.split(path)
    aside = f"{path}.{clock.to_datetime(world.wall).strftime('%Y%m%d-%H%M%S')}"
    data = tree.read(path)
    files.write_file(world, host, aside, data, mode=0o640)
    files.write_file(world, host, path, b"", mode=0o640)
    old = sorted(other for other in tree.listdir(folder) if other.startswith(name + "."))
    for other in old[: max(len(old) - (keep - 1), 0)]:
        files.remove_file(world, host, posixpath.join(folder, other))
    return aside


def read(world: World, host: str, path: str) -> list[LogLine]:
    """All lines of a log file; an absent one has none."""
    try:
        data = files.tree(hosts(world)[host]).read(path)
    except OSError:
        return []
    return parse(data, path)


def parse(data: bytes, path: str) -> list[LogLine]:
    """Lines of either format, told by the file's name; damaged lines are left out."""
    lines: list[LogLine] = []
    for raw in data.decode(errors="replace").splitlines():
        try:
            if path.endswith("-json.log"):
                record = msgspec.json.decode(raw)
                lines.append(LogLine(parse_stamp(record["time"]), record["stream"], str(record["log"]).removesuffix("\n")))
            else:
                when, stream, _, text = (raw + " ").split(" ", 3)
                lines.append(LogLine(parse_stamp(when), stream, text[:-1]))
        except (ValueError, KeyError, TypeError, msgspec.DecodeError):
            continue
    return lines


def select(lines: list[LogLine], *, tail: int = -1, since: int = 0, limit_bytes: int = -1, stream: str = "") -> list[LogLine]:
    """Apply the options that kubectl, crictl and nerdctl share; `since` is Unix ns."""
    chosen = [line for line in lines if line.at >= since and stream in ("", line.stream)]
    if tail >= 0:
        chosen = chosen[len(chosen) - tail :] if tail else []
    if limit_bytes >= 0:
        kept: list[LogLine] = []
        for line in chosen:
            if limit_bytes <= 0:
                break
            kept.append(LogLine(line.at, line.stream, line.text[:limit_bytes]))
            limit_bytes -= len(line.text) + 1
        chosen = kept
    return chosen


def render(line: LogLine, timestamps: bool = False) -> str:
    """A line as a client prints it."""
    return (stamp(line.at) + " " if timestamps else "") + line.text + "\n"


def path_of(container: Container, directory: str = "") -> str:
    """The path of a container's log file."""
    return posixpath.join(directory, container.log_path)


class LogFollower:
    """An open, followed log: a `kernel.http.Stream` of encoded lines; ends when the container has ended and all was read."""

    def __init__(
        self, world: World, host: str, container: Container, *, timestamps: bool = False, since: int = 0, tail: int = -1
    ) -> None:
        self._world, self._host, self._container = world, host, container
        self._timestamps, self._since, self._tail = timestamps, since, tail
        self._seen = 0
        self._first = True
        self._closed = False
        self.topic = f"file:{host}:{posixpath.dirname(container.log_path)}"

    def poll(self) -> list[bytes]:
        """What was written since the last poll."""
        if self._closed:
            return []
        lines = read(self._world, self._host, self._container.log_path)
        fresh = lines[self._seen :]
        self._seen = len(lines)
        if self._first:
            fresh = select(fresh, tail=self._tail, since=self._since)
            self._first = False
        current = find_container(self._world, self._host, self._container.id)
        if current is None or current.state == "EXITED":
            self._closed = True
        return [render(line, self._timestamps).encode() for line in fresh]

    @property
    def closed(self) -> bool:
        """No more will come."""
        return self._closed

    def close(self) -> None:
        """The client has gone."""
        self._closed = True

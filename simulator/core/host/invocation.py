"""What a running command is given: the concrete `Invocation` (see program.py) over descriptors, files and the executor."""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ..kernel.world import World
from . import files, pidspace, streams, users
from .filesystem import Inode, Tree, error
from .machine import Host, hosts
from .process import Process
from .program import Wait, WaitRead

if TYPE_CHECKING:
    from .executor import Executor, Task


class Call:
    """One invocation of a command; also the base of the shell's own."""

    def __init__(self, executor: Executor, task: Task) -> None:
        self.executor = executor
        self.task = task
        self.world: World = executor.world
        self.proc: Process = task.proc
        self.host: Host = hosts(self.world)[task.proc.host]
        self.argv: list[str] = task.proc.argv
        self.env: dict[str, str] = task.proc.env
        #: What standard input had, for a program that opens it by name as a file (`/dev/stdin`); None until it has read it.
        self.piped: bytes | None = None

    # -- surroundings ---------------------------------------------------------------------------------------------------
    @property
    def fds(self) -> dict[int, streams.Stream]:
        """The open descriptors."""
        return self.task.fds

    @property
    def stdin_tty(self) -> bool:
        """Whether standard input is a terminal."""
        return 0 in self.fds and self.fds[0].tty

    @property
    def stdout_tty(self) -> bool:
        """Whether standard output is a terminal."""
        return 1 in self.fds and self.fds[1].tty

    @property
    def columns(self) -> int:
        """The width of the terminal (80 when there is none)."""
        for stream in self.fds.values():
            if isinstance(stream, streams.Tty):
                return stream.device.columns
        return 80

    @property
    def cwd(self) -> str:
        """The working directory, absolute."""
        return self.proc.cwd

    @property
    def tree(self) -> Tree:
        """The files as this process sees them."""
        return files.tree(self.host, self.proc.mnt, self.proc, self._groups)

    def _groups(self) -> Inode | None:
        """/sys/fs/cgroup as this process sees it."""
        make = self.world.tables.get("cgroups")
        return make(self.world, self.host, self.proc.mnt) if make is not None else None

    @property
    def uid(self) -> int:
        """The user's id."""
        return users.uid_of(self.tree, self.proc.user)

    @property
    def gid(self) -> int:
        """The user's primary group id."""
        return users.gid_of(self.tree, self.proc.user)

    def path(self, text: str) -> str:
        """A path of the command line, absolute and normalised."""
        return posixpath.normpath("/" + posixpath.join(self.cwd, text).lstrip("/")) if text else ""

    # -- descriptors ----------------------------------------------------------------------------------------------------
    def out(self, text: str | bytes) -> None:
        """Write to standard output."""
        self.write_fd(1, text)

    def err(self, text: str | bytes) -> None:
        """Write to standard error."""
        self.write_fd(2, text)

    def write_fd(self, fd: int, text: str | bytes) -> None:
        """Write to a descriptor; a closed one is EBADF."""
        stream = self.fds.get(fd)
        if stream is None:
            if fd == 2:
                return
            raise error(errno.EBADF, "write error")
        if text:
            stream.write(text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text)

    def wait_input(self, fd: int = 0) -> Generator[Wait, Any, streams.Stream]:
        """Wait until a descriptor is ready and return its stream."""
        stream = self.fds.get(fd)
        if stream is None:
            raise error(errno.EBADF, "")
        while not stream.ready:
            yield WaitRead(fd)
        return stream

    def read(self) -> Generator[Wait, Any, bytes]:
        """All of standard input to its end."""
        parts: list[bytes] = []
        size = 0
        while True:
            stream = yield from self.wait_input()
            part = stream.take(65536)
            if not part:
                return b"".join(parts)
            parts.append(part)
            size += len(part)
            if size > streams.PIPE_LIMIT:
                raise error(errno.ENOMEM, "")

    def read_some(self, limit: int = -1) -> Generator[Wait, Any, bytes]:
        """What standard input has now, waiting for at least one byte; b"" at the end."""
        stream = yield from self.wait_input()
        return stream.take(limit)

    def read_line(self) -> Generator[Wait, Any, bytes]:
        """One line with its newline, b"" at the end."""
        while True:
            stream = yield from self.wait_input()
            line = stream.take_line()
            if line is not None:
                return line
            yield WaitRead(0)

    # -- files ----------------------------------------------------------------------------------------------------------
    def read_file(self, path: str) -> bytes:
        """The content of a file (devices read as empty)."""
        where = self.path(path)
        if where == "/dev/null":
            return b""
        if where == "/dev/stdin" and self.piped is not None:
            return self.piped
        if (held := self.descriptor(where)) is not None:
            return held.take(-1)
        if device := self.device(path):
            return device.take(streams.DEVICE_READ)
        users.check(self.tree, where, self.proc.user, users.READ)
        if where.startswith("/proc/self/") and where != "/proc/self/mounts":
            where = f"/proc/{pidspace.number(self.host, self.proc, self.proc.pid)}/{where[11:]}"
        return files.read_file(self.world, self.host, where, mnt=self.proc.mnt)

    def descriptor(self, where: str) -> streams.Stream | None:
        """The output of a `<(…)` that `/dev/fd/N` names: it is complete, and can be read once."""
        number = where.removeprefix("/dev/fd/")
        held = self.fds.get(int(number)) if number != where and number.isdigit() and len(number) < 4 else None
        return held if isinstance(held, streams.Buffer) else None

    def device(self, path: str) -> streams.Stream | None:
        """The stream of a device that never ends (zero, urandom, random); None for every other path."""
        where = self.path(path)
        if where in ("/dev/urandom", "/dev/random"):
            return streams.Random(self.world)
        return streams.Null(b"\0") if where == "/dev/zero" else None

    def write_file(self, path: str, data: bytes, *, append: bool = False, mode: int | None = None) -> None:
        """Create, replace or extend a file."""
        where = self.path(path)
        if where == "/dev/null":
            return
        users.check(self.tree, where, self.proc.user, users.WRITE)
        if len(data) >= files.SMALL or self.host.reserved:
            old = len(self.tree.read(where)) if self.tree.exists(where) else 0
            files.room(self.world, self.host, len(data), len(data) if append else len(data) - old)
        new = 0o666 & ~self.proc.umask if mode is None else mode
        files.write_file(
            self.world, self.host, where, data, mnt=self.proc.mnt, mode=new, uid=self.uid, gid=self.gid, append=append
        )

    def lookup(self, path: str, follow: bool = True) -> Inode:
        """The inode of a path."""
        where = self.path(path)
        if not where:
            raise error(errno.ENOENT, path)
        node = self.tree.lookup(where, follow)
        if path.endswith("/") and node.kind != "dir" and where != "/":
            raise error(errno.ENOTDIR, path)
        return node

    def exists(self, path: str) -> bool:
        """Whether a path leads to something."""
        return bool(path) and (self.tree.exists(self.path(path)) or self.descriptor(self.path(path)) is not None)

    def isdir(self, path: str) -> bool:
        """Whether a path leads to a directory."""
        return bool(path) and self.tree.isdir(self.path(path))

    # -- other commands -------------------------------------------------------------------------------------------------
    def run(self, argv: list[str], *, stdin: bytes | None = None, env: dict[str, str] | None = None) -> Generator[Wait, Any, int]:
        """Run another command with this one's descriptors (or `stdin` as its input) and return its exit status."""
        fds = dict(self.fds)
        if stdin is not None:
            fds[0] = streams.Buffer(stdin)
        child = self.executor.spawn_like(self.proc, argv, fds, env=env)
        return (yield from self.executor.wait(child))

    def capture(self, argv: list[str], *, stdin: bytes = b"") -> Generator[Wait, Any, tuple[int, bytes, bytes]]:
        """Run another command and return (status, stdout, stderr)."""
        out, err = streams.Capture(), streams.Capture()
        child = self.executor.spawn_like(self.proc, argv, {0: streams.Buffer(stdin), 1: out, 2: err})
        code = yield from self.executor.wait(child)
        return code, bytes(out.data), bytes(err.data)

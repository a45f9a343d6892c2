"""What the executor drives: tasks with their descriptors, and how a command name is found."""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

from ..kernel.errors import BudgetExceeded
from . import files, streams, users
from .filesystem import Inode, error
from .machine import Host
from .process import Process
from .program import Steps, Wait

SIGINT, SIGPIPE, SIGKILL, SIGTERM, SIGCONT, SIGSTOP, SIGTSTP = 2, 13, 9, 15, 18, 19, 20
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"
Command = Callable[[Any], "int | Steps"]


class Ended(Exception):
    """Raised inside a command to end it with a status."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class Task:
    """One running command: its process, coroutine, descriptors and what it waits for."""

    __slots__ = (
        "daemon",
        "fds",
        "keep",
        "missed",
        "on_signal",
        "proc",
        "queued",
        "steps",
        "stopped",
        "timer",
        "turn",
        "value",
        "wait",
    )

    def __init__(self, proc: Process, fds: dict[int, streams.Stream]) -> None:
        self.proc = proc
        self.steps: Generator[Wait, Any, int] | None = None
        self.fds = fds
        self.wait: Wait | None = None
        self.turn = 0
        self.value: Any = None
        self.stopped = False
        self.queued = False
        self.on_signal: Callable[[int], bool] | None = None
        self.timer = 0
        self.daemon = False
        self.missed = False
        self.keep = False


def _name(task: Task) -> str:
    return posixpath.basename(task.proc.argv[0]) if task.proc.argv else task.proc.program


def _fail(task: Task, text: str, code: int) -> int:
    stream = task.fds.get(2)
    if stream is not None:
        with suppress(OSError, streams.BrokenPipe, BudgetExceeded):
            stream.write(text.encode("utf-8", "surrogateescape"))
    return code


def resolve(host: Host, mnt: str, name: str, *, cwd: str, path: str, user: str = "root") -> tuple[str, Inode]:
    """The executable that a command name means: by PATH, or as a path when it has a slash.  Raises OSError."""
    tree = files.tree(host, mnt)
    if "/" in name:
        where = posixpath.normpath(posixpath.join(cwd, name))
        node = tree.lookup(where)
        if node.kind == "dir":
            raise error(errno.EISDIR, name)
        users.check(tree, where, user, users.EXECUTE)
        if not users.may(node, users.uid_of(tree, user), users.gid_of(tree, user), users.EXECUTE):
            raise error(errno.EACCES, name)
        return where, node
    denied = False
    for folder in path.split(":"):
        where = posixpath.normpath(posixpath.join(cwd, folder or ".", name))
        try:
            node = tree.lookup(where)
        except OSError:
            continue
        if node.kind == "dir":
            continue
        if users.may(node, users.uid_of(tree, user), users.gid_of(tree, user), users.EXECUTE):
            return where, node
        denied = True
    raise error(errno.EACCES if denied else errno.ENOENT, name)

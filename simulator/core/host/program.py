"""What behaves: daemons (`Program`) and commands (`Command`), and what they are given.

A **daemon** (etcd, kube-apiserver, kubelet, containerd, nginx, …) is a module-level object with the methods of `Program`;
its state is plain data in a section keyed by `Process.key`.  It is started and stopped by `processes.start`/`kill`.

A **command** (`ls`, `kubectl`, `etcdctl`, …) is a function of an `Invocation`.  Most return an exit status at once; one that
waits is a generator that yields `Wait`s and returns its exit status.  Waiting commands live in the warm world only.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from ..kernel.http import Request, Response
from ..kernel.world import World
from .process import Process

if TYPE_CHECKING:
    from .machine import Host


class Exited(Exception):
    """Raised by `Program.start` when the program ends at once; what it printed has been logged already."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit status {code}")
        self.code = code


class Program(Protocol):
    """The behaviour of a daemon.  Every method runs at one virtual instant and must not loop without bound."""

    def start(self, world: World, proc: Process) -> None:
        """Begin: parse `proc.argv`, bind sockets, schedule timers on `proc.target`.  May raise `Exited`."""

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """A timer of this process fired, or one of its subscriptions rang."""

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """The process is ending by `signal` (15, 9, 2 …): drop its state, return its exit status.  Sockets, timers and
        subscriptions are dropped by the caller."""

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """Answer a request that reached one of this process's sockets."""


# -- what a command may wait for ---------------------------------------------------------------------------------------


class Sleep(msgspec.Struct, frozen=True):
    """Resume after `ns` of virtual time."""

    ns: int


class WaitTopic(msgspec.Struct, frozen=True):
    """Resume when one of `topics` rings (see World.ring) or at virtual time `deadline`; the yield returns True if it rang."""

    topics: tuple[str, ...]
    deadline: int | None = None


class WaitRead(msgspec.Struct, frozen=True):
    """Resume when the descriptor has data or is at its end."""

    fd: int = 0


class WaitChild(msgspec.Struct, frozen=True):
    """Resume when that child has ended; the yield returns its exit status."""

    pid: int


Wait = Sleep | WaitTopic | WaitRead | WaitChild
Steps = Generator[Wait, Any, int]


class Invocation(Protocol):
    """What a command is given.  Text is UTF-8; `out`/`err` never block (pipes are unbounded up to the budget)."""

    world: World
    host: Host
    proc: Process
    argv: list[str]
    env: dict[str, str]
    stdin_tty: bool
    stdout_tty: bool
    columns: int

    @property
    def cwd(self) -> str:
        """The working directory, absolute."""

    def out(self, text: str | bytes) -> None:
        """Write to standard output (no newline is added)."""

    def err(self, text: str | bytes) -> None:
        """Write to standard error (no newline is added)."""

    def read(self) -> Generator[Wait, Any, bytes]:
        """All of standard input to its end: `data = yield from inv.read()`."""

    def read_line(self) -> Generator[Wait, Any, bytes]:
        """One line with its newline, b"" at the end: `line = yield from inv.read_line()`."""

    # files, as this process's user sees them in its root and working directory; they raise OSError as the system calls do
    def read_file(self, path: str) -> bytes:
        """The content of a file."""

    def write_file(self, path: str, data: bytes, *, append: bool = False, mode: int | None = None) -> None:
        """Create or replace (or extend) a file."""

    def run(self, argv: list[str], *, stdin: bytes | None = None, env: dict[str, str] | None = None) -> Generator[Wait, Any, int]:
        """Run another command with this one's descriptors (or `stdin` as its input) and return its exit status."""

    def capture(self, argv: list[str], *, stdin: bytes = b"") -> Generator[Wait, Any, tuple[int, bytes, bytes]]:
        """Run another command and return (status, stdout, stderr)."""

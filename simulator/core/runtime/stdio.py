"""The standard streams of a container's main process, where somebody may attach to them (containerd `internal/cri/io/container_io.go`).

What the process prints goes to the container's log and to everybody who is attached; what those write goes to its standard input.
Only commands of the executor have them: a world in which one runs holds warm state already.  What a daemon of an image prints is in
its log alone, and it reads nothing.
"""

from __future__ import annotations

from ..host import streams
from ..host.process import Process
from ..kernel.world import World
from . import logs
from .pty import Pty, Sink
from .state import Container


class Stdio:
    """One container's streams; `pty` is there when it was given a terminal."""

    def __init__(self, world: World, host: str, container: Container) -> None:
        self.input = streams.Buffer(ended=not (container.stdin or container.tty))
        self.clients: list[Sink] = []
        self.pty: Pty | None = None
        self._log = LogStream(world, host, container.id, "stdout", self._tell)
        if container.tty:
            self.pty = Pty(world, self._shown, f"pts/0/{container.id[:12]}")
            self.input = self.pty.input

    def fds(self, world: World, host: str, container: Container, logged: bool) -> dict[int, streams.Stream]:
        """Descriptors for the main process."""
        if self.pty is not None:
            return {0: streams.Tty(self.pty), 1: streams.Tty(self.pty), 2: streams.Tty(self.pty, 2)}
        if not logged:
            return {0: self.input, 1: streams.Null(), 2: streams.Null()}
        return {0: self.input, 1: self._log, 2: LogStream(world, host, container.id, "stderr", self._tell)}

    def type(self, data: bytes) -> None:
        """A client writes; on a terminal what is typed as lines is echoed, so it is in the log as well."""
        if self.pty is None:
            self.input.data += data
            self.input.wake()
            return
        if self.pty.raw is None:
            self._log.keep(data)
        self.pty.type(data)

    @property
    def waits(self) -> bool:
        """The process waits for something to read."""
        return bool(self.input.watchers) and not self.input.ready

    def end(self) -> None:
        """No more is written: the end of the file, or Ctrl-D."""
        self.input.ended = True
        self.input.wake()

    def close(self) -> None:
        """The process has ended: what it left of a line is logged."""
        self._log.closed()

    def _shown(self, what: str, data: bytes) -> None:
        """The terminal shows something: it is in the log too, where the runtime keeps one."""
        if what in ("out", "prompt"):
            self._log.keep(data.replace(b"\r\n", b"\n"))
        self._tell(what, data)

    def _tell(self, what: str, data: bytes) -> None:
        for client in list(self.clients):
            client(what, data)


class LogStream(streams.Stream):
    """A descriptor that writes whole lines to a container's log; `also` gets the bytes at once, named `out` or `err`."""

    def __init__(self, world: World, host: str, container: str, name: str, also: Sink | None = None) -> None:
        super().__init__()
        self.world, self.host, self.container, self.name, self.also = world, host, container, name, also
        self.rest = b""

    def write(self, data: bytes) -> None:
        """Log the complete lines, keep what follows the last newline."""
        self.keep(data)
        if self.also is not None:
            self.also("out" if self.name == "stdout" else "err", data)

    def keep(self, data: bytes) -> None:
        """The log's part of a write."""
        self.rest += data
        whole, newline, rest = self.rest.rpartition(b"\n")
        if newline:
            logs.append(self.world, self.host, self.container, (whole + newline).decode(errors="replace"), self.name)
            self.rest = rest

    def closed(self) -> None:
        """The process has gone: log an unfinished line."""
        if self.rest:
            logs.append(self.world, self.host, self.container, self.rest.decode(errors="replace") + "\n", self.name)
            self.rest = b""


def make(world: World, host: str, container: Container) -> Stdio:
    """The streams of a container that is about to start."""
    held: dict[str, Stdio] = world.warm.setdefault("stdio", {})
    found = held[container.id] = Stdio(world, host, container)
    return found


def leader(world: World, container: str, proc: Process) -> None:
    """The main process has started: signals of the terminal go to it."""
    found = of(world, container)
    if found is not None and found.pty is not None:
        found.pty.leader = proc


def of(world: World, container: str) -> Stdio | None:
    """The streams of a container's main process, if somebody can attach to them."""
    held: dict[str, Stdio] = world.warm.get("stdio", {})
    return held.get(container)


def forget(world: World, container: str) -> None:
    """The main process has ended."""
    found = world.warm.get("stdio", {}).pop(container, None)
    if found is not None:
        found.close()

"""The screen of a terminal: its plain data (section `terminals`), output that was not drained, and the device that programs write to."""

from __future__ import annotations

import hashlib
from typing import Any, Protocol

import msgspec

from ..host import streams
from ..host.process import Process
from ..kernel.errors import BudgetExceeded
from ..kernel.world import World
from .state import ShellState

#: Bytes that one line's programs may print on the screen.
OUTPUT_LIMIT = 2 * 1024 * 1024


class Chunk(msgspec.Struct, array_like=True):
    """Output: its number, virtual time, terminal, descriptor (0 echo of prompt and line, 1 output, 2 error output) and text."""

    seq: int
    at: int
    terminal: str
    fd: int
    data: str


class TerminalState(msgspec.Struct):
    """One terminal as plain data."""

    name: str
    host: str
    user: str
    pid: int
    shell: ShellState
    columns: int = 80
    rows: int = 24
    pending: str = ""
    closed: bool = False


class Terminals(msgspec.Struct):
    """The section `terminals`."""

    items: dict[str, TerminalState] = {}
    chunks: list[Chunk] = []
    seq: int = 0
    digest: bytes = b"\0" * 16


class Interactive(Protocol):
    """What the terminal needs of an interactive shell."""

    proc: Process
    group: tuple[str, int] | None


class Device:
    """The warm side of a terminal: typed input, the interactive shells on it, how much was printed."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.input = streams.Buffer(ended=False)
        self.stack: list[Interactive] = []
        self.prompt = ""
        self.raw: tuple[str, str] | None = None
        self.taken: Any = None
        self.used = 0
        self.tail = b""

    @property
    def columns(self) -> int:
        """The width."""
        return section(self.world).items[self.name].columns

    @property
    def rows(self) -> int:
        """The height."""
        return section(self.world).items[self.name].rows

    def cook(self) -> None:
        """Input is lines again: what was typed ahead in raw mode ends its lines as the line discipline would."""
        if b"\r" in self.input.data:
            self.input.data[:] = self.input.data.replace(b"\r", b"\n")

    def show(self, channel: int, text: bytes) -> None:
        """Output of a program; past the limit of a line it raises BudgetExceeded."""
        if self.used > OUTPUT_LIMIT:
            raise BudgetExceeded("output limit reached")
        self.used += len(text)
        emit(self.world, self.name, channel, text.decode("utf-8", "replace"))
        if self.used > OUTPUT_LIMIT:
            emit(self.world, self.name, 2, f"\nslipway: more than {OUTPUT_LIMIT // 1024 // 1024} MiB of output; stopped\n")
            raise BudgetExceeded("output limit reached")


def section(world: World) -> Terminals:
    """All terminals of the world."""
    return world.section("terminals", Terminals)


def emit(world: World, name: str, fd: int, data: str) -> None:
    """Append to the undrained output; neighbouring pieces of one descriptor and instant are joined."""
    if not data:
        return
    terminals = section(world)
    # each write counts, not each chunk: how chunks are joined depends on when they are drained
    terminals.digest = hashlib.blake2b(
        f"{world.now}\0{name}\0{fd}\0{data}".encode("utf-8", "surrogateescape"), key=terminals.digest, digest_size=16
    ).digest()
    last = terminals.chunks[-1] if terminals.chunks else None
    if last is not None and last.terminal == name and last.fd == fd and last.at == world.now and len(last.data) < 65536:
        last.data += data
        return
    terminals.seq += 1
    terminals.chunks.append(Chunk(terminals.seq, world.now, name, fd, data))


def drain(world: World) -> list[Chunk]:
    """The output since the last drain, in order."""
    terminals = section(world)
    found, terminals.chunks = terminals.chunks, []
    return found


def show(world: World, name: str, fd: int, text: str) -> None:
    """`tables['tty']`: a daemon writes to a terminal."""
    state = section(world).items.get(name)
    if state is not None and not state.closed:
        emit(world, name, fd, text)


def device(world: World, name: str) -> Device:
    """The warm side of a terminal, made on first use."""
    devices: dict[str, Device] = world.warm.setdefault("tty", {})
    found = devices.get(name)
    if found is None:
        found = devices[name] = Device(world, name)
    return found

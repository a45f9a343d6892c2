"""A pseudo-terminal between a client outside of the world and programs in a container: the world's side.

Keys are edited, echoed and turned into lines and signals on the client's side (`gateway/discipline.py`), as the browser does for the
site's own terminals; here arrive whole lines, or bytes as they are while a full-screen program reads keys.  What the client has to be
told goes to a sink: output, the prompt of a shell, and who reads the keys (`mode`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..host import executor, processes, streams
from ..host.machine import hosts
from ..host.process import Process
from ..kernel.world import World

#: `(what, bytes)`: `out`, `prompt` and `redraw` (the prompt again) with text for the screen, `mode` with `raw`, `cbreak` or nothing.
Sink = Callable[[str, bytes], None]
SHOWN = {2: b"^C", 3: b"^\\"}


class Pty:
    """A terminal as a `streams.Device`: what is typed goes to `input`, output to the sink with `\\r\\n`."""

    def __init__(self, world: World, sink: Sink, name: str = "pts/0") -> None:
        self.world, self.sink, self.name = world, sink, name
        self.input = streams.Buffer(ended=False)
        self.columns, self.rows = 80, 24
        self.stack: list[Any] = []
        self.leader: Process | None = None
        self._raw: tuple[str, str] | None = None
        self.taken: Any = None
        self._prompt = ""

    @property
    def prompt(self) -> str:
        """The prompt of the shell that reads a line; setting it shows it."""
        return self._prompt

    @prompt.setter
    def prompt(self, text: str) -> None:
        self._prompt = text
        if text:
            self.sink("prompt", _cooked(text.encode()))

    @property
    def raw(self) -> tuple[str, str] | None:
        """The process that reads keys, and `raw` or `cbreak`."""
        return self._raw

    @raw.setter
    def raw(self, owner: tuple[str, str] | None) -> None:
        self._raw = owner
        self.sink("mode", owner[1].encode() if owner is not None else b"")

    def cook(self) -> None:
        """Input is lines again: what was typed ahead of that ends its lines with newlines."""
        if b"\r" in self.input.data:
            self.input.data[:] = self.input.data.replace(b"\r", b"\n")

    def show(self, channel: int, text: bytes) -> None:
        """Output of a program."""
        self.sink("out", _cooked(text))

    def resize(self, columns: int, rows: int) -> None:
        """The client's window has another size; a shell that waits at its prompt shows it again, as readline does on SIGWINCH."""
        first = (self.columns, self.rows) != (columns, rows)
        self.columns, self.rows = max(20, min(columns, 500)), max(5, min(rows, 500))
        if self._prompt and first:
            self.sink("redraw", b"\r" + _cooked(self._prompt.encode()))

    def type(self, data: bytes) -> None:
        """Whole lines, or keys for the program that reads them."""
        self.input.data += data
        self.input.wake()
        if self._raw is not None:
            self.world.ring(f"tty:{self.name}")

    def end(self) -> None:
        """Ctrl-D on an empty line."""
        self.input.ended = True
        self.input.wake()

    def signal(self, number: int) -> None:
        """To the foreground process group: the innermost shell's job, or that shell, or the command itself."""
        self.input.take()
        if number in SHOWN:
            # a shell whose command was interrupted begins a new line itself
            self.show(1, SHOWN[number] + (b"\n" if self._prompt else b""))
        shell = self.stack[-1] if self.stack else None
        if shell is not None and shell.group is not None:
            host, group = shell.group
            for pid in sorted(hosts(self.world)[host].processes):
                found = processes.find(self.world, host, pid)
                if found is not None and found.pgid == group:
                    processes.kill(self.world, found, number)
        else:
            target = shell.proc if shell is not None else self.leader
            if target is not None and processes.alive(self.world, target):
                processes.kill(self.world, target, number)
        executor.get(self.world).pump()


def _cooked(text: bytes) -> bytes:
    """Line ends as a terminal shows them (ONLCR)."""
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

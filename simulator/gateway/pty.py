"""The line discipline between a real client's raw terminal and a program in the world (`drivers/tty/n_tty.c`, cooked mode).

A client that runs `kubectl exec -it` sends single keys and expects the far side to echo them, to edit the line and to turn keys into
signals.  History and completion belong to readline, which has no byte-wise form in Slipway yet; escape sequences are swallowed.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any

import orjson

from simulator.core.host import executor, processes, streams
from simulator.core.host.machine import hosts
from simulator.core.host.process import Process
from simulator.core.kernel.world import World

ESCAPE = re.compile(rb"\x1b(\[[0-9;?]*[ -/]*[@-~]?|O.?|.)?")
MAX_LINE = 4096
SIGNALS = {3: (2, "^C"), 28: (3, "^\\")}


class Pty:
    """A terminal as a `streams.Device`: typed lines go to `input`, output to the client with `\\r\\n`."""

    def __init__(self, world: World, out: streams.Stream, typed: streams.Buffer) -> None:
        self.world, self._out, self.input = world, out, typed
        self.name = "pts/0"
        self.columns, self.rows = 80, 24
        self.stack: list[Any] = []
        self.leader: Process | None = None
        self.raw: tuple[str, str] | None = None
        self._prompt = ""
        self._line = bytearray()

    @property
    def prompt(self) -> str:
        """The prompt of the shell that reads a line; setting it shows it."""
        return self._prompt

    @prompt.setter
    def prompt(self, text: str) -> None:
        self._prompt = text
        if text:
            self.show(1, text.encode() + bytes(self._line))

    def cook(self) -> None:
        """Input is lines again: what was typed ahead of that ends its lines with newlines."""
        if b"\r" in self.input.data:
            self.input.data[:] = self.input.data.replace(b"\r", b"\n")

    def show(self, channel: int, text: bytes) -> None:
        """Output of a program."""
        self._out.write(text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    def resize(self, data: bytes) -> None:
        """`{"Width": …, "Height": …}`, as the client sends it; anything else is ignored."""
        with contextlib.suppress(ValueError, TypeError, KeyError):
            size = orjson.loads(data)
            self.columns, self.rows = max(20, min(int(size["Width"]), 500)), max(5, min(int(size["Height"]), 500))

    def type(self, data: bytes) -> None:
        """Keys, as bytes: lines are edited here, unless a full-screen program reads the keys themselves."""
        if self.raw is not None and (self.raw[1] == "raw" or data[0] not in SIGNALS):
            self.input.data += data
            self.input.wake()
            self.world.ring(f"tty:{self.name}")
            return
        for byte in ESCAPE.sub(b"", data):
            self._key(byte)

    def _key(self, byte: int) -> None:
        if byte in (10, 13):
            self._commit(b"\n")
        elif byte in (8, 127):
            if self._line:
                kept = self._line.decode("utf-8", "ignore")[:-1]
                self._line = bytearray(kept.encode())
                self.show(1, b"\b \b")
        elif byte == 21:  # ^U
            self.show(1, b"\b \b" * len(self._line.decode("utf-8", "ignore")))
            self._line.clear()
        elif byte == 4:  # ^D: the end of file on an empty line, else what stands there
            if self._line:
                self._commit(b"")
            else:
                self.input.ended = True
                self.input.wake()
        elif byte in SIGNALS:
            self._signal(*SIGNALS[byte])
        elif (byte >= 32 or byte == 9) and len(self._line) < MAX_LINE:
            self._line.append(byte)
            self._out.write(bytes([byte]))

    def _commit(self, end: bytes) -> None:
        if end:
            self.show(1, b"\n")
        self.input.data += bytes(self._line) + end
        self._line.clear()
        self.input.wake()

    def _signal(self, number: int, shown: str) -> None:
        """To the foreground process group: the innermost shell's job, or that shell, or the command itself."""
        self._line.clear()
        self.input.take()
        self.show(1, shown.encode() + b"\n")
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

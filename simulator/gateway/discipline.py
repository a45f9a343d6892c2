"""The line discipline between a real client's raw terminal and a program in the world (`drivers/tty/n_tty.c`, cooked mode).

A client that runs `kubectl exec -it` sends single keys and expects the far side to echo them, to edit the line and to turn keys into
signals.  It is done here, as the browser does it for the site's own terminals, so what goes into the world (and, on the site, into the
journal) is whole lines.  While a full-screen program reads keys they go on as they are.  Up and down walk through the lines typed
before, as readline does; there is no completion.
"""

from __future__ import annotations

import re

from simulator.core.lab.streaming.session import Item, Op

ESCAPE = re.compile(rb"\x1b(\[[0-9;?]*[ -/]*[@-~]?|O.?|.)?")
MAX_LINE = 4096
SIGNALS = {3: 2, 28: 3}
#: Lines that arrow-up goes back.
REMEMBERED = 200


class Discipline:
    """One terminal's keyboard; `echo` collects what the client's screen shows of the typing."""

    def __init__(self) -> None:
        self.echo = bytearray()
        self.mode = ""
        self._line = bytearray()
        self._prompted = self._sent = False
        self._history: list[bytes] = []
        self._at = 0

    def type(self, data: bytes) -> list[Op]:
        """Keys, as bytes; returns what they come to."""
        ops: list[Op] = []
        while data:
            if self.mode:  # a program reads keys; in `cbreak` two of them are signals still
                whole = next((at for at, byte in enumerate(data) if byte in SIGNALS and self.mode != "raw"), len(data))
                if whole:
                    ops.append(Op("data", data=data[:whole]))
                    data = data[whole:]
                    continue
            escape = ESCAPE.match(data)
            if escape is not None:
                self._move(escape.group())
                data = data[escape.end() :]
                continue
            self._key(data[0], ops)
            data = data[1:]
        return ops

    def shown(self, item: Item) -> bytes:
        """An item of the terminal as bytes for the screen."""
        if item.what == "mode":
            self.mode = item.data.decode()
            return b""
        if item.what == "prompt":
            self._prompted, self._sent = True, False
            return item.data + bytes(self._line)  # what was typed ahead stands behind the prompt
        if item.what == "redraw":
            return b"" if self._sent else item.data + bytes(self._line)  # after a line has gone it comes too late
        return item.data if item.what in ("out", "err") else b""

    def _key(self, byte: int, ops: list[Op]) -> None:
        if byte in (10, 13):
            self.echo += b"\r\n"
            if self._prompted and self._line.strip() and (not self._history or self._history[-1] != self._line):
                self._history = [*self._history[-REMEMBERED + 1 :], bytes(self._line)]
            self._send(ops, bytes(self._line) + b"\n")
        elif byte in (8, 127):
            if self._line:
                kept = self._line.decode("utf-8", "ignore")[:-1]
                self._line = bytearray(kept.encode())
                self.echo += b"\b \b"
        elif byte in (21, 23):  # Ctrl-U the line, Ctrl-W the word
            text = self._line.decode("utf-8", "ignore")
            self._replace(
                b"" if byte == 21 else text.rstrip().rpartition(" ")[0].encode() + (b" " if " " in text.rstrip() else b"")
            )
        elif byte == 4:  # Ctrl-D: the end of file on an empty line, else what stands there
            if self._line:
                self._send(ops, bytes(self._line))
            else:
                ops.append(Op("end"))
        elif byte in SIGNALS:
            self._line.clear()
            self._at = len(self._history)
            ops.append(Op("signal", number=SIGNALS[byte]))
        elif (byte >= 32 or byte == 9) and len(self._line) < MAX_LINE:
            self._line.append(byte)
            self.echo.append(byte)

    def _move(self, escape: bytes) -> None:
        step = {b"A": -1, b"B": 1}.get(escape[-1:]) if escape[1:2] in (b"[", b"O") and len(escape) == 3 else None
        if step is None or not self._prompted or not 0 <= self._at + step <= len(self._history):
            return
        self._at += step
        self._replace(self._history[self._at] if self._at < len(self._history) else b"")

    def _replace(self, line: bytes) -> None:
        self.echo += b"\b \b" * len(self._line.decode("utf-8", "ignore")) + line
        self._line = bytearray(line)

    def _send(self, ops: list[Op], data: bytes) -> None:
        ops.append(Op("data", data=data))
        self._line.clear()
        self._prompted, self._sent = False, True
        self._at = len(self._history)


def resized(data: bytes) -> list[Op]:
    """`{"Width": …, "Height": …}`, as clients send it; anything else is ignored."""
    import orjson

    try:
        size = orjson.loads(data)
        return [Op("resize", columns=int(size["Width"]), rows=int(size["Height"]))]
    except (ValueError, TypeError, KeyError, OverflowError):
        return []

"""A full-screen program's two ends: keys from a terminal in raw mode, and rows painted with escape sequences.

`Screen` puts the terminal into raw mode for as long as its `with` lasts, decodes what is typed into key names, and writes only the rows
that changed.  It works on every xterm: the page's, `python -m simulator run`, and a shell reached with ssh or kubectl exec -it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Generator
from typing import Any, Literal

from ...host import processes, streams
from ...host.invocation import Call
from ...host.program import Wait, WaitTopic

Keys = Generator[Wait, Any, str]

#: Escape sequences of an xterm, by what follows ESC.
SEQUENCES = {
    "[A": "<Up>", "[B": "<Down>", "[C": "<Right>", "[D": "<Left>", "OA": "<Up>", "OB": "<Down>", "OC": "<Right>", "OD": "<Left>",
    "[H": "<Home>", "[F": "<End>", "OH": "<Home>", "OF": "<End>", "[1~": "<Home>", "[4~": "<End>", "[7~": "<Home>", "[8~": "<End>",
    "[2~": "<Insert>", "[3~": "<Del>", "[5~": "<PageUp>", "[6~": "<PageDown>", "[1;5C": "<C-Right>", "[1;5D": "<C-Left>",
    "[1;5H": "<C-Home>", "[1;5F": "<C-End>", "OP": "<F1>", "OQ": "<F2>", "OR": "<F3>", "OS": "<F4>", "[Z": "<S-Tab>",
    "[1;2A": "<Up>", "[1;2B": "<Down>", "[1;2C": "<Right>", "[1;2D": "<Left>",
}  # fmt: skip
_SEQUENCE = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|O[A-Za-z])")
_NAMES = {"\x1b": "<Esc>", "\r": "<CR>", "\n": "<CR>", "\t": "<Tab>", "\x7f": "<BS>", "\x08": "<BS>"}
_PASTE = ("\x1b[200~", "\x1b[201~")


def decode(data: str) -> list[str]:
    """Key names of typed text: characters as they are, `<Esc>`, `<CR>`, `<C-x>`, `<Up>` …; a paste is one `<Paste>text`."""
    out: list[str] = []
    at = 0
    while at < len(data):
        if data.startswith(_PASTE[0], at):
            end = data.find(_PASTE[1], at)
            end = len(data) if end < 0 else end
            out.append("<Paste>" + data[at + len(_PASTE[0]) : end].replace("\r\n", "\n").replace("\r", "\n"))
            at = end + len(_PASTE[1])
            continue
        match = _SEQUENCE.match(data, at)
        if match:
            out.append(SEQUENCES.get(match.group(1), "<Unknown>"))
            at = match.end()
            continue
        c = data[at]
        at += 1
        if c in _NAMES:
            out.append(_NAMES[c])
        elif ord(c) < 32:
            out.append(f"<C-{chr(ord(c) + 96)}>")
        else:
            out.append(c)
    return out


def width(c: str) -> int:
    """The columns that a character takes."""
    if unicodedata.combining(c):
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


def shown(line: str, tab: int = 8) -> list[tuple[str, int]]:
    """What each character of a line looks like on the screen, and how wide that is; tabs are `tab` columns."""
    out: list[tuple[str, int]] = []
    column = 0
    for c in line:
        if c == "\t":
            size = tab - column % tab
            out.append((" " * size, size))
        elif ord(c) < 32 or ord(c) == 127:
            out.append(("^" + chr(ord(c) ^ 64), 2))
        elif "\udc80" <= c <= "\udcff":
            out.append((f"<{ord(c) - 0xDC00:02x}>", 4))
        else:
            out.append((c, width(c)))
        column += out[-1][1]
    return out


class Closed(Exception):
    """The input has ended: nobody types any more."""


class Screen:
    """The terminal of a full-screen program."""

    def __init__(self, call: Call, mode: Literal["raw", "cbreak"] = "raw", *, alternate: bool = True) -> None:
        self.call = call
        self.mode = mode
        self.alternate = alternate
        self.queue: deque[str] = deque()
        self.drawn: list[str] = []
        #: The editor that draws here, for whoever wants to take it over (`taken.Taken`).
        self.taken: Any = None
        stream = call.fds.get(0)
        if not isinstance(stream, streams.Tty):
            stream = next((one for one in call.fds.values() if isinstance(one, streams.Tty)), None)
        self.device: streams.Device | None = stream.device if isinstance(stream, streams.Tty) else None

    @property
    def columns(self) -> int:
        """The width."""
        return self.device.columns if self.device is not None else 80

    @property
    def rows(self) -> int:
        """The height."""
        return self.device.rows if self.device is not None else 24

    def __enter__(self) -> Screen:
        self.enter()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def enter(self) -> None:
        """Raw mode, and the alternate screen."""
        if self.device is not None:
            self.device.raw = (self.call.proc.key, self.mode)
            self.device.taken = self.taken
        self.drawn = []
        self.write("\x1b[?1049h\x1b[2J" if self.alternate else "")

    def leave(self) -> None:
        """Back to lines and the shell's screen."""
        if self.device is not None and self.device.raw and self.device.raw[0] == self.call.proc.key:
            self.device.raw = self.device.taken = None
            self.device.cook()
        self.write(f"\x1b[{self.rows};1H\x1b[K\x1b[?1049l" if self.alternate else "")

    def write(self, text: str) -> None:
        """Text straight to the terminal."""
        if self.device is not None and text:
            self.device.show(1, text.encode("utf-8", "surrogateescape"))

    def suspend(self) -> Generator[Wait, Any, None]:
        """Ctrl-Z: leave the screen, stop, and draw all again when the shell lets us go on."""
        self.leave()
        processes.kill(self.call.world, self.call.proc, 20)
        yield WaitTopic((f"continued:{self.call.proc.key}",), self.call.world.now)
        self.enter()

    # -- keys -----------------------------------------------------------------------------------------------------------
    def ready(self) -> bool:
        """Whether keys are there already."""
        if self.queue:
            return True
        stream = self.call.fds.get(0)
        return stream is not None and stream.ready

    def key(self, deadline: int | None = None) -> Keys:
        """The next key; `<Resize>` when the window changed, "" at the deadline.  Raises Closed at the end of input."""
        while not self.queue:
            if self.device is None:
                data = yield from self.call.read_some()
            else:
                stream = self.device.input
                if not stream.ready:
                    size = (self.columns, self.rows)
                    rang = yield WaitTopic((f"tty:{self.device.name}",), deadline)
                    if not stream.ready:
                        if (self.columns, self.rows) != size:
                            self.drawn = []
                            return "<Resize>"
                        if deadline is not None and not rang:
                            return ""
                        continue
                data = stream.take()
                stream.ended = False
            if not data:
                raise Closed
            self.queue.extend(decode(data.decode("utf-8", "surrogateescape")))
        return self.queue.popleft()

    # -- painting -------------------------------------------------------------------------------------------------------
    def paint(self, rows: list[str], cursor: tuple[int, int]) -> None:
        """Show whole rows (escape sequences allowed) and put the cursor at (row, column), both from 0."""
        out: list[str] = []
        for number, row in enumerate(rows[: self.rows]):
            if number >= len(self.drawn) or self.drawn[number] != row:
                out.append(f"\x1b[{number + 1};1H{row}\x1b[K")
        self.drawn = list(rows)
        self.write("\x1b[?25l" + "".join(out) + f"\x1b[{cursor[0] + 1};{cursor[1] + 1}H\x1b[?25h")

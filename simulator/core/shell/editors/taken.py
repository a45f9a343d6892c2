"""An editor at work on a terminal, as the page's editor takes it over: its text and its file, and writing another text as it would.

The program stays where it is: the page shows the text of its buffer, and what is saved there becomes its buffer and is written by the
program itself, with its rights, its messages and its file format.  Whoever started it (kubectl edit, visudo) gets the file back when it ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .buffer import Buffer
from .normal import Abort

if TYPE_CHECKING:
    from ...host.process import Process
    from .nano import Nano
    from .vi import Vi


class Taken(Protocol):
    """What can be done with an editor from beside it."""

    name: str
    #: Keys that bring it to where a command is read, show its text anew, and end it when nothing is unsaved.
    RESET: str
    LEAVE: str

    @property
    def process(self) -> Process:
        """The program."""

    @property
    def path(self) -> str:
        """Its file, absolute; "" when it has none."""

    def text(self) -> str:
        """The text as it would be written now."""

    def write(self, text: str) -> str:
        """Make this the text and write it to the file; returns the program's own message, "" when it was written."""


class TakenVi:
    """vi, vim, view."""

    name = "vi"
    RESET = "\x1b\x1b"
    LEAVE = ":q!\r"

    def __init__(self, vi: Vi) -> None:
        self.vi = vi

    @property
    def process(self) -> Process:
        """The program."""
        return self.vi.call.proc

    @property
    def path(self) -> str:
        """Its file, absolute."""
        return self.vi.call.path(self.vi.name)

    def text(self) -> str:
        """The text as `:w` would write it."""
        text = self.vi.buffer.text
        return text.replace("\n", "\r\n") if self.vi.options["fileformat"] == "dos" else text

    def write(self, text: str) -> str:
        """Replace all lines, as one step of undo, and `:w`."""
        vi = self.vi
        dos = "\r\n" in text and text.count("\r\n") == text.count("\n")
        new = Buffer(text.replace("\r\n", "\n") if dos else text)
        vi.options["fileformat"] = "dos" if dos else "unix"
        vi.buffer.touch()
        vi.buffer.lines, vi.buffer.end_newline = new.lines, new.end_newline
        vi.buffer.commit((vi.row, vi.col))
        vi.clamp()
        try:
            vi.write("", False, None, None)
        except Abort:
            return vi.message
        return ""


class TakenNano:
    """nano."""

    name = "nano"
    RESET = "\x03"
    LEAVE = "\x18"

    def __init__(self, nano: Nano) -> None:
        self.nano = nano

    @property
    def process(self) -> Process:
        """The program."""
        return self.nano.call.proc

    @property
    def path(self) -> str:
        """Its file, absolute."""
        return self.nano.call.path(self.nano.name)

    def text(self) -> str:
        """The text as Ctrl-O would write it."""
        return self.nano.text()

    def write(self, text: str) -> str:
        """Replace all lines, as one step of undo, and Ctrl-O."""
        nano = self.nano
        if nano.readonly:
            return f"{nano.name} is open for viewing only"
        body = text if text.endswith("\n") or not text else text + "\n"
        nano.buffer.touch()
        nano.buffer.lines = body.split("\n")
        nano.buffer.commit((nano.row, nano.col))
        nano.row = min(nano.row, len(nano.buffer.lines) - 1)
        nano.col = min(nano.col, len(nano.buffer.lines[nano.row]))
        try:
            nano.put(nano.name)
        except OSError:
            return nano.message
        return ""

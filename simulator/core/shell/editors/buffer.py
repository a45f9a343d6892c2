"""The text of an editor: lines, what was changed and how to undo it."""

from __future__ import annotations

import msgspec

#: The most that an editor opens, in bytes, and the changes that it can undo.
MAX_TEXT = 4 * 1024 * 1024
MAX_UNDO = 500


class Change(msgspec.Struct, frozen=True):
    """Lines from `at` on that were replaced, and where the cursor was before."""

    at: int
    old: list[str]
    new: list[str]
    cursor: tuple[int, int]


class Buffer:
    """Lines of text without their newlines; never empty.

    `touch()` is called before a change, `commit()` after a whole command: what lies between is one step of undo.
    """

    def __init__(self, text: str = "") -> None:
        self.end_newline = text.endswith("\n") or not text
        self.lines: list[str] = text.removesuffix("\n").split("\n")
        self.before: list[str] | None = None
        self.undone: list[Change] = []
        self.done: list[Change] = []
        self.saved = 0
        self.lost = False  # the saved state can no longer be reached by undo

    @property
    def text(self) -> str:
        """Everything, as it is written to a file."""
        if self.lines == [""]:
            return ""
        return "\n".join(self.lines) + ("\n" if self.end_newline else "")

    @property
    def modified(self) -> bool:
        """Whether there are changes that were not written."""
        return self.lost or self.saved != len(self.done) or (self.before is not None and self.before != self.lines)

    def touch(self) -> None:
        """A change is about to happen."""
        if self.before is None:
            self.before = list(self.lines)

    def commit(self, cursor: tuple[int, int]) -> int:
        """End a step; returns by how many lines the text grew.  `cursor` is where undo puts it."""
        before, self.before = self.before, None
        if before is None or before == self.lines:
            return 0
        if not self.lines:
            self.lines = [""]
        head = 0
        most = min(len(before), len(self.lines))
        while head < most and before[head] == self.lines[head]:
            head += 1
        tail = 0
        while tail < most - head and before[-1 - tail] == self.lines[-1 - tail]:
            tail += 1
        change = Change(head, before[head : len(before) - tail], self.lines[head : len(self.lines) - tail], cursor)
        if self.saved > len(self.done):
            self.lost = True
        self.done.append(change)
        self.undone.clear()
        if len(self.done) > MAX_UNDO:
            self.done.pop(0)
            self.saved -= 1
            self.lost = self.lost or self.saved < 0
        return len(change.new) - len(change.old)

    def undo(self) -> Change | None:
        """Take the last step back."""
        if not self.done:
            return None
        change = self.done.pop()
        self.lines[change.at : change.at + len(change.new)] = change.old
        self.lines = self.lines or [""]
        self.undone.append(change)
        return change

    def redo(self) -> Change | None:
        """Do again what was undone last."""
        if not self.undone:
            return None
        change = self.undone.pop()
        if self.lines == [""] and change.old == []:
            self.lines = []
        self.lines[change.at : change.at + len(change.old)] = change.new
        self.done.append(change)
        return change

    def mark_saved(self) -> None:
        """The text is on the disk as it is now."""
        self.saved, self.lost = len(self.done), False

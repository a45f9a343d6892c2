"""Visual mode: `v`, `V` and Ctrl-V, and what is done to a selection."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ...host.program import Wait
from . import motions
from .motions import Position, Span
from .state import EditorState

if TYPE_CHECKING:
    from .vi import Vi


class Visual(EditorState):
    """Selections of an editor."""

    def selection(self: Vi) -> tuple[Position, Position]:  # type: ignore[misc]
        """Both ends, in order."""
        first, last = sorted((self.visual_start, (self.row, self.col)))
        return first, last

    def selected(self: Vi, row: int) -> tuple[int, int] | None:  # type: ignore[misc]
        """Which columns of a row are selected: from, up to."""
        if not self.mode.startswith("visual"):
            return None
        first, last = self.selection()
        if not first[0] <= row <= last[0]:
            return None
        if self.mode == "visual-line":
            return 0, max(len(self.lines[row]), 1)
        if self.mode == "visual-block":
            left, right = sorted((self.visual_start[1], self.col))
            return left, right + 1
        return first[1] if row == first[0] else 0, last[1] + 1 if row == last[0] else len(self.lines[row]) + 1

    def leave_visual(self: Vi) -> None:  # type: ignore[misc]
        """Back to normal mode; `gv` and `'<` remember."""
        first, last = self.selection()
        self.marks["<"], self.marks[">"] = first, last
        self.last_visual = (self.mode, self.visual_start, (self.row, self.col))
        self.mode = "normal"

    def visual_command(self: Vi) -> Generator[Wait, Any, bool]:  # type: ignore[misc]
        """One command of visual mode; whether it is one that `.` would repeat (it repeats from normal mode, so never)."""
        count, key = yield from self.count()
        while key == '"':
            self.register = yield from self.key()
            count, key = yield from self.count()
        if key in ("<Esc>", "<C-c>"):
            self.leave_visual()
            return False
        modes = {"v": "visual", "V": "visual-line", "<C-v>": "visual-block"}
        if key in modes:
            if self.mode == modes[key]:
                self.leave_visual()
            else:
                self.mode = modes[key]
            return False
        if key == "o":
            here = (self.row, self.col)
            self.row, self.col = self.visual_start
            self.visual_start = here
            return False
        if key == ":":
            self.leave_visual()
            text = yield from self.prompt(":", "'<,'>")
            if text is not None:
                yield from self.execute(text)
            return False
        if key in ("i", "a") and self.mode == "visual":
            what = yield from self.key()
            found = motions.text_object(self.lines, (self.row, self.col), key == "a", what, count or 1)
            if found is not None:
                self.visual_start = found.start
                self.to(found.end if found.inclusive or found.linewise else (found.end[0], max(found.end[1] - 1, 0)))
                self.mode = "visual-line" if found.linewise else self.mode
            return False
        if key == "g":
            return (yield from self._visual_g(count))
        op = {"x": "d", "<Del>": "d", "X": "d", "s": "c", "u": "gu", "U": "gU", "~": "g~"}.get(key, key)
        if op in ("d", "y", "c", ">", "<", "=", "gu", "gU", "g~", "J", "r", "p", "P", "I", "A", "D", "C", "S", "R", "Y"):
            yield from self._visual_apply(op, count)
            return False
        span = yield from self.motion(key, count)
        if span is None:
            raise self.fail()
        self.to(span.end, column=key not in ("j", "k", "<Down>", "<Up>"))
        return False

    def _visual_g(self: Vi, count: int | None) -> Generator[Wait, Any, bool]:  # type: ignore[misc]
        key = yield from self.key()
        if key == "g":
            row = min((count or 1) - 1, len(self.lines) - 1)
            self.to((row, motions.first_text(self.lines[row])))
        elif key in "uU~":
            yield from self._visual_apply("g" + key, count)
        elif key == "J":
            yield from self._visual_apply("gJ", count)
        return False

    def _visual_apply(self: Vi, op: str, count: int | None) -> Generator[Wait, Any, None]:  # type: ignore[misc]
        mode = self.mode
        first, last = self.selection()
        if op in ("D", "C", "S", "R", "Y", "X"):
            mode, op = "visual-line", {"D": "d", "X": "d", "Y": "y"}.get(op, "c")
        left, right = sorted((self.visual_start[1], self.col))
        self.leave_visual()
        if op in ("J", "gJ"):
            self.to((first[0], 0))
            self.join(max(last[0] - first[0] + 1, 2), space=op == "J")
            return
        if mode == "visual-block":
            yield from self._block(op, first[0], last[0], left, right)
            return
        if op == "r":
            yield from self._fill(first, last, mode == "visual-line")
            return
        if op in ("p", "P"):
            self._put_over(first, last, mode == "visual-line")
            return
        if op in ("I", "A"):
            self.to(first if op == "I" else last)
            yield from self.start_insert(self.col + (1 if op == "A" else 0))
            return
        if op in (">", "<") and (count or 1) > 1:
            for _ in range((count or 1) - 1):
                self.apply_lines(op, first[0], last[0])
        span = Span(first, last, linewise=mode == "visual-line", inclusive=True)
        if mode == "visual" and last[1] >= len(self.lines[last[0]]) and last[0] + 1 < len(self.lines) and op in ("d", "c"):
            span = Span(first, (last[0] + 1, 0))  # the newline is selected too
        yield from self.apply(op, span)

    def _fill(self: Vi, first: Position, last: Position, whole: bool) -> Generator[Wait, Any, None]:  # type: ignore[misc]
        c = yield from self.key()
        if len(c) != 1:
            raise self.fail()
        self.guard()
        for row in range(first[0], last[0] + 1):
            line = self.lines[row]
            start = first[1] if row == first[0] and not whole else 0
            end = last[1] + 1 if row == last[0] and not whole else len(line)
            self.lines[row] = line[:start] + c * len(line[start:end]) + line[end:]
        self.to(first)

    def _put_over(self: Vi, first: Position, last: Position, whole: bool) -> None:  # type: ignore[misc]
        name = '"' if self.register in '"+*' else self.register
        if name not in self.registers:
            raise self.fail()
        how, text = self.registers[name]
        self.guard()
        if whole:
            old = "\n".join(self.lines[first[0] : last[0] + 1]) + "\n"
            self.lines[first[0] : last[0] + 1] = text.removesuffix("\n").split("\n")
            self.registers['"'] = ("l", old)
            self.to((first[0], 0))
            return
        old = self.between(first, (last[0], last[1] + 1))
        body = "\n" + text if how == "l" else text
        self.replace_span(first, (last[0], last[1] + 1), body)
        self.registers['"'] = ("c", old)
        self.to(first)

    def _block(self: Vi, op: str, first: int, last: int, left: int, right: int) -> Generator[Wait, Any, None]:  # type: ignore[misc]
        """A rectangle: deleted, copied, replaced, or text typed before or behind each of its rows."""
        rows = range(first, last + 1)
        if op in (">", "<"):
            self.apply_lines(op, first, last)
            return
        self.to((first, left))
        if op in ("d", "c", "y"):
            self.keep("\n".join(self.lines[row][left : right + 1] for row in rows), "b", deleted=op != "y")
            if op == "y":
                return
        self.guard()
        if op == "r":
            c = yield from self.key()
            for row in rows:
                old = self.lines[row]
                self.lines[row] = old[:left] + c * len(old[left : right + 1]) + old[right + 1 :]
            return
        if op in ("gu", "gU", "g~"):
            for row in rows:
                old = self.lines[row]
                part = old[left : right + 1]
                self.lines[row] = (
                    old[:left] + {"gu": part.lower(), "gU": part.upper(), "g~": part.swapcase()}[op] + old[right + 1 :]
                )
            return
        if op in ("d", "c"):
            for row in rows:
                self.lines[row] = self.lines[row][:left] + self.lines[row][right + 1 :]
        if op in ("c", "I", "A"):
            at = left if op in ("c", "I") else right + 1
            if op == "A":
                self.lines[first] = self.lines[first].ljust(at)
            size = len(self.lines[first])
            self.mode, self.col = "insert", at
            yield from self.insert()
            grown = len(self.lines[first]) - size
            typed = self.lines[first][at : at + grown] if grown > 0 and self.row == first else ""
            for row in range(first + 1, last + 1):
                line = self.lines[row].ljust(at) if op == "A" else self.lines[row]
                if typed and len(line) >= at and (op == "A" or len(line) > left or left == 0):
                    self.lines[row] = line[:at] + typed + line[at:]
            self.to((first, left))

"""vi as people use it: normal, insert, replace and visual mode with Vim's keys; the commands after `:` are in ex.py.

The editor is a coroutine over keys: `key()` gives the next one and shows the screen before it waits.  What a command read is kept, so `.`
plays it again; macros do the same.  Messages are Vim's.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from ...host.invocation import Call
from ...host.program import Wait
from . import motions, patterns
from .buffer import Buffer
from .ex import Ex, Quit
from .motions import Position, Span
from .normal import SIMPLE, Abort
from .screen import Closed, Keys, Screen, shown
from .taken import TakenVi
from .visual import Visual

Step = Generator[Wait, Any, None]
#: Keys that one command may read again by `.`, `@` or a count.
MAX_REPLAY = 100_000


class Vi(Visual, Ex):
    """One editor at work."""

    def __init__(self, call: Call, names: list[str], *, readonly: bool = False) -> None:
        self.call = call
        self.screen = Screen(call)
        self.screen.taken = TakenVi(self)
        self.names = names
        self.file_at = 0
        self.name = ""
        self.readonly = readonly
        self.buffer = Buffer()
        self.row = self.col = 0
        self.want: int | None = None  # the column that j and k aim at
        self.top = 0
        self.mode = "normal"
        self.message = ""
        self.registers: dict[str, tuple[str, str]] = {}  # name -> (kind "c" or "l" or "b", text)
        self.register = '"'
        self.marks: dict[str, Position] = {}
        self.last_find: tuple[str, str] = ("", "")
        self.last_search: tuple[str, bool] = ("", True)
        self.options: dict[str, Any] = {
            "number": False, "relativenumber": False, "list": False, "wrap": True, "expandtab": False, "autoindent": False, "paste": False,
            "ignorecase": False, "smartcase": False, "hlsearch": False, "incsearch": False, "tabstop": 8, "shiftwidth": 8, "softtabstop": 0,
            "ruler": True, "showcmd": True, "scrolloff": 0, "cursorline": False, "cursorcolumn": False, "showmode": True, "syntax": "",
            "background": "dark", "mouse": "", "fileformat": "unix", "smarttab": True, "smartindent": False, "undolevels": 1000,
        }  # fmt: skip
        self.replay: list[str] = []  # keys to be read before typed ones
        self.read: list[str] | None = None  # keys that the present command has read
        self.dot: list[str] = []
        self.recording: tuple[str, list[str]] | None = None
        self.replayed = 0
        self.ex_history: list[str] = []
        self.quit: int | None = None
        self.pending = ""
        self.visual_start: Position = (0, 0)
        self.last_visual: tuple[str, Position, Position] | None = None

    # -- the loop -------------------------------------------------------------------------------------------------------
    def run(self, commands: list[str]) -> Generator[Wait, Any, int]:
        """Edit until the editor is left; its exit status."""
        with self.screen:
            try:
                yield from self.start(commands)
                while True:
                    yield from self.command()
            except Quit as done:
                return done.code
            except Closed:
                self.call.err("\r\nVim: Error reading input, exiting...\r\nVim: Finished.\r\n")
                return 1

    def start(self, commands: list[str]) -> Step:
        """Read ~/.vimrc, open the first file, do what `+` and `-c` say."""
        home = self.call.env.get("HOME") or "/root"
        for path in ("/etc/vim/vimrc.local", f"{home}/.vimrc", f"{home}/.exrc"):
            if self.call.exists(path):
                for line in self.call.read_file(path).decode("utf-8", "replace").splitlines():
                    if re.match(r"\s*:?(set?|syntax|filetype|colorscheme)\b", line):
                        yield from self.execute(line.strip())
        self.message = ""
        if self.names:
            self.open_file(self.names[0])
        for text in commands:
            yield from self.execute(text)
        self.clamp()

    def key(self) -> Keys:
        """The next key: of a replay, or typed."""
        if self.replay:
            self.replayed += 1
            if self.replayed > MAX_REPLAY:
                self.replay.clear()
                raise Abort
            found = self.replay.pop(0)
        else:
            self.replayed = 0
            if not self.screen.ready():
                self.draw()
            found = yield from self.screen.key()
            while found == "<Resize>":
                self.draw()
                found = yield from self.screen.key()
        if self.read is not None:
            self.read.append(found)
        if self.recording is not None and not self.replay:
            self.recording[1].append(found)
        return found

    def command(self) -> Step:
        """One command of normal or visual mode, as one step of undo."""
        self.read = []
        self.pending = ""
        self.register = '"'
        before = (self.row, self.col)
        repeat = False
        try:
            repeat = (yield from self.visual_command()) if self.mode.startswith("visual") else (yield from self.normal())
        except Abort:
            self.replay.clear()
            if not self.mode.startswith("visual"):
                self.mode = "normal"
        read, self.read = self.read, None
        if repeat and read:
            self.dot = read
        self.finish_change(before)
        self.clamp()

    def finish_change(self, cursor: Position) -> None:
        """End a step of undo and say how many lines came or went."""
        grown = self.buffer.commit(cursor)
        if abs(grown) > 2:
            self.message = f"{abs(grown)} {'more' if grown > 0 else 'fewer'} lines"

    # -- helpers --------------------------------------------------------------------------------------------------------
    @property
    def lines(self) -> list[str]:
        """The text."""
        return self.buffer.lines

    @property
    def line(self) -> str:
        """The present line."""
        return self.lines[self.row]

    def clamp(self) -> None:
        """Keep the cursor inside the text."""
        self.row = min(max(self.row, 0), len(self.lines) - 1)
        most = len(self.line) - (0 if self.mode in ("insert", "replace") or self.mode.startswith("visual") else 1)
        self.col = min(max(self.col, 0), max(most, 0))

    def to(self, at: Position, *, column: bool = True) -> None:
        """Move the cursor."""
        self.row, self.col = at
        if column:
            self.want = None
        self.clamp()

    def fail(self, message: str = "") -> Abort:
        """A command that cannot be done: its message, to be raised."""
        if message:
            self.message = message
        return Abort()

    def guard(self) -> None:
        """Warn once when a read-only file is about to be changed."""
        if self.readonly and not self.buffer.modified:
            self.message = "W10: Warning: Changing a readonly file"
        self.buffer.touch()

    # -- registers ------------------------------------------------------------------------------------------------------
    def keep(self, text: str, how: str, *, deleted: bool) -> None:
        """Put text into the chosen register, and into those that Vim fills by itself."""
        name = self.register
        if name == "_":
            return
        if name.isupper() and name.lower() in self.registers:
            old_how, old = self.registers[name.lower()]
            self.registers[name.lower()] = ("l" if "l" in (old_how, how) else how, old + text)
        elif name not in '"+*':
            self.registers[name.lower()] = (how, text)
        if not deleted and name in '"+*':
            self.registers["0"] = (how, text)
        elif deleted and name in '"+*':
            for n in range(9, 1, -1):
                if str(n - 1) in self.registers:
                    self.registers[str(n)] = self.registers[str(n - 1)]
            self.registers["1"] = (how, text)
        self.registers['"'] = (how, text)

    def put(self, count: int, before: bool) -> None:
        """`p` and `P`."""
        name = '"' if self.register in '"+*' else self.register.lower()
        if name not in self.registers:
            raise self.fail(f"E353: Nothing in register {name}")
        how, text = self.registers[name]
        self.guard()
        if how == "l":
            new = text.removesuffix("\n").split("\n") * count
            at = self.row if before else self.row + 1
            self.lines[at:at] = new
            self.to((at, 0))
            self.col = motions.first_text(self.line)
            return
        if how == "b":
            at = self.col if before or not self.line else self.col + 1
            for offset, piece in enumerate(text.split("\n")):
                if self.row + offset >= len(self.lines):
                    self.lines.append("")
                old = self.lines[self.row + offset].ljust(at)
                self.lines[self.row + offset] = old[:at] + piece * count + old[at:]
            self.col = at
            return
        at = self.col if before or not self.line else self.col + 1
        pieces = (self.line[:at] + text * count).split("\n")
        rest = self.line[at:]
        self.lines[self.row : self.row + 1] = [*pieces[:-1], pieces[-1] + rest]
        if len(pieces) == 1:
            self.col = len(pieces[0]) - 1
        else:
            self.col = at

    # -- normal mode ----------------------------------------------------------------------------------------------------
    def normal(self) -> Generator[Wait, Any, bool]:
        """One command; whether `.` repeats it."""
        count, key = yield from self.count()
        while key == '"':
            self.register = yield from self.key()
            more, key = yield from self.count()
            count = more if more is not None else count
        n = count if count is not None else 1
        if key in ("<Esc>", "<C-c>"):
            if key == "<C-c>":
                self.message = "Type  :qa!  and press <Enter> to abandon all changes and exit Vim"
            return False
        self.message = "" if key != ":" else self.message
        if key in "dcy><=":
            return (yield from self.operate(key, count))
        if key == "g":
            return (yield from self.g_command(count))
        if key in SIMPLE:
            return bool((yield from SIMPLE[key](self, n, count)))
        span = yield from self.motion(key, count)
        if span is None:
            raise self.fail()
        self.to(span.end, column=key not in ("j", "k", "<Down>", "<Up>", "<C-n>", "<C-p>"))
        return False

    def count(self) -> Generator[Wait, Any, tuple[int | None, str]]:
        """Digits before a command, and the key after them."""
        digits = ""
        while True:
            key = yield from self.key()
            if key.isdigit() and len(key) == 1 and (digits or key != "0"):
                digits = (digits + key)[:6]
                self.pending = digits
                continue
            self.pending = digits + key if len(key) == 1 else ""
            return (int(digits) if digits else None), key

    def motion(self, key: str, count: int | None) -> Generator[Wait, Any, Span | None]:
        """What a motion covers from the cursor: its end is where the cursor goes.  None when it cannot be done or is none."""
        n = count or 1
        here = (self.row, self.col)
        last = len(self.lines) - 1
        if key in ("h", "<Left>", "<BS>", "<C-h>"):
            return Span(here, (self.row, max(self.col - n, 0))) if self.col else None
        if key in ("l", "<Right>", " "):
            most = len(self.line) if self.pending[:1] in "dcy" and self.pending else max(len(self.line) - 1, 0)
            if self.mode.startswith("visual"):
                most = len(self.line)
            return Span(here, (self.row, min(self.col + n, most))) if self.line else None
        if key in ("j", "<Down>", "<C-n>", "<C-j>", "+", "<CR>", "k", "<Up>", "<C-p>", "-", "_"):
            return self.vertical(key, n)
        if key in ("0", "<Home>"):
            return Span(here, (self.row, 0))
        if key == "^":
            return Span(here, (self.row, motions.first_text(self.line)))
        if key in ("$", "<End>"):
            row = min(self.row + n - 1, last)
            self.want = 1 << 30
            return Span(here, (row, max(len(self.lines[row]) - 1, 0)), inclusive=True)
        if key in ("w", "W", "b", "B", "e", "E", "<C-Right>", "<C-Left>"):
            return self.words(key, n)
        if key in ("f", "F", "t", "T", ";", ","):
            return (yield from self.find_motion(key, n))
        if key in ("G", "<C-End>"):
            row = min(count - 1, last) if count is not None else last
            return Span(here, (max(row, 0), motions.first_text(self.lines[max(row, 0)])), linewise=True)
        if key in ("H", "M", "L"):
            shown_rows = min(self.height, last - self.top + 1)
            row = self.top + {"H": n - 1, "M": (shown_rows - 1) // 2, "L": shown_rows - n}[key]
            row = min(max(row, 0), last)
            return Span(here, (row, motions.first_text(self.lines[row])), linewise=True)
        if key in ("{", "}"):
            at = here
            for _ in range(n):
                at = motions.paragraph(self.lines, at[0], key == "}")
            return Span(here, at)
        if key == "%":
            found = motions.match_pair(self.lines, here)
            return Span(here, found, inclusive=True) if found is not None else None
        if key in ("n", "N", "/", "?", "*", "#"):
            return (yield from self.search_motion(key, n))
        if key in ("'", "`"):
            return self.mark_motion(key, (yield from self.key()))
        return None

    def vertical(self, key: str, n: int) -> Span | None:
        """`j`, `k`, `+`, `-`, `_`, Enter: over lines."""
        down = key in ("j", "<Down>", "<C-n>", "<C-j>", "+", "<CR>", "_")
        row = self.row + (n if down else -n)
        if key == "_":
            row = self.row + n - 1
        if not 0 <= row < len(self.lines):
            if n == 1 or (self.row == (len(self.lines) - 1 if down else 0)):
                return None
            row = min(max(row, 0), len(self.lines) - 1)
        if key in ("+", "<CR>", "-", "_"):
            return Span((self.row, self.col), (row, motions.first_text(self.lines[row])), linewise=True)
        if self.want is None:
            self.want = self.col
        return Span((self.row, self.col), (row, min(self.want, max(len(self.lines[row]) - 1, 0))), linewise=True)

    def words(self, key: str, n: int) -> Span | None:
        """`w b e` and their big sisters."""
        key = {"<C-Right>": "w", "<C-Left>": "b"}.get(key, key)
        here = at = (self.row, self.col)
        big = key.isupper()
        step = {"w": motions.word, "b": motions.word_back, "e": motions.word_end}[key.lower()]
        for _ in range(min(n, 10_000)):
            at = step(self.lines, at, big)
        if at == here:
            return None
        return Span(here, at, inclusive=key.lower() == "e")

    def find_motion(self, key: str, n: int) -> Generator[Wait, Any, Span | None]:
        """`f F t T ; ,`."""
        if key in ";,":
            how, c = self.last_find
            if not how:
                return None
            if key == ",":
                how = how.swapcase()
        else:
            how, c = key, (yield from self.key())
            if c == "<Esc>":
                return None
            c = {"<Tab>": "\t"}.get(c, c)
            self.last_find = (how, c)
        start = self.col
        if key in ";," and how in "tT":
            start += 1 if how == "t" else -1
        col = motions.find_char(self.line, start, c, how, n)
        if col is None:
            return None
        return Span((self.row, self.col), (self.row, col), inclusive=how in "ft")

    def mark_motion(self, key: str, name: str) -> Span | None:
        """`'a` and `` `a ``."""
        name = "'" if name == "`" else name
        at = self.marks.get(name)
        if at is None or at[0] >= len(self.lines):
            raise self.fail("E20: Mark not set")
        here = (self.row, self.col)
        self.marks["'"] = here
        if key == "'":
            return Span(here, (at[0], motions.first_text(self.lines[at[0]])), linewise=True)
        return Span(here, at)

    def search_motion(self, key: str, n: int) -> Generator[Wait, Any, Span | None]:
        """`/ ? n N * #`."""
        text, forward = self.last_search
        here = (self.row, self.col)
        if key in "/?":
            typed = yield from self.prompt(key)
            if typed is None:
                return None
            text, forward = (_until(typed, key) or text), key == "/"
            self.last_search = (text, forward)
        elif key in "*#":
            match = next((m for m in re.finditer(r"\w+", self.line) if m.end() > self.col), None)
            if match is None:
                raise self.fail("E348: No string under cursor")
            text, forward = f"\\<{match.group()}\\>", key == "*"
            here = (self.row, match.start())
            self.last_search = (text, forward)
        elif key == "N":
            forward = not forward
        if not text:
            raise self.fail("E35: No previous regular expression")
        at = here
        pattern = self.compiled(text)
        for _ in range(min(n, 1000)):
            found = motions.search(self.lines, at, pattern, forward)
            if found is None:
                raise self.fail(f"E486: Pattern not found: {text}")
            at, wrapped = found
            self.message = f"{'/' if forward else '?'}{text}"
            if wrapped:
                self.message = "search hit BOTTOM, continuing at TOP" if forward else "search hit TOP, continuing at BOTTOM"
        self.marks["'"] = (self.row, self.col)
        return Span((self.row, self.col), at)

    def compiled(self, text: str) -> re.Pattern[str]:
        """A search pattern; a wrong one ends the command."""
        try:
            return patterns.compile_search(
                text, ignore_case=bool(self.options["ignorecase"]), smart_case=bool(self.options["smartcase"])
            )
        except patterns.BadSearch as failed:
            raise self.fail(str(failed)) from None

    # -- operators ------------------------------------------------------------------------------------------------------
    def operate(self, op: str, count: int | None) -> Generator[Wait, Any, bool]:
        """`d`, `c`, `y`, `>`, `<`, `=`, `gu`, `gU`, `g~` and the motion after them."""
        self.pending = op
        more, key = yield from self.count()
        self.pending = op
        if more is not None:
            count = more * (count or 1)
        if key == "<Esc>":
            raise self.fail()
        n = count or 1
        if key == op[-1] or (op == "gu" and key == "u") or (op == "gU" and key == "U"):
            last = self.row + n - 1
            if last >= len(self.lines) and op in "dy><" and n > 1:
                last = len(self.lines) - 1
            span = Span((self.row, 0), (min(last, len(self.lines) - 1), 0), linewise=True)
        elif key in ("i", "a"):
            what = yield from self.key()
            found = motions.text_object(self.lines, (self.row, self.col), key == "a", what, n)
            if found is None:
                raise self.fail()
            span = found
        elif key == "g":
            key = yield from self.key()
            if key == "g":
                row = min((count or 1) - 1, len(self.lines) - 1)
                span = Span((self.row, self.col), (row, 0), linewise=True)
            elif key in "eE":
                span = Span(
                    (self.row, self.col), motions.word_end_back(self.lines, (self.row, self.col), key == "E"), inclusive=True
                )
            else:
                raise self.fail()
        else:
            moved = yield from self.motion(
                "e"
                if op == "c" and key == "w" and self._in_word()
                else "E"
                if op == "c" and key == "W" and self._in_word()
                else key,
                count,
            )
            if moved is None and key in "wW" and self.line:
                moved = Span((self.row, self.col), (self.row, len(self.line)))
            if moved is None:
                raise self.fail()
            span = self._adjusted(op, key, moved)
        return (yield from self.apply(op, span))

    def _in_word(self) -> bool:
        return self.col < len(self.line) and self.line[self.col] not in " \t"

    def _adjusted(self, op: str, key: str, span: Span) -> Span:
        """Vim's exceptions: `w` as the last motion stops at the line's end; a span that ends in column 0 ends on the line before."""
        start, end = span.start, span.end
        indented = not self.lines[start[0]][: start[1]].strip()
        if end > start and end[0] > start[0] and not span.linewise:
            if not span.inclusive and end[1] == 0 and key not in "wW":
                row = end[0] - 1
                if indented:
                    return Span((start[0], 0), (row, 0), linewise=True)
                return Span(start, (row, len(self.lines[row])))
            last = self.lines[end[0]][end[1] + (1 if span.inclusive else 0) :]
            if op == "d" and indented and not last.strip():
                return Span((start[0], 0), (end[0], 0), linewise=True)
        if key in "wW" and end[0] > start[0] and not self.lines[end[0]][: end[1]].strip():
            row = end[0] - 1
            return Span(start, (max(row, start[0]), len(self.lines[max(row, start[0])])))
        return span

    def apply(self, op: str, span: Span) -> Generator[Wait, Any, bool]:
        """Do an operator to a span; whether `.` repeats it."""
        start, end = sorted((span.start, span.end))
        if span.linewise:
            self.apply_lines(op, start[0], end[0])
            if op == "c":
                yield from self.insert()
            return op != "y"
        last = end[1] + (1 if span.inclusive else 0)
        text = self.between(start, (end[0], last))
        if op in (">", "<", "="):
            self.apply_lines(op, start[0], end[0])
            return True
        if op in ("gu", "gU", "g~"):
            self.guard()
            self.replace_span(start, (end[0], last), _cased(text, op))
            self.to(start)
            return True
        self.keep(text, "c", deleted=op != "y")
        if op == "y":
            self.to(start)
            return False
        self.guard()
        self.replace_span(start, (end[0], last), "")
        if op == "c":
            self.mode = "insert"
            self.to(start)
            yield from self.insert()
        else:
            self.to(start)
        return True

    def apply_lines(self, op: str, first: int, last: int) -> None:
        """An operator to whole lines."""
        whole = self.lines[first : last + 1]
        if op in ("d", "c", "y"):
            self.keep("\n".join(whole) + "\n", "l", deleted=op != "y")
        if op == "y":
            if len(whole) > 2:
                self.message = f"{len(whole)} lines yanked"
            self.to((first, self.col if first == self.row else motions.first_text(self.lines[first])))
            return
        self.guard()
        if op == "d":
            del self.lines[first : last + 1]
            if not self.lines:
                self.lines.append("")
                self.message = "--No lines in buffer--"
            row = min(first, len(self.lines) - 1)
            self.to((row, motions.first_text(self.lines[row])))
        elif op == "c":
            indent = re.match(r"[ \t]*", whole[0])
            self.lines[first : last + 1] = [indent.group() if indent and self.options["autoindent"] else ""]
            self.mode = "insert"
            self.to((first, len(self.lines[first])))
        elif op in (">", "<"):
            for row in range(first, last + 1):
                self.lines[row] = self.shifted(self.lines[row], 1 if op == ">" else -1)
            if len(whole) > 2:
                self.message = f"{len(whole)} lines {op}ed 1 time"
            self.to((first, motions.first_text(self.lines[first])))
        elif op == "=":
            if len(whole) > 2:
                self.message = f"{len(whole)} lines indented"
            self.to((first, motions.first_text(self.lines[first])))
        else:
            for row in range(first, last + 1):
                self.lines[row] = _cased(self.lines[row], op)
            self.to((first, self.col if first == self.row else 0))

    def shifted(self, line: str, steps: int) -> str:
        """A line moved by `steps` shift widths."""
        if not line.strip() and steps > 0:
            return line
        tab = int(self.options["tabstop"])
        size = int(self.options["shiftwidth"]) or tab
        body = line.lstrip(" \t")
        indent = len(line[: len(line) - len(body)].expandtabs(tab))
        return self.indentation(max(indent + steps * size, 0)) + body

    def indentation(self, size: int) -> str:
        """Blanks for an indent, tabs where `expandtab` is off."""
        tab = int(self.options["tabstop"])
        return " " * size if self.options["expandtab"] else "\t" * (size // tab) + " " * (size % tab)

    def between(self, start: Position, end: Position) -> str:
        """The text of a span."""
        if start[0] == end[0]:
            return self.lines[start[0]][start[1] : end[1]]
        return "\n".join([self.lines[start[0]][start[1] :], *self.lines[start[0] + 1 : end[0]], self.lines[end[0]][: end[1]]])

    def replace_span(self, start: Position, end: Position, text: str) -> None:
        """Put text in place of a span."""
        new = self.lines[start[0]][: start[1]] + text + self.lines[end[0]][end[1] :]
        self.lines[start[0] : end[0] + 1] = new.split("\n")

    # -- g and z --------------------------------------------------------------------------------------------------------
    def g_command(self, count: int | None) -> Generator[Wait, Any, bool]:
        """What begins with `g`."""
        key = yield from self.key()
        n = count or 1
        if key == "g":
            self.marks["'"] = (self.row, self.col)
            row = min(n - 1, len(self.lines) - 1)
            self.to((row, motions.first_text(self.lines[row])))
        elif key in "uU~":
            return (yield from self.operate("g" + key, count))
        elif key in "eE":
            for _ in range(n):
                self.to(motions.word_end_back(self.lines, (self.row, self.col), key == "E"))
        elif key in "jk":
            span = self.vertical(key, n)
            if span is not None:
                self.to(span.end, column=False)
        elif key == "J":
            self.join(max(n, 2), space=False)
            return True
        elif key == "v" and self.last_visual is not None:
            self.mode, self.visual_start, at = self.last_visual
            self.to(at)
        elif key == "i":
            self.to(self.marks.get("^", (self.row, self.col)))
            return (yield from self.start_insert(self.col))
        elif key == "p":
            self.put(n, False)
            self.col += 1
            return True
        elif key == "<C-g>":
            self.message = f"Col {self.col + 1} of {len(self.line)}; Line {self.row + 1} of {len(self.lines)}"
        elif key == "_":
            self.to((self.row, max(len(self.line.rstrip()) - 1, 0)))
        else:
            raise self.fail()
        return False

    # -- insert mode ----------------------------------------------------------------------------------------------------
    def start_insert(self, col: int, *, mode: str = "insert", count: int = 1, opened: bool = False) -> Generator[Wait, Any, bool]:
        """Type at a column; what was typed is repeated for a count (`opened`: each time on a line of its own)."""
        self.guard()
        self.mode = mode
        self.col = col
        start = (self.row, self.col)
        yield from self.insert()
        if count > 1 and mode == "insert" and self.insert_end > start:
            typed = self.between(start, self.insert_end)
            self.to(self.insert_end)
            self.col = self.insert_end[1]
            for _ in range(min(count, 1000) - 1):
                self.type_text("\n" + typed if opened else typed)
            self.col = max(self.col - 1, 0)
        return True

    def insert(self) -> Step:
        """Insert or replace mode until Esc."""
        if self.mode not in ("insert", "replace"):
            self.mode = "insert"
        self.message = ""
        self.clamp()
        replaced: list[str] = []
        while True:
            key = yield from self.key()
            if key in ("<Esc>", "<C-c>", "<C-[>"):
                break
            yield from self.insert_key(key, replaced)
        if self.options["autoindent"] and self.line and not self.line.strip() and self.read and self.read[-2:-1] == ["<CR>"]:
            self.lines[self.row], self.col = "", 0
        self.marks["^"] = self.insert_end = (self.row, self.col)
        self.mode = "normal"
        self.col = max(self.col - 1, 0)
        self.want = None

    def insert_key(self, key: str, replaced: list[str]) -> Step:
        """One key of insert mode."""
        self.buffer.touch()
        if key == "<CR>":
            rest = self.line[self.col :]
            indent = ""
            if self.options["autoindent"] and not self.options["paste"]:
                indent = self.line[: len(self.line) - len(self.line.lstrip(" \t"))][: self.col]
                rest = rest.lstrip(" \t")
            head = self.line[: self.col]
            self.lines[self.row : self.row + 1] = [head if head.strip() or not indent else "", indent + rest]
            self.row, self.col = self.row + 1, len(indent)
        elif key == "<BS>":
            self.rub_out(replaced)
        elif key in ("<C-w>", "<C-u>"):
            at = 0 if key == "<C-u>" else len(re.sub(r"(\w+|[^\w\s]+|^)\s*$", "", self.line[: self.col]))
            self.lines[self.row], self.col = self.line[:at] + self.line[self.col :], at
        elif key == "<Del>":
            if self.col < len(self.line):
                self.lines[self.row] = self.line[: self.col] + self.line[self.col + 1 :]
            elif self.row + 1 < len(self.lines):
                self.lines[self.row : self.row + 2] = [self.line + self.lines[self.row + 1]]
        elif key in ("<Left>", "<Right>", "<Up>", "<Down>", "<Home>", "<End>"):
            self.insert_move(key)
        elif key == "<Tab>":
            self.type_text(self._tab())
        elif key in ("<C-t>", "<C-d>"):
            before = len(self.line)
            self.lines[self.row] = self.shifted(self.line or " ", 1 if key == "<C-t>" else -1).rstrip(
                " " if not self.line else ""
            )
            self.col = max(self.col + len(self.line) - before, 0)
        elif key == "<C-v>":
            raw = yield from self.key()
            self.type_text({"<Tab>": "\t", "<Esc>": "\x1b", "<CR>": "\r"}.get(raw, raw if len(raw) == 1 else ""))
        elif key == "<C-o>":
            self.mode = "normal"
            self.pending = ""
            yield from self.normal()
            self.mode = "insert"
        elif key == "<C-r>":
            name = yield from self.key()
            self.type_text(self.registers.get(name, ("c", ""))[1])
        elif key in ("<C-e>", "<C-y>"):
            other = self.row + (1 if key == "<C-e>" else -1)
            if 0 <= other < len(self.lines) and self.col < len(self.lines[other]):
                self.type_text(self.lines[other][self.col])
        elif key.startswith("<Paste>"):
            self.type_text(key[7:])
        elif len(key) == 1:
            if self.mode == "replace" and self.col < len(self.line):
                replaced.append(self.line[self.col])
                self.lines[self.row] = self.line[: self.col] + key + self.line[self.col + 1 :]
                self.col += 1
            else:
                self.type_text(key)

    def _tab(self) -> str:
        if not self.options["expandtab"] or self.options["paste"]:
            return "\t"
        size = int(self.options["softtabstop"]) or int(self.options["tabstop"])
        if int(self.options["softtabstop"]) < 0:
            size = int(self.options["shiftwidth"]) or int(self.options["tabstop"])
        return " " * (size - self.col % size)

    def rub_out(self, replaced: list[str]) -> None:
        """Backspace."""
        if self.mode == "replace":
            if replaced and self.col:
                self.col -= 1
                self.lines[self.row] = self.line[: self.col] + replaced.pop() + self.line[self.col + 1 :]
            else:
                self.col = max(self.col - 1, 0)
        elif self.col:
            size = int(self.options["softtabstop"]) if self.options["expandtab"] else 0
            back = 1
            if size > 0 and not self.line[: self.col].strip(" ") and self.col % size == 0:
                back = size
            self.lines[self.row] = self.line[: self.col - back] + self.line[self.col :]
            self.col -= back
        elif self.row:
            col = len(self.lines[self.row - 1])
            self.lines[self.row - 1 : self.row + 1] = [self.lines[self.row - 1] + self.line]
            self.row, self.col = self.row - 1, col

    def insert_move(self, key: str) -> None:
        """Arrows in insert mode; they begin a new step of undo."""
        self.finish_change((self.row, self.col))
        moves = {"<Left>": (0, -1), "<Right>": (0, 1), "<Up>": (-1, 0), "<Down>": (1, 0)}
        if key in moves:
            self.row, self.col = self.row + moves[key][0], self.col + moves[key][1]
        else:
            self.col = 0 if key == "<Home>" else len(self.line)
        self.clamp()

    def type_text(self, text: str) -> None:
        """Put text at the cursor and go behind it."""
        pieces = (self.line[: self.col] + text).split("\n")
        rest = self.line[self.col :]
        self.lines[self.row : self.row + 1] = [*pieces[:-1], pieces[-1] + rest]
        self.row += len(pieces) - 1
        self.col = len(pieces[-1])

    def join(self, count: int, *, space: bool = True) -> None:
        """`J`."""
        if self.row + 1 >= len(self.lines):
            raise self.fail()
        self.guard()
        for _ in range(count - 1):
            if self.row + 1 >= len(self.lines):
                break
            after = self.lines[self.row + 1]
            head = self.line
            if space:
                after = after.lstrip(" \t")
                glue = "" if not after or after.startswith(")") or head.endswith((" ", "\t")) or not head else " "
                self.col = len(head) if glue else max(len(head) - 1, 0) if not after else len(head)
                self.lines[self.row : self.row + 2] = [head + glue + after]
            else:
                self.col = len(head)
                self.lines[self.row : self.row + 2] = [head + after]

    # -- the bottom line ------------------------------------------------------------------------------------------------
    def prompt(self, mark: str, text: str = "") -> Generator[Wait, Any, str | None]:
        """A line typed at the bottom after `:` or `/`; None when it was given up."""
        history = [one[1:] for one in self.ex_history if one[0] == mark]
        place = len(history)
        at = len(text)
        while True:
            self.prompting = (mark + text, at + 1)
            key = yield from self.key()
            self.prompting = None
            if key in ("<Esc>", "<C-c>"):
                return None
            if key == "<CR>":
                if text:
                    self.ex_history.append(mark + text)
                    del self.ex_history[:-50]
                return text
            if key == "<BS>":
                if not text:
                    return None
                text, at = text[: max(at - 1, 0)] + text[at:], max(at - 1, 0)
            elif key in ("<C-u>", "<C-w>"):
                text, at = ("" if key == "<C-u>" else re.sub(r"\S+\s*$", "", text[:at])) + text[at:], 0
                at = len(text)
            elif key in ("<Left>", "<Right>", "<Home>", "<End>", "<C-b>", "<C-e>"):
                at = {"<Left>": max(at - 1, 0), "<Right>": min(at + 1, len(text)), "<Home>": 0, "<C-b>": 0}.get(key, len(text))
            elif key in ("<Up>", "<Down>", "<C-p>", "<C-n>") and history:
                place = min(max(place + (-1 if key in ("<Up>", "<C-p>") else 1), 0), len(history))
                text = history[place] if place < len(history) else ""
                at = len(text)
            elif key == "<C-r>":
                name = yield from self.key()
                word = next((m.group() for m in re.finditer(r"\w+", self.line) if m.end() > self.col), "")
                more = word if name == "<C-w>" else self.registers.get(name, ("c", ""))[1].replace("\n", "")
                text, at = text[:at] + more + text[at:], at + len(more)
            elif key.startswith("<Paste>"):
                more = key[7:].replace("\n", " ")
                text, at = text[:at] + more + text[at:], at + len(more)
            elif len(key) == 1 or key == "<Tab>":
                text, at = text[:at] + (key if key != "<Tab>" else "") + text[at:], at + (key != "<Tab>")

    prompting: tuple[str, int] | None = None

    # -- drawing --------------------------------------------------------------------------------------------------------
    @property
    def height(self) -> int:
        """Rows for text."""
        return max(self.screen.rows - 1, 1)

    def draw(self) -> None:
        """Show the text, the bottom line and the cursor."""
        if self.screen.device is None:
            return
        margin = 0
        if self.options["number"] or self.options["relativenumber"]:
            margin = max(len(str(len(self.lines))) + 1, 4)
        size = max(self.screen.columns - margin, 1)
        if self.row < self.top:
            self.top = self.row
        while True:
            rows, place = self._rows(size, margin)
            if place is not None or self.top >= self.row:
                break
            self.top = max(self.top + 1, self.row - self.height + 1)
        place = place or (0, 0)
        if self.prompting is not None:
            text, at = self.prompting
            rows.append(text[-(self.screen.columns - 1) :])
            self.screen.paint(rows, (self.height, min(at, self.screen.columns - 1)))
            return
        rows.append(self._status())
        self.screen.paint(rows, (place[0], min(place[1] + margin, self.screen.columns - 1)))

    def _rows(self, size: int, margin: int) -> tuple[list[str], tuple[int, int] | None]:
        """The screen's rows from `top` on, and where the cursor is on them."""
        rows: list[str] = []
        place: tuple[int, int] | None = None
        number = self.top
        while len(rows) < self.height:
            if number >= len(self.lines):
                rows.append("~")
                number += 1
                continue
            cells = shown(self.lines[number], int(self.options["tabstop"]))
            marked = self.selected(number)
            if self.options["list"]:
                cells = [("^I", 2) if c == "\t" else cell for c, cell in zip(self.lines[number], cells, strict=True)] + [("$", 1)]
            parts: list[list[str]] = [[]]
            used = 0
            reverse = False
            for col, (text, wide) in enumerate([*cells, (" ", 1)]):
                if used + wide > size and col < len(cells):
                    if not self.options["wrap"]:
                        break
                    parts.append([])
                    used = 0
                if number == self.row and col == self.col:
                    offset = wide - 1 if text.startswith(" ") and self.mode == "normal" and col < len(self.lines[number]) else 0
                    place = (len(rows) + len(parts) - 1, used + offset)
                wanted = marked is not None and marked[0] <= col < marked[1]
                if wanted != reverse:
                    parts[-1].append("\x1b[7m" if wanted else "\x1b[m")
                    reverse = wanted
                if col < len(cells) or wanted:
                    parts[-1].append(text)
                used += wide
            if reverse:
                parts[-1].append("\x1b[m")
            if len(rows) + len(parts) > self.height and number != self.top:
                rows += ["@"] * (self.height - len(rows))
                if number == self.row:
                    place = None
                break
            for turn, part in enumerate(parts):
                rows.append((self._margin(number, margin) if not turn else " " * margin) + "".join(part))
            number += 1
        return rows[: self.height], place if place is None or place[0] < self.height else None

    def _margin(self, number: int, margin: int) -> str:
        if not margin:
            return ""
        shown_number = number + 1
        if self.options["relativenumber"] and not (self.options["number"] and number == self.row):
            shown_number = abs(number - self.row)
        return f"\x1b[33m{shown_number:>{margin - 1}} \x1b[m"

    def _status(self) -> str:
        columns = self.screen.columns
        left = self.message
        names = {
            "insert": "INSERT",
            "replace": "REPLACE",
            "visual": "VISUAL",
            "visual-line": "VISUAL LINE",
            "visual-block": "VISUAL BLOCK",
        }
        if self.mode in names:
            left = f"-- {names[self.mode]}{' (paste)' if self.options['paste'] and self.mode == 'insert' else ''} --"
            left = f"\x1b[1m{left}\x1b[m"
        elif self.recording is not None and not left:
            left = f"recording @{self.recording[0]}"
        plain = len(re.sub(r"\x1b\[\d*m", "", left))
        if plain > columns - 1:
            left, plain = left[: columns - 1], columns - 1
        if plain > columns - 19 and not self.mode.startswith(("insert", "visual", "replace")):
            return left
        total, height = len(self.lines), self.height
        if total <= height and self.top == 0:
            part = "All"
        elif self.top == 0:
            part = "Top"
        elif self.top + height >= total:
            part = "Bot"
        else:
            part = f"{self.top * 100 // max(total - height, 1)}%"
        column = sum(wide for _, wide in shown(self.line[: self.col], int(self.options["tabstop"])))
        where = (
            f"{self.row + 1},{'0-1' if not self.line else self.col + 1 if column == self.col else f'{self.col + 1}-{column + 1}'}"
        )
        gap = max(columns - 18 - plain, 1)
        pending = self.pending if self.mode == "normal" else ""
        if pending and gap > 11:
            return f"{left}{' ' * (gap - 11)}{pending:<11}{where:<14}{part}"
        return f"{left}{' ' * gap}{where:<14}{part}"


def _until(text: str, mark: str) -> str:
    """A search text up to an unescaped `/`."""
    match = re.match(rf"((?:\\.|[^{re.escape(mark)}\\])*)", text)
    return match.group(1).replace("\\" + mark, mark) if match else text


def _cased(text: str, op: str) -> str:
    return {"gu": text.lower, "gU": text.upper, "g~": text.swapcase}[op]()

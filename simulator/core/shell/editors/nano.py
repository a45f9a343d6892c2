"""nano: a text with two lines of shortcuts under it."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from ...host.invocation import Call
from ...host.program import Wait
from .buffer import MAX_TEXT, Buffer
from .screen import Closed, Screen, shown
from .taken import TakenNano

VERSION = (
    " GNU nano, version 7.2\n (C) 2023 the Free Software Foundation and various contributors\n Compiled options: --enable-utf8\n"
)
#: The two lines of help: shortcut and what it does, by what is asked.
HELP = {
    "": (
        (("^G", "Help"), ("^O", "Write Out"), ("^W", "Where Is"), ("^K", "Cut"), ("^T", "Execute"), ("^C", "Location")),
        (("^X", "Exit"), ("^R", "Read File"), ("^\\", "Replace"), ("^U", "Paste"), ("^J", "Justify"), ("^/", "Go To Line")),
    ),
    "yesno": ((("Y", "Yes"),), (("N", "No"), ("^C", "Cancel"))),
    "text": ((("^G", "Help"),), (("^C", "Cancel"),)),
}


class Cancelled(Exception):
    """The question was answered with Ctrl-C."""


class Nano:
    """One nano at work."""

    def __init__(self, call: Call, name: str, options: dict[str, Any]) -> None:
        self.call, self.name, self.options = call, name, options
        self.screen = Screen(call)
        self.screen.taken = TakenNano(self)
        self.buffer = Buffer()
        self.row = self.col = self.top = 0
        self.want: int | None = None
        self.message = ""
        self.cut: list[str] = []
        self.cutting = False
        self.copied = ""
        self.mark: tuple[int, int] | None = None
        self.searched = ""
        self.readonly = bool(options.get("view"))

    # -- files ----------------------------------------------------------------------------------------------------------
    def open(self) -> None:
        """Read the file."""
        if not self.name:
            return
        try:
            if self.call.isdir(self.name):
                self.message = f'"{self.name}" is a directory'
                self.name = ""
                return
            data = self.call.read_file(self.name)
        except FileNotFoundError:
            self.message = "New File"
            return
        except OSError as failed:
            self.message = f"Error reading {self.name}: {failed.strerror}"
            self.name = ""
            return
        self.buffer = Buffer(data[:MAX_TEXT].decode("utf-8", "surrogateescape"))
        self.buffer.end_newline = True
        count = 0 if not data else len(self.buffer.lines)
        self.message = f"Read {count} line{'s' if count != 1 else ''}"
        if data:
            self.buffer.lines.append("")  # the empty line behind the last newline, where nano's cursor may go

    def text(self) -> str:
        """What is written: one newline at the end."""
        body = "\n".join(self.buffer.lines)
        return body if body.endswith("\n") or not body else body + "\n"

    def save(self) -> Generator[Wait, Any, bool]:
        """Ctrl-O."""
        name = yield from self.ask("File Name to Write", self.name)
        if not name:
            raise Cancelled
        if name != self.name and self.call.exists(name):
            answer = yield from self.yes_no(f'File "{name}" exists; OVERWRITE? ')
            if answer != "y":
                raise Cancelled
        try:
            self.put(name)
        except OSError:
            return False
        return True

    def put(self, name: str) -> None:
        """Write the text to a file and say how many lines that were.  Raises OSError, with the message set."""
        try:
            self.call.write_file(name, self.text().encode("utf-8", "surrogateescape"))
        except OSError as failed:
            self.message = f"Error writing {name}: {failed.strerror}"
            raise
        self.name = name
        self.buffer.commit((self.row, self.col))
        self.buffer.mark_saved()
        count = self.text().count("\n")
        self.message = f"Wrote {count} line{'s' if count != 1 else ''}"

    # -- questions ------------------------------------------------------------------------------------------------------
    def ask(self, question: str, text: str = "") -> Generator[Wait, Any, str]:
        """A line typed at the bottom.  Raises Cancelled."""
        while True:
            self.draw(f"{question}: {text}", "text")
            key = yield from self.screen.key()
            if key in ("<C-c>", "<Esc>"):
                raise Cancelled
            if key == "<CR>":
                return text
            if key == "<BS>":
                text = text[:-1]
            elif key in ("<C-u>", "<C-k>"):
                text = ""
            elif key.startswith("<Paste>"):
                text += key[7:].split("\n")[0]
            elif len(key) == 1:
                text += key

    def yes_no(self, question: str, *, every: bool = False) -> Generator[Wait, Any, str]:
        """`y`, `n` (or `a`).  Raises Cancelled."""
        while True:
            self.draw(question, "yesno")
            key = (yield from self.screen.key()).lower()
            if key in ("y", "n") or (every and key == "a"):
                return key
            if key in ("<c-c>", "<esc>"):
                raise Cancelled

    # -- the loop -------------------------------------------------------------------------------------------------------
    def run(self) -> Generator[Wait, Any, int]:
        """Edit until Ctrl-X."""
        with self.screen:
            while True:
                if not self.screen.ready():
                    self.draw()
                try:
                    key = yield from self.screen.key()
                    self.message = ""
                    before = (self.row, self.col)
                    done = yield from self.act(key)
                    self.cutting = key in ("<C-k>", "<F9>")
                except Cancelled:
                    self.message = "Cancelled"
                    continue
                except Closed:
                    return 1
                self.buffer.commit(before)
                self.row = min(max(self.row, 0), len(self.buffer.lines) - 1)
                self.col = min(max(self.col, 0), len(self.buffer.lines[self.row]))
                if done:
                    return 0

    def leave(self) -> Generator[Wait, Any, bool]:
        """Ctrl-X."""
        if not self.buffer.modified or self.readonly:
            return True
        answer = yield from self.yes_no("Save modified buffer? ")
        if answer == "n":
            return True
        return (yield from self.save())

    def act(self, key: str) -> Generator[Wait, Any, bool]:
        """One key; whether the editor is left."""
        if key in ("<C-x>", "<F2>"):
            return (yield from self.leave())
        if key in ("<C-o>", "<F3>"):
            yield from self.save()
        elif key == "<C-s>":
            if self.name:
                self.call.write_file(self.name, self.text().encode("utf-8", "surrogateescape"))
                self.buffer.commit((self.row, self.col))
                self.buffer.mark_saved()
                self.message = f"Wrote {self.text().count(chr(10))} lines"
            else:
                yield from self.save()
        elif key in ("<C-w>", "<F6>"):
            yield from self.search()
        elif key in ("<C-\\>", "<C-|>"):
            yield from self.replace()
        elif key in ("<C-_>", "<C-\x7f>"):
            yield from self.go_to()
        elif key in ("<C-r>", "<F5>"):
            yield from self.insert_file()
        elif key in ("<C-c>", "<F11>"):
            self.tell_place()
        elif key == "<C-g>":
            self.message = "not simulated in Slipway yet: help"
        elif key == "<Esc>":
            yield from self.meta((yield from self.screen.key()))
        elif key in ("<C-z>",):
            yield from self.screen.suspend()
        elif not self.move(key) and not self.readonly:
            self.edit(key)
        elif self.readonly and len(key) == 1:
            self.message = "Key is invalid in view mode"
        return False

    def meta(self, key: str) -> Generator[Wait, Any, None]:
        """Alt and a key."""
        yield from ()
        if key in "uU":
            change = self.buffer.undo()
            self.message = "Undid edit" if change else "Nothing to undo"
            if change:
                self.row, self.col = change.cursor
        elif key in "eE":
            change = self.buffer.redo()
            self.message = "Redid edit" if change else "Nothing to redo"
            if change:
                self.row = change.at
        elif key in "aA":
            self.mark = None if self.mark else (self.row, self.col)
            self.message = "Mark Set" if self.mark else "Mark Unset"
        elif key == "6":
            self.copy()
        elif key in ("\\", "|"):
            self.row = self.col = 0
        elif key in ("/", "?"):
            self.row, self.col = len(self.buffer.lines) - 1, 0
        elif key in "nN":
            self.options["numbers"] = not self.options.get("numbers")
        elif key in "wW":
            self.find(self.searched)

    def move(self, key: str) -> bool:
        """Keys that move the cursor; whether this was one."""
        lines = self.buffer.lines
        page = max(self.height - 2, 1)
        vertical = {
            "<Up>": -1,
            "<C-p>": -1,
            "<Down>": 1,
            "<C-n>": 1,
            "<PageUp>": -page,
            "<C-y>": -page,
            "<PageDown>": page,
            "<C-v>": page,
        }
        if key in vertical:
            self.want = self.col if self.want is None else self.want
            self.row = min(max(self.row + vertical[key], 0), len(lines) - 1)
            self.col = min(self.want, len(lines[self.row]))
            return True
        self.want = None
        if key in ("<Left>", "<C-b>"):
            if self.col:
                self.col -= 1
            elif self.row:
                self.row, self.col = self.row - 1, len(lines[self.row - 1])
        elif key in ("<Right>", "<C-f>"):
            if self.col < len(lines[self.row]):
                self.col += 1
            elif self.row + 1 < len(lines):
                self.row, self.col = self.row + 1, 0
        elif key in ("<Home>", "<C-a>"):
            self.col = 0
        elif key in ("<End>", "<C-e>"):
            self.col = len(lines[self.row])
        elif key in ("<C-Right>", "<C-Left>"):
            line = lines[self.row]
            if key == "<C-Right>":
                match = re.compile(r"\w*\W*").match(line, self.col)
                self.col = match.end() if match else len(line)
            else:
                match = re.search(r"\w+\W*$", line[: self.col])
                self.col = match.start() if match else 0
        else:
            return False
        return True

    def edit(self, key: str) -> None:
        """Keys that change the text."""
        lines = self.buffer.lines
        line = lines[self.row]
        self.buffer.touch()
        if key in ("<CR>", "<C-m>"):
            indent = re.match(r"[ \t]*", line[: self.col])
            lead = indent.group() if indent and self.options.get("autoindent") else ""
            lines[self.row : self.row + 1] = [line[: self.col], lead + line[self.col :]]
            self.row, self.col = self.row + 1, len(lead)
        elif key in ("<BS>", "<C-h>"):
            if self.col:
                lines[self.row] = line[: self.col - 1] + line[self.col :]
                self.col -= 1
            elif self.row:
                self.col = len(lines[self.row - 1])
                lines[self.row - 1 : self.row + 1] = [lines[self.row - 1] + line]
                self.row -= 1
        elif key in ("<Del>", "<C-d>"):
            if self.col < len(line):
                lines[self.row] = line[: self.col] + line[self.col + 1 :]
            elif self.row + 1 < len(lines):
                lines[self.row : self.row + 2] = [line + lines[self.row + 1]]
        elif key in ("<C-k>", "<F9>"):
            self.cut_lines()
        elif key in ("<C-u>", "<F10>"):
            self.type_text("\n".join(self.cut))
        elif key == "<Tab>":
            size = int(self.options.get("tabsize", 8))
            self.type_text(" " * (size - self.col % size) if self.options.get("tabstospaces") else "\t")
        elif key.startswith("<Paste>"):
            self.type_text(key[7:])
        elif len(key) == 1:
            self.type_text(key)
        else:
            self.message = "Unbound key"

    def type_text(self, text: str) -> None:
        """Put text at the cursor and go behind it."""
        lines = self.buffer.lines
        line = lines[self.row]
        pieces = (line[: self.col] + text).split("\n")
        lines[self.row : self.row + 1] = [*pieces[:-1], pieces[-1] + line[self.col :]]
        self.row += len(pieces) - 1
        self.col = len(pieces[-1])

    def cut_lines(self) -> None:
        """Ctrl-K: the line, or what is marked; one after the other they gather."""
        lines = self.buffer.lines
        if self.mark is not None:
            self.copy()
            first, last = sorted((self.mark_before, (self.row, self.col)))
            lines[first[0] : last[0] + 1] = [lines[first[0]][: first[1]] + lines[last[0]][last[1] :]]
            self.row, self.col = first
            return
        if self.row == len(lines) - 1 and not lines[self.row]:
            self.message = "Nothing was cut"
            return
        if not self.cutting:
            self.cut = [""]
        self.cut[-1:] = [lines[self.row], ""]
        del lines[self.row]
        if not lines:
            lines.append("")
        self.row, self.col = min(self.row, len(lines) - 1), 0

    mark_before = (0, 0)

    def copy(self) -> None:
        """Alt-6: the line, or what is marked."""
        lines = self.buffer.lines
        if self.mark is None:
            self.cut = [lines[self.row], ""]
            return
        self.mark_before = self.mark
        first, last = sorted((self.mark, (self.row, self.col)))
        if first[0] == last[0]:
            self.cut = [lines[first[0]][first[1] : last[1]]]
        else:
            self.cut = [lines[first[0]][first[1] :], *lines[first[0] + 1 : last[0]], lines[last[0]][: last[1]]]
        self.mark = None

    # -- searching ------------------------------------------------------------------------------------------------------
    def search(self) -> Generator[Wait, Any, None]:
        """Ctrl-W."""
        hint = f" [{self.searched}]" if self.searched else ""
        text = (yield from self.ask(f"Search{hint}")) or self.searched
        if text:
            self.searched = text
            self.find(text)

    def find(self, text: str) -> bool:
        """Go to the next place of a text, upper and lower case alike."""
        lines = self.buffer.lines
        low = text.lower()
        for turn in range(len(lines) + 1):
            row = (self.row + turn) % len(lines)
            at = lines[row].lower().find(low, self.col + 1 if turn == 0 else 0)
            if at >= 0:
                if self.row + turn >= len(lines):
                    self.message = "Search Wrapped"
                if (row, at) == (self.row, self.col):
                    self.message = "This is the only occurrence"
                self.row, self.col = row, at
                return True
        self.message = f'"{text}" not found'
        return False

    def replace(self) -> Generator[Wait, Any, None]:
        """Ctrl-\\."""
        text = yield from self.ask("Search (to replace)")
        if not text:
            return
        by = yield from self.ask("Replace with")
        count, row, col, every = 0, self.row, self.col, False
        self.buffer.touch()
        for number in range(row, len(self.buffer.lines)):
            at = col if number == row else 0
            while True:
                found = self.buffer.lines[number].lower().find(text.lower(), at)
                if found < 0:
                    break
                self.row, self.col = number, found
                answer = "a" if every else (yield from self.yes_no("Replace this instance? ", every=True))
                every = every or answer == "a"
                at = found + len(text)
                if answer in ("y", "a"):
                    line = self.buffer.lines[number]
                    self.buffer.lines[number] = line[:found] + by + line[found + len(text) :]
                    at = found + len(by)
                    count += 1
        self.message = f"Replaced {count} occurrence{'s' if count != 1 else ''}" if count else f'"{text}" not found'

    def go_to(self) -> Generator[Wait, Any, None]:
        """Ctrl-_."""
        text = yield from self.ask("Enter line number, column number")
        match = re.fullmatch(r"\s*(\d{1,7})?\s*[, ]?\s*(\d{1,7})?\s*", text)
        if not match or not text.strip():
            self.message = "Invalid line or column number"
            return
        self.row = min(max(int(match.group(1) or self.row + 1) - 1, 0), len(self.buffer.lines) - 1)
        self.col = max(int(match.group(2) or 1) - 1, 0)

    def insert_file(self) -> Generator[Wait, Any, None]:
        """Ctrl-R."""
        name = yield from self.ask("File to insert [from ./]")
        try:
            data = self.call.read_file(name)
        except OSError as failed:
            self.message = f"Error reading {name}: {failed.strerror}"
            return
        self.buffer.touch()
        self.type_text(data.decode("utf-8", "surrogateescape"))
        self.message = f"Inserted {data.count(10)} lines"

    def tell_place(self) -> None:
        """Ctrl-C."""
        lines = self.buffer.lines
        total = sum(len(line) + 1 for line in lines) - 1
        at = sum(len(line) + 1 for line in lines[: self.row]) + self.col
        width = len(lines[self.row]) + 1
        self.message = (
            f"line {self.row + 1}/{len(lines)} ({(self.row + 1) * 100 // len(lines)}%), col {self.col + 1}/{width} "
            f"({(self.col + 1) * 100 // width}%), char {at}/{total} ({at * 100 // max(total, 1)}%)"
        )

    # -- drawing --------------------------------------------------------------------------------------------------------
    @property
    def height(self) -> int:
        """Rows for text."""
        return max(self.screen.rows - 4, 1)

    def draw(self, question: str = "", help_for: str = "") -> None:
        """Show the title, the text, the message or question, the shortcuts."""
        if self.screen.device is None:
            return
        lines, columns = self.buffer.lines, self.screen.columns
        if self.row < self.top or self.row >= self.top + self.height:
            self.top = max(self.row - self.height // 2, 0)
        title = self.name or "New Buffer"
        changed = "Modified" if self.buffer.modified else "View" if self.readonly else ""
        head = "  GNU nano 7.2"
        middle = title.center(max(columns - 2 * len(head), len(title)))
        rows = [f"\x1b[7m{(head + middle).ljust(columns - len(changed) - 2)[: columns - len(changed) - 2]}{changed}  \x1b[m"]
        margin = max(len(str(len(lines))) + 1, 3) if self.options.get("numbers") else 0
        tab = int(self.options.get("tabsize", 8))
        place = (1, 0)
        for number in range(self.top, self.top + self.height):
            if number >= len(lines):
                rows.append("")
                continue
            cells = shown(lines[number], tab)
            at = sum(wide for _, wide in cells[: self.col]) if number == self.row else 0
            room = columns - margin - 1
            start = 0
            if number == self.row and at > room:
                start = at - room // 2
            part, used = "", 0
            for text, wide in cells:
                if used >= start and used - start + wide <= room:
                    part += text
                used += wide
            part = ("<" + part[1:] if start else part) + (">" if used - start > room else "")
            rows.append((f"{number + 1:>{margin - 1}} " if margin else "") + part)
            if number == self.row:
                place = (number - self.top + 1, at - start + margin)
        if question:
            rows.append(f"\x1b[7m{question[-columns:].ljust(columns)}\x1b[m")
        elif self.message:
            text = f"[ {self.message} ]"
            rows.append(" " * max((columns - len(text)) // 2, 0) + f"\x1b[7m{text[:columns]}\x1b[m")
        else:
            rows.append("")
        for line in HELP[help_for]:
            cell = max(columns // 6, 12)
            rows.append("".join(f"\x1b[7m{key}\x1b[m {what}".ljust(cell + 7) for key, what in line[: columns // cell]))
        cursor = (self.height + 1, min(len(question), columns - 1)) if question else place
        self.screen.paint(rows, cursor)


def nano(call: Call) -> Generator[Wait, Any, int]:
    """`nano [-lviE] [-T size] [+line[,column]] [file]`."""
    options: dict[str, Any] = {}
    home = call.env.get("HOME") or "/root"
    for path in ("/etc/nanorc", f"{home}/.nanorc"):
        if call.exists(path):
            for line in call.read_file(path).decode("utf-8", "replace").splitlines():
                match = re.match(r"\s*set\s+(\w+)(?:\s+(\d{1,2}))?", line)
                if match:
                    name = {"linenumbers": "numbers"}.get(match.group(1), match.group(1))
                    options[name] = int(match.group(2)) if match.group(2) else True
    name, place = "", (0, 0)
    args = list(call.argv[1:])
    letters = {"l": "numbers", "v": "view", "i": "autoindent", "E": "tabstospaces"}
    while args:
        word = args.pop(0)
        if word in ("--version", "-V"):
            call.out(VERSION)
            return 0
        place_match = re.fullmatch(r"\+(\d{1,7})(?:,(\d{1,7}))?", word)
        if place_match:
            place = (int(place_match.group(1)) - 1, int(place_match.group(2) or 1) - 1)
        elif word.startswith("--"):
            long = {"linenumbers": "numbers", "view": "view", "autoindent": "autoindent", "tabstospaces": "tabstospaces"}
            if word[2:] in long:
                options[long[word[2:]]] = True
        elif word.startswith("-") and len(word) > 1:
            if word[1] == "T":
                options["tabsize"] = int(word[2:] or (args.pop(0) if args else "8"))
                continue
            for letter in word[1:]:
                if letter in letters:
                    options[letters[letter]] = True
        else:
            name = name or word
    if not call.stdin_tty or not call.stdout_tty:
        call.err("Standard input is not a terminal\n" if not call.stdin_tty else "Standard output is not a terminal\n")
        return 1
    editor = Nano(call, name, options)
    editor.open()
    editor.row = min(max(place[0], 0), len(editor.buffer.lines) - 1)
    editor.col = min(max(place[1], 0), len(editor.buffer.lines[editor.row]))
    return (yield from editor.run())

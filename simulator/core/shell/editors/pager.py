"""less and more: whole text in a pipe, pages on a terminal."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from ...host.executor import Ended
from ...host.invocation import Call
from ...host.program import Wait
from ...kernel.errors import NotSimulated
from ..coreutils.common import inputs, name_of
from . import patterns
from .screen import Closed, Screen, shown

#: The most text that a pager holds.
MAX_TEXT = 4 * 1024 * 1024


def less(call: Call) -> Generator[Wait, Any, int]:
    """`less`, `more`: `less [-NSRXFiI] [+command] [file …]`."""
    flags = [word for word in call.argv[1:] if word.startswith(("-", "+")) and word != "-"]
    names = [word for word in call.argv[1:] if word not in flags]
    unknown = [
        flag for flag in flags if flag[0] == "-" and not set(flag[1:]) <= set("RSFXNiIMsmrJgGKqQewEfncdlpu") and flag[:2] != "--"
    ]
    if unknown:
        raise NotSimulated(f"{name_of(call)} {unknown[0]}")
    if not names and call.stdin_tty:
        call.err(
            'Missing filename ("less --help" for help)\n'
            if name_of(call) == "less"
            else "more: bad usage\nTry 'more --help' for more information.\n"
        )
        return 1
    for name in names:
        if call.isdir(name):
            call.err(f"{name} is a directory\n" if name_of(call) == "less" else f"\n*** {name}: directory ***\n\n")
            raise Ended(1)
    files, code = yield from inputs(call, names)
    letters = "".join(flag[1:] for flag in flags if flag[0] == "-" and not flag.startswith("--"))
    data = b"".join(data for _, data in files)
    if not call.stdout_tty or not files:
        for _, one in files:
            rows = one.decode("utf-8", "surrogateescape").splitlines(keepends=True)
            call.out("".join(f"{n:7d} {row}" for n, row in enumerate(rows, 1)) if "N" in letters else one)
        return code
    name = names[0] if names else ""
    pager = Pager(call, data[:MAX_TEXT].decode("utf-8", "surrogateescape"), name, letters, more=name_of(call) == "more")
    if pager.fits and ("F" in letters or name_of(call) == "more"):
        call.out(data)
        return code
    for flag in flags:
        if flag.startswith("+"):
            pager.start(flag[1:])
    yield from pager.run()
    return code


class Pager:
    """Text on a screen, a page at a time."""

    def __init__(self, call: Call, text: str, name: str, flags: str, *, more: bool = False) -> None:
        self.screen = Screen(call, "cbreak", alternate=not more and "X" not in flags)
        self.lines = re.sub(r"\x1b\[[0-9;]*m", "", text).removesuffix("\n").split("\n")
        self.name, self.more = name, more
        self.numbers = "N" in flags
        self.chop = "S" in flags
        self.ignore_case = "i" in flags.lower()
        self.top = 0
        self.message = ""
        self.pattern: re.Pattern[str] | None = None
        self.forward = True
        self.left = 0

    @property
    def height(self) -> int:
        """Rows for text."""
        return max(self.screen.rows - 1, 1)

    @property
    def fits(self) -> bool:
        """Whether one screen shows everything."""
        return len(self.lines) <= self.height

    @property
    def last(self) -> int:
        """The highest line that may be at the top."""
        return max(len(self.lines) - self.height, 0)

    def start(self, command: str) -> None:
        """What `+command` does first."""
        if command.startswith("/"):
            self.search(command[1:], True)
        elif command == "G":
            self.top = self.last
        elif command.isdigit():
            self.top = min(int(command) - 1, len(self.lines) - 1)

    def draw(self, prompt: str = "") -> None:
        """Show the page."""
        rows: list[str] = []
        margin = 8 if self.numbers else 0
        size = max(self.screen.columns - margin, 1)
        for number in range(self.top, len(self.lines)):
            cells = shown(self.lines[number][self.left :])
            part, used, first = "", 0, True
            pieces = []
            for text, wide in cells:
                if used + wide > size:
                    pieces.append(part)
                    part, used = "", 0
                    if self.chop:
                        break
                part, used = part + text, used + wide
            else:
                pieces.append(part)
            for piece in pieces:
                rows.append(
                    (f"{number + 1:7d} " if first else " " * margin) + self._marked(piece) if margin else self._marked(piece)
                )
                first = False
            if len(rows) >= self.height:
                break
        rows = rows[: self.height] + ["~"] * (self.height - len(rows))
        status = prompt or self.message or self._status()
        self.message = ""
        rows.append(status if prompt else f"\x1b[7m{status}\x1b[m" if status != ":" else ":")
        self.screen.paint(rows, (self.height, min(len(status), self.screen.columns - 1)))

    def _marked(self, text: str) -> str:
        if self.pattern is None:
            return text
        return self.pattern.sub(lambda m: f"\x1b[7m{m.group()}\x1b[m" if m.group() else "", text)

    def _status(self) -> str:
        end = self.top + self.height >= len(self.lines)
        if self.more:
            return "(END)" if end else f"--More--({min((self.top + self.height) * 100 // len(self.lines), 99)}%)"
        if end:
            return "(END)"
        return self.name if self.top == 0 and self.name else ":"

    def search(self, text: str, forward: bool, *, again: bool = False) -> None:
        """Go to the next line that matches."""
        if text:
            try:
                self.pattern = patterns.compile_search(
                    "\\v" + text.replace("<", "\\<"), ignore_case=self.ignore_case, smart_case=True
                )
            except patterns.BadSearch:
                self.message = "Pattern error"
                return
            self.forward = forward
        if self.pattern is None:
            self.message = "No previous regular expression"
            return
        order = range(self.top + (1 if again or self.top else 0), len(self.lines)) if forward else range(self.top - 1, -1, -1)
        found = next((n for n in order if self.pattern.search(self.lines[n])), None)
        if found is None:
            self.message = "Pattern not found  (press RETURN)"
        else:
            self.top = found

    def ask(self, mark: str) -> Generator[Wait, Any, str | None]:
        """A line typed at the bottom."""
        text = ""
        while True:
            self.draw(mark + text)
            key = yield from self.screen.key()
            if key in ("<Esc>", "<C-c>", "<C-g>") or (key == "<BS>" and not text):
                return None
            if key == "<CR>":
                return text
            if key == "<BS>":
                text = text[:-1]
            elif len(key) == 1:
                text += key

    def run(self) -> Generator[Wait, Any, None]:
        """Until `q`."""
        with self.screen:
            number = ""
            while True:
                if not self.screen.ready():
                    self.draw(f":{number}" if number else "")
                try:
                    key = yield from self.screen.key()
                except Closed:
                    return
                if key.isdigit():
                    number += key
                    continue
                count, number = (int(number[:7]) if number else None), ""
                if key in ("q", "Q", "Z") or (self.more and key in (" ", "<CR>") and self.top >= self.last):
                    return
                yield from self.act(key, count)
                self.top = min(max(self.top, 0), max(len(self.lines) - 1, 0))

    def act(self, key: str, count: int | None) -> Generator[Wait, Any, None]:
        """One key."""
        n = count or 1
        half = max(self.height // 2, 1)
        moves = {
            "j": n, "<CR>": n, "<Down>": n, "e": n, "<C-n>": n, "<C-e>": n, "k": -n, "<Up>": -n, "y": -n, "<C-p>": -n, "<C-y>": -n,
            " ": self.height * n, "f": self.height * n, "<PageDown>": self.height * n, "<C-f>": self.height * n, "<C-v>": self.height * n,
            "z": self.height * n, "b": -self.height * n, "<PageUp>": -self.height * n, "<C-b>": -self.height * n, "w": -self.height * n,
            "d": count or half, "<C-d>": count or half, "u": -(count or half), "<C-u>": -(count or half),
        }  # fmt: skip
        if key in moves:
            self.top = min(max(self.top + moves[key], 0), max(self.last, self.top if moves[key] > 0 else 0))
        elif key in ("g", "<", "<Home>"):
            self.top = min(n - 1, self.last)
        elif key in ("G", ">", "<End>", "F"):
            self.top = self.last if count is None else min(count - 1, len(self.lines) - 1)
        elif key in ("p", "%"):
            self.top = min(len(self.lines) * min(n, 100) // 100, self.last)
        elif key in ("/", "?"):
            text = yield from self.ask(key)
            if text is not None:
                self.search(text, key == "/", again=not text)
        elif key in ("n", "N"):
            self.search("", self.forward == (key == "n"), again=True)
        elif key in ("<Right>", "<Left>"):
            self.left = max(self.left + (self.screen.columns // 2) * (1 if key == "<Right>" else -1), 0)
        elif key == "-":
            option = yield from self.screen.key()
            self.numbers ^= option == "N"
            self.chop ^= option == "S"
            self.ignore_case ^= option in "iI"
        elif key in ("r", "<C-l>", "<C-r>", "R", "<Resize>"):
            self.screen.drawn = []
        elif key == "=" or key == "<C-g>":
            self.message = f"{self.name} lines {self.top + 1}-{min(self.top + self.height, len(self.lines))}/{len(self.lines)}"
        elif key == ":":
            text = yield from self.ask(":")
            if text == "q":
                raise Ended(0)
        elif key == "h":
            self.message = "not simulated in Slipway yet: help  (q quits, SPACE a page, b back, / search, g and G the ends)"

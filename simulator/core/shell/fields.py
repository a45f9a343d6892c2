"""Fields of an expansion: pieces of text, quoted or not, and how they are quoted again."""

from __future__ import annotations

import re

from .scanning import escape
from .syntax import Lit, Tilde, Word

Field = list[tuple[str, bool]]


class ExpansionError(Exception):
    """An expansion failed: the message without `bash: `; the command is not run."""

    def __init__(self, text: str, fatal: bool = False) -> None:
        super().__init__(text)
        self.fatal = fatal


class Fields:
    """Fields under construction."""

    __slots__ = ("done", "open")

    def __init__(self) -> None:
        self.done: list[Field] = []
        self.open: Field | None = None

    def add(self, text: str, quoted: bool) -> None:
        """Text to the open field."""
        if self.open is None:
            self.open = []
        self.open.append((text, quoted))

    def cut(self) -> None:
        """End the open field."""
        if self.open is not None:
            self.done.append(self.open)
            self.open = None

    def split(self, text: str, ifs: str) -> None:
        """Unquoted text, split at IFS."""
        if not ifs:
            if text:
                self.add(text, False)
            return
        white = "".join(c for c in ifs if c in " \t\n")
        hard = "".join(c for c in ifs if c not in " \t\n")
        word: list[str] = []
        at, size = 0, len(text)
        while at < size:
            c = text[at]
            if c not in ifs:
                word.append(c)
                at += 1
                continue
            if word:
                self.add("".join(word), False)
                word = []
            seen_hard = False
            while at < size and (text[at] in white or (text[at] in hard and not seen_hard)):
                seen_hard = seen_hard or text[at] in hard
                at += 1
            if seen_hard and self.open is None:
                self.add("", True)
            self.cut()
        if word:
            self.add("".join(word), False)


def _tildes(word: Word) -> Word:
    """In an assignment a tilde also counts after a colon: the word with its text cut there."""
    out: Word = []
    for part in word:
        if isinstance(part, Lit) and not part.quoted and ":~" in part.text:
            first, *rest = part.text.split(":~")
            out.append(Lit(first + ":"))
            for number, piece in enumerate(rest):
                name, slash, more = piece.partition("/")
                out.append(Tilde("~" + name))
                out.append(Lit(slash + more + (":" if number < len(rest) - 1 else "")))
        else:
            out.append(part)
    return out


def quote(text: str) -> str:
    """`${x@Q}`: the text quoted for the shell."""
    if any(ord(c) < 32 or ord(c) == 127 for c in text):
        names = {
            "\n": "\\n",
            "\t": "\\t",
            "\r": "\\r",
            "\x1b": "\\E",
            "\a": "\\a",
            "\b": "\\b",
            "\f": "\\f",
            "\v": "\\v",
            "'": "\\'",
            "\\": "\\\\",
        }
        return "$'" + "".join(names.get(c, c if ord(c) >= 32 and ord(c) != 127 else f"\\{ord(c):03o}") for c in text) + "'"
    return "'" + text.replace("'", "'\\''") + "'"


def shell_quote(text: str) -> str:
    """As `printf %q` prints it."""
    if not text:
        return "''"
    if any(ord(c) < 32 or ord(c) == 127 for c in text):
        return quote(text)
    return re.sub(r"([^\w@%+=:./,\-\u0080-\U0010ffff]|^~|^#)", r"\\\1", text)


def unescape_all(text: str) -> str:
    """Backslash escapes as `$'…'` reads them."""
    out, at = [], 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            found, at = escape(text, at + 1)
            out.append(found)
        else:
            out.append(text[at])
            at += 1
    return "".join(out)

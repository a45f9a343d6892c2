"""What the lexer looks for: character classes, escapes, matching closers, its two errors."""

from __future__ import annotations

import re

META = " \t\n;&|<>()"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
ASSIGN = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\[)?")
SPECIAL = "@*#?-$!_0123456789"
ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "E": "\x1b",
    "f": "\f",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "?": "?",
}
MAX_DEPTH = 60


class ShellSyntaxError(Exception):
    """The text is wrong; the message is what bash prints after `bash: `."""


class Incomplete(Exception):
    """The text may become right with more lines; `want` is what closes it (for the message at the end of a file)."""

    def __init__(self, want: str = "") -> None:
        super().__init__(want)
        self.want = want


DQ = '"'


def closing(src: str, at: int, closer: str) -> int | None:
    """The index of the closer that matches, past quotes and nested brackets; None when there is none."""
    pairs = {")": "(", "]": "[", "}": "{", "))": "("}
    opener = pairs[closer]
    single = closer[0]
    depth = 0
    while at < len(src):
        c = src[at]
        if c == "\\":
            at += 2
            continue
        if c == "'":
            end = src.find("'", at + 1)
            at = len(src) if end < 0 else end + 1
            continue
        if c == '"':
            at += 1
            while at < len(src) and src[at] != '"':
                at += 2 if src[at] == "\\" else 1
            at += 1
            continue
        if c == opener:
            depth += 1
        elif c == single:
            if depth == 0:
                return at if src.startswith(closer, at) else None
            depth -= 1
        at += 1
    return None


def escape(src: str, at: int) -> tuple[str, int]:
    """An ANSI-C escape after its backslash: (text, position after it)."""
    c = src[at] if at < len(src) else "\\"
    if c in ESCAPES:
        return ESCAPES[c], at + 1
    if c in "01234567":
        match = re.compile(r"[0-7]{1,3}").match(src, at)
        assert match
        return _byte(int(match.group(), 8) & 0xFF), match.end()
    if c == "x":
        match = re.compile(r"[0-9a-fA-F]{1,2}").match(src, at + 1)
        return (_byte(int(match.group(), 16)), match.end()) if match else ("\\x", at + 1)
    if c in "uU":
        match = re.compile(rf"[0-9a-fA-F]{{1,{4 if c == 'u' else 8}}}").match(src, at + 1)
        if match and int(match.group(), 16) < 0x110000:
            return chr(int(match.group(), 16)), match.end()
        return "\\" + c, at + 1
    if c == "c" and at + 1 < len(src):
        return chr(ord(src[at + 1].upper()) ^ 0x40), at + 2
    return "\\" + c, at + 1


def _byte(value: int) -> str:
    return chr(value) if value < 128 else bytes([value]).decode("utf-8", "surrogateescape")

"""Parser of sed scripts."""

from __future__ import annotations

import re
from typing import Any

from . import regexes

#: Escapes that sed reads within brackets as well.
BLANKS = {"t": "\t", "f": "\f", "v": "\v", "a": "\a", "r": "\r"}


class SedError(Exception):
    """A wrong program: the message of `sed: -e expression #1, char N:`."""

    def __init__(self, text: str, at: int) -> None:
        super().__init__(text)
        self.at = at


class _Command:
    __slots__ = ("active", "args", "end", "first", "name", "negate", "second", "target")

    def __init__(self) -> None:
        self.first: Any = None
        self.second: Any = None
        self.negate = False
        self.name = ""
        self.args: Any = None
        self.active = False
        self.end = 0
        self.target = -1


class _Parser:
    def __init__(self, text: str, extended: bool) -> None:
        self.text, self.extended, self.at = text, extended, 0
        self.commands: list[_Command] = []

    def fail(self, why: str) -> SedError:
        return SedError(why, self.at)

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def parse(self) -> list[_Command]:
        blocks: list[int] = []
        while True:
            while self.peek() and self.peek() in " \t\n;":
                self.at += 1
            if not self.peek():
                break
            if self.peek() == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
                continue
            command = _Command()
            command.first = self.address()
            if command.first is not None:
                self.blanks()
                if self.peek() == ",":
                    self.at += 1
                    self.blanks()
                    command.second = self.address(second=True)
                    if command.second is None:
                        raise self.fail("unexpected `,'")
            self.blanks()
            while self.peek() == "!":
                command.negate = True
                self.at += 1
                self.blanks()
            command.name = self.peek()
            self.at += 1
            if not command.name:
                raise self.fail("missing command")
            self.arguments(command, blocks)
            self.commands.append(command)
        if blocks:
            raise SedError("unmatched `{'", 0)
        labels = {c.args: n for n, c in enumerate(self.commands) if c.name == ":"}
        for c in self.commands:
            if c.name in "btT" and c.args:
                if c.args not in labels:
                    raise SedError(f"can't find label for jump to `{c.args}'", -1)
                c.target = labels[c.args]
        return self.commands

    def blanks(self) -> None:
        while self.peek() and self.peek() in " \t":
            self.at += 1

    def address(self, second: bool = False) -> Any:
        c = self.peek()
        if c.isdigit():
            match = re.compile(r"(\d+)(?:~(\d+))?").match(self.text, self.at)
            assert match
            self.at = match.end()
            return ("step", int(match.group(1)), int(match.group(2))) if match.group(2) else ("line", int(match.group(1)))
        if second and c in ("+", "~"):
            match = re.compile(r"[+~](\d+)").match(self.text, self.at)
            if match:
                self.at = match.end()
                return ("plus" if c == "+" else "multiple", int(match.group(1)))
        if c == "$":
            self.at += 1
            return ("last",)
        if c == "/" or c == "\\":
            delimiter = c
            self.at += 1
            if c == "\\":
                delimiter = self.peek()
                self.at += 1
            body = self.until(delimiter, "unterminated address regex")
            flags = ""
            while self.peek() and self.peek() in "IM":
                flags += self.peek()
                self.at += 1
            return ("regex", self.regex(body, "I" in flags, "M" in flags))
        return None

    def regex(self, body: str, ignore: bool = False, multiline: bool = False) -> re.Pattern[str] | None:
        if not body:
            return None
        try:
            return regexes.compile_posix(body, extended=self.extended, ignore_case=ignore, multiline=multiline)
        except regexes.BadPattern as failed:
            raise self.fail(str(failed)) from None

    def until(self, delimiter: str, why: str, keep: bool = True) -> str:
        out, bracket = "", False
        while True:
            c = self.peek()
            if not c or (c == "\n" and why.startswith("unterminated address")):
                raise self.fail(why)
            self.at += 1
            if c == "\\":
                after = self.peek()
                self.at += 1
                out += (
                    after
                    if after == delimiter and delimiter not in ".*[]^$+?(){}|\\"
                    else ("\n" if after == "n" and keep else BLANKS[after] if bracket and after in BLANKS else c + after)
                )
                continue
            if c == "[" and keep and not bracket and "]" in self.text[self.at :]:
                bracket = True
                out += c
                for extra in ("^", "]"):
                    if self.peek() == extra:
                        out += extra
                        self.at += 1
                continue
            if c == "]" and bracket:
                bracket = False
            if c == delimiter and not bracket:
                return out
            out += c

    def arguments(self, command: _Command, blocks: list[int]) -> None:
        name = command.name
        if name == "{":
            blocks.append(len(self.commands))
            return
        if name == "}":
            if not blocks:
                raise self.fail("unexpected `}'")
            self.commands[blocks.pop()].target = len(self.commands)
        elif name == "s":
            self.substitute(command)
        elif name == "y":
            delimiter = self.peek()
            self.at += 1
            a = self.until(delimiter, "unterminated `y' command", keep=False)
            b = self.until(delimiter, "unterminated `y' command", keep=False)
            a, b = (re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m.group(1), m.group(1)), part) for part in (a, b))
            if len(a) != len(b):
                raise self.fail("strings for `y' command are different lengths")
            command.args = str.maketrans(a, b)
        elif name in "aic":
            self.text_argument(command)
            return
        elif name in ":btT":
            self.blanks()
            match = re.compile(r"[^\n;}]*" if name != ":" else r"[^\n;]*").match(self.text, self.at)
            assert match
            command.args = match.group().strip()
            if name == ":" and not command.args:
                raise self.fail('":" lacks a label')
            self.at = match.end()
        elif name in "rwR":
            self.blanks()
            end = self.text.find("\n", self.at)
            end = len(self.text) if end < 0 else end
            command.args = self.text[self.at : end]
            self.at = end
        elif name in "qQlL":
            self.blanks()
            match = re.compile(r"\d*").match(self.text, self.at)
            assert match
            command.args = int(match.group() or 0)
            self.at = match.end()
        elif name not in "dDpPnNhHgGx=zF":
            raise self.fail(f"unknown command: `{name}'")
        self.blanks()
        if self.peek() and self.peek() not in ";\n}#":
            raise self.fail("extra characters after command")

    def text_argument(self, command: _Command) -> None:
        self.blanks()
        if self.peek() == "\\":
            self.at += 1
            start = self.at
            self.blanks()
            if self.peek() == "\n":
                self.at += 1
            else:
                self.at = start  # blanks behind the backslash are text
        out = ""
        while self.peek():
            c = self.peek()
            self.at += 1
            if c == "\\":
                out += {"n": "\n", "t": "\t"}.get(self.peek(), self.peek())
                self.at += 1
            elif c == "\n":
                break
            else:
                out += c
        if not out and not self.text.endswith("\n"):
            raise self.fail("expected \\ after `a', `c' or `i'")
        command.args = out + "\n"

    def substitute(self, command: _Command) -> None:
        delimiter = self.peek()
        self.at += 1
        pattern = self.until(delimiter, "unterminated `s' command")
        replacement = self.until(delimiter, "unterminated `s' command", keep=False)
        flags = {"g": False, "p": False, "i": False, "m": False, "e": False}
        number, target, counted = 1, "", False
        while self.peek() and self.peek() not in ";\n}# \t":
            c = self.peek()
            if c.isdigit():
                match = re.compile(r"\d+").match(self.text, self.at)
                assert match
                if counted:
                    self.at += 1
                    raise self.fail("multiple number options to `s' command")
                counted = True
                number = int(match.group())
                if number == 0:
                    raise self.fail("number option to `s' command may not be zero")
                self.at = match.end()
                continue
            self.at += 1
            if c == "w":
                self.blanks()
                end = self.text.find("\n", self.at)
                end = len(self.text) if end < 0 else end
                target, self.at = self.text[self.at : end], end
                break
            if c.lower() not in flags or c == "e":
                raise self.fail("unknown option to `s'")
            if c in "gp" and flags[c]:
                raise self.fail(f"multiple `{c}' options to `s' command")
            flags[c.lower()] = True
        compiled = self.regex(pattern, flags["i"], flags["m"])
        pieces = _replacement(replacement)
        groups = compiled.groups if compiled is not None else 9
        for piece in pieces:
            if isinstance(piece, int) and piece > groups:
                raise self.fail(f"invalid reference \\{piece} on `s' command's RHS")
        command.args = (compiled, pieces, flags, number, target)


def _replacement(text: str) -> list[Any]:
    """Literal texts, group numbers, and case marks ("\\U" …) as one-element tuples."""
    out: list[Any] = []
    literal = ""
    at = 0
    while at < len(text):
        c = text[at]
        at += 1
        piece: Any = None
        if c == "&":
            piece = 0
        elif c == "\\" and at < len(text):
            c = text[at]
            at += 1
            if c.isdigit():
                piece = int(c)
            elif c in "ULEul":
                piece = (c,)
            else:
                literal += {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "f": "\f", "v": "\v"}.get(c, c)
                continue
        if piece is None:
            literal += c
            continue
        if literal:
            out.append(literal)
            literal = ""
        out.append(piece)
    if literal:
        out.append(literal)
    return out

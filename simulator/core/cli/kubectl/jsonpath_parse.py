"""The parser of kubectl's JSONPath templates: text to nodes (`client-go/util/jsonpath/parser.go`, `node.go`)."""

from __future__ import annotations

import re
from typing import Any, NamedTuple


class JSONPathError(Exception):
    """A template that cannot be parsed or evaluated; the text is client-go's."""


class Text(NamedTuple):
    """Literal text."""

    text: str


class FieldNode(NamedTuple):
    """`.name`."""

    name: str


class Slice(NamedTuple):
    """`[start:end:step]`; `derived` when only an index was given."""

    start: int | None
    end: int | None
    step: int | None
    derived: bool


class Filter(NamedTuple):
    """`[?(left op right)]`."""

    left: list[Any]
    right: list[Any]
    operator: str


class Union(NamedTuple):
    """`[a,b]`."""

    choices: list[list[Any]]


class Word(NamedTuple):
    """`range` or `end`."""

    name: str


class Literal(NamedTuple):
    """A number or boolean."""

    value: Any


WILDCARD, RECURSIVE = "wildcard", "recursive"
_TERMINATORS = frozenset(" \t\r\n.,[]$@{}")
_SLICE = re.compile(r"(-?\d*)(:-?\d*)?(:-?\d*)?")
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)", re.DOTALL)
OPERATORS = ("<", ">", "==", "!=", "<=", ">=")


class Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def root(self) -> list[list[Any]]:
        """Text nodes and actions in order; each is a list of nodes."""
        nodes: list[list[Any]] = []
        while True:
            brace = self.text.find("{", self.at)
            if brace < 0:
                if self.at < len(self.text):
                    nodes.append([Text(self.text[self.at :])])
                return nodes
            if brace > self.at:
                nodes.append([Text(self.text[self.at : brace])])
            self.at = brace + 1
            nodes.append(self.action())

    def action(self) -> list[Any]:
        """What stands between braces."""
        nodes: list[Any] = []
        text = self.text
        while True:
            char = text[self.at : self.at + 1]
            if char == "}":
                self.at += 1
                return nodes
            if text.startswith("[?(", self.at):
                nodes.append(self.filter())
            elif text.startswith("..", self.at):
                if nodes and nodes[-1] is RECURSIVE:
                    raise JSONPathError("invalid multiple recursive descent")
                self.at += 2
                nodes.append(RECURSIVE)
                following = text[self.at : self.at + 1]
                if following == "_" or following.isalnum():
                    nodes.append(self.field())
            elif char == "" or char in "\r\n":
                raise JSONPathError("unclosed action")
            elif char in " @$":
                self.at += 1
            elif char == "[":
                nodes += self.array()
            elif char in "\"'":
                nodes.append(Text(self.quoted(char)))
            elif char == ".":
                self.at += 1
                nodes.append(self.field())
            elif char in "+-" or char.isdigit():
                nodes.append(self.number())
            elif char == "_" or char.isalnum():
                nodes.append(self.identifier())
            else:
                raise JSONPathError(f"unrecognized character in action: U+{ord(char):04X} '{char}'")

    def field(self) -> Any:
        start = self.at
        while self.at < len(self.text):
            if self.text[self.at] == "\\":
                self.at += 2
            elif self.text[self.at] in _TERMINATORS:
                break
            else:
                self.at += 1
        name = self.text[start : self.at]
        return WILDCARD if name == "*" else FieldNode(name.replace("\\", ""))

    def identifier(self) -> Any:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in _TERMINATORS:
            self.at += 1
        word = self.text[start : self.at]
        return Literal(word == "true") if word in ("true", "false") else Word(word)

    def number(self) -> Literal:
        match = re.compile(r"[-+]?[\d.]*").match(self.text, self.at)
        value = match[0] if match else ""
        self.at += len(value)
        try:
            return Literal(int(value) if "." not in value else float(value))
        except ValueError:
            raise JSONPathError(f"cannot parse number {value}") from None

    def quoted(self, end: str) -> str:
        start = self.at
        self.at += 1
        while True:
            char = self.text[self.at : self.at + 1]
            if char in ("", "\n"):
                raise JSONPathError("unterminated quoted string")
            self.at += 1
            if char == end and self.text[self.at - 2] != "\\":
                break
        return unquote(self.text[start + 1 : self.at - 1], self.text[start : self.at])

    def array(self) -> list[Any]:
        end = self.at
        while self.text[end : end + 1] != "]":
            if self.text[end : end + 1] in ("", "\n"):
                raise JSONPathError("unterminated array")
            end += 1
        inner = self.text[self.at + 1 : end]
        self.at = end + 1
        if inner == "*":
            inner = ":"
        choices = inner.split(",")
        if len(choices) > 1:
            return [Union([Parser("{[" + choice.strip(" ") + "]}").root()[0] for choice in choices])]
        key = re.fullmatch(r"'([^']*)'", inner)
        if key is not None:
            return Parser("{." + key[1] + "}").root()[0]
        match = _SLICE.fullmatch(inner)
        if match is None:
            raise JSONPathError(f"invalid array index {inner}")
        return [_slice(match)]

    def filter(self) -> Filter:
        self.at += 3
        start, begin, end, pair = self.at, False, False, ""
        while True:
            char = self.text[self.at : self.at + 1]
            self.at += 1
            if char in ("", "\n"):
                raise JSONPathError("unterminated filter")
            if char in "\"'":
                if not begin:
                    begin, pair = True, char
                elif self.text[self.at - 2] != "\\" and char == pair:
                    end = True
            elif char == ")" and begin == end:
                break
        if self.text[self.at : self.at + 1] != "]":
            raise JSONPathError("unclosed array expect ]")
        inner = self.text[start : self.at - 1]
        self.at += 1
        match = _COMPARISON.fullmatch(inner)
        if match is None:
            return Filter(_one(inner), [], "exists")
        return Filter(_one(match[1]), _one(match[3]), match[2])


def _one(text: str) -> list[Any]:
    return Parser("{" + text + "}").root()[0]


def _slice(match: re.Match[str]) -> Slice:
    start = int(match[1]) if match[1] not in ("", "-") else None
    if match[2]:
        end, derived = (int(match[2][1:]) if match[2] != ":" else None), False
    else:
        end, derived = (start or 0) + 1, True
    step = int(match[3][1:]) if match[3] and match[3] != ":" else None
    return Slice(start, end, step, derived)


_UNQUOTE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", "'": "'", '"': '"'}


def unquote(inner: str, whole: str) -> str:
    """Go's unquoting of escapes in a quoted text."""

    def one(match: re.Match[str]) -> str:
        body = match[1]
        if body[0] in "xuU":
            return chr(int(body[1:], 16))
        if body[0] in "01234567":
            return chr(int(body, 8))
        if body[0] in _UNQUOTE:
            return _UNQUOTE[body[0]]
        raise JSONPathError(f"unquote string {whole} error invalid syntax")

    return re.sub(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", one, inner, flags=re.DOTALL)

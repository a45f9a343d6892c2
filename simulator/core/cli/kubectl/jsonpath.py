"""kubectl's JSONPath templates (`client-go/util/jsonpath/parser.go`, `jsonpath.go`).

A template is text with actions in braces: fields, indexes, slices, unions, filters, wildcards, recursive descent, quoted text, `range`
and `end`.  Results that are maps or lists print as compact JSON, several results are joined with a blank.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ..goyaml import format_number
from .jsontext import compact, indented

MAX_RESULTS = 200_000


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
_OPERATORS = ("<", ">", "==", "!=", "<=", ">=")


class _Parser:
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
            return [Union([_Parser("{[" + choice.strip(" ") + "]}").root()[0] for choice in choices])]
        key = re.fullmatch(r"'([^']*)'", inner)
        if key is not None:
            return _Parser("{." + key[1] + "}").root()[0]
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
    return _Parser("{" + text + "}").root()[0]


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


def go_type(value: Any) -> str:
    """The Go type that unstructured data of this shape has."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "map[string]interface {}"
    return "[]interface {}" if isinstance(value, list) else "int64" if isinstance(value, int) else "float64"


def to_text(value: Any) -> str:
    """A scalar as the template prints it."""
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return compact(value)
    return value if isinstance(value, str) else format_number(value)


class JSONPath:
    """A parsed template.  `allow_missing` gives nothing for a missing key instead of an error."""

    def __init__(self, template: str, *, allow_missing: bool = False, as_json: bool = False) -> None:
        self.nodes = _Parser(template).root()
        self.allow_missing = allow_missing
        self.as_json = as_json

    def find(self, data: Any) -> list[list[Any]]:
        """The results of each action and text, in order (`FindResults`)."""
        results, _ = self._run(data, 0, False, 0)
        return results

    def execute(self, data: Any) -> str:
        """The text of the template for `data`."""
        return "".join(self._print(results) for results in self.find(data))

    def _print(self, results: list[Any]) -> str:
        if self.as_json:
            return indented(results, 4, sort=True) + "\n"
        return " ".join(to_text(item) for item in results)

    def _run(self, data: Any, at: int, inside: bool, depth: int) -> tuple[list[list[Any]], int]:
        """Evaluate nodes from `at`; inside a range stop at its `end`, whose index is returned."""
        if depth > 50:
            raise JSONPathError("template nests too deeply")
        full: list[list[Any]] = []
        while at < len(self.nodes):
            results, word = self._list([data], self.nodes[at])
            if word == "end":
                if not inside:
                    raise JSONPathError("not in range, nothing to end")
                return full, at
            if word == "range":
                last = at
                for item in results:
                    inner, last = self._run(item, at + 1, True, depth + 1)
                    full += inner
                    if len(full) > MAX_RESULTS:
                        raise JSONPathError("too many results")
                if not results:
                    last = self._matching_end(at)
                at = last
            else:
                full.append(results)
            at += 1
        return full, at

    def _matching_end(self, at: int) -> int:
        depth = 0
        for index in range(at, len(self.nodes)):
            for node in self.nodes[index]:
                if isinstance(node, Word):
                    depth += 1 if node.name == "range" else -1
            if depth == 0:
                return index
        return len(self.nodes)

    def _list(self, values: list[Any], nodes: list[Any]) -> tuple[list[Any], str]:
        word = ""
        for node in nodes:
            if isinstance(node, Word):
                if node.name not in ("range", "end"):
                    raise JSONPathError(f"unrecognized identifier {node.name}")
                word = node.name
                if word == "end":
                    values = []
            else:
                values = self._walk(values, node)
        return values, word

    def _walk(self, values: list[Any], node: Any) -> list[Any]:
        if isinstance(node, Text):
            return [node.text]
        if isinstance(node, FieldNode):
            return self._field(values, node.name)
        if isinstance(node, Slice):
            return [item for value in values for item in _sliced(value, node)]
        if isinstance(node, Literal):
            return [node.value for _ in values]
        if isinstance(node, Union):
            return [item for choice in node.choices for item in self._list(values, choice)[0]]
        if isinstance(node, Filter):
            return self._filter(values, node)
        if node is WILDCARD:
            return [item for value in values for item in _children(value)]
        return [item for value in values for item in _descend(value, 0)]

    def _field(self, values: list[Any], name: str) -> list[Any]:
        if not values:
            return []
        found = [value[name] for value in values if isinstance(value, dict) and name in value]
        if not found and not self.allow_missing:
            raise JSONPathError(f"{name} is not found")
        return found

    def _filter(self, values: list[Any], node: Filter) -> list[Any]:
        found = []
        for value in values:
            if not isinstance(value, list):
                raise JSONPathError(f"{go_value(value)} is not array or slice and cannot be filtered")
            for item in value:
                try:
                    lefts, _ = self._list([item], node.left)
                except JSONPathError:
                    if node.operator == "exists":
                        continue
                    raise
                if node.operator == "exists":
                    if lefts:
                        found.append(item)
                    continue
                rights, _ = self._list([item], node.right)
                if not lefts or not rights:
                    continue
                if len(lefts) > 1 or len(rights) > 1:
                    raise JSONPathError("can only compare one element at a time")
                if compare(lefts[0], rights[0], node.operator):
                    found.append(item)
        return found


def compare(left: Any, right: Any, operator: str) -> bool:
    """A filter's comparison; raises JSONPathError for types that cannot be compared."""
    if operator not in _OPERATORS:
        raise JSONPathError(f"unrecognized filter operator {operator}")
    kinds = tuple(
        "bool" if isinstance(v, bool) else "number" if isinstance(v, (int, float)) else "string" if isinstance(v, str) else ""
        for v in (left, right)
    )
    if "" in kinds:
        raise JSONPathError("invalid type for comparison")
    if kinds[0] != kinds[1]:
        raise JSONPathError("incompatible types for comparison")
    if operator in ("==", "!="):
        return bool((left == right) == (operator == "=="))
    if kinds[0] == "bool":
        raise JSONPathError("invalid type for comparison")
    return bool({"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[operator])


def go_value(value: Any) -> str:
    """A value as Go's `%v` prints it: `map[a:1 b:[x y]]`."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_value(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_value(item) for item in value) + "]"
    return "<nil>" if value is None else to_text(value)


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    if isinstance(value, list):
        return list(value)
    return [ord(char) for char in value] if isinstance(value, str) else []


def _descend(value: Any, depth: int) -> list[Any]:
    """The value and everything below it that has children (strings are left out: no template can look into them usefully)."""
    if depth > 100:
        raise JSONPathError("object nests too deeply")
    if isinstance(value, str) or not _children(value):
        return []
    out = [value]
    for item in _children(value):
        out += _descend(item, depth + 1)
    return out


def _sliced(value: Any, node: Slice) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise JSONPathError(f"{go_type(value)} is not array or slice")
    size = len(value)
    start = node.start or 0
    start = start + size if start < 0 else start
    end = size if node.end is None else node.end
    if end < 0 or (end == 0 and node.derived):
        end += size
    if end == start:
        return []
    if start >= size or start < 0:
        raise JSONPathError(f"array index out of bounds: index {start}, length {size}")
    if end > size or end < 0:
        raise JSONPathError(f"array index out of bounds: index {end - 1}, length {size}")
    if start > end:
        raise JSONPathError(f"starting index {start} is greater than ending index {end}")
    if node.step is not None and node.step <= 0:
        raise JSONPathError("step must be > 0")
    return value[start : end : node.step]

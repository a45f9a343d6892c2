"""kubectl's JSONPath templates (`client-go/util/jsonpath/parser.go`, `jsonpath.go`).

A template is text with actions in braces: fields, indexes, slices, unions, filters, wildcards, recursive descent, quoted text, `range`
and `end`.  Results that are maps or lists print as compact JSON, several results are joined with a blank.
"""

from __future__ import annotations

from typing import Any

from ..goyaml import format_number
from .jsonpath_parse import (
    OPERATORS,
    WILDCARD,
    FieldNode,
    Filter,
    JSONPathError,
    Literal,
    Parser,
    Slice,
    Text,
    Union,
    Word,
    unquote,
)
from .jsontext import compact, indented

__all__ = ["JSONPath", "JSONPathError", "compare", "go_type", "go_value", "to_text", "unquote"]

MAX_RESULTS = 200_000


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
        self.nodes = Parser(template).root()
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
                # A range that nobody ends does not swallow what follows: it is evaluated once more, outside.
                at = last if last < len(self.nodes) else at
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
    if operator not in OPERATORS:
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

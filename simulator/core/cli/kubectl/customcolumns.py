"""`-o custom-columns` (`kubectl/pkg/cmd/get/customcolumn.go`)."""

from __future__ import annotations

from typing import Any

from .errors import CommandError
from .jsonpath import JSONPath, JSONPathError, go_value
from .table import columns, sort_key

Obj = dict[str, Any]


class CustomColumns:
    """Columns given as `HEADER:path,…`, or in a file of two lines: headers, and paths."""

    def __init__(self, spec: str, *, from_file: bool = False, headers: bool = True) -> None:
        self.headers, self.printed = headers, False
        pairs = _from_file(spec) if from_file else _from_spec(spec)
        self.names = [name for name, _ in pairs]
        try:
            self.paths: list[JSONPath | JSONPathError] = [_path(sort_key(path)) for _, path in pairs]
        except JSONPathError as error:
            raise CommandError(str(error)) from None
        self.remembered: list[int] = []

    def text(self, obj: Obj) -> str:
        """The rows of an object or of a list's items, with headers the first time."""
        items = obj["items"] if isinstance(obj.get("items"), list) and str(obj.get("kind", "")).endswith("List") else [obj]
        rows = [self.names] if self.headers and not self.printed else []
        self.printed = True
        for item in items:
            try:
                rows.append([self._cell(path, item) for path in self.paths])
            except CommandError as error:
                raise ColumnError(str(error), columns(rows)) from None
        return columns(rows)

    def _cell(self, path: JSONPath | JSONPathError, item: Obj) -> str:
        if isinstance(path, JSONPathError):
            raise CommandError(str(path))
        try:
            found = path.find(item)
        except JSONPathError as error:
            raise CommandError(str(error)) from None
        if not found or not found[0]:
            return "<none>"
        return ",".join(go_value(value) for results in found for value in results)


def _path(text: str) -> JSONPath | JSONPathError:
    """A parsed column, or what is wrong with it: that is told after the headings."""
    try:
        return JSONPath(text, allow_missing=True)
    except JSONPathError as error:
        return error


class ColumnError(CommandError):
    """A column that cannot be read of an object; `partial` are the rows before it."""

    def __init__(self, message: str, partial: str) -> None:
        super().__init__(message)
        self.partial = partial


def _from_spec(spec: str) -> list[tuple[str, str]]:
    pairs = []
    for part in spec.split(","):
        name, colon, path = part.partition(":")
        if not colon:
            raise CommandError(f"unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>")
        pairs.append((name, path))
    return pairs


def _from_file(text: str) -> list[tuple[str, str]]:
    lines = text.split("\n")
    form = "Expected format is one line of space separated headers, one line of space separated column specs."
    if not text:
        raise CommandError(f"invalid template, missing header line. {form}")
    if len(lines) < 2 or not lines[1]:
        raise CommandError(f"invalid template, missing spec line. {form}")
    names, paths = lines[0].split(), lines[1].split()
    if len(names) != len(paths):
        raise CommandError(f"number of headers ({len(names)}) and field specifications ({len(paths)}) don't match")
    return list(zip(names, paths, strict=True))

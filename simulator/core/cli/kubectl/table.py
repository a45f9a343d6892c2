"""Tables of the server on a terminal (`cli-runtime/pkg/printers/tableprinter.go`, `kubectl/pkg/cmd/get/sorter.go`)."""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from ...kube.api import quantity
from ..goyaml import format_number
from .errors import Fatal
from .jsonpath import JSONPath, JSONPathError, go_type

Obj = dict[str, Any]
MINIMUM, PADDING = 6, 3


class TableOptions(msgspec.Struct, kw_only=True):
    """How a Table is shown."""

    wide: bool = False
    no_headers: bool = False
    with_namespace: bool = False
    kind_prefix: str = ""
    show_labels: bool = False
    label_columns: list[str] = []
    sort_by: str = ""


def columns(rows: list[list[str]], remembered: list[int] | None = None) -> str:
    """Rows of cells aligned by columns three blanks apart and six wide at least; the last column is not padded.

    `remembered` keeps widths from one call to the next, as kubectl does for a watch.
    """
    if not rows:
        return ""
    count = max(len(row) for row in rows)
    widths = [0] * count
    for row in rows:
        for at, cell in enumerate(row[:-1]):
            size = len(cell) + PADDING
            if size > widths[at]:
                widths[at] = size
    widths = [max(width, MINIMUM) if width else 0 for width in widths]
    if remembered is not None:
        for at, width in enumerate(widths):
            if at < len(remembered):
                widths[at] = max(width, remembered[at])
        remembered[:] = widths
    lines = []
    for row in rows:
        last = len(row) - 1
        lines.append("".join(cell if at == last else cell.ljust(widths[at]) for at, cell in enumerate(row)))
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        for at, char in enumerate(value):
            if char in "\f\n\r":
                return value[:at].replace("\t", "\\t") + "..."
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return format_number(value)
    return str(value)


def label_header(key: str) -> str:
    """The heading of `-L key`."""
    return key.split("/")[-1].upper()


def label_text(labels: dict[str, str]) -> str:
    """`a=1,b=2` or `<none>`."""
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels)) or "<none>"


def sort_key(spec: str) -> str:
    """A relaxed JSONPath as `--sort-by` and custom columns take it: `.a.b`, `a.b`, `{.a.b}` (`RelaxedJSONPathExpression`)."""
    text = spec
    if not text:
        return text
    if text[0] == "{" and text[-1] == "}":
        text = text[1:-1]
        return "{." + text.removeprefix(".") + "}"
    if "{" in text or "}" in text:
        raise JSONPathError(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'"
        )
    return "{." + text.removeprefix(".") + "}"


class Unsortable(Exception):
    """Two values that have no order."""


def less(left: Any, right: Any) -> bool:
    """Whether one field sorts before another: null first, quantities by value, then by text or number (`isLess`)."""
    if left is None or right is None:
        return left is None and right is not None
    if isinstance(left, str) and isinstance(right, str):
        try:
            return quantity.compare(left, right) < 0
        except ValueError:
            return left < right
    if isinstance(left, (dict, list, bool)):
        raise Unsortable(f"unsortable type: {go_type(left)}")
    if type(left) is type(right) and isinstance(left, (int, float)):
        return bool(left < right)
    raise Unsortable("unsortable interface: interface")


def sort_objects(objects: list[Any], read: Any, spec: str, kind: str = "*unstructured.Unstructured") -> list[Any]:
    """`objects` by the field `spec` of what `read` gives for each; raises JSONPathError when none has it, Fatal for one without order."""
    if len(objects) == 0:
        return objects
    field = sort_key(spec)
    template = JSONPath(field, allow_missing=True)
    values = []
    for item in objects:
        found = template.find(read(item))
        values.append(found[0][:1] if found else [])
    if not any(values):
        from ..flags import quote

        raise JSONPathError(f"couldn't find any field with path {quote(field)} in the list of objects")
    order = list(range(len(objects)))

    def before(a: int, b: int) -> bool:
        left, right = values[a], values[b]
        try:
            return True if not left else False if not right else less(left[0], right[0])
        except Unsortable as error:
            text = f"Field {field} in {kind} is an unsortable type: interface, err: {error}"
            raise Fatal("sorter.go:396" if kind.startswith("[") else "sorter.go:322", text) from None

    def compare(a: int, b: int) -> int:
        return int(before(b, a)) - int(before(a, b))

    if len(order) > 12:
        order.sort(key=functools.cmp_to_key(compare))
        return [objects[at] for at in order]
    # Insertion sort for short lists as Go's sort has it: an object without the field is less than any other.
    for i in range(1, len(order)):
        j = i
        while j > 0:
            if not before(order[j], order[j - 1]):
                break
            order[j], order[j - 1] = order[j - 1], order[j]
            j -= 1
    return [objects[at] for at in order]


class TablePrinter:
    """Prints Tables one after another: headings once, widths remembered between flushes when `streaming`."""

    def __init__(self, options: TableOptions, *, streaming: bool = False) -> None:
        self.options = options
        self.headings: list[str] = []
        self.definitions: list[Obj] = []
        self.remembered: list[int] | None = [] if streaming else None

    def rows(self, table: Obj, event: str = "") -> list[list[str]]:
        """The lines of a Table as cells, headings first when they are due."""
        options = self.options
        definitions = table.get("columnDefinitions") or self.definitions
        fresh = definitions != self.definitions
        self.definitions = definitions
        rows = table.get("rows") or []
        if not rows:
            return []
        if options.sort_by and len(rows) > 1:
            try:
                rows = sort_objects(rows, lambda row: row.get("object") or {}, options.sort_by, "[][][]reflect.Value")
            except JSONPathError:
                return []
        shown = [at for at, item in enumerate(definitions) if options.wide or not item.get("priority")]
        name_at = (
            next((at for at, item in enumerate(definitions) if item.get("format") == "name"), -1) if options.kind_prefix else -1
        )
        out: list[list[str]] = []
        if fresh and not options.no_headers:
            out.append(self._headings(definitions, shown, event))
        for row in rows:
            out.append(self._row(row, shown, name_at, event))
        return out

    def _headings(self, definitions: list[Obj], shown: list[int], event: str) -> list[str]:
        options = self.options
        out = (["EVENT"] if event else []) + (["NAMESPACE"] if options.with_namespace else [])
        out += [str(definitions[at]["name"]).upper() for at in shown]
        out += [label_header(key) for key in options.label_columns]
        return out + (["LABELS"] if options.show_labels else [])

    def _row(self, row: Obj, shown: list[int], name_at: int, event: str) -> list[str]:
        options, cells = self.options, row["cells"]
        out = [f"{event:<8}"] if event else []
        meta = (row.get("object") or {}).get("metadata") or {}
        if options.with_namespace:
            out.append(meta.get("namespace", ""))
        for at in shown:
            text = _cell(cells[at]) if at < len(cells) else ""
            out.append(f"{options.kind_prefix}/{text}" if at == name_at else text)
        if options.label_columns or options.show_labels:
            labels = meta.get("labels") or {}
            out += [labels.get(key, "") for key in options.label_columns]
            if options.show_labels:
                out.append(label_text(labels))
        return out

    def text(self, table: Obj, event: str = "") -> str:
        """The lines of a Table, aligned."""
        return columns(self.rows(table, event), self.remembered)

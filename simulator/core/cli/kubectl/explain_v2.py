"""`kubectl explain -o plaintext-openapiv2`: the older form of explanations (`kubectl/pkg/explain/{model,fields}_printer.go`, `formatter.go`).

The same documents are read as for the newer form; types are told as the second version of OpenAPI knows them (`Object` for any type with
fields), lines end at 80 columns, and wrapping joins lines that are not lists, code or ended by a colon.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..flags import quote
from .errors import CommandError
from .mapper import Mapping

if TYPE_CHECKING:
    from .commands.explain import Document

Obj = dict[str, Any]
WIDTH = 80
DESCRIPTION, FIELDS, LEVEL = 5, 3, 3
MAX_DEPTH = 40
_BULLET = re.compile(r"(\d+\.?|-|\*)\s")


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns; code, lists and empty lines stay on lines of their own."""
    out: list[str] = []
    words: list[str] = []
    last = ""

    def flush() -> None:
        nonlocal words, last
        if words:
            out.append(" ".join(words))
            words, last = [], ""

    for line in text.split("\n"):
        if line.startswith("    "):
            flush()
            out.append(line)
            continue
        if out and not line.strip():
            flush()
            out.append("")
            continue
        if last.endswith(":") or not line.strip() or _BULLET.match(line.strip()):
            flush()
        for word in line.split():
            if words and len(" ".join(words)) + 1 + len(word) > width:
                flush()
            words.append(word)
            last = word
    flush()
    return out


class Printer:
    """Writes one explanation."""

    def __init__(self, document: Document, recursive: bool) -> None:
        self.document, self.recursive = document, recursive
        self.parts: list[str] = []

    def line(self, level: int, text: str) -> None:
        """A line, moved right unless it is empty."""
        self.parts.append((" " * level + text if text else "") + "\n")

    def block(self, level: int, text: str) -> None:
        """A text, wrapped."""
        for line in wrapped(text, WIDTH - level):
            self.line(level, line)

    def plain(self, schema: Obj) -> Obj:
        """The schema behind references and single parts."""
        found = self.document.resolve(schema)
        parts = list(found.get("allOf") or [])
        if not found.get("properties") and not found.get("type") and len(parts) == 1:
            return self.plain(parts[0])
        return found

    def type_of(self, schema: Obj) -> str:
        """`string`, `[]Object`, `map[string]string`."""
        found = self.plain(schema)
        if found.get("items"):
            return "[]" + self.type_of(found["items"])
        if isinstance(found.get("additionalProperties"), dict) and found["additionalProperties"]:
            return "map[string]" + self.type_of(found["additionalProperties"])
        if found.get("properties") or found.get("type") == "object":
            return "Object" if found.get("properties") else "map[string]"
        return str(found.get("type") or ("string" if found.get("oneOf") else "Object"))

    def below(self, schema: Obj) -> Obj | None:
        """The items of a list or the values of a map."""
        found = self.plain(schema)
        for key in ("items", "additionalProperties"):
            if isinstance(found.get(key), dict) and found[key]:
                return dict(found[key])
        return None

    def model(self, schema: Obj, name: str, mapping: Mapping) -> str:
        """The whole explanation of a field, or of a resource."""
        told = []
        current, kind = schema, self.type_of(schema)
        while (inner := self.below(current)) is not None:
            told.append(self.description(current))
            current = inner
        told.append(self.description(current))
        self.line(0, f"KIND:     {mapping.kind.kind}")
        self.line(0, f"VERSION:  {mapping.api_version}")
        self.line(0, "")
        fields = self.plain(current).get("properties")
        if name:
            self.line(0, f"{'RESOURCE: ' if fields else 'FIELD:    '}{name} <{kind}>")
            self.line(0, "")
        self.line(0, "DESCRIPTION:")
        self.descriptions(told)
        if fields:
            self.line(0, "")
            self.line(0, "FIELDS:")
            self.fields(current, FIELDS, ())
        return "".join(self.parts)

    def description(self, schema: Obj) -> str:
        """What is said of a schema itself: of the field that refers, then of the type."""
        own, behind = str(schema.get("description") or ""), str(self.plain(schema).get("description") or "")
        return own if own == behind or not behind else f"{own}\n\0{behind}" if own else behind

    def descriptions(self, told: list[str]) -> None:
        """All that is said, an empty line between."""
        texts = [part.strip("\n") for text in told for part in text.split("\0") if part.strip()]
        for at, text in enumerate(texts or ["<empty>"]):
            if at:
                self.line(0, "")
            self.block(DESCRIPTION, text)

    def fields(self, schema: Obj, level: int, seen: tuple[str, ...]) -> None:
        """The fields of a type; with `recursive` those of their types too."""
        inner = self.below(schema)
        if inner is not None:
            self.fields(inner, level, seen)
            return
        ref = str(schema.get("$ref") or ((schema.get("allOf") or [{}])[0]).get("$ref") or "")
        if (ref and ref in seen) or level > MAX_DEPTH * LEVEL:
            return
        found = self.plain(schema)
        for name in sorted(found.get("properties") or {}):
            field = found["properties"][name]
            if self.recursive:
                self.line(level, f"{name}\t<{self.type_of(field)}>")
                self.fields(field, level + LEVEL, (*seen, ref) if ref else seen)
                continue
            required = " -required-" if name in (found.get("required") or ()) else ""
            self.line(level, f"{name}\t<{self.type_of(field)}>{required}")
            self.block(level + 2, str(field.get("description") or self.plain(field).get("description") or ""))
            self.line(0, "")


def explain_v2(document: Document, root: Obj, mapping: Mapping, path: list[str], recursive: bool) -> str:
    """The explanation of a field; raises CommandError when there is no such field."""
    printer, schema = Printer(document, recursive), root
    for name in path:
        while (inner := printer.below(schema)) is not None:
            schema = inner
        fields = printer.plain(schema).get("properties") or {}
        if name not in fields:
            raise CommandError(f"field {quote(name)} does not exist")
        schema = fields[name]
    return printer.model(schema, path[-1] if path else "", mapping)

"""Types of CEL expressions, and how an OpenAPI schema becomes one (`apiserver/pkg/cel/common/schemas.go`)."""

from __future__ import annotations

import re
from typing import Any

Obj = dict[str, Any]
MAX_DEPTH = 40


class Type:
    """A type: `kind`, for lists and maps its parameters, for objects its fields (name → type)."""

    __slots__ = ("fields", "kind", "name", "params")

    def __init__(self, kind: str, params: tuple[Type, ...] = (), name: str = "", fields: dict[str, Type] | None = None) -> None:
        self.kind, self.params, self.name, self.fields = kind, params, name, fields

    def __str__(self) -> str:
        if self.kind == "object":
            return self.name
        return f"{self.kind}({', '.join(str(item) for item in self.params)})" if self.params else self.kind


DYN, BOOL, INT, UINT, DOUBLE = Type("dyn"), Type("bool"), Type("int"), Type("uint"), Type("double")
STRING, BYTES, NULL, TYPE = Type("string"), Type("bytes"), Type("null_type"), Type("type")
TIMESTAMP, DURATION = Type("timestamp"), Type("duration")


def list_of(item: Type) -> Type:
    """list(item)"""
    return Type("list", (item,))


def map_of(key: Type, value: Type) -> Type:
    """map(key, value)"""
    return Type("map", (key, value))


def optional_of(item: Type) -> Type:
    """optional_type(item)"""
    return Type("optional_type", (item,))


def assignable(given: Type, wanted: Type, bound: dict[str, Type]) -> bool:
    """Whether a value of `given` may stand where `wanted` is asked; type parameters (one capital letter) are bound."""
    if wanted.kind in ("A", "B", "C"):
        held = bound.get(wanted.kind)
        if held is None or held.kind == "dyn":
            bound[wanted.kind] = given
            return True
        return assignable(given, held, bound) or held.kind == "null_type" or given.kind == "null_type"
    if given.kind == "dyn" or wanted.kind == "dyn":
        return True
    if given.kind != wanted.kind:
        return given.kind == "null_type" and wanted.kind in ("object", "timestamp", "duration", "wrapper")
    if given.kind == "object":
        return given.name == wanted.name
    return all(assignable(a, b, bound) for a, b in zip(given.params, wanted.params, strict=True))


def substitute(kind: Type, bound: dict[str, Type]) -> Type:
    """A result type with its parameters filled in."""
    if kind.kind in ("A", "B", "C"):
        return bound.get(kind.kind, DYN)
    if not kind.params:
        return kind
    return Type(kind.kind, tuple(substitute(item, bound) for item in kind.params))


_SYMBOLS = frozenset(
    "true false null in as break const continue else for function if import let loop package namespace return var void while".split()
)
_NAME = re.compile(r"[A-Za-z_.\-/][A-Za-z0-9_.\-/]*\Z")


def escape(name: str) -> str:
    """A field's name in an expression; "" when it cannot be written (`cel/escaping.go`)."""
    if not _NAME.match(name):
        return ""
    if name in _SYMBOLS:
        return f"__{name}__"
    for plain, written in (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__")):
        name = name.replace(plain, written)
    return name


def unescape(name: str) -> str:
    """The field that an expression's name stands for."""
    if name.startswith("__") and name.endswith("__") and name[2:-2] in _SYMBOLS:
        return name[2:-2]
    for plain, written in (("/", "__slash__"), ("-", "__dash__"), (".", "__dot__"), ("__", "__underscores__")):
        name = name.replace(written, plain)
    return name


def of_schema(schema: Obj, name: str = "object", *, root: bool = False, depth: int = 0) -> Type:
    """The type of values of a structural schema."""
    if schema.get("x-kubernetes-int-or-string") or depth > MAX_DEPTH:
        return DYN
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items")
        return list_of(of_schema(items, name + ".@idx", depth=depth + 1)) if isinstance(items, dict) else list_of(DYN)
    if kind == "object":
        return _object(schema, name, root=root, depth=depth)
    if kind == "string":
        return {"byte": BYTES, "date": TIMESTAMP, "date-time": TIMESTAMP, "duration": DURATION}.get(
            schema.get("format", ""), STRING
        )
    return {"boolean": BOOL, "integer": INT, "number": DOUBLE}.get(kind or "", DYN)


def _object(schema: Obj, name: str, *, root: bool, depth: int) -> Type:
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict):
        return map_of(STRING, of_schema(extra, name + ".@elem", depth=depth + 1))
    properties = schema.get("properties") or {}
    keep = schema.get("x-kubernetes-preserve-unknown-fields") or extra is True
    embedded = root or schema.get("x-kubernetes-embedded-resource")
    if keep and not properties and not embedded:
        return DYN
    fields = {
        escape(field): of_schema(inner, f"{name}.{field}", depth=depth + 1)
        for field, inner in properties.items()
        if escape(field)
    }
    if embedded:
        fields.setdefault("apiVersion", STRING)
        fields.setdefault("kind", STRING)
        meta = Type("object", name=f"{name}.metadata", fields={"name": STRING, "generateName": STRING})
        fields["metadata"] = meta
    return Type("object", name=name, fields=fields)

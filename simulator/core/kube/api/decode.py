"""Decoding into typed form, as Go's JSON decoder followed by re-encoding would leave an object.

The result is a new object: unknown fields are dropped (and reported for field validation), `null` and omitted zero values
are dropped, quantities are canonical, fields stand in wire order.  A value of the wrong JSON type raises `DecodeError` with
the text of `sigs.k8s.io/json`.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from ...kernel import clock
from . import quantity
from .schema import Field, Type, struct_of

MAX_DEPTH = 60
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)\Z")
_INT_LIMITS = {"int32": (-(1 << 31), (1 << 31) - 1), "int64": (-(1 << 63), (1 << 63) - 1)}


class DecodeError(ValueError):
    """The object cannot be decoded; the message is the real decoder's."""


def json_type(value: Any) -> str:
    """How the decoder names a value's JSON type."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    return "array" if isinstance(value, list) else "object"


class Decoder:
    """One decoding: `unknown` collects the messages of strict decoding in order."""

    __slots__ = ("unknown",)

    def __init__(self) -> None:
        self.unknown: list[str] = []

    def decode(self, kind: Type, value: Any) -> dict[str, Any]:
        """The typed form of a whole object."""
        if not isinstance(value, dict):
            raise DecodeError(f"json: cannot unmarshal {json_type(value)} into Go value of type {_go(kind)}")
        return self.struct(kind, value, "", "", 0)

    def struct(self, kind: Type, value: dict[str, Any], path: str, plain: str, depth: int) -> dict[str, Any]:
        """The typed form of a struct; `path` has indexes (for strict messages), `plain` has none (for type messages)."""
        if depth > MAX_DEPTH:
            raise DecodeError("exceeded max depth")
        out: dict[str, Any] = {}
        seen = 0
        for name, field in kind.fields.items():
            if name in value:
                seen += 1
                item = value[name]
                if item is not None:
                    shape = field.kind
                    if shape == "string":
                        if item.__class__ is not str:
                            raise self.mismatch(item, field, kind, plain)
                        if item or field.always or field.pointer:
                            out[name] = item
                        continue
                    item = self.value(field, item, kind, path, plain, depth)
                    if item is not None:
                        out[name] = item
                        continue
            if field.always:
                out[name] = {} if field.kind == "struct" and not field.pointer else field.zero
                if field.kind == "struct":
                    out[name] = self.struct(struct_of(field), {}, "", "", depth + 1)
        if seen != len(value):
            for name in value:
                if name not in kind.fields:
                    self.unknown.append(f'unknown field "{path}{name}"')
        return out

    def value(self, field: Field, item: Any, owner: Type, path: str, plain: str, depth: int) -> Any:
        """The typed form of a present field; None when it is a zero value that is left out."""
        shape = field.kind
        if shape == "struct":
            if item.__class__ is not dict:
                raise self.mismatch(item, field, owner, plain)
            return self.struct(field.of or struct_of(field), item, f"{path}{field.name}.", f"{plain}{field.name}.", depth + 1)
        if shape == "list":
            return self.items(field, item, owner, path, plain, depth)
        if shape == "map":
            return self.entries(field, item, owner, path, plain, depth)
        if shape == "any":
            return checked_any(item, depth)
        return self.scalar(field, item, owner, plain)

    def scalar(self, field: Field, item: Any, owner: Type, plain: str) -> Any:
        """A scalar field."""
        shape = field.kind
        if shape == "int":
            if item.__class__ is not int:
                if not isinstance(item, float) or item != int(item):
                    raise self.mismatch(item, field, owner, plain)
                item = int(item)
            low, high = _INT_LIMITS.get(field.fmt, _INT_LIMITS["int64"])
            if not low <= item <= high:
                raise self.mismatch(item, field, owner, plain, f"number {item}")
            return item if item or field.pointer or field.always else None
        if shape == "bool":
            if item.__class__ is not bool:
                raise self.mismatch(item, field, owner, plain)
            return item if item or field.pointer or field.always else None
        if shape == "float":
            if isinstance(item, bool) or not isinstance(item, int | float):
                raise self.mismatch(item, field, owner, plain)
            return item if item or field.pointer or field.always else None
        if shape == "quantity":
            return decode_quantity(item)
        if shape == "intorstr":
            if isinstance(item, bool) or not isinstance(item, int | str):
                raise DecodeError(f"json: cannot unmarshal {json_type(item)} into Go value of type string")
            return item
        if item.__class__ is not str:
            raise self.mismatch(item, field, owner, plain)
        if shape == "string":
            return item
        if shape == "bytes":
            return decode_bytes(item)
        return decode_time(item, micro=shape == "microtime")

    def items(self, field: Field, item: Any, owner: Type, path: str, plain: str, depth: int) -> list[Any] | None:
        """A list field."""
        if item.__class__ is not list:
            raise self.mismatch(item, field, owner, plain)
        elem = field.elem
        assert elem is not None
        out: list[Any] = []
        if elem.kind == "struct":
            kind = struct_of(elem)
            inner = f"{plain}{field.name}."
            for i, entry in enumerate(item):
                if entry is None:
                    entry = {}
                if entry.__class__ is not dict:
                    raise self.mismatch(entry, elem, owner, plain)
                out.append(self.struct(kind, entry, f"{path}{field.name}[{i}].", inner, depth + 1))
        else:
            for i, entry in enumerate(item):
                out.append(self.element(elem, entry, owner, f"{path}{field.name}[{i}].", plain, depth))
        return out if out or field.always else None

    def element(self, elem: Field, entry: Any, owner: Type, path: str, plain: str, depth: int) -> Any:
        """An item of a list or a value of a map; zero values stay."""
        if entry is None:
            return {"string": "", "int": 0, "bool": False}.get(elem.kind)
        if elem.kind == "string":
            if entry.__class__ is not str:
                raise self.mismatch(entry, elem, owner, plain)
            return entry
        found = self.value(elem, entry, owner, path, plain, depth + 1)
        if found is None:
            return {"list": [], "map": {}, "int": 0, "bool": False, "float": 0}.get(elem.kind, "")
        return found

    def entries(self, field: Field, item: Any, owner: Type, path: str, plain: str, depth: int) -> dict[str, Any] | None:
        """A map field; keys come out sorted, as Go writes maps."""
        if item.__class__ is not dict:
            raise self.mismatch(item, field, owner, plain)
        elem = field.elem
        assert elem is not None
        out: dict[str, Any] = {}
        for key in sorted(item) if len(item) > 1 else item:
            if elem.kind == "struct":
                entry = item[key]
                if entry.__class__ is not dict:
                    raise self.mismatch(entry, elem, owner, plain)
                out[key] = self.struct(struct_of(elem), entry, f"{path}{field.name}.{key}.", f"{plain}{field.name}.", depth + 1)
            else:
                out[key] = self.element(elem, item[key], owner, f"{path}{field.name}.", plain, depth)
        return out if out or field.always else None

    def mismatch(self, item: Any, field: Field, owner: Type, plain: str, what: str = "") -> DecodeError:
        """The error of a value of the wrong JSON type."""
        where = f"{owner.go_name}.{plain}{field.name}"
        return DecodeError(
            f"json: cannot unmarshal {what or json_type(item)} into Go struct field {where} of type {field.go_type()}"
        )


def _go(kind: Type) -> str:
    parts = kind.name.split(".")
    return f"{parts[-2]}.{parts[-1]}"


def checked_any(item: Any, depth: int) -> Any:
    """A free-form value, bounded in depth."""
    if depth > MAX_DEPTH:
        raise DecodeError("exceeded max depth")
    if isinstance(item, dict):
        return {k: checked_any(v, depth + 1) if isinstance(v, dict | list) else v for k, v in item.items()}
    if isinstance(item, list):
        return [checked_any(v, depth + 1) if isinstance(v, dict | list) else v for v in item]
    return item


def decode_quantity(item: Any) -> str:
    """A quantity in canonical form."""
    if isinstance(item, bool) or not isinstance(item, int | float | str):
        raise DecodeError(quantity.FORMAT_WRONG)
    try:
        return quantity.canonical(item if isinstance(item, str) else repr(item))
    except ValueError as error:
        raise DecodeError(str(error)) from None


def decode_bytes(item: str) -> str:
    """Base64 text, checked."""
    try:
        base64.b64decode(item, validate=True)
    except (binascii.Error, ValueError):
        match = re.search(r"[^A-Za-z0-9+/=]", item)
        at = match.start() if match else len(item) - len(item) % 4
        raise DecodeError(f"illegal base64 data at input byte {at}") from None
    return item


def decode_time(item: str, *, micro: bool) -> str | None:
    """An RFC 3339 time in UTC as the API writes it."""
    if not item:
        return None
    if len(item) == (27 if micro else 20) and item[-1] == "Z" and _TIME.match(item):
        return item
    layout = "2006-01-02T15:04:05.000000Z07:00" if micro else "2006-01-02T15:04:05Z07:00"
    if not _TIME.match(item):
        raise DecodeError(f'parsing time "{item}" as "{layout}": cannot parse "{item}" as "2006"')
    try:
        wall = clock.parse_rfc3339(item)
    except (ValueError, OverflowError):
        raise DecodeError(f'parsing time "{item}": out of range') from None
    return clock.rfc3339_micro(wall) if micro else clock.rfc3339(wall)

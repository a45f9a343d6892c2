"""Decoding request bodies in `application/vnd.kubernetes.protobuf` (`apimachinery/pkg/runtime/serializer/protobuf`).

kubectl's typed commands (`create deployment`, `create token`, …) send this form.  The bytes become the same JSON-shaped
object that a JSON body would give; field numbers come from `proto.txt`, shapes from the schema.  Answers are always JSON.
"""

from __future__ import annotations

import base64
import pkgutil
import struct
from functools import lru_cache
from typing import Any

import orjson

from ...kernel import clock
from .schema import META, Field, Type, struct_of, type_for, type_of

MAGIC = b"k8s\0"
MAX_DEPTH = 60
Obj = dict[str, Any]


class ProtobufError(ValueError):
    """The bytes are not a message of the type."""


@lru_cache(maxsize=1)
def _numbers() -> dict[str, dict[int, str]]:
    out: dict[str, dict[int, str]] = {}
    for line in (pkgutil.get_data(__package__, "proto.txt") or b"").decode().splitlines():
        name, colon, rest = line.partition(": ")
        if not colon or line.startswith("#"):
            continue
        fields: dict[int, str] = {}
        for word in rest.split():
            left, _, right = word.partition("=")
            if left.startswith("@"):
                fields[int(left[1:])] = "@" + right
            else:
                fields[int(right)] = left
        out[name] = fields
    return out


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ProtobufError("unexpected EOF")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _records(data: bytes) -> list[tuple[int, int, Any]]:
    """(field number, wire type, value) of a message."""
    out: list[tuple[int, int, Any]] = []
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        value: Any
        if kind == 0:
            value, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = data[at : at + size], at + size
        elif kind == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ProtobufError("unexpected EOF")
            value, at = data[at : at + size], at + size
        else:
            raise ProtobufError(f"proto: illegal wireType {kind}")
        if at > len(data):
            raise ProtobufError("unexpected EOF")
        out.append((number, kind, value))
    return out


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _text(value: Any) -> str:
    if not isinstance(value, bytes):
        raise ProtobufError("wrong wireType")
    return value.decode("utf-8", "replace")


def _scalar(kind: str, value: Any) -> Any:
    """A scalar of the schema from its wire value."""
    if kind == "int":
        return _signed(value) if isinstance(value, int) else 0
    if kind == "bool":
        return bool(value)
    if kind == "float":
        return struct.unpack("<d", value)[0] if isinstance(value, bytes) and len(value) == 8 else value
    if kind == "bytes":
        return base64.b64encode(value).decode() if isinstance(value, bytes) else ""
    if kind in ("quantity", "any"):
        inner = {number: item for number, _, item in _records(value)} if isinstance(value, bytes) else {}
        raw = inner.get(1, b"")
        if kind == "quantity":
            return _text(raw)
        try:
            return orjson.loads(raw) if raw else {}
        except ValueError:
            raise ProtobufError("invalid raw JSON") from None
    if kind == "intorstr":
        inner = {number: item for number, _, item in _records(value)}
        return _text(inner.get(3, b"")) if inner.get(1) else _signed(inner.get(2, 0))
    if kind in ("time", "microtime"):
        inner = {number: item for number, _, item in _records(value)}
        seconds = _signed(inner.get(1, 0))
        if abs(seconds) > 1 << 35 or seconds == 0:
            return None
        wall = seconds * clock.SECOND + _signed(inner.get(2, 0))
        return clock.rfc3339_micro(wall) if kind == "microtime" else clock.rfc3339(wall)
    return _text(value)


def _value(field: Field, value: Any, depth: int) -> Any:
    if field.kind == "struct":
        if not isinstance(value, bytes):
            raise ProtobufError("wrong wireType")
        return _message(struct_of(field), value, depth + 1)
    return _scalar(field.kind, value)


def _message(kind: Type, data: bytes, depth: int) -> Obj:
    """A message of a type as a JSON-shaped object."""
    if depth > MAX_DEPTH:
        raise ProtobufError("exceeded max depth")
    numbers = _numbers().get(kind.name, {})
    out: Obj = {}
    for number, wire, value in _records(data):
        name = numbers.get(number)
        if name is None:
            continue
        if name.startswith("@"):
            out.update(_inline(kind, name[1:], value, depth))
            continue
        field = kind.fields.get(name)
        if field is None:
            continue
        if field.kind == "list" and field.elem is not None:
            held = out.setdefault(name, [])
            if wire == 2 and field.elem.kind in ("int", "bool") and isinstance(value, bytes):
                at = 0
                while at < len(value):
                    number_, at = _varint(value, at)
                    held.append(_scalar(field.elem.kind, number_))
            else:
                held.append(_value(field.elem, value, depth))
        elif field.kind == "map" and field.elem is not None:
            entry = {n: v for n, _, v in _records(value)} if isinstance(value, bytes) else {}
            out.setdefault(name, {})[_text(entry.get(1, b""))] = _map_value(field.elem, entry.get(2), depth)
        else:
            out[name] = _value(field, value, depth)
    return out


def _map_value(elem: Field, value: Any, depth: int) -> Any:
    if elem.kind == "list" and elem.elem is not None:
        items = _records(value) if isinstance(value, bytes) else []
        return [_value(elem.elem, item, depth) for _, _, item in items]
    return _value(elem, b"" if value is None and elem.kind != "int" else value, depth)


def _inline(owner: Type, name: str, value: Any, depth: int) -> Obj:
    """A message whose members JSON writes into the owner: read with the owner's fields."""
    if not isinstance(value, bytes):
        raise ProtobufError("wrong wireType")
    try:
        return _message(type_of(name), value, depth + 1)
    except KeyError:
        pass
    numbers = _numbers().get(name, {})
    out: Obj = {}
    for number, _, item in _records(value):
        inner = numbers.get(number, "")
        if inner.startswith("@"):
            out.update(_inline(owner, inner[1:], item, depth + 1))
        elif inner in owner.fields:
            out[inner] = _value(owner.fields[inner], item, depth)
    return out


def decode(data: bytes, fallback: Type | None = None) -> Obj:
    """The object of an encoded body; raises ProtobufError."""
    if not data.startswith(MAGIC):
        raise ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    envelope = {number: value for number, _, value in _records(data[len(MAGIC) :])}
    type_meta = {number: _text(value) for number, _, value in _records(envelope.get(1, b""))}
    api_version, kind = type_meta.get(1, ""), type_meta.get(2, "")
    group, _, version = api_version.rpartition("/")
    found = type_for(group, version, kind) or fallback
    if found is None and kind == "DeleteOptions":
        found = type_of(META + "DeleteOptions")
    if found is None:
        raise ProtobufError(f'no kind "{kind}" is registered for version "{api_version}"')
    out = _message(found, envelope.get(2, b""), 0)
    return {"kind": kind, "apiVersion": api_version, **out}

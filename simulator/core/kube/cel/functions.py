"""The table of CEL functions: a row an overload (signature and what it does), and how a call finds its row.

A signature reads `string.contains(string) bool` for a method, `size(list(A)) int` for a function.  Capital letters are type parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .syntax import UInt
from .types import Type
from .values import Duration, EvalError, Extension, Optional, Timestamp, TypeValue, is_number, no_overload

Impl = Callable[..., Any]


class Overload:
    """One overload."""

    __slots__ = ("impl", "method", "params", "result")

    def __init__(self, method: bool, params: tuple[Type, ...], result: Type, impl: Impl) -> None:
        self.method, self.params, self.result, self.impl = method, params, result, impl


#: Function name → its overloads; filled by `define` from the literal tables of `library` and `kinds`.
FUNCTIONS: dict[str, list[Overload]] = {}


def parse_type(text: str) -> Type:
    """A type as signatures write it."""
    text = text.strip()
    name, opened, rest = text.partition("(")
    if not opened:
        return Type(name)
    parts, depth, start, body = [], 0, 0, rest[:-1]
    for i, c in enumerate(body):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append(body[start:i])
            start = i + 1
    parts.append(body[start:])
    return Type(name, tuple(parse_type(part) for part in parts))


def _split(text: str) -> list[str]:
    out, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            out.append(text[start:i])
            start = i + 1
    return [item for item in [*out, text[start:]] if item.strip()]


def define(table: tuple[tuple[str, Impl], ...]) -> None:
    """Add rows to the table of functions."""
    for signature, impl in table:
        head, _, result = signature.rpartition(" ")
        # the opening parenthesis of the arguments is the one that the last closing one belongs to
        depth, at = 0, len(head) - 1
        while at >= 0:
            depth += (head[at] == ")") - (head[at] == "(")
            if depth == 0:
                break
            at -= 1
        name, arguments = head[:at], head[at + 1 : -1]
        params = [parse_type(item) for item in _split(arguments)]
        receiver, dot, method = name.rpartition(".")
        is_method = bool(dot) and receiver not in NAMESPACES
        if is_method:
            params.insert(0, parse_type(receiver))
            name = method
        FUNCTIONS.setdefault(name, []).append(Overload(is_method, tuple(params), parse_type(result), impl))


#: Prefixes that belong to a function's name instead of naming a receiver's type.
NAMESPACES = frozenset(("sets", "ip", "math", "optional", "format", "cidr", "strings", "base64", "jsonpatch"))

_CLASSES: dict[str, tuple[type, ...]] = {
    "string": (str,), "bytes": (bytes,), "list": (list,), "map": (dict,), "duration": (Duration,), "timestamp": (Timestamp,),
    "type": (TypeValue,), "optional_type": (Optional,), "double": (float,),
}  # fmt: skip


def fits(value: Any, kind: Type) -> bool:
    """Whether a value is of a type, its parameters aside."""
    name = kind.kind
    if len(name) == 1 or name == "dyn":
        return True
    if name == "int":
        return isinstance(value, int) and not isinstance(value, bool | UInt)
    if name == "uint":
        return isinstance(value, UInt)
    if name == "bool":
        return isinstance(value, bool)
    if name == "number":
        return is_number(value)
    classes = _CLASSES.get(name)
    if classes is not None:
        return isinstance(value, classes)
    if name == "null_type":
        return value is None
    return isinstance(value, Extension) and value.type_name == name


def call(name: str, args: list[Any], *, method: bool) -> Any:
    """Run the overload that takes these values; raises EvalError."""
    for row in FUNCTIONS.get(name, ()):
        if (
            row.method is method
            and len(row.params) == len(args)
            and all(fits(value, kind) for value, kind in zip(args, row.params, strict=True))
        ):
            try:
                return row.impl(*args)
            except (OverflowError, MemoryError):
                raise EvalError("integer overflow") from None
    raise no_overload()

"""Operators and functions of jq."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Iterator
from functools import cmp_to_key
from typing import Any

from .jqlang import Break, JqError, index, truth, type_of

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: math.fmod(int(a), int(b)),
}
ORDER = {"null": 0, "boolean": 1, "number": 3, "string": 4, "array": 5, "object": 6}


def compare(a: Any, b: Any) -> int:
    """jq's order of all values."""
    x, y = ORDER[type_of(a)], ORDER[type_of(b)]
    if x != y:
        return -1 if x < y else 1
    if isinstance(a, dict):
        ka, kb = sorted(a), sorted(b)
        if ka != kb:
            return -1 if ka < kb else 1
        return next((c for c in (compare(a[k], b[k]) for k in ka) if c), 0)
    if isinstance(a, list):
        for left, right in zip(a, b, strict=False):
            found = compare(left, right)
            if found:
                return found
        return (len(a) > len(b)) - (len(a) < len(b))
    if a is None:
        return 0
    return int(a > b) - int(a < b)


KEY = cmp_to_key(compare)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"{type_of(value)} ({text if len(text) <= 11 else text[:10] + '...'})"


def operate(op: str, a: Any, b: Any) -> Any:
    """A binary operator."""
    if op in ("==", "!=", "<", "<=", ">", ">="):
        found = compare(a, b)
        return {"==": found == 0, "!=": found != 0, "<": found < 0, "<=": found <= 0, ">": found > 0, ">=": found >= 0}[op]
    kinds = (type_of(a), type_of(b))
    if op == "+":
        if a is None or b is None:
            return b if a is None else a
        if kinds == ("object", "object"):
            return {**a, **b}
        if kinds[0] == kinds[1] and kinds[0] in ("number", "string", "array"):
            return a + b
        raise JqError(f"{_shown(a)} and {_shown(b)} cannot be added")
    if kinds == ("number", "number"):
        if op in "/%" and b == 0:
            raise JqError(f"{_shown(a)} and {_shown(b)} cannot be divided because the divisor is zero")
        result = _ARITHMETIC[op](a, b)
        return int(result) if isinstance(result, float) and result == int(result) and abs(result) < 1e17 else result
    if op == "-" and kinds == ("array", "array"):
        return [item for item in a if item not in b]
    if op == "/" and kinds == ("string", "string"):
        return a.split(b) if b else list(a)
    if op == "*" and kinds == ("object", "object"):
        return {
            **a,
            **{k: operate("*", a[k], v) if isinstance(a.get(k), dict) and isinstance(v, dict) else v for k, v in b.items()},
        }
    if op == "*" and kinds == ("string", "number"):
        return a * min(int(b), 10_000) if b > 0 else None
    verb = {"-": "subtracted", "*": "multiplied", "/": "divided", "%": "divided"}[op]
    raise JqError(f"{_shown(a)} and {_shown(b)} cannot be {verb}")


def text_of(value: Any) -> str:
    """`tostring`."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def formatted(name: str, value: Any) -> str:
    """`@base64`, `@csv`, `@tsv`, `@json`, `@html`, `@uri`, `@sh`, `@text`."""
    if name == "base64":
        return base64.b64encode(text_of(value).encode()).decode()
    if name == "base64d":
        try:
            return base64.b64decode(text_of(value) + "==").decode("utf-8", "replace")
        except ValueError:
            raise JqError(f"{_shown(value)} is not valid base64 data") from None
    if name == "json":
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if name in ("csv", "tsv"):
        if not isinstance(value, list):
            raise JqError(f"{_shown(value)} cannot be {name}-formatted, only an array can be")
        if name == "tsv":
            return "\t".join(
                "" if v is None else text_of(v).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n") for v in value
            )
        return ",".join(
            '"' + v.replace('"', '""') + '"' if isinstance(v, str) else "" if v is None else text_of(v) for v in value
        )
    if name == "sh":
        return " ".join(
            "'" + v.replace("'", "'\\''") + "'" if isinstance(v, str) else text_of(v)
            for v in (value if isinstance(value, list) else [value])
        )
    if name == "html":
        return (
            text_of(value)
            .replace("&", "&amp;")
            .replace("<", "&lt;")
            .replace(">", "&gt;")
            .replace("'", "&#39;")
            .replace('"', "&quot;")
        )
    if name == "uri":
        from urllib.parse import quote

        return quote(text_of(value), safe="-_.~")
    if name in ("", "text"):
        return text_of(value)
    raise JqError(f"{name} is not a valid format")


def path_values(machine: Any, node: Any, value: Any, env: Any) -> Iterator[tuple[list[Any], Any]]:
    """The paths that a filter selects, with their values."""
    kind = node[0]
    if kind == "id":
        yield [], value
    elif kind == "index":
        for path, base in path_values(machine, node[1], value, env):
            for key in machine.eval(node[2], value, env):
                yield [*path, key], index(base, key)
    elif kind == "iterate":
        for path, base in path_values(machine, node[1], value, env):
            if isinstance(base, dict | list):
                for key in list(base) if isinstance(base, dict) else range(len(base)):
                    yield [*path, key], base[key]
            else:
                raise JqError(f"Cannot iterate over {type_of(base)}")
    elif kind == "pipe":
        for path, base in path_values(machine, node[1], value, env):
            for more, found in path_values(machine, node[2], base, env):
                yield [*path, *more], found
    elif kind == "comma":
        yield from path_values(machine, node[1], value, env)
        yield from path_values(machine, node[2], value, env)
    elif kind == "call" and node[1] == "select":
        if any(truth(test) for test in machine.eval(node[2][0], value, env)):
            yield [], value
    elif kind == "call" and node[1] == "recurse" and not node[2]:
        yield [], value
        if isinstance(value, dict | list):
            for key in list(value) if isinstance(value, dict) else range(len(value)):
                for path, found in path_values(machine, node, value[key], env):
                    yield [key, *path], found
    elif kind == "call" and node[1] == "empty":
        return
    elif kind == "try":
        try:
            yield from path_values(machine, node[1], value, env)
        except JqError:
            return
    elif kind == "if":
        for test in machine.eval(node[1], value, env):
            yield from path_values(machine, node[2] if truth(test) else node[3], value, env)
    else:
        raise JqError("Invalid path expression")


def set_path(value: Any, path: list[Any], new: Any) -> Any:
    """A copy of `value` with `new` at a path."""
    if not path:
        return new
    key = path[0]
    if isinstance(key, str):
        base = dict(value) if isinstance(value, dict) else {}
        if value is not None and not isinstance(value, dict):
            raise JqError(f'Cannot index {type_of(value)} with "{key}"')
        base[key] = set_path(base.get(key), path[1:], new)
        return base
    items = list(value) if isinstance(value, list) else []
    at = int(key) + (len(items) if key < 0 else 0)
    if at > 100_000:
        raise JqError("Array index too large")
    items += [None] * (at + 1 - len(items))
    items[at] = set_path(items[at], path[1:], new)
    return items


def delete_path(value: Any, path: list[Any]) -> Any:
    """A copy of `value` without a path."""
    if value is None or not path:
        return None
    key = path[0]
    if isinstance(value, dict):
        if key not in value:
            return value
        if len(path) == 1:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: delete_path(value[key], path[1:])}
    at = int(key)
    if not isinstance(value, list) or not -len(value) <= at < len(value):
        return value
    items = list(value)
    if len(path) == 1:
        del items[at]
    else:
        items[at] = delete_path(items[at], path[1:])
    return items


def _need(value: Any, kind: str, what: str) -> None:
    if type_of(value) != kind:
        raise JqError(f"{_shown(value)} {what}")


def _sorted_by(machine: Any, node: Any, value: Any, env: Any) -> list[tuple[Any, Any]]:
    _need(value, "array", "cannot be sorted, as it is not an array")
    pairs = [(list(machine.eval(node, item, env)), item) for item in value]
    return sorted(pairs, key=lambda pair: KEY(pair[0]))


def _groups(pairs: list[tuple[Any, Any]]) -> list[list[Any]]:
    out: list[list[Any]] = []
    last: Any = None
    for key, item in pairs:
        if out and compare(key, last) == 0:
            out[-1].append(item)
        else:
            out.append([item])
        last = key
    return out


def _regex(pattern: str, flags: str) -> re.Pattern[str]:
    from . import regexes

    regexes_flags = (
        (re.IGNORECASE if "i" in flags else 0) | (re.VERBOSE if "x" in flags else 0) | (re.DOTALL if "s" in flags else 0)
    )
    try:
        plain = re.sub(r"\(\?<([A-Za-z_]\w*)>", r"(?P<\1>", pattern)
        regexes.guard(plain)
        return re.compile(plain, regexes_flags)
    except (regexes.BadPattern, re.error) as failed:
        raise JqError(f"{pattern} (at offset 0) is not a valid regex: {failed}") from None


def call(machine: Any, name: str, args: list[Any], value: Any, env: Any) -> Iterator[Any]:
    """A builtin function."""
    from .jqfuncs import FILTERS, SIMPLE

    key = f"{name}/{len(args)}"
    if key in FILTERS:
        yield from FILTERS[key](machine, args, value, env)
        return
    if key in SIMPLE:
        if not args:
            yield SIMPLE[key](value)
            return
        for first in machine.eval(args[0], value, env):
            if len(args) == 1:
                yield SIMPLE[key](value, first)
                continue
            for second in machine.eval(args[1], value, env):
                if len(args) == 2:
                    yield SIMPLE[key](value, first, second)
                    continue
                for third in machine.eval(args[2], value, env):
                    yield SIMPLE[key](value, first, second, third)
        return
    raise JqError(f"{key} is not defined")


__all__ = ["Break"]

"""The functions of jq by name/arity: `SIMPLE` of values, `FILTERS` of filters."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

from ...kernel.clock import SECOND, parse_rfc3339, rfc3339
from .jqlang import JqError, truth, type_of
from .jqlib import (
    KEY,
    _groups,
    _need,
    _regex,
    _shown,
    _sorted_by,
    compare,
    delete_path,
    formatted,
    operate,
    path_values,
    set_path,
    text_of,
)


def _length(value: Any) -> Any:
    if value is None:
        return 0
    if isinstance(value, bool):
        raise JqError(f"{_shown(value)} has no length")
    return abs(value) if isinstance(value, int | float) else len(value)


def _keys(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted(value)
    _need(value, "array", "has no keys")
    return list(range(len(value)))


def _sort(value: Any) -> Any:
    _need(value, "array", "cannot be sorted, as it is not an array")
    return sorted(value, key=KEY)


def _has(value: Any, key: Any) -> bool:
    if isinstance(value, dict) and isinstance(key, str):
        return key in value
    if isinstance(value, list) and isinstance(key, int):
        return 0 <= key < len(value)
    raise JqError(f"Cannot check whether {type_of(value)} has a {type_of(key)} key")


def _add(value: Any) -> Any:
    total: Any = None
    for item in value.values() if isinstance(value, dict) else value:
        total = operate("+", total, item)
    return total


def _number(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            pass
    raise JqError(f"{_shown(value)} cannot be parsed as a number")


def _contains(a: Any, b: Any) -> bool:
    if type_of(a) != type_of(b):
        raise JqError(f"{_shown(a)} and {_shown(b)} cannot have their containment checked")
    if isinstance(a, dict):
        return all(key in a and _contains(a[key], item) for key, item in b.items())
    if isinstance(a, list):
        return all(any(type_of(x) == type_of(y) and _contains(x, y) for x in a) for y in b)
    if isinstance(a, str):
        return b in a
    return bool(a == b)


def _flatten(value: Any, depth: int = 1 << 20) -> list[Any]:
    _need(value, "array", "cannot be flattened")
    out: list[Any] = []
    for item in value:
        out += _flatten(item, depth - 1) if isinstance(item, list) and depth > 0 else [item]
    return out


def _text(value: Any, function: Callable[[str], Any], what: str) -> Any:
    _need(value, "string", what)
    return function(value)


def _join(value: Any, sep: Any) -> str:
    return str(sep).join("" if item is None else text_of(item) for item in value)


def _index(value: Any, what: Any, last: bool) -> Any:
    if isinstance(value, str):
        found = value.rfind(what) if last else value.find(what)
        return found if found >= 0 else None
    places = [n for n, item in enumerate(value or []) if item == what]
    return (places[-1] if last else places[0]) if places else None


def _match(value: Any, pattern: Any, flags: Any = "") -> list[dict[str, Any]]:
    _need(value, "string", "cannot be matched, as it is not a string")
    flags = flags or ""
    out = []
    compiled = _regex(pattern, flags)
    for match in compiled.finditer(value):
        names = {number: name for name, number in compiled.groupindex.items()}
        captures = [
            {"offset": match.start(n), "length": len(match.group(n) or ""), "string": match.group(n), "name": names.get(n)}
            for n in range(1, compiled.groups + 1)
        ]
        out.append({"offset": match.start(), "length": len(match.group()), "string": match.group(), "captures": captures})
        if "g" not in flags:
            break
    return out


def _split2(value: Any, pattern: Any, flags: Any = None) -> list[str]:
    _need(value, "string", "cannot be matched, as it is not a string")
    out, at = [], 0
    for match in _regex(pattern, flags or "").finditer(value):
        out.append(value[at : match.start()])
        at = match.end()
    return [*out, value[at:]]


def _tojson(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _fromjson(value: Any) -> Any:
    try:
        return json.loads(value)
    except (ValueError, TypeError):
        raise JqError(f"{_shown(value)} (while parsing '{value}')") from None


def _date(value: Any) -> Any:
    try:
        return parse_rfc3339(value) // SECOND
    except ValueError:
        raise JqError(f'date "{value}" does not match format "%Y-%m-%dT%H:%M:%SZ"') from None


def _entries(value: Any) -> list[dict[str, Any]]:
    _need(value, "object", "has no keys")
    return [{"key": key, "value": item} for key, item in value.items()]


def _from_entries(value: Any) -> dict[str, Any]:
    out = {}
    for item in value:
        key = next((item[name] for name in ("key", "k", "name", "Name", "Key") if item.get(name) is not None), None)
        out["null" if key is None else text_of(key)] = next(
            (item[name] for name in ("value", "v", "Value") if name in item), None
        )
    return out


def _raise(value: Any) -> Any:
    raise JqError(value)


def _range(first: int, last: int, step: int = 1) -> list[int]:
    if step == 0 or abs(last - first) // abs(step) > 200_000:
        raise JqError("range is too long")
    return list(range(int(first), int(last), int(step)))


SIMPLE: dict[str, Callable[..., Any]] = {
    "length/0": _length, "utf8bytelength/0": lambda v: len(v.encode()), "not/0": lambda v: not truth(v), "keys/0": _keys,
    "keys_unsorted/0": lambda v: list(v) if isinstance(v, dict) else _keys(v), "type/0": type_of, "add/0": _add, "has/1": _has,
    "in/1": lambda v, o: _has(o, v), "tostring/0": text_of, "tonumber/0": _number, "tojson/0": _tojson, "fromjson/0": _fromjson,
    "contains/1": _contains, "inside/1": lambda v, o: _contains(o, v), "flatten/0": _flatten, "flatten/1": _flatten,
    "reverse/0": lambda v: v[::-1] if v is not None else [], "sort/0": _sort,
    "unique/0": lambda v: [g[0] for g in _groups([(x, x) for x in sorted(v, key=KEY)])], "min/0": lambda v: min(v, key=KEY, default=None),
    "max/0": lambda v: max(v, key=KEY, default=None), "join/1": _join, "split/1": lambda v, s: _text(v, lambda t: t.split(s) if s else list(t), "cannot be split"),
    "split/2": _split2, "startswith/1": lambda v, s: _text(v, lambda t: t.startswith(s), "startswith() requires string inputs"),
    "endswith/1": lambda v, s: _text(v, lambda t: t.endswith(s), "endswith() requires string inputs"),
    "ltrimstr/1": lambda v, s: v.removeprefix(s) if isinstance(v, str) and isinstance(s, str) else v,
    "rtrimstr/1": lambda v, s: v.removesuffix(s) if isinstance(v, str) and isinstance(s, str) and s else v,
    "trim/0": lambda v: v.strip(), "ltrim/0": lambda v: v.lstrip(), "rtrim/0": lambda v: v.rstrip(),
    "ascii_downcase/0": lambda v: _text(v, str.lower, "ascii_downcase input must be a string"), "ascii_upcase/0": lambda v: _text(v, str.upper, "ascii_upcase input must be a string"),
    "explode/0": lambda v: [ord(c) for c in v], "implode/0": lambda v: "".join(map(chr, v)), "to_entries/0": _entries, "from_entries/0": _from_entries,
    "index/1": lambda v, w: _index(v, w, False), "rindex/1": lambda v, w: _index(v, w, True), "floor/0": lambda v: math.floor(v), "ceil/0": lambda v: math.ceil(v),
    "round/0": lambda v: math.floor(v + 0.5), "sqrt/0": math.sqrt, "fabs/0": abs, "abs/0": abs, "test/1": lambda v, p: bool(_match(v, p)), "test/2": lambda v, p, f: bool(_match(v, p, f)),
    "capture/1": lambda v, p: {c["name"]: c["string"] for c in (_match(v, p) or [{"captures": []}])[0]["captures"] if c["name"]},
    "sub/2": lambda v, p, r: _regex(p, "").sub(lambda m: r, v, count=1), "gsub/2": lambda v, p, r: _regex(p, "").sub(lambda m: r, v),
    "ascii/0": chr, "error/0": _raise, "error/1": lambda v, m: _raise(m), "fromdate/0": _date, "fromdateiso8601/0": _date, "todate/0": lambda v: rfc3339(int(v) * SECOND),
    "null/0": lambda v: None, "true/0": lambda v: True, "false/0": lambda v: False, "transpose/0": lambda v: [list(row) for row in zip(*v, strict=False)],
    "any/0": lambda v: any(truth(x) for x in v), "all/0": lambda v: all(truth(x) for x in v), "tojson": _tojson, "pow/2": lambda v, a, b: a**min(b, 1000),
    "infinite/0": lambda v: math.inf, "nan/0": lambda v: math.nan, "isnan/0": lambda v: v != v, "input_line_number/0": lambda v: 0,
    "setpath/2": set_path, "getpath/1": lambda v, p: _getpath(v, p), "delpaths/1": lambda v, ps: _delpaths(v, ps), "ascii_only/0": lambda v: v.isascii(),
    "min_by/0": lambda v: v, "tojson/1": lambda v, x: _tojson(x), "env/0": lambda v: {}, "halt/0": lambda v: None,
}  # fmt: skip


def _getpath(value: Any, path: list[Any]) -> Any:
    from .jqlang import index

    for key in path:
        value = index(value, key)
    return value


def _delpaths(value: Any, paths: list[list[Any]]) -> Any:
    for path in sorted(paths, key=KEY, reverse=True):
        value = delete_path(value, path)
    return value


Filter = Callable[[Any, list[Any], Any, Any], Iterator[Any]]


def _select(m: Any, a: Any, v: Any, e: Any) -> Iterator[Any]:
    for test in m.eval(a[0], v, e):
        if truth(test):
            yield v


def _map(m: Any, a: Any, v: Any, e: Any) -> Iterator[Any]:
    if not isinstance(v, list | dict):
        raise JqError(f"Cannot iterate over {type_of(v)}")
    yield [out for item in (v.values() if isinstance(v, dict) else v) for out in m.eval(a[0], item, e)]


def _map_values(m: Any, a: Any, v: Any, e: Any) -> Iterator[Any]:
    if isinstance(v, dict):
        yield {key: out for key, item in v.items() for out in list(m.eval(a[0], item, e))[:1]}
    else:
        yield [out for item in v for out in list(m.eval(a[0], item, e))[:1]]


def _recurse(m: Any, a: Any, v: Any, e: Any) -> Iterator[Any]:
    yield v
    if a:
        for item in m.eval(a[0], v, e):
            yield from _recurse(m, a, item, e)
    elif isinstance(v, dict | list):
        for item in v.values() if isinstance(v, dict) else v:
            yield from _recurse(m, a, item, e)


def _limit(m: Any, a: Any, v: Any, e: Any) -> Iterator[Any]:
    for count in m.eval(a[0], v, e):
        for n, item in enumerate(m.eval(a[1], v, e), 1):
            if n <= count:
                yield item
            if n >= count:
                break


def _one(pick: Callable[[list[Any]], Any]) -> Filter:
    def run(m: Any, a: Any, v: Any, e: Any) -> Iterator[Any]:
        found = list(m.eval(a[0], v, e)) if a else (v or [])
        if found:
            yield pick(found)

    return run


def _with_entries(m: Any, a: Any, v: Any, e: Any) -> Iterator[Any]:
    yield _from_entries([out for item in _entries(v) for out in m.eval(a[0], item, e)])


def _quantified(test: Callable[[Any], bool]) -> Filter:
    def run(m: Any, a: Any, v: Any, e: Any) -> Iterator[Any]:
        if len(a) == 2:
            yield test(truth(out) for item in m.eval(a[0], v, e) for out in m.eval(a[1], item, e))
        else:
            yield test(truth(out) for item in (v.values() if isinstance(v, dict) else v) for out in m.eval(a[0], item, e))

    return run


def _walk(m: Any, a: Any, v: Any, e: Any) -> Iterator[Any]:
    if isinstance(v, dict):
        v = {key: out for key, item in v.items() for out in list(_walk(m, a, item, e))[:1]}
    elif isinstance(v, list):
        v = [out for item in v for out in _walk(m, a, item, e)]
    yield from m.eval(a[0], v, e)


def _paths(m: Any, a: Any, v: Any, e: Any) -> Iterator[Any]:
    for path, found in path_values(m, ("call", "recurse", []), v, e):
        if path and (not a or any(truth(out) for out in m.eval(a[0], found, e))):
            yield path


def _del(m: Any, a: Any, v: Any, e: Any) -> Iterator[Any]:
    yield _delpaths(v, [path for path, _ in path_values(m, a[0], v, e)])


def _kinds(*names: str) -> Filter:
    def run(m: Any, a: Any, v: Any, e: Any) -> Iterator[Any]:
        if type_of(v) in names:
            yield v

    return run


def _ranges(m: Any, a: Any, v: Any, e: Any) -> Iterator[Any]:
    bounds = [next(m.eval(arg, v, e)) for arg in a]
    yield from _range(*([0, *bounds] if len(bounds) == 1 else bounds))


def _best(sign: int) -> Filter:
    def run(m: Any, a: Any, v: Any, e: Any) -> Iterator[Any]:
        pairs = _sorted_by(m, a[0], v, e)
        if not pairs:
            yield None
        elif sign < 0:
            yield pairs[0][1]
        else:
            yield next(item for key, item in reversed(pairs) if compare(key, pairs[-1][0]) == 0)

    return run


def _until(m: Any, a: Any, v: Any, e: Any) -> Iterator[Any]:
    for _ in range(100_000):
        if truth(next(m.eval(a[0], v, e))):
            yield v
            return
        v = next(m.eval(a[1], v, e))


def _input(machine: Any, args: Any, value: Any, env: Any) -> Iterator[Any]:
    """`input`: the next of the inputs."""
    if not machine.waiting:
        raise JqError("No more inputs")
    yield machine.waiting.pop(0)


def _inputs(machine: Any, args: Any, value: Any, env: Any) -> Iterator[Any]:
    """`inputs`: all that are left."""
    while machine.waiting:
        yield machine.waiting.pop(0)


FILTERS: dict[str, Filter] = {
    "empty/0": lambda m, a, v, e: iter(()), "select/1": _select, "map/1": _map, "map_values/1": _map_values, "recurse/0": _recurse, "recurse/1": _recurse,
    "limit/2": _limit, "first/1": lambda m, a, v, e: _limit(m, [("lit", 1), a[0]], v, e), "first/0": _one(lambda f: f[0]), "last/0": _one(lambda f: f[-1]), "last/1": _one(lambda f: f[-1]),
    "with_entries/1": _with_entries, "any/1": _quantified(any), "all/1": _quantified(all), "any/2": _quantified(any), "all/2": _quantified(all),
    "sort_by/1": lambda m, a, v, e: iter([[item for _, item in _sorted_by(m, a[0], v, e)]]), "group_by/1": lambda m, a, v, e: iter([_groups(_sorted_by(m, a[0], v, e))]),
    "unique_by/1": lambda m, a, v, e: iter([[g[0] for g in _groups(_sorted_by(m, a[0], v, e))]]), "min_by/1": _best(-1), "max_by/1": _best(1), "walk/1": _walk, "paths/0": _paths,
    "paths/1": _paths, "path/1": lambda m, a, v, e: (path for path, _ in path_values(m, a[0], v, e)), "del/1": _del, "range/1": _ranges, "range/2": _ranges, "range/3": _ranges,
    "strings/0": _kinds("string"), "numbers/0": _kinds("number"), "arrays/0": _kinds("array"), "objects/0": _kinds("object"), "booleans/0": _kinds("boolean"), "nulls/0": _kinds("null"),
    "scalars/0": _kinds("string", "number", "boolean", "null"), "iterables/0": _kinds("array", "object"), "values/0": lambda m, a, v, e: iter([v] if v is not None else []),
    "match/1": lambda m, a, v, e: (x for p in m.eval(a[0], v, e) for x in _match(v, p)), "scan/1": lambda m, a, v, e: (([c["string"] for c in x["captures"]] if x["captures"] else x["string"]) for p in m.eval(a[0], v, e) for x in _match(v, p, "g")),
    "env/0": lambda m, a, v, e: iter([m.variables["ENV"]]), "input/0": _input, "inputs/0": _inputs, "until/2": _until,
    "isempty/1": lambda m, a, v, e: iter([next(m.eval(a[0], v, e), Ellipsis) is Ellipsis]), "add/1": lambda m, a, v, e: iter([_add(list(m.eval(a[0], v, e)))]), "now/0": lambda m, a, v, e: iter([0]),
}  # fmt: skip

__all__ = ["formatted"]

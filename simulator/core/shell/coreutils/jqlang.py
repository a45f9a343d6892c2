"""The language of jq: a parser to closures-free tuples and a machine whose filters are generators of results; steps are bounded."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

MAX_STEPS = 1_000_000


class JqError(Exception):
    """An error at run time; `value` is what `catch` gets."""

    def __init__(self, value: Any) -> None:
        super().__init__(value if isinstance(value, str) else json.dumps(value) + " (not a string)")
        self.value = value


class Break(Exception):
    """`limit` and `first` have enough."""


def type_of(value: Any) -> str:
    """The jq type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return {"str": "string", "list": "array", "dict": "object"}[type(value).__name__]


def truth(value: Any) -> bool:
    """Everything but null and false is true."""
    return value is not None and value is not False


#: Functions that are best said in jq itself (as in jq's builtin.jq).
DEFINITIONS = """
def leaf_paths: paths(scalars); def splits($re): split($re; "") | .[]; def splits($re; $flags): split($re; $flags) | .[];
def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] |= $row); def INDEX(f): INDEX(.[]; f);
def IN(s): any(s == .; .); def IN(src; s): any(src == s; .); def in(xs): . as $x | xs | has($x); def inside(xs): . as $x | xs | contains($x);
def ascii: [.] | implode; def todate: strftime("%Y-%m-%dT%H:%M:%SZ"); def finites: select(isinfinite or isnan | not);
def combinations: if length == 0 then [] else .[0][] as $x | (.[1:] | combinations) as $w | [$x] + $w end;
def pick(f): . as $top | reduce path(f) as $p (null; setpath($p; $top | getpath($p)));
def abs: if type == "number" and . < 0 then -. else . end; def toarray: if type == "array" then . else [.] end;
def have_literal_numbers: true; def halt_error: halt_error(5); def debug(m): .; def getpath_or_null(p): getpath(p);
def fromdate: fromdateiso8601; def dateadd(u; n): . + n; def datesub(u; n): . - n; def error(m): m | error;
"""


@functools.lru_cache(maxsize=1)
def prelude() -> dict[str, tuple[list[str], Any]]:
    """The definitions above that the tables of functions have not, by `name/arity`."""
    from . import jqfuncs, jqlib, jqparse

    tables = [
        getattr(module, name)
        for module in (jqfuncs, jqlib)
        for name in ("FILTERS", "FUNCTIONS", "SIMPLE")
        if hasattr(module, name)
    ]
    return {
        f"{name}/{len(params)}": (params, body)
        for name, params, body in jqparse.parse_definitions(DEFINITIONS)
        if not any(f"{name}/{len(params)}" in table for table in tables)
    }


class Machine:
    """Runs filters; variables and definitions are scopes in `env`."""

    def __init__(self, variables: dict[str, Any]) -> None:
        self.variables = variables
        self.steps = 0
        #: Inputs that were not read yet, for `input` and `inputs`.
        self.waiting: list[Any] = []

    def run(self, node: Any, value: Any, env: dict[str, Any] | None = None) -> Iterator[Any]:
        """The results of a filter for an input."""
        return self.eval(node, value, {} if env is None else env)

    def eval(self, node: Any, value: Any, env: dict[str, Any]) -> Iterator[Any]:
        """Dispatch by the kind of node."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise JqError("stopped by Slipway: too many steps")
        return getattr(self, "n_" + node[0])(node, value, env)  # type: ignore[no-any-return]

    def n_id(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        yield value

    def n_lit(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        yield node[1]

    def n_var(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        key = "$" + node[1]
        if key in env:
            yield env[key]
        elif node[1] in self.variables:
            yield self.variables[node[1]]
        else:
            raise JqError(f"${node[1]} is not defined")

    def n_pipe(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        for left in self.eval(node[1], value, env):
            yield from self.eval(node[2], left, env)

    def n_comma(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        yield from self.eval(node[1], value, env)
        yield from self.eval(node[2], value, env)

    def n_as(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        for item in self.eval(node[1], value, env):
            yield from self.eval(node[3], value, self.bound(node[2], item, env))

    def bound(self, pattern: Any, item: Any, env: Any) -> Any:
        """The scope with a pattern's variables bound to a value."""
        if isinstance(pattern, str):
            return {**env, "$" + pattern: item}
        kind, parts = pattern
        if kind == "array":
            for number, part in enumerate(parts):
                env = self.bound(part, index(item, number), env)
            return env
        for key, part in parts:
            name = next(self.eval(key, item, env), None)
            env = self.bound(part, index(item, name), env)
        return env

    def n_def(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        inner = dict(env)
        inner[f"{node[1]}/{len(node[2])}"] = (node[2], node[3], inner)
        yield from self.eval(node[4], value, inner)

    def n_index(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        for key in self.eval(node[2], value, env):
            for base in self.eval(node[1], value, env):
                yield index(base, key)

    def n_slice(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        for base in self.eval(node[1], value, env):
            first = next(self.eval(node[2], value, env)) if node[2] else None
            last = next(self.eval(node[3], value, env)) if node[3] else None
            if base is not None and not isinstance(base, list | str):
                raise JqError(f"Cannot index {type_of(base)} with object")
            yield None if base is None else base[None if first is None else int(first) : None if last is None else int(last)]

    def n_iterate(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        for base in self.eval(node[1], value, env):
            if isinstance(base, dict):
                yield from list(base.values())
            elif isinstance(base, list):
                yield from base
            else:
                raise JqError(f"Cannot iterate over {type_of(base)}" + (f" ({json.dumps(base)})" if base is not None else ""))

    def n_collect(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        yield list(self.eval(node[1], value, env))

    def n_object(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        def build(pairs: list[Any], made: dict[str, Any]) -> Iterator[Any]:
            if not pairs:
                yield dict(made)
                return
            for key in self.eval(pairs[0][0], value, env):
                if not isinstance(key, str):
                    raise JqError(f"Object keys must be strings, not {type_of(key)}")
                for item in self.eval(pairs[0][1] or ("index", ("id",), ("lit", key)), value, env):
                    yield from build(pairs[1:], {**made, key: item})

        yield from build(node[1], {})

    def n_if(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        for test in self.eval(node[1], value, env):
            yield from self.eval(node[2] if truth(test) else node[3], value, env)

    def n_try(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        try:
            yield from self.eval(node[1], value, env)
        except JqError as failed:
            if node[2] is not None:
                yield from self.eval(node[2], failed.value, env)

    def n_alt(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        found = False
        try:
            for item in self.eval(node[1], value, env):
                if truth(item):
                    found = True
                    yield item
        except JqError:
            pass
        if not found:
            yield from self.eval(node[2], value, env)

    def n_logic(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        for left in self.eval(node[2], value, env):
            if truth(left) == (node[1] == "or"):
                yield node[1] == "or"
                continue
            for right in self.eval(node[3], value, env):
                yield truth(right)

    def n_op(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        from .jqlib import operate

        for right in self.eval(node[3], value, env):
            for left in self.eval(node[2], value, env):
                yield operate(node[1], left, right)

    def n_reduce(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        state = next(self.eval(node[3][0], value, env), None)
        for item in self.eval(node[1], value, env):
            for made in self.eval(node[3][1], state, self.bound(node[2], item, env)):
                state = made
        yield state

    def n_foreach(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        state = next(self.eval(node[3][0], value, env), None)
        for item in self.eval(node[1], value, env):
            inner = self.bound(node[2], item, env)
            for made in self.eval(node[3][1], state, inner):
                state = made
                yield from self.eval(node[3][2], state, inner) if len(node[3]) > 2 else iter([state])

    def n_format(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        from .jqlib import formatted

        def build(parts: list[Any], made: str) -> Iterator[Any]:
            if not parts:
                yield made
                return
            if parts[0][0] == "lit":
                yield from build(parts[1:], made + parts[0][1])
                return
            for item in self.eval(parts[0][1], value, env):
                yield from build(parts[1:], made + formatted(node[1], item))

        yield from build(node[2], "")

    def n_update(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        from .jqlib import operate, path_values, set_path

        op = node[1]
        paths = list(path_values(self, node[2], value, env))
        if op == "|=":
            for path, old in paths:
                new = next(self.eval(node[3], old, env), None)
                value = set_path(value, path, new)
            yield value
            return
        for right in self.eval(node[3], value, env):
            result = value
            for path, old in paths:
                new = right if op == "=" else (old if truth(old) else right) if op == "//=" else operate(op[:-1], old, right)
                result = set_path(result, path, new)
            yield result

    def n_call(self, node: Any, value: Any, env: Any) -> Iterator[Any]:
        from .jqlib import call

        name, args = node[1], node[2]
        key = f"{name}/{len(args)}"
        if key in env:
            found = env[key]
            if len(found) == 2:  # an argument that is a filter with its own scope
                yield from self.eval(found[0], value, found[1])
                return
            params, body, scope = found
            inner = dict(scope)
            inner[key] = found
            made = inner
            for param, arg in zip(params, args, strict=True):
                if param.startswith("$"):
                    made["$" + param[1:]] = next(self.eval(arg, value, env), None)
                    made[f"{param[1:]}/0"] = (("lit", made["$" + param[1:]]), {})
                else:
                    made[f"{param}/0"] = (arg, env)
            yield from self.eval(body, value, made)
            return
        own = prelude().get(key)
        if own is not None:
            inner = {}
            for param, arg in zip(own[0], args, strict=True):
                if param.startswith("$"):
                    inner["$" + param[1:]] = next(self.eval(arg, value, env), None)
                    inner[f"{param[1:]}/0"] = (("lit", inner["$" + param[1:]]), {})
                else:
                    inner[f"{param}/0"] = (arg, env)
            yield from self.eval(own[1], value, inner)
            return
        yield from call(self, name, args, value, env)


def index(base: Any, key: Any) -> Any:
    """`base[key]`."""
    if base is None and isinstance(key, str | int | float | None):
        return None
    if isinstance(base, dict) and isinstance(key, str):
        return base.get(key)
    if isinstance(base, list) and isinstance(key, int | float) and not isinstance(key, bool):
        at = int(key)
        return base[at] if -len(base) <= at < len(base) else None
    if isinstance(key, str):
        raise JqError(f'Cannot index {type_of(base)} with "{key}"')
    raise JqError(f"Cannot index {type_of(base)} with {type_of(key)}")

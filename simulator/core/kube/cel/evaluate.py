"""Running a checked expression on values, within a budget of steps (`interpreter/interpreter.go`)."""

from __future__ import annotations

import functools
import math
from typing import Any

from . import kinds as _kinds
from . import library as _library
from .authorizer import Authorizer
from .check import TYPE_NAMES, check
from .functions import FUNCTIONS, call
from .syntax import CelError, Node, UInt, parse
from .types import DYN, Type, unescape
from .values import (
    Duration,
    EvalError,
    Exhausted,
    MapList,
    Optional,
    SetList,
    Timestamp,
    TypeValue,
    checked,
    compare,
    contains,
    equal,
    is_number,
    map_key,
    no_overload,
)

Vars = dict[str, Any]
#: Steps of one run, and the most characters of a text that is made.
PER_CALL = 100_000
MAX_TEXT = 1_000_000

__all__ = ["DYN", "CelError", "EvalError", "Program", "Type", "compile"]
_TABLES = (_library, _kinds)  # importing them fills the table of functions


class Budget:
    """Steps that are left."""

    __slots__ = ("left",)

    def __init__(self, steps: int = PER_CALL) -> None:
        self.left = steps

    def spend(self, steps: int = 1) -> None:
        """Raises Exhausted when nothing is left."""
        self.left -= steps
        if self.left < 0:
            raise Exhausted("operation cancelled: actual cost limit exceeded")


class Program:
    """A compiled expression."""

    def __init__(self, source: str, tree: Node, kind: Type, used: set[str]) -> None:
        self.source, self.tree, self.type, self.used = source, tree, kind, used

    def run(self, variables: Vars, budget: Budget | None = None) -> Any:
        """The value; raises EvalError."""
        try:
            return Run(budget or Budget()).value(self.tree, variables)
        except RecursionError:
            raise Exhausted("operation cancelled: actual cost limit exceeded") from None


def compile(source: str, env: dict[str, Type]) -> Program:
    """Parse and check; raises CelError."""
    try:
        tree = parse(source)
        kind, used = check(source, tree, env)
    except RecursionError:
        raise CelError(source, [(0, "expression recursion limit exceeded: 250")]) from None
    return Program(source, tree, kind, used)


class Run:
    """One run."""

    __slots__ = ("budget",)

    def __init__(self, budget: Budget) -> None:
        self.budget = budget

    def value(self, node: Node, scope: Vars) -> Any:
        """The value of a node."""
        self.budget.spend()
        return getattr(self, "_" + node.kind.replace("-", "_"))(node, scope)

    def _literal(self, node: Node, scope: Vars) -> Any:
        return node.value

    def _ident(self, node: Node, scope: Vars) -> Any:
        if node.value in scope:
            found = scope[node.value]
            return found() if isinstance(found, Lazy) else found
        if node.value in TYPE_NAMES:
            return TypeValue(node.value)
        raise EvalError(f"no such attribute(s): {node.value}")

    def _select(self, node: Node, scope: Vars) -> Any:
        base = self.value(node.parts[0], scope)
        if isinstance(base, Optional):
            return self._optional_of(base, node.value)
        return select(base, node.value)

    def _optional_of(self, base: Optional, name: str) -> Optional:
        if not base.present or not has(base.value, name):
            return Optional()
        return Optional(select(base.value, name), True)

    def _optional_select(self, node: Node, scope: Vars) -> Any:
        base = self.value(node.parts[0], scope)
        return self._optional_of(base if isinstance(base, Optional) else Optional(base, True), node.value)

    def _list(self, node: Node, scope: Vars) -> Any:
        out: list[Any] = []
        for item, optional in zip(node.parts, node.value, strict=True):
            found = self.value(item, scope)
            if not optional:
                out.append(found)
            elif found.present:
                out.append(found.value)
        return out

    def _map(self, node: Node, scope: Vars) -> Any:
        out: dict[Any, Any] = {}
        for i, optional in enumerate(node.value):
            key, item = self.value(node.parts[2 * i], scope), self.value(node.parts[2 * i + 1], scope)
            if not isinstance(key, str | int | float):
                raise EvalError(f"unsupported key type: {key!r}")
            if key in out:
                raise EvalError(f"insert failed: key {key} already exists")
            if not optional:
                out[key] = item
            elif item.present:
                out[key] = item.value
        return out

    def _message(self, node: Node, scope: Vars) -> Any:
        name, fields, optional = node.value
        out: dict[str, Any] = {}
        for field, loose, part in zip(fields, optional, node.parts, strict=True):
            found = self.value(part, scope)
            if loose:
                if not found.present:
                    continue
                found = found.value
            out[unescape(field)] = found
        return {"@type": name, **out} if name == "JSONPatch" else out

    # -- operators --------------------------------------------------------------------------------------------------------
    def _call(self, node: Node, scope: Vars) -> Any:
        name, parts = node.value, node.parts
        if name in ("_&&_", "_||_"):
            return self.logic(parts, scope, stop=name == "_||_")
        if name == "_?_:_":
            chosen = self.value(parts[0], scope)
            if not isinstance(chosen, bool):
                raise no_overload()
            return self.value(parts[1] if chosen else parts[2], scope)
        args = [self.value(part, scope) for part in parts]
        if name == "_==_":
            return equal(args[0], args[1])
        if name == "_!=_":
            return not equal(args[0], args[1])
        if name in _ORDER:
            return _ORDER[name](compare(args[0], args[1]))
        if name == "!_":
            if not isinstance(args[0], bool):
                raise no_overload()
            return not args[0]
        if name == "-_":
            return negate(args[0])
        if name == "@in":
            return self.member(args[0], args[1])
        if name == "_[_]":
            return self.at(args[0], args[1])
        if name == "_[?_]":
            try:
                return Optional(self.at(args[0], args[1], plain=True), True)
            except EvalError:
                return Optional()
        return self.arithmetic(name, args[0], args[1])

    def logic(self, parts: list[Node], scope: Vars, *, stop: bool) -> bool:
        """`&&` and `||`: an error counts only when the other side does not decide."""
        failed: EvalError | None = None
        for part in parts:
            try:
                found = self.value(part, scope)
            except Exhausted:
                raise
            except EvalError as error:
                failed = error
                continue
            if not isinstance(found, bool):
                failed = no_overload()
            elif found is stop:
                return stop
        if failed is not None:
            raise failed
        return not stop

    def member(self, wanted: Any, held: Any) -> bool:
        """`in`"""
        if isinstance(held, dict):
            return is_key(held, wanted)
        if isinstance(held, list):
            self.budget.spend(len(held))
            return contains(held, wanted)
        raise no_overload()

    def at(self, held: Any, key: Any, *, plain: bool = False) -> Any:
        """`[]`"""
        if isinstance(held, Optional):
            if not held.present:
                return Optional()
            try:
                return Optional(self.at(held.value, key, plain=True), True)
            except EvalError:
                return Optional()
        if isinstance(held, dict):
            if not is_key(held, key):
                raise EvalError(f"no such key: {key}")
            return held[key]
        if isinstance(held, list) and is_number(key):
            if key != int(key) or not 0 <= key < len(held):
                raise EvalError(f"index out of bounds: {int(key)}")
            return held[int(key)]
        raise no_overload()

    def arithmetic(self, name: str, left: Any, right: Any) -> Any:
        """`+ - * / %`"""
        if is_number(left) and is_number(right):
            return numbers(name, left, right)
        if name == "_+_":
            if isinstance(left, str | bytes) and type(left) is type(right):
                if len(left) + len(right) > MAX_TEXT:
                    raise Exhausted("operation cancelled: actual cost limit exceeded")
                self.budget.spend((len(left) + len(right)) // 10)
                joined_text: str | bytes = left + right  # type: ignore[operator]
                return joined_text
            if isinstance(left, list) and isinstance(right, list):
                self.budget.spend(len(left) + len(right))
                return joined(left, right)
        sign = {"_+_": 1, "_-_": -1}.get(name)
        if sign is None or not isinstance(left, Duration | Timestamp) or not isinstance(right, Duration | Timestamp):
            raise no_overload()
        total = left.ns + sign * right.ns
        if isinstance(left, Timestamp) and isinstance(right, Timestamp):
            if sign > 0:
                raise no_overload()
            return Duration(total)
        return Timestamp(total) if isinstance(left, Timestamp) or isinstance(right, Timestamp) else Duration(total)

    # -- functions and macros -----------------------------------------------------------------------------------------------
    def _function(self, node: Node, scope: Vars) -> Any:
        if node.value == "has":
            target = node.parts[0]
            base = self.value(target.parts[0], scope)
            if isinstance(base, Optional):
                return base.present and has(base.value, target.value)
            return has(base, target.value)
        return self.invoke(node, [self.value(part, scope) for part in node.parts], method=False)

    def _method(self, node: Node, scope: Vars) -> Any:
        target = node.parts[0]
        if target.kind == "ident" and target.value not in scope and f"{target.value}.{node.value}" in FUNCTIONS:
            node = Node("function", node.at, f"{target.value}.{node.value}", node.parts[1:])
            return self.invoke(node, [self.value(part, scope) for part in node.parts], method=False)
        macro = _MACROS.get(node.value)
        if macro is not None and len(node.parts) > 2:
            return macro(self, node, self.value(target, scope), scope)
        return self.invoke(node, [self.value(part, scope) for part in node.parts], method=True)

    def invoke(self, node: Node, args: list[Any], *, method: bool) -> Any:
        """A function of the tables; long texts cost more."""
        self.budget.spend(sum(len(item) // 10 for item in args if isinstance(item, str | bytes | list | dict)))
        return call(node.value, args, method=method)

    def items(self, held: Any, variables: int) -> list[tuple[Any, ...]]:
        """What a comprehension's variables run over."""
        if isinstance(held, dict):
            return [(key,) for key in held] if variables == 1 else list(held.items())
        if isinstance(held, list):
            return [(item,) for item in held] if variables == 1 else list(enumerate(held))
        raise no_overload()


def select(base: Any, name: str) -> Any:
    """`base.name`"""
    if isinstance(base, dict):
        if name in base:
            found = base[name]
            return found() if isinstance(found, Lazy) else found
        plain = unescape(name)
        if plain in base:
            return base[plain]
        raise EvalError(f"no such key: {plain}")
    if isinstance(base, Authorizer) and name == "requestResource":
        return base.request_resource
    raise no_overload()


def has(base: Any, name: str) -> bool:
    """`has(base.name)`"""
    if not isinstance(base, dict):
        raise no_overload()
    return name in base or unescape(name) in base


def is_key(held: dict[Any, Any], key: Any) -> bool:
    """Whether a map has a key; true is not 1."""
    if isinstance(key, bool):
        return any(item is key for item in held)
    return isinstance(key, str | int | float) and key in held


def negate(value: Any) -> Any:
    """`-x`"""
    if isinstance(value, Duration):
        return Duration(-value.ns)
    if isinstance(value, float):
        return -value
    if isinstance(value, int) and not isinstance(value, bool | UInt):
        return checked(-value)
    raise no_overload()


def numbers(name: str, left: Any, right: Any) -> Any:
    """Arithmetic of two numbers of one type."""
    if type(left) is not type(right):
        raise no_overload()
    if isinstance(left, float):
        return floats(name, left, right)
    if name in ("_/_", "_%_") and not right:
        raise EvalError("division by zero" if name == "_/_" else "modulus by zero")
    quotient = 0 if not right else abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    if name == "_+_":
        out = left + right
    elif name == "_-_":
        out = left - right
    elif name == "_*_":
        out = left * right
    else:
        out = quotient if name == "_/_" else left - quotient * right
    return checked(out, type(left))


def floats(name: str, left: float, right: float) -> float:
    """Arithmetic of doubles."""
    if name == "_%_":
        raise no_overload()
    if name == "_/_" and not right:
        return math.nan if not left or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1, right)
    return {"_+_": left + right, "_-_": left - right, "_*_": left * right, "_/_": left / right if right else 0.0}[name]


def joined(left: list[Any], right: list[Any]) -> list[Any]:
    """`+` of lists: sets and maps merge."""
    if isinstance(left, SetList):
        return SetList([*left, *(item for item in right if not contains(left, item))])
    if isinstance(left, MapList):
        rest = {map_key(left.keys, item): item for item in right}
        out = MapList([rest.pop(map_key(left.keys, item), item) for item in left])
        out += rest.values()
        out.keys = left.keys
        return out
    return [*left, *right]


class Lazy:
    """A variable that is computed when it is first asked for."""

    __slots__ = ("_found", "_make")

    def __init__(self, make: Any) -> None:
        self._make = make
        self._found: tuple[Any] | None = None

    def __call__(self) -> Any:
        if self._found is None:
            self._found = (self._make(),)
        return self._found[0]


_ORDER = {"_<_": lambda n: n < 0, "_<=_": lambda n: n <= 0, "_>_": lambda n: n > 0, "_>=_": lambda n: n >= 0}


# -- macros -------------------------------------------------------------------------------------------------------------


def _scoped(scope: Vars, names: list[str], values: tuple[Any, ...]) -> Vars:
    return {**scope, **dict(zip(names, values, strict=True))}


def _quantifier(run: Run, node: Node, held: Any, scope: Vars) -> bool:
    names = [part.value for part in node.parts[1:-1]]
    stop = node.value == "exists"
    failed: EvalError | None = None
    for values in run.items(held, len(names)):
        try:
            found = run.value(node.parts[-1], _scoped(scope, names, values))
        except Exhausted:
            raise
        except EvalError as error:
            failed = error
            continue
        if not isinstance(found, bool):
            failed = no_overload()
        elif found is stop:
            return stop
    if failed is not None:
        raise failed
    return not stop


def _exactly_one(run: Run, node: Node, held: Any, scope: Vars) -> bool:
    names = [part.value for part in node.parts[1:-1]]
    count = sum(run.value(node.parts[-1], _scoped(scope, names, values)) is True for values in run.items(held, len(names)))
    return count == 1


def _filter(run: Run, node: Node, held: Any, scope: Vars) -> list[Any]:
    names = [node.parts[1].value]
    return [values[0] for values in run.items(held, 1) if run.value(node.parts[2], _scoped(scope, names, values)) is True]


def _transform(run: Run, node: Node, held: Any, scope: Vars) -> Any:
    """map, transformList, transformMap, transformMapEntry, with an optional condition before the result."""
    variables = 1 if node.value == "map" else 2
    names = [part.value for part in node.parts[1 : 1 + variables]]
    rest = node.parts[1 + variables :]
    listed: list[Any] = []
    mapped: dict[Any, Any] = {}
    for values in run.items(held, variables):
        inner = _scoped(scope, names, values)
        if len(rest) == 2 and run.value(rest[0], inner) is not True:
            continue
        found = run.value(rest[-1], inner)
        if node.value == "transformMap":
            mapped[values[0]] = found
        elif node.value == "transformMapEntry":
            for key, item in found.items():
                if key in mapped:
                    raise EvalError(f"insert failed: key {key} already exists")
                mapped[key] = item
        else:
            listed.append(found)
    return listed if node.value in ("map", "transformList") else mapped


def _optional_map(run: Run, node: Node, held: Any, scope: Vars) -> Any:
    if not isinstance(held, Optional):
        raise no_overload()
    if not held.present:
        return held
    found = run.value(node.parts[2], {**scope, node.parts[1].value: held.value})
    return found if node.value == "optFlatMap" else Optional(found, True)


def _sort_by(run: Run, node: Node, held: Any, scope: Vars) -> list[Any]:
    keyed: list[tuple[Any, Any]] = [(run.value(node.parts[2], {**scope, node.parts[1].value: item}), item) for item in held]

    def order(one: tuple[Any, Any], other: tuple[Any, Any]) -> int:
        return compare(one[0], other[0])

    return [item for _, item in sorted(keyed, key=functools.cmp_to_key(order))]


_MACROS: dict[str, Any] = {
    "all": _quantifier, "exists": _quantifier, "exists_one": _exactly_one, "existsOne": _exactly_one, "filter": _filter,
    "map": _transform, "transformList": _transform, "transformMap": _transform, "transformMapEntry": _transform,
    "optMap": _optional_map, "optFlatMap": _optional_map, "sortBy": _sort_by,
}  # fmt: skip

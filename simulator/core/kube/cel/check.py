"""The type checker: what an expression's parts are, and cel-go's messages for what cannot be (`checker/checker.go`)."""

from __future__ import annotations

from .functions import FUNCTIONS
from .syntax import CelError, Node, UInt
from .types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    Type,
    assignable,
    list_of,
    map_of,
    optional_of,
    substitute,
)

Env = dict[str, Type]
TYPE_NAMES = frozenset(("int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"))
#: Methods that bind names: name → (variables, arguments after them).
MACROS: dict[str, tuple[tuple[int, ...], ...]] = {
    "all": ((1, 1), (2, 1)), "exists": ((1, 1), (2, 1)), "exists_one": ((1, 1),), "existsOne": ((1, 1), (2, 1)),
    "filter": ((1, 1),), "map": ((1, 1), (1, 2)), "transformList": ((2, 1), (2, 2)), "transformMap": ((2, 1), (2, 2)),
    "transformMapEntry": ((2, 1), (2, 2)), "optMap": ((1, 1),), "optFlatMap": ((1, 1),), "sortBy": ((1, 1),),
}  # fmt: skip

_NUMBERS = ("int", "uint", "double")
_ARITHMETIC: dict[str, tuple[tuple[str, str, Type], ...]] = {
    "_+_": (("int", "int", INT), ("uint", "uint", UINT), ("double", "double", DOUBLE), ("string", "string", STRING),
            ("bytes", "bytes", BYTES), ("duration", "duration", DURATION), ("timestamp", "duration", TIMESTAMP),
            ("duration", "timestamp", TIMESTAMP)),
    "_-_": (("int", "int", INT), ("uint", "uint", UINT), ("double", "double", DOUBLE), ("duration", "duration", DURATION),
            ("timestamp", "duration", TIMESTAMP), ("timestamp", "timestamp", DURATION)),
    "_*_": (("int", "int", INT), ("uint", "uint", UINT), ("double", "double", DOUBLE)),
    "_/_": (("int", "int", INT), ("uint", "uint", UINT), ("double", "double", DOUBLE)),
    "_%_": (("int", "int", INT), ("uint", "uint", UINT)),
}  # fmt: skip


class Checker:
    """One check of one tree; `problems` are (place, text)."""

    def __init__(self, source: str, env: Env) -> None:
        self.source, self.env = source, dict(env)
        self.problems: list[tuple[int, str]] = []
        self.used: set[str] = set()

    def problem(self, node: Node, text: str) -> Type:
        self.problems.append((node.at, text))
        return DYN

    def check(self, node: Node) -> Type:
        """The type of a node."""
        out: Type = getattr(self, "_" + node.kind.replace("-", "_"))(node)
        node.type = out
        return out

    def _literal(self, node: Node) -> Type:
        value = node.value
        if value is None:
            return NULL
        kinds = {bool: BOOL, UInt: UINT, int: INT, float: DOUBLE, str: STRING, bytes: BYTES}
        return kinds[value.__class__]

    def _ident(self, node: Node) -> Type:
        found = self.env.get(node.value)
        if found is not None:
            self.used.add(node.value)
            return found
        if node.value in TYPE_NAMES:
            return TYPE
        return self.problem(node, f"undeclared reference to '{node.value}' (in container '')")

    def _select(self, node: Node) -> Type:
        base = self.check(node.parts[0])
        return self.field(node, base)

    def field(self, node: Node, base: Type) -> Type:
        """The type of a selected field."""
        if base.kind == "dyn":
            return DYN
        if base.kind == "map":
            return base.params[1]
        if base.kind == "optional_type":
            inner = self.field(node, base.params[0])
            return inner if inner.kind == "optional_type" else optional_of(inner)
        if base.kind == "object":
            found = (base.fields or {}).get(node.value)
            if found is None:
                return self.problem(node, f"undefined field '{node.value}'")
            return found
        if base.kind == "kubernetes.authorization.Authorizer" and node.value == "requestResource":
            return Type("kubernetes.authorization.ResourceCheck")
        return self.problem(node, f"type '{base}' does not support field selection")

    def _optional_select(self, node: Node) -> Type:
        found = self.field(node, self.check(node.parts[0]))
        return found if found.kind == "optional_type" else optional_of(found)

    def _list(self, node: Node) -> Type:
        return list_of(self.joined([self.check(item) for item in node.parts]))

    def joined(self, kinds: list[Type]) -> Type:
        """The type of items of several types."""
        out: Type | None = None
        for kind in kinds:
            if kind.kind == "optional_type":
                kind = kind.params[0]
            out = kind if out is None or str(out) == str(kind) else DYN
        return out or DYN

    def _map(self, node: Node) -> Type:
        kinds = [self.check(item) for item in node.parts]
        return map_of(self.joined(kinds[::2]), self.joined(kinds[1::2]))

    def _message(self, node: Node) -> Type:
        name, _, _ = node.value
        if name != "JSONPatch" and name.partition(".")[0] != "Object":
            return self.problem(node, f"undeclared reference to '{name}' (in container '')")
        for item in node.parts:
            self.check(item)
        return Type("object", name=name, fields=None) if name == "JSONPatch" else DYN

    # -- calls ----------------------------------------------------------------------------------------------------------
    def _call(self, node: Node) -> Type:
        name = node.value
        args = [self.check(part) for part in node.parts]
        if name in ("_&&_", "_||_", "!_"):
            return BOOL if all(a.kind in ("bool", "dyn") for a in args) else self.mismatch(node, args)
        if name in ("_==_", "_!=_"):
            return BOOL if assignable(args[0], args[1], {}) or assignable(args[1], args[0], {}) else self.mismatch(node, args)
        if name in ("_<_", "_<=_", "_>_", "_>=_"):
            return self.order(node, args)
        if name == "_?_:_":
            if args[0].kind not in ("bool", "dyn"):
                return self.mismatch(node, args)
            if str(args[1]) != str(args[2]) and "dyn" not in (args[1].kind, args[2].kind):
                loose = assignable(args[1], args[2], {}) or assignable(args[2], args[1], {})
                return (args[2] if args[1].kind == "null_type" else args[1]) if loose else self.mismatch(node, args)
            return args[1] if args[1].kind != "dyn" else DYN
        if name == "@in":
            return self.membership(node, args)
        if name in ("_[_]", "_[?_]"):
            return self.index(node, args)
        if name == "-_":
            return args[0] if args[0].kind in ("int", "double", "duration", "dyn") else self.mismatch(node, args)
        return self.arithmetic(node, args)

    def mismatch(self, node: Node, args: list[Type], *, method: bool = False) -> Type:
        """No overload for these types."""
        shown = [str(item) for item in args]
        text = f"{shown[0]}.({', '.join(shown[1:])})" if method else f"({', '.join(shown)})"
        return self.problem(node, f"found no matching overload for '{node.value}' applied to '{text}'")

    def order(self, node: Node, args: list[Type]) -> Type:
        """Comparisons: numbers of any type with one another, else the same type."""
        one, other = args[0].kind, args[1].kind
        if "dyn" in (one, other) or (one in _NUMBERS and other in _NUMBERS):
            return BOOL
        same = one == other and one in ("string", "bytes", "bool", "timestamp", "duration")
        return BOOL if same else self.mismatch(node, args)

    def membership(self, node: Node, args: list[Type]) -> Type:
        """`in`"""
        held = args[1]
        if held.kind == "dyn":
            return BOOL
        if held.kind in ("list", "map") and assignable(args[0], held.params[0], {}):
            return BOOL
        return self.mismatch(node, args)

    def index(self, node: Node, args: list[Type]) -> Type:
        """`[]`"""
        held, key = args
        optional = node.value == "_[?_]"
        if held.kind == "optional_type":
            held, optional = held.params[0], True
        out: Type
        if held.kind == "dyn":
            out = DYN
        elif held.kind == "list" and key.kind in (*_NUMBERS, "dyn"):
            out = held.params[0]
        elif held.kind == "map" and assignable(key, held.params[0], {}):
            out = held.params[1]
        else:
            return self.mismatch(node, args)
        return optional_of(out) if optional else out

    def arithmetic(self, node: Node, args: list[Type]) -> Type:
        """`+ - * / %`"""
        left, right = args
        if (
            node.value == "_+_"
            and left.kind in ("list", "dyn")
            and right.kind in ("list", "dyn")
            and "list" in (left.kind, right.kind)
        ):
            return left if left.kind == "list" else right
        found = [
            result
            for a, b, result in _ARITHMETIC[node.value]
            if (a == left.kind or left.kind == "dyn") and (b == right.kind or right.kind == "dyn")
        ]
        if not found:
            return self.mismatch(node, args)
        return found[0] if len(found) == 1 else DYN

    def _function(self, node: Node) -> Type:
        if node.value == "has":
            if len(node.parts) != 1 or node.parts[0].kind not in ("select", "optional-select"):
                return self.problem(node.parts[0] if node.parts else node, "invalid argument to has() macro")
            self.check(node.parts[0])
            return BOOL
        return self.resolve(node, node.value, node.parts, method=False)

    def _method(self, node: Node) -> Type:
        target = node.parts[0]
        if target.kind == "ident" and target.value not in self.env and f"{target.value}.{node.value}" in FUNCTIONS:
            node.kind, node.value, node.parts = "function", f"{target.value}.{node.value}", node.parts[1:]
            return self.resolve(node, node.value, node.parts, method=False)
        forms = MACROS.get(node.value)
        if forms is not None:
            for variables, rest in forms:
                if len(node.parts) - 1 == variables + rest and all(p.kind == "ident" for p in node.parts[1 : 1 + variables]):
                    return self.macro(node, variables)
        return self.resolve(node, node.value, node.parts, method=True)

    def resolve(self, node: Node, name: str, parts: list[Node], *, method: bool) -> Type:
        """The result of the overload that fits."""
        args = [self.check(part) for part in parts]
        rows = [row for row in FUNCTIONS.get(name, ()) if row.method is method]
        if not rows:
            return self.problem(node, f"undeclared reference to '{name}' (in container '')")
        results: list[Type] = []
        for row in rows:
            bound: dict[str, Type] = {}
            if len(row.params) == len(args) and all(assignable(a, p, bound) for a, p in zip(args, row.params, strict=True)):
                results.append(substitute(row.result, bound))
        if not results:
            return self.mismatch(node, args, method=method)
        return results[0] if all(str(r) == str(results[0]) for r in results) else DYN

    def macro(self, node: Node, variables: int) -> Type:
        """A comprehension over a list or the keys of a map."""
        held = self.check(node.parts[0])
        names = [str(part.value) for part in node.parts[1 : 1 + variables]]
        if node.value in ("optMap", "optFlatMap"):
            kinds = [held.params[0] if held.kind == "optional_type" else DYN]
        elif held.kind == "list":
            kinds = [held.params[0]] if variables == 1 else [INT, held.params[0]]
        elif held.kind == "map":
            kinds = [held.params[0]] if variables == 1 else [held.params[0], held.params[1]]
        elif held.kind == "dyn":
            kinds = [DYN] * variables
        else:
            return self.problem(
                node.parts[0], f"expression of type '{held}' cannot be range of a comprehension (must be list, map, or dynamic)"
            )
        before = dict(self.env)
        self.env.update(zip(names, kinds, strict=True))
        results = [self.check(part) for part in node.parts[1 + variables :]]
        self.env = before
        if node.value in ("all", "exists", "exists_one", "existsOne", "filter") and results[0].kind not in ("bool", "dyn"):
            return self.problem(node.parts[-1], f"expected type 'bool' but found '{results[0]}'")
        if node.value in ("all", "exists", "exists_one", "existsOne"):
            return BOOL
        if node.value == "filter":
            return list_of(kinds[0])
        if node.value == "sortBy":
            return held
        if node.value in ("map", "transformList"):
            return list_of(results[-1])
        if node.value == "optMap":
            return optional_of(results[-1])
        if node.value == "optFlatMap":
            return results[-1]
        return map_of(kinds[0], results[-1]) if node.value == "transformMap" else map_of(DYN, DYN)


def check(source: str, tree: Node, env: Env) -> tuple[Type, set[str]]:
    """(type, variables that are used); raises CelError with every problem."""
    checker = Checker(source, env)
    out = checker.check(tree)
    if checker.problems:
        raise CelError(source, checker.problems)
    return out, checker.used

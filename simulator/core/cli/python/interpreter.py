"""Walks a program's syntax tree, with a budget of steps: the statements and expressions that small scripts are made of."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from typing import Any

from .children import CalledProcessError
from .values import BITS, BUILTINS, EXCEPTIONS, LARGEST, TYPES, Absent, Leave, Module, Stream, formatted, method

#: Methods that put values into others, and functions that make values of others.
_PUTS = frozenset(("append", "extend", "insert", "setdefault", "update", "add"))
_MAKES = frozenset(("dict", "list", "tuple", "set", "zip", "map", "enumerate", "sorted", "reversed", "filter"))
#: How much the values that a program puts together may hold in all, counted with what they hold: a list of itself twice, made again
#: and again, would else take for ever to be printed or compared.
WEIGHT = 400_000
#: Steps (nodes of the tree that were looked at) that a program may take, and calls in each other.
STEPS, DEPTH = 150_000, 60

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod, ast.Pow: operator.pow, ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
    ast.LShift: operator.lshift, ast.RShift: operator.rshift,
}  # fmt: skip
_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Is: operator.is_, ast.IsNot: operator.is_not, ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip
_UNARY: dict[type, Callable[[Any], Any]] = {
    ast.Not: operator.not_, ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert,
}  # fmt: skip


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _Return(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value
        super().__init__()


class Function:
    """A function of the program: its arguments, body and the names around it."""

    def __init__(
        self, run: Interpreter, name: str, args: ast.arguments, body: list[ast.stmt] | ast.expr, outer: dict[str, Any]
    ) -> None:
        self.run, self.name, self.args, self.body, self.outer = run, name, args, body, outer
        self.defaults = [run.value(one, outer) for one in args.defaults]

    def __call__(self, *given: Any, **named: Any) -> Any:
        names = [one.arg for one in (*self.args.posonlyargs, *self.args.args)]
        if self.args.kwonlyargs or self.args.kwarg:
            raise Absent("keyword-only arguments")
        if len(given) > len(names) and self.args.vararg is None:
            plural = "" if len(names) == 1 else "s"
            raise TypeError(f"{self.name}() takes {len(names)} positional argument{plural} but {len(given)} were given")
        here = dict(zip(names, given, strict=False))
        if self.args.vararg is not None:
            here[self.args.vararg.arg] = tuple(given[len(names) :])
        here |= named
        for name, value in zip(names[len(names) - len(self.defaults) :], self.defaults, strict=True):
            here.setdefault(name, value)
        if missing := [name for name in names if name not in here]:
            raise TypeError(
                f"{self.name}() missing {len(missing)} required positional argument{'s' * (len(missing) > 1)}: '{missing[0]}'"
            )
        scope = Scope(here, self.outer)
        self.run.depth += 1
        try:
            if self.run.depth > DEPTH:
                raise RecursionError("maximum recursion depth exceeded")
            if isinstance(self.body, ast.expr):
                return self.run.value(self.body, scope)
            self.run.block(self.body, scope)
        except _Return as found:
            return found.value
        finally:
            self.run.depth -= 1
        return None


class Scope(dict[str, Any]):
    """Names of a call; what it has not is looked for around it."""

    def __init__(self, own: dict[str, Any], outer: dict[str, Any]) -> None:
        super().__init__(own)
        self.outer = outer

    def __missing__(self, name: str) -> Any:
        return self.outer[name]


class Interpreter:
    """One program."""

    def __init__(
        self,
        modules: dict[str, Module],
        out: Callable[[str], None],
        err: Callable[[str], None],
        opened: Callable[[str, str], Stream],
        stdin: Stream,
    ) -> None:
        self.modules, self.out, self.err, self.opened, self.stdin = modules, out, err, opened, stdin
        self.steps = self.depth = self.weight = 0
        self.line = 1
        self.names: dict[str, Any] = {
            **BUILTINS,
            "print": self._print,
            "open": self._open,
            "input": self._input,
            "isinstance": self._isinstance,
            "exit": modules["sys"].members["exit"],
            "type": self._absent("type"),
        }

    @staticmethod
    def _absent(name: str) -> Callable[..., Any]:
        def say(*_: Any, **__: Any) -> Any:
            raise Absent(name)

        return say

    # -- built-in functions with effects --------------------------------------------------------------------------------
    def _print(self, *values: Any, sep: str | None = " ", end: str | None = "\n", file: Any = None, flush: bool = False) -> None:
        text = (" " if sep is None else sep).join(str(self._plain(value)) for value in values) + ("\n" if end is None else end)
        if file is None:
            self.out(text)
        elif isinstance(file, Stream) and file.write_to is not None:
            file.write_to(text)

    @staticmethod
    def _plain(value: Any) -> Any:
        if isinstance(value, Function | Module) or (callable(value) and not isinstance(value, type)):
            raise Absent("printing a function or module")
        return value

    def _open(self, name: str, mode: str = "r", **_: Any) -> Stream:
        return self.opened(name, mode)

    def _input(self, prompt: str = "") -> str:
        self.out(prompt)
        line = self.stdin.line()
        if not line:
            raise EOFError("EOF when reading a line")
        return line.rstrip("\n")

    @staticmethod
    def _isinstance(value: Any, kinds: Any) -> bool:
        return isinstance(value, kinds)

    # -- statements -------------------------------------------------------------------------------------------------------
    def step(self, node: ast.AST) -> None:
        """Count a step and keep the line."""
        self.steps += 1
        if self.steps > STEPS:
            raise Absent(f"a program of more than {STEPS:,} steps")
        self.line = getattr(node, "lineno", self.line)

    def weigh(self, value: Any) -> Any:
        """Count what a value that was just put together holds; the value."""
        todo = [value] if isinstance(value, list | tuple | dict | set) else []
        while todo:
            one = todo.pop()
            self.weight += 1 + len(one)
            if self.weight > WEIGHT or len(one) > LARGEST:
                raise MemoryError
            for part in one.values() if isinstance(one, dict) else one:
                if isinstance(part, list | tuple | dict | set):
                    todo.append(part)
            if isinstance(one, dict):
                todo += [part for part in one if isinstance(part, tuple)]
        return value

    def made(self, value: Any) -> Any:
        """Count the memory of a text or list that was just made, but not what it holds; the value."""
        if isinstance(value, str | bytes | list | tuple):
            self.weight += len(value) // (100 if isinstance(value, str | bytes) else 8)
            if self.weight > WEIGHT:
                raise MemoryError
        return value

    def block(self, body: list[ast.stmt], scope: dict[str, Any]) -> None:
        """Statements in order."""
        for node in body:
            self.step(node)
            handler = getattr(self, f"do_{type(node).__name__.lower()}", None)
            if handler is None:
                raise Absent(f"the statement `{type(node).__name__.lower()}`")
            handler(node, scope)

    def do_expr(self, node: ast.Expr, scope: dict[str, Any]) -> None:
        self.value(node.value, scope)

    def do_pass(self, node: ast.Pass, scope: dict[str, Any]) -> None:
        return None

    def do_assign(self, node: ast.Assign, scope: dict[str, Any]) -> None:
        value = self.value(node.value, scope)
        for target in node.targets:
            self.store(target, value, scope)

    def do_annassign(self, node: ast.AnnAssign, scope: dict[str, Any]) -> None:
        if node.value is not None:
            self.store(node.target, self.value(node.value, scope), scope)

    def do_augassign(self, node: ast.AugAssign, scope: dict[str, Any]) -> None:
        old = self.value(ast.copy_location(_loaded(node.target), node), scope)
        self.store(node.target, self.binary(type(node.op), old, self.value(node.value, scope)), scope)

    def do_if(self, node: ast.If, scope: dict[str, Any]) -> None:
        self.block(node.body if self.value(node.test, scope) else node.orelse, scope)

    def do_while(self, node: ast.While, scope: dict[str, Any]) -> None:
        while self.value(node.test, scope):
            self.step(node)
            try:
                self.block(node.body, scope)
            except _Break:
                return
            except _Continue:
                continue
        self.block(node.orelse, scope)

    def do_for(self, node: ast.For, scope: dict[str, Any]) -> None:
        for item in self.items(self.value(node.iter, scope)):
            self.step(node)
            self.store(node.target, item, scope)
            try:
                self.block(node.body, scope)
            except _Break:
                return
            except _Continue:
                continue
        self.block(node.orelse, scope)

    @staticmethod
    def items(value: Any) -> Iterator[Any]:
        """What a loop goes over."""
        return iter(value.take().splitlines(keepends=True)) if isinstance(value, Stream) else iter(value)

    def do_break(self, node: ast.Break, scope: dict[str, Any]) -> None:
        raise _Break

    def do_continue(self, node: ast.Continue, scope: dict[str, Any]) -> None:
        raise _Continue

    def do_return(self, node: ast.Return, scope: dict[str, Any]) -> None:
        raise _Return(self.value(node.value, scope) if node.value is not None else None)

    def do_functiondef(self, node: ast.FunctionDef, scope: dict[str, Any]) -> None:
        if node.decorator_list:
            raise Absent("decorators")
        scope[node.name] = Function(self, node.name, node.args, node.body, scope)

    def do_import(self, node: ast.Import, scope: dict[str, Any]) -> None:
        for one in node.names:
            top = self.module(one.name)
            scope[one.asname or one.name.split(".")[0]] = (
                top if one.asname or "." not in one.name else self.module(one.name.split(".")[0])
            )

    def do_importfrom(self, node: ast.ImportFrom, scope: dict[str, Any]) -> None:
        module = self.module(node.module or "")
        for one in node.names:
            if one.name not in module.members:
                raise Absent(f"{module.name}.{one.name}")
            scope[one.asname or one.name] = module.members[one.name]

    def module(self, name: str) -> Module:
        """A module by its name."""
        top, _, inner = name.partition(".")
        found: Any = self.modules.get(top)
        if found is None:
            raise Absent(f"the module {name}")
        for part in inner.split(".") if inner else []:
            found = found.members.get(part)
        if not isinstance(found, Module):
            raise Absent(f"the module {name}")
        return found

    def do_raise(self, node: ast.Raise, scope: dict[str, Any]) -> None:
        found = self.value(node.exc, scope) if node.exc is not None else RuntimeError("No active exception to reraise")
        raise found() if isinstance(found, type) else found

    def do_assert(self, node: ast.Assert, scope: dict[str, Any]) -> None:
        if not self.value(node.test, scope):
            raise AssertionError(*([self.value(node.msg, scope)] if node.msg is not None else []))

    def do_delete(self, node: ast.Delete, scope: dict[str, Any]) -> None:
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                del self.value(target.value, scope)[self.value(target.slice, scope)]
            elif isinstance(target, ast.Name):
                scope.pop(target.id)

    def do_with(self, node: ast.With, scope: dict[str, Any]) -> None:
        for one in node.items:
            value = self.value(one.context_expr, scope)
            if not isinstance(value, Stream):
                raise Absent("with, but for files")
            if one.optional_vars is not None:
                self.store(one.optional_vars, value, scope)
        self.block(node.body, scope)

    def do_try(self, node: ast.Try, scope: dict[str, Any]) -> None:
        try:
            self.block(node.body, scope)
        except (Absent, _Break, _Continue, _Return, MemoryError, RecursionError):
            raise
        except (Exception, Leave) as failed:
            for handler in node.handlers:
                kinds = self.value(handler.type, scope) if handler.type is not None else BaseException
                if isinstance(failed, kinds) and not (isinstance(failed, Leave) and handler.type is not None):
                    if handler.name:
                        scope[handler.name] = failed
                    self.block(handler.body, scope)
                    break
            else:
                raise
        else:
            self.block(node.orelse, scope)
        finally:
            self.block(node.finalbody, scope)

    def store(self, target: ast.expr, value: Any, scope: dict[str, Any]) -> None:
        """Assign to a name, an element or several of them."""
        match target:
            case ast.Name(id=name):
                scope[name] = value
            case ast.Subscript(value=inner, slice=key) if not isinstance(key, ast.Slice):
                self.value(inner, scope)[self.value(key, scope)] = self.weigh(value)
            case ast.Tuple(elts=parts) | ast.List(elts=parts) if not any(isinstance(part, ast.Starred) for part in parts):
                found = list(self.items(value))
                if len(found) != len(parts):
                    many = len(found) > len(parts)
                    raise ValueError(
                        f"too many values to unpack (expected {len(parts)})"
                        if many
                        else f"not enough values to unpack (expected {len(parts)}, got {len(found)})"
                    )
                for part, one in zip(parts, found, strict=True):
                    self.store(part, one, scope)
            case _:
                raise Absent("this form of assignment")

    # -- expressions --------------------------------------------------------------------------------------------------------
    def value(self, node: ast.expr, scope: dict[str, Any]) -> Any:
        """What an expression is worth."""
        self.step(node)
        match node:
            case ast.Constant(value=constant):
                return constant
            case ast.Name(id=name):
                return self.name(name, scope)
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(type(op), self.value(left, scope), self.value(right, scope))
            case ast.UnaryOp(op=op, operand=inner):
                return _UNARY[type(op)](self.value(inner, scope))
            case ast.BoolOp(op=op, values=parts):
                wanted = isinstance(op, ast.Or)
                found: Any = None
                for part in parts:
                    found = self.value(part, scope)
                    if bool(found) == wanted:
                        break
                return found
            case ast.Compare(left=left, ops=ops, comparators=others):
                one = self.value(left, scope)
                for compare, other in zip(ops, others, strict=True):
                    two = self.value(other, scope)
                    if not _COMPARE[type(compare)](one, two):
                        return False
                    one = two
                return True
            case ast.IfExp(test=test, body=yes, orelse=no):
                return self.value(yes if self.value(test, scope) else no, scope)
            case ast.Attribute(value=inner, attr=attr):
                return self.attribute(self.value(inner, scope), attr)
            case ast.Subscript(value=inner, slice=key):
                return (
                    self.made(self.value(inner, scope)[self.key(key, scope)])
                    if isinstance(key, ast.Slice)
                    else self.value(inner, scope)[self.key(key, scope)]
                )
            case ast.Call():
                return self.call(node, scope)
            case ast.List(elts=parts):
                return self.weigh(self.several(parts, scope))
            case ast.Tuple(elts=parts):
                return self.weigh(tuple(self.several(parts, scope)))
            case ast.Set(elts=parts):
                return self.weigh(set(self.several(parts, scope)))
            case ast.Dict(keys=keys, values=values):
                out: dict[Any, Any] = {}
                for where, what in zip(keys, values, strict=True):
                    if where is None:
                        out |= self.value(what, scope)
                    else:
                        out[self.value(where, scope)] = self.value(what, scope)
                return self.weigh(out)
            case ast.JoinedStr(values=parts):
                return self.made("".join(str(self.value(part, scope)) for part in parts))
            case ast.FormattedValue(value=inner, conversion=conversion, format_spec=spec):
                shown = self._plain(self.value(inner, scope))
                if conversion in (97, 114):
                    shown = repr(shown) if conversion == 114 else ascii(shown)
                return formatted(shown, str(self.value(spec, scope)) if spec is not None else "")
            case ast.ListComp(elt=elt, generators=generators) | ast.GeneratorExp(elt=elt, generators=generators):
                return [self.value(elt, inner) for inner in self.generated(generators, scope)]
            case ast.SetComp(elt=elt, generators=generators):
                return {self.value(elt, inner) for inner in self.generated(generators, scope)}
            case ast.DictComp(key=where, value=what, generators=generators):
                return {self.value(where, inner): self.value(what, inner) for inner in self.generated(generators, scope)}
            case ast.Lambda(args=args, body=body):
                return Function(self, "<lambda>", args, body, scope)
            case ast.NamedExpr(target=target, value=inner):
                scope[target.id] = found = self.value(inner, scope)
                return found
            case _:
                raise Absent(f"the expression `{type(node).__name__}`")

    def name(self, name: str, scope: dict[str, Any]) -> Any:
        """A name's value."""
        for place in (scope, self.names, TYPES, EXCEPTIONS):
            try:
                return place[name]
            except KeyError:
                continue
        raise NameError(f"name '{name}' is not defined")

    def attribute(self, value: Any, name: str) -> Any:
        """A member of a module or a method of a value; everything else is out of reach."""
        if isinstance(value, Module):
            if name not in value.members:
                raise Absent(f"{value.name}.{name}")
            return value.members[name]
        if isinstance(value, CalledProcessError) and name in ("returncode", "cmd", "output", "stdout", "stderr"):
            return getattr(value, name)
        if isinstance(value, OSError) and name in ("strerror", "filename", "errno"):
            return getattr(value, name)
        return method(value, name)

    def key(self, node: ast.expr, scope: dict[str, Any]) -> Any:
        """An index or a slice."""
        if isinstance(node, ast.Slice):
            return slice(*(self.value(part, scope) if part is not None else None for part in (node.lower, node.upper, node.step)))
        return self.value(node, scope)

    def several(self, parts: list[ast.expr], scope: dict[str, Any]) -> list[Any]:
        """Elements, `*values` among them."""
        out: list[Any] = []
        for part in parts:
            if isinstance(part, ast.Starred):
                out += list(self.items(self.value(part.value, scope)))
            else:
                out.append(self.value(part, scope))
        return out

    def generated(self, generators: list[ast.comprehension], scope: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The names of each turn of a comprehension."""
        first, *rest = generators
        for item in self.items(self.value(first.iter, scope)):
            inner = Scope({}, scope)
            self.store(first.target, item, inner)
            if all(self.value(test, inner) for test in first.ifs):
                yield from self.generated(rest, inner) if rest else iter([inner])

    def call(self, node: ast.Call, scope: dict[str, Any]) -> Any:
        """A call."""
        function = self.value(node.func, scope)
        if isinstance(function, Module) or not callable(function):
            raise TypeError(f"'{type(function).__name__}' object is not callable")
        args = self.several(node.args, scope)
        named = {one.arg: self.value(one.value, scope) for one in node.keywords if one.arg is not None}
        for one in node.keywords:
            if one.arg is None:
                named |= self.value(one.value, scope)
        if isinstance(node.func, ast.Attribute) and node.func.attr in _PUTS:
            self.weigh([args, named])
        found = function(*args, **named)
        deep = isinstance(node.func, ast.Name) and node.func.id in _MAKES
        return self.weigh(found) if deep else self.made(found)

    def binary(self, op: type, left: Any, right: Any) -> Any:
        """An operator; results that no small program needs are refused before they are made."""
        if op is ast.Mult:
            for one, other in ((left, right), (right, left)):
                if isinstance(one, str | list | tuple | bytes) and isinstance(other, int) and len(one) * other > LARGEST:
                    raise MemoryError
        if op in (ast.Pow, ast.LShift, ast.Mult) and isinstance(left, int) and isinstance(right, int):
            size = left.bit_length() * (abs(right) if op is ast.Pow else 1) + (right if op is ast.LShift else right.bit_length())
            if size > BITS:
                raise Absent("numbers of more than 4,096 bits")
        if op is ast.Mod and isinstance(left, str) and ("*" in left or _wide(left)):
            raise MemoryError
        found = _BINARY[op](left, right)
        if isinstance(found, str | list | tuple) and len(found) > LARGEST:
            raise MemoryError
        return self.weigh(found) if isinstance(found, list | tuple) else self.made(found)


def _wide(text: str) -> bool:
    """Whether a format asks for more than any line needs."""
    return any(int(number) > 10_000 for number in "".join(c if c.isdigit() else " " for c in text).split())


def _loaded(target: ast.expr) -> ast.expr:
    """The same place as something to read."""
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    if isinstance(target, ast.Subscript):
        return ast.Subscript(target.value, target.slice, ast.Load())
    raise Absent("this form of assignment")

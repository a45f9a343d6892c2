"""bc: a calculator of any precision (GNU bc 1.07): statements, functions, arrays, bases, the library of `-l`.

Each complete piece of input is run as it comes, as bc does.  A line may do `STEPS` operations.
"""

from __future__ import annotations

import re

from ...host.invocation import Call
from .bcnumbers import MOST, Number, Problem, apply, compare, library, literal, root, shown
from .bcparse import Node, Parser, Unfinished, tokens
from .common import Code, parse, read_path

STEPS = 200_000
CALLS = 60
BANNER = """bc 1.07.1
Copyright 1991-1994, 1997, 1998, 2000, 2004, 2006, 2008, 2012-2017 Free Software Foundation, Inc.
"""
ESCAPES = {"n": "\n", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "r": "\r", "q": '"', "\\": "\\", "e": "\\"}


class _Jump(Exception):
    def __init__(self, kind: str, value: Number | None = None) -> None:
        super().__init__(kind)
        self.kind, self.value = kind, value


class _Machine:
    def __init__(self, mathlib: bool) -> None:
        self.names: dict[str, Number] = {}
        self.arrays: dict[str, dict[int, Number]] = {}
        self.functions: dict[str, Node] = {}
        self.mathlib = mathlib
        self.special = {"scale": 20 if mathlib else 0, "ibase": 10, "obase": 10}
        self.last = Number(0)
        self.out: list[str] = []
        self.steps = self.calls = self.size = 0

    # -- statements -----------------------------------------------------------------------------------------------------
    def run(self, statements: list[Node]) -> None:
        """Run a piece of input; what it prints gathers in `out`."""
        self.steps = self.size = 0
        for statement in statements:
            self.do(statement)

    def tick(self) -> None:
        """Count an operation."""
        self.steps += 1
        if self.steps > STEPS:
            raise Problem(f"stopped by Slipway: more than {STEPS} operations")

    def say(self, text: str) -> None:
        """Print, within bounds."""
        self.size += len(text)
        if self.size > 1_000_000:
            raise Problem("stopped by Slipway: too much output")
        self.out.append(text)

    def do(self, node: Node) -> None:
        """One statement."""
        self.tick()
        kind = node[0]
        if kind == "expr":
            value = self.value(node[1])
            if node[1][0] != "set" and value is not None:
                self.last = value
                self.say(shown(value, self.special["obase"]) + "\n")
        elif kind == "text":
            self.say(node[1])
        elif kind == "print":
            for part in node[1]:
                if part[0] == "text":
                    self.say(re.sub(r"\\(.)", lambda found: ESCAPES.get(found.group(1), found.group()), part[1]))
                else:
                    self.last = self.value(part[1])
                    self.say(shown(self.last, self.special["obase"]))
        elif kind == "block":
            for one in node[1]:
                self.do(one)
        elif kind == "if":
            chosen = node[2] if self.value(node[1]).value else node[3]
            if chosen is not None:
                self.do(chosen)
        elif kind in ("while", "for"):
            self._loop(node)
        elif kind == "define":
            self.functions[node[1]] = node
        elif kind == "return":
            raise _Jump("return", Number(0) if node[1] is None else self.value(node[1]))
        elif kind in ("break", "continue"):
            raise _Jump(kind)
        else:  # quit, halt
            raise EOFError

    def _loop(self, node: Node) -> None:
        init, test, step, body = (None, node[1], None, node[2]) if node[0] == "while" else node[1:]
        if init is not None:
            self.value(init)
        while test is None or self.value(test).value:
            self.tick()
            try:
                self.do(body)
            except _Jump as jump:
                if jump.kind == "break":
                    return
                if jump.kind != "continue":
                    raise
            if step is not None:
                self.value(step)

    # -- expressions ----------------------------------------------------------------------------------------------------
    def value(self, node: Node) -> Number:
        """The value of an expression."""
        self.tick()
        kind = node[0]
        if kind == "number":
            return literal(node[1], self.special["ibase"])
        if kind in ("name", "array"):
            return self.load(node)
        if kind == "group":
            return self.value(node[1])
        if kind == "minus":
            inner = self.value(node[1])
            return Number(-inner.value, inner.scale)
        if kind == "not":
            return Number(int(not self.value(node[1]).value))
        if kind == "binary":
            return self._binary(node[1], node[2], node[3])
        if kind == "set":
            value = self.value(node[3])
            if node[1] != "=":
                value = apply(self.load(node[2]), node[1][0], value, self.special["scale"])
            return self.store(node[2], value)
        if kind == "step":
            before = self.load(node[2])
            after = self.store(node[2], apply(before, node[1], Number(1), self.special["scale"]))
            return after if node[3] else before
        if kind == "call":
            return self._call(node[1], node[2])
        raise Problem("syntax error")

    def _binary(self, op: str, left_node: Node, right_node: Node) -> Number:
        left, right = self.value(left_node), self.value(right_node)
        if op == "&&":
            return Number(int(bool(left.value and right.value)))
        if op == "||":
            return Number(int(bool(left.value or right.value)))
        if op in ("<", ">", "<=", ">=", "==", "!="):
            return compare(op, left, right)
        return apply(left, op, right, self.special["scale"])

    def load(self, node: Node) -> Number:
        """What a variable or an element holds."""
        if node[0] == "array":
            return self.arrays.get(node[1], {}).get(self._index(node[2]), Number(0))
        name = node[1]
        if name == "last":
            return self.last
        if name in self.special:
            return Number(self.special[name])
        return self.names.get(name, Number(0))

    def _index(self, node: Node) -> int:
        at = self.value(node).at(0)
        if not 0 <= at < 16_777_216:
            raise Problem(f"Array index out of bounds: {at}"[:200])
        return at

    def store(self, node: Node, value: Number) -> Number:
        """Assign; what was assigned."""
        if node[0] == "array":
            array = self.arrays.setdefault(node[1], {})
            if len(array) > 20_000:
                raise Problem("stopped by Slipway: the array is too large")
            array[self._index(node[2])] = value
        elif node[1] == "last":
            self.last = value
        elif node[1] in self.special:
            least, most = {"scale": (0, MOST), "ibase": (2, 16), "obase": (2, 1_000_000)}[node[1]]
            self.special[node[1]] = max(least, min(value.at(0), most))
        else:
            self.names[node[1]] = value
        return value

    def _call(self, name: str, given: list[Node]) -> Number:
        scale = self.special["scale"]
        if name in ("sqrt", "length", "scale") and len(given) == 1:
            inner = self.value(given[0])
            if name == "sqrt":
                return root(inner, scale)
            return Number(inner.scale if name == "scale" else max(len(str(abs(inner.value))), inner.scale))
        function = self.functions.get(name)
        if function is None:
            if self.mathlib and name in ("s", "c", "a", "l", "e") and len(given) == 1:
                return library(name, [self.value(given[0])], scale)
            if self.mathlib and name == "j" and len(given) == 2:
                return library(name, [self.value(one) for one in given], scale)
            raise Problem(f"Function {name} not defined.")
        return self._defined(function, given)

    def _defined(self, function: Node, given: list[Node]) -> Number:
        """Call a function: parameters and `auto` variables are its own while it runs."""
        _, _, params, autos, body = function
        if len(params) != len(given):
            raise Problem("Parameter number mismatch")
        if self.calls >= CALLS:
            raise Problem(f"stopped by Slipway: functions call each other more than {CALLS} deep")
        values: list[Number | dict[int, Number]] = [
            dict(self.arrays.get(node[1], {})) if param.endswith("[]") and node[0] == "whole" else self.value(node)
            for param, node in zip(params, given, strict=True)
        ]
        own = [*zip(params, values, strict=True), *((name, {} if name.endswith("[]") else Number(0)) for name in autos)]
        saved_names = {name: self.names.get(name) for name, _ in own if not name.endswith("[]")}
        saved_arrays = {name[:-2]: self.arrays.get(name[:-2]) for name, _ in own if name.endswith("[]")}
        for name, value in own:
            if isinstance(value, Number):
                self.names[name] = value
            else:
                self.arrays[name.removesuffix("[]")] = value
        self.calls += 1
        try:
            self.do(body)
        except _Jump as jump:
            if jump.kind == "return" and jump.value is not None:
                return jump.value
        finally:
            self.calls -= 1
            for name, old in saved_names.items():
                self.names.pop(name, None)
                if old is not None:
                    self.names[name] = old
            for name, array in saved_arrays.items():
                self.arrays.pop(name, None)
                if array is not None:
                    self.arrays[name] = array
        return Number(0)


class _Session:
    """Input line by line: what is complete is run at once."""

    def __init__(self, call: Call, machine: _Machine, name: str) -> None:
        self.call, self.machine, self.name = call, machine, name
        self.text, self.line = "", 0

    def feed(self, line: str, *, final: bool = False) -> bool:
        """Take a line; False when bc ends."""
        self.line += line.endswith("\n") or bool(line)
        self.text += line
        plain = re.sub(r'("[^"]*")|/\*.*?\*/|#[^\n]*', lambda found: found.group(1) or " ", self.text, flags=re.DOTALL)
        if not final and (re.search(r"/\*", re.sub(r'"[^"]*"', "", plain)) or self.text.endswith("\\\n")):
            self.text = self.text.removesuffix("\\\n") if self.text.endswith("\\\n") else self.text
            return True
        if final and plain.strip():  # bc 1.07 wants the last newline
            return self._wrong("syntax error")
        parser = Parser([])
        try:
            parser.tokens = tokens(plain)
            program = parser.program()
        except Unfinished:
            if (not final and plain.count("{") > plain.count("}")) or (not final and re.search(r"(\)|else)\s*$", plain)):
                return True
            return self._wrong("syntax error")
        except Problem as failed:
            return self._wrong(str(failed), ahead=int(parser.peek() == "\n"))
        self.text = ""
        try:
            self.machine.run(program)
        except EOFError:
            self.flush()
            return False
        except ZeroDivisionError:
            self.flush()
            self.call.err("Runtime error (func=(main), adr=3): Divide by zero\n")
        except _Jump:
            self.flush()
            self._wrong("Break or return outside of a function or loop")
        except Problem as failed:
            self.flush()
            text = str(failed)
            if text.startswith(("Function", "Square", "Parameter", "Array")):
                self.call.err(f"Runtime error (func=(main), adr={4 if text.startswith('Square') else 3}): {text}\n")
            else:
                self._wrong(text)
        self.flush()
        return True

    def _wrong(self, message: str, ahead: int = 0) -> bool:
        """Say what is wrong; a newline that should not be there counts already."""
        self.flush()
        self.text = ""
        self.call.err(f"{self.name} {self.line + ahead}: {message}\n")
        return True

    def flush(self) -> None:
        """Hand out what was printed."""
        self.call.out("".join(self.machine.out))
        self.machine.out.clear()


def bc(call: Call) -> Code:
    """`bc [-lq] [files]`: the files, then standard input, each complete statement when it is there."""
    options, names = parse(call, "lqsiw", "mathlib:l quiet:q standard:s interactive:i warn:w version:version")
    if "version" in options:
        call.out(BANNER)
        return 0
    machine = _Machine("l" in options)
    for name in names:
        try:
            data = yield from read_path(call, name)
        except OSError:
            call.err(f"File {name} is unavailable.\n")
            return 1
        session = _Session(call, machine, name)
        for line in data.decode("utf-8", "replace").splitlines(keepends=True):
            if not session.feed(line):
                return 0
        if session.text and not session.feed("", final=True):
            return 0
    if call.stdin_tty and "q" not in options:
        call.out(f"{BANNER}This is free software with ABSOLUTELY NO WARRANTY.\nFor details type `warranty'. \n")
    session = _Session(call, machine, "(standard_in)")
    while True:
        line = (yield from call.read_line()).decode("utf-8", "replace")
        if not line:
            break
        if not session.feed(line):
            return 0
    if session.text:
        session.feed("", final=True)
    return 0

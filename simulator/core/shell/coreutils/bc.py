"""bc: a calculator of any precision (GNU bc 1.07): expressions, `scale`, `ibase`, `obase`, variables, comparisons, sqrt, length.

Numbers are integers with a count of decimals, so results are cut as bc cuts them.  Functions, `if`, `while`, `for` and `-l` say so.
"""

from __future__ import annotations

import re
from math import isqrt

from ...host.invocation import Call
from ...kernel.errors import NotSimulated
from .common import Code, inputs, parse

TOKEN = re.compile(r"\s*(?:(?P<number>(?:[0-9A-F]+\.?[0-9A-F]*|\.[0-9A-F]+))|(?P<name>[a-z][a-z0-9_]*)|(?P<op>\+\+|--|[-+*/%^]=|[<>=!]=|&&|\|\||[-+*/%^()<>=!;,])|(?P<text>\"[^\"]*\"))")  # fmt: skip
#: How long a result may get, in digits.
MOST = 20_000
WORDS = frozenset({"if", "else", "while", "for", "define", "print", "auto", "return", "break", "read", "halt"})


class _Problem(Exception):
    """A message of bc's."""


class _Number:
    """`value / 10**scale`."""

    __slots__ = ("scale", "value")

    def __init__(self, value: int, scale: int = 0) -> None:
        if abs(value) >> (MOST * 4):
            raise _Problem("stopped by Slipway: the number is too long")
        self.value, self.scale = value, scale

    def at(self, scale: int) -> int:
        """The value with that many decimals, cut."""
        more = scale - self.scale
        return self.value * 10**more if more >= 0 else _cut(self.value, 10**-more)


def _cut(value: int, by: int) -> int:
    return abs(value) // by * (1 if value >= 0 else -1)


class _Machine:
    def __init__(self) -> None:
        self.names: dict[str, _Number] = {}
        self.special = {"scale": 0, "ibase": 10, "obase": 10, "last": 0}
        self.last = _Number(0)
        self.tokens: list[tuple[str, str]] = []
        self.place = self.depth = 0

    def line(self, text: str) -> str:
        """What a line prints."""
        self.tokens, self.place, out, at = [], 0, "", 0
        while text[at:].strip():
            found = TOKEN.match(text, at)
            if found is None:
                raise _Problem(f"illegal character: {text[at:].strip()[0]}")
            self.tokens.append((str(found.lastgroup), found.group(str(found.lastgroup))))
            at = found.end()
        while self.place < len(self.tokens):
            if self.peek() == ";":
                self.place += 1
                continue
            kind, word = self.tokens[self.place]
            if kind == "name" and word in ("quit", "halt"):
                raise EOFError(out)
            if kind == "name" and word in WORDS:
                raise NotSimulated(word)
            if kind == "text":
                self.place += 1
                out += word[1:-1]
                continue
            silent = (
                kind == "name"
                and self.place + 1 < len(self.tokens)
                and re.fullmatch(r"[-+*/%^]?=", self.tokens[self.place + 1][1])
            )
            value = self.either()
            if self.peek() not in (";", ""):
                raise _Problem("syntax error")
            if not silent:
                self.last = value
                out += self.shown(value) + "\n"
        return out

    def peek(self) -> str:
        return self.tokens[self.place][1] if self.place < len(self.tokens) else ""

    def either(self) -> _Number:
        left = self.compare()
        while self.peek() in ("&&", "||"):
            op, right = self.take(), self.compare()
            left = _Number(int(bool(left.value and right.value) if op == "&&" else bool(left.value or right.value)))
        return left

    def compare(self) -> _Number:
        left = self.sum()
        while self.peek() in ("<", ">", "<=", ">=", "==", "!="):
            op, right = self.take(), self.sum()
            scale = max(left.scale, right.scale)
            a, b = left.at(scale), right.at(scale)
            left = _Number(int({"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b, "==": a == b, "!=": a != b}[op]))
        return left

    def take(self) -> str:
        self.place += 1
        if self.place > len(self.tokens):
            raise _Problem("syntax error")
        return self.tokens[self.place - 1][1]

    def sum(self) -> _Number:
        left = self.product()
        while self.peek() in ("+", "-"):
            left = self.apply(left, self.take(), self.product())
        return left

    def product(self) -> _Number:
        left = self.power()
        while self.peek() in ("*", "/", "%"):
            left = self.apply(left, self.take(), self.power())
        return left

    def power(self) -> _Number:
        base = self.unary()
        return self.apply(base, self.take(), self.power()) if self.peek() == "^" else base

    def unary(self) -> _Number:
        self.depth += 1
        if self.depth > 300:
            raise _Problem("stopped by Slipway: nested too deeply")
        try:
            if self.peek() == "-":
                self.place += 1
                inner = self.unary()
                return _Number(-inner.value, inner.scale)
            if self.peek() == "!":
                self.place += 1
                return _Number(int(not self.unary().value))
            return self.atom()
        finally:
            self.depth -= 1

    def atom(self) -> _Number:
        if self.place >= len(self.tokens):
            raise _Problem("syntax error")
        kind, word = self.tokens[self.place]
        self.place += 1
        if kind == "number":
            return self.literal(word)
        if word == "(":
            inner = self.either()
            if self.peek() != ")":
                raise _Problem("syntax error")
            self.place += 1
            return inner
        if kind == "name":
            return self.named(word)
        raise _Problem("syntax error")

    def literal(self, word: str) -> _Number:
        whole, _, part = word.partition(".")
        base = self.special["ibase"]
        digits = [min(int(digit, 16), base - 1) if len(word) > 1 else int(digit, 16) for digit in whole + part]
        value = 0
        for digit in digits:
            value = value * base + digit
        return _Number(value) if not part else _Number(value * 10 ** len(part) // base ** len(part), len(part))

    def named(self, word: str) -> _Number:
        if self.peek() == "(":
            if word not in ("sqrt", "length", "scale"):
                raise _Problem(f"Function {word} not defined.")
            self.place += 1
            inner = self.either()
            if self.take() != ")":
                raise _Problem("syntax error")
            if word == "sqrt":
                scale = max(inner.scale, self.special["scale"])
                if inner.value < 0:
                    raise _Problem("Square root of a negative number")
                return _Number(isqrt(inner.at(2 * scale)), scale)
            return _Number(inner.scale if word == "scale" else max(len(str(abs(inner.value))), inner.scale))
        before = self.names.get(word, _Number(self.special.get(word, 0))) if word != "last" else self.last
        op = self.peek()
        if not re.fullmatch(r"[-+*/%^]?=", op):
            return before
        self.place += 1
        value = self.either()
        value = value if op == "=" else self.apply(before, op[0], value)
        if word in self.special:
            self.special[word] = max(0 if word == "scale" else 2, min(value.at(0), MOST if word == "scale" else 16))
        else:
            self.names[word] = value
        return value

    def apply(self, a: _Number, op: str, b: _Number) -> _Number:
        scale = self.special["scale"]
        if op in "+-":
            both = max(a.scale, b.scale)
            return _Number(a.at(both) + (b.at(both) if op == "+" else -b.at(both)), both)
        if op == "*":
            keep = min(a.scale + b.scale, max(scale, a.scale, b.scale))
            return _Number(_Number(a.value * b.value, a.scale + b.scale).at(keep), keep)
        if op == "^":
            times = b.at(0)
            if abs(times) * len(str(abs(a.value))) > MOST:
                raise _Problem("stopped by Slipway: the number is too long")
            if times < 0:
                return self.apply(_Number(1), "/", self.apply(a, "^", _Number(-times)))
            keep = min(a.scale * times, max(scale, a.scale))
            return _Number(_Number(a.value**times, a.scale * times).at(keep), keep)
        if b.value == 0:
            raise ZeroDivisionError
        if op == "/":
            top, bottom = a.value * 10 ** (scale + b.scale), b.value * 10**a.scale
            return _Number(abs(top) // abs(bottom) * (1 if (top < 0) == (bottom < 0) else -1), scale)
        keep = max(scale + b.scale, a.scale)
        quotient = self.apply(a, "/", b)
        return _Number(a.at(keep) - _Number(quotient.value * b.value, quotient.scale + b.scale).at(keep), keep)

    def shown(self, number: _Number) -> str:
        base = self.special["obase"]
        digits = str(abs(number.value))
        if base == 10:
            whole, part = (
                (digits[: -number.scale], digits[-number.scale :].rjust(number.scale, "0")) if number.scale else (digits, "")
            )
            text = f"{whole}.{part}" if part else whole
        else:
            text = ""
            value = abs(number.at(0))
            while value or not text:
                value, digit = divmod(value, base)
                text = "0123456789ABCDEF"[digit] + text
        text = ("-" if number.value < 0 else "") + (text or "0")
        return "\\\n".join(text[at : at + 68] for at in range(0, len(text), 68)) if len(text) > 69 else text


def bc(call: Call) -> Code:
    """`bc [-q] [files]`: each line of the files and of standard input."""
    options, names = parse(call, "lqsiw", "mathlib:l quiet:q standard:s interactive:i warn:w version:version")
    if "version" in options:
        call.out("bc 1.07.1\nCopyright 1991-1994, 1997, 1998, 2000, 2004, 2006, 2008, 2012-2017 Free Software Foundation, Inc.\n")
        return 0
    if "l" in options:
        raise NotSimulated("-l")
    found, code = yield from inputs(call, [*names, "-"])
    machine = _Machine()
    for _, data in found:
        text = re.sub(r"/\*.*?\*/|#[^\n]*", "", data.decode("utf-8", "replace").replace("\\\n", ""), flags=re.DOTALL)
        for number, line in enumerate(text.splitlines(), 1):
            try:
                call.out(machine.line(line))
            except EOFError as ended:
                call.out(str(ended))
                return code
            except ZeroDivisionError:
                call.err("Runtime error (func=(main), adr=3): Divide by zero\n")
            except _Problem as failed:
                call.err(f"(standard_in) {number}: {failed}\n")
    return code

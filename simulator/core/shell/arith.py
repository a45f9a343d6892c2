"""Shell arithmetic: 64-bit integers, C's operators, variables by name, bash's messages (expr.c)."""

from __future__ import annotations

import re
from typing import Protocol

TOKEN = re.compile(
    r"\s*(?:(0[xX][0-9a-fA-F]+(?![0-9a-zA-Z@_])|\d+#[0-9a-zA-Z@_]+|\d[0-9a-zA-Z_@]*)|([A-Za-z_]\w*)|(<<=|>>=|\*\*|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%<>=!~&|^?:,()\[\]]))"
)
LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", ">", "<=", ">="), ("<<", ">>"), ("+", "-"), ("*", "/", "%"),
)  # fmt: skip
ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "^=", "|="}


class ArithError(Exception):
    """The message without `bash: `."""


class Variables(Protocol):
    """Where arithmetic reads and writes variables."""

    def read_var(self, name: str, index: str | None) -> str | None:
        """The value of a variable or element."""

    def write_var(self, name: str, index: str | None, value: str) -> None:
        """Assign."""


def wrap(value: int) -> int:
    """The 64-bit two's complement of a value."""
    value &= 0xFFFFFFFFFFFFFFFF
    return value - (1 << 64) if value >> 63 else value


class _Evaluator:
    def __init__(self, text: str, variables: Variables, depth: int) -> None:
        self.text, self.vars, self.depth = text, variables, depth
        self.tokens: list[tuple[str, int]] = []
        self.at = 0
        self.noeval = 0
        if depth > 40:
            raise ArithError(f'{text}: expression recursion level exceeded (error token is "{text}")')
        pos = 0
        stripped = text.rstrip()
        while pos < len(stripped):
            match = TOKEN.match(stripped, pos)
            if match is None:
                rest = stripped[pos:].lstrip()
                raise ArithError(f'{text.strip()}: syntax error: invalid arithmetic operator (error token is "{rest}")')
            self.tokens.append((match.group().strip(), match.start() + len(match.group()) - len(match.group().lstrip())))
            pos = match.end()

    def peek(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def fail(self, why: str, back: int = 0) -> ArithError:
        at = max(self.at - back, 0)
        rest = (
            self.text[self.tokens[at][1] :] if at < len(self.tokens) else (self.text[self.tokens[-1][1] :] if self.tokens else "")
        )
        return ArithError(f'{self.text.lstrip()}: {why} (error token is "{rest}")')

    def run(self) -> int:
        if not self.tokens:
            return 0
        value = self.comma()
        if self.at < len(self.tokens):
            raise self.fail("syntax error in expression")
        return value

    def comma(self) -> int:
        value = self.assign()
        while self.peek() == ",":
            self.take()
            value = self.assign()
        return value

    def assign(self) -> int:
        start = self.at
        name = self.peek()
        if re.match(r"[A-Za-z_]", name):
            self.take()
            index = self.subscript()
            op = self.peek()
            if op in ASSIGNMENTS:
                self.take()
                value = self.assign()
                if op != "=":
                    value = self.apply(op[:-1], self.read(name, index), value)
                self.write(name, index, value)
                return value
            self.at = start
        return self.ternary()

    def subscript(self) -> str | None:
        if self.peek() != "[":
            return None
        self.take()
        depth = 1
        parts: list[str] = []
        while self.at < len(self.tokens):
            token = self.take()
            depth += (token == "[") - (token == "]")
            if depth == 0:
                return " ".join(parts)
            parts.append(token)
        raise self.fail("bad array subscript")

    def ternary(self) -> int:
        test = self.binary(0)
        if self.peek() != "?":
            return test
        self.take()
        self.noeval += not test
        yes = self.assign()
        self.noeval -= not test
        if self.peek() != ":":
            raise self.fail("`:' expected for conditional expression")
        self.take()
        self.noeval += bool(test)
        no = self.assign()
        self.noeval -= bool(test)
        return yes if test else no

    def binary(self, level: int) -> int:
        if level == len(LEVELS):
            return self.power()
        left = self.binary(level + 1)
        while self.peek() in LEVELS[level]:
            op = self.take()
            skip = (op == "&&" and not left) or (op == "||" and bool(left))
            self.noeval += skip
            right = self.binary(level + 1)
            self.noeval -= skip
            left = self.apply(op, left, right)
        return left

    def power(self) -> int:
        base = self.unary()
        if self.peek() != "**":
            return base
        self.take()
        exponent = self.power()
        if exponent < 0:
            raise self.fail("exponent less than 0", 1)
        return wrap(pow(base, exponent, 1 << 64))

    def unary(self) -> int:
        token = self.peek()
        if token in ("!", "~", "-", "+"):
            self.take()
            value = self.unary()
            return {"!": int(not value), "~": ~value, "-": wrap(-value), "+": value}[token]
        if token in ("++", "--"):
            self.take()
            name = self.take()
            if not re.match(r"[A-Za-z_]", name):
                raise self.fail("syntax error: operand expected")
            index = self.subscript()
            value = wrap(self.read(name, index) + (1 if token == "++" else -1))
            self.write(name, index, value)
            return value
        return self.primary()

    def primary(self) -> int:
        token = self.take()
        if token == "(":
            value = self.comma()
            if self.take() != ")":
                raise self.fail("missing `)'", 1)
            return value
        if token and token[0].isdigit():
            return self.number(token)
        if token and re.match(r"[A-Za-z_]", token):
            index = self.subscript()
            value = self.read(token, index)
            if self.peek() in ("++", "--"):
                self.write(token, index, wrap(value + (1 if self.take() == "++" else -1)))
            return value
        raise self.fail("syntax error: operand expected", 1 if token else 0)

    def number(self, token: str) -> int:
        if "#" in token:
            base, _, digits = token.partition("#")
            alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@_"
            radix, value = int(base), 0
            if not 2 <= radix <= 64:
                raise ArithError(f'{self.text.strip()}: invalid arithmetic base (error token is "{token}")')
            for c in digits.lower() if radix <= 36 else digits:
                digit = alphabet.index(c)
                if digit >= radix:
                    raise ArithError(f'{self.text.strip()}: value too great for base (error token is "{token}")')
                value = value * radix + digit
            return wrap(value)
        if token[:2] in ("0x", "0X"):
            if not re.fullmatch(r"[0-9a-fA-F]*", token[2:]):
                raise ArithError(f'{self.text.lstrip()}: value too great for base (error token is "{token}")')
            return wrap(int(token[2:] or "0", 16))
        if token[0] == "0" and len(token) > 1:
            if not re.fullmatch("[0-7]+", token):
                raise ArithError(f'{self.text.strip()}: value too great for base (error token is "{token}")')
            return wrap(int(token, 8))
        if not token.isdigit():
            raise ArithError(f'{self.text.strip()}: value too great for base (error token is "{token}")')
        return wrap(int(token[:40]))

    def read(self, name: str, index: str | None) -> int:
        if self.noeval:
            return 0
        text = self.vars.read_var(name, index)
        if not text or not text.strip():
            return 0
        return evaluate(text, self.vars, self.depth + 1)

    def write(self, name: str, index: str | None, value: int) -> None:
        if not self.noeval:
            self.vars.write_var(name, index, str(value))

    def apply(self, op: str, a: int, b: int) -> int:
        if op in ("/", "%"):
            if b == 0:
                if self.noeval:
                    return 0
                raise self.fail("division by 0", 1)
            quotient = abs(a) // abs(b)
            quotient = quotient if (a < 0) == (b < 0) else -quotient
            return wrap(quotient if op == "/" else a - quotient * b)
        if op == "<<":
            return wrap(a << (b & 63))
        if op == ">>":
            return a >> (b & 63)
        table = {
            "+": a + b, "-": a - b, "*": a * b, "&": a & b, "|": a | b, "^": a ^ b, "==": int(a == b), "!=": int(a != b),
            "<": int(a < b), ">": int(a > b), "<=": int(a <= b), ">=": int(a >= b), "&&": int(bool(a) and bool(b)),
            "||": int(bool(a) or bool(b)),
        }  # fmt: skip
        return wrap(table[op])


def evaluate(text: str, variables: Variables, depth: int = 0) -> int:
    """The value of an expression.  Raises ArithError."""
    return _Evaluator(text, variables, depth).run()

"""expr: expressions given as words (coreutils 9.4)."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from ...host.invocation import Call
from . import regexes

MAX_DIGITS = 2000
LEVELS: tuple[tuple[str, ...], ...] = (
    ("|",),
    ("&",),
    ("<", "<=", "=", "==", "!=", ">=", ">"),
    ("+", "-"),
    ("*", "/", "%"),
    (":",),
)
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, "=": operator.eq, "==": operator.eq, "!=": operator.ne, ">=": operator.ge, ">": operator.gt,
}  # fmt: skip


class Complaint(Exception):
    """The expression is wrong; the message follows `expr: `."""


def expr(call: Call) -> int:
    """`expr EXPRESSION`: arithmetic, comparison, `:`, match, substr, index, length."""
    args = call.argv[1:]
    if args[:1] == ["--"]:
        args = args[1:]
    if not args:
        call.err("expr: missing operand\nTry 'expr --help' for more information.\n")
        return 2
    reader = _Reader(args)
    try:
        value = reader.level(0)
        if reader.at < len(args):
            raise Complaint(f"syntax error: unexpected argument ‘{args[reader.at]}’")
    except Complaint as failed:
        call.err(f"expr: {failed}\n")
        return 2
    call.out(f"{value}\n")
    return int(_null(value))


def _null(value: str) -> bool:
    return value == "" or (value.lstrip("-").strip("0") == "" and value != "-")


def _number(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > MAX_DIGITS:
        raise Complaint("non-integer argument")
    return int(text)


class _Reader:
    """A recursive descent over the words."""

    def __init__(self, args: list[str]) -> None:
        self.args, self.at, self.depth = args, 0, 0

    def word(self) -> str:
        """The next word; an error when there is none."""
        if self.at >= len(self.args):
            raise Complaint(f"syntax error: missing argument after ‘{self.args[self.at - 1]}’")
        self.at += 1
        return self.args[self.at - 1]

    def level(self, depth: int) -> str:
        """Operators of one strength, from the left."""
        if depth == len(LEVELS):
            return self.primary()
        left = self.level(depth + 1)
        while self.at < len(self.args) and self.args[self.at] in LEVELS[depth]:
            op = self.word()
            left = _apply(left, op, self.level(depth + 1))
        return left

    def primary(self) -> str:
        """A word, a keyword with its arguments, or what stands in brackets."""
        self.depth += 1
        if self.depth > 200:
            raise Complaint("nested too deeply")
        try:
            word = self.word()
            if word == "+":
                return self.word()
            if word == "(":
                value = self.level(0)
                if self.at >= len(self.args):
                    raise Complaint(f"syntax error: expecting ')' after ‘{self.args[self.at - 1]}’")
                if self.word() != ")":
                    raise Complaint(f"syntax error: expecting ')' instead of ‘{self.args[self.at - 1]}’")
                return value
            if word == ")":
                raise Complaint("syntax error: unexpected ')'")
            if word == "length":
                return str(len(self.primary()))
            if word == "index":
                text, chars = self.primary(), self.primary()
                return str(next((place for place, char in enumerate(text, 1) if char in chars), 0))
            if word == "match":
                text = self.primary()
                return _match(text, self.primary())
            if word == "substr":
                text, start, count = self.primary(), self.primary(), self.primary()
                try:
                    first, length = _number(start), _number(count)
                except Complaint:
                    return ""
                return text[first - 1 : first - 1 + length] if first > 0 and length > 0 else ""
            return word
        finally:
            self.depth -= 1


def _match(text: str, pattern: str) -> str:
    try:
        found = regexes.compile_posix(pattern, extended=False).match(text[: regexes.MAX_SUBJECT])
    except regexes.BadPattern as failed:
        raise Complaint(str(failed)) from None
    if found is None:
        return "" if "\\(" in pattern else "0"
    return (found.group(1) or "") if found.re.groups else str(len(found.group()))


def _apply(left: str, op: str, right: str) -> str:
    if op == "|":
        return left if not _null(left) else (right if not _null(right) else "0")
    if op == "&":
        return left if not _null(left) and not _null(right) else "0"
    if op == ":":
        return _match(left, right)
    if op in COMPARE:
        try:
            return str(int(COMPARE[op](_number(left), _number(right))))
        except Complaint:
            return str(int(COMPARE[op](left, right)))
    a, b = _number(left), _number(right)
    if op in "/%":
        if b == 0:
            raise Complaint("division by zero")
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return str(quotient if op == "/" else a - quotient * b)
    return str({"+": a + b, "-": a - b, "*": a * b}[op])

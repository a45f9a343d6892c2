"""bc's language (GNU bc 1.07, bc.y): statements and expressions as plain tuples.

Expressions: ("number", text) ("name", n) ("array", n, index) ("call", f, args) ("not", e) ("minus", e) ("binary", op, a, b)
("set", op, target, e) ("step", op, target, before) ("group", e).  Statements: ("expr", e) ("text", s) ("print", parts) ("if", e, a, b)
("while", e, s) ("for", init, test, step, s) ("block", list) ("define", name, params, autos, body) ("return", e) ("break",) ("continue",)
("quit",) ("halt",).
"""

from __future__ import annotations

import re
from typing import Any

from ...kernel.errors import NotSimulated
from .bcnumbers import Problem

TOKEN = re.compile(
    r"[ \t\r]*(?:(?P<newline>\n)|(?P<number>[0-9A-F]+\.?[0-9A-F]*|\.[0-9A-F]+)|(?P<name>[a-z][a-z0-9_]*)"
    r'|(?P<op>\+\+|--|[-+*/%^]=|[<>=!]=|&&|\|\||[-+*/%^()<>=!;,{}\[\].])|(?P<text>"[^"]*"))'
)
DEEPEST = 200
Node = tuple[Any, ...]


class Unfinished(Exception):
    """More lines are needed."""


def tokens(text: str) -> list[tuple[str, str]]:
    """The tokens of a text whose comments are gone.  Raises Problem, Unfinished (an open string)."""
    found: list[tuple[str, str]] = []
    at = 0
    while text[at:].strip(" \t\r"):
        match = TOKEN.match(text, at)
        if match is None:
            rest = text[at:].lstrip(" \t\r")
            if rest[0] == '"':
                raise Unfinished
            raise Problem(f"illegal character: {rest[0]}")
        kind = str(match.lastgroup)
        found.append((kind, match.group(kind)))
        at = match.end()
    return found


class Parser:
    """A list of tokens read by recursive descent."""

    def __init__(self, found: list[tuple[str, str]]) -> None:
        self.tokens, self.place, self.depth = found, 0, 0

    def peek(self) -> str:
        """The next token's text, "" at the end."""
        return self.tokens[self.place][1] if self.place < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        """The next token; a problem when another one was wanted."""
        if self.place >= len(self.tokens):
            raise Unfinished
        word = self.tokens[self.place][1]
        if wanted and word != wanted:
            raise Problem("syntax error")
        self.place += 1
        return word

    def program(self) -> list[Node]:
        """The statements of a whole text."""
        out: list[Node] = []
        while self.place < len(self.tokens):
            if self.peek() in (";", "\n"):
                self.place += 1
                continue
            out.append(self.statement())
            if self.peek() not in (";", "\n", "") and out[-1][0] != "define":
                raise Problem("syntax error")
        return out

    def lines(self) -> None:
        """Skip newlines; the text may not end here."""
        while self.peek() == "\n":
            self.place += 1
        if self.place >= len(self.tokens):
            raise Unfinished

    # -- statements -----------------------------------------------------------------------------------------------------
    def statement(self) -> Node:
        """One statement."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise Problem("stopped by Slipway: nested too deeply")
        try:
            return self._statement()
        finally:
            self.depth -= 1

    def _statement(self) -> Node:
        kind, word = self.tokens[self.place] if self.place < len(self.tokens) else ("", "")
        if kind == "text":
            self.place += 1
            return ("text", word[1:-1])
        if word == "{":
            return self._block()
        if kind == "name":
            if word in ("quit", "halt", "break", "continue"):
                self.place += 1
                return (word,)
            handler = {"if": self._if, "while": self._while, "for": self._for, "define": self._define, "print": self._print}.get(
                word
            )
            if handler is not None:
                self.place += 1
                return handler()
            if word == "return":
                self.place += 1
                if self.peek() in (";", "\n", "}", ""):
                    return ("return", None)
                return ("return", self.expression())
            if word in ("auto", "else"):
                raise Problem("syntax error")
        return ("expr", self.expression())

    def _block(self) -> Node:
        self.take("{")
        out: list[Node] = []
        while True:
            while self.peek() in (";", "\n"):
                self.place += 1
            if self.place >= len(self.tokens):
                raise Unfinished
            if self.peek() == "}":
                self.place += 1
                return ("block", out)
            out.append(self.statement())
            if self.peek() not in (";", "\n", "}", ""):
                raise Problem("syntax error")

    def _test(self) -> Node:
        self.take("(")
        test = self.expression()
        self.take(")")
        self.lines()
        return test

    def _if(self) -> Node:
        test = self._test()
        yes = self.statement()
        no: Node | None = None
        mark = self.place
        while self.peek() in (";", "\n"):
            self.place += 1
        if self.peek() == "else":
            self.place += 1
            self.lines()
            no = self.statement()
        else:
            self.place = mark
        return ("if", test, yes, no)

    def _while(self) -> Node:
        test = self._test()
        return ("while", test, self.statement())

    def _for(self) -> Node:
        self.take("(")
        parts: list[Node | None] = []
        for end in (";", ";", ")"):
            parts.append(None if self.peek() == end else self.expression())
            self.take(end)
        self.lines()
        return ("for", *parts, self.statement())

    def _print(self) -> Node:
        parts: list[Node] = []
        while True:
            kind, word = self.tokens[self.place] if self.place < len(self.tokens) else ("", "")
            if kind == "text":
                self.place += 1
                parts.append(("text", word[1:-1]))
            else:
                parts.append(("expr", self.expression()))
            if self.peek() != ",":
                return ("print", parts)
            self.place += 1

    def _names(self, end: str) -> list[str]:
        """Names of parameters or local variables; `[]` behind one is kept."""
        out: list[str] = []
        while self.peek() != end:
            kind, word = self.tokens[self.place] if self.place < len(self.tokens) else ("", "")
            if kind != "name":
                raise Unfinished if not kind else Problem("syntax error")
            self.place += 1
            if self.peek() == "[":
                self.place += 1
                self.take("]")
                word += "[]"
            out.append(word)
            if self.peek() != ",":
                break
            self.place += 1
        return out

    def _define(self) -> Node:
        if self.peek() == "void":
            self.place += 1
        name = self.take()
        self.take("(")
        params = self._names(")")
        self.take(")")
        self.lines()
        self.take("{")
        while self.peek() in ("\n", ";"):
            self.place += 1
        autos: list[str] = []
        while self.peek() == "auto":
            self.place += 1
            autos += self._names(";")
            while self.peek() in ("\n", ";"):
                self.place += 1
        self.place -= 1
        self.tokens[self.place] = ("op", "{")
        return ("define", name, params, autos, self._block())

    # -- expressions ----------------------------------------------------------------------------------------------------
    def expression(self) -> Node:
        """`||` binds least."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise Problem("stopped by Slipway: nested too deeply")
        try:
            left = self._and()
            while self.peek() == "||":
                self.place += 1
                left = ("binary", "||", left, self._and())
            return left
        finally:
            self.depth -= 1

    def _and(self) -> Node:
        left = self._not()
        while self.peek() == "&&":
            self.place += 1
            left = ("binary", "&&", left, self._not())
        return left

    def _not(self) -> Node:
        if self.peek() == "!":
            self.place += 1
            self.depth += 1
            if self.depth > DEEPEST:
                raise Problem("stopped by Slipway: nested too deeply")
            try:
                return ("not", self._not())
            finally:
                self.depth -= 1
        left = self._assignment()
        while self.peek() in ("<", ">", "<=", ">=", "==", "!="):
            op = self.take()
            left = ("binary", op, left, self._assignment())
        return left

    def _assignment(self) -> Node:
        left = self._sum()
        if left[0] in ("name", "array") and re.fullmatch(r"[-+*/%^]?=", self.peek()):
            op = self.take()
            self.depth += 1
            if self.depth > DEEPEST:
                raise Problem("stopped by Slipway: nested too deeply")
            try:
                return ("set", op, left, self._assignment())
            finally:
                self.depth -= 1
        return left

    def _sum(self) -> Node:
        left = self._product()
        while self.peek() in ("+", "-"):
            op = self.take()
            left = ("binary", op, left, self._product())
        return left

    def _product(self) -> Node:
        left = self._power()
        while self.peek() in ("*", "/", "%"):
            op = self.take()
            left = ("binary", op, left, self._power())
        return left

    def _power(self) -> Node:
        base = self._unary()
        if self.peek() != "^":
            return base
        self.place += 1
        self.depth += 1
        if self.depth > DEEPEST:
            raise Problem("stopped by Slipway: nested too deeply")
        try:
            return ("binary", "^", base, self._power())
        finally:
            self.depth -= 1

    def _unary(self) -> Node:
        minus = 0
        while self.peek() == "-":
            self.place += 1
            minus += 1
        if self.peek() in ("++", "--"):
            op = self.take()
            target = self._atom()
            if target[0] not in ("name", "array"):
                raise Problem("syntax error")
            found: Node = ("step", op[0], target, True)
        else:
            found = self._atom()
            if self.peek() in ("++", "--") and found[0] in ("name", "array"):
                found = ("step", self.take()[0], found, False)
        return ("minus", found) if minus % 2 else found

    def _atom(self) -> Node:
        if self.place >= len(self.tokens):
            raise Unfinished
        kind, word = self.tokens[self.place]
        self.place += 1
        if kind == "number":
            return ("number", word)
        if word == ".":
            return ("name", "last")
        if word == "(":
            inner = self.expression()
            self.take(")")
            return ("group", inner)
        if kind != "name" or word in ("if", "while", "for", "define", "print", "return", "auto", "else"):
            raise Problem("syntax error")
        if word == "read":
            raise NotSimulated("read()")
        if self.peek() == "[":
            self.place += 1
            if self.peek() == "]":
                self.place += 1
                return ("whole", word)
            index = self.expression()
            self.take("]")
            return ("array", word, index)
        if self.peek() == "(":
            self.place += 1
            args: list[Node] = []
            while self.peek() != ")":
                args.append(self.expression())
                if self.peek() != ",":
                    break
                self.place += 1
            self.take(")")
            return ("call", word, args)
        return ("name", word)

"""Expressions of awk, by precedence."""

from __future__ import annotations

import re
from typing import Any

from .awktokens import KEYWORDS, TOKEN, AwkSyntaxError, unquote


class Expressions:
    """Tokens and the expression half of the grammar."""

    no_redirect = False

    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens: list[tuple[str, str]] = []
        self.at = 0
        self.depth = 0
        self.in_parens = 0
        if len(source) > 100_000:
            raise AwkSyntaxError("program too large")
        pos = 0
        while pos < len(source):
            if source[pos] == "/" and self._operand_expected():
                match = re.compile(r"/((?:\\.|\[\^?\]?[^]\n]*\]|[^/\\\n\[])*)/", re.DOTALL).match(source, pos)
                if match is None:
                    raise AwkSyntaxError("regular expression has no end")
                self.tokens.append(("regex", match.group(1).replace("\\/", "/")))
                pos = match.end()
                continue
            found = TOKEN.match(source, pos)
            if found is None:
                raise AwkSyntaxError(f"syntax error at or near {source[pos]}")
            pos = found.end()
            kind = str(found.lastgroup)
            if kind != "skip":
                self.tokens.append((kind, found.group()))

    def _operand_expected(self) -> bool:
        if not self.tokens:
            return True
        kind, value = self.tokens[-1]
        if kind in ("number", "string", "regex"):
            return False
        if kind == "name":
            return value in KEYWORDS
        return value not in (")", "]", "$", "++", "--")

    def peek(self, ahead: int = 0) -> str:
        """The text of a token; regular expressions and strings never equal an operator."""
        at = self.at + ahead
        if at >= len(self.tokens):
            return ""
        kind, value = self.tokens[at]
        return value if kind in ("op", "name", "newline") else "\0" + kind

    def kind(self) -> str:
        """The kind of the next token."""
        return self.tokens[self.at][0] if self.at < len(self.tokens) else "end"

    def take(self) -> str:
        """Consume a token."""
        if self.at >= len(self.tokens):
            raise AwkSyntaxError("syntax error at or near end of file")
        self.at += 1
        return self.tokens[self.at - 1][1]

    def accept(self, *values: str) -> str:
        """Consume one of these tokens if it is next."""
        if self.peek() in values:
            return self.take()
        return ""

    def expect(self, value: str) -> None:
        """Consume a token that must be next."""
        if not self.accept(value):
            near = self.peek().strip("\0") or "end of file"
            raise AwkSyntaxError(f"syntax error at or near {near}")

    def newlines(self) -> None:
        """Skip newlines."""
        while self.accept("\n"):
            pass

    def ends(self) -> None:
        """Skip newlines and semicolons."""
        while self.accept("\n", ";"):
            pass

    def expressions(self, closer: str) -> list[Any]:
        """Comma-separated expressions up to a closer."""
        out: list[Any] = []
        self.newlines()
        while self.peek() != closer:
            out.append(self.expression())
            self.newlines()
            if not self.accept(","):
                break
            self.newlines()
        return out

    def expression(self, no_redirect: bool = False) -> Any:
        """A whole expression."""
        saved, self.no_redirect = self.no_redirect, no_redirect
        self.depth += 1
        if self.depth > 80:
            raise AwkSyntaxError("nested too deeply")
        try:
            return self.ternary()
        finally:
            self.no_redirect = saved
            self.depth -= 1

    def ternary(self) -> Any:
        """`a ? b : c` and assignment."""
        test = self.either()
        if self.accept("?"):
            self.newlines()
            yes = self.ternary()
            self.newlines()
            self.expect(":")
            self.newlines()
            return ("cond", test, yes, self.ternary())
        if self.peek() in ("=", "+=", "-=", "*=", "/=", "%=", "^=", "**=") and test[0] in ("var", "field", "index"):
            op = self.take()
            self.newlines()
            return ("assign", op, test, self.ternary())
        return test

    def either(self) -> Any:
        """`||`."""
        left = self.both()
        while self.accept("||"):
            self.newlines()
            left = ("or", left, self.both())
        return left

    def both(self) -> Any:
        """`&&`."""
        left = self.membership()
        while self.accept("&&"):
            self.newlines()
            left = ("and", left, self.membership())
        return left

    def membership(self) -> Any:
        """`key in array`."""
        left = self.matching()
        while self.peek() == "in":
            self.take()
            left = ("in", [left], self.take())
        return left

    def matching(self) -> Any:
        """`~` and `!~`."""
        left = self.comparison()
        while self.peek() in ("~", "!~"):
            op = self.take()
            left = ("match", op, left, self.comparison())
        return left

    def comparison(self) -> Any:
        """Comparisons do not associate."""
        left = self.concatenation()
        while self.peek() == "|" and self.peek(1) == "getline":
            self.at += 2
            target = self.primary() if self.peek() == "$" or (self.kind() == "name" and self.peek() not in KEYWORDS) else None
            left = ("getcommand", left, target)
        op = self.peek()
        if op in ("<", "<=", "==", "!=", ">=") or (op == ">" and not (self.no_redirect and not self.in_parens)):
            self.take()
            return ("compare", op, left, self.concatenation())
        return left

    def concatenation(self) -> Any:
        """Values side by side."""
        left = self.additive()
        while (
            self.kind() in ("number", "string", "regex")
            or (self.kind() == "name" and self.peek() not in KEYWORDS)
            or self.peek() in ("$", "(", "!", "-", "+", "++", "--")
        ):
            if self.peek() == "!" or (self.peek() in ("-", "+")):
                break
            left = ("cat", left, self.additive())
        return left

    def additive(self) -> Any:
        """`+` and `-`."""
        left = self.multiplicative()
        while self.peek() in ("+", "-"):
            op = self.take()
            left = ("binary", op, left, self.multiplicative())
        return left

    def multiplicative(self) -> Any:
        """`*`, `/`, `%`."""
        left = self.unary()
        while self.peek() in ("*", "/", "%"):
            op = self.take()
            left = ("binary", op, left, self.unary())
        return left

    def unary(self) -> Any:
        """`!`, unary minus and plus."""
        op = self.accept("!", "-", "+")
        if op:
            return ({"!": "not", "-": "neg", "+": "pos"}[op], self.unary())
        return self.power()

    def power(self) -> Any:
        """`^`, right to left."""
        base = self.postfix()
        if self.accept("^", "**"):
            return ("binary", "^", base, self.unary())
        return base

    def postfix(self) -> Any:
        """`x++`, `x--`."""
        op = self.accept("++", "--")
        if op:
            return ("incr", "pre", op, self.primary())
        value = self.primary()
        if value[0] in ("var", "field", "index") and self.peek() in ("++", "--"):
            return ("incr", "post", self.take(), value)
        return value

    def subscript(self) -> list[Any]:
        """`[a, b]`."""
        self.expect("[")
        self.in_parens += 1
        parts = self.expressions("]")
        self.in_parens -= 1
        self.expect("]")
        return parts

    def primary(self) -> Any:
        """Constants, variables, fields, calls, groups, getline."""
        kind = self.kind()
        if kind == "number":
            word = self.take()
            return ("num", float(int(word, 16)) if word[:2].lower() == "0x" else float(word))
        if kind == "string":
            return ("str", unquote(self.take()[1:-1]))
        if kind == "regex":
            return ("regex", self.take())
        word = self.peek()
        if word == "$":
            self.take()
            op = self.accept("++", "--")
            if op:
                return ("field", ("incr", "pre", op, self.primary()))
            if self.accept("-"):
                return ("field", ("neg", self.primary()))
            return ("field", self.primary())
        if word == "(":
            self.take()
            self.in_parens += 1
            items = self.expressions(")")
            self.in_parens -= 1
            self.expect(")")
            if len(items) > 1:
                self.expect("in")
                return ("in", items, self.take())
            if not items:
                raise AwkSyntaxError("syntax error at or near )")
            return ("group", items[0])
        if word == "getline":
            self.take()
            target = self.primary() if self.peek() == "$" or (self.kind() == "name" and self.peek() not in KEYWORDS) else None
            return ("getline", target, self.primary() if self.accept("<") else None)
        if kind == "name" and word not in KEYWORDS:
            return self._name()
        raise AwkSyntaxError(f"syntax error at or near {word.strip(chr(0)) or 'end of file'}")

    def _name(self) -> Any:
        from .awklib import BUILTINS, LEAST

        word = self.take()
        if self.peek() == "(" and (word in BUILTINS or self._adjacent()):
            self.take()
            self.in_parens += 1
            args = self.expressions(")")
            self.in_parens -= 1
            self.expect(")")
            if word in BUILTINS and len(args) < LEAST.get(word, 0):
                raise AwkSyntaxError(f"not enough arguments in call to {word}")
            return ("call", word, args)
        if word in BUILTINS:
            if LEAST.get(word, 0):
                raise AwkSyntaxError(f"syntax error at or near {self.peek().strip(chr(0)).strip() or 'end of file'}")
            return ("call", word, [])
        if self.peek() == "[":
            return ("index", word, self.subscript())
        return ("var", word)

    def _adjacent(self) -> bool:
        return re.search(rf"\b{re.escape(self.tokens[self.at - 1][1])}\(", self.source) is not None

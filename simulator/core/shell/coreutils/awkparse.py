"""The grammar of awk: a program becomes (pattern, statements) pairs and functions."""

from __future__ import annotations

import re
from typing import Any

TOKEN = re.compile(
    r"(?P<skip>(?:[ \t\r]|\\\n|#[^\n]*)+)|(?P<newline>\n)|(?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    r'|(?P<string>"(?:\\.|[^"\\\n])*")|(?P<name>[A-Za-z_]\w*)'
    r"|(?P<op>\+\+|--|\*\*=|\*\*|[-+*/%^]=|==|<=|>=|!=|!~|&&|\|\||>>|[-+*/%^!<>=~?:,;(){}\[\]$|])",
    re.DOTALL,
)
KEYWORDS = {"BEGIN", "END", "function", "func", "if", "else", "while", "for", "do", "break", "continue", "next", "nextfile", "exit", "return", "delete", "in", "getline", "print", "printf"}  # fmt: skip
NOT_OPERANDS = {")", "]", "$"}


class AwkSyntaxError(Exception):
    """The program is wrong."""


class Parser:
    """Recursive descent over tokens; a slash is a regular expression where an operand is expected."""

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

    # -- tokens ---------------------------------------------------------------------------------------------------------
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

    # -- program --------------------------------------------------------------------------------------------------------
    def program(self) -> tuple[list[tuple[Any, Any]], dict[str, Any]]:
        """The whole program."""
        items: list[tuple[Any, Any]] = []
        functions: dict[str, Any] = {}
        self.ends()
        while self.kind() != "end":
            if self.accept("function", "func"):
                name = self.take()
                self.expect("(")
                params = []
                while not self.accept(")"):
                    params.append(self.take())
                    self.accept(",")
                    self.newlines()
                self.newlines()
                functions[name] = (params, self.block())
            elif self.peek() in ("BEGIN", "END"):
                items.append((self.take(), self.block()))
            else:
                pattern = None
                if self.peek() != "{":
                    pattern = self.expression()
                    if self.accept(","):
                        self.newlines()
                        pattern = ("range", pattern, self.expression())
                items.append((pattern, self.block() if self.peek() == "{" else None))
            self.ends()
        return items, functions

    def block(self) -> list[Any]:
        """`{ statements }`."""
        self.expect("{")
        out: list[Any] = []
        self.ends()
        while not self.accept("}"):
            out.append(self.statement())
            self.ends()
        return out

    def statement(self) -> Any:
        """One statement."""
        self.depth += 1
        if self.depth > 60:
            raise AwkSyntaxError("nested too deeply")
        try:
            return self._statement()
        finally:
            self.depth -= 1

    def _statement(self) -> Any:
        word = self.peek()
        if word == "{":
            return ("block", self.block())
        if word == ";":
            self.take()
            return ("block", [])
        if word == "if":
            return self._if()
        if word == "while":
            self.take()
            self.expect("(")
            test = self.expression()
            self.expect(")")
            self.newlines()
            return ("while", test, self.statement())
        if word == "do":
            self.take()
            self.newlines()
            body = self.statement()
            self.ends()
            self.expect("while")
            self.expect("(")
            test = self.expression()
            self.expect(")")
            return ("do", body, test)
        if word == "for":
            return self._for()
        found = self.simple()
        if self.peek() not in ("}", "\n", ";", ""):
            self.expect(";")
        return found

    def _if(self) -> Any:
        self.take()
        self.expect("(")
        test = self.expression()
        self.expect(")")
        self.newlines()
        then = self.statement()
        mark = self.at
        self.ends()
        if self.accept("else"):
            self.newlines()
            return ("if", test, then, self.statement())
        self.at = mark
        return ("if", test, then, None)

    def _for(self) -> Any:
        self.take()
        self.expect("(")
        if self.kind() == "name" and self.peek(1) == "in" and self.peek(3) == ")":
            name = self.take()
            self.take()
            array = self.take()
            self.expect(")")
            self.newlines()
            return ("forin", name, array, self.statement())
        init = None if self.peek() == ";" else self.simple()
        self.expect(";")
        self.newlines()
        test = None if self.peek() == ";" else self.expression()
        self.expect(";")
        self.newlines()
        step = None if self.peek() == ")" else self.simple()
        self.expect(")")
        self.newlines()
        return ("for", init, test, step, self.statement())

    def simple(self) -> Any:
        """A simple statement."""
        word = self.peek()
        if word in ("next", "nextfile", "break", "continue"):
            return ("next" if self.take() == "nextfile" else word,)
        if word in ("exit", "return"):
            self.take()
            return (word, None if self.peek() in ("}", "\n", ";", "") else self.expression())
        if word == "delete":
            self.take()
            name = self.take()
            return ("delete", name, self.subscript() if self.peek() == "[" else None)
        if word in ("print", "printf"):
            return self._print()
        return ("expr", self.expression())

    def _print(self) -> Any:
        word = self.take()
        items: list[Any] = []
        stops = ("}", "\n", ";", "", ">", ">>", "|")
        grouped = False
        if self.peek() == "(":
            depth, at = 0, self.at
            while at < len(self.tokens):
                value = self.tokens[at][1] if self.tokens[at][0] == "op" else ""
                depth += (value == "(") - (value == ")")
                at += 1
                if depth == 0:
                    break
            after = self.tokens[at][1] if at < len(self.tokens) and self.tokens[at][0] in ("op", "newline") else ""
            grouped = after in stops and not (at < len(self.tokens) and after == "")
        if grouped:
            self.take()
            self.in_parens += 1
            items = self.expressions(")")
            self.in_parens -= 1
            self.expect(")")
        elif self.peek() not in stops:
            saved, self.in_parens = self.in_parens, 0
            items.append(self.expression(no_redirect=True))
            while self.accept(","):
                self.newlines()
                items.append(self.expression(no_redirect=True))
            self.in_parens = saved
        op = self.accept(">", ">>", "|")
        return (word, items, op, self.concatenation() if op else None)

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

    # -- expressions ----------------------------------------------------------------------------------------------------
    no_redirect = False

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
        from .awklib import BUILTINS

        word = self.take()
        if self.peek() == "(" and (word in BUILTINS or self._adjacent()):
            self.take()
            self.in_parens += 1
            args = self.expressions(")")
            self.in_parens -= 1
            self.expect(")")
            return ("call", word, args)
        if word in BUILTINS:
            return ("call", word, [])
        if self.peek() == "[":
            return ("index", word, self.subscript())
        return ("var", word)

    def _adjacent(self) -> bool:
        return re.search(rf"\b{re.escape(self.tokens[self.at - 1][1])}\(", self.source) is not None


def unquote(text: str) -> str:
    """The escapes of a string constant."""
    table = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "/": "/", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}

    def one(match: re.Match[str]) -> str:
        body = match.group(1)
        if body[0] in "01234567":
            return chr(int(body, 8))
        return table.get(body, "\\" + body)

    return re.sub(r"\\([0-7]{1,3}|.)", one, text, flags=re.DOTALL)

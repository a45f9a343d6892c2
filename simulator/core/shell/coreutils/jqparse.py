"""Parser of the jq language: text to tuples `(kind, parts …)`."""

from __future__ import annotations

import re
from typing import Any

TOKEN = re.compile(
    r"\s+|#[^\n]*|(?P<number>\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)|(?P<string>\")|(?P<field>\.[A-Za-z_]\w*)|(?P<format>@\w+)|(?P<var>\$[A-Za-z_]\w*)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<op>\?//|\|=|//=|\+=|-=|\*=|/=|%=|==|!=|<=|>=|//|\.\.|[.\[\](){}|,:;=<>+\-*/%?])"
)
KEYWORDS = {"if", "then", "elif", "else", "end", "as", "def", "reduce", "foreach", "try", "catch", "and", "or", "import", "label"}


class JqSyntaxError(Exception):
    """The filter is wrong."""


def _string(source: str, at: int) -> tuple[Any, int]:
    """A string with interpolations from after its quote: (node, position)."""
    parts: list[Any] = []
    text = ""
    while True:
        if at >= len(source):
            raise JqSyntaxError("syntax error: unterminated string literal")
        c = source[at]
        if c == '"':
            at += 1
            break
        if c != "\\":
            text += c
            at += 1
            continue
        c = source[at + 1 : at + 2]
        if c == "(":
            depth, end = 1, at + 2
            while end < len(source) and depth:
                if source[end] == '"':
                    end = _string(source, end + 1)[1] - 1
                depth += (source[end] == "(") - (source[end] == ")")
                end += 1
            parts += [("lit", text), ("interp", parse(source[at + 2 : end - 1]))]
            text, at = "", end
        elif c == "u":
            text += chr(int(source[at + 2 : at + 6], 16))
            at += 6
        else:
            text += {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}.get(c, c)
            at += 2
    if not parts:
        return ("lit", text), at
    return ("format", "", [*parts, ("lit", text)]), at


class _Parser:
    def __init__(self, source: str) -> None:
        self.tokens: list[tuple[str, Any]] = []
        self.at = 0
        self.depth = 0
        at = 0
        if len(source) > 50_000:
            raise JqSyntaxError("filter too long")
        while at < len(source):
            match = TOKEN.match(source, at)
            if match is None:
                raise JqSyntaxError(f"syntax error, unexpected INVALID_CHARACTER at {source[at:]!r}")
            kind = match.lastgroup
            at = match.end()
            if kind == "string":
                node, at = _string(source, at)
                self.tokens.append(("string", node))
            elif kind:
                self.tokens.append((kind, match.group()))

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) and self.tokens[self.at][0] in ("op", "name") else ""

    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else "end"

    def take(self) -> Any:
        if self.at >= len(self.tokens):
            raise JqSyntaxError("syntax error, unexpected end of file")
        self.at += 1
        return self.tokens[self.at - 1][1]

    def accept(self, *values: str) -> str:
        if self.peek() in values and self.peek():
            return str(self.take())
        return ""

    def expect(self, value: str) -> None:
        if not self.accept(value):
            near = self.tokens[self.at][1] if self.at < len(self.tokens) else "end of file"
            raise JqSyntaxError(f"syntax error, unexpected {near if isinstance(near, str) else 'string'}, expecting {value}")

    def pipe(self) -> Any:
        self.depth += 1
        if self.depth > 60:
            raise JqSyntaxError("nested too deeply")
        try:
            if self.accept("def"):
                return self.definition()
            left = self.comma()
            if self.accept("as"):
                name = self.pattern()
                self.expect("|")
                return ("as", left, name, self.pipe())
            if self.accept("|"):
                return ("pipe", left, self.pipe())
            return left
        finally:
            self.depth -= 1

    def definition(self) -> Any:
        name = self.take()
        params = []
        if self.accept("("):
            while not self.accept(")"):
                params.append(self.take())
                self.accept(";")
        self.expect(":")
        body = self.pipe()
        self.expect(";")
        return ("def", name, params, body, self.pipe())

    def pattern(self) -> Any:
        """A variable, or the shape of an array or object with variables in it."""
        if self.kind() == "var":
            return self.take()[1:]
        if self.accept("["):
            parts = [self.pattern()]
            while self.accept(","):
                parts.append(self.pattern())
            self.expect("]")
            return ("array", parts)
        self.expect("{")
        pairs: list[tuple[Any, Any]] = []
        while True:
            if self.kind() == "var":
                name = self.take()[1:]
                pairs.append((("lit", name), name))
                if self.accept(":"):
                    pairs.append((("lit", name), self.pattern()))
            else:
                if self.accept("("):
                    key: Any = self.pipe()
                    self.expect(")")
                else:
                    word = self.take()
                    key = ("lit", word) if isinstance(word, str) else word
                self.expect(":")
                pairs.append((key, self.pattern()))
            if not self.accept(","):
                break
        self.expect("}")
        return ("object", pairs)

    def comma(self) -> Any:
        left = self.binary(0)
        while self.accept(","):
            left = ("comma", left, self.binary(0))
        return left

    LEVELS = (
        ("//",),
        ("=", "|=", "+=", "-=", "*=", "/=", "%=", "//="),
        ("or",),
        ("and",),
        ("==", "!=", "<", "<=", ">", ">="),
        ("+", "-"),
        ("*", "/", "%"),
    )

    def binary(self, level: int) -> Any:
        if level == len(self.LEVELS):
            return self.postfix()
        left = self.binary(level + 1)
        while self.peek() in self.LEVELS[level] and self.peek():
            op = self.take()
            right = self.binary(level if op == "//" else level + 1)
            left = (
                ("alt", left, right)
                if op == "//"
                else ("update", op, left, right)
                if level == 1
                else ("logic", op, left, right)
                if op in ("and", "or")
                else ("op", op, left, right)
            )
        return left

    def postfix(self) -> Any:
        node = self.primary()
        while True:
            if self.kind() == "field":
                node = ("index", node, ("lit", self.take()[1:]))
            elif self.peek() == "." and self.at + 1 < len(self.tokens) and self.tokens[self.at + 1][0] == "string":
                self.take()
                node = ("index", node, self.take())
            elif self.peek() == "." and self.at + 1 < len(self.tokens) and self.tokens[self.at + 1] == ("op", "["):
                self.take()
            elif self.peek() == "[":
                node = self.bracket(node)
            elif self.accept("?"):
                node = ("try", node, None)
            else:
                return node

    def bracket(self, node: Any) -> Any:
        self.take()
        if self.accept("]"):
            return ("iterate", node)
        first = None if self.peek() == ":" else self.pipe()
        if self.accept(":"):
            last = None if self.peek() == "]" else self.pipe()
            self.expect("]")
            return ("slice", node, first, last)
        self.expect("]")
        return ("index", node, first)

    def primary(self) -> Any:
        kind = self.kind()
        if kind == "number":
            text = self.take()
            return ("lit", float(text) if re.search("[.eE]", text) else int(text))
        if kind == "string":
            return self.take()
        if kind == "field":
            return ("index", ("id",), ("lit", self.take()[1:]))
        if kind == "var":
            return ("var", self.take()[1:])
        if kind == "format":
            name = self.take()[1:]
            if self.kind() == "string":
                node = self.take()
                return ("format", name, node[2]) if node[0] == "format" else node
            return ("format", name, [("interp", ("id",))])
        word = self.peek()
        if word == "..":
            self.take()
            return ("call", "recurse", [])
        if word == ".":
            self.take()
            if self.kind() == "string":
                return ("index", ("id",), self.take())
            return ("id",)
        if word == "(":
            self.take()
            node = self.pipe()
            self.expect(")")
            return node
        if word == "[":
            self.take()
            if self.accept("]"):
                return ("lit", [])
            node = self.pipe()
            self.expect("]")
            return ("collect", node)
        if word == "{":
            return self.object()
        if word == "-":
            self.take()
            return ("op", "-", ("lit", 0), self.postfix())
        if word == "if":
            return self.condition()
        if word == "try":
            self.take()
            body = self.postfix()
            return ("try", body, self.postfix() if self.accept("catch") else None)
        if word in ("reduce", "foreach"):
            return self.fold()
        if kind == "name" and word not in KEYWORDS:
            self.take()
            args = []
            if self.accept("("):
                args.append(self.pipe())
                while self.accept(";"):
                    args.append(self.pipe())
                self.expect(")")
            return ("call", word, args)
        near = self.tokens[self.at][1] if self.at < len(self.tokens) else "end of file"
        raise JqSyntaxError(f"syntax error, unexpected {near}")

    def condition(self) -> Any:
        self.take()
        test = self.pipe()
        self.expect("then")
        yes = self.pipe()
        if self.peek() == "elif":
            return ("if", test, yes, self.condition())
        no = self.pipe() if self.accept("else") else ("id",)
        self.expect("end")
        return ("if", test, yes, no)

    def fold(self) -> Any:
        kind = self.take()
        source = self.postfix()
        self.expect("as")
        name = self.pattern()
        self.expect("(")
        parts = [self.pipe()]
        while self.accept(";"):
            parts.append(self.pipe())
        self.expect(")")
        return (kind, source, name, parts)

    def object(self) -> Any:
        self.take()
        pairs: list[tuple[Any, Any]] = []
        while not self.accept("}"):
            kind = self.kind()
            key: Any
            default: Any
            if kind == "var":
                name = self.take()[1:]
                key, default = ("lit", name), ("var", name)
            elif self.accept("("):
                key, default = self.pipe(), None
                self.expect(")")
            else:
                word = self.take()
                key = word if kind == "string" else ("lit", word)
                default = ("index", ("id",), key)
            value = default
            if self.accept(":"):
                value = self.binary(0)
                while self.accept("|"):
                    value = ("pipe", value, self.binary(0))
            pairs.append((key, value))
            if self.peek() != "}":
                self.expect(",")
        return ("object", pairs)


def parse_definitions(source: str) -> list[tuple[str, list[str], Any]]:
    """Name, parameters and body of each `def` of a text that holds nothing else."""
    node, found = parse(source + " ."), []
    while node[0] == "def":
        found.append((node[1], node[2], node[3]))
        node = node[4]
    return found


def parse(source: str) -> Any:
    """The tree of a filter."""
    parser = _Parser(source)
    if not parser.tokens:
        return ("id",)
    node = parser.pipe()
    if parser.at < len(parser.tokens):
        near = parser.tokens[parser.at][1]
        raise JqSyntaxError(
            f"syntax error, unexpected {near if isinstance(near, str) else 'string'} (Unix shell quoting issues?)"
        )
    return node

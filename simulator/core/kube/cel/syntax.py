"""Lexer and parser of CEL (`google/cel-spec`: doc/langdef.md) with cel-go's messages and positions."""

from __future__ import annotations

import re
from typing import Any

MAX_LENGTH = 100_000
MAX_DEPTH = 120
_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<float>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)
    |(?P<int>0x[0-9a-fA-F]+|\d+)(?P<unsigned>[uU])?
    |(?P<string>[bB]?[rR]?(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<ident>[A-Za-z_][A-Za-z0-9_]*|`[A-Za-z0-9_.\-/ ]+`)
    |(?P<op>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
_OPERAND = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
RESERVED = frozenset(
    "as break const continue else for function if import let loop package namespace return var void while".split()
)
_BINARY: tuple[tuple[str, ...], ...] = (("||",), ("&&",), ("<", "<=", ">", ">=", "==", "!=", "in"), ("+", "-"), ("*", "/", "%"))
_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "`": "`",
    "?": "?",
}


class CelError(Exception):
    """The expression is wrong; the message holds every problem with its place, as cel-go prints them."""

    def __init__(self, source: str, problems: list[tuple[int, str]]) -> None:
        super().__init__("\n".join(shown(source, at, text) for at, text in sorted(problems, key=lambda item: item[0])))


def shown(source: str, at: int, text: str) -> str:
    """`ERROR: <input>:1:7: …` with the line and a caret under the place."""
    before = source[:at]
    line = before.count("\n")
    column = at - (before.rfind("\n") + 1)
    return f"ERROR: <input>:{line + 1}:{column + 1}: {text}\n | {source.splitlines()[line] if source else ''}\n | {'.' * column}^"


class Node:
    """A node: `kind`, its place, a value (name, literal, operator) and its parts."""

    __slots__ = ("at", "kind", "parts", "type", "value")

    def __init__(self, kind: str, at: int, value: Any = None, parts: list[Node] | None = None) -> None:
        self.kind, self.at, self.value, self.parts = kind, at, value, parts or []
        self.type: Any = None


class UInt(int):
    """An unsigned integer of CEL."""


class Parser:
    """One parse of one expression."""

    def __init__(self, source: str) -> None:
        self.source = source
        if len(source) > MAX_LENGTH:
            raise CelError(
                source[:80], [(0, f"expression code point size exceeds limit: size: {len(source)}, limit {MAX_LENGTH}")]
            )
        self.tokens: list[tuple[str, Any, int]] = []
        self._lex()
        self.at = 0
        self.depth = 0

    def _lex(self) -> None:
        at, source = 0, self.source
        while at < len(source):
            match = _TOKEN.match(source, at)
            if match is None:
                raise CelError(source, [(at, f"Syntax error: token recognition error at: '{source[at : at + 1]}'")])
            kind = match.lastgroup or ""
            text = match.group()
            if kind == "unsigned" or (kind == "int" and text[-1] in "uU" and not text.startswith("0x")):
                self.tokens.append(("literal", UInt(int(text[:-1], 0)), at))
            elif kind == "int":
                value = int(text, 16) if text.startswith("0x") else int(text)
                self.tokens.append(("literal", value, at))
            elif kind == "float":
                self.tokens.append(("literal", float(text), at))
            elif kind == "string":
                self.tokens.append(("literal", self._text(text, at), at))
            elif kind == "ident":
                word = {"true": True, "false": False, "null": None}
                if text in word:
                    self.tokens.append(("literal", word[text], at))
                elif text == "in":
                    self.tokens.append(("op", "in", at))
                else:
                    self.tokens.append(("ident", text, at))
            elif kind == "op":
                self.tokens.append(("op", text, at))
            at = match.end()
        self.tokens.append(("end", "<EOF>", len(source)))

    def _text(self, text: str, at: int) -> str | bytes:
        binary = raw = False
        while text[0] in "bBrR":
            binary, raw = binary or text[0] in "bB", raw or text[0] in "rR"
            text = text[1:]
        width = 3 if text[:3] in ('"""', "'''") else 1
        body = text[width:-width]
        if not raw:
            body = self._unescape(body, at, binary)
        return body.encode("latin-1" if binary and not raw and all(ord(c) < 256 for c in body) else "utf-8") if binary else body

    def _unescape(self, body: str, at: int, binary: bool) -> str:
        out: list[str] = []
        i = 0
        while i < len(body):
            c = body[i]
            if c != "\\":
                out.append(c if not binary else c.encode().decode("latin-1"))
                i += 1
                continue
            mark = body[i + 1 : i + 2]
            width = {"x": 2, "X": 2, "u": 4, "U": 8}.get(mark, 0)
            digits = body[i + 2 : i + 2 + width] if width else body[i + 1 : i + 4]
            base = 16 if width else 8
            if mark in _ESCAPES:
                out.append(_ESCAPES[mark])
                i += 2
                continue
            try:
                out.append(chr(int(digits, base)))
            except (ValueError, OverflowError):
                raise CelError(self.source, [(at, f"Syntax error: token recognition error at: '{body[i : i + 2]}'")]) from None
            i += (2 + width) if width else 4
        return "".join(out)

    # -- helpers --------------------------------------------------------------------------------------------------------
    def peek(self, *ops: str) -> bool:
        kind, value, _ = self.tokens[self.at]
        return kind == "op" and value in ops

    def take(self, op: str) -> int:
        if not self.peek(op):
            self.fail(f"'{op}'")
        self.at += 1
        return self.tokens[self.at - 1][2]

    def fail(self, expecting: str) -> None:
        kind, value, at = self.tokens[self.at]
        text = self.source[at : self.tokens[self.at + 1][2]].strip() if kind == "literal" else value
        raise CelError(self.source, [(at, f"Syntax error: mismatched input '{text}' expecting {expecting}")])

    # -- grammar --------------------------------------------------------------------------------------------------------
    def parse(self) -> Node:
        """The whole expression; raises CelError."""
        out = self.expression()
        if self.tokens[self.at][0] != "end":
            self.fail("<EOF>")
        return out

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise CelError(self.source, [(self.tokens[self.at][2], "expression recursion limit exceeded: 250")])
        condition = self.binary(0)
        if self.peek("?"):
            at = self.take("?")
            yes = self.binary(0)
            self.take(":")
            no = self.expression()
            condition = Node("call", at, "_?_:_", [condition, yes, no])
        self.depth -= 1
        return condition

    def binary(self, level: int) -> Node:
        if level == len(_BINARY):
            return self.unary()
        left = self.binary(level + 1)
        while self.peek(*_BINARY[level]):
            op, at = self.tokens[self.at][1], self.tokens[self.at][2]
            self.at += 1
            right = self.binary(level + 1)
            left = Node("call", at, "@in" if op == "in" else f"_{op}_", [left, right])
        return left

    def unary(self) -> Node:
        at = self.tokens[self.at][2]
        count = 0
        mark = "!" if self.peek("!") else "-"
        while self.peek(mark):
            self.at += 1
            count += 1
        if mark == "-" and count and self.tokens[self.at][0] == "literal" and type(self.tokens[self.at][1]) in (int, float):
            kind, value, where = self.tokens[self.at]
            self.tokens[self.at] = (kind, -value, where)
            count -= 1
        out = self.member()
        if count % 2:
            out = Node("call", at, "!_" if mark == "!" else "-_", [out])
        return out

    def member(self) -> Node:
        out = self.primary()
        while True:
            if self.peek("."):
                at = self.take(".")
                optional = self.peek("?")
                if optional:
                    self.at += 1
                kind, name, _ = self.tokens[self.at]
                if kind != "ident":
                    self.fail("IDENTIFIER")
                self.at += 1
                if self.peek("(") and not optional:
                    opened = self.take("(")
                    out = Node("method", opened, name, [out, *self.arguments(")")])
                else:
                    out = Node("optional-select" if optional else "select", at, name.strip("`"), [out])
            elif self.peek("["):
                at = self.take("[")
                optional = self.peek("?")
                if optional:
                    self.at += 1
                key = self.expression()
                self.take("]")
                out = Node("call", at, "_[?_]" if optional else "_[_]", [out, key])
            elif self.peek("{") and (name := dotted(out)) and name[:1].isupper():
                out = self.message(Node("ident", out.at, name))
            else:
                return out

    def primary(self) -> Node:
        kind, value, at = self.tokens[self.at]
        if kind == "literal":
            self.at += 1
            return Node("literal", at, value)
        if kind == "ident" or self.peek("."):
            if kind != "ident":
                self.at += 1
                kind, value, at = self.tokens[self.at]
                if kind != "ident":
                    self.fail("IDENTIFIER")
            self.at += 1
            if value in RESERVED:
                raise CelError(self.source, [(at, f"Syntax error: reserved identifier: {value}")])
            if self.peek("("):
                opened = self.take("(")
                return Node("function", opened, value, self.arguments(")"))
            return Node("ident", at, value)
        if self.peek("("):
            self.at += 1
            out = self.expression()
            self.take(")")
            return out
        if self.peek("["):
            self.at += 1
            return self.listing(at)
        if self.peek("{"):
            self.at += 1
            return self.mapping(at)
        self.fail(_OPERAND)
        raise AssertionError

    def arguments(self, end: str) -> list[Node]:
        out: list[Node] = []
        while not self.peek(end):
            out.append(self.expression())
            if not self.peek(","):
                break
            self.at += 1
        self.take(end)
        return out

    def listing(self, at: int) -> Node:
        """`[a, ?b]`: parts are items; `value` says which are optional."""
        items: list[Node] = []
        optional: list[bool] = []
        while not self.peek("]"):
            optional.append(self.peek("?"))
            self.at += optional[-1]
            items.append(self.expression())
            if not self.peek(","):
                break
            self.at += 1
        self.take("]")
        return Node("list", at, optional, items)

    def mapping(self, at: int) -> Node:
        """`{k: v}`: parts alternate keys and values."""
        parts: list[Node] = []
        optional: list[bool] = []
        while not self.peek("}"):
            optional.append(self.peek("?"))
            self.at += optional[-1]
            parts.append(self.expression())
            self.take(":")
            parts.append(self.expression())
            if not self.peek(","):
                break
            self.at += 1
        self.take("}")
        return Node("map", at, optional, parts)

    def message(self, name: Node) -> Node:
        """`Object{spec: Object.spec{…}}` of mutating policies: parts are values, `value` (type name, field names, optional)."""
        at = self.take("{")
        names: list[str] = []
        optional: list[bool] = []
        parts: list[Node] = []
        while not self.peek("}"):
            optional.append(self.peek("?"))
            self.at += optional[-1]
            kind, field, _ = self.tokens[self.at]
            if kind != "ident":
                self.fail("IDENTIFIER")
            self.at += 1
            self.take(":")
            names.append(field.strip("`"))
            parts.append(self.expression())
            if not self.peek(","):
                break
            self.at += 1
        self.take("}")
        return Node("message", at, (name.value, names, optional), parts)


def dotted(node: Node) -> str:
    """`a.b.c` of a chain of selections from a name, else ""."""
    if node.kind == "ident":
        return str(node.value)
    if node.kind == "select":
        inner = dotted(node.parts[0])
        return f"{inner}.{node.value}" if inner else ""
    return ""


def parse(source: str) -> Node:
    """The tree of an expression; raises CelError."""
    return Parser(source).parse()

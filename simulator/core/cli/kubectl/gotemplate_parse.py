"""Parsing of Go templates into nodes (`text/template/parse/lex.go`, `parse.go`)."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, NamedTuple

from .jsonpath import unquote


class TemplateError(Exception):
    """A template that cannot be parsed or executed; the text is Go's, `partial` what had been printed before it."""

    partial = ""


class Chain(NamedTuple):
    """A variable, function, `.` or parenthesised pipeline followed by fields; `text` as written."""

    base: Any
    fields: tuple[str, ...]
    text: str
    #: Line and column of errors about it, as Go counts them: the second field's where there is one.
    where: str = "1"


class Words(list[Any]):
    """The operands of one command, and the command as it is written."""

    text = ""


class Pipeline(NamedTuple):
    """Commands joined by `|`, and the variables that the result goes to."""

    commands: tuple[Words, ...]
    declares: tuple[str, ...] = ()
    assigns: bool = False


class Action(NamedTuple):
    """`{{pipeline}}`."""

    pipeline: Pipeline


class Branch(NamedTuple):
    """`if`, `with` or `range`."""

    word: str
    pipeline: Pipeline
    body: list[Any]
    otherwise: list[Any]


class Define(NamedTuple):
    """`{{template "name" pipeline}}`."""

    name: str
    pipeline: Pipeline | None
    where: str = "1"


class Jump(NamedTuple):
    """`{{break}}` or `{{continue}}`."""

    word: str


Node = str | Action | Branch | Define | Jump

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<raw>`[^`]*`)|(?P<char>'(?:[^'\\]|\\.)+')|(?P<number>[-+]?(?:0[xX][0-9a-fA-F]+|\d[\d_]*(?:\.\d*)?(?:[eE][-+]?\d+)?))
    |(?P<field>\.[\w]+)|(?P<variable>\$\w*)|(?P<word>[A-Za-z_]\w*)|(?P<mark>:=|=|[|,().]))(?P<space>\s*)""",
    re.VERBOSE,
)


class _Reader:
    def __init__(self, text: str, name: str, functions: Collection[str]) -> None:
        self.name, self.source, self.functions = name, text, functions
        #: Where each piece begins in the source, and where the last operand ended.
        self.starts: list[int] = []
        self.cursor = 0
        self.names = ["$"]  # variables in force, innermost last
        self.ranging = 0  # how many `range` stand around
        self.pieces = self._split(text)
        self.at = 0
        self.defines: dict[str, list[Node]] = {}

    def fail(self, message: str) -> TemplateError:
        """A parse error."""
        return TemplateError(f"template: {self.name}:1: {message}")

    def _split(self, text: str) -> list[tuple[str, str]]:
        """Pieces of text and actions, trim markers applied."""
        out: list[tuple[str, str]] = []
        at, trim = 0, False
        while True:
            start = text.find("{{", at)
            plain = text[at:] if start < 0 else text[at:start]
            if trim:
                plain = plain.lstrip(" \t\r\n")
            if start < 0:
                out.append(("text", plain))
                self.starts.append(at)
                return out
            begin = start + 2
            if re.match(r"-[ \t\r\n]", text[begin : begin + 2]):
                plain = plain.rstrip(" \t\r\n")
                begin += 2
            out.append(("text", plain))
            self.starts.append(at)
            comment = text[begin:].lstrip().startswith("/*")
            end = text.find("*/", begin) if comment else begin
            if comment and end < 0:
                raise self.fail("unclosed comment")
            end = self._close(text, end)
            inner = text[begin:end]
            trim = bool(re.search(r"[ \t\r\n]-$", inner))
            if not comment:
                out.append(("action", inner[:-2] if trim else inner))
                self.starts.append(begin)
            at = end + 2

    def _close(self, text: str, at: int) -> int:
        quote = ""
        while at < len(text):
            char = text[at]
            if quote:
                if char == "\\" and quote != "`":
                    at += 1
                elif char == quote:
                    quote = ""
            elif char in "\"'`":
                quote = char
            elif text.startswith("}}", at):
                return at
            at += 1
        if quote:
            raise self.fail("unterminated quoted string")
        start = max(text.rfind("{{", 0, at), 0) + 2
        alone = re.search(r"(\w?)\}", text[start:])
        if alone is not None:
            raise self.fail("bad character U+007D '}'" if alone[1] else 'unexpected "}" in operand')
        raise self.fail("unclosed action")

    def place(self, written: str, second: int) -> str:
        """`line:column` of an operand of the present action; `second` is the offset of its second field."""
        begin = self.source.find(written, max(self.cursor, self.starts[self.at - 1]))
        if begin < 0:
            return "1"
        self.cursor = begin + len(written)
        at = begin + second
        return f"{self.source.count(chr(10), 0, at) + 1}:{at - self.source.rfind(chr(10), 0, at) - 1}"

    def block(self, ends: tuple[str, ...]) -> tuple[list[Node], str, str]:
        """Nodes up to an action that starts with one of `ends`; which one, and the rest of it."""
        nodes: list[Node] = []
        while self.at < len(self.pieces):
            kind, text = self.pieces[self.at]
            self.at += 1
            if kind == "text":
                if text:
                    nodes.append(text)
                continue
            word, _, rest = text.strip().partition(" ")
            if word in ("else", "end"):
                if word not in ends:
                    raise self.fail(f"unexpected {{{{{word}}}}}")
                return nodes, word, rest.strip()
            self._action(word, rest.strip(), text.strip(), nodes)
        if ends:
            raise self.fail("unexpected EOF")
        return nodes, "", ""

    def _action(self, word: str, rest: str, text: str, nodes: list[Node]) -> None:
        if word in ("if", "with", "range"):
            nodes.append(self.branch(word, rest))
        elif word in ("break", "continue"):
            if not self.ranging:
                raise self.fail(f"{{{{{word}}}}} outside {{{{range}}}}")
            nodes.append(Jump(word))
        elif word in ("define", "block"):
            match = re.match(r'"([^"]*)"\s*(.*)', rest, re.DOTALL)
            if match is None:
                raise self.fail(f"missing name in {word}")
            outer, self.names = self.names, ["$"]
            body, _, _ = self.block(("end",))
            self.names = outer
            self.defines[match[1]] = body
            if word == "block":
                nodes.append(Define(match[1], self.pipeline(match[2])))
        elif word == "template":
            match = re.match(r'"([^"]*)"\s*(.*)', rest, re.DOTALL)
            if match is None:
                raise self.fail("missing name in template clause")
            where = self.place(f'"{match[1]}"', 0)
            nodes.append(Define(match[1], self.pipeline(match[2]) if match[2] else None, where))
        elif not text:
            raise self.fail("missing value for command")
        else:
            nodes.append(Action(self.pipeline(text)))

    def branch(self, word: str, text: str) -> Branch:
        """`if`, `with`, `range` with its bodies."""
        if not text:
            raise self.fail(f"missing value for {word}")
        mark = len(self.names)
        pipeline = self.pipeline(text, ranging=word == "range")
        self.ranging += word == "range"
        body, ended, rest = self.block(("else", "end"))
        self.ranging -= word == "range"
        otherwise: list[Node] = []
        if ended == "else":
            inner, _, more = rest.partition(" ")
            if inner in ("if", "with"):
                otherwise = [self.branch(inner, more.strip())]
            else:
                otherwise, _, _ = self.block(("end",))
        del self.names[mark:]
        return Branch(word, pipeline, body, otherwise)

    # -- pipelines --------------------------------------------------------------------------------------------------------
    def pipeline(self, text: str, *, ranging: bool = False) -> Pipeline:
        """A whole pipeline."""
        declares: tuple[str, ...] = ()
        assigns = False
        match = re.match(r"\s*(\$\w+)\s*(?:,\s*(\$\w+)\s*)?(:=|=)", text)
        if match is not None and (match[2] is None or ranging):
            declares = (match[1],) if match[2] is None else (match[1], match[2])
            assigns = match[3] == "="
            if assigns:
                self._known(match[1])
            else:
                self.names += declares
            text = text[match.end() :]
        tokens = self.tokens(text)
        commands, at = self.commands(tokens, 0)
        if at < len(tokens):
            raise self.fail(
                f'unexpected "{tokens[at][1]}" in operand' if tokens[at][1] == ")" else f"unexpected {tokens[at][1]!r} in command"
            )
        return Pipeline(tuple(commands), declares, assigns)

    def _known(self, variable: str) -> None:
        if variable not in self.names:
            raise self.fail(f'undefined variable "{variable}"')

    def tokens(self, text: str) -> list[tuple[str, str, bool]]:
        """Kind, text, and whether a blank follows."""
        out: list[tuple[str, str, bool]] = []
        at = 0
        text = text.strip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None or match.end() == at:
                raise self.fail(
                    f"unexpected {text[at]!r} in operand".replace("'", '"')
                    if text[at] not in "\"'"
                    else "unterminated quoted string"
                )
            kind = (
                match.lastgroup
                if match.lastgroup != "space"
                else next(key for key in match.groupdict() if key != "space" and match[key])
            )
            out.append((str(kind), str(match[str(kind)]), bool(match["space"])))
            at = match.end()
        return out

    def commands(self, tokens: list[tuple[str, str, bool]], at: int) -> tuple[list[Words], int]:
        """Commands up to the end or a closing parenthesis."""
        commands: list[Words] = [Words()]
        while at < len(tokens):
            kind, text, _ = tokens[at]
            if kind == "mark" and text == "|":
                if not commands[-1]:
                    raise self.fail('unexpected "|" in command')
                commands.append(Words())
                at += 1
            elif kind == "mark" and text == ")":
                break
            else:
                first = at
                operand, at = self.operand(tokens, at)
                commands[-1].append(operand)
                written = "".join(text for _, text, _ in tokens[first:at])
                commands[-1].text += (" " if commands[-1].text else "") + written
        if not commands[-1]:
            raise self.fail("missing value for command")
        return commands, at

    def operand(self, tokens: list[tuple[str, str, bool]], at: int) -> tuple[Any, int]:
        """One operand with the fields that follow it without a blank."""
        kind, text, space = tokens[at]
        at += 1
        if kind == "string":
            return (unquote(text[1:-1], text),), at
        if kind == "raw":
            return (text[1:-1],), at
        if kind == "char":
            return (ord(unquote(text[1:-1], text)),), at
        if kind == "number":
            bare = text.replace("_", "")
            return (int(bare, 0) if re.fullmatch(r"[-+]?(0[xX][\da-fA-F]+|\d+)", bare) else float(bare),), at
        if kind == "word" and text in ("true", "false", "nil"):
            return (None if text == "nil" else text == "true",), at
        base: Any
        fields: list[str] = []
        if kind == "mark" and text == "(":
            commands, at = self.commands(tokens, at)
            if at >= len(tokens):
                raise self.fail("unclosed left paren")
            space = tokens[at][2]
            at += 1
            base = Pipeline(tuple(commands))
        elif kind == "field":
            base, fields = ".", [text[1:]]
        elif kind == "word" and text not in self.functions:
            raise self.fail(f'function "{text}" not defined')
        elif kind in ("variable", "word") or text == ".":
            if kind == "variable":
                self._known(text)
            base = text
        else:
            raise self.fail(f'unexpected "{text}" in operand')
        while not space and at < len(tokens) and tokens[at][0] == "field":
            fields.append(tokens[at][1][1:])
            space = tokens[at][2]
            at += 1
        head = base if isinstance(base, str) and base != "." else ""
        written = head + "".join("." + field for field in fields) or "."
        second = len(head) if head or len(fields) < 2 else len(fields[0]) + 1
        return Chain(base, tuple(fields), written, self.place(written, second if fields else 0)), at


def parse(text: str, name: str, functions: Collection[str]) -> tuple[list[Node], dict[str, list[Node]]]:
    """The nodes of a template and of the templates that it defines."""
    reader = _Reader(text, name, functions)
    nodes, _, _ = reader.block(())
    return nodes, reader.defines

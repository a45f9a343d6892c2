"""The tokens that all of the grammar reads: newlines, heredocs, keywords, redirections."""

from __future__ import annotations

import re

from .lexer import META, Incomplete, Lexer, ShellSyntaxError
from .reserved import MAX_SOURCE, OPERATORS, REDIRECT, RESERVED
from .syntax import (
    Function,
    Lit,
    Redirect,
)


class Tokens(Lexer):
    """Newlines, heredocs, keywords and redirections."""

    def __init__(self, source: str, aliases: dict[str, str] | None = None) -> None:
        super().__init__(source)
        self.aliases = aliases or {}
        self.heredocs: list[tuple[Redirect, str, bool, bool, int]] = []
        self.expanded: list[tuple[str, int]] = []
        self.final = False
        self.unended: list[tuple[int, str]] = []
        #: Functions that end on a line with here-documents of theirs still to come.
        self.late: list[Function] = []
        #: Where the bodies of here-documents stand in the text, each with the line that ends it.
        self.bodies: list[tuple[int, int]] = []
        if len(source) > MAX_SOURCE:
            raise ShellSyntaxError("the text is too long")

    def newline(self) -> None:
        """Consume a newline and the here-documents that were announced before it."""
        self.pos += 1
        if self.heredocs:
            self.read_heredocs()

    def skip_newlines(self) -> None:
        """Skip blanks, comments and newlines."""
        while True:
            self.skip_blanks()
            if self.peek() != "\n":
                return
            self.newline()

    def read_heredocs(self) -> None:
        """Read the bodies of announced here-documents."""
        pending, self.heredocs = self.heredocs, []
        first = self.pos
        for redirect, delimiter, strip, literal, announced in pending:
            lines: list[str] = []
            began = self.pos
            while True:
                if self.pos >= len(self.src):
                    if not self.final:
                        raise Incomplete(delimiter)
                    self.unended.append((announced, delimiter))
                    break
                end = self.src.find("\n", self.pos)
                line = self.src[self.pos :] if end < 0 else self.src[self.pos : end]
                self.pos = len(self.src) if end < 0 else end + 1
                if strip:
                    line = line.lstrip("\t")
                if line == delimiter:
                    break
                lines.append(line + "\n")
            self.bodies.append((began, self.pos))
            body = "".join(lines)
            redirect.target = [Lit(body, True)] if literal else (self.sub(body) or [Lit("", True)])
        for made in self.late:
            made.source += "\n" + self.src[first : self.pos]
        self.late = []

    def line_at(self, pos: int) -> int:
        """The number of the line of a position, from 1."""
        return self.src.count("\n", 0, pos) + 1

    def token(self) -> str:
        """The token at the position, for messages."""
        if not self.peek():
            return "newline"
        if self.peek() == "\n":
            return "newline"
        for op in OPERATORS:
            if self.starts(op):
                return op
        match = re.compile(r"[^\s;&|<>()]+").match(self.src, self.pos)
        return match.group() if match else self.peek()

    def unexpected(self) -> None:
        """Raise the syntax error for the token at the position."""
        raise ShellSyntaxError(f"syntax error near unexpected token `{self.token()}'")

    def keyword(self) -> str:
        """The reserved word at the position, or ""."""
        match = re.compile(r"[a-z]+|\{|\}|!|\[\[|\]\]").match(self.src, self.pos)
        if not match or match.group() not in RESERVED:
            return ""
        after = self.src[match.end() : match.end() + 1]
        return match.group() if not after or after in META else ""

    def accept(self, word: str) -> bool:
        """Consume a reserved word if it stands here."""
        self.skip_blanks()
        if self.keyword() == word:
            self.pos += len(word)
            return True
        return False

    def expect(self, word: str) -> None:
        """Consume a reserved word that must stand here."""
        self.skip_newlines()
        if not self.accept(word):
            if not self.peek():
                raise Incomplete(word)
            self.unexpected()

    def redirects(self) -> list[Redirect]:
        """All redirections at the position."""
        found: list[Redirect] = []
        while True:
            self.skip_blanks()
            redirect = self.redirect()
            if redirect is None:
                return found
            found.append(redirect)

    def redirect(self) -> Redirect | None:
        """One redirection, or None."""
        match = REDIRECT.match(self.src, self.pos)
        if not match or (match.group(2) in ("<", ">") and self.src.startswith("(", match.end()) and not match.group(1)):
            return None
        op = match.group(2)
        self.pos = match.end()
        self.skip_blanks()
        if not self.peek() or (self.peek() in "\n;&|)<>" and not (self.peek() in "<>" and self.peek(1) == "(")):
            self.unexpected()
        prefix = match.group(1) or ""
        fd = int(prefix) if prefix.isdigit() else (0 if op[0] == "<" else 1)
        variable = prefix[1:-1] if prefix.startswith("{") else ""
        start = self.pos
        target = self.read_word() or []
        redirect = Redirect(op, fd, target, variable)
        if op in ("<<", "<<-"):
            literal = any(getattr(part, "quoted", False) for part in target) or "\\" in self.src[start : self.pos]
            delimiter = "".join(part.text for part in target if isinstance(part, Lit))
            redirect.op = "<<"
            self.heredocs.append((redirect, delimiter, op == "<<-", literal, self.src.count("\n", 0, start) + 1))
        return redirect

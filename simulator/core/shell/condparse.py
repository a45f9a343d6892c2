"""Parser of `[[ … ]]`."""

from __future__ import annotations

import re

from .lexer import META, Incomplete, ShellSyntaxError
from .syntax import (
    Cond,
    Lit,
    Word,
)
from .tokens import Tokens


class Conditions(Tokens):
    """`[[ … ]]`."""

    def _cond(self) -> Cond:
        line, start = self.line_at(self.pos), self.pos
        self.pos += 2
        tree = self._cond_or()
        self.skip_newlines()
        if not self.starts("]]"):
            if not self.peek():
                raise Incomplete("]]")
            raise ShellSyntaxError(f"syntax error in conditional expression: unexpected token `{self.token()}'")
        self.pos += 2
        return Cond(tree, self.redirects(), line, " ".join(self.src[start : self.pos].split()))

    def _cond_or(self) -> tuple:  # type: ignore[type-arg]
        left = self._cond_and()
        self.skip_newlines()
        while self.starts("||"):
            self.pos += 2
            left = ("or", left, self._cond_and())
            self.skip_newlines()
        return left

    def _cond_and(self) -> tuple:  # type: ignore[type-arg]
        left = self._cond_not()
        self.skip_newlines()
        while self.starts("&&"):
            self.pos += 2
            left = ("and", left, self._cond_not())
            self.skip_newlines()
        return left

    def _cond_not(self) -> tuple:  # type: ignore[type-arg]
        self.skip_newlines()
        self.nested()
        try:
            if self.accept("!"):
                return ("not", self._cond_not())
            if self.peek() == "(":
                self.pos += 1
                inner = self._cond_or()
                self.skip_newlines()
                if self.peek() != ")":
                    raise Incomplete(")") if not self.peek() else ShellSyntaxError("syntax error in conditional expression")
                self.pos += 1
                return inner
            return self._cond_test()
        finally:
            self.depth -= 1

    def _cond_word(self, stop: str = META, kind: str = "binary") -> Word:
        self.skip_blanks()
        if self.starts("]]") or not self.peek():
            if not self.peek():
                raise Incomplete("]]")
            raise ShellSyntaxError(f"unexpected argument `]]' to conditional {kind} operator")
        was, self.extglob = self.extglob, True
        word = self.read_word(stop)
        self.extglob = was
        if word is None:
            raise ShellSyntaxError(f"syntax error in conditional expression: unexpected token `{self.token()}'")
        return word

    def _cond_test(self) -> tuple:  # type: ignore[type-arg]
        match = re.compile(r"-[a-zA-Z](?=\s)").match(self.src, self.pos)
        if match:
            self.pos = match.end()
            return ("unary", match.group(), self._cond_word(kind="unary"))
        left = self._cond_word()
        self.skip_blanks()
        op = re.compile(r"==|=~|!=|=|<|>|-(?:eq|ne|lt|le|gt|ge|nt|ot|ef)(?=\s)").match(self.src, self.pos)
        if op is None:
            if self.peek() and not self.starts("]]") and self.peek() not in "\n&|)":
                raise ShellSyntaxError("conditional binary operator expected")
            return ("unary", "-n", left)
        self.pos = op.end()
        self.skip_blanks()
        if op.group() == "=~":
            return ("binary", "=~", left, self._regex())
        return ("binary", op.group(), left, self._cond_word())

    def _regex(self) -> Word:
        """The right side of `=~`: parentheses and bars belong to it."""
        parts: Word = []
        depth = 0
        while True:
            c = self.peek()
            if not c:
                raise Incomplete("]]")
            if depth == 0 and c in " \t\n":
                return parts
            if c in "()|<>;& \t":
                depth += (c == "(") - (c == ")")
                if depth < 0:
                    return parts
                parts.append(Lit(c))
                self.pos += 1
                continue
            word = self.read_word(META)
            if not word:
                self.unexpected()
            for part in word or []:
                if isinstance(part, Lit) and part.quoted:
                    part.text = re.sub(r"([][\\.^$*+?{}()|])", r"\\\1", part.text)
                parts.append(part)

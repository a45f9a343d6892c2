"""The grammar of the shell language: lists, pipelines, compound commands, redirections, here-documents.

`Parser.next_command` gives one complete command (up to its newline) at a time, as bash reads and runs a script.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .compoundparse import Compounds
from .lexer import META, Incomplete, ShellSyntaxError, closing
from .reserved import CLOSERS, DECLARERS, FUNCTION, RESERVED
from .syntax import (
    AndOr,
    Arith,
    Assign,
    Command,
    Coproc,
    ListNode,
    Lit,
    Pipeline,
    Redirect,
    Simple,
    Subshell,
    Word,
)


class Parser(Compounds):
    """A recursive-descent parser over one source text."""

    # -- entry points ---------------------------------------------------------------------------------------------------
    def next_command(self) -> ListNode | None:
        """The next complete command, or None at the end.  Raises Incomplete or ShellSyntaxError."""
        self.skip_newlines()
        if self.pos >= len(self.src):
            return None
        found = self.list_until(())
        if self.peek() == "\n":
            self.newline()
        elif self.peek():
            self.unexpected()
        elif self.heredocs:
            self.read_heredocs()
        return found

    def parse_until(self, closer: str) -> ListNode:
        """A list up to `)`, inside a word."""
        saved, self.heredocs = self.heredocs, []
        self.skip_newlines()
        items = self.list_until((), inner=True)
        self.skip_newlines()
        if not self.peek():
            raise Incomplete(closer)
        if self.peek() != closer:
            self.unexpected()
        self.pos += 1
        self.heredocs = saved
        return items

    def function_body(self) -> Command:
        """The command that a function's text is, with the here-documents behind its last line."""
        found = self.command()
        if self.heredocs and self.peek() == "\n":
            self.newline()
        return found

    def parse_text(self, text: str) -> ListNode:
        """A whole text as one list."""
        inner = Parser(text)
        inner.depth = self.depth
        inner.nested()
        inner.skip_newlines()
        items = inner.list_until((), inner=True)
        inner.skip_newlines()
        if inner.peek():
            inner.unexpected()
        return items

    # -- space ----------------------------------------------------------------------------------------------------------

    # -- lists ----------------------------------------------------------------------------------------------------------
    def list_until(self, closers: tuple[str, ...], inner: bool = False) -> ListNode:
        """And-or lists up to a newline at the top, or, inside something, up to a closer, `)` or the end."""
        self.nested()
        items: list[AndOr] = []
        compound = bool(closers) or inner
        while True:
            if compound:
                self.skip_newlines()
            else:
                self.skip_blanks()
            c = self.peek()
            if not c or c == ")" or (c == "\n" and not compound):
                break
            if closers and self.keyword() in closers:
                break
            if self.keyword() in CLOSERS or (c in ";&|" and not items) or self.starts(";;"):
                if self.starts(";;") and closers == ("esac",):
                    break
                self.unexpected()
            if c in ";&|":
                if self.starts(";&") and closers == ("esac",):
                    break
                self.unexpected()
            start = self.pos
            item = self.and_or()
            item.text = self.src[start : self.pos].strip()
            items.append(item)
            self.skip_blanks()
            if self.starts(";;") or self.starts(";&"):
                break
            if self.peek() == ";":
                self.pos += 1
            elif self.peek() == "&" and not self.starts("&&"):
                self.pos += 1
                item.background = True
            elif self.peek() == "\n":
                if not compound:
                    break
            elif closers and self.keyword() in closers:
                break  # behind a compound command's end a reserved word needs no `;` before it
            elif self.peek() and self.peek() != ")":
                self.unexpected()
        self.depth -= 1
        if closers and not self.peek():
            raise Incomplete(closers[-1] if closers[-1] != "}" else "")
        return ListNode(items)

    def and_or(self) -> AndOr:
        """Pipelines joined by `&&` and `||`."""
        first = self.pipeline()
        rest: list[tuple[str, Pipeline]] = []
        while True:
            self.skip_blanks()
            op = self.src[self.pos : self.pos + 2]
            if op not in ("&&", "||"):
                return AndOr(first, rest)
            self.pos += 2
            self.after_operator()
            rest.append((op, self.pipeline()))

    def after_operator(self) -> None:
        """Newlines may follow; the end asks for more; an operator is wrong."""
        self.skip_newlines()
        if not self.peek():
            raise Incomplete
        if self.peek() in ";&|)":
            self.unexpected()

    def pipeline(self) -> Pipeline:
        """Commands joined by `|` and `|&`."""
        found = Pipeline([])
        while True:
            if self.accept("!"):
                found.negate = not found.negate
                self.skip_blanks()
                if not self.peek() or self.peek() in "\n;":
                    found.commands.append(Simple([], [], []))
                    found.errors.append(False)
                    return found
            elif self.accept("time"):
                found.timed = True
                self.skip_blanks()
                if self.starts("-p "):
                    self.pos += 3
                    found.posix = True
            else:
                break
        self.skip_blanks()
        if found.timed and (not self.peek() or self.peek() in "\n;"):
            found.commands.append(Simple([], [], []))
            found.errors.append(False)
            return found
        while True:
            found.commands.append(self.command())
            self.skip_blanks()
            if self.starts("|") and not self.starts("||"):
                both = self.starts("|&")
                self.pos += 2 if both else 1
                found.errors.append(both)
                self.after_operator()
            else:
                found.errors.append(False)
                return found

    def ended(self) -> bool:
        """Whether nothing but blanks is left."""
        return not self.src[self.pos :].strip()

    # -- commands -------------------------------------------------------------------------------------------------------
    def command(self) -> Command:
        """A simple or compound command."""
        self.skip_blanks()
        self._alias()
        if not self.peek():
            raise Incomplete
        word = self.keyword()
        if self.starts("((") and closing(self.src, self.pos + 2, "))") is not None:
            end = closing(self.src, self.pos + 2, "))")
            assert end is not None
            text, line = self.src[self.pos + 2 : end], self.line_at(self.pos)
            self.pos = end + 2
            return Arith(self.sub(text), self.redirects(), line, f"(({text}))")
        if self.peek() == "(":
            start = self.pos
            self.pos += 1
            self.nested()
            body = self.parse_until(")")
            self.depth -= 1
            if not body.items:
                raise ShellSyntaxError("syntax error near unexpected token `)'")
            text = f"( {self.src[start + 1 : self.pos - 1].strip()} )"
            return Subshell(body, self.redirects(), self.line_at(start), text)
        handlers: dict[str, Callable[[], Command]] = {
            "{": self._group,
            "if": self._if,
            "while": self._while,
            "until": self._while,
            "for": self._for,
            "select": self._for,
            "case": self._case,
            "[[": self._cond,
            "function": self._function,
            "coproc": self._coproc,
        }
        handler = handlers.get(word)
        if handler is not None:
            self.nested()
            found = handler()
            self.depth -= 1
            return found
        if word in CLOSERS:
            self.unexpected()
        match = FUNCTION.match(self.src, self.pos)
        if match and match.group(1) not in RESERVED:
            return self._function_body(match.group(1), match.end())
        return self._simple()

    def _coproc(self) -> Coproc:
        self.pos += 6
        self.skip_blanks()
        match = re.compile(r"([A-Za-z_]\w*)[ \t]+(?=[{(])").match(self.src, self.pos)
        if match:
            self.pos = match.end()
        return Coproc(match.group(1) if match else "COPROC", self.command(), [])

    def _alias(self) -> None:
        for _ in range(20):
            self.expanded = [(name, end) for name, end in self.expanded if end > self.pos]
            match = re.compile(r"[^\s;&|<>()$`\"'\\]+").match(self.src, self.pos)
            if not match or match.group() not in self.aliases or any(name == match.group() for name, _ in self.expanded):
                return
            if match.end() < len(self.src) and self.src[match.end()] not in META:
                return
            text = self.aliases[match.group()]
            self.src = self.src[: self.pos] + text + self.src[match.end() :]
            grown = len(text) - len(match.group())
            self.expanded = [(name, end + grown) for name, end in self.expanded] + [(match.group(), self.pos + len(text))]
            self.skip_blanks()

    def _simple(self) -> Simple:
        assigns: list[Assign] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        start, line = self.pos, self.line_at(self.pos)
        while True:
            self.skip_blanks()
            redirect = self.redirect()
            if redirect is not None:
                redirects.append(redirect)
                continue
            c = self.peek()
            if not c or (c in "\n;&|)"):
                break
            if c == "(":
                self.unexpected()
            if not words:
                assign = self.read_assign()
                if assign is not None:
                    assigns.append(assign)
                    continue
                if assigns or redirects:
                    self._alias()
            elif _declares(words):
                at = self.pos
                assign = self.read_assign()
                if assign is not None:
                    if (
                        assign.value
                        and len(assign.value) == 1
                        and not isinstance(assign.value[0], Lit)
                        and self.src[self.pos - 1] == ")"
                    ):
                        words.append([Lit(self.src[at : self.src.index("=", at) + 1], True), *assign.value])
                        continue
                    self.pos = at
            word = self.read_word()
            if word is None:
                break
            words.append(word)
            if (
                len(words) == 1
                and self.expanded
                and self.expanded[-1][1] <= self.pos + 1
                and self.src[self.pos : self.pos + 1] == " "
                and self.aliases[self.expanded[-1][0]].endswith(" ")
            ):
                self.skip_blanks()
                self._alias()
        if not words and not assigns and not redirects:
            self.unexpected()
        return Simple(assigns, words, redirects, line, self.src[start : self.pos].rstrip())

    # -- compound commands ----------------------------------------------------------------------------------------------

    # -- [[ … ]] --------------------------------------------------------------------------------------------------------


def _declares(words: list[Word]) -> bool:
    first = words[0]
    return len(first) == 1 and isinstance(first[0], Lit) and first[0].text in DECLARERS

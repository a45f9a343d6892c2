"""Compound commands: `{ }`, if, while, until, for, select, case, functions."""

from __future__ import annotations

import re

from .condparse import Conditions
from .lexer import Incomplete, ShellSyntaxError, closing
from .syntax import (
    Case,
    CFor,
    Command,
    For,
    Function,
    Group,
    If,
    ListNode,
    While,
    Word,
)


class Compounds(Conditions):
    """Compound commands; the lists inside them are the parser's."""

    def command(self) -> Command:
        """A simple or compound command."""
        raise NotImplementedError

    def list_until(self, closers: tuple[str, ...], inner: bool = False) -> ListNode:
        """Commands up to a closing word."""
        raise NotImplementedError

    def body(self, *closers: str) -> ListNode:
        """A non-empty list up to a reserved word."""
        found = self.list_until(closers)
        if not found.items:
            self.unexpected()
        return found

    def _group(self) -> Group:
        self.pos += 1
        body = self.body("}")
        self.expect("}")
        return Group(body, self.redirects())

    def _if(self) -> If:
        self.pos += 2
        branches: list[tuple[ListNode, ListNode]] = []
        otherwise: ListNode | None = None
        while True:
            test = self.body("then")
            self.expect("then")
            branches.append((test, self.body("elif", "else", "fi")))
            if self.accept("elif"):
                continue
            if self.accept("else"):
                otherwise = self.body("fi")
            self.expect("fi")
            return If(branches, otherwise, self.redirects())

    def _while(self) -> While:
        word = self.keyword()
        self.pos += len(word)
        test = self.body("do")
        return While(test, self._do(), word == "until", self.redirects())

    def _do(self) -> ListNode:
        self.expect("do")
        body = self.body("done")
        self.expect("done")
        return body

    def _for(self) -> For | CFor:
        select, start = self.keyword() == "select", self.pos
        line = self.line_at(start)
        self.pos += 6 if select else 3
        self.skip_blanks()
        if self.starts("(("):
            return self._cfor()
        match = re.compile(r"[A-Za-z_]\w*").match(self.src, self.pos)
        if not match:
            if not self.peek():
                raise Incomplete
            self.unexpected()
            raise AssertionError
        self.pos = match.end()
        self.skip_newlines()
        words: list[Word] | None = None
        if self.accept("in"):
            words = []
            while True:
                self.skip_blanks()
                word = self.read_word()
                if word is None:
                    break
                words.append(word)
        head = " ".join(self.src[start : self.pos].split())
        self.skip_blanks()
        if self.peek() == ";":
            self.pos += 1
        elif self.peek() and self.peek() not in "\n" and self.keyword() not in ("do", "{"):
            self.unexpected()
        self.skip_newlines()
        body = self._group().body if self.keyword() == "{" else self._do()
        return For(match.group(), words, body, self.redirects(), select, head, line)

    def _cfor(self) -> CFor:
        end = closing(self.src, self.pos + 2, "))")
        if end is None:
            raise Incomplete("))")
        parts = self.src[self.pos + 2 : end].split(";")
        if len(parts) != 3:
            raise ShellSyntaxError("syntax error: arithmetic expression required")
        self.pos = end + 2
        self.skip_blanks()
        if self.peek() == ";":
            self.pos += 1
        init, test, step = (self.sub(part) for part in parts)
        self.skip_newlines()
        body = self._group().body if self.keyword() == "{" else self._do()
        return CFor(init, test, step, body, self.redirects())

    def _case(self) -> Case:
        line = self.line_at(self.pos)
        self.pos += 4
        self.skip_blanks()
        start = self.pos
        word = self.read_word()
        head = f"case {self.src[start : self.pos]} in"
        if word is None:
            if not self.peek():
                raise Incomplete
            self.unexpected()
        self.expect("in")
        clauses: list[tuple[list[Word], ListNode, str]] = []
        while True:
            self.skip_newlines()
            if self.accept("esac"):
                return Case(word or [], clauses, self.redirects(), head, line)
            if self.peek() == "(":
                self.pos += 1
            patterns: list[Word] = []
            while True:
                self.skip_blanks()
                pattern = self.read_word()
                if pattern is None:
                    if not self.peek():
                        raise Incomplete("esac")
                    self.unexpected()
                patterns.append(pattern or [])
                self.skip_blanks()
                if self.peek() == "|":
                    self.pos += 1
                    continue
                break
            if self.peek() != ")":
                if not self.peek():
                    raise Incomplete("esac")
                self.unexpected()
            self.pos += 1
            body = self.list_until(("esac",))
            end = next((op for op in (";;&", ";;", ";&") if self.starts(op)), "")
            self.pos += len(end)
            clauses.append((patterns, body, end or ";;"))

    def _function(self) -> Command:
        self.pos += 8
        self.skip_blanks()
        match = re.compile(r"([^\s();&|<>]+)[ \t]*(\([ \t]*\))?").match(self.src, self.pos)
        if not match:
            if not self.peek():
                raise Incomplete
            self.unexpected()
            raise AssertionError
        return self._function_body(match.group(1), match.end())

    def _function_body(self, name: str, at: int) -> Command:
        self.pos = at
        self.skip_newlines()
        if not self.peek():
            raise Incomplete
        start = self.pos
        if self.peek() != "(" and self.keyword() not in ("{", "if", "while", "until", "for", "case", "[[", "select"):
            self.unexpected()
        waiting = len(self.heredocs)
        self.command()
        made = Function(name, self.src[start : self.pos], [], self.line_at(start))
        if len(self.heredocs) > waiting:  # bodies that stand behind the function's last line are part of it
            self.late.append(made)
        return made

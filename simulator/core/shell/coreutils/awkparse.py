"""The grammar of awk: a program becomes (pattern, statements) pairs and functions."""

from __future__ import annotations

from typing import Any

from .awkexpr import Expressions
from .awktokens import AwkSyntaxError


class Parser(Expressions):
    """Recursive descent over tokens; a slash is a regular expression where an operand is expected."""

    # -- tokens ---------------------------------------------------------------------------------------------------------

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

"""The grammar of the shell language: lists, pipelines, compound commands, redirections, here-documents.

`Parser.next_command` gives one complete command (up to its newline) at a time, as bash reads and runs a script.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .lexer import META, Incomplete, Lexer, ShellSyntaxError, closing
from .syntax import (
    AndOr,
    Arith,
    Assign,
    Case,
    CFor,
    Command,
    Cond,
    For,
    Function,
    Group,
    If,
    ListNode,
    Lit,
    Pipeline,
    Redirect,
    Simple,
    Subshell,
    While,
    Word,
)

RESERVED = {
    "if",
    "then",
    "elif",
    "else",
    "fi",
    "for",
    "while",
    "until",
    "do",
    "done",
    "case",
    "esac",
    "in",
    "{",
    "}",
    "!",
    "[[",
    "]]",
    "function",
    "select",
    "time",
}
CLOSERS = {"then", "elif", "else", "fi", "do", "done", "esac", "}"}
REDIRECT = re.compile(r"(\d+|\{[A-Za-z_]\w*\})?(<<<|<<-|<<|<>|<&|>&|>>|>\||&>>|&>|<|>)")
FUNCTION = re.compile(r"([^\s()<>|&;$\"'`=\\]+)[ \t]*\([ \t]*\)")
OPERATORS = ("&&", "||", ";;&", ";;", ";&", "|&", "|", "&", ";", "(", ")", "<<<", "<<", "<", ">>", ">")
DECLARERS = {"declare", "typeset", "local", "export", "readonly"}
MAX_SOURCE = 200_000


class Parser(Lexer):
    """A recursive-descent parser over one source text."""

    def __init__(self, source: str, aliases: dict[str, str] | None = None) -> None:
        super().__init__(source)
        self.aliases = aliases or {}
        self.heredocs: list[tuple[Redirect, str, bool, bool, int]] = []
        self.expanded: list[tuple[str, int]] = []
        self.final = False
        self.unended: list[tuple[int, str]] = []
        if len(source) > MAX_SOURCE:
            raise ShellSyntaxError("the text is too long")

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
        for redirect, delimiter, strip, literal, announced in pending:
            lines: list[str] = []
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
            body = "".join(lines)
            redirect.target = [Lit(body, True)] if literal else (self.sub(body) or [Lit("", True)])

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
            elif self.peek() and self.peek() != ")":
                self.unexpected()
        self.depth -= 1
        if closers and not self.peek():
            raise Incomplete(closers[-1])
        return ListNode(items)

    def body(self, *closers: str) -> ListNode:
        """A non-empty list up to a reserved word."""
        found = self.list_until(closers)
        if not found.items:
            self.unexpected()
        return found

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
            elif self.accept("time"):
                found.timed = True
                self.skip_blanks()
                if self.starts("-p "):
                    self.pos += 3
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
            text = self.src[self.pos + 2 : end]
            self.pos = end + 2
            return Arith(self.sub(text), self.redirects())
        if self.peek() == "(":
            self.pos += 1
            self.nested()
            body = self.parse_until(")")
            self.depth -= 1
            if not body.items:
                raise ShellSyntaxError("syntax error near unexpected token `)'")
            return Subshell(body, self.redirects())
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

    def _simple(self) -> Simple:
        assigns: list[Assign] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        line = self.src.count("\n", 0, self.pos) + 1
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
        return Simple(assigns, words, redirects, line)

    # -- compound commands ----------------------------------------------------------------------------------------------
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
        select = self.keyword() == "select"
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
        self.skip_blanks()
        if self.peek() == ";":
            self.pos += 1
        elif self.peek() and self.peek() not in "\n" and self.keyword() != "do":
            self.unexpected()
        return For(match.group(), words, self._do(), self.redirects(), select)

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
        self.pos += 4
        self.skip_blanks()
        word = self.read_word()
        if word is None:
            if not self.peek():
                raise Incomplete
            self.unexpected()
        self.expect("in")
        clauses: list[tuple[list[Word], ListNode, str]] = []
        while True:
            self.skip_newlines()
            if self.accept("esac"):
                return Case(word or [], clauses, self.redirects())
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
        self.command()
        return Function(name, self.src[start : self.pos], [])

    # -- [[ … ]] --------------------------------------------------------------------------------------------------------
    def _cond(self) -> Cond:
        self.pos += 2
        tree = self._cond_or()
        self.skip_newlines()
        if not self.starts("]]"):
            if not self.peek():
                raise Incomplete("]]")
            raise ShellSyntaxError(f"syntax error in conditional expression: unexpected token `{self.token()}'")
        self.pos += 2
        return Cond(tree, self.redirects())

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

    def _cond_word(self, stop: str = META) -> Word:
        self.skip_blanks()
        if self.starts("]]") or not self.peek():
            if not self.peek():
                raise Incomplete("]]")
            raise ShellSyntaxError("unexpected argument `]]' to conditional binary operator")
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
            return ("unary", match.group(), self._cond_word())
        left = self._cond_word()
        self.skip_blanks()
        op = re.compile(r"==|=~|!=|=|<|>|-(?:eq|ne|lt|le|gt|ge|nt|ot|ef)(?=\s)").match(self.src, self.pos)
        if op is None:
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


def _declares(words: list[Word]) -> bool:
    first = words[0]
    return len(first) == 1 and isinstance(first[0], Lit) and first[0].text in DECLARERS

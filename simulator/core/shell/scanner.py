"""Reading of a shell source by characters: blanks, quotes, brackets."""

from __future__ import annotations

from .scanning import MAX_DEPTH, META, Incomplete, ShellSyntaxError, closing, escape
from .syntax import CommandSub, ListNode, Lit, Param, Part, Word


class Scanner:
    """A position in a source text, and the pieces of words that need no look ahead."""

    def read_word(self, stop: str = META) -> Word | None:
        """A word, or None when there is none."""
        raise NotImplementedError

    def read_quoted(self, stop: str) -> Word:
        """Text in double quotes."""
        raise NotImplementedError

    def read_dollar(self, quoted: bool) -> Part | None:
        """An expansion."""
        raise NotImplementedError

    def __init__(self, source: str) -> None:
        self.src = source
        self.pos = 0
        self.depth = 0
        self.extglob = False

    def peek(self, offset: int = 0) -> str:
        """The character at the position, "" at the end."""
        at = self.pos + offset
        return self.src[at] if at < len(self.src) else ""

    def starts(self, text: str) -> bool:
        """Whether the source goes on with a text."""
        return self.src.startswith(text, self.pos)

    def skip_blanks(self) -> None:
        """Skip blanks, continued lines and a comment."""
        src = self.src
        while self.pos < len(src):
            c = src[self.pos]
            if c in " \t":
                self.pos += 1
            elif c == "\\" and src.startswith("\\\n", self.pos):
                self.pos += 2
                if self.pos >= len(src):
                    raise Incomplete
            elif c == "#" and (self.pos == 0 or src[self.pos - 1] in META or src[self.pos - 1] == "`"):
                end = src.find("\n", self.pos)
                self.pos = len(src) if end < 0 else end
            else:
                return

    def nested(self) -> None:
        """Count a level of nesting."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ShellSyntaxError("nested too deeply")

    def _extglob(self) -> str:
        start, depth = self.pos, 0
        while self.pos < len(self.src):
            c = self.src[self.pos]
            self.pos += 1
            depth += (c == "(") - (c == ")")
            if c == ")" and depth == 0:
                return self.src[start : self.pos]
        raise Incomplete(")")

    def _special(self, parts: Word, text: list[str]) -> None:
        c = self.src[self.pos]
        if c == "'":
            parts.append(Lit(self._single(), True))
        elif c == '"':
            parts.extend(self._double())
        elif c == "`":
            parts.append(CommandSub(self._backticks(False), False))
        elif self.starts("$'"):
            parts.append(Lit(self._ansi(), True))
        elif self.starts('$"'):
            self.pos += 1
            parts.extend(self._double())
        else:
            part = self.read_dollar(False)
            if part is None:
                text.append("$")
                self.pos += 1
            else:
                parts.append(part)

    def _single(self) -> str:
        end = self.src.find("'", self.pos + 1)
        if end < 0:
            raise Incomplete("'")
        found = self.src[self.pos + 1 : end]
        self.pos = end + 1
        return found

    def _ansi(self) -> str:
        self.pos += 2
        out: list[str] = []
        while True:
            c = self.peek()
            if not c:
                raise Incomplete("'")
            self.pos += 1
            if c == "'":
                return "".join(out)
            if c != "\\":
                out.append(c)
                continue
            found, self.pos = escape(self.src, self.pos)
            out.append(found)

    def _double(self) -> Word:
        self.pos += 1
        parts = self.read_quoted('"')
        if not self.starts('"'):
            raise Incomplete('"')
        self.pos += 1
        return parts or [Lit("", True)]

    def _backticks(self, quoted: bool) -> ListNode:
        self.pos += 1
        out: list[str] = []
        while True:
            c = self.peek()
            if not c:
                raise Incomplete("`")
            if c == "`":
                self.pos += 1
                break
            if c == "\\" and self.peek(1) in ("`", "\\", "$", '"' if quoted else "`"):
                out.append(self.peek(1))
                self.pos += 2
                continue
            out.append(c)
            self.pos += 1
        return self.parse_text("".join(out))

    def sub(self, text: str) -> Word:
        """A text as if in double quotes."""
        inner = type(self)(text)
        inner.depth = self.depth
        return inner.read_quoted("")

    def _arithmetic(self) -> Word | None:
        """`$((…))` from its dollar; None (position unchanged) when it is a subshell in a command substitution."""
        end = closing(self.src, self.pos + 3, "))")
        if end is None:
            if closing(self.src, self.pos + 2, ")") is None:
                raise Incomplete(")")
            return None
        text = self.src[self.pos + 3 : end]
        self.pos = end + 2
        return self.sub(text)

    def subscript(self, text: str) -> Word:
        """The inside of `[…]`: quotes count, blanks are text."""
        inner = type(self)(text)
        inner.depth = self.depth
        return inner.read_word("\0") or []

    def _bad_substitution(self, start: int, quoted: bool = False) -> Param:
        """A `${…}` that means nothing: an error when it is expanded, not before."""
        end = closing(self.src, start + 2, "}")
        if end is None:
            raise Incomplete("}")
        self.pos = end + 1
        return Param(self.src[start : end + 1], quoted, "bad")

    def until_brace(self, stop: str, quoted: bool, pattern: bool = False) -> Word:
        """A word inside `${…}` up to an unquoted stop character."""
        if not quoted or pattern:
            return self.read_word(stop) or []
        parts: Word = []
        while self.peek() and self.peek() not in stop:
            if self.peek() == '"':
                parts.extend(self._double())
                continue
            if self.peek() == "\\" and self.peek(1) == "}":
                parts.append(Lit("}", True))
                self.pos += 2
                continue
            at = self.pos
            while self.peek() and self.peek() not in stop + '"$`\\':
                self.pos += 1
            if self.pos > at:
                parts.append(Lit(self.src[at : self.pos], True))
            elif self.peek() == "\\":
                after = self.peek(1)
                parts.append(Lit(after if after in '$`\\"' else "\\" + after, True))
                self.pos += 2
            elif self.peek() == "`":
                parts.append(CommandSub(self._backticks(True), True))
            else:
                part = self.read_dollar(True)
                if part is None:
                    part = Lit("$", True)
                    self.pos += 1
                parts.append(part)
        return parts

    def parse_until(self, closer: str) -> ListNode:
        """A list up to a closing character, which is consumed."""
        raise NotImplementedError

    def parse_text(self, text: str) -> ListNode:
        """A whole text as a list."""
        raise NotImplementedError

"""Reading words: quotes, expansions, assignments.  The parser (parser.py) builds commands of them.

Scannerless: both work on the source text and a position, so that aliases can be put into the text where they stand and an
unfinished text is told from a wrong one (`Incomplete` against `ShellSyntaxError`).
"""

from __future__ import annotations

import re

from .scanner import Scanner
from .scanning import ASSIGN, DQ, ESCAPES, MAX_DEPTH, META, NAME, SPECIAL, Incomplete, ShellSyntaxError, closing, escape
from .syntax import ArithSub, ArrayLit, Assign, CommandSub, Lit, Param, Part, ProcessSub, Word

__all__ = [
    "ASSIGN",
    "DQ",
    "ESCAPES",
    "MAX_DEPTH",
    "META",
    "NAME",
    "SPECIAL",
    "Incomplete",
    "Lexer",
    "ShellSyntaxError",
    "closing",
    "escape",
]


class Lexer(Scanner):
    """The source, the position, and the reading of words."""

    # -- characters -----------------------------------------------------------------------------------------------------

    # -- words ----------------------------------------------------------------------------------------------------------
    def read_word(self, stop: str = META) -> Word | None:
        """The word at the position, or None."""
        parts: Word = []
        text: list[str] = []

        def flush() -> None:
            if text:
                parts.append(Lit("".join(text)))
                text.clear()

        start = self.pos
        while self.pos < len(self.src):
            c = self.src[self.pos]
            if c in "<>" and self.peek(1) == "(" and stop is META:
                flush()
                self.pos += 2
                self.nested()
                parts.append(ProcessSub(c, self.parse_until(")")))
                self.depth -= 1
                continue
            if self.extglob and c in "?*+@!" and self.peek(1) == "(" and stop is not DQ:
                text.append(self._extglob())
                continue
            if c in stop:
                break
            if c == "\\":
                if self.pos + 1 >= len(self.src):
                    raise Incomplete
                if self.src[self.pos + 1] == "\n":
                    self.pos += 2
                    if self.pos >= len(self.src):
                        raise Incomplete
                    continue
                flush()
                parts.append(Lit(self.src[self.pos + 1], True))
                self.pos += 2
            elif c in "'\"`$":
                flush()
                self._special(parts, text)
            else:
                text.append(c)
                self.pos += 1
        flush()
        return parts if parts or self.pos > start else None

    def read_quoted(self, stop: str) -> Word:
        """Text in double quotes (or a here-document, `stop` empty) up to `stop` or the end of the source."""
        parts: Word = []
        text: list[str] = []
        while self.pos < len(self.src):
            c = self.src[self.pos]
            if c == stop:
                break
            if c == "\\":
                after = self.peek(1)
                if after == "\n":
                    self.pos += 2
                elif after and after in '$`\\"' and (after != '"' or stop):
                    text.append(after)
                    self.pos += 2
                else:
                    text.append("\\")
                    self.pos += 1
                continue
            if c in "$`":
                part: Part | None
                if c == "`":
                    part = CommandSub(self._backticks(True), True)
                else:
                    part = self.read_dollar(True)
                if part is not None:
                    if text:
                        parts.append(Lit("".join(text), True))
                        text = []
                    parts.append(part)
                    continue
            text.append(c)
            self.pos += 1
        if text:
            parts.append(Lit("".join(text), True))
        return parts

    # -- after a dollar -------------------------------------------------------------------------------------------------
    def read_dollar(self, quoted: bool) -> Part | None:
        """The expansion at a `$`, or None when the dollar is just a dollar."""
        after = self.peek(1)
        if self.starts("$(("):
            found = self._arithmetic()
            if found is not None:
                return ArithSub(found, quoted)
        if after == "(":
            self.pos += 2
            self.nested()
            body = self.parse_until(")")
            self.depth -= 1
            return CommandSub(body, quoted)
        if after == "[":
            start = self.pos + 2
            end = self.src.find("]", start)
            if end < 0:
                raise Incomplete("]")
            self.pos = end + 1
            return ArithSub(self.sub(self.src[start:end]), quoted)
        if after == "{":
            self.pos += 2
            self.nested()
            param = self._braced(quoted)
            self.depth -= 1
            return param
        match = NAME.match(self.src, self.pos + 1)
        if match:
            self.pos = match.end()
            return Param(match.group(), quoted)
        if after and after in SPECIAL:
            self.pos += 2
            return Param(after, quoted)
        return None

    def _braced(self, quoted: bool) -> Param:
        """The inside of `${…}`, the position just after the brace."""
        start = self.pos - 2
        param = Param("", quoted)
        c = self.peek()
        if (c == "#" and self.peek(1) not in ("}", ":", "-", "=", "+", "%", "/", "#")) or (
            c == "#" and self.peek(1) in "-#" and self.peek(2) == "}"
        ):
            param.prefix = "#"
            self.pos += 1
        elif c == "!" and self.peek(1) not in ("}", ":", "-", "=", "+", ""):
            param.prefix = "!"
            self.pos += 1
        match = NAME.match(self.src, self.pos) or re.compile(r"[0-9]+").match(self.src, self.pos)
        if match:
            param.name = match.group()
            self.pos = match.end()
        elif self.peek() and self.peek() in SPECIAL:
            param.name = self.peek()
            self.pos += 1
        else:
            return self._bad_substitution(start, quoted)
        if self.peek() == "[" and match:
            self.pos += 1
            end = closing(self.src, self.pos, "]")
            if end is None:
                raise Incomplete("]")
            param.index = self.subscript(self.src[self.pos : end])
            if self.src[self.pos : end] in ("@", "*"):
                param.index = [Lit(self.src[self.pos : end], True)]
            self.pos = end + 1
        if param.prefix == "!" and self.peek() in ("*", "@") and self.peek(1) == "}":
            param.op = "names" if self.peek() == "@" else "names*"
            self.pos += 1
        elif self.peek() != "}" and not self._operator(param, quoted):
            return self._bad_substitution(start, quoted)
        if self.peek() != "}":
            if not self.peek():
                raise Incomplete("}")
            return self._bad_substitution(start, quoted)
        self.pos += 1
        return param

    def _operator(self, param: Param, quoted: bool) -> bool:
        """The operator of `${name op arg}` and its words; False when there is none."""
        for op in (
            ":-",
            ":=",
            ":?",
            ":+",
            "##",
            "%%",
            "//",
            "/#",
            "/%",
            "^^",
            ",,",
            "-",
            "=",
            "?",
            "+",
            "#",
            "%",
            "/",
            "^",
            ",",
            "~~",
            "~",
            "@",
            ":",
        ):
            if self.starts(op):
                break
        else:
            if not self.peek():
                raise Incomplete("}")
            return False
        self.pos += len(op)
        param.op = op
        if op == ":":
            param.arg = self.until_brace("}:", quoted)
            if self.peek() == ":":
                self.pos += 1
                param.arg2 = self.until_brace("}", quoted)
        elif op[0] == "/":
            param.arg = self.until_brace("}/", quoted, pattern=True)
            if self.peek() == "/":
                self.pos += 1
                param.arg2 = self.until_brace("}", quoted, pattern=True)
            else:
                param.arg2 = []
        else:
            param.arg = self.until_brace("}", quoted, pattern=op[0] in "#%^,~")
        return True

    # -- assignments ----------------------------------------------------------------------------------------------------
    def read_assign(self) -> Assign | None:
        """The assignment at the position, or None (position unchanged)."""
        match = ASSIGN.match(self.src, self.pos)
        if not match:
            return None
        at, index = match.end(), None
        if match.group(2):
            end = closing(self.src, at, "]")
            if end is None:
                return None
            index, at = self.subscript(self.src[match.end() : end]), end + 1
        append = self.src.startswith("+=", at)
        if not append and not self.src.startswith("=", at):
            return None
        self.pos = at + (2 if append else 1)
        if self.peek() == "(" and index is None:
            return Assign(match.group(1), [self._array()], append)
        return Assign(match.group(1), self.read_word() or [], append, index)

    def _array(self) -> ArrayLit:
        self.pos += 1
        items: list[tuple[Word | None, Word]] = []
        while True:
            self.skip_blanks()
            if self.peek() == "\n":
                self.pos += 1
                continue
            if not self.peek():
                raise Incomplete(")")
            if self.peek() == ")":
                self.pos += 1
                return ArrayLit(items)
            key: Word | None = None
            if self.peek() == "[":
                end = closing(self.src, self.pos + 1, "]")
                if end is not None and self.src.startswith("=", end + 1):
                    key = self.subscript(self.src[self.pos + 1 : end])
                    self.pos = end + 2
            word = self.read_word()
            if word is None:
                if key is None:
                    raise ShellSyntaxError(f"syntax error near unexpected token `{self.peek()}'")
                word = []
            items.append((key, word))

    # -- provided by the parser -----------------------------------------------------------------------------------------

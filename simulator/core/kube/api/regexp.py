"""Regular expressions in Go's syntax (RE2), matched in time linear in the subject, whatever the pattern.

A pattern is parsed into a small program of states (Thompson's construction) and run over all of them at once; sets of states that have
been seen are kept, so that a pattern becomes a table as it is used.  Only whether and where a subject matches is answered, without
groups: that is what schemas' `pattern` and CEL's `matches` and `find` ask.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

Ranges = tuple[tuple[int, int], ...]
MAX_PATTERN = 2000
#: RE2's limit on a repetition's count, and ours on the size of a program.
MAX_REPEAT, MAX_STATES = 1000, 20_000
MAX_CACHED = 2000

_DIGIT: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = ((9, 10), (12, 13), (32, 32))
_POSIX: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)), "alpha": ((65, 90), (97, 122)), "ascii": ((0, 127),), "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)), "digit": _DIGIT, "graph": ((33, 126),), "lower": ((97, 122),), "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)), "space": ((9, 13), (32, 32)), "upper": ((65, 90),), "word": _WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}  # fmt: skip
_ESCAPES = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_PERL = {"d": _DIGIT, "w": _WORD, "s": _SPACE}


class BadPattern(ValueError):
    """The pattern cannot be parsed; the message is Go's, after `error parsing regexp: `."""


class Test:
    """What one character must be: in some ranges or Unicode categories, or in none of them."""

    __slots__ = ("categories", "fold", "negated", "ranges")

    def __init__(
        self, ranges: Ranges, *, negated: bool = False, categories: tuple[tuple[str, bool], ...] = (), fold: bool = False
    ):
        self.ranges, self.negated, self.categories, self.fold = ranges, negated, categories, fold

    def __call__(self, char: str) -> bool:
        found = self._in(char)
        if not found and self.fold:
            found = self._in(char.lower()) or self._in(char.upper())
        return found is not self.negated

    def _in(self, char: str) -> bool:
        if len(char) != 1:
            return False
        code = ord(char)
        if any(low <= code <= high for low, high in self.ranges):
            return True
        return any(unicodedata.category(char).startswith(name) is not negated for name, negated in self.categories)


#: A state: ("char", test, next), ("split", a, b), ("at", kind, next), ("end",).
State = tuple[object, ...]


class _Builder:
    """Parses a pattern straight into states; fragments are (start, list of dangling (state, slot))."""

    def __init__(self, pattern: str) -> None:
        if len(pattern) > MAX_PATTERN:
            raise BadPattern("expression too large")
        self.text, self.at = pattern, 0
        self.states: list[list[object]] = []
        self.flags = ""
        self.depth = 0

    def add(self, *state: object) -> int:
        if len(self.states) >= MAX_STATES:
            raise BadPattern("expression too large")
        self.states.append(list(state))
        return len(self.states) - 1

    def patch(self, loose: list[tuple[int, int]], target: int) -> None:
        for state, slot in loose:
            self.states[state][slot] = target

    # A node is parsed into a closure-free description first, because counted repetition builds its operand many times.
    def parse(self) -> object:
        node = self.alternatives()
        if self.at < len(self.text):
            raise BadPattern(f"unexpected ): `{self.text}`")
        return node

    def alternatives(self) -> object:
        self.depth += 1
        if self.depth > 200:
            raise BadPattern("expression nests too deeply")
        flags = self.flags
        options = [self.sequence()]
        while self.at < len(self.text) and self.text[self.at] == "|":
            self.at += 1
            options.append(self.sequence())
        self.flags = flags
        self.depth -= 1
        return options[0] if len(options) == 1 else ("or", options)

    def sequence(self) -> object:
        items: list[object] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            start = self.at
            item = self.atom()
            if item is None:
                continue
            items.append(self.repeated(item, start))
        return ("seq", items)

    def repeated(self, item: object, start: int) -> object:
        count = 0
        while self.at < len(self.text):
            c, begin = self.text[self.at], self.at
            low, high = {"*": (0, -1), "+": (1, -1), "?": (0, 1)}.get(c, (-1, -1))
            if low < 0:
                found = self.interval() if c == "{" else None
                if found is None:
                    return item
                low, high = found
            else:
                self.at += 1
            if self.at < len(self.text) and self.text[self.at] == "?":
                self.at += 1
            count += 1
            if count > 1:
                raise BadPattern(f"invalid nested repetition operator: `{self.text[begin - 1 : self.at]}`")
            item = ("rep", item, low, high)
        return item

    def interval(self) -> tuple[int, int] | None:
        end = self.text.find("}", self.at)
        low, comma, high = self.text[self.at + 1 : end].partition(",") if end > 0 else ("", "", "")
        if not low.isdigit() or (high and not high.isdigit()):
            return None
        whole = self.text[self.at : end + 1]
        least = int(low)
        most = least if not comma else int(high) if high else -1
        if least > MAX_REPEAT or most > MAX_REPEAT or 0 <= most < least:
            raise BadPattern(f"invalid repeat count: `{whole}`")
        self.at = end + 1
        return least, most

    def atom(self) -> object | None:
        c = self.text[self.at]
        self.at += 1
        fold = "i" in self.flags
        if c == "(":
            return self.group()
        if c == "[":
            return self.bracket()
        if c == ".":
            return ("char", Test((), negated=True) if "s" in self.flags else Test(((10, 10),), negated=True))
        if c == "^":
            return ("at", "line" if "m" in self.flags else "start")
        if c == "$":
            return ("at", "line-end" if "m" in self.flags else "end")
        if c in "*+?":
            raise BadPattern(f"missing argument to repetition operator: `{c}`")
        if c == "\\":
            return self.escape()
        return ("char", Test(((ord(c), ord(c)),), fold=fold))

    def group(self) -> object | None:
        if self.text.startswith("?", self.at):
            rest = self.text[self.at :]
            for mark in ("?P<", "?<"):
                if rest.startswith(mark) and ">" in rest and rest[len(mark) : len(mark) + 1] not in ("=", "!"):
                    self.at += rest.index(">") + 1
                    break
            else:
                end = self.at + 1
                while end < len(self.text) and self.text[end] in "imsU-":
                    end += 1
                mark = self.text[end : end + 1]
                if mark not in (":", ")"):
                    raise BadPattern(f"invalid or unsupported Perl syntax: `({self.text[self.at : end + 1]}`")
                on, _, off = self.text[self.at + 1 : end].partition("-")
                before = self.flags
                self.flags = "".join(f for f in self.flags + on if f not in off)
                self.at = end + 1
                if mark == ")":
                    return None
                return self.close(before)
        return self.close(self.flags)

    def close(self, flags: str) -> object:
        node = self.alternatives()
        if not self.text.startswith(")", self.at):
            raise BadPattern(f"missing closing ): `{self.text}`")
        self.at += 1
        self.flags = flags
        return node

    def escape(self) -> object:
        if self.at >= len(self.text):
            raise BadPattern("trailing backslash at end of expression: ``")
        c = self.text[self.at]
        fold = "i" in self.flags
        if c in "AzbB":
            self.at += 1
            return ("at", {"A": "start", "z": "end", "b": "word", "B": "not-word"}[c])
        ranges, negated, categories = self.escaped_class()
        return ("char", Test(ranges, negated=negated, categories=categories, fold=fold))

    def escaped_class(self) -> tuple[Ranges, bool, tuple[tuple[str, bool], ...]]:
        """What a backslash stands for, at the character behind it."""
        c = self.text[self.at]
        self.at += 1
        if c.lower() in _PERL:
            return _PERL[c.lower()], c.isupper(), ()
        if c in "pP":
            name = self.text[self.at : self.at + 1]
            self.at += 1
            if name == "{":
                end = self.text.find("}", self.at)
                name, self.at = self.text[self.at : end], end + 1
            negated = (c == "P") is not name.startswith("^")
            name = name.removeprefix("^")
            if name and (name[0] not in "LMNPSZC" or len(name) > 2):
                raise BadPattern(f"invalid character class range: `\\{c}{{{name}}}`")
            return (), False, ((name, negated),)
        if c == "x":
            if self.text.startswith("{", self.at):
                end = self.text.find("}", self.at)
                digits, self.at = self.text[self.at + 1 : end], end + 1
            else:
                digits, self.at = self.text[self.at : self.at + 2], self.at + 2
            try:
                code = int(digits, 16)
            except ValueError:
                raise BadPattern(f"invalid escape sequence: `\\x{digits}`") from None
            return ((code, code),), False, ()
        if c in _ESCAPES:
            return ((_ESCAPES[c], _ESCAPES[c]),), False, ()
        if c.isalnum():
            raise BadPattern(f"invalid escape sequence: `\\{c}`")
        return ((ord(c), ord(c)),), False, ()

    def bracket(self) -> object:
        start = self.at - 1
        negated = self.text.startswith("^", self.at)
        self.at += negated
        ranges: list[tuple[int, int]] = []
        categories: list[tuple[str, bool]] = []
        first = True
        while True:
            if self.at >= len(self.text):
                raise BadPattern(f"missing closing ]: `{self.text[start:]}`")
            c = self.text[self.at]
            if c == "]" and not first:
                self.at += 1
                break
            first = False
            if self.text.startswith("[:", self.at) and (end := self.text.find(":]", self.at)) > 0:
                name = self.text[self.at + 2 : end]
                listed = _POSIX.get(name.removeprefix("^"))
                if listed is None:
                    raise BadPattern(f"invalid character class range: `[:{name}:]`")
                ranges += _complement(listed) if name.startswith("^") else listed
                self.at = end + 2
                continue
            self.at += 1
            low: Ranges = ((ord(c), ord(c)),)
            if c == "\\":
                if self.at >= len(self.text):
                    raise BadPattern(f"missing closing ]: `{self.text[start:]}`")
                low, wrong, more = self.escaped_class()
                low = _complement(low) if wrong else low
                categories += more
            if (
                len(low) == 1
                and low[0][0] == low[0][1]
                and self.text.startswith("-", self.at)
                and self.text[self.at + 1 : self.at + 2] not in ("]", "")
            ):
                low = self.range_from(low[0][0])
            ranges += low
        return ("char", Test(tuple(ranges), negated=negated, categories=tuple(categories), fold="i" in self.flags))

    def range_from(self, low: int) -> Ranges:
        begin = self.at - 1
        self.at += 1
        c = self.text[self.at]
        self.at += 1
        high = ord(c)
        if c == "\\":
            high = self.escaped_class()[0][0][0]
        if high < low:
            raise BadPattern(f"invalid character class range: `{self.text[begin : self.at]}`")
        return ((low, high),)

    # -- states -----------------------------------------------------------------------------------------------------------
    def build(self, node: object, then: int) -> int:
        """The start state of a node whose end goes on at `then`."""
        assert isinstance(node, tuple)
        kind = node[0]
        if kind == "char" or kind == "at":
            return self.add(kind, node[1], then)
        if kind == "seq":
            for item in reversed(node[1]):
                then = self.build(item, then)
            return then
        if kind == "or":
            starts = [self.build(item, then) for item in node[1]]
            out = starts[-1]
            for start in reversed(starts[:-1]):
                out = self.add("split", start, out)
            return out
        _, item, low, high = node
        if high < 0:
            loop = self.add("split", 0, then)
            self.states[loop][1] = self.build(item, loop)
            then = loop
        else:
            end = then
            for _ in range(high - low):
                then = self.add("split", self.build(item, then), end)
        for _ in range(low):
            then = self.build(item, then)
        return then


def _complement(ranges: Ranges) -> Ranges:
    out, at = [], 0
    for low, high in sorted(ranges):
        if low > at:
            out.append((at, low - 1))
        at = max(at, high + 1)
    return (*out, (at, 0x10FFFF))


class Pattern:
    """A compiled pattern."""

    def __init__(self, pattern: str) -> None:
        builder = _Builder(pattern)
        node = builder.parse()
        end = builder.add("end")
        self._start = builder.build(node, end)
        self._states = [tuple(state) for state in builder.states]
        self._steps: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def _close(self, seeds: list[int], text: str, at: int) -> frozenset[int]:
        """The states reached from some without taking a character."""
        seen: set[int] = set()
        stack = list(seeds)
        while stack:
            number = stack.pop()
            if number in seen:
                continue
            seen.add(number)
            state = self._states[number]
            if state[0] == "split":
                stack += [state[1], state[2]]  # type: ignore[list-item]
            elif state[0] == "at" and _holds(str(state[1]), text, at):
                stack.append(state[2])  # type: ignore[arg-type]
        return frozenset(n for n in seen if self._states[n][0] in ("char", "end"))

    def _step(self, held: frozenset[int], char: str) -> list[int]:
        key = (held, char)
        found = self._steps.get(key)
        if found is None:
            states = self._states
            found = frozenset(
                states[n][2]  # type: ignore[misc]
                for n in held
                if states[n][0] == "char" and states[n][1](char)  # type: ignore[operator]
            )
            if len(self._steps) > MAX_CACHED:
                self._steps.clear()
            self._steps[key] = found
        return list(found)

    def _ends(self, held: frozenset[int]) -> bool:
        return any(self._states[n][0] == "end" for n in held)

    def search(self, text: str) -> bool:
        """Whether the pattern matches anywhere."""
        held: list[int] = []
        for at in range(len(text) + 1):
            closed = self._close([*held, self._start], text, at)
            if self._ends(closed):
                return True
            if at < len(text):
                held = self._step(closed, text[at])
        return False

    def find(self, text: str, start: int = 0) -> tuple[int, int] | None:
        """The leftmost match at or after `start`, the longest of those that begin there; None when there is none."""
        for begin in range(start, len(text) + 1):
            held, best = [self._start], -1
            for at in range(begin, len(text) + 1):
                closed = self._close(held, text, at)
                if self._ends(closed):
                    best = at
                if at == len(text) or not closed:
                    break
                held = self._step(closed, text[at])
                if not held:
                    break
            if best >= 0:
                return begin, best
        return None


def _holds(kind: str, text: str, at: int) -> bool:
    if kind == "start":
        return at == 0
    if kind == "end":
        return at == len(text)
    if kind == "line":
        return at == 0 or text[at - 1] == "\n"
    if kind == "line-end":
        return at == len(text) or text[at] == "\n"
    before = at > 0 and _is_word(text[at - 1])
    after = at < len(text) and _is_word(text[at])
    return (before != after) is (kind == "word")


def _is_word(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char == "_")


@lru_cache(maxsize=512)
def compile(pattern: str) -> Pattern:
    """The compiled pattern; raises BadPattern."""
    return Pattern(pattern)

"""Where vi's motions and text objects lead: pure functions of lines and a position (row, column), both from 0."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

Position = tuple[int, int]
PAIRS = {"(": ")", "[": "]", "{": "}", "<": ">"}


class Span(msgspec.Struct):
    """From `start` up to `end`, which is taken in when `inclusive`; whole lines when `linewise`."""

    start: Position
    end: Position
    linewise: bool = False
    inclusive: bool = False


def kind(c: str, big: bool) -> int:
    """Blank 0, word 1, other 2; a WORD is anything that is not blank."""
    if c in " \t\n" or not c:
        return 0
    return 1 if big or c.isalnum() or c == "_" else 2


def _at(lines: list[str], row: int, col: int) -> str:
    line = lines[row]
    return line[col] if col < len(line) else "\n"


def _next(lines: list[str], row: int, col: int) -> Position | None:
    if col + 1 < len(lines[row]):
        return row, col + 1
    return (row + 1, 0) if row + 1 < len(lines) else None


def _back(lines: list[str], row: int, col: int) -> Position | None:
    if col > 0:
        return row, col - 1
    return (row - 1, max(len(lines[row - 1]) - 1, 0)) if row > 0 else None


def word(lines: list[str], at: Position, big: bool) -> Position:
    """`w`: the start of the next word; the end of the text when there is none."""
    row, col = at
    first = kind(_at(lines, row, col), big)
    here: Position | None = (row, col)
    while here is not None and first and here[0] == row and kind(_at(lines, *here), big) == first:
        here = _next(lines, *here)
    moved = here != at
    while here is not None and kind(_at(lines, *here), big) == 0:
        if moved and not lines[here[0]]:
            return here
        here = _next(lines, *here)
        moved = True
    return here if here is not None else (len(lines) - 1, len(lines[-1]))


def word_end(lines: list[str], at: Position, big: bool) -> Position:
    """`e`."""
    here = _next(lines, *at)
    while here is not None and kind(_at(lines, *here), big) == 0:
        here = _next(lines, *here)
    if here is None:
        return len(lines) - 1, max(len(lines[-1]) - 1, 0)
    row, col = here
    what = kind(_at(lines, row, col), big)
    while col + 1 < len(lines[row]) and kind(lines[row][col + 1], big) == what:
        col += 1
    return row, col


def word_back(lines: list[str], at: Position, big: bool) -> Position:
    """`b`."""
    here = _back(lines, *at)
    while here is not None and kind(_at(lines, *here), big) == 0:
        if not lines[here[0]]:
            return here
        here = _back(lines, *here)
    if here is None:
        return 0, 0
    row, col = here
    what = kind(_at(lines, row, col), big)
    while col > 0 and kind(lines[row][col - 1], big) == what:
        col -= 1
    return row, col


def word_end_back(lines: list[str], at: Position, big: bool) -> Position:
    """`ge`."""
    row, col = at
    what = kind(_at(lines, row, col), big)
    here: Position | None = at
    while here is not None and what and here[0] == row and kind(_at(lines, *here), big) == what:
        here = _back(lines, *here)
    while here is not None and kind(_at(lines, *here), big) == 0:
        here = _back(lines, *here)
    return here if here is not None else (0, 0)


def find_char(line: str, col: int, c: str, how: str, count: int) -> int | None:
    """`f F t T`: the column, or None."""
    step = 1 if how in "ft" else -1
    here = col
    for turn in range(count):
        here += step
        if how in "tT" and turn == 0 and 0 <= here < len(line) and line[here] == c and count == 1:
            here += 0
        while 0 <= here < len(line) and line[here] != c:
            here += step
        if not 0 <= here < len(line):
            return None
    return here - step if how in "tT" else here


def paragraph(lines: list[str], row: int, forward: bool) -> Position:
    """`}` and `{`."""
    step = 1 if forward else -1
    while 0 <= row < len(lines) and not lines[row]:
        row += step
    while 0 <= row < len(lines) and lines[row]:
        row += step
    if row >= len(lines):
        return len(lines) - 1, max(len(lines[-1]) - 1, 0)
    return max(row, 0), 0


def match_pair(lines: list[str], at: Position) -> Position | None:
    """`%`: the bracket that belongs to the first one at or behind the cursor in its line."""
    row, col = at
    line = lines[row]
    while col < len(line) and line[col] not in "()[]{}":
        col += 1
    if col >= len(line):
        return None
    c = line[col]
    forward = c in "([{"
    other = PAIRS[c] if forward else next(key for key, value in PAIRS.items() if value == c)
    step: Callable[[list[str], int, int], Position | None] = _next if forward else _back
    depth = 0
    here: Position | None = (row, col)
    while here is not None:
        found = _at(lines, *here)
        depth += (found == c) - (found == other)
        if depth == 0:
            return here
        here = step(lines, *here)
    return None


def first_text(line: str) -> int:
    """The column of the first character that is not blank (the last column of a blank line)."""
    found = len(line) - len(line.lstrip(" \t"))
    return found if found < len(line) else max(len(line) - 1, 0)


def search(lines: list[str], at: Position, pattern: re.Pattern[str], forward: bool) -> tuple[Position, bool] | None:
    """The next match from a position, and whether the search went round the end of the text."""
    row, col = at
    size = len(lines)
    for turn in range(size + 1):
        here = (row + turn) % size if forward else (row - turn) % size
        starts = [m.start() for m in pattern.finditer(lines[here])]
        if turn == 0:
            starts = [s for s in starts if (s > col if forward else s < col)]
        elif turn == size:
            starts = [s for s in starts if (s <= col if forward else s >= col)]
        if starts:
            wrapped = (row + turn >= size) if forward else (row - turn < 0)
            return (here, starts[0] if forward else starts[-1]), wrapped
    return None


def text_object(lines: list[str], at: Position, around: bool, what: str, count: int = 1) -> Span | None:
    """`iw`, `a"`, `i{`, `ip` …; None when there is none here."""
    row, col = at
    line = lines[row]
    if what in "wW":
        return _word_object(line, row, col, around, what == "W", count)
    if what in "\"'`":
        return _quote_object(line, row, col, around, what)
    names = {"b": "(", ")": "(", "B": "{", "}": "{", "]": "[", ">": "<"}
    opener = names.get(what, what)
    if opener in PAIRS:
        return _bracket_object(lines, at, around, opener)
    if what == "p":
        blank = not line
        first = last = row
        while first > 0 and (not lines[first - 1]) == blank:
            first -= 1
        while last + 1 < len(lines) and (not lines[last + 1]) == blank:
            last += 1
        if around:
            while last + 1 < len(lines) and (not lines[last + 1]) != blank:
                last += 1
        return Span((first, 0), (last, 0), linewise=True)
    return None


def _word_object(line: str, row: int, col: int, around: bool, big: bool, count: int) -> Span | None:
    if not line:
        return Span((row, 0), (row, 0))
    what = kind(line[col], big)
    start = end = col
    while start > 0 and kind(line[start - 1], big) == what:
        start -= 1
    for turn in range(count):
        if turn:
            end += 1
            if end >= len(line):
                break
            what = kind(line[end], big)
        while end + 1 < len(line) and kind(line[end + 1], big) == what:
            end += 1
    if around:
        after = end
        while after + 1 < len(line) and line[after + 1] in " \t":
            after += 1
        if after == end:
            while start > 0 and line[start - 1] in " \t":
                start -= 1
        end = after
    return Span((row, start), (row, min(end, len(line) - 1)), inclusive=True)


def _quote_object(line: str, row: int, col: int, around: bool, mark: str) -> Span | None:
    places = [n for n, c in enumerate(line) if c == mark and (n == 0 or line[n - 1] != "\\")]
    for first, last in zip(places[::2], places[1::2], strict=False):
        if col <= last:
            if around:
                while last + 1 < len(line) and line[last + 1] in " \t":
                    last += 1
                return Span((row, first), (row, last), inclusive=True)
            return Span((row, first + 1), (row, last))
    return None


def _bracket_object(lines: list[str], at: Position, around: bool, opener: str) -> Span | None:
    closer = PAIRS[opener]
    depth = 0
    here: Position | None = at
    if _at(lines, *at) == closer:
        here = _back(lines, *at)
    while here is not None:
        c = _at(lines, *here)
        if c == opener:
            if depth == 0:
                break
            depth -= 1
        elif c == closer:
            depth += 1
        here = _back(lines, *here)
    if here is None:  # not inside: the next one of the line
        found = lines[at[0]].find(opener, at[1])
        here = (at[0], found) if found >= 0 else None
    if here is None:
        return None
    start, depth = here, 0
    end: Position | None = here
    while end is not None:
        c = _at(lines, *end)
        depth += (c == opener) - (c == closer)
        if depth == 0:
            break
        end = _next(lines, *end)
    if end is None:
        return None
    if around:
        return Span(start, end, inclusive=True)
    if start[0] < end[0] and start[1] == len(lines[start[0]]) - 1 and not lines[end[0]][: end[1]].strip():
        return Span((start[0] + 1, 0), (max(end[0] - 1, start[0] + 1), 0), linewise=True)
    return Span((start[0], start[1] + 1), end)

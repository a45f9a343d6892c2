"""History expansion of typed lines: `!!`, `!n`, `!text`, `!$`, `^old^new` (bash's `lib/readline/histexpand.c`, `bashhist.c`)."""

from __future__ import annotations

import re

from ..kernel.errors import BudgetExceeded
from .lexer import Incomplete, ShellSyntaxError
from .parser import Parser

_EVENT = re.compile(r"!(?:(!)|(-?\d+)|([$*^])|(\?[^?\n]+\??)|([^\s=(\"!;&|<>:]+))(?::([$*^]|\d+))?")
_SUBSHELL = re.compile(r"[\s;&()|<>]")


class HistoryError(Exception):
    """An event that is not there: the message."""


def expand_history(text: str, history: list[str]) -> str:
    """A typed text with its events put in.  Raises HistoryError.

    Not expanded: what single quotes hold, what follows a backslash, comments, `$!`, `${!name}`, `[!a]`, and the bodies of
    here-documents, which bash reads without looking for events (`parse.y`: read_secondary_line).
    """
    if text.startswith("^") and text.count("^") >= 2:
        old, new = text[1:].split("^")[:2]
        if not history or not old or old not in history[-1]:
            raise HistoryError(f"{text}: substitution failed")
        return history[-1].replace(old, new, 1)
    if "!" not in text:
        return text
    bodies = _bodies(text)
    out: list[str] = []
    at, quote = 0, ""
    while at < len(text):
        if bodies and at == bodies[0][0]:
            start, at = bodies.pop(0)
            out.append(text[start:at])
            continue
        c = text[at]
        if c == "\\" and quote != "'":
            out.append(text[at : at + 2])
            at += 2
            continue
        if c in "'\"" and quote in ("", c):
            quote = "" if quote else c
        elif c == "#" and not quote and (at == 0 or _SUBSHELL.match(text[at - 1])):
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            out.append(text[at:end])
            at = end
            continue
        match = _EVENT.match(text, at) if c == "!" and quote != "'" and not _inhibited(text, at) else None
        if match is None:
            out.append(c)
            at += 1
            continue
        out.append(_event(match, history))
        at = match.end()
    return "".join(out)


def _inhibited(text: str, at: int) -> bool:
    """Whether the `!` belongs to the shell's own syntax (`bashhist.c`: bash_history_inhibit_expansion)."""
    before = text[max(0, at - 2) : at]
    if before.endswith("["):
        return "]" in text[at + 1 :]
    if before == "${":
        return "}" in text[at + 1 :]
    return before.endswith("$")


def _bodies(text: str) -> list[tuple[int, int]]:
    """Where the bodies of here-documents stand, with their last lines."""
    if "<<" not in text:
        return []
    parser = Parser(text + "\n", {})
    try:
        while parser.next_command() is not None:
            pass
    except (Incomplete, ShellSyntaxError, RecursionError, BudgetExceeded):
        pass  # what was read up to there counts
    return parser.bodies


def _event(match: re.Match[str], history: list[str]) -> str:
    double, number, word, contains, prefix, designator = match.groups()
    text = match.group()
    found: str | None = None
    if double or word:
        found = history[-1] if history else None
    elif number:
        n = int(number)
        at = n - 1 if n > 0 else len(history) + n
        found = history[at] if 0 <= at < len(history) else None
    elif contains:
        found = next((item for item in reversed(history) if contains.strip("?") in item), None)
    else:
        found = next((item for item in reversed(history) if item.startswith(prefix)), None)
    if found is None:
        raise HistoryError(f"{text}: event not found")
    pick = word or designator
    if not pick:
        return found
    words = found.split()
    if pick == "$":
        return words[-1] if words else ""
    if pick == "*":
        return " ".join(words[1:])
    n = 1 if pick == "^" else int(pick)
    if n >= len(words):
        raise HistoryError(f"{text}: bad word specifier")
    return words[n]

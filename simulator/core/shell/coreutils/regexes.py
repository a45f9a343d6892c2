"""POSIX regular expressions, translated to Python's and bounded.

Python's engine backtracks, so a pattern is refused when a repeated group itself repeats something unbounded (`(a*)*`), and
subjects are cut into lines of at most `MAX_SUBJECT`; several unbounded repetitions in a row shorten that further.
"""

from __future__ import annotations

import functools
import re

from ...kernel.backtracking import BadPattern, guard, python_error

__all__ = ["BadPattern", "compile_ere", "compile_posix", "guard", "translate"]

CLASSES = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": r"\s", "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9A-Fa-f", "cntrl": r"\x00-\x1f\x7f", "print": r"\x20-\x7e\u00a0-\U0010ffff",
    "graph": r"\x21-\x7e\u00a1-\U0010ffff",
}  # fmt: skip
MAX_SUBJECT = 1_000_000


def _bracket(text: str, at: int) -> tuple[str, int]:
    """A bracket expression after its `[`."""
    out = "["
    if text[at : at + 1] == "^":
        out += "^"
        at += 1
    first = True
    while True:
        if at >= len(text):
            raise BadPattern("Unmatched [, [^, [:, [., or [=")
        c = text[at]
        if c == "]" and not first:
            return out + "]", at + 1
        first = False
        if c == "[" and text[at + 1 : at + 2] in (":", ".", "="):
            mark = text[at + 1]
            end = text.find(mark + "]", at + 2)
            if end < 0:
                raise BadPattern("Unmatched [, [^, [:, [., or [=")
            name = text[at + 2 : end]
            if mark == ":":
                if name not in CLASSES:
                    raise BadPattern("Invalid character class name")
                out += CLASSES[name]
            else:
                out += re.escape(name)
            at = end + 2
            continue
        if c == "-" and text[at + 1 : at + 2] not in ("]", "") and out not in ("[", "[^"):
            out += "-"
        else:
            out += "\\x2d" if c == "-" else "\\" + c if c in "\\]^[&~|" else c  # `--` would be a warning of Python's
        at += 1


#: Repetitions that an interval may ask for.
MAX_REPEAT = 1000


def _interval(pattern: str, at: int, extended: bool) -> tuple[str, int, bool]:
    """`{2,5}` after its brace: (Python's, position behind it, whether it is an interval); a brace alone is itself when extended."""
    end = pattern.find("}" if extended else "\\}", at)
    body = pattern[at:end] if end >= 0 else ""
    if re.fullmatch(r"\d*(,\d*)?", body) and body not in ("", ","):
        if any(int(n) > MAX_REPEAT for n in body.split(",") if n):
            raise BadPattern("Regular expression too big")
        return "{" + (("0" + body) if body.startswith(",") else body) + "}", end + (1 if extended else 2), True
    if not extended:
        raise BadPattern("Unmatched \\{" if end < 0 else "Invalid content of \\{\\}")
    return r"\{", at, False


def _anchor(c: str, rest: str, extended: bool, start: bool) -> str:
    """`^` or `$`: an anchor, or in a basic expression the character where it cannot be one."""
    if c == "^":
        return "^" if extended or start else r"\^"
    return "$" if extended or not rest or rest.startswith(("\\)", "\\|")) else r"\$"


def _star(out: list[str], extended: bool, start: bool) -> None:
    """`*`: literal at the start of a basic expression; after another repetition it is that of both."""
    if start:
        out.append(r"\*" if not extended else "")
    elif out and out[-1] in ("*", "+", "?"):
        out[-1] = "*"
    else:
        out.append("*")


def translate(pattern: str, extended: bool) -> str:
    """The Python pattern of a POSIX (GNU) one."""
    out: list[str] = []
    at = 0
    start = True  # at the start of an expression: `*` is literal in a basic one
    depth = 0
    special_plain = set("()|+?{}") if extended else set()
    while at < len(pattern):
        c = pattern[at]
        at += 1
        if c == "[":
            piece, at = _bracket(pattern, at)
            out.append(piece)
            start = False
            continue
        escaped = False
        if c == "\\":
            if at >= len(pattern):
                raise BadPattern("Trailing backslash")
            c = pattern[at]
            at += 1
            escaped = True
        operator = c in special_plain if not escaped else (not extended and c in "()|+?{}")
        if operator:
            if c == "{":
                piece, at, interval = _interval(pattern, at, extended)
                out.append(piece)
                if interval:
                    continue
            elif c == "}":
                out.append(r"\}")
            elif c in "+?*" and start:
                out.append("\\" + c if not extended else "")
                start = False
                continue
            elif c == "(":
                depth += 1
                out.append("(")
            elif c == ")":
                if depth == 0:
                    if not extended:
                        raise BadPattern("Unmatched ) or \\)")
                    out.append(r"\)")
                    start = False
                    continue
                depth -= 1
                out.append(")")
            else:
                if c in "+?" and out and out[-1] in ("*", "+", "?"):
                    continue
                out.append(c)
            start = c in "(|"
            continue
        if escaped:
            out.append(_escaped(c))
            start = False
            continue
        if c == "*":
            _star(out, extended, start)
            start = False
            continue
        if c in "^$":
            out.append(_anchor(c, pattern[at:], extended, start))
            start = start and c == "^"
            continue
        out.append(c if c == "." else re.escape(c))
        start = False
    if depth:
        raise BadPattern("Unmatched ( or \\(")
    return "".join(out)


def _escaped(c: str) -> str:
    if c in "wWsS":
        return "\\" + c
    if c in "bB":
        return "\\" + c
    if c == "<":
        return r"\b(?=\w)"
    if c == ">":
        return r"\b(?<=\w)"
    if c == "`":
        return r"\A"
    if c == "'":
        return r"\Z"
    if c.isdigit() and c != "0":
        return f"(?:\\{c})"
    if c == "n":
        return "\\n"
    if c == "t":
        return "\\t"
    return re.escape(c)


@functools.lru_cache(maxsize=512)
def compile_posix(pattern: str, *, extended: bool, ignore_case: bool = False, multiline: bool = False) -> re.Pattern[str]:
    """A compiled POSIX pattern.  Raises BadPattern.  `$` matches only at the very end (or line ends with `multiline`)."""
    found = translate(pattern, extended)
    if not multiline:
        found = re.sub(r"(?<!\\)((?:\\\\)*)\$", r"\1(?!\\n)\\Z" if False else r"\1\\Z", _mask(found))
        found = found.replace("\0", "$")
    guard(found)
    flags = (re.IGNORECASE if ignore_case else 0) | (re.MULTILINE if multiline else 0)
    try:
        return re.compile(found, flags)
    except re.error as failed:
        raise BadPattern(python_error(failed)) from None


def _mask(pattern: str) -> str:
    """Hide dollars inside brackets from the replacement above."""
    return re.sub(r"\[\^?\]?(?:\\.|[^]\\])*\]", lambda m: m.group().replace("$", "\0"), pattern)


def compile_ere(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """An extended pattern for `[[ =~ ]]` and awk: a dot and brackets match newlines too."""
    found = compile_posix(pattern, extended=True, ignore_case=ignore_case)
    return re.compile(found.pattern, found.flags | re.DOTALL)

"""Vim's search patterns, translated to Python's and bounded as grep's are."""

from __future__ import annotations

import re

from ..coreutils import regexes


class BadSearch(Exception):
    """A pattern that is wrong: the message without its error number."""


def compile_search(pattern: str, *, ignore_case: bool = False, smart_case: bool = False) -> re.Pattern[str]:
    """A compiled pattern.  Magic mode by default, `\\v` very magic, `\\V` very nomagic, `\\c` and `\\C` for case.  Raises BadSearch."""
    case = None
    for mark, value in (("\\c", True), ("\\C", False)):
        if mark in pattern:
            pattern, case = pattern.replace(mark, ""), value
    if case is None:
        case = ignore_case and not (smart_case and any(c.isupper() for c in pattern))
    python = _translate(pattern)
    try:
        regexes.guard(python)
        return re.compile(python, re.IGNORECASE if case else 0)
    except regexes.BadPattern as failed:
        raise BadSearch(str(failed)) from None
    except re.error:
        raise BadSearch(f"E486: Pattern not found: {pattern}") from None


def _translate(pattern: str) -> str:
    mode = "m"
    if pattern[:2] in ("\\v", "\\V", "\\m", "\\M"):
        mode, pattern = pattern[1], pattern[2:]
    out: list[str] = []
    at = 0
    while at < len(pattern):
        c = pattern[at]
        at += 1
        escaped = False
        if c == "\\" and at < len(pattern):
            c, escaped = pattern[at], True
            at += 1
        special = escaped != (mode == "v")  # whether ( ) | + ? { mean something here
        if c == "[" and (not escaped if mode != "V" else escaped):
            end = _bracket_end(pattern, at)
            if end is not None:
                out.append("[" + pattern[at:end].replace("\\", "\\\\").replace("[", "\\[") + "]")
                at = end + 1
                continue
            out.append("\\[")
        elif c in "()|+?=" and special:
            out.append("?" if c == "=" else c)
        elif c == "{" and special:
            end = pattern.find("}", at)
            body = pattern[at:end].rstrip("\\").lstrip("-") if end >= 0 else ""
            if end < 0 or not re.fullmatch(r"\d*(,\d*)?", body):
                raise BadSearch("E554: Syntax error in \\{...}")
            lazy = "?" if pattern[at : at + 1] == "-" else ""
            out.append(("*" if body in ("", ",") else "{" + ("0" + body if body.startswith(",") else body) + "}") + lazy)
            at = end + 1
        elif c in "<>" and special:
            out.append(r"\b(?=\w)" if c == "<" else r"\b(?<=\w)")
        elif c == "~" and not escaped and mode != "V":
            out.append("~")
        elif escaped and c in "sSdDwW":
            out.append("\\" + c)
        elif escaped and c in "aluxhoAUL":
            table = {"a": "a-zA-Z", "l": "a-z", "u": "A-Z", "x": "0-9A-Fa-f", "h": "a-zA-Z_", "o": "0-7"}
            out.append(f"[{table[c]}]" if c in table else f"[^{table[c.lower()]}]")
        elif escaped and c in "nt":
            out.append("\\" + c)
        elif escaped and c in "zs" and c == "z" and pattern[at : at + 1] in ("s", "e"):
            at += 1  # \zs and \ze: the whole match is taken
        elif escaped and c.isdigit():
            out.append(f"(?:\\{c})")
        elif c in ".*^$" and (not escaped if mode in "mv" else escaped or c in "^$"):
            out.append(_plain_special(c, out, pattern, at))
        else:
            out.append(re.escape(c))
    return "".join(out)


def _plain_special(c: str, out: list[str], pattern: str, at: int) -> str:
    if c == "*":
        return r"\*" if not out or out[-1] in ("^", "(", "|") else "*"
    if c == "^":
        return "^" if not out or out[-1] in ("(", "|") else r"\^"
    if c == "$":
        rest = pattern[at:]
        return "$" if not rest or rest.startswith(("\\)", "\\|", ")", "|")) else r"\$"
    return "."


def _bracket_end(pattern: str, at: int) -> int | None:
    start = at + 1 if pattern[at : at + 1] == "^" else at
    end = pattern.find("]", start + 1)
    return None if end < 0 else end


def substitute(match: re.Match[str], template: str) -> str:
    """What `:s` puts in: `&` and `\\0` the match, `\\1` … groups, `\\r` a new line, `\\u \\l \\U \\L \\E` change case."""
    out: list[str] = []
    change, once = "", ""

    def add(text: str) -> None:
        nonlocal once
        if change:
            text = text.upper() if change == "U" else text.lower()
        if once and text:
            text = (text[0].upper() if once == "u" else text[0].lower()) + text[1:]
            once = ""
        out.append(text)

    at = 0
    while at < len(template):
        c = template[at]
        at += 1
        if c == "&":
            add(match.group())
        elif c == "\\" and at < len(template):
            c = template[at]
            at += 1
            if c.isdigit():
                add((match.group(int(c)) or "") if int(c) <= (match.re.groups) else "")
            elif c in "UL":
                change = c
            elif c in "Ee":
                change = ""
            elif c in "ul":
                once = c
            else:
                add({"r": "\n", "n": "\0", "t": "\t"}.get(c, c))
        else:
            add(c)
    return "".join(out)

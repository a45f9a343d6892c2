"""`echo`: the builtin's escapes with -e (builtins/echo.def)."""

from __future__ import annotations

import re
from typing import Any


def expand(text: str, octal: bool = False) -> tuple[str, bool]:
    """Backslash escapes of `echo -e` and, with `octal` (`\\nnn` without a zero too), `printf %b`; True when `\\c` ended the output."""
    out: list[str] = []
    at = 0
    simple = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v", "\\": "\\"}
    while at < len(text):
        c = text[at]
        at += 1
        if c != "\\" or at >= len(text):
            out.append(c)
            continue
        c = text[at]
        at += 1
        if c in simple:
            out.append(simple[c])
        elif c == "c":
            return "".join(out), True
        elif c == "0":
            match = re.compile("[0-7]{0,3}").match(text, at)
            assert match
            out.append(_byte(int(match.group() or "0", 8)))
            at = match.end()
        elif octal and c in "1234567" and (match := re.compile("[0-7]{1,3}").match(text, at - 1)):
            out.append(_byte(int(match.group(), 8)))
            at = match.end()
        elif c == "x" and (match := re.compile("[0-9a-fA-F]{1,2}").match(text, at)):
            out.append(_byte(int(match.group(), 16)))
            at = match.end()
        elif c in "uU" and (match := re.compile(f"[0-9a-fA-F]{{1,{4 if c == 'u' else 8}}}").match(text, at)):
            out.append(chr(min(int(match.group(), 16), 0x10FFFF)))
            at = match.end()
        else:
            out.append("\\" + c)
    return "".join(out), False


def _byte(value: int) -> str:
    value &= 0xFF
    return chr(value) if value < 128 else bytes([value]).decode("utf-8", "surrogateescape")


def builtin_echo(call: Any) -> int:
    """`echo [-neE] args`; /bin/echo does the same."""
    args = call.argv[1:]
    newline, escapes = True, bool(getattr(getattr(call, "state", None), "shopts", {}).get("xpg_echo"))
    while args and re.fullmatch("-[neE]+", args[0]):
        for letter in args[0][1:]:
            if letter == "n":
                newline = False
            else:
                escapes = letter == "e"
        args = args[1:]
    text = " ".join(args)
    if escapes:
        text, stop = expand(text)
        newline = newline and not stop
    call.out(text.encode("utf-8", "surrogateescape") + (b"\n" if newline else b""))
    return 0

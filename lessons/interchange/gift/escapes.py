r"""GIFT's escapes.  `\: \# \= \{ \} \~ \\` stand for the characters, `\n` for a line break; any other backslash is itself.

While a question is taken apart, what was escaped stands as a control character, which no GIFT file may hold.
"""

from __future__ import annotations

import re

_HIDDEN = {":": "\x01", "#": "\x02", "=": "\x03", "{": "\x04", "}": "\x05", "~": "\x06", "n": "\x07", "\\": "\x08"}
_SHOWN = {hidden: "\n" if plain == "n" else plain for plain, hidden in _HIDDEN.items()}
_ESCAPE = re.compile(r"\\([:#={}~n\\])")
_MARK = re.compile("[\x01-\x08]")
_RESERVED = re.compile(r"[\\#=~{}:\n]")

#: characters that a file may not hold
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def hide(text: str) -> str:
    """`text` with every escaped character out of the way of the syntax."""
    return _ESCAPE.sub(lambda match: _HIDDEN[match.group(1)], text)


def show(text: str) -> str:
    """The reverse of `hide`, with the escapes resolved."""
    return _MARK.sub(lambda match: _SHOWN[match.group()], text)


def escape(text: str) -> str:
    """`text` as GIFT writes it, on one line.  Control characters are left out: the format has no way to write them."""
    plain = CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _RESERVED.sub(lambda match: "\\n" if match.group() == "\n" else "\\" + match.group(), plain)

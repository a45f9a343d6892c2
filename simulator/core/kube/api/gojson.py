"""What Go's `encoding/json` says of text that is no JSON (`scanner.go`), from what Python's decoder found."""

from __future__ import annotations

import json

_CONTEXTS = (
    ("Expecting value", "looking for beginning of value"),
    ("Expecting property name", "looking for beginning of object key string"),
    ("Illegal trailing comma before end of object", "looking for beginning of object key string"),
    ("Illegal trailing comma before end of array", "looking for beginning of value"),
    ("Expecting ':' delimiter", "after object key"),
    ("Extra data", "after top-level value"),
    ("Invalid control character", "in string literal"),
)


def problem(error: json.JSONDecodeError) -> tuple[str, int]:
    """The message, and the offset just behind the byte in question; offset 0 for text that ends too early."""
    text = error.doc
    if error.msg.startswith("Unterminated string") or not text[error.pos :].strip():
        return "unexpected end of JSON input", 0
    at = error.pos + len(text[error.pos :]) - len(text[error.pos :].lstrip())
    where = next((words for start, words in _CONTEXTS if error.msg.startswith(start)), "")
    if error.msg.startswith("Expecting ',' delimiter"):
        where = "after object key:value pair" if _inside(text[:at]) == "{" else "after array element"
    if where == "":
        return "invalid character in string escape code", at + 1
    return f"invalid character {_quoted(text[at])} {where}", at + 1


def _quoted(char: str) -> str:
    """As `quoteChar` writes a character."""
    return {"'": "'\\''", "\n": "'\\n'", "\t": "'\\t'", "\r": "'\\r'"}.get(char, f"'{char}'")


def _inside(text: str) -> str:
    """The bracket that is still open at the end of `text`."""
    stack: list[str] = []
    at, quoted = 0, False
    while at < len(text):
        char = text[at]
        if quoted:
            at += char == "\\"
            quoted = char != '"'
        elif char == '"':
            quoted = True
        elif char in "{[":
            stack.append(char)
        elif char in "}]" and stack:
            stack.pop()
        at += 1
    return stack[-1] if stack else ""

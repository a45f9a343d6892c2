"""YAML as the Go tools read and print it (sigs.k8s.io/yaml over go-yaml v2: `resolve.go`, `sorter.go`, `emitterc.go`).

Printing: mapping keys in go-yaml's natural order, two columns a level, sequences not indented below their key, plain scalars folded
after column 80, text with line breaks as literal blocks, quotes only where a plain scalar would be read as something else.
"""

from __future__ import annotations

import functools
import math
import re
from typing import Any

from .goyaml_read import WORDS, YamlError, load, reads_as_string, split_documents

__all__ = ["YamlError", "dump", "format_number", "load", "reads_as_string", "sorted_keys", "split_documents"]

WIDTH = 80
_SIMPLE = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_FIRST_BAD = frozenset("#,[]{}&*!|>'\"%@`")
_ESCAPES = {"\0": "\\0", "\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r", "\x1b": "\\e", '"': '\\"',
            "\\": "\\\\", "\x85": "\\N", "\xa0": "\\_", "\u2028": "\\L", "\u2029": "\\P"}  # fmt: skip


def _printable(char: str) -> bool:
    code = ord(char)
    return 0x20 <= code <= 0x7E or 0xA0 <= code <= 0xD7FF or (0xE000 <= code <= 0xFFFD and code != 0xFEFF) or code >= 0x10000


@functools.lru_cache(maxsize=8192)
def _style(text: str) -> str:
    """`plain`, `single`, `double` or `literal`, as the emitter selects it for a value in block context."""
    if _SIMPLE.fullmatch(text) and text not in WORDS:
        return "plain"
    wanted = "literal" if "\n" in text else "plain" if reads_as_string(text) else "double"
    if wanted == "double":
        return wanted
    block_bad = text[:3] in ("---", "...")
    first, after = text[0], text[1:2]
    if first in _FIRST_BAD or (first in "?:-" and after in ("", " ", "\n")):
        block_bad = True
    for at in range(1, len(text)):
        char = text[at]
        if (char == ":" and text[at + 1 : at + 2] in ("", " ", "\n")) or (char == "#" and text[at - 1] in " \n"):
            block_bad = True
    special = " \n" in text or any(char != "\n" and not _printable(char) for char in text)
    if wanted == "literal":
        return "double" if special or text[-1] == " " else "literal"
    if special:
        return "double"
    if block_bad or text[0] == " " or text[-1] == " ":
        return "single"
    return "plain"


def _fold_plain(text: str, column: int, indent: str) -> str:
    """A plain scalar with a break at the first lone space past the width."""
    if column + len(text) <= WIDTH:
        return text
    out, spaces = [], False
    for at, char in enumerate(text):
        if char == " ":
            if not spaces and column > WIDTH and text[at + 1 : at + 2] != " ":
                out.append("\n" + indent)
                column = len(indent)
            else:
                out.append(" ")
                column += 1
            spaces = True
        else:
            out.append(char)
            column += 1
            spaces = False
    return "".join(out)


def _single(text: str, column: int, indent: str) -> str:
    out, spaces = ["'"], False
    column += 1
    for at, char in enumerate(text):
        if char == " ":
            if not spaces and column > WIDTH and 0 < at < len(text) - 1 and text[at + 1] != " ":
                out.append("\n" + indent)
                column = len(indent)
            else:
                out.append(" ")
                column += 1
            spaces = True
        else:
            out.append("''" if char == "'" else char)
            column += len(out[-1])
            spaces = False
    return "".join(out) + "'"


def _double(text: str, column: int, indent: str) -> str:
    out, spaces = ['"'], False
    column += 1
    for at, char in enumerate(text):
        if char in '"\\\n' or not _printable(char):
            code = ord(char)
            escaped = _ESCAPES.get(char) or (
                f"\\x{code:02X}" if code <= 0xFF else f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
            )
            out.append(escaped)
            column += len(escaped)
            spaces = False
        elif char == " ":
            if not spaces and column > WIDTH and 0 < at < len(text) - 1:
                out.append("\n" + indent + ("\\" if text[at + 1] == " " else ""))
                column = len(indent) + (text[at + 1] == " ")
            else:
                out.append(" ")
                column += 1
            spaces = True
        else:
            out.append(char)
            column += 1
            spaces = False
    return "".join(out) + '"'


def _literal(text: str, indent: str) -> str:
    hint = "2" if text[0] in " \n" else ""
    chomp = "-" if text[-1] != "\n" else "+" if len(text) == 1 or text[-2] == "\n" else ""
    lines = text.split("\n")
    if text[-1] == "\n":
        lines.pop()
    return "|" + hint + chomp + "".join("\n" + (indent + line if line else "") for line in lines)


def _scalar(value: Any, column: int, indent: str) -> str:
    """A scalar that starts at `column`; its further lines are indented by `indent`."""
    if isinstance(value, str):
        style = _style(value)
        if style == "plain":
            return _fold_plain(value, column, indent)
        if style == "literal":
            return _literal(value, indent)
        return _single(value, column, indent) if style == "single" else _double(value, column, indent)
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    return format_number(value)


def format_number(value: float) -> str:
    """A number as Go prints it with `%v`: shortest digits, an exponent below 1e-4 and from 1e21."""
    if isinstance(value, int):
        return str(value)
    if math.isinf(value) or math.isnan(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    text = repr(value)
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return text
    return f"{mantissa.removesuffix('.0')}e{'-' if int(exponent) < 0 else '+'}{abs(int(exponent)):02d}"


def _compare_keys(a: str, b: str) -> int:
    """go-yaml's natural order: digits by value, letters after everything else."""
    for at in range(min(len(a), len(b))):
        x, y = a[at], b[at]
        if x == y:
            continue
        if x.isalpha() and y.isalpha():
            return -1 if x < y else 1
        if x.isalpha() or y.isalpha():
            return -1 if y.isalpha() else 1
        lead, back = 0, at - 1
        if "0" in (x, y):
            while back >= 0 and a[back].isdigit():
                if a[back] != "0":
                    lead = 1
                    break
                back -= 1
        left, right = re.compile(r"\d*").match(a, at), re.compile(r"\d*").match(b, at)
        i, j = (left[0] if left else ""), (right[0] if right else "")
        m, n = int(f"{lead}{i}"), int(f"{lead}{j}")
        if m != n:
            return -1 if m < n else 1
        if len(i) != len(j):
            return -1 if len(i) < len(j) else 1
        return -1 if x < y else 1
    return (len(a) > len(b)) - (len(a) < len(b))


def sorted_keys(keys: Any) -> list[str]:
    """Mapping keys in go-yaml's order."""
    out = sorted(keys)
    for key in out:
        if not key.isalpha() or not key.isascii():
            return sorted(out, key=functools.cmp_to_key(_compare_keys))
    return out


def _key(text: str, indent: str) -> str:
    style = _style(text)
    if style == "plain":
        return text
    return _single(text, -(10**6), indent) if style == "single" else _double(text, -(10**6), indent)


def _mapping(value: dict[str, Any], depth: int, out: list[str], lead: str) -> None:
    """Write a non-empty mapping; `lead` is what the first line starts with instead of its indentation."""
    indent, deeper = " " * depth, " " * (depth + 2)
    for key in sorted_keys(value):
        item = value[key]
        start = lead or indent
        lead = ""
        name = _key(key, deeper)
        if len(name) > 128:
            start, name = f"{start}? {name}\n{indent}", ""
        if isinstance(item, dict) and item:
            out.append(f"{start}{name}:\n")
            _mapping(item, depth + 2, out, "")
        elif isinstance(item, (list, tuple)) and item:
            out.append(f"{start}{name}:\n")
            _sequence(item, depth, out, "")
        elif isinstance(item, (dict, list, tuple)):
            out.append(f"{start}{name}: {'{}' if isinstance(item, dict) else '[]'}\n")
        else:
            out.append(f"{start}{name}: {_scalar(item, depth + len(name) + 2, deeper)}\n")


def _sequence(value: Any, depth: int, out: list[str], lead: str) -> None:
    indent, deeper = " " * depth, " " * (depth + 2)
    for item in value:
        start = (lead or indent) + "- "
        lead = ""
        if isinstance(item, dict) and item:
            _mapping(item, depth + 2, out, start)
        elif isinstance(item, (list, tuple)) and item:
            _sequence(item, depth + 2, out, start)
        elif isinstance(item, (dict, list, tuple)):
            out.append(f"{start}{'{}' if isinstance(item, dict) else '[]'}\n")
        else:
            out.append(f"{start}{_scalar(item, depth + 2, deeper)}\n")


def dump(value: Any) -> str:
    """A document as sigs.k8s.io/yaml marshals it."""
    out: list[str] = []
    if isinstance(value, dict) and value:
        _mapping(value, 0, out, "")
    elif isinstance(value, (list, tuple)) and value:
        _sequence(value, 0, out, "")
    elif isinstance(value, (dict, list, tuple)):
        return "{}\n" if isinstance(value, dict) else "[]\n"
    else:
        return _scalar(value, 0, "") + "\n"
    return "".join(out)

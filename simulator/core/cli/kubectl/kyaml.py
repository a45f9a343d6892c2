"""`-o kyaml`: the flow-style, always-quoted dialect of YAML (`sigs.k8s.io/yaml/kyaml`)."""

from __future__ import annotations

import re
from typing import Any

from ..flags import quote
from ..goyaml import format_number, reads_as_string, sorted_keys

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) and reads_as_string(text) else quote(text)


def _text(text: str, indent: str) -> str:
    if "\n" not in text.rstrip("\n") and text.count("\n") < 2:
        return quote(text)
    lines = [quote(line)[1:-1] for line in text.split("\n")]
    body = "\\n\\\n".join((indent + "   " + (" " if not line.startswith(" ") else "\\") + line) for line in lines[:-1])
    last = indent + "    " + lines[-1]
    return '"\\\n' + body + "\\n\\\n" + last + '"'


def _value(value: Any, depth: int, sort: bool) -> str:
    indent = "  " * depth
    if isinstance(value, dict):
        if not value:
            return "{}"
        rows = "".join(
            f"{indent}  {_key(key)}: {_value(value[key], depth + 1, sort)},\n" for key in (sorted_keys(value) if sort else value)
        )
        return "{\n" + rows + indent + "}"
    if isinstance(value, list):
        if not value:
            return "[]"
        if all(isinstance(item, (dict, list)) and item for item in value):
            return "[" + ", ".join(_value(item, depth, sort) for item in value) + "]"
        return "[\n" + "".join(f"{indent}  {_value(item, depth + 1, sort)},\n" for item in value) + indent + "]"
    if isinstance(value, str):
        return _text(value, indent)
    if value is None:
        return "null"
    return ("true" if value else "false") if isinstance(value, bool) else format_number(value)


def dump(value: Any, *, sort: bool = True) -> str:
    """One document, with its `---`; the keys of what was a Go struct keep its order."""
    return f"---\n{_value(value, 0, sort)}\n"

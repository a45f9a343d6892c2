"""Versioned pod specifications as the API server holds them inside, for the differences that some errors print.

The internal types have other names (Go's) and no omitted fields; `internal.txt` is their table.
"""

from __future__ import annotations

import difflib
import json
import re
from functools import lru_cache
from typing import Any

from .schema import package_text

Obj = dict[str, Any]
_FIELD = re.compile(r"(\w+)(\W)(\w*)")
#: What the internal pod keeps in its security context, and the versioned one beside it (`core/v1/conversion.go`).
HOST = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")
_EMPTY: dict[str, Any] = {'"': "", "?": False, "#": 0, "~": None}


@lru_cache(maxsize=1)
def _types() -> dict[str, list[tuple[str, str, str]]]:
    """Type → (Go field, mark, type of the field), what is embedded resolved."""
    raw: dict[str, list[str]] = {}
    for line in package_text("internal.txt").splitlines():
        name, colon, rest = line.partition(": ")
        if colon and not line.startswith("#"):
            raw[name] = rest.split()

    def fields(name: str) -> list[tuple[str, str, str]]:
        out: list[tuple[str, str, str]] = []
        for word in raw[name]:
            match = _FIELD.fullmatch(word)
            if word.startswith("+"):
                out += fields(word[1:])
            elif match is not None:
                out.append((match[1], match[2], match[3]))
        return out

    return {name: fields(name) for name in raw}


def internal(name: str, held: Obj) -> Obj:
    """A versioned object as the internal type `name`."""
    by_name = {key.lower(): value for key, value in held.items()}
    out: Obj = {}
    for field, mark, kind in _types()[name]:
        value = by_name.get(field.lower())
        if mark == ">":
            out[field] = internal(kind, value or {})
        elif mark == "*":
            out[field] = None if value is None else internal(kind, value)
        elif mark == "[":
            out[field] = [internal(kind, item) if isinstance(item, dict) else item for item in value] if value else None
        else:
            out[field] = (kind or _EMPTY[mark]) if value is None else value  # a quantity's nothing is "0"
    return out


def pod_spec(spec: Obj) -> Obj:
    """A pod's specification as the internal type."""
    context = {**(spec.get("securityContext") or {}), **{key: spec[key] for key in HOST if spec.get(key) is not None}}
    return internal("PodSpec", {**spec, "securityContext": context})


def difference(old: Any, new: Any) -> str:
    """`diff.Diff` of two internal objects: a unified diff of their JSON."""
    texts = [_json(item).splitlines() for item in (old, new)]
    lines = list(difflib.unified_diff(texts[0], texts[1], lineterm="", n=3))[2:]
    return "".join(line + "\n" for line in lines)


def _json(value: Any) -> str:
    """As Go's encoder writes it, `<`, `>` and `&` escaped."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")

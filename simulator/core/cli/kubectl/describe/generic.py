"""Kinds without a describer of their own, custom resources among them (`describe.go`: `GenericDescriber`, `printUnstructuredContent`)."""

from __future__ import annotations

import re
from typing import Any

from ..jsonpath import go_value
from .doc import Doc

Obj = dict[str, Any]
SKIP = frozenset(
    (".metadata.managedFields", ".metadata.name", ".metadata.namespace", ".metadata.labels", ".metadata.annotations")
)


ACRONYMS = frozenset(("API", "URL", "UID", "GUID"))
_CLASSES = re.compile(r"[^\W\d_A-Z]+|[A-Z]+|-+")


def title(name: str) -> str:
    """`creationTimestamp` as `Creation Timestamp` (`smartLabelFor`); names with digits or signs stay as they are."""
    if not re.fullmatch(r"(?:[^\W\d_]|-)+", name):
        return name
    parts = _CLASSES.findall(name)
    for at in range(len(parts) - 1):  # the last capital belongs to the small letters after it
        if parts[at][:1].isupper() and parts[at + 1][0].islower():
            parts[at], parts[at + 1] = parts[at][:-1], parts[at][-1] + parts[at + 1]
    merged: list[str] = []
    rest = [part for part in parts if part]
    while rest:
        part = rest.pop(0)
        if len(part) >= 2 and part.isupper() and rest and rest[0][0].isupper():
            part += rest.pop(0)
        merged.append(part)
    out = []
    for part in merged:
        if part.upper() in ACRONYMS:
            part = part.upper()
        elif part.lower() == part:
            part = part.capitalize()
        out.append(part)
    return " ".join(out)


def generic(d: Doc, obj: Obj) -> None:
    """All fields, sorted."""
    d.head(obj)
    d.labels_and_annotations(obj)
    _content(d, 0, obj, "")
    d.events(obj)


def _content(d: Doc, level: int, content: Obj, path: str) -> None:
    for key in sorted(content):
        value, here = content[key], f"{path}.{key}"
        if here in SKIP:
            continue
        if isinstance(value, dict):
            d.line(level, f"{title(key)}:")
            _content(d, level + 1, value, here)
        elif isinstance(value, list):
            d.line(level, f"{title(key)}:")
            for item in value:
                if isinstance(item, dict):
                    _content(d, level + 1, item, here)
                else:
                    d.line(level + 1, go_value(item))
        else:
            d.line(level, f"{title(key)}:\t{go_value(value)}")

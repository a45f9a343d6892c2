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


def title(name: str) -> str:
    """`creationTimestamp` as `Creation Timestamp`."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name[:1].upper() + name[1:])
    return {"Uid": "UID", "Api Version": "API Version", "Cidr": "CIDR"}.get(
        text, re.sub(r"\bApi\b", "API", re.sub(r"\bUid\b", "UID", text))
    )


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

"""Paths into JSON-shaped values, as check programs write them: `spec.containers[name=nginx].image`, `items[*].status.phase`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from ..kernel.errors import BadInput

_STEP = re.compile(r"""([^.\[\]]+)|\[(\*|\d+|"[^"]*"|[\w.\-/]+=[^\]]*)\]|(\.)""")
MAX_LENGTH = 300

#: A place that is not there (null and missing count alike).
MISSING = None


@lru_cache(maxsize=1024)
def parse(path: str) -> tuple[tuple[str, str], ...]:
    """Steps of a path: ("key", name), ("index", n), ("all", ""), ("where", "name=value").  Raises BadInput."""
    if len(path) > MAX_LENGTH:
        raise BadInput(f"path: longer than {MAX_LENGTH} characters")
    steps: list[tuple[str, str]] = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            raise BadInput(f"path: {path!r} cannot be read at character {at + 1}")
        at = found.end()
        name, bracket, _ = found.groups()
        if name:
            steps.append(("key", name))
        elif bracket == "*":
            steps.append(("all", ""))
        elif bracket and bracket.isdigit():
            steps.append(("index", bracket))
        elif bracket and bracket.startswith('"'):
            steps.append(("key", bracket[1:-1]))
        elif bracket:
            steps.append(("where", bracket))
    return tuple(steps)


def values(value: Any, path: str) -> tuple[list[Any], bool]:
    """The values at a path, and whether it goes through `[*]` (then every one must satisfy a condition)."""
    found, every = [value], False
    for kind, arg in parse(path) if path else ():
        if kind == "all":
            every = True
            found = [item for v in found for item in (v if isinstance(v, list) else [])]
        else:
            found = [_step(v, kind, arg) for v in found]
    return found, every


def _step(value: Any, kind: str, arg: str) -> Any:
    if kind == "key":
        return value.get(arg) if isinstance(value, dict) else MISSING
    if kind == "index":
        index = int(arg)
        return value[index] if isinstance(value, list) and index < len(value) else MISSING
    name, _, want = arg.partition("=")
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict) and str(item.get(name)) == want.strip('"'):
                return item
    return MISSING

"""YAML with line numbers and limits.

The plain part of YAML only: no anchors, aliases or tags, no key twice; `true`, `false`, `null` and numbers are the only
scalars that are not text.  `parse` returns plain data and the line of every key and item, so that a later check can name
the line of a field it does not like.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from lessons.loading.problems import Problem

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_NODES = 20_000

Path = tuple[str | int, ...]

_INT = re.compile(r"-?(0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,15}\Z")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "": None, "~": None}


@dataclass(slots=True)
class Marked:
    """Plain data, and for each path in it the line (from 1) of its key or item."""

    file: str
    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """The line of `path`, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: Path, reason: str) -> Problem:
        """A problem at `path` of this file."""
        return Problem(self.file, self.line(path), field_name(path), reason)


def field_name(path: Path) -> str:
    """`('checks', 0, 'id')` as an author reads it: `checks[0].id`."""
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f"{'.' if out else ''}{part}"
    return out


def parse(text: str, file: str, *, first_line: int = 1) -> Marked:
    """Read `text`; what is wrong with the YAML itself is in `.problems` (then `.data` is None)."""
    marked = Marked(file=file)
    if len(text.encode()) > MAX_BYTES:
        marked.problems.append(Problem(file, 0, "", f"longer than {MAX_BYTES // 1024} KB"))
        return marked
    reader = _Reader(marked, first_line - 1)
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):  # flat: refuses depth and aliases before anything recurses
            reader.see(event)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except _Refused:
        return marked
    except (yaml.MarkedYAMLError, yaml.reader.ReaderError) as error:
        marked.problems.append(_syntax_problem(error, file, first_line - 1))
        return marked
    data = reader.build(node, ()) if node is not None else None
    if not marked.problems:
        marked.data = data
    return marked


def _syntax_problem(error: Exception, file: str, offset: int) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = " ".join(part for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part)
    line = mark.line + 1 + offset if mark else 0
    return Problem(file, line, "", f"not YAML: {reason or getattr(error, 'reason', error)}")


class _Refused(Exception):
    """The document breaks a limit; the problem has been noted."""


class _Reader:
    def __init__(self, marked: Marked, offset: int) -> None:
        self.marked = marked
        self.offset = offset
        self.nodes = 0
        self.depth = 0

    def refuse(self, mark: Any, reason: str, path: Path = ()) -> None:
        self.marked.problems.append(Problem(self.marked.file, mark.line + 1 + self.offset, field_name(path), reason))

    def see(self, event: Any) -> None:
        if isinstance(event, yaml.NodeEvent):
            self.nodes += 1
            if self.nodes > MAX_NODES:
                self.refuse(event.start_mark, f"more than {MAX_NODES} values")
                raise _Refused
            if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
                self.refuse(event.start_mark, "anchors and aliases are not allowed")
                raise _Refused
            if (tag := getattr(event, "tag", None)) is not None:
                self.refuse(event.start_mark, f"tags are not allowed ({tag})")
                raise _Refused
        if isinstance(event, yaml.CollectionStartEvent):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                self.refuse(event.start_mark, f"nested deeper than {MAX_DEPTH} levels")
                raise _Refused
        elif isinstance(event, yaml.CollectionEndEvent):
            self.depth -= 1

    def build(self, node: Any, path: Path) -> Any:
        self.marked.lines.setdefault(path, node.start_mark.line + 1 + self.offset)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, index)) for index, child in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.refuse(key_node.start_mark, "a key must be text", path)
                continue
            key = str(key_node.value)
            here = (*path, key)
            if key in out:
                self.refuse(key_node.start_mark, "this key is here twice", here)
                continue
            self.marked.lines[here] = key_node.start_mark.line + 1 + self.offset
            out[key] = self.build(value_node, here)
        return out


def _scalar(node: Any) -> Any:
    value = str(node.value)
    if node.style is not None:  # quoted or block text is always text
        return value
    if value in _WORDS:
        return _WORDS[value]
    if _INT.match(value):
        return int(value)
    if _FLOAT.match(value):
        return float(value)
    return value

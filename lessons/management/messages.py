"""Find every message that the site shows, without the gettext tools.

Templates are read with Django's own lexer, Python with `ast`.  `manage.py translations` brings the catalogue up to date
with these; a test compares the two, so a message without its Korean does not get through.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.template.base import Lexer, TokenType
from django.utils.translation import trim_whitespace

#: Where messages are: the shells, never the simulator's core (which speaks as the real tools do).
ROOTS = ("coursesite", "lessons", "simulator", "templates")
_SKIP = ("simulator/core", "/migrations/", "/content/")
_CALLS = {"_": 1, "gettext": 1, "gettext_lazy": 1, "gettext_noop": 1, "ngettext": 2, "ngettext_lazy": 2}
_TRANSLATE = re.compile(r"""(?:translate|trans)\s+(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""")
_ARGUMENT = re.compile(r"""=_\(\s*(?:"([^"]*)"|'([^']*)')\s*\)""")
_BLOCK = re.compile(r"(?:blocktranslate|blocktrans)\b")


@dataclass(frozen=True, slots=True, order=True)
class Message:
    """One message and where it is."""

    msgid: str
    plural: str
    file: str
    line: int


def find(base: Path) -> list[Message]:
    """All messages under the project's folder, sorted."""
    found: list[Message] = []
    for root in ROOTS:
        for path in sorted((base / root).rglob("*")):
            name = path.relative_to(base).as_posix()
            if any(part in f"/{name}" or name.startswith(part) for part in _SKIP):
                continue
            if path.suffix == ".py":
                found += _python(path.read_text(encoding="utf-8"), name)
            elif path.suffix in (".html", ".txt") and root == "templates":
                found += _template(path.read_text(encoding="utf-8"), name)
    return sorted(found)


def _python(source: str, name: str) -> Iterator[Message]:
    for node in ast.walk(ast.parse(source, filename=name)):
        if not isinstance(node, ast.Call):
            continue
        called = (
            node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
        )
        count = _CALLS.get(called, 0)
        words = [arg.value for arg in node.args[:count] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if count and len(words) == count:
            yield Message(words[0], words[1] if count == 2 else "", name, node.lineno)


def _template(source: str, name: str) -> Iterator[Message]:
    tokens = iter(Lexer(source).tokenize())
    for token in tokens:
        for match in _ARGUMENT.finditer(token.contents) if token.token_type != TokenType.TEXT else ():
            yield Message((match.group(1) or match.group(2)).replace("%", "%%"), "", name, token.lineno or 0)
        if token.token_type != TokenType.BLOCK:
            continue
        if plain := _TRANSLATE.match(token.contents):
            text = plain.group(1) if plain.group(1) is not None else plain.group(2)
            yield Message(text.replace("%", "%%"), "", name, token.lineno or 0)
        elif _BLOCK.match(token.contents):
            trimmed = "trimmed" in token.contents.split()
            parts = [""]
            for inner in tokens:
                if inner.token_type == TokenType.BLOCK:
                    if inner.contents.strip() == "plural":
                        parts.append("")
                        continue
                    break
                if inner.token_type == TokenType.VAR:
                    parts[-1] += f"%({inner.contents})s"
                elif inner.token_type == TokenType.TEXT:
                    parts[-1] += inner.contents.replace("%", "%%")
            said = [trim_whitespace(part) if trimmed else part for part in parts]
            yield Message(said[0], said[1] if len(said) > 1 else "", name, token.lineno or 0)

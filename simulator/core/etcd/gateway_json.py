"""Reading JSON as protojson does: names in snake_case or camelCase, bytes in base64, 64-bit numbers as texts, and its error texts."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

Body = dict[str, Any]


class BadBody(Exception):
    """A body that protojson refuses; the text is its message."""


def _snake(name: str) -> str:
    return name.lower() if name.isupper() else re.sub(r"(?<=[a-z])([A-Z]+)", lambda m: "_" + m[1].lower(), name)


def normal(value: Any) -> Any:
    """Names in snake_case, all the way down."""
    if isinstance(value, dict):
        return {_snake(str(key)): normal(held) for key, held in value.items()}
    return [normal(held) for held in value] if isinstance(value, list) else value


def read_body(data: bytes) -> Body:
    """A request body with names in snake_case; raises BadBody with Go's text."""
    text = data.decode("utf-8", "replace").strip() or "{}"
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text):
            raise BadBody("unexpected EOF") from None
        where = "looking for beginning of value"
        if error.msg.startswith("Expecting property name"):
            where = "looking for beginning of object key string"
        elif error.msg.startswith("Expecting ','"):
            where = "after object key:value pair"
        elif error.msg.startswith("Expecting ':'"):
            where = "after object key"
        elif error.msg.startswith("Extra data"):
            where = "after top-level value"
        raise BadBody(f"invalid character '{text[error.pos]}' {where}") from None
    if not isinstance(found, dict):
        raise BadBody(f"proto: syntax error (line 1:1): unexpected token {text[:40]}")
    body: Body = normal(found)
    body["\0text"] = text
    return body


class Fields:
    """Typed reading of a message's fields."""

    def __init__(self, body: Body, text: str) -> None:
        self.body, self.text = body, text

    def _refuse(self, kind: str, name: str, value: Any) -> BadBody:
        shown = json.dumps(value)
        at = self.text.find(shown)
        return BadBody(f"proto: (line 1:{at + 1 if at >= 0 else 1}): invalid value for {kind} field {name}: {shown}")

    def raw(self, name: str) -> bytes:
        """A bytes field."""
        value = self.body.get(name) or ""
        try:
            if not isinstance(value, str):
                raise ValueError
            plain = value.replace("-", "+").replace("_", "/").rstrip("=")
            return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        except (binascii.Error, ValueError):
            raise self._refuse("bytes", name, value) from None

    def number(self, name: str) -> int:
        """A 64-bit number, as number or text."""
        value = self.body.get(name) or 0
        try:
            if isinstance(value, bool):
                raise ValueError
            return int(value)
        except (ValueError, TypeError):
            raise self._refuse("int64", name, value) from None

    def flag(self, name: str) -> bool:
        """A bool."""
        value = self.body.get(name, False)
        if not isinstance(value, bool):
            raise self._refuse("bool", name, value)
        return value

    def word(self, name: str) -> str:
        """A string."""
        value = self.body.get(name, "")
        if not isinstance(value, str):
            raise self._refuse("string", name, value)
        return value

    def choice(self, name: str, known: dict[Any, str]) -> str:
        """An enum by name or number; the default is number 0."""
        value = self.body.get(name, 0)
        if not isinstance(value, str | int) or value not in known:
            raise self._refuse("enum", name, value)
        return known[value]

    def message(self, name: str) -> Fields:
        """A message field."""
        value = self.body.get(name) or {}
        if not isinstance(value, dict):
            raise self._refuse("message", name, value)
        return Fields(value, self.text)

    def messages(self, name: str) -> list[Fields]:
        """A repeated message field."""
        value = self.body.get(name) or []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise self._refuse("message", name, value)
        return [Fields(one, self.text) for one in value]

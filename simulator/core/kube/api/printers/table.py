"""Which printer prints which kind."""

from __future__ import annotations

from typing import Any

from ..kinds import KindInfo
from .base import Printer, age, name

Obj = dict[str, Any]

DEFAULT = Printer("Name|Age", lambda obj, wall: [name(obj), age(obj, wall)])
CREATED = Printer("Name|Created At:date", lambda obj, wall: [name(obj), obj["metadata"].get("creationTimestamp", "")])

PRINTERS: dict[tuple[str, str], Printer] = {}


def columns_of(kind: KindInfo, version: str, custom: list[Obj] | None) -> Printer:
    """The printer of a kind."""
    return PRINTERS.get((kind.group, kind.kind), DEFAULT)

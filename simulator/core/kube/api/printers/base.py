"""What a printer is: column definitions, and a function from an object and the time to a row of cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....kernel import clock

Obj = dict[str, Any]
NONE = "<none>"
UNKNOWN = "<unknown>"


class Row:
    """The cells of one object, and the conditions that tell clients it is completed."""

    __slots__ = ("cells", "conditions")

    def __init__(self, cells: list[Any], conditions: list[Obj] | None = None) -> None:
        self.cells = cells
        self.conditions = conditions


Cells = Callable[[Obj, int], "list[Any] | Row"]


class Printer:
    """The columns of a kind.  `spec` is one string a column: `Name`, `IP:wide`, `Desired:integer`, `Age`."""

    __slots__ = ("_cells", "definitions")

    def __init__(self, spec: str, cells: Cells) -> None:
        self.definitions = [_definition(item.strip()) for item in spec.split("|")]
        self._cells = cells

    def row(self, obj: Obj, wall: int) -> Row:
        """The row of an object at a wall time (ns)."""
        made = self._cells(obj, wall)
        return made if isinstance(made, Row) else Row(made)


_DESCRIPTIONS = {
    "Name": "Name must "
    "be unique within a namespace. Is required when creating resources, although some resources may allow a client "
    "to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and "
    "configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names",
    "Age": "CreationTimestamp "
    "is a timestamp representing the server time when this object was created. It is not guaranteed to be set "
    "in happens-before order across separate operations. "
    "Clients may not set this value. It is represented in RFC3339 form and is in "
    "UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
}


def _definition(text: str) -> Obj:
    name, *flags = text.split(":")
    kind = next((f for f in flags if f in ("integer", "boolean", "date")), "string")
    return {
        "name": name,
        "type": kind,
        "format": "name" if name == "Name" or "name" in flags else "",
        "description": _DESCRIPTIONS.get(name, ""),
        "priority": 1 if "wide" in flags else 0,
    }


def human(ns: int) -> str:
    """A duration as `duration.HumanDuration` prints it: `5s`, `3m20s`, `2h`, `5d3h`."""
    seconds = abs(ns) // clock.SECOND * (1 if ns >= 0 else -1)  # Go truncates towards zero
    if seconds < -1:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    if seconds < 120:
        return f"{seconds}s"
    minutes = seconds // 60
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    hours = minutes // 60
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if hours < 192:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    if hours < 24 * 365 * 2:
        return f"{days}d"
    years = hours // (24 * 365)
    if hours < 24 * 365 * 8:
        rest = hours // 24 % 365
        return f"{years}y{rest}d" if rest else f"{years}y"
    return f"{years}y"


def since(text: Any, wall: int) -> str:
    """The age of a timestamp; `<unknown>` when there is none."""
    if not text:
        return UNKNOWN
    return human(wall - clock.parse_rfc3339(text))


def age(obj: Obj, wall: int) -> str:
    """The age of an object."""
    return since(obj["metadata"].get("creationTimestamp"), wall)


def name(obj: Obj) -> str:
    """The object's name."""
    return str(obj["metadata"].get("name", ""))


def containers(template_spec: Obj) -> tuple[str, str]:
    """(names, images) of a pod spec's containers, comma-separated."""
    held = template_spec.get("containers") or ()
    return ",".join(c.get("name", "") for c in held), ",".join(c.get("image", "") for c in held)

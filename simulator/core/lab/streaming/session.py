"""What a client and the world say to each other: operations one way, items the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from ...kernel.errors import BudgetExceeded

Obj = dict[str, Any]
#: Bytes that one operation may carry: the gateway sends more as several.
MAX_DATA = 1024 * 1024
#: Most that is kept for a client that reads more slowly than its command writes.
LIMIT = 8 * 1024 * 1024


class Op(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that a client does.

    | what | means |
    |---|---|
    | `data` | `data` is written: to standard input, typed at a terminal as whole lines (or as keys while a program reads keys), or on connection `number` |
    | `end` | no more will be written (to connection `number`) |
    | `signal` | Ctrl-C (2) or Ctrl-\\\\ (3), in `number` |
    | `resize` | the window has `columns` and `rows` |
    | `connect` | connection `number` is opened to `port` |
    | `reset` | connection `number` is given up |
    """

    what: str
    number: int = 0
    data: bytes = b""
    columns: int = 0
    rows: int = 0
    port: int = 0


class Item(msgspec.Struct, frozen=True):
    """One thing that the world says.

    `out` and `err` are output, `prompt` a shell's prompt, `redraw` the same again because the window has another size, `mode` who reads the keys of the terminal (`raw`, `cbreak` or a shell: empty),
    `final` the Status as JSON.  Of connection `number`: `data`, `end` (no more will come), `error` (its message).
    """

    what: str
    data: bytes = b""
    number: int = 0


class Held(msgspec.Struct, omit_defaults=True):
    """The plain data of a session, which a stored world keeps; an exec has more (a process that waits), so its world is not stored."""

    target: dict[str, Any]
    #: Lines of a container's log that were seen (attach).
    seen: int = 0
    #: The open connections and their ports (port-forward).
    ports: dict[int, int] = {}
    #: Bytes of all that was said so far, for clients to see whether they missed something.
    said: int = 0


class Session(Protocol):
    """A command or a tunnel in the world, held by a client outside of it."""

    held: Held

    def start(self) -> None:
        """Begin; raises nothing: what goes wrong is said by items."""

    def take(self, op: Op) -> None:
        """Do what the client does; what makes no sense is ignored, as the real server ignores it."""

    def poll(self) -> list[Item]:
        """What there is to say since the last time; the last item of all is `final`."""

    def end(self) -> None:
        """The client has gone."""

    @property
    def busy(self) -> bool:
        """Something runs that does not wait for the client, as far as one can see."""

    @property
    def idle(self) -> bool:
        """All that it is stands in `held`, so the world can be stored."""


class Outbox:
    """Items that wait to be taken; neighbouring output is joined."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.size = 0
        #: Told of each item that follows from what the world did, not from somebody's looking (`held.py` keeps a digest of them).
        self.noted: Callable[[str, bytes, int], None] | None = None

    def put(self, what: str, data: bytes, number: int = 0) -> None:
        """Keep an item of the world's; raises BudgetExceeded when nobody takes them."""
        if self.noted is not None:
            self.noted(what, data, number)
        self.found(what, data, number)

    def found(self, what: str, data: bytes, number: int = 0) -> None:
        """Keep an item that was found by looking."""
        self.size += len(data)
        if self.size > LIMIT:
            raise BudgetExceeded("the client is too far behind")
        last = self.items[-1] if self.items else None
        if last is not None and last.what == what in ("out", "err", "data") and last.number == number:
            self.items[-1] = Item(what, last.data + data, number)
        elif data or what not in ("out", "err", "data"):
            self.items.append(Item(what, data, number))

    def take(self) -> list[Item]:
        """All of them."""
        found, self.items, self.size = self.items, [], 0
        return found


def success() -> Obj:
    """The Status of a command that has ended well."""
    return {"metadata": {}, "status": "Success"}


def failure(message: str, reason: str = "InternalError", code: int = 500) -> Obj:
    """The Status of a session that could not be held."""
    cause = [{"message": message}]
    return {"metadata": {}, "status": "Failure", "message": message, "reason": reason, "details": {"causes": cause}, "code": code}

"""What many worlds of one process hold alike: once in memory, and once worked out.

Worlds of the same scenario and seed begin with the same few hundred stored objects, and few of them ever change.  A `Shared` is filled
from the world that was built; a world that is restored gives up its own copies of equal things for these (`adopt`), and what one world
has worked out of such a thing (a decoded object) serves the others (`derive`).

Only frozen things may be shared, frozen by their type or by convention: nobody changes them, everybody replaces them.  Sharing changes
nothing but memory and time: an adopted thing is equal to what was there.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Shared:
    """The things of one scenario's beginning, by a key that says which they are."""

    __slots__ = ("_derived", "_things")

    def __init__(self) -> None:
        self._things: dict[Hashable, Any] = {}
        self._derived: dict[tuple[str, int], Any] = {}

    def __len__(self) -> int:
        return len(self._things)

    def give(self, key: Hashable, thing: Any) -> None:
        """Put a thing here for others; the first one stays."""
        self._things.setdefault(key, thing)

    def adopt(self, key: Hashable, thing: T) -> T:
        """The thing held under this key if it equals `thing`, else `thing` itself."""
        held = self._things.get(key)
        return held if held is not None and held == thing else thing

    def derive(self, key: Hashable, thing: T, purpose: str, make: Callable[[T], R]) -> R:
        """`make(thing)`, worked out once for all worlds if `thing` is the one held here; what comes back must be left as it is.

        An exception of `make` is passed on, and nothing is kept.
        """
        if self._things.get(key) is not thing:
            return make(thing)
        mark = (purpose, id(thing))  # things live as long as this does
        if mark in self._derived:
            found: R = self._derived[mark]
            return found
        made = self._derived[mark] = make(thing)
        return made

    def derived(self) -> dict[tuple[str, int], Any]:
        """All that was worked out, by purpose and identity of the thing; for tests that look whether somebody changed it."""
        return self._derived

    def things(self) -> dict[Hashable, Any]:
        """All things by key; for tests."""
        return self._things

"""Which changes of a kind name a value in a member of their JSON: an index for watches that want only those.

A hundred kubelets that each watch the pods of their own node would otherwise go through every change of every pod each time that
one of theirs changes.  The API server's watch cache has the same short cut (`cacher.go`: `indexedTrigger` on `spec.nodeName`); here the
store keeps it, because the store is what a restored world has.  It is made when first asked for, and anew after a compaction.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from .mvcc import Event

if TYPE_CHECKING:
    from .mvcc import KeyValue, Store


class Named:
    """The changes of one kind by the values of one member (`"nodeName":"…"`), wherever in the object it stands."""

    __slots__ = ("_by_value", "_member", "_opaque", "_position")

    def __init__(self, member: bytes) -> None:
        self._member = re.compile(rb'"%s":"([^"\\]*)"' % re.escape(member))
        self._position = 0
        self._by_value: dict[bytes, list[Event]] = {}
        self._opaque = False

    def events(self, store: Store, log: list[KeyValue], value: bytes, since: int) -> list[Event] | None:
        """The changes after a revision whose new or old version may name `value`; None when values cannot be read (they are encrypted)."""
        while self._position < len(log):
            self._take(store, log[self._position])
            self._position += 1
        if self._opaque:
            return None
        found = self._by_value.get(value, [])
        return found[bisect_right(found, since, key=lambda event: event.kv.mod_revision) :]

    def _take(self, store: Store, kv: KeyValue) -> None:
        event = Event("PUT" if kv.version else "DELETE", kv, store.before(kv))
        names: set[bytes] = set()
        for data in (kv.value, event.prev.value if event.prev is not None else b""):
            if data and not data.startswith(b"{"):
                self._opaque = True
            names.update(self._member.findall(data))
        for name in names:
            self._by_value.setdefault(name, []).append(event)

"""The v2 store of etcd up to 3.5: a tree of directories and files with its own index, apart from the v3 store.

Follows server/etcdserver/api/v2store (store.go, node.go, event_history.go) and api/v2error of etcd 3.4.  Children are kept and listed in the
order in which they were made; the real store's order is that of a Go map.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..kernel.clock import SECOND

HISTORY = 1000
MESSAGES = {
    100: "Key not found", 101: "Compare failed", 102: "Not a file", 104: "Not a directory", 105: "Key already exists",
    107: "Root is read only", 108: "Directory not empty", 201: "PrevValue is Required in POST form",
    202: "The given TTL in POST form is not a number", 203: "The given index in POST form is not a number", 209: "Invalid field",
    401: "The event in requested index is outdated and cleared",
}  # fmt: skip


class V2Error(Exception):
    """An error of the v2 API."""

    def __init__(self, code: int, cause: str, index: int) -> None:
        super().__init__(MESSAGES[code])
        self.code, self.cause, self.index = code, cause, index


class Node(msgspec.Struct):
    """A file, or a directory when `nodes` is not None; `expires` is virtual time in ns, 0 for never."""

    key: str
    value: str = ""
    created: int = 0
    modified: int = 0
    expires: int = 0
    nodes: dict[str, Node] | None = None


class V2Event(msgspec.Struct):
    """What happened: the node as JSON, and as it was before."""

    index: int
    action: str
    node: dict[str, Any]
    prev: dict[str, Any] | None = None


class V2State(msgspec.Struct, omit_defaults=True):
    """The plain data; a new member's own registration has taken the first three indexes.  `counts` are operations by outcome."""

    index: int = 3
    root: Node = msgspec.field(default_factory=lambda: Node("/", nodes={}))
    events: list[V2Event] = []
    counts: dict[str, int] = {}


class Change(msgspec.Struct, kw_only=True):
    """The conditions of a write; None leaves one out."""

    value: str = ""
    is_dir: bool = False
    ttl: int | None = None
    refresh: bool = False
    exist: bool | None = None
    prev_value: str = ""
    prev_index: int = 0


class V2Store:
    """Reads and writes at one virtual instant."""

    def __init__(self, state: V2State, now: int) -> None:
        self.state, self.now = state, now

    # -- reads ----------------------------------------------------------------------------------------------------------
    def find(self, path: str) -> Node:
        """The node of a path; raises 100 or 104."""
        node = self.state.root
        for name in [part for part in path.split("/") if part]:
            if node.nodes is None:
                raise self.error(104, node.key)
            if name not in node.nodes:
                raise self.error(100, path)
            node = node.nodes[name]
        return node

    def error(self, code: int, cause: str) -> V2Error:
        """An error at the present index."""
        return V2Error(code, cause, self.state.index)

    def json(self, node: Node, *, recursive: bool = False, ordered: bool = False, deep: bool = True) -> dict[str, Any]:
        """A node as the API shows it: the children of a directory, theirs too when recursive; hidden ones left out."""
        out: dict[str, Any] = {} if node.key == "/" else {"key": node.key}
        if node.nodes is None:
            out["value"] = node.value
        else:
            out["dir"] = True
        if node.expires:
            out["expiration"] = node.expires
            out["ttl"] = max(1, -(-(node.expires - self.now) // SECOND))
        if node.nodes is not None and deep:
            names = [name for name in node.nodes if not name.startswith("_")]
            children = [node.nodes[name] for name in (sorted(names) if ordered else names)]
            if children:
                out["nodes"] = [self.json(c, recursive=recursive, ordered=ordered, deep=recursive) for c in children]
        if node.key != "/":
            out["modifiedIndex"], out["createdIndex"] = node.modified, node.created
        return out

    def since(self, path: str, recursive: bool, index: int) -> V2Event | None:
        """The first event not before `index` that a watch on the path sees; raises 401 when it has been forgotten."""
        events = self.state.events
        if events and len(events) >= HISTORY and index < events[0].index:
            cause = f"the requested history has been cleared [{events[0].index}/{index}]"
            raise self.error(401, cause)
        for event in events:
            if event.index >= index and seen(event, path, recursive):
                return event
        return None

    # -- writes ---------------------------------------------------------------------------------------------------------
    def expire(self) -> None:
        """Drop what has expired, each with its own index."""
        for node in sorted(self._expired(self.state.root), key=lambda one: (one.expires, one.key)):
            before = self.json(node, deep=False)
            self._unlink(node.key)
            self._note(
                "expire", Node(node.key, created=node.created, nodes=None if node.nodes is None else {}), before, bare=True
            )

    def _expired(self, node: Node) -> list[Node]:
        out = []
        for child in (node.nodes or {}).values():
            if child.expires and child.expires <= self.now:
                out.append(child)
            else:
                out += self._expired(child)
        return out

    def next_expiry(self) -> int:
        """When the next node expires, 0 for never."""
        times: list[int] = []
        waiting = [self.state.root]
        while waiting:
            node = waiting.pop()
            times += [node.expires] if node.expires else []
            waiting += (node.nodes or {}).values()
        return min(times, default=0)

    def _note(self, action: str, node: Node, prev: dict[str, Any] | None, *, bare: bool = False) -> V2Event:
        self.state.index += 1
        node.modified = self.state.index
        shown = self.json(node, deep=False)
        if bare:
            shown.pop("value", None)
        event = V2Event(self.state.index, action, shown, prev)
        self.state.events = [*self.state.events[-HISTORY + 1 :], event]
        return event

    def _unlink(self, path: str) -> None:
        above, _, name = path.rpartition("/")
        parent = self.find(above or "/")
        assert parent.nodes is not None
        del parent.nodes[name]

    def _expiry(self, ttl: int | None) -> int:
        return self.now + ttl * SECOND if ttl else 0

    def _look(self, path: str) -> Node | None:
        try:
            return self.find(path)
        except V2Error as error:
            if error.code == 100:
                return None
            raise

    def put(self, path: str, change: Change) -> V2Event:
        """PUT: set, create, update or compareAndSwap, as the conditions say."""
        if path == "/":
            raise self.error(107, "/")
        if change.prev_value or change.prev_index:
            return self._swap(path, change)
        node = self._look(path)
        if change.exist:
            return self._update(path, node, change)
        if change.exist is False and node is not None:
            raise self.error(105, path)
        if node is not None and node.nodes is not None:
            raise self.error(102, path)
        return self._create(path, change, "create" if change.exist is False else "set")

    def create_in_order(self, path: str, change: Change) -> V2Event:
        """POST: a new child whose name is the next index."""
        return self._create(f"{path.rstrip('/')}/{self.state.index + 1:020d}", change, "create")

    def _create(self, path: str, change: Change, action: str) -> V2Event:
        parent = self.state.root
        parts = [part for part in path.split("/") if part]
        index = self.state.index + 1
        for name in parts[:-1]:
            if parent.nodes is None:
                raise self.error(104, parent.key)
            key = f"{parent.key.rstrip('/')}/{name}"
            if name not in parent.nodes:
                parent.nodes[name] = Node(key, created=index, modified=index, nodes={})
            parent = parent.nodes[name]
        if parent.nodes is None:
            raise self.error(104, parent.key)
        old = parent.nodes.get(parts[-1])
        node = Node(path, change.value, index, index, self._expiry(change.ttl), {} if change.is_dir else None)
        if change.is_dir:
            node.value = ""
        before = self.json(old, deep=False) if old is not None else None
        parent.nodes[parts[-1]] = node
        return self._note(action, node, before)

    def _update(self, path: str, node: Node | None, change: Change) -> V2Event:
        if node is None:
            raise self.error(100, path)
        if node.nodes is not None and change.value:
            raise self.error(102, path)
        before = self.json(node, deep=False)
        if node.nodes is None and not change.refresh:
            node.value = change.value
        node.expires = self._expiry(change.ttl)
        return self._note("update", node, before)

    def _compare(self, node: Node, change: Change) -> None:
        failed = []
        if change.prev_value and change.prev_value != node.value:
            failed.append(f"[{change.prev_value} != {node.value}]")
        if change.prev_index and change.prev_index != node.modified:
            failed.append(f"[{change.prev_index} != {node.modified}]")
        if failed:
            raise self.error(101, " ".join(failed))

    def _swap(self, path: str, change: Change) -> V2Event:
        node = self.find(path)
        if node.nodes is not None:
            raise self.error(102, path)
        self._compare(node, change)
        before = self.json(node, deep=False)
        node.value, node.expires = change.value, self._expiry(change.ttl)
        return self._note("compareAndSwap", node, before)

    def delete(self, path: str, *, is_dir: bool, recursive: bool, change: Change) -> V2Event:
        """DELETE: files, empty directories with `dir`, whole trees with `recursive`."""
        if path == "/":
            raise self.error(107, "/")
        node = self.find(path)
        compared = bool(change.prev_value or change.prev_index)
        if node.nodes is not None:
            if compared or not (is_dir or recursive):
                raise self.error(102, path)
            if node.nodes and not recursive:
                raise self.error(108, path)
        if compared:
            self._compare(node, change)
        before = self.json(node, deep=False)
        self._unlink(path)
        gone = Node(path, created=node.created, nodes=None if node.nodes is None else {})
        return self._note("compareAndDelete" if compared else "delete", gone, before, bare=True)


def seen(event: V2Event, path: str, recursive: bool) -> bool:
    """Whether a watch on a path sees an event: its own, those below when recursive, and deletions of what is above."""
    key = str(event.node.get("key", "/"))
    if key == path:
        return True
    if event.action in ("delete", "expire") and path.startswith(key.rstrip("/") + "/"):
        return True
    if not recursive or not key.startswith(path.rstrip("/") + "/"):
        return False
    return not any(part.startswith("_") for part in key[len(path) :].split("/"))

"""Watches: a stream over etcd's history from a revision (`storage/etcd3/watcher.go`, `endpoints/handlers/watch.go`).

A stream holds no events: each `poll` asks for what happened since, so a watch costs nothing while nothing happens.  A change
that makes an object match the selectors is ADDED, one that makes it stop matching is DELETED.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ...etcd.errors import Compacted, EtcdError
from ...kernel.clock import MINUTE, SECOND
from ...kernel.errors import ConnectError
from ...kernel.http import Response
from ..api import errors, selectors
from ..api.errors import ApiError, FieldError, status
from ..api.objects import get_path
from ..api.selectors import SelectorError
from . import convert, negotiate, options, tables
from .call import Call
from .storage import with_version

Obj = dict[str, Any]
Match = Callable[[Obj], bool]
BOOKMARK_EVERY = MINUTE
#: The real server draws from [1800, 3600) s (`--min-request-timeout`); a draw per watch would cost every informer's sync.
DEFAULT_TIMEOUT = 2700


def matcher(call: Call) -> Match | None:
    """The test that the request's selectors (and a name in a watch's path) make; None when everything matches."""
    query = call.request.query
    label_text = query["labelSelector"][0] if "labelSelector" in query else ""
    field_text = query["fieldSelector"][0] if "fieldSelector" in query else ""
    if not label_text and not field_text and not call.info.name:
        return None
    try:
        labels = selectors.parse_labels(label_text) if label_text else None
    except SelectorError as error:
        raise errors.bad_request(str(error)) from None
    try:
        fields = selectors.parse_fields(field_text) if field_text else ()
    except SelectorError as error:
        raise errors.bad_request(str(error)) from None
    strategy = call.strategy
    extra = call.server.selectable(call.kind, call.version) if fields and call.kind.custom else {}
    for term in fields:
        if not strategy.selectable(term.field) and term.field not in extra:
            raise errors.bad_request(unsupported_field(call, term.field))
    name = call.info.name

    def match(obj: Obj) -> bool:
        if labels is not None and not labels.matches(obj["metadata"].get("labels")):
            return False
        if name and obj["metadata"]["name"] != name:
            return False
        return all((read(obj, term.field) == term.value) == term.equal for term in fields)

    def read(obj: Obj, field: str) -> str:
        if field not in extra:
            return strategy.read_field(obj, field)
        found = get_path(obj, *extra[field])
        return ("true" if found else "false") if isinstance(found, bool) else "" if found is None else str(found)

    return match


def one_node(call: Call) -> bytes:
    """The node that a watch of one node's pods (all of them) is about, or b"" for other watches."""
    if call.info.namespace:
        return b""
    text = call.request.query.get("fieldSelector", [""])[0]
    return text.removeprefix("spec.nodeName=").encode() if re.fullmatch(r"spec\.nodeName=[a-z0-9.-]+", text) else b""


def unsupported_field(call: Call, field: str) -> str:
    """What is said of a field that selectors cannot name: most kinds know metadata.name and metadata.namespace only."""
    if call.strategy.fields or call.kind.custom:
        return f"field label not supported: {field}"
    return f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"'


class WatchStream:
    """One open watch."""

    def __init__(self, call: Call, since: int, match: Match | None, initial: list[Obj], *, bookmarks: bool, timeout: int) -> None:
        self.server = call.server
        self.call = call
        self.prefix = (
            f"{call.kind.prefix}/{call.info.namespace}/"
            if call.kind.namespaced and call.info.namespace
            else f"{call.kind.prefix}/"
        )
        self._prefix = self.prefix.encode()
        self.topic = call.kind.topic
        self.since = since
        self.match = match
        self._initial = initial
        self._bookmarks = bookmarks
        self._next_bookmark = call.server.world.now + BOOKMARK_EVERY
        self._ends = call.server.world.now + timeout
        self._closed = False
        self._convert = convert.needed(call.kind, call.version)
        header = call.request.headers.get("accept", "")
        self._table = bool(header) and negotiate.accepted(header).kind == "Table"
        self._partial = bool(header) and negotiate.accepted(header).kind == "PartialObjectMetadata"
        self._first_table = True
        self._buffer: list[Obj] = []
        self._node = one_node(call)

    @property
    def resource_version(self) -> int:
        """How far this watch has seen."""
        return self.since

    @property
    def closed(self) -> bool:
        """Ended by an error, by the server's end or by its timeout."""
        return self._closed or self.server.stopped or self.server.world.now >= self._ends

    def close(self) -> None:
        """The client has gone."""
        self._closed = True

    def prefetch(self, revision: int) -> None:
        """Before history up to `revision` is compacted: take in what is known, as the real watch cache has it in memory."""
        self._buffer = self.poll()
        if not self._closed:
            self.since = max(self.since, revision)

    def poll(self) -> list[Obj]:
        """New watch events as `{"type": …, "object": …}`."""
        if self._buffer:
            out, self._buffer = self._buffer, []
            return out + self.poll()
        if self._closed or self.server.stopped:
            return []
        out = [self._event("ADDED", obj) if obj.get("metadata") is not None else obj for obj in self._initial]
        self._initial = []
        try:
            found, last = self._changes()
        except Compacted as gone:
            self._closed = True
            text = f"too old resource version: {self.since} ({gone.compact_revision})"
            return [*out, {"type": "ERROR", "object": status(410, "Expired", text)}]
        except (ConnectError, EtcdError):
            return out
        for event in found:
            item = self._take(event)
            if item is not None:
                out.append(item)
        self.since = last
        if self._bookmarks and self.server.world.now >= self._next_bookmark:
            self._next_bookmark = self.server.world.now + BOOKMARK_EVERY
            out.append(self._bookmark())
        return out

    def _changes(self) -> tuple[list[Any], int]:
        """What happened since that this watch may be about, and how far that goes; raises Compacted, ConnectError, EtcdError."""
        storage = self.server.storage
        if self._node:
            named = storage.client.named_events(self._prefix, self.since, b"nodeName", self._node)
            if named is not None:
                return named
        found = storage.events(self._prefix, self.since)
        return found, max(self.since, found[-1].kv.mod_revision) if found else self.since

    def _take(self, event: Any) -> Obj | None:
        storage, match = self.server.storage, self.match
        revision = event.kv.mod_revision
        if event.type == "DELETE":
            if event.prev is None:
                return None
            old = storage.decode(event.prev)
            return self._event("DELETED", with_version(old, revision)) if match is None or match(old) else None
        obj = storage.decode(event.kv)
        if match is None:
            return self._event("ADDED" if event.prev is None else "MODIFIED", obj)
        now = match(obj)
        before = event.prev is not None and match(storage.decode(event.prev))
        if now:
            return self._event("MODIFIED" if before else "ADDED", obj)
        return self._event("DELETED", with_version(storage.decode(event.prev), revision)) if before else None

    def _event(self, kind: str, obj: Obj) -> Obj:
        if self._convert:
            try:
                obj = convert.from_storage(self.call.server, self.call.kind, self.call.version, obj)
            except ApiError as error:  # a conversion webhook that is away
                return {"type": "ERROR", "object": error.status}
        if self._table:
            include = self.call.request.param("includeObject", "Metadata")
            obj = tables.table_of(self.call, [obj], obj["metadata"], include=include, columns=self._first_table)
            self._first_table = False
        elif self._partial:
            obj = tables.partial(obj)
        return {"type": kind, "object": obj}

    def _bookmark(self, *, initial: bool = False) -> Obj:
        meta: Obj = {"resourceVersion": str(self.since)}
        if initial:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        kind, version = self.call.kind.kind, self.call.version
        group = self.call.kind.group
        obj: Obj = {"kind": kind, "apiVersion": f"{group}/{version}" if group else version, "metadata": meta}
        if self._table:
            obj = tables.table_of(self.call, [], meta, include="None", columns=False)
        return {"type": "BOOKMARK", "object": obj}

    def queue_initial_bookmark(self) -> None:
        """After the initial events, say that they are complete."""
        self._initial.append(self._bookmark(initial=True))


def option_problems(match: str, send_initial: str, token: str) -> list[FieldError]:
    """What is wrong with the options of a watch (`internalversion/validation`: validateWatchOptions)."""
    at, out = "resourceVersionMatch", []
    if send_initial and match != "NotOlderThan":
        out.append(errors.forbidden_field(at, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"))
    if match and not send_initial:
        out.append(errors.forbidden_field(at, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"))
    if match and match != "NotOlderThan":
        out.append(errors.not_supported(at, match, ("NotOlderThan",)))
    if match and token:
        out.append(errors.forbidden_field(at, "resourceVersionMatch is forbidden when continue is provided"))
    return out


def watch(call: Call) -> Response:
    """Open a watch: from a resourceVersion, or with what exists first."""
    request = call.request
    match = matcher(call)
    version = request.param("resourceVersion")
    send_initial = request.param("sendInitialEvents")
    problems = option_problems(request.param("resourceVersionMatch"), send_initial, request.param("continue"))
    if problems:
        raise errors.invalid("ListOptions", "meta.k8s.io", "", problems)
    for name in ("limit", "timeoutSeconds"):
        options.whole(request, name)
    if version and not version.isdigit():
        raise errors.bad_request(
            f'resourceVersion: Invalid value: "{version}": strconv.ParseUint: parsing "{version}": invalid syntax'
        )
    timeout_text = request.param("timeoutSeconds")
    seconds = int(timeout_text) if timeout_text.isdigit() and int(timeout_text) > 0 else 0
    timeout = (seconds or DEFAULT_TIMEOUT) * SECOND
    bookmarks = request.param("allowWatchBookmarks") == "true"
    synthetic = send_initial == "true" or (version in ("", "0") and send_initial != "false")
    initial: list[Obj] = []
    if synthetic:
        prefix = (
            f"{call.kind.prefix}/{call.info.namespace}/"
            if call.kind.namespaced and call.info.namespace
            else f"{call.kind.prefix}/"
        )
        objects, since, _, _ = call.server.storage.list(prefix.encode())
        initial = [obj for obj in objects if match is None or match(obj)]
    else:
        since = int(version) if version not in ("", "0") else call.server.storage.revision()
    stream = WatchStream(call, since, match, initial, bookmarks=bookmarks, timeout=timeout)
    if timeout_text or bookmarks:
        call.server.streams.append(stream)
    if send_initial == "true" and bookmarks:
        stream.queue_initial_bookmark()
    return Response(stream=stream, headers={"content-type": "application/json"})

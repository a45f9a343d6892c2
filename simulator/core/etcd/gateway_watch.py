"""`POST /v3/watch`: a stream of JSON lines, one for the creation and one for each batch of events (rpc.proto: Watch)."""

from __future__ import annotations

from typing import Any

import orjson

from ..kernel.http import Response
from ..kernel.world import World
from . import gateway_v3
from .errors import Compacted, EtcdError
from .gateway_json import Fields
from .member import Disk
from .mvcc import Event


class WatchStream:
    """An open watch (see `kernel.http.Stream`)."""

    def __init__(self, disk: Disk, fields: Fields, ask: gateway_v3.Ask) -> None:
        self.disk, self.ask = disk, ask
        self.key, self.end = fields.raw("key"), fields.raw("range_end")
        self.since = (fields.number("start_revision") or disk.store.revision + 1) - 1
        self.prev = fields.flag("prev_kv")
        skipped = fields.body.get("filters") or []
        self.skip = {"PUT" if one in ("NOPUT", 0) else "DELETE" for one in skipped}
        self.watch_id = fields.number("watch_id")
        self.topic = f"etcd:{disk.name}"
        self.done = False
        self.lines = [self._line({"created": True})]

    def _line(self, more: dict[str, Any]) -> bytes:
        number = {"watch_id": str(self.watch_id)} if self.watch_id else {}
        return orjson.dumps({"result": {"header": gateway_v3.header(self.disk), **number, **more}}) + b"\n"

    def poll(self) -> list[Any]:
        """New lines."""
        lines, self.lines = self.lines, []
        if self.done:
            return lines
        try:
            reached = self.disk.store.revision
            found: list[Event] = self.ask("Watch/Events", prefix=self.key, since=self.since, range_end=self.end)
        except EtcdError as error:
            self.done = True
            more = {"compact_revision": str(error.compact_revision)} if isinstance(error, Compacted) else {}
            reason = {} if more else {"cancel_reason": error.message}
            return [*lines, self._line({"canceled": True, **more, **reason})]
        self.since = max(self.since, reached, found[-1].kv.mod_revision if found else 0)
        events = [self._event(one) for one in found if one.type not in self.skip]
        return [*lines, self._line({"events": events})] if events else lines

    def _event(self, event: Event) -> dict[str, Any]:
        row: dict[str, Any] = {"type": "DELETE"} if event.type == "DELETE" else {}
        row["kv"] = gateway_v3.kv_json(event.kv)
        return {**row, "prev_kv": gateway_v3.kv_json(event.prev)} if self.prev and event.prev else row

    @property
    def closed(self) -> bool:
        """Nothing more will come."""
        return self.done and not self.lines

    def close(self) -> None:
        """The client has gone."""
        self.done = True


def open_watch(world: World, disk: Disk, fields: Fields, ask: gateway_v3.Ask) -> Response:
    """Open a watch for a `create_request`; permissions are checked before the stream begins."""
    if "create_request" not in fields.body:
        raise EtcdError("/v3/watch without create_request: not simulated in Slipway yet", "Unimplemented")
    stream = WatchStream(disk, fields.message("create_request"), ask)
    return Response(headers={"content-type": "application/json"}, stream=stream)

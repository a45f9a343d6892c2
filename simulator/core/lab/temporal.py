"""Assertions over time: what never happened, always held or once happened in the trace, and what holds while a future passes.

Over the past they are probes on the trace (docs/authoring.md): `never`, `eventually` and `always` select events by `actor`, `action`
and `ref` (`*` is any text) and by `where`, a CEL expression over `event`, between `since` and `until` (patterns as well: from the
last event that fits `since`, up to the first after it that fits `until`).  Their value is `{holds, count, events}`, and `expect` may be left
out.  A world keeps its last events only (`kernel.trace.KEEP`): what is older counts for nothing, and `whole` says so.

Over the future, `holds: throughout` or `sometime` with `for` and `every` looks at a check's probe again and again while virtual time
passes.
"""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Any

from ..kernel.errors import BadInput
from ..kernel.trace import TraceEvent
from . import expressions

if TYPE_CHECKING:
    from ..sandbox import Sandbox

PROBES = ("never", "eventually", "always")
MODES = ("at-end", "throughout", "sometime")
MAX_SHOWN = 20


def as_dict(event: TraceEvent) -> dict[str, Any]:
    """An event as expressions and values have it."""
    return {
        "seq": event.seq,
        "at": event.at,
        "actor": event.actor,
        "action": event.action,
        "ref": event.ref,
        "cause": event.cause,
        "detail": event.detail or {},
    }


def matches(event: TraceEvent, pattern: dict[str, Any]) -> bool:
    """Whether an event fits a pattern of actor, action and ref, and its `where`; raises BadInput for a bad expression."""
    if not all(fnmatch.fnmatchcase(getattr(event, key), pattern[key]) for key in ("actor", "action", "ref") if key in pattern):
        return False
    return "where" not in pattern or expressions.truth(pattern["where"], {"event": as_dict(event)})


def window(events: list[TraceEvent], what: dict[str, Any], within: int | None) -> list[TraceEvent]:
    """The events between `since` and `until`, and at most `within` nanoseconds after `since`."""
    if "since" in what:
        starts = [index for index, event in enumerate(events) if matches(event, what["since"])]
        if not starts:
            return []
        began = events[starts[-1]].at
        events = events[starts[-1] + 1 :]
        if within is not None:
            events = [event for event in events if event.at <= began + within]
    if "until" in what:
        end = next((index for index, event in enumerate(events) if matches(event, what["until"])), len(events))
        events = events[:end]
    return events


def past(sandbox: Sandbox, name: str, what: dict[str, Any], within: int | None) -> dict[str, Any]:
    """The value of a `never`, `eventually` or `always` probe."""
    kept = list(sandbox.world.trace)
    found = [event for event in window(kept, what, within) if matches(event, what)]
    if name == "always":
        if "that" not in what:
            raise BadInput("always: needs `that`, a CEL expression over `event`")
        found = [event for event in found if not expressions.truth(what["that"], {"event": as_dict(event)})]
    holds = bool(found) if name == "eventually" else not found
    whole = not kept or kept[0].seq <= 1
    return {"holds": holds, "count": len(found), "events": [as_dict(event) for event in found[-MAX_SHOWN:]], "whole": whole}

"""Recording Events as the real components do.

Two generations live side by side, as in a real cluster:

* `Recorder` is client-go's legacy recorder (tools/record/events_cache.go), used by controllers, kubelet and leader election:
  a token bucket of 25 events an object refilling one in 5 min drops spam, ten different messages of one reason within 10 min
  are folded into one `(combined from similar events): …`, and a repeated Event is patched with a higher `count`;
* `SeriesRecorder` is tools/events/event_broadcaster.go, used by the scheduler: a repeated Event gets a `series`.  Two Events
  are the same when all but note and time are equal, and the reference holds the object's resourceVersion, so an Event of a
  changed object starts anew.

State is `EventState`, plain data in the component's own section.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..kernel import clock
from ..kernel.errors import ConnectError
from ..kernel.world import World
from .client import ApiError, KubeClient

Obj = dict[str, Any]

MAX_SIMILAR = 10
SIMILAR_WINDOW = 600 * clock.SECOND
BURST = 25
REFILL = 300 * clock.SECOND
SERIES_END = 6 * clock.MINUTE
#: Real caches hold 4096 entries; a world has far fewer objects, and its snapshot carries them.
CACHE = 1024


class Seen(msgspec.Struct, array_like=True):
    """A recorded Event: its name, count and first time (RFC 3339)."""

    name: str
    count: int
    first: str


class Similar(msgspec.Struct, array_like=True):
    """The different messages seen for one reason of one object, and when the last came (virtual ns)."""

    messages: list[str]
    last: int


class Bucket(msgspec.Struct, array_like=True):
    """A token bucket: tokens left (in units of one event) and when that was (virtual ns)."""

    tokens: float
    at: int


class Series(msgspec.Struct, array_like=True):
    """An Event of the new generation: namespace, name, occurrences, last time (virtual ns), whether a series was written."""

    namespace: str
    name: str
    count: int
    last: int
    written: bool


class EventState(msgspec.Struct):
    """What a process remembers about the Events it sent."""

    seen: dict[str, Seen] = {}
    similar: dict[str, Similar] = {}
    buckets: dict[str, Bucket] = {}
    series: dict[str, Series] = {}
    last_stamp: int = 0


def reference(obj: Obj) -> Obj:
    """The ObjectReference of an object (client-go/tools/reference)."""
    meta = obj["metadata"]
    ref = {"kind": obj.get("kind", ""), "namespace": meta.get("namespace"), "name": meta["name"], "uid": meta.get("uid")}
    ref |= {"apiVersion": obj.get("apiVersion", ""), "resourceVersion": meta.get("resourceVersion")}
    return {key: value for key, value in ref.items() if value}


def _bounded(cache: dict[str, Any], key: str, value: Any) -> None:
    cache.pop(key, None)
    cache[key] = value
    if len(cache) > CACHE:
        del cache[next(iter(cache))]


class _Base:
    def __init__(self, world: World, client: KubeClient, state: EventState, component: str, host: str) -> None:
        self.world = world
        self.client = client
        self.state = state
        self.component = component
        self.host = host

    def _name(self, ref: Obj) -> str:
        """`object.hex(unix nanoseconds)`; the low digits differ as two goroutines never read one nanosecond."""
        stamp = max(self.world.wall + self.world.rng("events").below(clock.MS), self.state.last_stamp + 1)
        self.state.last_stamp = stamp
        return f"{ref['name']}.{stamp:x}".replace(":", ".").lower()

    def _send(self, verb: str, namespace: str, body: Obj, name: str = "") -> bool:
        """True when the server took it (or refused it for good); Events are never worth an error of their owner."""
        resource = "events" if body.get("apiVersion", "v1") == "v1" else "events.events.k8s.io"
        try:
            if verb == "create":
                self.client.create(resource, namespace, body)
            else:
                self.client.patch(resource, namespace, name, body, kind="strategic")
        except ConnectError:
            return False
        except ApiError as error:
            return error.code != 404
        return True


class Recorder(_Base):
    """Legacy Events of one source (component and, for kubelets, host)."""

    def event(
        self, obj: Obj, kind: str, reason: str, message: str, *, field_path: str = "", annotations: Obj | None = None
    ) -> None:
        """Record an Event on `obj`; `kind` is `Normal` or `Warning`.  `obj` may be an ObjectReference (no metadata)."""
        ref = reference(obj) if "metadata" in obj else dict(obj)
        if field_path:
            ref["fieldPath"] = field_path
        base = [self.component, self.host, *(ref.get(k, "") for k in ("kind", "namespace", "name"))]
        identity = [ref.get("uid", ""), ref.get("apiVersion", ""), kind]
        if not self._allowed("|".join(base + identity)):
            return
        key, message = self._aggregate(base, identity, ref, reason, message)
        self._write(key, ref, kind, reason, message, annotations)

    def _allowed(self, key: str) -> bool:
        bucket = self.state.buckets.get(key) or Bucket(float(BURST), self.world.now)
        tokens = min(float(BURST), bucket.tokens + (self.world.now - bucket.at) / REFILL)
        granted = tokens >= 1.0
        _bounded(self.state.buckets, key, Bucket(tokens - 1.0 if granted else tokens, self.world.now))
        return granted

    def _aggregate(self, base: list[str], identity: list[str], ref: Obj, reason: str, message: str) -> tuple[str, str]:
        group = "|".join([*base, *identity, reason])
        record = self.state.similar.get(group)
        if record is None or self.world.now - record.last > SIMILAR_WINDOW:
            record = Similar([], self.world.now)
        if message not in record.messages:
            record.messages.append(message)
        record.last = self.world.now
        _bounded(self.state.similar, group, record)
        if len(record.messages) < MAX_SIMILAR:
            return "|".join([*base, ref.get("fieldPath", ""), *identity, reason, message]), message
        record.messages.pop(0)
        return group, "(combined from similar events): " + message

    def _write(self, key: str, ref: Obj, kind: str, reason: str, message: str, annotations: Obj | None) -> None:
        now = self.world.timestamp()
        namespace = ref.get("namespace") or "default"
        seen = self.state.seen.get(key)
        if seen is not None:
            patch = {"count": seen.count + 1, "lastTimestamp": now, "message": message}
            if self._send("patch", namespace, patch, seen.name):
                _bounded(self.state.seen, key, Seen(seen.name, seen.count + 1, seen.first))
                return
        name = self._name(ref)
        meta: Obj = {"name": name, "namespace": namespace}
        if annotations:
            meta["annotations"] = annotations
        body: Obj = {"apiVersion": "v1", "kind": "Event", "metadata": meta, "involvedObject": ref, "reason": reason}
        body |= {"message": message, "source": {"component": self.component, **({"host": self.host} if self.host else {})}}
        body |= {"firstTimestamp": now, "lastTimestamp": now, "count": 1, "type": kind, "eventTime": None}
        body |= {"reportingComponent": self.component, "reportingInstance": self.host}
        if self._send("create", namespace, body):
            _bounded(self.state.seen, key, Seen(name, 1, now))


class SeriesRecorder(_Base):
    """Events of the events.k8s.io generation; `component` is the reporting controller (`default-scheduler`)."""

    @property
    def _who(self) -> str:
        return f"{id(self.state)}/{self.component}/{self.host}"

    def event(self, obj: Obj, kind: str, reason: str, action: str, note: str, *, related: Obj | None = None) -> None:
        """Record an Event about `obj` (and `related`)."""
        ref = reference(obj)
        now = self.world.now
        parts = [kind, action, reason, self.component, *(str(ref.get(k, "")) for k in sorted(ref))]
        if related is not None:
            parts += [related.get("uid", ""), related.get("name", "")]
        key = "|".join(parts)
        state = self.state.series
        self._purge()
        seen = state.get(key)
        stamp = clock.rfc3339_micro(self.world.wall)
        if seen is not None:
            seen.count += 1
            seen.last = now
            if not seen.written:
                seen.written = True
                body = {"apiVersion": "events.k8s.io/v1", "series": {"count": seen.count, "lastObservedTime": stamp}}
                self._send("patch", seen.namespace, body, seen.name)
            return
        namespace = ref.get("namespace") or "default"
        name = self._name(ref)
        body = {"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": name, "namespace": namespace}}
        body |= {"eventTime": stamp, "reportingController": self.component, "action": action, "reason": reason}
        body |= {"reportingInstance": f"{self.component}-{self.host}", "regarding": ref, "note": note, "type": kind}
        if related is not None:
            body["related"] = related
        if self._send("create", namespace, body):
            _bounded(state, key, Series(namespace, name, 1, now, False))

    def _purge(self) -> None:
        """Forget the series that have ended.  They are looked through only when the oldest of the last look can have ended."""
        now, state = self.world.now, self.state.series
        oldest: dict[str, int] = self.world.warm.setdefault("event-series", {})
        if now - oldest.get(self._who, -SERIES_END - 1) <= SERIES_END:
            return
        for old in [k for k, s in state.items() if now - s.last > SERIES_END]:
            del state[old]
        oldest[self._who] = min((s.last for s in state.values()), default=now)

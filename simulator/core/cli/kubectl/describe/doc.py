"""What every describer writes with: indented lines, aligned at the end, and the parts that many kinds share (`describe.go`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ....kernel import clock
from ....kube.api import selectors
from ....kube.api.printers.base import human
from ...tabwriter import align
from ..jsonpath import go_value
from ..session import Session

Obj = dict[str, Any]
MAX_ANNOTATION = 140
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Doc:
    """The text of one description; cells end with tabs and are aligned by `text`."""

    def __init__(self, session: Session, events: bool = True, now: int | None = None) -> None:
        self.s = session
        self.show_events = events
        self.now = session.world.wall if now is None else now
        self.parts: list[str] = []

    def line(self, level: int, text: str) -> None:
        """A line, indented by two blanks a level."""
        self.parts.append("  " * level + text + "\n")

    def add(self, text: str) -> None:
        """Text as it is."""
        self.parts.append(text)

    def text(self) -> str:
        """The description."""
        return align("".join(self.parts), padding=2)

    # -- shared parts -----------------------------------------------------------------------------------------------------
    def head(self, obj: Obj, *, namespace: bool = True) -> None:
        """Name and namespace."""
        meta = obj["metadata"]
        self.line(0, f"Name:\t{meta['name']}")
        if namespace:
            self.line(0, f"Namespace:\t{meta.get('namespace', '')}")

    def labels_and_annotations(self, obj: Obj) -> None:
        """Both, one a line."""
        meta = obj["metadata"]
        self.labels("Labels", meta.get("labels"))
        self.annotations("Annotations", meta.get("annotations"))

    def labels(self, title: str, labels: dict[str, str] | None, indent: str = "") -> None:
        """`Labels:` with one `key=value` a line."""
        pairs = [f"{key}={value}" for key, value in sorted((labels or {}).items())] or ["<none>"]
        self.add(f"{indent}{title}:\t" + f"\n{indent}\t".join(pairs) + "\n")

    def annotations(self, title: str, annotations: dict[str, str] | None, indent: str = "") -> None:
        """`Annotations:`; long values go below their key, shortened."""
        out: list[str] = []
        for key, raw in sorted((annotations or {}).items()):
            if key == LAST_APPLIED:
                continue
            value = raw.removesuffix("\n")
            lead = "\t" if out else ""
            if len(value) + len(key) + 2 > MAX_ANNOTATION or "\n" in value:
                out.append(f"{lead}{key}:\n")
                out += [f"\t  {shorten(part, MAX_ANNOTATION - 2)}\n" for part in value.split("\n")]
            else:
                out.append(f"{lead}{key}: {value}\n")
        self.add(f"{indent}{title}:\t" + ("".join(out) or "<none>\n"))

    def taints(self, taints: list[Obj]) -> None:
        """`Taints:`, by effect and key."""
        listed = [taint_text(item) for item in sorted(taints or (), key=lambda item: f"{item.get('effect', '')},{item['key']}")]
        self.add("Taints:\t" + ("\n\t".join(listed) or "<none>") + "\n")

    def tolerations(self, tolerations: list[Obj] | None, title: str = "Tolerations") -> None:
        """`Tolerations:`, by key."""
        listed = [toleration_text(item) for item in sorted(tolerations or (), key=lambda item: item.get("key", ""))]
        self.add(f"{title}:\t" + ("\n\t".join(listed) or "<none>") + "\n")

    def conditions(self, conditions: list[Obj] | None) -> None:
        """Type, status and reason, as workloads have them."""
        if conditions:
            self.line(0, "Conditions:\n  Type\tStatus\tReason")
            self.line(1, "----\t------\t------")
            for item in conditions:
                self.line(1, f"{item['type']} \t{item['status']}\t{item.get('reason', '')}")

    def controlled_by(self, obj: Obj) -> None:
        """The controller that owns it."""
        for owner in obj["metadata"].get("ownerReferences") or ():
            if owner.get("controller"):
                self.line(0, f"Controlled By:\t{owner['kind']}/{owner['name']}")

    def since(self, stamp: str | None) -> str:
        """The age of a timestamp, `<unknown>` for none."""
        return "<unknown>" if not stamp else human(self.now - clock.parse_rfc3339(stamp))

    # -- events -----------------------------------------------------------------------------------------------------------
    def events(self, obj: Obj, uids: Iterable[str] | None = None, *, kind: str | None = None) -> None:
        """The events of an object."""
        if not self.show_events:
            return
        meta = obj["metadata"]
        found: list[Obj] = []
        for uid in [meta.get("uid", "")] if uids is None else uids:
            fields = {"involvedObject.name": meta["name"], "involvedObject.namespace": meta.get("namespace", ""),
                      "involvedObject.kind": obj.get("kind", "") if kind is None else kind, "involvedObject.uid": uid}  # fmt: skip
            query = ",".join(f"{key}={value}" for key, value in fields.items() if value)
            found += self.s.list(self.s.kind("events"), meta.get("namespace", ""), fields=query)
        self.event_table(found)

    def event_table(self, found: list[Obj]) -> None:
        """`Events:`, oldest first."""
        if not found:
            self.line(0, "Events:\t<none>")
            return
        self.add("\f")
        self.line(0, "Events:\n  Type\tReason\tAge\tFrom\tMessage")
        self.line(1, "----\t------\t----\t----\t-------")
        for item in sorted(found, key=lambda item: item.get("lastTimestamp") or ""):
            message = str(item.get("message", "")).strip()
            path = (item.get("involvedObject") or {}).get("fieldPath")
            message = f"{path}: {message}" if path else message
            source = (item.get("source") or {}).get("component") or item.get("reportingComponent", "")
            self.line(1, f"{item.get('type', '')}\t{item.get('reason', '')}\t{self.interval(item)}\t{source}\t{message}")

    def interval(self, event: Obj) -> str:
        """How long ago, and how often over which time."""
        first: str = self.since(event.get("eventTime") or event.get("firstTimestamp"))
        series = event.get("series")
        if series:
            return f"{self.since(series.get('lastObservedTime'))} (x{series.get('count', 0)} over {first})"
        if int(event.get("count") or 0) > 1:
            return f"{self.since(event.get('lastTimestamp'))} (x{event['count']} over {first})"
        return first


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters and `...`."""
    return text[:limit] + "..." if len(text) > limit else text


def taint_text(taint: Obj) -> str:
    """`key=value:effect`."""
    value, effect = taint.get("value"), taint.get("effect", "")
    return f"{taint['key']}={value}:{effect}" if value else f"{taint['key']}:{effect}"


def toleration_text(item: Obj) -> str:
    """`key=value:effect op=Exists for 300s`."""
    key, value, effect = item.get("key", ""), item.get("value", ""), item.get("effect", "")
    text = str(key) + (f"={value}" if value else "") + (f":{effect}" if effect else "")
    if item.get("operator") == "Exists" and not value:
        text += " op=Exists" if key or effect else "op=Exists"
    elif item.get("operator") in ("Lt", "Gt"):
        text += f" op={item['operator']}"
    if item.get("tolerationSeconds") is not None:
        text += f" for {item['tolerationSeconds']}s"
    return text


def time_text(stamp: str | None) -> str:
    """RFC 1123 with a numeric zone: `Mon, 23 Nov 2026 04:02:13 +0000`."""
    if not stamp:
        return "Mon, 01 Jan 0001 00:00:00 +0000"
    return f"{clock.to_datetime(clock.parse_rfc3339(stamp)):%a, %d %b %Y %H:%M:%S +0000}"


def selector_text(selector: Obj | None) -> str:
    """A LabelSelector as `FormatLabelSelector` prints it."""
    if not selector:
        return "<none>"
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for item in selector.get("matchExpressions") or ():
        values = ",".join(sorted(item.get("values") or ()))
        parts.append({"In": f"{item['key']} in ({values})", "NotIn": f"{item['key']} notin ({values})", "Exists": item["key"],
                      "DoesNotExist": f"!{item['key']}"}[item["operator"]])  # fmt: skip
    return ",".join(sorted(parts)) or "<none>"


def labels_text(labels: dict[str, str] | None) -> str:
    """`a=1,b=2` or `<none>`."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or "<none>"


def as_selector(labels: dict[str, str] | None) -> str:
    """Labels as a query."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items()))


def list_text(values: list[Any] | None) -> str:
    """A Go slice: `[a b]`."""
    return go_value(list(values or []))


def matches(selector: Obj | None, labels: dict[str, str] | None) -> bool:
    """Whether a LabelSelector chooses an object with these labels."""
    return bool(selectors.from_object(selector).matches(labels or {}))

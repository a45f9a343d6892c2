"""`kubectl events` (`kubectl/pkg/cmd/events/events.go`, `event_printer.go`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ....host.program import Wait, WaitTopic
from ...cobra import Command, Flag
from ..describe.doc import Doc
from ..errors import CommandError, NoMatch, Plain
from ..flagsets import all_namespaces_flag, chunk_flag, print_flags
from ..printers import Output
from ..session import Session
from ..table import columns

Obj = dict[str, Any]


def run(s: Session) -> Generator[Wait, Any, int]:
    """List events, oldest first; with --watch go on."""
    values = s.values
    output = Output(s, typed=True)
    types = [item.lower() for item in values.items("types")]
    for item in types:
        if item not in ("normal", "warning"):
            raise CommandError("valid --types are Normal or Warning")
    kind = s.kind("events")
    namespace = "" if values.on("all-namespaces") else s.namespace
    query = {"limit": str(values.number("chunk-size"))}
    fields = _for(s)
    if fields:
        query["fieldSelector"] = fields
    answer = s.call("GET", kind.path(namespace), query=query)
    found = [
        {"apiVersion": "v1", "kind": "Event", **item}
        for item in answer["items"]
        if not types or item.get("type", "").lower() in types
    ]
    found.sort(key=_time)
    remembered: list[int] = []
    if not found and not values.on("watch"):
        s.err("No events found.\n" if values.on("all-namespaces") else f"No events found in {s.namespace} namespace.\n")
        return 0
    if output.given:
        # names are not printed of typed lists, and the error that says so is dropped
        if output.name != "name":
            items = [{"kind": "Event", "apiVersion": "v1", **item} for item in found]
            output.print({"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": items})
    elif found:
        s.out(columns(_rows(s, found, not values.on("no-headers")), remembered))
    if values.on("watch"):
        yield from _follow(
            s,
            kind.path(namespace),
            {**query, "resourceVersion": answer["metadata"]["resourceVersion"]},
            types,
            output,
            remembered,
        )
    return 0


def _for(s: Session) -> str:
    word = s.values.text("for")
    if not word:
        return ""
    kind, slash, name = word.partition("/")
    if not slash or not name:
        raise CommandError("--for must be in resource/name form")
    try:
        mapping = s.mapper.mapping(kind)
    except NoMatch as error:
        raise Plain(str(error)) from None
    return f"involvedObject.kind={mapping.kind.kind},involvedObject.name={name}"


def _time(event: Obj) -> str:
    return str((event.get("series") or {}).get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or "")


def _rows(s: Session, found: list[Obj], headers: bool) -> list[list[str]]:
    wide = s.values.on("all-namespaces")
    doc = Doc(s)
    rows = [(["NAMESPACE"] if wide else []) + ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]] if headers else []
    for item in found:
        involved = item.get("involvedObject") or {}
        row = [doc.interval(item), item.get("type", ""), item.get("reason", ""), f"{involved.get('kind', '')}/{involved.get('name', '')}",
               str(item.get("message", "")).strip()]  # fmt: skip
        rows.append(([item["metadata"]["namespace"]] if wide else []) + row)
    return rows


def _follow(
    s: Session, path: str, query: dict[str, str], types: list[str], output: Output, remembered: list[int]
) -> Generator[Wait, Any, None]:
    query.pop("limit", None)
    stream = s.request("GET", path, query={**query, "watch": "true"}).stream
    try:
        while not stream.closed:
            for event in stream.poll():
                item = event["object"]
                if event["type"] not in ("ADDED", "MODIFIED") or (types and item.get("type", "").lower() not in types):
                    continue
                if output.given:
                    output.print(item)
                else:
                    s.out(columns(_rows(s, [item], not remembered and not s.values.on("no-headers")), remembered))
            yield WaitTopic((stream.topic,))
    finally:
        stream.close()


COMMAND = Command(
    "events [(-o|--output=)json|yaml|kyaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file] "
    "[--for TYPE/NAME] [--watch] [--types=Normal,Warning]",
    short="List events",
    long="Display events.\n\n Prints a table of the most important facts of events.",
    example="# Of the namespace\nkubectl events\n\n# Of one pod, as they come\nkubectl events --for pod/web-pod-13je7 --watch",
    flags=(
        *print_flags(),
        all_namespaces_flag(),
        chunk_flag(),
        Flag(name="for", usage="Events of this resource only."),
        Flag(name="types", kind="strings", usage="Events of these types only."),
        Flag(name="watch", short="w", kind="bool", usage="Print events as they come."),
        Flag(name="no-headers", kind="bool", usage="Print no headings."),
    ),
    run=run,
)

"""`kubectl get` (`kubectl/pkg/cmd/get/get.go`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ....host.program import WaitTopic
from ....kernel.clock import parse_rfc3339
from ....kube.api.errors import ApiError
from ....kube.api.printers.base import human
from ...cobra import Command, Flag
from ...flags import parse_duration
from ..builder import Builder, Info
from ..errors import CommandError, UsageError, is_not_found, raise_all, raise_listed
from ..flagsets import (
    all_namespaces_flag,
    chunk_flag,
    field_selector_flag,
    file_arguments,
    file_flags,
    print_flags,
    selector_flag,
)
from ..jsonpath import JSONPathError
from ..mapper import Mapping
from ..printers import Output
from ..rawbody import raw_get
from ..session import TABLE, Session
from ..table import TableOptions, TablePrinter, sort_objects

Obj = dict[str, Any]


def run(s: Session) -> Any:
    """Complete, validate, and carry out one of the ways of `get`."""
    values = s.values
    if values.text("raw"):
        return _raw(s)
    watching = values.on("watch") or values.on("watch-only")
    if not watching and not values.args and not values.items("filename") and not values.text("kustomize"):
        s.err(
            'You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported resources.\n\n'
        )
        raise UsageError(
            s.command,
            'Required resource not specified.\nUse "kubectl explain <resource>" for a detailed description of that resource '
            "(e.g. kubectl explain pods).",
        )
    output = Output(s, of_get=True)
    if values.on("show-labels") and output.name not in ("", "wide"):
        raise CommandError(f"--show-labels option cannot be used with {output.format} printer")
    if values.on("output-watch-events") and not watching:
        raise CommandError("--output-watch-events option can only be used with --watch or --watch-only")
    s.timeout  # noqa: B018 - refuses a bad --request-timeout before anything is sent
    human = output.name in ("", "wide")
    builder = _builder(s, human and values.on("server-print"), watching)
    if watching:
        return _watch(s, builder, output, human)
    infos = builder.infos()
    return _tables(s, builder, infos, output) if human else _generic(s, builder, infos, output)


def _builder(s: Session, table: bool, watching: bool) -> Builder:
    values = s.values
    return Builder(
        s,
        args=values.args,
        **file_arguments(s),
        selector=values.text("selector"),
        fields=values.text("field-selector"),
        all_namespaces=values.on("all-namespaces"),
        allow_empty=True,
        latest=True,
        single_type=watching,
        eager=not watching,
        subresource=values.text("subresource"),
        accept=TABLE if table else "",
        params={"includeObject": "Object"} if table and values.text("sort-by") else {},
        chunk=0 if values.text("sort-by") else values.number("chunk-size"),
    )


def _raw(s: Session) -> Any:
    values = s.values
    if values.args or values.items("filename") or values.text("kustomize"):
        raise CommandError("arguments may not be passed when --raw is specified")
    if values.on("watch") or values.on("watch-only") or values.text("selector"):
        raise CommandError("--raw may not be specified with other flags that filter the server request or alter the output")
    if values.text("output"):
        raise CommandError("--raw and --output are mutually exclusive")
    return raw_get(s)


def _options(s: Session, output: Output, mapping: Mapping, with_kind: bool) -> TableOptions:
    kind, values = mapping.kind, s.values
    prefix = f"{kind.kind.lower()}.{kind.group}" if kind.group else kind.kind.lower()
    return TableOptions(
        wide=output.name == "wide",
        no_headers=values.on("no-headers"),
        with_namespace=values.on("all-namespaces") and kind.namespaced,
        kind_prefix=prefix if with_kind or values.on("show-kind") else "",
        show_labels=values.on("show-labels"),
        label_columns=values.items("label-columns"),
        sort_by=values.text("sort-by"),
    )


def _as_table(s: Session, info: Info) -> Obj:
    """A Table of one object, for a server that sent none."""
    if info.table and info.obj is not None:
        return info.obj
    obj = info.obj or {}
    meta = obj.get("metadata") or {}
    names = [{"name": "Name", "type": "string", "format": "name"}, {"name": "Age", "type": "date"}]
    stamp = meta.get("creationTimestamp")
    age = human(s.world.wall - parse_rfc3339(stamp)) if stamp else "<unknown>"
    return {"columnDefinitions": names, "rows": [{"cells": [meta.get("name"), age], "object": obj}]}


def _tables(s: Session, builder: Builder, infos: list[Info], output: Output) -> int:
    ignore = s.values.on("ignore-not-found")
    errors = [error for error in builder.errors if not (ignore and is_not_found(error))]
    with_kind = len({info.mapping for info in infos}) > 1
    last: Mapping | None = None
    written, namespaced = False, not s.values.on("all-namespaces")
    printer: TablePrinter | None = None
    rows: list[list[str]] = []

    def flush() -> None:
        nonlocal written, rows
        from ..table import columns

        if rows:
            s.out(("\n" if written and not s.values.on("no-headers") else "") + columns(rows))
            written = True
        rows = []

    for info in infos:
        namespaced = namespaced and info.mapping.kind.namespaced
        if printer is None or info.mapping != last:
            flush()
            printer, last = TablePrinter(_options(s, output, info.mapping, with_kind)), info.mapping
        rows += printer.rows(_as_table(s, info))
    flush()
    if not written and not ignore and not errors:
        s.err(f"No resources found in {s.namespace} namespace.\n" if namespaced else "No resources found\n")
    raise_listed(errors, files=bool(builder.filenames or builder.kustomize))
    return 0


def _generic(s: Session, builder: Builder, infos: list[Info], output: Output) -> int:
    ignore = s.values.on("ignore-not-found")
    errors = [error for error in builder.errors if not (ignore and is_not_found(error))]
    if errors and builder.single_implied:
        raise_listed(errors, files=bool(builder.filenames or builder.kustomize))
    if not infos and ignore:
        raise_listed(errors, files=bool(builder.filenames or builder.kustomize))
        return 0
    objects = [info.obj for info in infos if info.obj is not None]
    if builder.single_implied and len(objects) == 1:
        output.print(objects[0])
    else:
        spec = s.values.text("sort-by")
        if spec and objects:
            try:
                objects = sort_objects(objects, lambda item: item, spec)
            except JSONPathError as error:
                raise CommandError(str(error)) from None
        if output.name == "name":
            for item in objects:
                output.print(item)
        else:
            output.print({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": objects})
    raise_listed(errors, files=bool(builder.filenames or builder.kustomize))
    return 0


# -- watching -----------------------------------------------------------------------------------------------------------------


def _watch(s: Session, builder: Builder, output: Output, human: bool) -> Generator[Any, Any, int]:
    """Print what is there, then each change until interrupted or the server ends the watch."""
    values = s.values
    for flag in ("watch", "watch-only"):
        if values.on(flag) and values.text("sort-by"):
            more = " for watch events received" if flag == "watch" else ""
            s.err(f"warning: --{flag} requested, --sort-by will be ignored{more}\n")
            break
    mapping, path, query, listed = _first(s, builder)
    printer = TablePrinter(_options(s, output, mapping, False), streaming=True)
    events = values.on("output-watch-events")
    answer = s.request("GET", path, query=query, accept=TABLE if human else "")
    first = answer.obj or {}
    if not values.on("watch-only"):
        _print_first(s, first, listed, printer, output, human, events)
    version = (first.get("metadata") or {}).get("resourceVersion") or "0" if listed else "0"
    name = "" if listed else path.rsplit("/", 1)[1]
    target = path if listed else path.rsplit("/", 1)[0]
    ask = {**{key: value for key, value in query.items() if key != "limit"}, "watch": "true", "resourceVersion": version}
    if name:
        ask["fieldSelector"] = f"metadata.name={name}"
    stream = s.request("GET", target, query=ask, accept=TABLE if human else "").stream
    deadline = s.world.now + parse_duration(s.timeout) if s.timeout else None
    skip = not listed
    try:
        while True:
            for event in stream.poll():
                if skip and event["type"] == "ADDED":
                    skip = False
                    continue
                skip = False
                _print_event(s, event, printer, output, human, events)
            if stream.closed or (deadline is not None and s.world.now >= deadline):
                return 0
            yield WaitTopic((stream.topic,), deadline)
    finally:
        stream.close()


def _first(s: Session, builder: Builder) -> tuple[Mapping, str, dict[str, str], bool]:
    """What is watched: a collection, or one object."""
    query = {}
    if builder.selector:
        query["labelSelector"] = builder.selector
    if builder.fields:
        query["fieldSelector"] = builder.fields
    builder.fetch = builder.latest = False
    tuples, resources, names = builder._arguments()
    if builder.filenames or tuples or names:
        infos = builder.infos()
        if not infos:
            raise_all(builder.errors)
        if len(infos) > 1:
            raise CommandError(
                "watch is only supported on individual resources and resource collections - more than 1 resource was found"
            )
        return infos[0].mapping, infos[0].path(), query, False
    if len(resources) > 1:
        raise CommandError("you may only specify a single resource type")
    if not resources:
        builder.infos()
    mapping = s.mapper.mapping(resources[0])
    namespace = "" if s.values.on("all-namespaces") or not mapping.kind.namespaced else s.namespace
    return mapping, mapping.path(namespace), {**query, "limit": str(s.values.number("chunk-size"))}, True


def _print_first(s: Session, first: Obj, listed: bool, printer: TablePrinter, output: Output, human: bool, events: bool) -> None:
    if human:
        s.out(printer.text(first, "ADDED" if events else ""))
        return
    for item in first.get("items") or () if listed else (first,):
        kind = str(first.get("kind", "")).removesuffix("List")
        whole = item if "kind" in item else {"apiVersion": first.get("apiVersion"), "kind": kind, **item}
        output.event("ADDED", whole) if events else output.print(whole)


def _print_event(s: Session, event: Obj, printer: TablePrinter, output: Output, human: bool, events: bool) -> None:
    if event["type"] == "ERROR":
        raise ApiError(event["object"])
    if event["type"] == "BOOKMARK":
        return
    if human:
        table = event["object"]
        if table.get("kind") != "Table":
            meta = table.get("metadata") or {}
            table = {"columnDefinitions": printer.definitions, "rows": [{"cells": [meta.get("name")], "object": table}]}
        s.out(printer.text(table, event["type"] if events else ""))
    else:
        output.event(event["type"], event["object"]) if events else output.print(event["object"])


COMMAND = Command(
    "get [(-o|--output=)json|yaml|kyaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file|custom-columns|"
    "custom-columns-file|wide] (TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags]",
    short="Display one or many resources",
    long="""Display one or many resources.

 Shows a table with the most important facts of each. A label selector narrows a list; namespaced resources are listed in one namespace
 unless --all-namespaces is given.

 With -o another form is printed: templates (go-template, jsonpath, custom-columns) pick single fields.

Use "kubectl api-resources" for a complete list of supported resources.""",
    example="""# All pods of the namespace
kubectl get pods

# With node, address and more
kubectl get pods -o wide

# One replication controller by name
kubectl get replicationcontroller web

# Deployments of group apps, version v1, as JSON
kubectl get deployments.v1.apps -o json

# What a file describes, as the server has it
kubectl get -f pod.yaml -o json

# What a kustomization describes
kubectl get -k dir/

# Only the phase of a pod
kubectl get -o template pod/web-pod-13je7 --template={{.status.phase}}

# Columns of one's own
kubectl get pod test-pod -o custom-columns=CONTAINER:.spec.containers[0].name,IMAGE:.spec.containers[0].image

# Several kinds together
kubectl get rc,services

# Several resources by type and name
kubectl get rc/web service/frontend pods/web-pod-13je7

# The status subresource of a pod
kubectl get pod web-pod-13je7 --subresource status

# Pods of all namespaces
kubectl get pods --all-namespaces""",
    flags=(
        *print_flags(of_get=True),
        *file_flags("Files, directories or URLs that name what to get."),
        selector_flag(),
        field_selector_flag(),
        all_namespaces_flag(),
        chunk_flag(),
        Flag(name="raw", usage="Ask the server for this path and print the answer as it is."),
        Flag(name="watch", short="w", kind="bool", usage="After listing, print changes as they come."),
        Flag(name="watch-only", kind="bool", usage="Print changes as they come, without listing first."),
        Flag(name="output-watch-events", kind="bool", usage="With --watch or --watch-only, print the type of each event too."),
        Flag(name="ignore-not-found", kind="bool", usage="An object that does not exist is no error."),
        Flag(name="server-print", kind="bool", default=True, usage="Let the server make the table."),
        Flag(name="no-headers", kind="bool", usage="Print no headings."),
        Flag(name="show-labels", kind="bool", usage="Print all labels as the last column."),
        Flag(name="show-kind", kind="bool", usage="Print the kind before each name."),
        Flag(name="sort-by", usage="Sort lists by this field, a JSONPath such as '{.metadata.name}'."),
        Flag(
            name="label-columns",
            short="L",
            kind="strings",
            usage="Labels to print as columns, separated by commas; may be repeated.",
        ),
        Flag(name="subresource", usage="Get this subresource of the object."),
    ),
    run=run,
)

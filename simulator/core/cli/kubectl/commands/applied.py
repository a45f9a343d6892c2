"""`kubectl apply view-last-applied | set-last-applied | edit-last-applied` (`apply_view_last_applied.go` …)."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

from ....host.program import Wait
from ... import goyaml
from ...cobra import Command, Flag
from ..builder import Builder, Info
from ..create.base import LAST_APPLIED
from ..editing import Editing
from ..errors import CommandError, UsageError, raise_all
from ..flagsets import (
    dry_run,
    dry_run_flag,
    dry_run_suffix,
    field_manager_flag,
    file_arguments,
    file_flags,
    filename_flag,
    print_flags,
    record_flag,
    selector_flag,
    validate_flag,
    validation,
)
from ..jsontext import compact, indented
from ..patches import send
from ..printers import Output
from ..session import Session

Obj = dict[str, Any]


def _view(s: Session) -> int:
    values = s.values
    form = values.text("output")
    builder = Builder(
        s, args=values.args, **file_arguments(s), selector=values.text("selector"), allow_empty=values.on("all"), latest=True
    )
    for info in builder.infos():
        stored = ((info.obj or {})["metadata"].get("annotations") or {}).get(LAST_APPLIED)
        if stored is None:
            # the real client means to say that there is none, and drops the message
            continue
        if form not in ("yaml", "json"):
            raise UsageError(s.command, f"Unexpected -o output mode: {form}, the flag 'output' must be one of yaml|json")
        found = json.loads(stored)
        s.out(indented(found, 2) + "\n" if form == "json" else goyaml.dump(found))
    raise_all(builder.errors)
    return 0


def _set(s: Session) -> int:
    values = s.values
    strategy, output = dry_run(s), Output(s)
    builder = Builder(s, **file_arguments(s), fetch=False)
    for info in builder.infos():
        wanted = compact(info.obj) + "\n"  # the manifest as it is: apply itself adds an empty map of annotations
        live = s.get(info.mapping.kind, info.namespace, info.name, version=info.mapping.version)
        stored = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
        if stored is None and not values.on("create-annotation"):
            raise CommandError(f"no last-applied-configuration annotation found on resource: {info.name}, to create the annotation, run the command "
                               "with --create-annotation")  # fmt: skip
        if stored is not None and stored == wanted:
            s.out(f"set-last-applied {info.name}: no changes required.\n")
            continue
        patch = {"metadata": {"annotations": {LAST_APPLIED: wanted}}}
        result = live
        if strategy != "client":
            result = send(
                s,
                info.mapping,
                info.namespace,
                info.name,
                patch,
                "merge",
                manager="kubectl-last-applied",
                dry=strategy == "server",
            )
        output.done(result, "configured" + dry_run_suffix(strategy))
    raise_all(builder.errors)
    return 0


def _edit(s: Session) -> Generator[Wait, Any, int]:
    values = s.values
    directive = validation(s)
    builder = Builder(s, args=values.args, **file_arguments(s), latest=True, allow_empty=True)
    infos = builder.infos()
    raise_all(builder.errors)
    applied = []
    for info in infos:
        stored = ((info.obj or {})["metadata"].get("annotations") or {}).get(LAST_APPLIED)
        if stored is not None:
            applied.append(Info(info.mapping, info.namespace, info.name, json.loads(stored)))
    if not applied:
        raise CommandError("no last-applied-configuration annotation found on resources, to create the annotation, use command "
                           "`kubectl apply set-last-applied --create-annotation`")  # fmt: skip
    manager = values.text("field-manager") or "kubectl-client-side-apply"
    yield from Editing(s, "apply", applied, manager=manager, directive=directive).run()
    return 0


VIEW_LAST = Command(
    "view-last-applied (TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)",
    short="View the latest last-applied-configuration annotations of a resource/object",
    long="Print what was last applied, from the annotation, as YAML or JSON.",
    example="# A deployment's, as YAML\nkubectl apply view-last-applied deployment/nginx",
    flags=(
        Flag(name="all", kind="bool", usage="All resources of the given types in the namespace"),
        Flag(name="output", short="o", default="yaml", usage="yaml or json"),
        *file_flags("Files, directories or URLs that name the resources."),
        selector_flag(),
    ),
    run=_view,
)
SET_LAST = Command(
    "set-last-applied -f FILENAME",
    short="Set the last-applied-configuration annotation on a live object to match the contents of a file",
    long="Write the content of a file into the annotation, as apply would, and change nothing else.",
    example="# From a file\nkubectl apply set-last-applied -f deploy.yaml",
    flags=(
        *print_flags(),
        Flag(name="create-annotation", kind="bool", usage="Make the annotation when there is none"),
        filename_flag("Files, directories or URLs with the configuration."),
        dry_run_flag(),
    ),
    run=_set,
)
EDIT_LAST = Command(
    "edit-last-applied (RESOURCE/NAME | -f FILENAME)",
    short="Edit latest last-applied-configuration annotations of a resource/object",
    long="Edit the latest last-applied-configuration annotations of resources in the editor of KUBE_EDITOR or EDITOR, else vi.",
    example="# A deployment's, as YAML\nkubectl apply edit-last-applied deployment/nginx\n\n# As JSON\nkubectl apply edit-last-applied deployment/nginx -o json",
    flags=(
        *print_flags(),
        *file_flags("Files, directories or URLs that name the resources"),
        Flag(name="windows-line-endings", kind="bool", usage="Use CR LF line ends."),
        field_manager_flag("kubectl-client-side-apply"),
        validate_flag(),
        record_flag(),
    ),
    run=_edit,
)

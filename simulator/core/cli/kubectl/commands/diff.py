"""`kubectl diff` (`kubectl/pkg/cmd/diff/diff.go`): the live objects against what apply would make of them."""

from __future__ import annotations

import difflib
import json
from typing import Any

from ....kernel.clock import to_datetime
from ....kube.api.errors import ApiError
from ... import goyaml
from ...cobra import Command, Flag
from ..builder import Builder, Info
from ..create.base import LAST_APPLIED, with_last_applied
from ..errors import Silent, is_not_found, raise_all
from ..flagsets import field_manager_flag, file_arguments, file_flags, require_files, selector_flag, unsupported
from ..patches import send, type_of
from ..printers import without_managed_fields
from ..session import Session
from ..threeway import json_merge, strategic

Obj = dict[str, Any]


def run(s: Session) -> int:
    """Print the differences; status 1 when there are any."""
    require_files(s)
    builder = Builder(s, **file_arguments(s), selector=s.values.text("selector"), fetch=False, eager=False)
    pairs: list[tuple[str, str, str]] = []
    for info in builder.infos():
        live = _live(s, info)
        merged = _merged(s, info, live)
        group = f"{info.mapping.kind.group}." if info.mapping.kind.group else ""
        name = f"{group}{info.mapping.version}.{info.mapping.kind.kind}.{info.namespace}.{info.name}"
        before, after = _text(s, live, info), _text(s, merged, info)
        if before != after:
            pairs.append((name, before, after))
    raise_all(builder.errors)
    rng = s.world.rng("kubectl-diff")
    folders = [f"/tmp/{word}-{rng.between(10**8, 4 * 10**9)}" for word in ("LIVE", "MERGED")] if pairs else []
    for name, before, after in pairs:
        s.out(_unified(s, f"{folders[0]}/{name}", f"{folders[1]}/{name}", before, after))
    if pairs:
        raise Silent(1)
    return 0


def _live(s: Session, info: Info) -> Obj | None:
    try:
        found: Obj = s.call("GET", info.path())
    except ApiError as error:
        if is_not_found(error):
            return None
        raise
    return found


def _merged(s: Session, info: Info, live: Obj | None) -> Obj:
    """What the object would be, by a dry run on the server."""
    values, wanted = s.values, info.obj or {}
    if values.on("server-side"):
        manager = values.text("field-manager") or "kubectl"
        return send(
            s,
            info.mapping,
            info.namespace,
            info.name,
            wanted,
            "apply",
            manager=manager,
            dry=True,
            force=values.on("force-conflicts"),
        )
    modified = with_last_applied(wanted)
    manager = values.text("field-manager")
    if live is None:
        created: Obj = s.call(
            "POST", info.mapping.path(info.namespace), query={"dryRun": "All", "fieldManager": manager}, obj=modified
        )
        return created
    stored = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    original = json.loads(stored) if stored else {}
    if stored is None:
        # Nothing was ever applied: what diff compares is the manifest without the annotation.
        modified = wanted
    kind = type_of(info.mapping)
    patch = strategic(original, modified, live, kind) if kind is not None else json_merge(original, modified, live)
    held = (patch.get("metadata") or {}).get("annotations") or {}
    held.pop(LAST_APPLIED, None)
    if patch.get("metadata") is not None and not held:
        patch["metadata"].pop("annotations", None)
    if not patch or patch == {"metadata": {}}:
        return live
    return send(
        s, info.mapping, info.namespace, info.name, patch, "strategic" if kind is not None else "merge", manager=manager, dry=True
    )


def _text(s: Session, obj: Obj | None, info: Info) -> str:
    if obj is None:
        return ""
    shown = obj if s.values.on("show-managed-fields") else without_managed_fields(obj)
    if info.mapping.kind.kind == "Secret":
        shown = {**shown, "data": dict.fromkeys(shown.get("data") or {}, "***")}
    return goyaml.dump(shown)


def _unified(s: Session, left: str, right: str, before: str, after: str) -> str:
    now = to_datetime(s.world.wall)
    stamp = f"{now:%Y-%m-%d %H:%M:%S}.{s.world.wall % 10**9:09d} +0000"
    lines = list(difflib.unified_diff(before.splitlines(True), after.splitlines(True), left, right, stamp, stamp))
    return f"diff -u -N {left} {right}\n" + "".join(lines)


COMMAND = Command(
    "diff -f FILENAME",
    short="Diff the live version against a would-be applied version",
    long="""Diff configurations specified by file name or stdin between the current online configuration, and the configuration as it would be if applied.

 Exit status: 0 no differences, 1 differences, more than 1 an error.""",
    example="# What pod.json would change\nkubectl diff -f pod.json\n\n# From standard input\ncat service.yaml | kubectl diff -f -",
    flags=(
        *file_flags("Files, directories or URLs with the configuration"),
        selector_flag(),
        Flag(name="server-side", kind="bool", usage="As a server-side apply."),
        Flag(name="force-conflicts", kind="bool", usage="With --server-side: take fields over."),
        Flag(name="show-managed-fields", kind="bool", usage="Compare managedFields too."),
        Flag(name="concurrency", support="inert", kind="int", default=1, usage="Objects compared at once."),
        Flag(name="prune", kind="bool", usage="Show what --prune would delete."),
        field_manager_flag("kubectl-client-side-apply"),
        *unsupported("array", prune_allowlist="Kinds that --prune may delete."),
        *unsupported("bool", show_secrets="Show the values of secrets."),
    ),
    run=run,
)

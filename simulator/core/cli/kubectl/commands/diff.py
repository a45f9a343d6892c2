"""`kubectl diff` (`kubectl/pkg/cmd/diff/diff.go`): the live objects against what apply would make of them."""

from __future__ import annotations

import difflib
import errno
import json
import re
from collections.abc import Generator
from typing import Any

from ....host import files
from ....host.program import Wait
from ....host.tasks import resolve
from ....kernel.clock import to_datetime
from ....kube.api.errors import ApiError
from ....kube.api.kinds import KindInfo
from ... import goyaml
from ...cobra import Command, Flag
from ...flags import quote
from ..builder import Builder, Info
from ..create.base import LAST_APPLIED
from ..errors import CommandError, Silent, is_not_found, raise_all
from ..flagsets import field_manager_flag, file_arguments, file_flags, require_files, selector_flag
from ..patches import send, type_of
from ..printers import without_managed_fields
from ..pruning import allowed, candidates
from ..session import Session
from ..threeway import json_merge, strategic

Obj = dict[str, Any]


def run(s: Session) -> Generator[Wait, Any, int]:
    """Print the differences; status 1 when there are any."""
    require_files(s)
    values = s.values
    if values.on("force-conflicts") and not values.on("server-side"):
        raise CommandError("--force-conflicts only works with --server-side")
    listed = allowed(s, values.items("prune-allowlist")) if values.on("prune") else []
    builder = Builder(s, **file_arguments(s), selector=values.text("selector"), fetch=False, eager=False)
    #: Name of the file, and its content before and after; None where there is none.
    pairs: dict[str, tuple[str | None, str | None]] = {}
    visited: set[str] = set()
    namespaces: list[str] = []
    for info in builder.infos():
        live = _live(s, info)
        merged = _merged(s, info, live)
        name = _name(info.mapping.kind, info.mapping.version, info.namespace, info.name)
        pairs[name] = _texts(s, live, merged)
        visited.add(((live or {}).get("metadata") or {}).get("uid", ""))
        if info.namespace and info.namespace not in namespaces:
            namespaces.append(info.namespace)
    raise_all(builder.errors)
    if values.on("prune"):
        for kind, obj in candidates(s, listed, namespaces, visited):
            meta = obj["metadata"]
            pairs[_name(kind, kind.version, meta.get("namespace", ""), meta["name"])] = goyaml.dump(obj), None
    rng = s.world.rng("kubectl-diff")
    program = s.inv.env.get("KUBECTL_EXTERNAL_DIFF", "")
    changed = {name: pair for name, pair in sorted(pairs.items()) if pair[0] != pair[1]}
    if not changed and not program:
        return 0
    folders = [f"/tmp/{word}-{rng.between(10**8, 4 * 10**9)}" for word in ("LIVE", "MERGED")]
    if program:
        return (yield from _external(s, program.split(" "), folders, pairs))
    for name, (before, after) in changed.items():
        s.out(_unified(s, f"{folders[0]}/{name}", f"{folders[1]}/{name}", before or "", after or ""))
    raise Silent(1)


#: Arguments of a diff program that are passed on; what else the variable holds is dropped (`DiffProgram.getCommand`).
_ARGUMENT = re.compile(r"[a-zA-Z0-9-=]+")


def _external(
    s: Session, program: list[str], folders: list[str], pairs: dict[str, tuple[str | None, str | None]]
) -> Generator[Wait, Any, int]:
    """Write both versions below two directories and run the program of KUBECTL_EXTERNAL_DIFF on these."""
    inv = s.inv
    for folder, at in zip(folders, (0, 1), strict=True):
        files.make_dir(s.world, inv.host, folder, mnt=inv.proc.mnt, mode=0o700, uid=inv.uid, gid=inv.gid)
        for name, pair in pairs.items():
            text = pair[at]
            if text is not None:
                inv.write_file(f"{folder}/{name}", text.encode(), mode=0o700)
    try:
        resolve(inv.host, inv.proc.mnt, program[0], cwd=inv.cwd, path=inv.env.get("PATH", ""), user=inv.proc.user)
    except OSError as error:
        missing = error.errno == errno.ENOENT
        why = "executable file not found in $PATH" if missing else f"fork/exec {program[0]}: {(error.strerror or '').lower()}"
        raise CommandError(f"failed to run {quote(program[0])}: {why}") from None
    try:
        code = yield from inv.run([program[0], *folders, *(word for word in program[1:] if _ARGUMENT.fullmatch(word))])
    finally:
        for folder in folders:
            files.remove_file(s.world, inv.host, folder, mnt=inv.proc.mnt, recursive=True)
    if code:
        raise Silent(code)
    return 0


def _name(kind: KindInfo, version: str, namespace: str, name: str) -> str:
    """The file of an object: `apps.v1.Deployment.default.web`."""
    return f"{kind.group + '.' if kind.group else ''}{version}.{kind.kind}.{namespace}.{name}"


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
    manager = values.text("field-manager")
    if live is None:
        created: Obj = s.call(
            "POST", info.mapping.path(info.namespace), query={"dryRun": "All", "fieldManager": manager}, obj=wanted
        )
        return created
    stored = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    original = json.loads(stored) if stored else {}
    kind = type_of(info.mapping)
    meta = wanted.get("metadata") or {}
    annotations = {key: value for key, value in (meta.get("annotations") or {}).items() if key != LAST_APPLIED}
    wanted = {**wanted, "metadata": {**meta, "annotations": annotations}}
    patch = strategic(original, wanted, live, kind) if kind is not None else json_merge(original, wanted, live)
    if not patch:
        return live
    patch = {**patch, "metadata": {**(patch.get("metadata") or {}), "resourceVersion": live["metadata"]["resourceVersion"]}}
    return send(
        s, info.mapping, info.namespace, info.name, patch, "strategic" if kind is not None else "merge", manager=manager, dry=True
    )


def _texts(s: Session, before: Obj | None, after: Obj | None) -> tuple[str | None, str | None]:
    """Both versions as YAML; the values of secrets are masked so that one sees which differ (`Masker`)."""
    nothing: str | None = None
    sides = [obj if obj is None or s.values.on("show-managed-fields") else without_managed_fields(obj) for obj in (before, after)]
    secret = any(obj is not None and (obj.get("apiVersion"), obj.get("kind")) == ("v1", "Secret") for obj in sides)
    if secret and not s.values.on("show-secrets"):
        sides = _masked(sides)
        nothing = "null\n"  # what masking makes of an object that is not there
    one, two = (nothing if obj is None else goyaml.dump(obj) for obj in sides)
    return one, two


def _masked(sides: list[Obj | None]) -> list[Obj | None]:
    held = [dict((obj or {}).get("data") or {}) for obj in sides]
    shown: list[Obj] = [{}, {}]
    for at, word in ((0, "before"), (1, "after")):
        for key, value in held[at].items():
            other = held[1 - at]
            shown[at][key] = f"*** ({word})" if key in other and other[key] != value else "***"
    return [
        {**obj, "data": shown[at]} if obj is not None and obj.get("data") is not None else obj for at, obj in enumerate(sides)
    ]


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
        Flag(name="prune-allowlist", kind="array", usage="Kinds that --prune may delete."),
        Flag(name="show-secrets", kind="bool", usage="Show the values of secrets."),
    ),
    run=run,
)

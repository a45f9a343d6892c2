"""`kubectl patch` and `kubectl replace` (`kubectl/pkg/cmd/patch/patch.go`, `replace/replace.go`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ....host.program import Wait
from ....kube.api.errors import ApiError
from ... import goyaml
from ...cobra import Command, Flag
from ...flags import quote
from ..builder import Builder, Info
from ..create.base import with_last_applied
from ..errors import CommandError, UsageError, is_not_found, raise_all, with_source
from ..flagsets import (
    dry_run,
    dry_run_flag,
    dry_run_suffix,
    field_manager_flag,
    file_arguments,
    file_flags,
    print_flags,
    record_flag,
    require_files,
    save_config_flag,
    validate_flag,
    validation,
)
from ..patches import apply_local, send
from ..printers import Output, reference
from ..rawbody import body_of_json, raw_body
from ..recording import record_after, recorded
from ..session import Session
from ..waiting import WEEK, gone, until
from .delete import CASCADES, Deletion

Obj = dict[str, Any]
KINDS = ("json", "merge", "strategic")


def run(s: Session) -> int:
    """Patch each object."""
    values = s.values
    if values.text("patch") and values.text("patch-file"):
        raise CommandError("cannot specify --patch and --patch-file together")
    if not values.text("patch") and not values.text("patch-file"):
        raise CommandError("must specify --patch or --patch-file containing the contents of the patch")
    if values.on("local") and len(values.args) != 0:
        raise CommandError("cannot specify --local and server resources")
    if values.text("type").lower() not in KINDS:
        raise CommandError(f"--type must be one of [{' '.join(KINDS)}], not {quote(values.text('type'))}")
    form, strategy, output = values.text("type").lower(), dry_run(s), Output(s)
    patch = _read(s)
    local = values.on("local")
    builder = Builder(s, args=values.args, **file_arguments(s), subresource=values.text("subresource"), local=local)
    infos = builder.infos()
    errors = builder.errors
    for info in infos:
        try:
            before = info.obj or {}
            if local or strategy == "client":
                after = apply_local(info.mapping, before, patch, form)
            else:
                after = send(s, info.mapping, info.namespace, info.name, patch, form, manager=values.text("field-manager"),
                             dry=strategy == "server", subresource=values.text("subresource"))  # fmt: skip
                if strategy == "none":
                    record_after(s, info.mapping, after)
        except ApiError as error:
            if error.reason == "UnsupportedMediaType" and form == "strategic":
                kind = f"{info.mapping.api_version}, Kind={info.mapping.kind.kind}"
                errors.append(CommandError(f"application/strategic-merge-patch+json is not supported by {kind}: {error.message}"))
            else:
                errors.append(error)
            continue
        _tell(s, output, before, after, local)
    raise_all(errors)
    if not infos:
        raise CommandError("no objects passed to patch")
    return 0


def _read(s: Session) -> Any:
    text = s.values.text("patch")
    if s.values.text("patch-file"):
        path = s.values.text("patch-file")
        try:
            text = s.inv.read_file(path).decode("utf-8", "replace")
        except OSError as error:
            raise CommandError(f"unable to read patch file: open {path}: {(error.strerror or '').lower()}") from None
    if text.lstrip()[:1] == "{":
        # what begins like JSON goes to the server as it is
        return body_of_json(text.encode())
    try:
        return goyaml.load(text)
    except goyaml.YamlError as error:
        raise CommandError(f"unable to parse {quote(text)}: {error}") from None


def _tell(s: Session, output: Output, before: Obj, after: Obj, local: bool) -> None:
    if output.given and output.name != "name":
        output.print(after)
        return
    if output.name == "name":
        s.out(reference(after) + "\n")
        return
    changed = {key: value for key, value in before.items() if key != "metadata"} != {
        key: value for key, value in after.items() if key != "metadata"
    }
    meta = [
        {key: value for key, value in (item.get("metadata") or {}).items() if key != "managedFields"} for item in (before, after)
    ]
    same = not changed and meta[0] == meta[1]
    s.out(f"{reference(after)} patched{' (no change)' if same else ''}\n")


COMMAND = Command(
    "patch (-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]",
    short="Update fields of a resource",
    long="""Update fields of a resource using strategic merge patch, a JSON merge patch, or a JSON patch.

 JSON and YAML are read. Strategic merge patch does not work for custom resources.""",
    example="""# A node, with strategic merge patch
kubectl patch node k8s-node-1 -p '{"spec":{"unschedulable":true}}'

# What a file names
kubectl patch -f node.json -p '{"spec":{"unschedulable":true}}'

# A container's image; the key is its name
kubectl patch pod valid-pod -p '{"spec":{"containers":[{"name":"kubernetes-serve-hostname","image":"new image"}]}}'

# The same with a JSON patch
kubectl patch pod valid-pod --type='json' -p='[{"op": "replace", "path": "/spec/containers/0/image", "value":"new image"}]'

# The size, through its subresource
kubectl patch deployment nginx-deployment --subresource='scale' --type='merge' -p '{"spec":{"replicas":2}}'""",
    flags=(
        *print_flags(),
        *file_flags("Files, directories or URLs that name what to patch"),
        Flag(name="patch", short="p", usage="The patch, as JSON or YAML."),
        Flag(name="patch-file", usage="A file with the patch."),
        Flag(name="type", default="strategic", usage="The type of patch: one of [json merge strategic]"),
        Flag(name="local", kind="bool", usage="Change what the file has and do not ask the server."),
        Flag(name="subresource", usage="Patch this subresource."),
        dry_run_flag(),
        field_manager_flag("kubectl-patch"),
        record_flag(),
    ),
    run=run,
)


def run_replace(s: Session) -> Generator[Wait, Any, int]:
    """`kubectl replace`."""
    values = s.values
    require_files(s)
    if values.args:
        raise UsageError(s.command, f"Unexpected args: [{' '.join(values.args)}]")
    strategy, directive, output = dry_run(s), validation(s), Output(s)
    if values.text("raw"):
        return raw_body(s, "PUT")
    if not values.on("force") and values.number("grace-period") >= 0:
        raise CommandError("--grace-period must have --force specified")
    if not values.on("force") and values.number("timeout"):
        raise CommandError("--timeout must have --force specified")
    if values.on("force") and strategy != "none":
        raise CommandError("--dry-run can not be used when --force is set")
    builder = Builder(s, **file_arguments(s), fetch=False)
    infos, errors = builder.infos(), builder.errors
    if values.on("force"):
        yield from _remove(s, infos)
    for info in infos:
        obj = recorded(s, with_last_applied(info.obj or {}) if values.on("save-config") else info.obj or {})
        query = {"fieldManager": values.text("field-manager"), "fieldValidation": directive}
        if strategy == "server":
            query["dryRun"] = "All"
        try:
            if strategy != "client":
                if values.on("force"):
                    obj = s.call("POST", info.mapping.path(info.namespace), query=query, obj=obj)
                else:
                    obj = _put(s, info, obj, query)
        except ApiError as error:
            errors.append(with_source("replacing", info.source, error))
            continue
        output.done(obj, "replaced" + dry_run_suffix(strategy))
    raise_all(errors)
    if not infos and values.on("force"):
        raise CommandError("no objects passed to replace")
    return 0


def _put(s: Session, info: Info, obj: Obj, query: dict[str, str]) -> Obj:
    meta = obj["metadata"]
    if not meta.get("resourceVersion"):
        # Without one the live object's is taken, so that the replacement is unconditional.
        live = s.call("GET", info.path())
        obj = {**obj, "metadata": {**meta, "resourceVersion": live["metadata"].get("resourceVersion", "")}}
    answer: Obj = s.call("PUT", info.path(s.values.text("subresource")), query=query, obj=obj)
    return answer


def _remove(s: Session, infos: list[Info]) -> Generator[Wait, Any, None]:
    values = s.values
    grace = values.number("grace-period") or 1  # zero waits for the object like any other
    deletion = Deletion(
        s,
        grace=grace,
        cascade=values.text("cascade").lower() if values.text("cascade").lower() in CASCADES else "",
        strategy="none",
    )
    for info in infos:
        try:
            uid = deletion.delete(info)
        except ApiError as error:
            if not is_not_found(error):
                raise
            continue
        yield from until(s, info, gone(uid), s.world.now + (values.number("timeout") or WEEK))


REPLACE = Command(
    "replace -f FILENAME",
    short="Replace a resource by file name or stdin",
    long="""Replace a resource by file name or stdin.

 JSON and YAML are read. The whole specification must be given, as `kubectl get TYPE NAME -o yaml` prints it.""",
    example="""# From pod.json
kubectl replace -f ./pod.json

# From standard input
cat pod.json | kubectl replace -f -

# Delete and create anew
kubectl replace --force -f ./pod.json""",
    flags=(
        *print_flags(),
        *file_flags("Files, directories or URLs to replace with."),
        record_flag(),
        Flag(
            name="cascade",
            default="background",
            no_opt="background",
            usage="What happens to dependents: background, orphan or foreground.",
        ),
        Flag(name="force", kind="bool", usage="Delete and create anew."),
        Flag(name="grace-period", kind="int", default=-1, usage="With --force: seconds to end."),
        Flag(name="raw", usage="PUT this path."),
        Flag(name="subresource", usage="Replace this subresource."),
        Flag(name="timeout", kind="duration", usage="How long to wait for a deletion."),
        Flag(name="wait", kind="bool", usage="Wait until deleted resources are gone."),
        validate_flag(),
        save_config_flag(),
        dry_run_flag(),
        field_manager_flag("kubectl-replace"),
    ),
    run=run_replace,
)

"""`kubectl apply` (`kubectl/pkg/cmd/apply/apply.go`, `patcher.go`, `prune.go`)."""

from __future__ import annotations

import json
from typing import Any

from ....kube.api.errors import ApiError
from ....kube.api.kinds import KindInfo
from ...cobra import Command, Flag
from ...flags import quote
from ..applyset import ApplySet, enabled
from ..builder import Builder, Info
from ..create.base import LAST_APPLIED, with_last_applied
from ..csaupgrade import keep_annotation, migrate
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
    selector_flag,
    validate_flag,
    validation,
)
from ..jsontext import compact
from ..patches import apply_local, send, type_of
from ..printers import Output
from ..pruning import allowed, candidates
from ..recording import recorded
from ..session import Session
from ..threeway import json_merge, strategic
from .applied import EDIT_LAST, SET_LAST, VIEW_LAST
from .delete import cascade

Obj = dict[str, Any]
CONFLICT_HELP = """
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"""
MISSING = ("resource {0} is missing the " + LAST_APPLIED + " annotation which is required by kubectl apply. kubectl apply should only be used on resources "
           "created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched "
           "automatically.")  # fmt: skip
#: What --prune looks at when nothing is listed, in order.


class Applier:
    """One run of apply."""

    def __init__(self, s: Session) -> None:
        values = s.values
        self.s = s
        self.strategy = dry_run(s)
        cascade(s)
        require_files(s)
        self.directive = validation(s)
        self.server_side = values.on("server-side")
        self._check()
        self.listed = allowed(s, values.items("prune-allowlist")) if values.on("prune") else []
        self.manager = "kubectl" if self.server_side else "kubectl-client-side-apply"
        if "field-manager" in values.changed:
            self.manager = values.text("field-manager")
        self.output = Output(s)
        self.set = ApplySet(s, values.text("applyset"), self.strategy, self.directive) if values.text("applyset") else None
        if self.set is not None:
            self._check_set(self.set)
        self.visited: set[str] = set()
        self.namespaces: list[str] = []
        self.later: list[Obj] = []

    def _check(self) -> None:
        values = self.s.values
        if values.on("force-conflicts") and not self.server_side:
            raise CommandError("--force-conflicts only works with --server-side")
        if self.strategy == "client" and self.server_side:
            raise CommandError("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)")
        if self.server_side and values.on("force"):
            raise CommandError("--force cannot be used with --server-side")
        if self.strategy == "server" and values.on("force"):
            raise CommandError("--dry-run=server cannot be used with --force")
        if values.on("all") and values.text("selector"):
            raise CommandError("cannot set --all and --selector at the same time")
        if values.on("prune") and values.on("force"):
            raise CommandError("--force cannot be used with --prune")
        if values.on("prune") and not values.on("all") and not values.text("selector") and not values.text("applyset"):
            raise CommandError("all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did "
                               "not mean to prune all resources, specify a label selector")  # fmt: skip
        if values.on("prune") and self.server_side and not values.text("applyset"):
            raise CommandError("--prune is in alpha and doesn't currently work on objects created by server-side apply")
        if values.text("subresource") and not self.server_side:
            raise CommandError("--subresource can only be specified for --server-side")

    def _check_set(self, found: ApplySet) -> None:
        values = self.s.values
        if not values.on("prune"):
            raise CommandError("--applyset requires --prune")
        found.validate()
        for flag in ("all", "selector", "prune-allowlist"):
            if flag in values.changed:
                raise CommandError(f"--{flag} is incompatible with --applyset")

    def say(self, obj: Obj, word: str) -> None:
        """Tell, or keep for the one list that -o prints."""
        if self.output.given and self.output.name != "name":
            self.later.append(obj)
        else:
            self.output.done(obj, word + dry_run_suffix(self.strategy))

    def mark(self, info: Info, obj: Obj) -> None:
        """Remember for --prune."""
        self.visited.add((obj.get("metadata") or {}).get("uid", ""))
        if info.namespace and info.namespace not in self.namespaces:
            self.namespaces.append(info.namespace)

    # -- one object -------------------------------------------------------------------------------------------------------
    def apply(self, info: Info) -> None:
        """Apply one object."""
        obj = recorded(self.s, info.obj or {})
        meta = obj.get("metadata") or {}
        if not info.name and meta.get("generateName"):
            raise CommandError(f"from {meta['generateName']}: cannot use generate name with apply")
        if self.server_side:
            self._server_side(info, obj)
            return
        modified = with_last_applied(obj)
        builder = Builder(self.s)
        try:
            live = Info(info.mapping, info.namespace, info.name)
            builder.retrieve(live)
        except (ApiError, CommandError) as error:
            if not is_not_found(error):
                group = f"{info.mapping.kind.group}/{info.mapping.version}"
                told = (f"retrieving current configuration of:\nResource: {quote(f'{group}, Resource={info.mapping.kind.plural}')}, GroupVersionKind: "
                        f"{quote(f'{group}, Kind={info.mapping.kind.kind}')}\nName: {quote(info.name)}, Namespace: {quote(info.namespace)}\n"
                        "from server for:")  # fmt: skip
                raise with_source(told, info.source, error) from None
            self._create(info, modified)
            return
        self._update(info, modified, live.obj or {})

    def _server_side(self, info: Info, obj: Obj) -> None:
        applied = self._send_apply(info, obj)
        if self.strategy == "none" and not self.s.values.text("subresource"):
            try:
                applied = keep_annotation(self.s, info, applied, self.manager)
                if migrate(self.s, info, applied, self.manager):
                    applied = self._send_apply(info, obj)
            except ApiError as error:
                self.s.err(f"Warning: server rejected managed fields migration to Server-Side Apply. This is non-fatal and will be retried next time "
                           f"you apply. Error: {error.message}\n")  # fmt: skip
        self.mark(info, applied)
        self.say(applied, "serverside-applied")

    def _send_apply(self, info: Info, obj: Obj) -> Obj:
        try:
            return send(self.s, info.mapping, info.namespace, info.name, obj, "apply", manager=self.manager, dry=self.strategy == "server",
                        subresource=self.s.values.text("subresource"), directive=self.directive,
                        force=self.s.values.on("force-conflicts"))  # fmt: skip
        except ApiError as error:
            if error.reason == "Conflict":
                raise CommandError(error.message + CONFLICT_HELP) from None
            raise

    def _create(self, info: Info, modified: Obj) -> None:
        obj = without_nulls(modified)
        if self.strategy != "client":
            query = {"fieldManager": self.manager, "fieldValidation": self.directive}
            if self.strategy == "server":
                query["dryRun"] = "All"
            try:
                obj = self.s.call("POST", info.mapping.path(info.namespace), query=query, obj=obj)
            except ApiError as error:
                raise with_source("creating", info.source, error) from None
        self.mark(info, obj)
        self.say(obj, "created")

    def _update(self, info: Info, modified: Obj, live: Obj) -> None:
        self.mark(info, live)
        stored = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
        if stored is None:
            self.s.err("Warning: " + MISSING.format(info.label) + "\n")
        original: Obj = {}
        if stored:
            try:
                original = json.loads(stored)
            except ValueError:
                original = {}
        kind = type_of(info.mapping)
        patch = strategic(original, modified, live, kind) if kind is not None else json_merge(original, modified, live)
        if not patch:
            self.say(live, "unchanged")
            return
        form = "strategic" if kind is not None else "merge"
        if self.strategy == "client":
            result = apply_local(info.mapping, live, patch, form)
        else:
            result = self._patch(info, modified, patch, form)
        if result["metadata"].get("deletionTimestamp"):
            self.s.err("Warning: Detected changes to resource " + info.name + " which is currently being deleted.\n")
        self.say(result, "configured")

    def _patch(self, info: Info, modified: Obj, patch: Obj, form: str) -> Obj:
        try:
            return send(self.s, info.mapping, info.namespace, info.name, patch, form, manager=self.manager, dry=self.strategy == "server",
                        directive=self.directive)  # fmt: skip
        except ApiError as error:
            if self.s.values.on("force") and error.reason in ("Conflict", "Invalid"):
                self.s.call(
                    "DELETE", info.path(), obj={"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
                )
                created: Obj = self.s.call(
                    "POST", info.mapping.path(info.namespace), query={"fieldManager": self.manager}, obj=modified
                )
                return created
            group = f"{info.mapping.kind.group}/{info.mapping.version}"
            told = (f"applying patch:\n{compact(patch)}\nto:\nResource: {quote(f'{group}, Resource={info.mapping.kind.plural}')}, GroupVersionKind: "
                    f"{quote(f'{group}, Kind={info.mapping.kind.kind}')}\nName: {quote(info.name)}, Namespace: {quote(info.namespace)}\nfor:")  # fmt: skip
            raise with_source(told, info.source, with_source("patching", info.source, error)) from None

    # -- pruning ----------------------------------------------------------------------------------------------------------
    def prune(self) -> None:
        """Delete what was applied before and is no longer in the files."""
        s = self.s
        if self.set is not None:
            found = [(mapping.kind, obj) for mapping, obj in self.set.gone(self.visited)]
        else:
            found = list(candidates(s, self.listed, self.namespaces, self.visited))
        for kind, obj in found:
            self._prune_one(kind, obj)
        if self.set is not None:
            self.set.finish()

    def _prune_one(self, kind: KindInfo, obj: Obj) -> None:
        s = self.s
        meta = obj["metadata"]
        if self.strategy != "client":
            options: Obj = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
            if self.strategy == "server":
                options["dryRun"] = ["All"]
            s.call("DELETE", kind.path(meta.get("namespace", ""), meta["name"]), obj=options)
        self.say(obj, "pruned")


def without_nulls(value: Any) -> Any:
    """An object without its null members."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def run(s: Session) -> int:
    """Apply every object, then prune, then print what -o asked for."""
    if s.values.args:
        raise UsageError(s.command, f"Unexpected args: [{' '.join(s.values.args)}]")
    if "applyset" in s.values.changed and not enabled(s):
        raise CommandError(f"unknown flag: --applyset\nSee '{s.command.path} --help' for usage.")
    applier = Applier(s)
    builder = Builder(s, **file_arguments(s), selector=s.values.text("selector"), fetch=False)
    infos, errors = builder.infos(), builder.errors
    if not infos and not errors:
        raise CommandError("no objects passed to apply")
    if applier.set is not None and not errors:
        applier.set.label(infos)
        applier.set.before(infos)
    for info in infos:
        try:
            applier.apply(info)
        except (ApiError, CommandError) as error:
            errors.append(error)
    if errors:
        _print(applier)
        raise_all(errors)
    if s.values.on("prune"):
        applier.prune()
    _print(applier)
    return 0


def _print(applier: Applier) -> None:
    later = applier.later
    if len(later) == 1:
        applier.output.print(later[0])
    elif later:
        applier.output.print({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": later})


COMMAND = Command(
    "apply (-f FILENAME | -k DIRECTORY)",
    short="Apply a configuration to a resource by file name or stdin",
    long="""Apply a configuration to a resource by file name or stdin.

 The resource is created when it does not exist. Name and kind must be given.

 JSON and YAML are read.""",
    example="""# From pod.json
kubectl apply -f ./pod.json

# A kustomization
kubectl apply -k dir/

# From standard input
cat pod.json | kubectl apply -f -

# And delete what has label app=nginx and is no longer in the file
kubectl apply --prune -f manifest.yaml -l app=nginx""",
    flags=(
        *print_flags(),
        *file_flags("Files, directories or URLs with the configuration to apply."),
        Flag(name="all", kind="bool", usage="With --prune: consider every resource of the namespaces."),
        Flag(
            name="overwrite",
            kind="bool",
            default=True,
            usage="Resolve conflicts between the files and the live object in favour of the files.",
        ),
        Flag(
            name="cascade",
            default="background",
            no_opt="background",
            usage="What happens to dependents: background, orphan or foreground.",
        ),
        Flag(name="force", kind="bool", usage="Delete and create anew what cannot be changed."),
        Flag(
            name="grace-period", kind="int", default=-1, usage="Seconds that a deleted resource is given; negative for its own."
        ),
        Flag(name="timeout", kind="duration", usage="How long to wait for a deletion; zero decides from the object."),
        Flag(name="wait", kind="bool", usage="Wait until deleted resources are gone."),
        Flag(name="prune", kind="bool", usage="Delete what was applied before and is not in the files."),
        Flag(
            name="prune-allowlist",
            kind="array",
            usage="A resource that --prune considers, as <group/version/kind>; may be repeated.",
        ),
        Flag(
            name="applyset",
            hidden=True,
            usage="Prune by this ApplySet, [RESOURCE][.GROUP]/NAME; KUBECTL_APPLYSET=true in the environment.",
        ),
        Flag(
            name="openapi-patch",
            support="inert",
            kind="bool",
            default=True,
            usage="Make patches with the help of the server's schema.",
        ),
        Flag(name="server-side", kind="bool", usage="Let the server apply."),
        Flag(name="force-conflicts", kind="bool", usage="With --server-side: take fields over from other managers."),
        Flag(name="subresource", usage="With --server-side: apply to this subresource."),
        selector_flag(),
        validate_flag(),
        dry_run_flag(),
        field_manager_flag("kubectl-client-side-apply"),
        record_flag(),
    ),
    commands=(EDIT_LAST, SET_LAST, VIEW_LAST),
    run=run,
)

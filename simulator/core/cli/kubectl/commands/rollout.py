"""`kubectl rollout …` (`kubectl/pkg/cmd/rollout`, `polymorphichelpers/{history,rollback,rollout_status}.go`)."""

from __future__ import annotations

from typing import Any

from ....kernel import clock
from ....kube.api import objects
from ....kube.api.errors import ApiError
from ...cobra import Command, Flag
from ...flags import quote
from ...tabwriter import align
from ..builder import Info
from ..create.base import LAST_APPLIED
from ..describe.doc import Doc, selector_text
from ..describe.pods import template as describe_template
from ..describe.workloads import HASH, owned_replica_sets, same_template
from ..errors import CommandError, raise_all
from ..flagsets import (
    dry_run,
    dry_run_flag,
    dry_run_suffix,
    field_manager_flag,
    file_flags,
    print_flags,
    selector_flag,
)
from ..groups import group_run
from ..patches import send
from ..printers import Output
from ..recording import CAUSE
from ..session import Session
from .rollout_status import REVISION, infos_of, run_status

Obj = dict[str, Any]
MANAGED = (
    "Warning: resource {0} was previously managed with 'kubectl apply'. Rolling back will not update the {1} annotation, which may cause "
    "unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file instead.\n"
)


# -- history ------------------------------------------------------------------------------------------------------------------


def revisions(s: Session, info: Info) -> dict[int, Obj]:
    """Pod templates (with change causes in their annotations) by revision."""
    obj, kind = info.obj or {}, info.mapping.kind.kind
    out: dict[int, Obj] = {}
    if kind == "Deployment":
        for item in owned_replica_sets(Doc(s), obj):
            annotations = item["metadata"].get("annotations") or {}
            if annotations.get(REVISION):
                out[int(annotations[REVISION])] = {
                    "template": item["spec"]["template"],
                    "cause": annotations.get(CAUSE, ""),
                    "source": item,
                }
    elif kind in ("DaemonSet", "StatefulSet"):
        query = selector_text(obj["spec"].get("selector"))
        for item in s.list(s.kind("controllerrevisions.apps"), info.namespace, labels="" if query == "<none>" else query):
            if (objects.controller_of(item) or {}).get("uid") == obj["metadata"]["uid"]:
                data = item.get("data") or {}
                template = (data.get("spec") or {}).get("template") or {}
                cause = (item["metadata"].get("annotations") or {}).get(CAUSE, "")
                out[int(item["revision"])] = {
                    "template": {key: value for key, value in template.items() if key != "$patch"},
                    "cause": cause,
                    "source": item,
                }
    else:
        raise CommandError(_no_helper(info, "history", "no history viewer has been implemented for"))
    return out


#: Kinds that have a place in the visitor of kinds (`apps/kind_visitor.go`), and so a message of their own.
VISITED = {("", "Pod"), ("", "ReplicationController"), ("apps", "ReplicaSet"), ("batch", "Job"), ("batch", "CronJob")}


def _no_helper(info: Info, what: str, missing: str) -> str:
    kind = info.mapping.kind
    name = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    if (kind.group, kind.kind) in VISITED:
        return f"{missing} {quote(name)}"
    return f"error retrieving {what} for {quote(name)}, no visitor method exists for {{{kind.group} {kind.kind}}}"


def template_text(s: Session, found: Obj, *, cause: bool = False) -> str:
    """A pod template as history and undo show it: tabs, not aligned."""
    doc = Doc(s, False)
    template = found["template"]
    if cause and found.get("cause"):
        meta = template.get("metadata") or {}
        template = {**template, "metadata": {**meta, "annotations": {**(meta.get("annotations") or {}), CAUSE: found["cause"]}}}
    describe_template(doc, template)
    return "".join(doc.parts)


def run_history(s: Session) -> int:
    """`kubectl rollout history`."""
    wanted = s.values.number("revision")
    if wanted < 0:
        raise CommandError(f"revision must be a positive integer: {wanted}")
    builder, infos = infos_of(s)
    output = Output(s, typed=True)
    for info in infos:
        found = revisions(s, info)
        if output.given:
            chosen = found.get(wanted) if wanted else found.get(max(found, default=0))
            if chosen is None:
                raise CommandError("unable to find the specified revision")
            output.print(chosen["source"])
            continue
        if wanted:
            if wanted not in found:
                raise CommandError("unable to find the specified revision")
            text = template_text(s, found[wanted], cause=True)
        else:
            rows = "".join(f"{number}\t{found[number]['cause'] or '<none>'}\n" for number in sorted(found))
            text = align("REVISION\tCHANGE-CAUSE\n" + rows, padding=2) if found else "No rollout history found."
        s.out(f"{_name(info)} {f'with revision #{wanted}' if wanted else ''}\n{text}\n")
    raise_all(builder.errors)
    return 0


def _name(info: Info) -> str:
    kind = info.mapping.kind
    return f"{kind.kind.lower()}.{kind.group}/{info.name}" if kind.group else f"{kind.kind.lower()}/{info.name}"


# -- undo ---------------------------------------------------------------------------------------------------------------------


def run_undo(s: Session) -> int:
    """`kubectl rollout undo`."""
    strategy = dry_run(s)
    builder, infos = infos_of(s)
    errors = builder.errors
    for info in infos:
        try:
            text = _undo(s, info, strategy)
        except CommandError as error:
            errors.append(error)
            continue
        s.out(f"{_name(info)} {text}{dry_run_suffix(strategy)}\n")
    raise_all(errors)
    return 0


def _undo(s: Session, info: Info, strategy: str) -> str:
    target = s.values.number("to-revision")
    if target < 0:
        raise CommandError(f"unable to find specified revision {target} in history")
    obj = info.obj or {}
    if LAST_APPLIED in (obj["metadata"].get("annotations") or {}):
        s.err(MANAGED.format(info.label, LAST_APPLIED))
    if info.mapping.kind.kind not in ("Deployment", "DaemonSet", "StatefulSet"):
        raise CommandError(_no_helper(info, "rollbacker", "no rollbacker has been implemented for"))
    if info.mapping.kind.kind == "Deployment" and obj["spec"].get("paused") and strategy != "client":
        raise CommandError("you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again")
    found = revisions(s, info)
    if target:
        chosen = found.get(target)
        if chosen is None:
            raise CommandError(f"unable to find specified revision {target} in history")
    else:
        older = sorted(found)[:-1]
        if not older and info.mapping.kind.kind != "Deployment":
            raise CommandError("no last revision to roll back to")
        if not older:
            raise CommandError(f"no rollout history found for {info.mapping.kind.kind.lower()} {quote(info.name)}")
        chosen = found[older[-1]]
    if strategy == "client":
        return template_text(s, chosen)
    if same_template(chosen["template"], obj["spec"]["template"]):
        return f"skipped rollback (current template already matches revision {target})"
    _send_template(s, info, obj, chosen, strategy)
    return "rolled back"


def _send_template(s: Session, info: Info, obj: Obj, chosen: Obj, strategy: str) -> None:
    dry = strategy == "server"
    if info.mapping.kind.kind != "Deployment":
        data = chosen["source"].get("data") or {}
        send(s, info.mapping, info.namespace, info.name, data, "strategic", manager="", dry=dry)
        return
    template = chosen["template"]
    meta = dict(template.get("metadata") or {})
    meta["labels"] = {key: value for key, value in (meta.get("labels") or {}).items() if key != HASH}
    annotations = dict(obj["metadata"].get("annotations") or {})
    kept = {
        key: annotations[key]
        for key in ("kubectl.kubernetes.io/last-applied-configuration", REVISION, "deprecated.deployment.rollback.to")
        if key in annotations
    }
    source = chosen["source"]["metadata"].get("annotations") or {}
    skip = {REVISION, "deployment.kubernetes.io/revision-history", "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas",
            "kubectl.kubernetes.io/last-applied-configuration"}  # fmt: skip
    kept.update({key: value for key, value in source.items() if key not in skip})
    patch = [{"op": "replace", "path": "/spec/template", "value": {**template, "metadata": meta}},
             {"op": "replace", "path": "/metadata/annotations", "value": kept}]  # fmt: skip
    send(s, info.mapping, info.namespace, info.name, patch, "json", manager="", dry=dry)


# -- pause, resume, restart ---------------------------------------------------------------------------------------------------


def run_change(s: Session) -> int:
    """`kubectl rollout pause`, `resume` and `restart`."""
    word = s.command.name
    strategy = dry_run(s) if s.values.has("dry-run") else "none"
    output = Output(s)
    builder, infos = infos_of(s)
    errors = builder.errors
    if not infos and not errors:
        s.err(f"No resources found in {s.namespace} namespace.\n")
        return 0
    for info in infos:
        try:
            patch = _change(s, word, info)
            if not patch:
                raise CommandError(f"failed to create patch for {info.name}: if restart has already been triggered within the past second, "
                                   "please wait before attempting to trigger another")  # fmt: skip
            manager = s.values.text("field-manager")
            result = send(
                s, info.mapping, info.namespace, info.name, patch, "strategic", manager=manager, dry=strategy == "server"
            )
        except (CommandError, ApiError) as error:
            errors.append(error)
            continue
        output.done(result, {"pause": "paused", "resume": "resumed", "restart": "restarted"}[word] + dry_run_suffix(strategy))
    raise_all(errors)
    return 0


def _change(s: Session, word: str, info: Info) -> Obj:
    kind, spec = info.mapping.kind, (info.obj or {}).get("spec") or {}
    label = f"error: {kind.group_resource} {quote(info.name)}"
    if word == "restart":
        if kind.kind not in ("Deployment", "DaemonSet", "StatefulSet"):
            raise CommandError(f"{label} restarting is not supported")
        if spec.get("paused"):
            raise CommandError(f"{label} can't restart paused deployment (run rollout resume first)")
        stamp, key = clock.rfc3339(s.world.wall), "kubectl.kubernetes.io/restartedAt"
        held = ((spec.get("template") or {}).get("metadata") or {}).get("annotations") or {}
        if held.get(key) == stamp:
            return {}
        return {"spec": {"template": {"metadata": {"annotations": {key: stamp}}}}}
    if kind.kind != "Deployment":
        raise CommandError(f"{label} {'pausing' if word == 'pause' else 'resuming'} is not supported")
    if word == "pause":
        if spec.get("paused"):
            raise CommandError(f"{label} is already paused")
        return {"spec": {"paused": True}}
    if not spec.get("paused"):
        raise CommandError(f"{label} is not paused")
    return {"spec": {"paused": None}}


FILES = file_flags("Files, directories or URLs that name the resource.")


def _sub(use: str, short: str, run: Any, *flags: Flag, example: str = "") -> Command:
    return Command(use, short=short, long=short + ".", example=example, flags=(*FILES, selector_flag(), *flags), run=run)


COMMAND = Command(
    "rollout SUBCOMMAND",
    short="Manage the rollout of a resource",
    long="""Manage the rollout of one or many resources.

 Valid resource types include:

  *  deployments
  *  daemonsets
  *  statefulsets""",
    example="""# Rollback to the previous deployment
kubectl rollout undo deployment/abc

# Check the rollout status of a daemonset
kubectl rollout status daemonset/foo

# Restart a deployment
kubectl rollout restart deployment/abc

# Restart deployments with the 'app=nginx' label
kubectl rollout restart deployment --selector=app=nginx""",
    commands=(
        _sub("history (TYPE NAME | TYPE/NAME) [flags]", "View rollout history", run_history, *print_flags(),
             Flag(name="revision", kind="int64", usage="Show this revision with its pod template"), example="# A deployment's history\nkubectl rollout history deployment/abc"),
        _sub("pause RESOURCE", "Mark the provided resource as paused", run_change, *print_flags(), field_manager_flag("kubectl-rollout"),
             example="# Deployment nginx\nkubectl rollout pause deployment/nginx"),
        _sub("restart RESOURCE", "Restart a resource", run_change, *print_flags(), field_manager_flag("kubectl-rollout"),
             example="# A deployment\nkubectl rollout restart deployment/nginx"),
        _sub("resume RESOURCE", "Resume a paused resource", run_change, *print_flags(), field_manager_flag("kubectl-rollout"),
             example="# Deployment nginx\nkubectl rollout resume deployment/nginx"),
        _sub("status (TYPE NAME | TYPE/NAME) [flags]", "Show the status of the rollout", run_status,
             Flag(name="watch", short="w", kind="bool", default=True, usage="Watch until it is done."),
             Flag(name="revision", kind="int64", usage="Fail when another revision is rolled out"),
             Flag(name="timeout", kind="duration", usage="How long to wait; zero for ever."), example="# A deployment\nkubectl rollout status deployment/nginx"),
        _sub("undo (TYPE NAME | TYPE/NAME) [flags]", "Undo a previous rollout", run_undo, *print_flags(),
             Flag(name="to-revision", kind="int64", usage="The revision to go back to; 0 for the one before."), dry_run_flag(),
             example="# To the previous revision\nkubectl rollout undo deployment/abc"),
    ),
    run=group_run("stdout", 1),
)  # fmt: skip

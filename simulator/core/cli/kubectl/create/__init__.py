"""`kubectl create`: from files, and one generator a kind (`kubectl/pkg/cmd/create`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ....host.program import Wait
from ....kube.api.errors import ApiError
from ...cobra import Command, Flag
from ..builder import Builder
from ..editing import Editing
from ..errors import CommandError, UsageError, raise_all, with_source
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
    selector_flag,
    validate_flag,
    validation,
)
from ..printers import Output
from ..rawbody import raw_body
from ..recording import recorded
from ..session import Session
from . import access, config, policy, services, workloads
from .base import with_last_applied

Obj = dict[str, Any]


def run(s: Session) -> Any:
    """Create what files describe."""
    values = s.values
    if values.args:
        raise UsageError(s.command, f"Unexpected args: [{' '.join(values.args)}]")
    strategy, directive = dry_run(s), validation(s)
    require_files(s)
    if values.text("raw"):
        return raw_body(s, "POST")
    if values.on("edit"):
        return _edited(s, directive)
    output = Output(s)
    builder = Builder(s, **file_arguments(s), selector=values.text("selector"), fetch=False)
    count, errors = 0, builder.errors
    for info in builder.infos():
        obj = info.obj or {}
        if values.on("save-config"):
            obj = with_last_applied(obj)
        obj = recorded(s, obj)
        if strategy != "client":
            query = {"fieldManager": values.text("field-manager") or "kubectl-create", "fieldValidation": directive}
            if strategy == "server":
                query["dryRun"] = "All"
            try:
                obj = s.call("POST", info.mapping.path(info.namespace), query=query, obj=obj)
            except ApiError as error:
                errors.append(with_source("creating", info.source, error))
                continue
        count += 1
        output.done(obj, "created" + dry_run_suffix(strategy))
    raise_all(errors)
    if not count:
        raise CommandError("no objects passed to create")
    return 0


def _edited(s: Session, directive: str) -> Generator[Wait, Any, int]:
    """Let each object be edited, and create what comes out."""
    builder = Builder(s, **file_arguments(s), fetch=False)
    infos = builder.infos()
    manager = s.values.text("field-manager") or "kubectl-create"
    for info in infos:
        yield from Editing(s, "create", [info], manager=manager, directive=directive).run()
    raise_all(builder.errors)
    return 0


COMMAND = Command(
    "create -f FILENAME",
    short="Create a resource from a file or from stdin",
    long="Create a resource from a file or from stdin.\n\n JSON and YAML are read.",
    example="""# From pod.json
kubectl create -f ./pod.json

# From standard input
cat pod.json | kubectl create -f -""",
    flags=(
        *print_flags(),
        *file_flags("Files, directories or URLs to create from."),
        validate_flag(),
        save_config_flag(),
        selector_flag(),
        Flag(name="raw", usage="POST the file to this path as it is."),
        Flag(name="edit", kind="bool", usage="Edit the resource before it is created"),
        Flag(name="windows-line-endings", kind="bool", usage="Only with --edit: use CR LF line ends."),
        dry_run_flag(),
        field_manager_flag("kubectl-create"),
        record_flag(),
    ),
    commands=(
        access.CLUSTERROLE,
        access.CLUSTERROLEBINDING,
        config.CONFIGMAP,
        workloads.CRONJOB,
        workloads.DEPLOYMENT,
        services.INGRESS,
        workloads.JOB,
        policy.NAMESPACE,
        policy.PDB,
        policy.PRIORITYCLASS,
        policy.QUOTA,
        access.ROLE,
        access.ROLEBINDING,
        config.SECRET,
        services.SERVICE,
        access.SERVICEACCOUNT,
        access.TOKEN,
    ),
    run=run,
)

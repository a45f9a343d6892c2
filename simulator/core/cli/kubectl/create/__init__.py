"""`kubectl create`: from files, and one generator a kind (`kubectl/pkg/cmd/create`)."""

from __future__ import annotations

from typing import Any

from ....kube.api.errors import ApiError
from ...cobra import Command, Flag
from ..builder import Builder
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
from ..session import Session
from . import access, config, policy, services, workloads
from .base import with_last_applied

Obj = dict[str, Any]


def run(s: Session) -> int:
    """Create what files describe."""
    values = s.values
    if values.text("raw"):
        return _raw(s)
    if values.args:
        raise UsageError(s.command, f"Unexpected args: [{' '.join(values.args)}]")
    require_files(s)
    strategy, directive = dry_run(s), validation(s)
    output = Output(s)
    builder = Builder(s, **file_arguments(s), selector=values.text("selector"), fetch=False)
    count, errors = 0, builder.errors
    for info in builder.infos():
        obj = info.obj or {}
        if values.on("save-config"):
            obj = with_last_applied(obj)
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


def _raw(s: Session) -> int:
    """POST a file to a path."""
    from ..manifests import read_documents

    for document in read_documents(s, s.values.items("filename")):
        from ..jsontext import compact

        answer = s.request("POST", s.values.text("raw"), obj=document.obj)
        s.out((compact(answer.obj, sort=False) if answer.obj is not None else answer.body.decode("utf-8", "replace")) + "\n")
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
        Flag(name="windows-line-endings", support="inert", kind="bool", usage="Only with --edit: use CR LF line ends."),
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

"""What the generators of `kubectl create` share (`kubectl/pkg/cmd/create/create.go`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....kube.api.errors import ApiError
from ...cobra import Command, Flag
from ..errors import CommandError, UrlError, UsageError
from ..flagsets import (
    dry_run,
    dry_run_flag,
    dry_run_suffix,
    field_manager_flag,
    print_flags,
    save_config_flag,
    validate_flag,
    validation,
)
from ..jsontext import compact
from ..printers import Output
from ..session import Session

Obj = dict[str, Any]
Build = Callable[[Session, str], Obj]
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def one_name(s: Session) -> str:
    """The one NAME before `--`; raises the usage error of the real command."""
    values = s.values
    given = values.args if values.dash_at < 0 else values.args[: values.dash_at]
    if len(given) != 1:
        raise UsageError(s.command, f"exactly one NAME is required, got {len(given)}")
    return given[0]


def command_words(s: Session) -> list[str]:
    """The words after the name (`-- COMMAND args`)."""
    values = s.values
    return values.args[values.dash_at :] if values.dash_at >= 0 else values.args[1:]


def metadata(s: Session, name: str, *, namespaced: bool = True, labels: dict[str, str] | None = None) -> Obj:
    """metadata in the order of the Go struct; the namespace only when it was asked for."""
    out: Obj = {"name": name}
    if namespaced and s.explicit_namespace:
        out["namespace"] = s.namespace
    if labels:
        out["labels"] = labels
    return out


def with_last_applied(obj: Obj, *, typed: bool = False) -> Obj:
    """The object with itself in its annotation, as apply stores it; a `typed` one in the order of its Go struct."""
    meta = obj.get("metadata") or {}
    annotations = {key: value for key, value in (meta.get("annotations") or {}).items() if key != LAST_APPLIED}
    bare = {**obj, "metadata": {**meta, "annotations": annotations}}
    if typed and not annotations:
        del bare["metadata"]["annotations"]
    text = compact(bare, sort=not typed) + "\n"
    return {**obj, "metadata": {**meta, "annotations": {**annotations, LAST_APPLIED: text}}}


def submit(s: Session, resource: str, obj: Obj, wrap: str = "", *, manager: str = "kubectl-create") -> int:
    """Create the object, or only show it; say so."""
    strategy = dry_run(s)
    directive = validation(s) if s.values.has("validate") else "Strict"
    output = Output(s, operation="created" + dry_run_suffix(strategy), typed=True)
    if s.values.has("save-config") and s.values.on("save-config"):
        obj = with_last_applied(obj, typed=True)
    if strategy != "client":
        kind = s.kind(resource)
        chosen = s.values.text("field-manager") if s.values.has("field-manager") else manager
        query = {"fieldManager": chosen or manager, "fieldValidation": directive}
        if strategy == "server":
            query["dryRun"] = "All"
        try:
            obj = s.call("POST", kind.path(s.namespace if kind.namespaced else ""), query=query, obj=obj)
        except (ApiError, UrlError) as error:
            if not wrap:
                raise
            raise CommandError(f"{wrap}{error.message if isinstance(error, ApiError) else error}") from None
    output.done(obj, "created" + dry_run_suffix(strategy))
    return 0


def generator(use: str, short: str, resource: str, build: Build, *, wrap: str = "", flags: tuple[Flag, ...] = (), aliases: tuple[str, ...] = (),
              example: str = "", long: str = "") -> Command:  # fmt: skip
    """A `kubectl create KIND` command."""

    def run(s: Session) -> int:
        name = one_name(s)
        s.connection  # noqa: B018 - the kubeconfig is read even when nothing is sent
        return submit(s, resource, build(s, name), wrap)

    return Command(
        use,
        short=short,
        long=long or short + ".",
        example=example or f"# {short}\nkubectl create {use.split(' ')[0]} my-{use.split(' ')[0]}",
        aliases=aliases,
        flags=(*print_flags(), save_config_flag(), validate_flag(), dry_run_flag(), field_manager_flag("kubectl-create"), *flags),
        run=run,
    )

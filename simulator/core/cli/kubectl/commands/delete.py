"""`kubectl delete` (`kubectl/pkg/cmd/delete/delete.go`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ....host.program import Wait
from ....kube.api.errors import ApiError
from ...cobra import Command, Flag
from ..builder import Builder, Info
from ..errors import CommandError, is_not_found, raise_all, with_source
from ..flagsets import (
    all_namespaces_flag,
    dry_run,
    dry_run_flag,
    dry_run_suffix,
    field_selector_flag,
    file_arguments,
    file_flags,
    selector_flag,
)
from ..rawbody import raw_body
from ..session import Session
from ..waiting import WEEK, gone, until

Obj = dict[str, Any]
#: The boolean values of `--cascade`, and what they are called now.
DEPRECATED_CASCADES = {"true": "background", "false": "orphan"}
CASCADES = {
    "true": "Background",
    "": "Background",
    "background": "Background",
    "false": "Orphan",
    "orphan": "Orphan",
    "foreground": "Foreground",
}


class Deletion:
    """Deletes objects as one set of flags says; also used by replace --force and drain."""

    def __init__(self, s: Session, *, grace: int, cascade: str, strategy: str, name_only: bool = False) -> None:
        self.s, self.grace, self.strategy, self.name_only = s, grace, strategy, name_only
        self.cascade = CASCADES[cascade]

    def delete(self, info: Info) -> str:
        """Delete one object and say so; returns its UID."""
        if self.strategy == "client":
            self.say(info)
            return ""
        options: Obj = {"kind": "DeleteOptions", "apiVersion": "v1"}
        if self.grace >= 0:
            options["gracePeriodSeconds"] = self.grace
        options["propagationPolicy"] = self.cascade
        if self.strategy == "server":
            options["dryRun"] = ["All"]
        try:
            answer = self.s.call("DELETE", info.path(), obj=options)
        except ApiError as error:
            raise with_source("deleting", info.source, error) from None
        self.say(info)
        if answer.get("kind") == "Status":
            return str((answer.get("details") or {}).get("uid", ""))
        return str(answer["metadata"].get("uid", ""))

    def say(self, info: Info) -> None:
        """`pod "a" deleted from default namespace`."""
        kind = info.mapping.kind
        word = f"{kind.kind.lower()}.{kind.group}" if kind.group else kind.kind.lower()
        if self.name_only:
            self.s.out(f"{word}/{info.name}\n")
            return
        operation = "force deleted" if self.grace == 0 else "deleted"
        if kind.namespaced:
            operation += f" from {info.namespace} namespace"
        self.s.out(f'{word} "{info.name}" {operation}{dry_run_suffix(self.strategy)}\n')


def cascade(s: Session) -> str:
    """`--cascade` as a strategy; "" where the flag is empty (`parseCascadingFlag`)."""
    text = s.values.text("cascade")
    older = DEPRECATED_CASCADES.get(text)
    if older:
        s.err(f"warning: --cascade={text} is deprecated (boolean value) and can be replaced with --cascade={older}.\n")
        return older
    if text.lower() not in CASCADES:
        raise CommandError(f'invalid cascade value ({text}). Must be "background", "foreground", or "orphan"')
    return text.lower()


def run(s: Session) -> Generator[Wait, Any, int]:
    """Delete, then wait until what was deleted is gone."""
    values = s.values
    strategy = dry_run(s)
    grace = _grace(s)
    cascade(s)
    if values.text("raw"):
        return raw_body(s, "DELETE")
    everything = values.on("all")
    builder = Builder(
        s,
        args=values.args,
        **file_arguments(s),
        selector=values.text("selector"),
        fields=values.text("field-selector"),
        all_namespaces=values.on("all-namespaces"),
        select_all=everything,
        fetch=False,
    )
    infos = builder.infos()
    _validate(s, grace)
    ignore = values.on("ignore-not-found") or everything or bool(values.text("selector"))
    if values.on("interactive") and not (yield from _confirmed(s, infos)):
        return 0
    deletion = Deletion(
        s, grace=grace, cascade=values.text("cascade").lower(), strategy=strategy, name_only=values.text("output") == "name"
    )
    deleted: list[tuple[Info, str]] = []
    errors: list[Exception] = list(builder.errors)
    for info in infos:
        try:
            if not info.name:
                raise with_source("deleting", info.source, CommandError("resource name may not be empty"))
            deleted.append((info, deletion.delete(info)))
        except (ApiError, CommandError) as error:
            if not (ignore and is_not_found(error)):
                errors.append(error)
    raise_all(errors)
    if not infos:
        s.out("No resources found\n")
        return 0
    if values.on("wait") and strategy == "none":
        deadline = s.world.now + (values.number("timeout") or WEEK)
        for info, uid in deleted:
            yield from until(s, info, gone(uid), deadline)
    return 0


def _grace(s: Session) -> int:
    values = s.values
    grace = values.number("grace-period")
    if values.on("now"):
        if grace != -1:
            raise CommandError("--now and --grace-period cannot be specified together")
        return 1
    if grace == 0 and not values.on("force"):
        # A grace period of zero without --force waits for the object like any other.
        return 1
    return 0 if values.on("force") and grace < 0 else grace


def _validate(s: Session, grace: int) -> None:
    values = s.values
    if values.text("output") not in ("", "name"):
        raise CommandError(f"unexpected -o output mode: {values.text('output')}. We only support '-o name'")
    for flag in ("selector", "field-selector"):
        if values.on("all") and values.text(flag):
            raise CommandError(f"cannot set --all and --{flag} at the same time")
    if values.on("force"):
        if grace > 0:
            raise CommandError("--force and --grace-period greater than 0 cannot be specified together")
        s.warn("Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on "
               "the cluster indefinitely.")  # fmt: skip


def _confirmed(s: Session, infos: list[Info]) -> Generator[Wait, Any, bool]:
    if not infos:
        s.out("No resources found\n")
        return False
    s.out(f"You are about to delete the following {len(infos)} resource(s):\n")
    for info in infos:
        kind = info.mapping.kind
        s.out(f"{kind.kind.lower()}{'.' + kind.group if kind.group else ''}/{info.name}\n")
    s.out("Do you want to continue? (y/N): ")
    line = yield from s.inv.read_line()
    if line.decode("utf-8", "replace").strip().lower() == "y":
        return True
    s.out("deletion is cancelled\n")
    return False


COMMAND = Command(
    "delete ([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)])",
    short="Delete resources by file names, stdin, resources and names, or by resources and label selector",
    long="""Delete resources by file names, stdin, resources and names, or by resources and label selector.

 Only one way of naming them may be used. Some resources, such as pods, end gracefully: they are given time to stop, which --grace-period changes and
 --now shortens to one second. --force with a grace period of 0 removes a resource from the API at once, whatever still runs.""",
    example="""# What pod.json names
kubectl delete -f ./pod.json

# By type and name
kubectl delete pod foo
kubectl delete pod,service baz foo

# By label
kubectl delete pods,services -l name=myLabel

# With little delay, or at once
kubectl delete pod foo --now
kubectl delete pod foo --force

# All pods
kubectl delete pods --all""",
    flags=(
        *file_flags("Files, directories or URLs that name what to delete."),
        selector_flag(),
        field_selector_flag(),
        Flag(name="all", kind="bool", usage="All resources of the given types in the namespace."),
        all_namespaces_flag(),
        Flag(name="force", kind="bool", usage="Remove from the API at once and do not wait for the end of what runs."),
        Flag(
            name="cascade",
            default="background",
            no_opt="background",
            usage="What happens to dependents: background, orphan or foreground.",
        ),
        Flag(name="now", kind="bool", usage="Stop at once (same as --grace-period=1)."),
        Flag(
            name="grace-period", kind="int", default=-1, usage="Seconds that the resource is given to end; negative for its own."
        ),
        Flag(name="timeout", kind="duration", usage="How long to wait; zero for a time that depends on the object"),
        Flag(name="wait", kind="bool", default=True, usage="Wait until the resources are gone."),
        Flag(name="ignore-not-found", kind="bool", usage="What does not exist is no error. Default with --all."),
        Flag(name="output", short="o", usage='Use "-o name" for shorter output (resource/name).'),
        Flag(name="raw", usage="DELETE this path."),
        Flag(name="interactive", short="i", kind="bool", usage="Ask before deleting."),
        dry_run_flag(),
    ),
    run=run,
)

"""`kubectl label` and `kubectl annotate` (`kubectl/pkg/cmd/label/label.go`, `annotate/annotate.go`)."""

from __future__ import annotations

import re
from typing import Any

from ....kube.api import names
from ....kube.api.errors import ApiError
from ...cobra import Command, Flag
from ...flags import quote
from ..builder import Builder
from ..errors import CommandError, raise_all
from ..flagsets import (
    all_namespaces_flag,
    dry_run,
    dry_run_flag,
    dry_run_suffix,
    field_manager_flag,
    field_selector_flag,
    file_arguments,
    file_flags,
    print_flags,
    record_flag,
    selector_flag,
)
from ..patches import merge_diff, send
from ..printers import Output
from ..recording import CAUSE, recorded
from ..session import Session

Obj = dict[str, Any]
_PAIR = re.compile(r"[^=]+=.*|[^=]+-", re.DOTALL)


def _split(args: list[str], word: str) -> tuple[list[str], list[str]]:
    """Resources, then pairs (`GetResourcesAndPairs`)."""
    resources: list[str] = []
    pairs: list[str] = []
    for arg in args:
        is_pair = ("=" in arg and not arg.startswith("=")) or (arg.endswith("-") and len(arg) > 1)
        if is_pair:
            pairs.append(arg)
        elif pairs:
            raise CommandError(f"all resources must be specified before {word} changes: {arg}")
        else:
            resources.append(arg)
    return resources, pairs


def _changes(pairs: list[str], section: str) -> tuple[dict[str, str], list[str]]:
    new: dict[str, str] = {}
    remove: list[str] = []
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if equals:
            if section == "labels":
                if "=" in value:
                    raise CommandError(f"invalid label spec: {pair}")
                wrong = names.label_value(value)
                if wrong:
                    raise CommandError(f"invalid label value: {quote(pair)}: {';'.join(wrong)}")
            new[key] = value
        else:
            remove.append(pair[:-1])
    both = [key for key in remove if key in new]
    if both and section == "labels":
        raise CommandError("can not both modify and remove a label in the same command")
    if both:
        raise CommandError(f"can not both modify and remove the following annotation(s) in the same command: {', '.join(both)}")
    return new, remove


class Change:
    """One run of label or annotate."""

    def __init__(self, s: Session, section: str) -> None:
        self.s, self.section = s, section
        self.word = "label" if section == "labels" else "annotation"
        values = s.values
        resources, pairs = _split(values.args, self.word)
        self.strategy, self.output = dry_run(s), Output(s)
        self.new, self.remove = _changes(pairs, section)
        local = values.on("local")
        if values.on("list") and values.text("output"):
            raise CommandError("--list and --output may not be specified together")
        if values.on("all") and values.text("selector"):
            raise CommandError("cannot set --all and --selector at the same time")
        if values.on("all") and values.text("field-selector"):
            raise CommandError("cannot set --all and --field-selector at the same time")
        if local:
            if self.strategy == "server":
                raise CommandError("cannot specify --local and --dry-run=server - did you mean --dry-run=client?")
            if resources:
                raise CommandError("can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set")
            if not values.items("filename") and not values.text("kustomize"):
                raise CommandError("one or more files must be specified as -f pod.yaml or --filename=pod.json")
        elif not resources and not values.items("filename") and not values.text("kustomize"):
            raise CommandError("one or more resources must be specified as <resource> <name> or <resource>/<name>")
        if not self.new and not self.remove and not values.on("list"):
            raise CommandError(f"at least one {self.word} update is required")
        self.builder = Builder(
            s,
            args=resources,
            **file_arguments(s),
            selector=values.text("selector"),
            fields=values.text("field-selector"),
            all_namespaces=values.on("all-namespaces"),
            allow_empty=values.on("all"),
            latest=not local,
            local=local,
        )
        self.local = local

    def run(self) -> int:
        """Change every object."""
        s, errors = self.s, self.builder.errors
        infos = self.builder.infos()
        if "resource-version" in s.values.changed and len(infos) > 1:
            raise CommandError("--resource-version may only be used with a single resource")
        for info in infos:
            try:
                self._one(info)
            except (ApiError, CommandError) as error:
                self.builder.fail(info, error)
        raise_all(errors)
        return 0

    def _one(self, info: Any) -> None:
        s, obj = self.s, info.obj or {}
        held = dict((obj["metadata"].get(self.section)) or {})
        if s.values.on("list"):
            self._allowed(held)
            held = {key: value for key, value in {**held, **self.new}.items() if key not in self.remove}
            indent = "" if self.builder.single_implied else " "
            if indent:
                kind = info.mapping.kind
                s.out(f"Listing {self.section} for {kind.kind}.{kind.group}/{info.name}:\n")
            s.out("".join(f"{indent}{key}={held[key]}\n" for key in sorted(held)))
            return
        after = {key: value for key, value in {**held, **self.new}.items() if key not in self.remove}
        asks = self.strategy != "client" and not self.local
        missing = [key for key in self.remove if key not in held]
        if self.section == "labels" and asks:
            for key in missing:
                s.out(f'label "{key}" not found.\n')
        self._allowed(held)
        meta = {**obj["metadata"], self.section: after}
        result = {**obj, "metadata": meta}
        if after != held or self.section == "annotations":
            result = recorded(s, result)
        if s.values.text("resource-version"):
            meta["resourceVersion"] = s.values.text("resource-version")
        changed = after != held
        if asks and (changed or self.section == "annotations"):
            patch = merge_diff(obj, result)
            manager = s.values.text("field-manager") or ("kubectl-label" if self.section == "labels" else "kubectl-annotate")
            stored = send(
                s, info.mapping, info.namespace, info.name, patch, "merge", manager=manager, dry=self.strategy == "server"
            )
            if self.section == "annotations":  # `label` prints the object that it changed, not the server's answer
                result = stored
        self.output.done(result, self._told(held, after) + dry_run_suffix(self.strategy))

    def _allowed(self, held: dict[str, str]) -> None:
        if self.s.values.on("overwrite"):
            return
        taken = sorted(key for key in self.new if key in held and held[key] != self.new[key])
        if self.section == "annotations":
            taken = [key for key in taken if key != CAUSE]  # may always be overwritten
        if taken and self.section == "labels":
            told = ", ".join(f"'{key}' already has a value ({held[key]}), and --overwrite is false" for key in taken)
            raise CommandError(told if len(taken) == 1 else f"[{told}]")
        if taken:
            told = "; ".join(f"'{key}' already has a value ({held[key]})" for key in taken)
            raise CommandError(f"--overwrite is false but found the following declared annotation(s): {told}")

    def _told(self, held: dict[str, str], after: dict[str, str]) -> str:
        if self.section == "annotations":
            return "annotated"
        added = any(held.get(key) != value for key, value in self.new.items())
        removed = any(key in held for key in self.remove)
        if added and removed:
            return "modified"
        return "labeled" if added else "unlabeled" if removed else "not labeled"


def run_label(s: Session) -> int:
    """`kubectl label`."""
    return Change(s, "labels").run()


def run_annotate(s: Session) -> int:
    """`kubectl annotate`."""
    return Change(s, "annotations").run()


def _flags(manager: str, word: str) -> tuple[Flag, ...]:
    return (
        *print_flags(),
        *file_flags(f"Files, directories or URLs that name what to {word}"),
        Flag(name="overwrite", kind="bool", usage="Replace values that are there already."),
        Flag(name="list", kind="bool", usage="Print what is there."),
        Flag(name="local", kind="bool", usage="Change what the file has and do not ask the server."),
        selector_flag(),
        field_selector_flag(),
        Flag(name="all", kind="bool", usage="All resources of the given types in the namespace"),
        all_namespaces_flag(),
        Flag(name="resource-version", usage="Succeed only if this is the object's resourceVersion."),
        dry_run_flag(),
        field_manager_flag(manager),
        record_flag(),
    )


LABEL = Command(
    "label [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
    short="Update the labels on a resource",
    long="""Update the labels on a resource.

 A key and a value have letters, digits, hyphens, dots and underscores, at most 63 of them; a key may have a DNS name and '/' before it. KEY- removes one.""",
    example="""# One label
kubectl label pods foo unhealthy=true

# Replace its value
kubectl label --overwrite pods foo status=unhealthy

# All pods
kubectl label pods --all status=unhealthy

# Remove
kubectl label pods foo bar-""",
    flags=_flags("kubectl-label", "label"),
    run=run_label,
)
ANNOTATE = Command(
    "annotate [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
    short="Update the annotations on a resource",
    long="Update the annotations on a resource.\n\n Annotations hold arbitrary text for tools. KEY- removes one.\n\n"
    'Use "kubectl api-resources" for a complete list of supported resources.',
    example="""# One annotation
kubectl annotate pods foo description='my frontend'

# Replace its value
kubectl annotate --overwrite pods foo description='my frontend running nginx'

# Remove
kubectl annotate pods foo description-""",
    flags=_flags("kubectl-annotate", "annotate"),
    run=run_annotate,
)

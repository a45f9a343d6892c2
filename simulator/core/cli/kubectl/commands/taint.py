"""`kubectl taint` (`kubectl/pkg/cmd/taint`)."""

from __future__ import annotations

from typing import Any

from ....kube.api import names
from ....kube.api.errors import ApiError
from ...cobra import Command, Flag
from ...flags import quote
from ..builder import Builder, Info
from ..errors import CommandError, UsageError, raise_all
from ..flagsets import (
    dry_run,
    dry_run_flag,
    field_manager_flag,
    print_flags,
    selector_flag,
    validate_flag,
    validation,
)
from ..patches import send
from ..printers import Output
from ..session import Session

Obj = dict[str, Any]
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def parse_taints(s: Session, specs: list[str]) -> tuple[list[Obj], list[Obj]]:
    """Taints to add and to remove (`parseTaints`)."""
    add: list[Obj] = []
    remove: list[Obj] = []
    for spec in specs:
        taint = _parse(s, spec.removesuffix("-"))
        if spec.endswith("-"):
            remove.append(taint)
            continue
        if not taint.get("effect"):
            raise UsageError(s.command, f"invalid taint spec: {spec}")
        if any(item["key"] == taint["key"] and item["effect"] == taint["effect"] for item in add):
            raise UsageError(
                s.command,
                f"duplicated taints with the same key and effect: {{{taint['key']} {taint.get('value', '')} {taint['effect']} <nil>}}",
            )
        add.append(taint)
    return add, remove


def _parse(s: Session, text: str) -> Obj:
    head, colon, effect = text.partition(":")
    if colon and effect not in EFFECTS:
        raise UsageError(s.command, f"invalid taint effect: {effect}, unsupported taint effect")
    key, equals, value = head.partition("=") if colon else (head, "", "")
    if "=" in value or ":" in effect:
        raise UsageError(s.command, f"invalid taint spec: {text}")
    if equals:
        wrong = names.label_value(value)
        if wrong:
            raise UsageError(s.command, f"invalid taint spec: {text}, {'; '.join(wrong)}")
    wrong = names.qualified_name(key)
    if wrong:
        raise UsageError(s.command, f"invalid taint spec: {text}, {'; '.join(wrong)}")
    out = {"key": key, "value": value, "effect": effect}
    return {name: item for name, item in out.items() if item}


def run_taint(s: Session) -> int:
    """`kubectl taint`."""
    values = s.values
    args = values.args
    first = next((at for at, arg in enumerate(args) if "=" in arg or ":" in arg or (arg.endswith("-") and at > 0)), len(args))
    resources, specs = args[:first], args[first:]
    for arg in specs:
        if "=" not in arg and ":" not in arg and not arg.endswith("-"):
            raise CommandError(f"all resources must be specified before taint changes: {arg}")
    strategy, output = dry_run(s), Output(s)
    validation(s)  # only looked at
    if not resources:
        raise CommandError("one or more resources must be specified as <resource> <name>")
    if not specs:
        raise CommandError("at least one taint update is required")
    add, remove = parse_taints(s, specs)
    mapping = s.mapper.mapping(resources[0].split("/")[0])
    if mapping.kind.kind != "Node":
        raise CommandError(f"invalid resource type {resources[0].lower()}, only node types are supported")
    clash = [f"{gone['key']}={gone.get('effect', '')}" for new in add for gone in remove
             if new["key"] == gone["key"] and gone.get("effect", new["effect"]) == new["effect"]]  # fmt: skip
    if clash:
        raise CommandError(f"can not both modify and remove the following taint(s) in the same command: {', '.join(clash)}")
    selector, everything = values.text("selector"), values.on("all")
    if everything and selector:
        raise CommandError("setting 'all' parameter with a non empty selector is prohibited")
    if not everything and not selector and len(resources) < 2:
        raise CommandError("at least one resource name must be specified since 'all' parameter is not set")
    words = ["nodes"] if everything or selector else ["nodes", *resources[1:]]
    builder = Builder(s, args=words, selector=selector, select_all=everything)
    infos, errors = builder.infos(), builder.errors
    for info in infos:
        try:
            _taint(s, info, add, remove, strategy, output)
        except (CommandError, ApiError) as error:
            errors.append(error)
    raise_all(errors)
    return 0


def _taint(s: Session, info: Info, add: list[Obj], remove: list[Obj], strategy: str, output: Output) -> None:
    obj = info.obj or {}
    held = list((obj.get("spec") or {}).get("taints") or ())
    if not s.values.on("overwrite"):
        clash = [
            item["key"] for item in add if any(old["key"] == item["key"] and old["effect"] == item["effect"] for old in held)
        ]
        if clash:
            raise CommandError(
                f"node {info.name} already has {', '.join(clash)} taint(s) with same effect(s) and --overwrite is false"
            )
    kept = list(held)
    for taint in remove:
        after = [
            old
            for old in kept
            if not (old["key"] == taint["key"] and ("effect" not in taint or old["effect"] == taint["effect"]))
        ]
        if len(after) == len(kept):
            told = f"{taint['key']}:{taint['effect']}" if "effect" in taint else taint["key"]
            raise CommandError(f"taint {quote(told)} not found")
        kept = after
    kept = add + [old for old in kept if not any(old["key"] == item["key"] and old["effect"] == item["effect"] for item in add)]
    word = "modified" if (add and remove) or s.values.on("overwrite") else "tainted" if add else "untainted"
    result = {**obj, "spec": {**obj["spec"], "taints": kept}}
    if strategy != "client":
        patch = {"spec": {"taints": kept or None}}
        result = send(
            s, info.mapping, "", info.name, patch, "merge", manager=s.values.text("field-manager"), dry=strategy == "server"
        )
    output.done(result, word)


TAINT = Command(
    "taint NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N",
    short="Update the taints on one or more nodes",
    long="""Update the taints on one or more nodes.

 A taint is a key, a value and an effect: NoSchedule, PreferNoSchedule or NoExecute. KEY- and KEY:EFFECT- remove taints.""",
    example="""# Add
kubectl taint nodes foo dedicated=special-user:NoSchedule

# Remove one, or all of a key
kubectl taint nodes foo dedicated:NoSchedule-
kubectl taint nodes foo dedicated-""",
    flags=(
        *print_flags(),
        selector_flag(),
        Flag(name="overwrite", kind="bool", usage="Replace taints that are there already."),
        Flag(name="all", kind="bool", usage="All nodes"),
        validate_flag(),
        dry_run_flag(),
        field_manager_flag("kubectl-taint"),
    ),
    run=run_taint,
)

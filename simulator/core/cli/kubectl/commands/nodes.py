"""`kubectl taint`, `cordon`, `uncordon`, `drain` (`kubectl/pkg/cmd/taint`, `cmd/drain`, `pkg/drain`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ....host.program import Wait, WaitTopic
from ....kernel.clock import SECOND
from ....kube.api import names, objects
from ....kube.api.errors import ApiError
from ...cobra import Command, Flag
from ...flags import quote
from ..builder import Builder, Info
from ..errors import Aggregate, CommandError, UsageError, is_not_found, message_of, raise_all
from ..flagsets import (
    chunk_flag,
    dry_run,
    dry_run_flag,
    dry_run_suffix,
    field_manager_flag,
    print_flags,
    selector_flag,
    validate_flag,
)
from ..patches import send
from ..printers import Output
from ..session import Session

Obj = dict[str, Any]
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


# -- taint --------------------------------------------------------------------------------------------------------------------


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
    key, equals, value = head.partition("=")
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
    strategy, output = dry_run(s), Output(s)
    if not resources:
        raise CommandError("one or more resources must be specified as <resource> <name>")
    if not specs:
        raise CommandError("at least one taint update is required")
    add, remove = parse_taints(s, specs)
    for taint in remove:
        if any(item["key"] == taint["key"] and item["effect"] == taint.get("effect", item["effect"]) for item in add):
            raise CommandError(
                f"can not both modify and remove the following taint(s) in the same command: {quote(taint['key'])}"
            )
    mapping = s.mapper.mapping(resources[0].split("/")[0])
    if mapping.kind.kind != "Node":
        raise CommandError(f"invalid resource type {resources[0]}, only node(s) is supported")
    builder = Builder(s, args=resources, selector=values.text("selector"), select_all=values.on("all"))
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
    word = "modified" if add and remove else "tainted" if add else "untainted"
    result = {**obj, "spec": {**obj["spec"], "taints": kept}}
    if strategy != "client":
        patch = {"spec": {"taints": kept or None}}
        result = send(
            s, info.mapping, "", info.name, patch, "merge", manager=s.values.text("field-manager"), dry=strategy == "server"
        )
    output.done(result, word + dry_run_suffix(strategy))


# -- cordon -------------------------------------------------------------------------------------------------------------------


def _nodes(s: Session) -> list[Info]:
    values = s.values
    if not values.args and not values.text("selector"):
        raise UsageError(s.command, f"USAGE: {s.command.name} NODE [flags]")
    if values.args and values.text("selector"):
        raise UsageError(s.command, "error: cannot specify both a node name and a --selector option")
    words = ["nodes", *values.args] if not any("/" in arg for arg in values.args) else values.args
    builder = Builder(s, args=words, selector=values.text("selector"), eager=False)
    return builder.infos()


def cordon(s: Session, info: Info, wanted: bool, strategy: str) -> None:
    """Make a node (un)schedulable and say so."""
    word = "cordoned" if wanted else "uncordoned"
    obj = info.obj or {}
    if bool((obj.get("spec") or {}).get("unschedulable")) == wanted:
        s.out(f"node/{info.name} already {word}{dry_run_suffix(strategy)}\n")
        return
    if strategy != "client":
        send(
            s,
            info.mapping,
            "",
            info.name,
            {"spec": {"unschedulable": True if wanted else None}},
            "strategic",
            manager="",
            dry=strategy == "server",
        )
    s.out(f"node/{info.name} {word}{dry_run_suffix(strategy)}\n")


def run_cordon(s: Session) -> int:
    """`kubectl cordon` and `uncordon`."""
    strategy = dry_run(s)
    for info in _nodes(s):
        cordon(s, info, s.command.name == "cordon", strategy)
    return 0


# -- drain --------------------------------------------------------------------------------------------------------------------


class Drain:
    """One node's drain (`pkg/drain/drain.go`, `filters.go`)."""

    def __init__(self, s: Session, info: Info, strategy: str) -> None:
        self.s, self.info, self.strategy = s, info, strategy
        self.warnings: dict[str, list[str]] = {}
        self.problems: dict[str, list[str]] = {}

    def choose(self) -> list[Obj]:
        """Pods to evict; raises when something forbids it."""
        s = self.s
        query = s.values.text("pod-selector")
        pods = s.list(s.kind("pods"), "", labels=query, fields=f"spec.nodeName={self.info.name}")
        chosen = [pod for pod in pods if self._verdict(pod)]
        if self.problems:
            told = "; ".join(f"cannot delete {text}: {', '.join(items)}" for text, items in self.problems.items())
            raise CommandError(told if len(self.problems) == 1 else f"[{told.replace('; ', ', ')}]")
        if self.warnings:
            s.err("Warning: " + "; ".join(f"{text}: {', '.join(items)}" for text, items in self.warnings.items()) + "\n")
        return chosen

    def _verdict(self, pod: Obj) -> bool:
        values, meta = self.s.values, pod["metadata"]
        name = f"{meta['namespace']}/{meta['name']}"
        annotations, phase = meta.get("annotations") or {}, (pod.get("status") or {}).get("phase")
        if "kubernetes.io/config.mirror" in annotations:
            return False
        finished = phase in ("Succeeded", "Failed")
        owner = objects.controller_of(pod)
        if owner is not None and owner["kind"] == "DaemonSet" and not finished:
            if not values.on("ignore-daemonsets"):
                self.problems.setdefault("DaemonSet-managed Pods (use --ignore-daemonsets to ignore)", []).append(name)
                return False
            self.warnings.setdefault("ignoring DaemonSet-managed Pods", []).append(name)
            return False
        if (
            any("emptyDir" in item for item in (pod["spec"].get("volumes") or ()))
            and not finished
            and not values.on("delete-emptydir-data")
        ):
            self.problems.setdefault("Pods with local storage (use --delete-emptydir-data to override)", []).append(name)
            return False
        if owner is None and not finished:
            if not values.on("force"):
                self.problems.setdefault("Pods that declare no controller (use --force to override)", []).append(name)
                return False
            self.warnings.setdefault("deleting Pods that declare no controller", []).append(name)
        return True

    def evict_all(self, pods: list[Obj]) -> Generator[Wait, Any, None]:
        """Evict, wait for the end of each, try again where a budget forbids it."""
        s, suffix = self.s, dry_run_suffix(self.strategy)
        if self.strategy != "none":
            for pod in pods:
                s.out(f"evicting pod {pod['metadata']['namespace']}/{pod['metadata']['name']}{suffix}\n")
            return
        timeout = s.values.number("timeout")
        deadline = s.world.now + timeout if timeout else None
        due = {pod["metadata"]["uid"]: s.world.now for pod in pods}
        left, late = list(pods), list[Obj]()
        evicted: list[Obj] = []
        while left or evicted:
            for pod in [item for item in left if due[item["metadata"]["uid"]] <= s.world.now]:
                if deadline is not None and s.world.now >= deadline:
                    s.out(f"evicting pod {pod['metadata']['namespace']}/{pod['metadata']['name']}\n")
                    left.remove(pod)
                    late.append(pod)
                elif self._evict(pod):
                    left.remove(pod)
                    evicted.append(pod)
                else:
                    due[pod["metadata"]["uid"]] = s.world.now + 5 * SECOND
            for pod in [item for item in evicted if self._gone(item)]:
                evicted.remove(pod)
                s.out(f"pod/{pod['metadata']['name']} evicted\n")
            if deadline is not None and s.world.now >= deadline:
                late += evicted
                evicted = []
            if not left and not evicted:
                break
            wake = [due[item["metadata"]["uid"]] for item in left] + ([deadline] if deadline is not None and evicted else [])
            yield WaitTopic((s.kind("pods").topic,), min(wake, default=s.world.now + 5 * SECOND))
        if late:
            self._late(late, timeout)

    def _evict(self, pod: Obj) -> bool:
        s, meta = self.s, pod["metadata"]
        s.out(f"evicting pod {meta['namespace']}/{meta['name']}\n")
        options: Obj = {}
        if s.values.number("grace-period") >= 0:
            options["gracePeriodSeconds"] = s.values.number("grace-period")
        try:
            if s.values.on("disable-eviction"):
                s.call(
                    "DELETE",
                    s.kind("pods").path(meta["namespace"], meta["name"]),
                    obj={"kind": "DeleteOptions", "apiVersion": "v1", **options},
                )
            else:
                body: Obj = {
                    "kind": "Eviction",
                    "apiVersion": "policy/v1",
                    "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
                }
                if options:
                    body["deleteOptions"] = options
                s.call("POST", s.kind("pods").path(meta["namespace"], meta["name"], "eviction"), obj=body)
        except ApiError as error:
            if is_not_found(error):
                return True
            if error.reason == "TooManyRequests":
                s.err(
                    f'error when evicting pods/"{meta["name"]}" -n "{meta["namespace"]}" (will retry after 5s): {error.message}\n'
                )
                return False
            raise CommandError(f'error when evicting pods/"{meta["name"]}" -n "{meta["namespace"]}": {error.message}') from None
        return True

    def _gone(self, pod: Obj) -> bool:
        s, meta = self.s, pod["metadata"]
        try:
            found = s.get(s.kind("pods"), meta["namespace"], meta["name"])
        except ApiError as error:
            if is_not_found(error):
                return True
            raise
        return bool(found["metadata"]["uid"] != meta["uid"])

    def _late(self, pods: list[Obj], timeout: int) -> None:
        from ...flags import format_duration

        errors: list[Exception] = []
        for pod in pods:
            meta = pod["metadata"]
            errors.append(
                CommandError(
                    f'error when evicting pods/"{meta["name"]}" -n "{meta["namespace"]}": global timeout reached: {format_duration(timeout)}'
                )
            )
        told = _list(errors)
        self.s.err(f'There are pending pods in node "{self.info.name}" when an error occurred: {told}\n')
        self.s.err("".join(f"pod/{name}\n" for name in sorted(pod["metadata"]["name"] for pod in pods)))
        raise_all(errors)


def _list(errors: list[Exception]) -> str:
    texts = [message_of(item) for item in errors]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def run_drain(s: Session) -> Generator[Wait, Any, int]:
    """`kubectl drain`: cordon every node, then empty one after the other."""
    strategy = dry_run(s)
    infos = _nodes(s)
    for info in infos:
        cordon(s, info, True, strategy)
    done: list[str] = []
    failed: Exception | None = None
    for info in infos:
        drain = Drain(s, info, strategy)
        try:
            pods = drain.choose()
            yield from drain.evict_all(pods)
        except (CommandError, ApiError, Aggregate) as error:
            failed = error
            told = _list(error.errors if isinstance(error, Aggregate) else [error])
            s.err(f'error: unable to drain node "{info.name}" due to error: {told}, continuing command...\n')
            continue
        done.append(info.name)
        s.out(f"node/{info.name} drained{dry_run_suffix(strategy)}\n")
    if failed is not None:
        pending = [info.name for info in infos if info.name not in done]
        s.err("There are pending nodes to be drained:\n" + "".join(f" {name}\n" for name in pending))
        from ..errors import Plain

        texts = [message_of(item) for item in (failed.errors if isinstance(failed, Aggregate) else [failed])]
        raise Plain("\n".join(texts))
    return 0


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
CORDON = Command("cordon NODE", short="Mark node as unschedulable", long="Mark node as unschedulable.", example="# Node foo\nkubectl cordon foo",
                 flags=(selector_flag(), dry_run_flag()), run=run_cordon)  # fmt: skip
UNCORDON = Command("uncordon NODE", short="Mark node as schedulable", long="Mark node as schedulable.", example="# Node foo\nkubectl uncordon foo",
                   flags=(selector_flag(), dry_run_flag()), run=run_cordon)  # fmt: skip
DRAIN = Command(
    "drain NODE",
    short="Drain node in preparation for maintenance",
    long="""Drain node in preparation for maintenance.

 The node is marked unschedulable and its pods are evicted, or deleted where the server has no eviction. Mirror pods stay. Pods of daemon sets, pods
 without a controller and pods with local storage need their flag.""",
    example="""# Pods without a controller too
kubectl drain foo --force

# With a grace period of 15 minutes
kubectl drain foo --grace-period=900""",
    flags=(
        Flag(name="force", kind="bool", usage="Evict pods that declare no controller too."),
        Flag(name="ignore-daemonsets", kind="bool", usage="Leave pods of daemon sets alone."),
        Flag(name="delete-emptydir-data", kind="bool", usage="Evict pods that use emptyDir too; their data is lost."),
        Flag(name="grace-period", kind="int", default=-1, usage="Seconds that each pod is given; negative for its own."),
        Flag(name="timeout", kind="duration", usage="How long to wait before giving up; zero waits for ever"),
        selector_flag(),
        Flag(name="pod-selector", usage="Label query of the pods to evict"),
        Flag(name="disable-eviction", kind="bool", usage="Delete instead of evicting, past any budget."),
        Flag(
            name="skip-wait-for-delete-timeout", support="no", kind="int", usage="Do not wait for pods deleted more than so many seconds ago."
        ),
        chunk_flag(),
        dry_run_flag(),
    ),
    run=run_drain,
)

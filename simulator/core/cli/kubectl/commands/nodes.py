"""`kubectl cordon`, `uncordon`, `drain` (`kubectl/pkg/cmd/drain`, `pkg/drain`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ....host.program import Wait, WaitTopic
from ....kernel import clock
from ....kernel.clock import SECOND
from ....kube.api import objects, selectors
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
    selector_flag,
)
from ..patches import send
from ..session import Session

Obj = dict[str, Any]


# -- cordon -------------------------------------------------------------------------------------------------------------------


def _nodes(s: Session) -> list[Info]:
    values = s.values
    if not values.args and not values.text("selector"):
        raise UsageError(s.command, f"USAGE: {s.command.name} NODE [flags]")
    if values.args and values.text("selector"):
        raise UsageError(s.command, "error: cannot specify both a node name and a --selector option")
    words = ["nodes", *values.args] if not any("/" in arg for arg in values.args) else values.args
    builder = Builder(s, args=words, selector=values.text("selector"), eager=False)
    infos = builder.infos()
    for info in infos:
        if info.mapping.kind.kind != "Node":
            where = f"{info.mapping.kind.group}/{info.mapping.version}, Resource={info.mapping.kind.plural}"
            raise CommandError(f"expected resource of type node, got {quote(where)}")
    return infos


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
            raise_all([CommandError(f"cannot delete {text}: {', '.join(items)}") for text, items in self.problems.items()])
        if self.warnings:
            s.err("Warning: " + "; ".join(f"{text}: {', '.join(items)}" for text, items in self.warnings.items()) + "\n")
        return chosen

    def _verdict(self, pod: Obj) -> bool:
        values, meta = self.s.values, pod["metadata"]
        name = f"{meta['namespace']}/{meta['name']}"
        annotations, phase = meta.get("annotations") or {}, (pod.get("status") or {}).get("phase")
        patience, ended = values.number("skip-wait-for-delete-timeout"), meta.get("deletionTimestamp")
        if patience > 0 and ended and (self.s.world.wall - clock.parse_rfc3339(ended)) // SECOND > patience:
            return False
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
    try:
        selectors.parse_labels(s.values.text("pod-selector"))
    except ValueError:
        raise CommandError("--pod-selector=<pod_selector> must be a valid label selector") from None
    infos = _nodes(s)
    for info in infos:
        cordon(s, info, True, strategy)
    done: list[str] = []
    failed: list[Exception] = []
    for info in infos:
        drain = Drain(s, info, strategy)
        try:
            pods = drain.choose()
            yield from drain.evict_all(pods)
        except (CommandError, ApiError, Aggregate) as error:
            own: list[Exception] = list(error.errors) if isinstance(error, Aggregate) else [error]
            failed += own
            told = _list(own)
            s.err(f'error: unable to drain node "{info.name}" due to error: {told}, continuing command...\n')
            continue
        done.append(info.name)
        s.out(f"node/{info.name} drained{dry_run_suffix(strategy)}\n")
    if failed:
        pending = [info.name for info in infos if info.name not in done]
        s.err("There are pending nodes to be drained:\n" + "".join(f" {name}\n" for name in pending))
        from ..errors import Plain

        raise Plain("\n".join(message_of(item) for item in failed))
    return 0


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
            name="skip-wait-for-delete-timeout",
            kind="int",
            usage="Do not wait for pods deleted more than so many seconds ago.",
        ),
        chunk_flag(),
        dry_run_flag(),
    ),
    run=run_drain,
)

"""`kubectl top` (`kubectl/pkg/cmd/top`, `kubectl/pkg/metricsutil/metrics_printer.go`): what metrics.k8s.io measures."""

from __future__ import annotations

from typing import Any

from ....kube.api import quantity
from ...cobra import Command, Flag
from ..errors import CommandError, UsageError
from ..flagsets import all_namespaces_flag, selector_flag, unsupported
from ..groups import group_run
from ..session import Session
from ..table import columns

Obj = dict[str, Any]
GROUP = "metrics.k8s.io"
_MILLI, _MIB = 10**6, 1024 * 1024


def _start(s: Session, name: str) -> str:
    """Check the flags and whether there is a metrics API; returns the object's name or ""."""
    values = s.values
    if len(values.args) > 1:
        raise UsageError(s.command, s.command.use)
    if values.text("sort-by") not in ("", "cpu", "memory"):
        raise CommandError("--sort-by accepts only cpu or memory")
    if values.args and (values.text("selector") or (name == "pod" and values.text("field-selector"))):
        raise CommandError(f"only one of NAME or {'selector' if name == 'pod' else '--selector'} can be provided")
    s.discover()
    groups = s.call("GET", "/apis").get("groups") or ()
    if not any(item["name"] == GROUP for item in groups):
        raise CommandError("Metrics API not available")
    return str(values.args[0]) if values.args else ""


def _fetch(s: Session, path: str, name: str) -> list[Obj]:
    path = f"/apis/{GROUP}/v1beta1{path}"
    if name:
        return [s.call("GET", f"{path}/{name}")]
    query = {flag: s.values.text(word) for flag, word in (("labelSelector", "selector"), ("fieldSelector", "field-selector"))
             if (word == "selector" or "/pods" in path) and s.values.text(word)}  # fmt: skip
    return list(s.call("GET", path, query=query).get("items") or ())


def _usage(used: Obj) -> tuple[int, int]:
    """Milli-CPU, rounded up as `Quantity.MilliValue` does, and bytes."""
    return -(-quantity.nano(str(used.get("cpu", "0"))) // _MILLI), quantity.nano(str(used.get("memory", "0"))) // 10**9


def _ordered(s: Session, rows: list[tuple[tuple[str, ...], int, int]]) -> list[tuple[tuple[str, ...], int, int]]:
    by = s.values.text("sort-by")
    if by:
        return sorted(sorted(rows), key=lambda row: -(row[1] if by == "cpu" else row[2]))
    return sorted(rows)


def _print(s: Session, head: list[str], rows: list[list[str]]) -> None:
    # every cell ends with a tab, the last one too
    s.out(columns([[*row, ""] for row in (rows if s.values.on("no-headers") else [head, *rows])]))


def run_nodes(s: Session) -> int:
    """`kubectl top node`."""
    name = _start(s, "node")
    found = _fetch(s, "/nodes", name)
    if not found:
        raise CommandError("metrics not available yet")
    query = {"labelSelector": s.values.text("selector")} if s.values.text("selector") else {}
    nodes = [s.call("GET", f"/api/v1/nodes/{name}")] if name else s.call("GET", "/api/v1/nodes", query=query)["items"]
    which = "capacity" if s.values.on("show-capacity") else "allocatable"
    room = {node["metadata"]["name"]: node["status"].get(which) or {} for node in nodes}
    rows: list[tuple[tuple[str, ...], int, int]] = [((item["metadata"]["name"],), *_usage(item["usage"])) for item in found]
    out = []
    for (node,), cpu, memory in _ordered(s, rows):
        cores, held = _usage(room.get(node) or {})
        share = f"{cpu * 100 // cores}%" if cores else "<unknown>"
        out.append([node, f"{cpu}m", share, f"{memory // _MIB}Mi", f"{memory * 100 // held}%" if held else "<unknown>"])
    measured = {row[0][0] for row in rows}
    out += [[node, *["<unknown>"] * 4] for node in sorted(room) if node not in measured]
    _print(s, ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"], out)
    return 0


def run_pods(s: Session) -> int:
    """`kubectl top pod`."""
    name = _start(s, "pod")
    everywhere, containers = s.values.on("all-namespaces"), s.values.on("containers")
    found = _fetch(s, "/pods" if everywhere else f"/namespaces/{s.namespace}/pods", name)
    if not found:
        path = "/api/v1/pods" if everywhere else f"/api/v1/namespaces/{s.namespace}/pods"
        if s.call("GET", path, query={"labelSelector": s.values.text("selector")} if s.values.text("selector") else {})["items"]:
            raise CommandError("metrics not available yet")
        s.err("No resources found\n" if everywhere else f"No resources found in {s.namespace} namespace.\n")
        return 0
    rows: list[tuple[tuple[str, ...], int, int]] = []
    total = [0, 0]
    for item in found:
        where = (item["metadata"]["namespace"], item["metadata"]["name"]) if everywhere else (item["metadata"]["name"],)
        uses = [(container["name"], *_usage(container["usage"])) for container in item["containers"]]
        total = [total[0] + sum(cpu for _, cpu, _ in uses), total[1] + sum(memory for _, _, memory in uses)]
        if containers:
            rows += [((*where, each), cpu, memory) for each, cpu, memory in uses]
        else:
            rows.append((where, sum(cpu for _, cpu, _ in uses), sum(memory for _, _, memory in uses)))
    out = [[*where, f"{cpu}m", f"{memory // _MIB}Mi"] for where, cpu, memory in _ordered(s, rows)]
    head = [*(["NAMESPACE"] if everywhere else []), *(["POD"] if containers else []), "NAME", "CPU(cores)", "MEMORY(bytes)"]
    if s.values.on("sum"):
        blank = [""] * (len(head) - 2)
        out += [[*blank, "________", "________"], [*blank, f"{total[0]}m", f"{total[1] // _MIB}Mi"]]
    _print(s, head, out)
    return 0


_TOP = (selector_flag(), Flag(name="no-headers", kind="bool", usage="Print no headings"), Flag(name="sort-by", usage="Sort by 'cpu' or 'memory'"),
        Flag(name="use-protocol-buffers", support="inert", kind="bool", default=True, usage="Read metrics as protocol buffers."))  # fmt: skip
TOP = Command(
    "top [flags]",
    short="Display resource (CPU/memory) usage",
    long="Display resource (CPU/memory) usage.\n\n This needs a metrics server in the cluster.",
    commands=(
        Command("node [NAME | -l label]", aliases=("nodes", "no"), short="Display resource (CPU/memory) usage of nodes",
                long="Display resource (CPU/memory) usage of nodes.", example="# Every node\nkubectl top node\n\n# One\nkubectl top node NODE_NAME", flags=(*_TOP, Flag(name="show-capacity", kind="bool", usage="Relate use to the node's capacity."),
                *unsupported("bool", show_swap="Show swap.")), run=run_nodes),
        Command("pod [NAME | -l label]", aliases=("pods", "po"), short="Display resource (CPU/memory) usage of pods",
                long="Display resource (CPU/memory) usage of pods.", example="# The pods of the namespace\nkubectl top pod\n\n# Each container of one\nkubectl top pod POD_NAME --containers",
                flags=(*_TOP, all_namespaces_flag(), Flag(name="containers", kind="bool", usage="Each container of a pod"),
                       Flag(name="sum", kind="bool", usage="Print the sum"), Flag(name="field-selector", usage="Field query"),
                       *unsupported("bool", show_swap="Show swap.")), run=run_pods),
    ),
    run=group_run("stderr", 1),
)  # fmt: skip

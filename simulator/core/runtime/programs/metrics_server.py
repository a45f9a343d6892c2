"""metrics-server (kubernetes-sigs/metrics-server): scrapes `/metrics/resource` of the kubelets and serves metrics.k8s.io.

It keeps the last two scrapes of each node; use of a processor is the difference over the time between them, so there is nothing to tell
before the second.  `/readyz` says no until the first scrape has reached a node.  A kubelet's certificate is its own unless the cluster
signs serving certificates, so without `--kubelet-insecure-tls` every scrape of a kubeadm cluster fails, as it does on a real one.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock, network
from ...kernel.clock import SECOND
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...kernel.world import World
from ...kube.api.errors import status
from ...kube.api.selectors import parse_labels
from ...kube.client import ApiError, KubeClient
from .. import logs
from .account import client_of, stamp
from .basics import Quiet

Obj = dict[str, Any]
GROUP_VERSION = "metrics.k8s.io/v1beta1"
_SAMPLE = re.compile(r"^(\w+?)(?:\{(.*)\})? ([\d.]+)(?: (\d+))?$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


class Point(msgspec.Struct, array_like=True):
    """One measurement: when (Unix ns), processor time so far (ns), bytes held."""

    at: int
    cpu: int
    memory: int


class Scrapes(msgspec.Struct):
    """The last two measurements of each node and of each container `namespace/pod/container`, newest last."""

    nodes: dict[str, list[Point]] = {}
    containers: dict[str, list[Point]] = {}


def section(world: World) -> dict[str, Scrapes]:
    """By process key."""
    return world.section("metrics-server", dict)


class MetricsServer(Quiet):
    """The `Program`."""

    def start(self, world: World, proc: Process) -> None:
        """Read the flags and listen."""
        flags = _flags(proc)
        if "version" in flags:
            logs.emit(world, proc, "v0.8.0")
            raise Exited(0)
        try:
            port = int(flags.get("secure-port", "443"))
            _resolution(flags)
            network.listen(world, proc.netns, port, host=proc.host, pid=proc.pid)
        except ValueError:
            logs.emit(
                world, proc, f'Error: invalid argument "{flags.get("metric-resolution", "")}" for "--metric-resolution" flag'
            )
            raise Exited(1) from None
        except OSError:
            logs.emit(world, proc, f"panic: failed to create listener: listen tcp 0.0.0.0:{port}: bind: address already in use")
            raise Exited(2) from None
        section(world)[proc.key] = Scrapes()
        logs.emit(world, proc, f"{stamp(world, 'I')} secure_serving.go:211] Serving securely on [::]:{port}")
        world.after(2 * SECOND, proc.target, ["scrape"])

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """Scrape all nodes."""
        flags = _flags(proc)
        world.after(_resolution(flags), proc.target, ["scrape"])
        client = client_of(world, proc, "metrics-server/v0.8.0")
        try:
            nodes = client.list("nodes").items
        except (ApiError, ConnectError) as error:
            logs.emit(world, proc, f'{stamp(world, "E")} scraper.go:100] "Failed to list nodes" err="{error}"')
            return
        held = section(world)[proc.key]
        names = {node["metadata"]["name"] for node in nodes}
        held.nodes = {name: points for name, points in held.nodes.items() if name in names}
        fresh: set[str] = set()
        for node in nodes:
            fresh |= self._scrape(world, proc, client, node, flags)
        held.containers = {key: points for key, points in held.containers.items() if key in fresh}

    def _scrape(self, world: World, proc: Process, client: KubeClient, node: Obj, flags: dict[str, str]) -> set[str]:
        name = node["metadata"]["name"]
        addresses = {item["type"]: item["address"] for item in (node.get("status") or {}).get("addresses") or ()}
        order = flags.get("kubelet-preferred-address-types", "Hostname,InternalDNS,InternalIP,ExternalDNS,ExternalIP").split(",")
        address = next((addresses[kind] for kind in order if kind in addresses), "")
        url = f"https://{address}:10250/metrics/resource"
        why = ""
        if not address[:1].isdigit():
            why = f'Get "{url}": dial tcp: lookup {address} on 10.96.0.10:53: no such host'
        elif flags.get("kubelet-insecure-tls", "false") == "false":
            text = f"x509: cannot validate certificate for {address} because it doesn't contain any IP SANs"
            why = f'Get "{url}": tls: failed to verify certificate: {text}'
        else:
            headers = {"authorization": f"Bearer {client.credentials.token}"}
            try:
                answer = network.http(
                    world, proc.netns, address, 10250, Request(method="GET", path="/metrics/resource", headers=headers)
                )
                if answer.status != 200:
                    words = {401: "Unauthorized", 403: "Forbidden"}.get(answer.status, "")
                    why = f'request failed, status: "{answer.status} {words}"'
            except ConnectError:
                why = f'Get "{url}": dial tcp {address}:10250: connect: connection refused'
        if why:
            text = why.replace('"', '\\"')
            logs.emit(world, proc, f'{stamp(world, "E")} scraper.go:149] "Failed to scrape node" err="{text}" node="{name}"')
            return set()
        return _keep(section(world)[proc.key], name, answer.body.decode())

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """What was measured is only in memory."""
        section(world).pop(proc.key, None)
        return super().stop(world, proc, signal)

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """Health, discovery and the two resources."""
        held = section(world).get(proc.key, Scrapes())
        parts = [part for part in request.path.split("/") if part]
        if parts == ["livez"]:
            return Response(body=b"ok")
        if parts == ["readyz"]:
            if any(held.nodes.values()):
                return Response(body=b"ok")
            text = "[+]ping ok\n[+]log ok\n[-]metric-storage-ready failed: reason withheld\nreadyz check failed\n"
            return Response(status=500, body=text.encode())
        if parts[:3] != ["apis", *GROUP_VERSION.split("/")] or request.method != "GET":
            return Response(status=404, obj=status(404, "NotFound", "the server could not find the requested resource"))
        return self._resource(world, proc, held, parts[3:], request)

    def _resource(self, world: World, proc: Process, held: Scrapes, rest: list[str], request: Request) -> Response:
        if not rest:
            return Response(obj=_discovery())
        client = client_of(world, proc, "metrics-server/v0.8.0")
        selector = parse_labels(request.param("labelSelector"))
        try:
            if rest[0] == "nodes" and len(rest) <= 2:
                objects = client.list("nodes").items
                found = [_node(obj, held) for obj in objects if selector.matches(obj["metadata"].get("labels") or {})]
                return _answer("NodeMetrics", "nodes", found, rest[1] if len(rest) == 2 else "")
            if rest == ["pods"] or (len(rest) in (3, 4) and rest[0] == "namespaces" and rest[2] == "pods"):
                space = rest[1] if len(rest) > 1 else ""
                objects = client.list("pods", space or None).items
                found = [_pod(obj, held) for obj in objects if selector.matches(obj["metadata"].get("labels") or {})]
                return _answer("PodMetrics", "pods", found, rest[3] if len(rest) == 4 else "", space)
        except (ApiError, ConnectError) as error:
            return Response(status=500, obj=status(500, "InternalError", f"Internal error occurred: {error}"))
        return Response(status=404, obj=status(404, "NotFound", "the server could not find the requested resource"))


def _flags(proc: Process) -> dict[str, str]:
    found = {}
    for word in proc.argv[1:]:
        name, equals, value = word.lstrip("-").partition("=")
        found[name] = value if equals else "true"
    return found


def _resolution(flags: dict[str, str]) -> int:
    text = flags.get("metric-resolution", "60s")
    match = re.fullmatch(r"(\d+)(s|m)", text)
    if match is None:
        raise ValueError(text)
    return int(match.group(1)) * (SECOND if match.group(2) == "s" else clock.MINUTE)


def _keep(held: Scrapes, node: str, text: str) -> set[str]:
    """Take a scrape over; returns the containers that were in it."""
    cpu: dict[str, tuple[int, int]] = {}
    memory: dict[str, int] = {}
    for line in text.splitlines():
        match = _SAMPLE.match(line)
        if match is None:
            continue
        family, labels, value, at = match.groups()
        where = dict(_LABEL.findall(labels or ""))
        key = f"{where['namespace']}/{where['pod']}/{where['container']}" if "container" in where else "" if not where else None
        if key is None:
            continue
        if family.endswith("_cpu_usage_seconds_total"):
            cpu[key] = (int(at) * clock.MS, int(float(value) * SECOND))
        elif family.endswith("_memory_working_set_bytes"):
            memory[key] = int(float(value))
    for key, (when, used) in cpu.items():
        points = held.containers.setdefault(key, []) if key else held.nodes.setdefault(node, [])
        if points and (points[-1].at >= when or points[-1].cpu > used):  # a container that began anew
            points.clear()
        points.append(Point(when, used, memory.get(key, 0)))
        del points[:-2]
    return {key for key in cpu if key}


def _use(points: list[Point]) -> Obj | None:
    """Processor and memory as quantities; None before the second measurement."""
    if len(points) < 2:
        return None
    before, after = points
    nano = (after.cpu - before.cpu) * SECOND // (after.at - before.at)
    return {"cpu": f"{nano}n" if nano else "0", "memory": f"{after.memory // 1024}Ki"}


def _times(points: list[Point]) -> Obj:
    window = (points[-1].at - points[0].at) / SECOND
    return {"timestamp": clock.rfc3339(points[-1].at), "window": f"{window:.3f}".rstrip("0").rstrip(".") + "s"}


def _node(obj: Obj, held: Scrapes) -> Obj | None:
    meta = obj["metadata"]
    points = held.nodes.get(meta["name"], [])
    used = _use(points)
    return None if used is None else {"metadata": _meta(obj, points), **_times(points), "usage": used}


def _pod(obj: Obj, held: Scrapes) -> Obj | None:
    meta = obj["metadata"]
    head = f"{meta['namespace']}/{meta['name']}/"
    rows = [(container["name"], held.containers.get(head + container["name"], [])) for container in obj["spec"]["containers"]]
    uses = [(name, _use(points), points) for name, points in rows]
    known = [(name, used, points) for name, used, points in uses if used is not None]
    if not known or len(known) < len(rows):
        return None
    points = known[0][2]
    return {
        "metadata": _meta(obj, points),
        **_times(points),
        "containers": [{"name": name, "usage": used} for name, used, _ in known],
    }


def _meta(obj: Obj, points: list[Point]) -> Obj:
    meta = obj["metadata"]
    out = {"name": meta["name"]}
    if meta.get("namespace"):
        out["namespace"] = meta["namespace"]
    out["creationTimestamp"] = clock.rfc3339(points[-1].at)
    if meta.get("labels"):
        out["labels"] = meta["labels"]
    return out


def _answer(kind: str, plural: str, found: list[Obj | None], name: str, space: str = "") -> Response:
    items = [item for item in found if item is not None]
    if name:
        for item in items:
            if item["metadata"]["name"] == name:
                return Response(obj={"kind": kind, "apiVersion": GROUP_VERSION, **item})
        where = f"{space}/{name}" if space else name
        text = f'{kind.lower()}.metrics.k8s.io "{where}" not found'
        return Response(status=404, obj=status(404, "NotFound", text, {"name": where, "group": "metrics.k8s.io", "kind": plural}))
    return Response(obj={"kind": f"{kind}List", "apiVersion": GROUP_VERSION, "metadata": {}, "items": items})


def _discovery() -> Obj:
    rows = [("nodes", False, "NodeMetrics"), ("pods", True, "PodMetrics")]
    listed = [
        {"name": name, "singularName": "", "namespaced": spaced, "kind": kind, "verbs": ["get", "list"]}
        for name, spaced, kind in rows
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": GROUP_VERSION, "resources": listed}

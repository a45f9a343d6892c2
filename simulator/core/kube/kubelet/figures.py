"""What the kubelet tells of itself: `/metrics`, `/stats/summary` and the files below `/logs/` (`pkg/kubelet/server`)."""

from __future__ import annotations

import posixpath
from typing import Any

import msgspec

from ...host import files
from ...host.virtual import used_disk, used_memory
from ...kernel import clock
from ...kernel.http import Response
from ...runtime import memory, usage
from . import status
from .context import Kubelet

Obj = dict[str, Any]
TEXT = {"content-type": "text/plain; version=0.0.4; charset=utf-8; escaping=values"}
JSON = {"content-type": "application/json"}


def metrics(kubelet: Kubelet) -> Response:
    """A part of the real families: identity, pods, containers, volumes, certificates."""
    pods = [pod for pod in kubelet.state.pods.values() if pod.work == "sync"]
    states: dict[str, int] = {}
    for pod in pods:
        for track in pod.tracks.values():
            record = status.record(kubelet, track)
            if record is not None:
                states[record.state.lower()] = states.get(record.state.lower(), 0) + 1
    minor = kubelet.version.split(".")[1]
    running = sum(1 for pod in pods if not pod.terminal and pod.sandbox)
    rows: list[tuple[str, str, str, list[tuple[str, str]]]] = [
        (
            "kubernetes_build_info",
            "gauge",
            "A metric with a constant '1' value labeled by major, minor, git version, git commit, build date, Go version, "
            "and compiler from which Kubernetes was built, and platform on which it is running.",
            [(f'git_version="{kubelet.version}",major="1",minor="{minor}",platform="linux/amd64"', "1")],
        ),
        ("kubelet_node_name", "gauge", "The node's name. The count is always 1.", [(f'node="{kubelet.state.node}"', "1")]),
        ("kubelet_running_pods", "gauge", "Number of pods that have a running pod sandbox", [("", str(running))]),
        (
            "kubelet_running_containers",
            "gauge",
            "Number of containers currently running",
            [(f'container_state="{name}"', str(count)) for name, count in sorted(states.items())],
        ),
        (
            "kubelet_restarted_pods_total",
            "counter",
            "Number of pods that have been restarted because they were deleted and recreated with the same UID",
            [('static=""', "0"), ('static="true"', "0")],
        ),
        (
            "process_start_time_seconds",
            "gauge",
            "Start time of the process since unix epoch in seconds.",
            [("", f"{(kubelet.world.epoch + kubelet.state.started_at) / clock.SECOND:.2f}")],
        ),
    ]
    out = []
    for name, kind, text, samples in rows:
        out.append(f"# HELP {name} [ALPHA] {text}\n# TYPE {name} {kind}\n")
        out += [f"{name}{{{labels}}} {value}\n" if labels else f"{name} {value}\n" for labels, value in samples]
    return Response(status=200, headers=dict(TEXT), body="".join(out).encode())


def resource(kubelet: Kubelet) -> Response:
    """`/metrics/resource`: what containers, pods and the node use (`pkg/kubelet/metrics/collectors/resource_metrics.go`)."""
    world, host = kubelet.world, kubelet.proc.host
    at = world.wall // clock.MS
    rows: dict[str, list[str]] = {name: [] for name in _RESOURCE}
    total = usage.of_daemons(world, host)
    for pod in sorted(kubelet.state.pods.values(), key=lambda p: p.full_name):
        where = f'namespace="{pod.namespace}",pod="{pod.name}"'
        cpu = held = 0
        for name, track in pod.tracks.items():
            record = status.record(kubelet, track)
            if record is None or record.state != "RUNNING":
                continue
            used = usage.of_container(world, host, record)
            cpu, held = cpu + used.cpu_ns, held + used.memory
            labels = f'container="{name}",{where}'
            rows["container_cpu_usage_seconds_total"].append(f"{{{labels}}} {used.cpu_ns / clock.SECOND:.6f} {at}")
            rows["container_memory_working_set_bytes"].append(f"{{{labels}}} {used.memory} {at}")
            rows["container_start_time_seconds"].append(f"{{{labels}}} {record.started_at / clock.SECOND:.3f}")
        if cpu:
            rows["pod_cpu_usage_seconds_total"].append(f"{{{where}}} {cpu / clock.SECOND:.6f} {at}")
            rows["pod_memory_working_set_bytes"].append(f"{{{where}}} {held} {at}")
        total += cpu
    rows["node_cpu_usage_seconds_total"].append(f" {total / clock.SECOND:.6f} {at}")
    rows["node_memory_working_set_bytes"].append(f" {used_memory(kubelet.host) * 1024} {at}")
    rows["resource_scrape_error"].append(" 0")
    out = []
    for name, samples in rows.items():
        kind = "counter" if name.endswith("_total") else "gauge"
        out.append(f"# HELP {name} [STABLE] {_RESOURCE[name]}\n# TYPE {name} {kind}\n")
        out += [f"{name}{sample}\n" for sample in samples]
    return Response(status=200, headers=dict(TEXT), body="".join(out).encode())


#: The families of `/metrics/resource` and what they say.
_RESOURCE = {
    "container_cpu_usage_seconds_total": "Cumulative cpu time consumed by the container in core-seconds",
    "container_memory_working_set_bytes": "Current working set of the container in bytes",
    "container_start_time_seconds": "Start time of the container since unix epoch in seconds",
    "node_cpu_usage_seconds_total": "Cumulative cpu time consumed by the node in core-seconds",
    "node_memory_working_set_bytes": "Current working set of the node in bytes",
    "pod_cpu_usage_seconds_total": "Cumulative cpu time consumed by the pod in core-seconds",
    "pod_memory_working_set_bytes": "Current working set of the pod in bytes",
    "resource_scrape_error": "1 if there was an error while getting container metrics, 0 otherwise",
}


def summary(kubelet: Kubelet) -> Response:
    """`/stats/summary` (`pkg/kubelet/server/stats/summary.go`)."""
    host, now = kubelet.host, kubelet.stamp()
    used, total = used_memory(host) * 1024, host.memory_kib * 1024
    disk_used, disk = used_disk(host) * 1024, host.disk_kib * 1024
    disks = {"time": now, "availableBytes": max(disk - disk_used, 0), "capacityBytes": disk, "usedBytes": disk_used}
    pods = []
    for pod in sorted(kubelet.state.pods.values(), key=lambda p: p.full_name):
        containers: list[Obj] = []
        for name, track in pod.tracks.items():
            record = status.record(kubelet, track)
            if record is None or record.state != "RUNNING":
                continue
            held = memory.usage(kubelet.world, kubelet.proc.host, record.id)
            containers.append(
                {
                    "name": name,
                    "startTime": clock.rfc3339(record.started_at),
                    "memory": {"time": now, "usageBytes": held, "workingSetBytes": held, "rssBytes": held},
                }
            )
        total_held = sum(c["memory"]["workingSetBytes"] for c in containers)
        pods.append(
            {
                "podRef": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid},
                "startTime": pod.started_at,
                "containers": containers,
                "memory": {"time": now, "usageBytes": total_held, "workingSetBytes": total_held},
            }
        )
    body = {
        "node": {
            "nodeName": kubelet.state.node,
            "startTime": clock.rfc3339(kubelet.world.epoch + host.boot_at),
            "memory": {
                "time": now,
                "availableBytes": max(total - used, 0),
                "usageBytes": used,
                "workingSetBytes": used,
                "rssBytes": used,
            },
            "fs": disks,
            "runtime": {"imageFs": disks, "containerFs": disks},
            "rlimit": {"time": now, "maxpid": 63455, "curproc": len(host.processes)},
        },
        "pods": pods,
    }
    return Response(status=200, headers=dict(JSON), body=msgspec.json.format(msgspec.json.encode(body), indent=1) + b"\n")


def logs(kubelet: Kubelet, path: str) -> Response:
    """`/logs/…`: files and directories below /var/log, as Go's file server shows them."""
    where = posixpath.normpath("/var/log/" + path)
    tree = files.tree(kubelet.host)
    if not where.startswith("/var/log") or not tree.exists(where):
        return Response(status=404, headers={"content-type": "text/plain; charset=utf-8"}, body=b"404 page not found\n")
    if not tree.isdir(where):
        return Response(status=200, headers={"content-type": "text/plain; charset=utf-8"}, body=tree.read(where))
    names = [name + ("/" if tree.isdir(posixpath.join(where, name)) else "") for name in tree.listdir(where)]
    rows = "".join(f'<a href="{name}">{name}</a>\n' for name in names)
    head = '<!doctype html>\n<meta name="viewport" content="width=device-width">\n'
    return Response(
        status=200, headers={"content-type": "text/html; charset=utf-8"}, body=f"{head}<pre>\n{rows}</pre>\n".encode()
    )

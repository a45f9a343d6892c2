"""What the ship map draws: the view of docs/map.md, read from the world itself, so that it also shows a cluster whose API is away."""

from __future__ import annotations

from typing import Any

import orjson

from ..etcd import member
from ..etcd.mvcc import KeyValue, Store, key_of, prefix_end
from ..host import files
from ..host.machine import Host, hosts
from ..host.process import Process
from ..kernel.world import World
from .etcd_view import etcd_view

Json = dict[str, Any]

#: Components of a control-plane machine in drawing order, with their static pods' manifests.
STATIC = ("etcd", "kube-apiserver", "kube-scheduler", "kube-controller-manager")
LEASES = ("kube-scheduler", "kube-controller-manager")
UNITS = ("kubelet", "containerd")
#: What machines outside the cluster run: units and their programs.
SERVICES = {"etcd": "etcd", "haproxy": "haproxy", "docker": "dockerd"}
WAITING_FAILED = frozenset(
    {"CrashLoopBackOff", "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError",
     "CreateContainerError", "RunContainerError", "ErrImageNeverPull"}
)  # fmt: skip


def view(world: World) -> Json:
    """The whole view; plain JSON, equal when nothing visible has changed."""
    store, etcd = etcd_view(world)
    nodes = stored(world, store, b"/registry/minions/")
    pods = stored(world, store, b"/registry/pods/")
    leases = {o["metadata"]["name"]: o for o in stored(world, store, b"/registry/leases/kube-system/")}
    by_host: dict[str, list[Json]] = {}
    for pod in pods:
        by_host.setdefault(pod["spec"].get("nodeName", ""), []).append(pod)
    by_node = {node["metadata"]["name"]: node for node in nodes}
    drawn = [_host(world, host, by_node.get(name), by_host.get(name, []), leases) for name, host in hosts(world).items()]
    drawn.sort(key=lambda h: (h["role"] != "control-plane", h["name"]))
    apiservers = [c for h in drawn for c in h["components"] if c["id"] == "kube-apiserver"]
    order = {"healthy": 0, "pending": 1, "failing": 2, "stopped": 3}
    best = min(apiservers, key=lambda c: order.get(c["state"], 3), default={"state": "stopped", "note": ""})
    return {
        "rv": store.state.revision if store is not None and best["state"] == "healthy" else 0,
        "apiserver": {"state": best["state"], "note": best["note"]},
        "etcd": etcd,
        "hosts": drawn,
        "pending": [_pending(pod) for pod in by_host.get("", ())],
    }


def stored(world: World, store: Store | None, prefix: bytes) -> list[Json]:
    """Decoded objects below a prefix; decoding is remembered by key and revision."""
    if store is None:
        return []
    seen: dict[bytes, tuple[int, Json | None]] = world.warm.setdefault("view-objects", {})
    out = []
    for kv in store.range(prefix, prefix_end(prefix)).kvs:
        known = seen.get(kv.key)
        if known is None or known[0] != kv.mod_revision:
            known = seen[kv.key] = (kv.mod_revision, world.shared.derive(key_of(kv), kv, "view", _decode))
        if known[1] is not None:
            out.append(known[1])
    return out


def _decode(kv: KeyValue) -> Json | None:
    """A stored object, or None for bytes that a learner wrote over one."""
    try:
        obj = orjson.loads(kv.value[kv.value.index(b"{") :])
    except (ValueError, orjson.JSONDecodeError):
        return None
    usable = isinstance(obj, dict) and isinstance(obj.get("metadata"), dict) and "name" in obj["metadata"]
    return {"spec": {}, "status": {}, **obj} if usable else None


def _host(world: World, host: Host, node: Json | None, pods: list[Json], leases: dict[str, Json]) -> Json:
    tree = files.tree(host)
    control_plane = tree.exists("/etc/kubernetes/admin.conf")
    kubelet = tree.exists("/usr/bin/kubelet") and tree.exists("/var/lib/kubelet/config.yaml")
    state, ready, note = _node_state(host, node)
    names = [f"{p['metadata'].get('namespace', '')}/{p['metadata']['name']}" for p in pods]
    running: dict[str, Process] = {}
    for proc in host.processes.values():
        if proc.argv:
            running.setdefault(proc.argv[0].rsplit("/", 1)[-1], proc)
    components = []
    if control_plane:
        for name in STATIC:
            components.append(_static(world, host, name, running.get(name), pods, leases))
    if kubelet:
        components.append(_unit(host, "kubelet", running))
        proxies = [p for p in pods if p["metadata"].get("labels", {}).get("k8s-app") == "kube-proxy"]
        if proxies or "kube-proxy" in running:
            components.append(_proxy(running.get("kube-proxy"), proxies))
        components.append(_unit(host, "containerd", running))
    if not control_plane and not kubelet:
        # a machine outside the cluster: what it runs for it
        for name, program in SERVICES.items():
            if f"{name}.service" in host.units or program in running:
                components.append(_unit(host, name, {name: running[program]} if program in running else {}))
        if node is None and host.up:
            state, ready = "healthy", True
    taken = {c.get("pod") for c in components if c.get("pod")}
    return {
        "name": host.name,
        "role": "control-plane" if control_plane else "worker" if kubelet else "machine",
        "state": state,
        "ready": ready,
        "note": note,
        "components": components,
        "pods": [_pod(pod) for name, pod in sorted(zip(names, pods, strict=True), key=lambda x: x[0]) if name not in taken],
    }


def _node_state(host: Host, node: Json | None) -> tuple[str, bool, str]:
    if not host.up:
        return "stopped", False, "PowerOff"
    if node is None:
        return "pending", False, ""
    condition: Json = next((c for c in node["status"].get("conditions", ()) if c.get("type") == "Ready"), {})
    if condition.get("status") != "True":
        return "failing", False, "Unknown" if condition.get("status") == "Unknown" else "NotReady"
    return "healthy", True, "SchedulingDisabled" if node["spec"].get("unschedulable") else ""


def _static(world: World, host: Host, name: str, proc: Process | None, pods: list[Json], leases: dict[str, Json]) -> Json:
    pod_name = f"{name}-{host.name}"
    pod = next((p for p in pods if p["metadata"]["name"] == pod_name), None)
    manifest = files.tree(host).exists(f"/etc/kubernetes/manifests/{name}.yaml")
    state, note = "stopped", ""
    if proc is not None:
        state = "healthy"
        if name == "etcd":
            run = member.section(world).running.get(proc.key)
            state = "healthy" if run is not None and run.ready else "pending"
        if name in LEASES:
            holder = str(leases.get(name, {}).get("spec", {}).get("holderIdentity", ""))
            leads = holder.startswith(host.name + "_")
            state, note = ("healthy", "leader") if leads else ("standby", "")
    elif manifest and host.up:
        state, note = "pending", ""
        if pod is not None:
            reason = _reason(pod)
            state, note = ("failing", reason) if reason in WAITING_FAILED or reason == "Error" else ("pending", "")
    return {"id": name, "name": name, "state": state, "note": note, "unit": "", "pod": f"kube-system/{pod_name}"}


def _unit(host: Host, name: str, running: dict[str, Process]) -> Json:
    unit = host.units.get(f"{name}.service")
    up = host.up and name in running
    state = "healthy" if up else "failing" if unit is not None and unit.active in ("failed", "activating") else "stopped"
    return {"id": name, "name": name, "state": state, "note": "", "unit": f"{name}.service", "pod": ""}


def _proxy(proc: Process | None, pods: list[Json]) -> Json:
    pod = pods[0] if pods else None
    name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" if pod else ""
    if proc is not None:
        state, note = "healthy", ""
    elif pod is not None:
        note = _reason(pod)
        state = "failing" if note in WAITING_FAILED else "pending"
    else:
        state, note = "stopped", ""
    return {"id": "kube-proxy", "name": "kube-proxy", "state": state, "note": note, "unit": "", "pod": name}


def _statuses(pod: Json) -> list[Json]:
    status = pod["status"]
    return [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]


def _reason(pod: Json) -> str:
    """The STATUS column of `kubectl get pods` where it is not the phase."""
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for status in _statuses(pod):
        for kind in ("waiting", "terminated"):
            found = status.get("state", {}).get(kind)
            if found and found.get("reason") and found["reason"] != "Completed":
                return str(found["reason"])
    return str(pod["status"].get("reason", ""))


def _container(spec: Json, statuses: dict[str, Json]) -> Json:
    status = statuses.get(spec.get("name", ""), {})
    state = next(iter(status.get("state") or {"waiting": {}}))
    detail = (status.get("state") or {}).get(state) or {}
    return {
        "name": spec.get("name", ""),
        "image": spec.get("image", ""),
        "state": state,
        "ready": bool(status.get("ready")),
        "restarts": status.get("restartCount", 0),
        "note": detail.get("reason", ""),
    }


def _pod(pod: Json) -> Json:
    meta, status = pod["metadata"], pod["status"]
    phase, reason = status.get("phase", "Pending"), _reason(pod)
    statuses = {s["name"]: s for s in status.get("containerStatuses", ())}
    containers = [_container(c, statuses) for c in pod["spec"].get("containers", ())]
    if meta.get("deletionTimestamp"):
        state = "stopped"
    elif phase == "Failed" or reason in WAITING_FAILED or reason in ("Error", "OOMKilled"):
        state = "failing"
    elif phase == "Succeeded" or (phase == "Running" and all(c["ready"] for c in containers)):
        state = "healthy"
    else:
        state = "pending"
    owner = next(iter(meta.get("ownerReferences", ())), None)
    return {
        "namespace": meta.get("namespace", ""),
        "name": meta["name"],
        "phase": phase,
        "state": state,
        "note": "" if reason == phase else reason,
        "owner": f"{owner['kind']}/{owner['name']}" if owner else "",
        "ip": status.get("podIP", ""),
        "containers": containers,
    }


def _pending(pod: Json) -> Json:
    condition: Json = next((c for c in pod["status"].get("conditions", ()) if c.get("type") == "PodScheduled"), {})
    return {
        "namespace": pod["metadata"].get("namespace", ""),
        "name": pod["metadata"]["name"],
        "phase": pod["status"].get("phase", "Pending"),
        "state": "pending",
        "note": condition.get("reason", ""),
        "containers": [{"name": c.get("name", ""), "image": c.get("image", "")} for c in pod["spec"].get("containers", ())],
    }

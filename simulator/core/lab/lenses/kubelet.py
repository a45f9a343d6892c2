"""The kubelet lens: the pods that a node's kubelet works on, and what it asked of the runtime over CRI."""

from __future__ import annotations

from typing import Any

from ...host.machine import hosts
from ...kernel.trace import TraceEvent
from ...kernel.world import World
from ...kube.kubelet.state import KubeletState, PodState, Track, kubelets
from ...runtime import state as runtime_state
from .common import choose, last_events, objects, running_as, told

Json = dict[str, Any]

PODS = 14
CALLS = 14
#: The CRI's calls by the trace events that say they were answered (`runtime/v1/api.proto`); the others are the kubelet's own doing.
CALLED = {
    "sandbox.start": ["RunPodSandbox"],
    "image.pulled": ["PullImage"],
    "container.start": ["CreateContainer", "StartContainer"],
}


def lens(world: World, about: str) -> Json:
    """One node's kubelet; without a choice the last one that did something, else the first worker's."""
    nodes = sorted(name for name, host in hosts(world).items() if "kubelet.service" in host.units)
    acted = next((e.actor.partition("/")[2] for e in reversed(world.trace) if e.actor.startswith("kubelet/")), "")
    about = choose(nodes, about, acted if acted in nodes else next((n for n in nodes if not n.startswith("controlplane")), ""))
    state = kubelets(world).get(about)
    host = hosts(world).get(about)
    runs = host is not None and any(running_as(p.argv, "kubelet") for p in host.processes.values())
    out: Json = {"about": about, "choices": nodes, "running": runs, "pods": [], "calls": _calls(world, about)}
    if state is None:
        return out
    lease = next((o for o in objects(world, "leases/kube-node-lease") if o["metadata"]["name"] == state.node), None)
    config = state.config or {}
    return {
        **out,
        "registered": state.registered,
        "ready": state.ready,
        "runtime_up": state.runtime_up,
        "socket": config.get("containerRuntimeEndpoint") or "unix:///run/containerd/containerd.sock",
        "manifests": config.get("staticPodPath") or "",
        "max_pods": config.get("maxPods") or 110,
        "lease": (lease or {}).get("spec", {}).get("renewTime", ""),
        "pods": [_pod(world, about, pod) for pod in _ordered(state)[:PODS]],
        "count": len(state.pods),
    }


def _ordered(state: KubeletState) -> list[PodState]:
    """A learner's pods before the cluster's own, then by name."""
    return sorted(state.pods.values(), key=lambda p: (p.namespace == "kube-system", p.namespace, p.name))


def _pod(world: World, host: str, pod: PodState) -> Json:
    known = runtime_state.runtime(world, host).sandboxes if host in runtime_state.runtimes(world) else {}
    sandbox = known.get(pod.sandbox)
    return {
        "pod": f"{pod.namespace}/{pod.name}",
        "source": pod.source,
        "work": pod.work,
        "phase": str(pod.status.get("phase", "")),
        "sandbox": pod.sandbox[:12],
        "sandbox_state": sandbox.state if sandbox is not None else "",
        "attempt": pod.attempt,
        "ip": pod.ip,
        "volumes": pod.volumes_ready,
        "busy": pod.busy_until if pod.busy_until > world.now else 0,
        "containers": [_container(world, host, name, track) for name, track in sorted(pod.tracks.items())],
    }


def _container(world: World, host: str, name: str, track: Track) -> Json:
    """A container as the kubelet keeps track of it; `again` is when it is started, or its image asked for, once more (virtual ns)."""
    found = runtime_state.find_container(world, host, track.id) if track.id and host in runtime_state.runtimes(world) else None
    ended = track.crash_at + track.crash_backoff if track.crash_backoff and track.reason == "CrashLoopBackOff" else 0
    pull = track.image_failed + track.image_backoff if track.image_backoff and track.image_error else 0
    return {
        "name": name,
        "id": track.id[:12],
        "state": found.state if found is not None else "",
        "restarts": track.restarts,
        "reason": track.reason,
        "again": again if (again := max(ended, pull)) > world.now else 0,
        "probes": {kind: probe.result for kind, probe in sorted(track.probes.items())},
    }


def _calls(world: World, host: str) -> list[Json]:
    """What happened on the node, oldest first, with the CRI's name of it where it was a call to the runtime."""
    kubelet, runtime = f"kubelet/{host}", f"containerd/{host}"
    found = last_events(world, lambda event: event.actor in (kubelet, runtime), CALLS)
    return [_call(event, event.actor == runtime) for event in found]


def _call(event: TraceEvent, cri: bool) -> Json:
    row = told(event)
    detail = row.pop("detail")
    words = {
        key: detail[key] for key in ("verb", "subresource", "source", "grace", "ip", "image", "code", "bytes") if key in detail
    }
    return {**row, "cri": CALLED.get(event.action, []) if cri else [], "by": "runtime" if cri else "kubelet", "detail": words}

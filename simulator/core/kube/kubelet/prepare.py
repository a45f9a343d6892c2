"""What a pod needs before its containers: time left, volumes, a network, a sandbox (`kubelet.go: SyncPod`, `kuberuntime_sandbox.go`)."""

from __future__ import annotations

import json
from typing import Any

from ...kernel import clock
from ...kernel.clock import MS, SECOND
from ...runtime import cri
from ...runtime.state import Sandbox
from . import status, termination, volumes
from .context import Kubelet
from .state import PodState
from .units import duration, qos_class

Obj = dict[str, Any]

#: A volume's plugin, where it is not the field's name in small letters.
_PLUGINS = {"hostPath": "host-path", "emptyDir": "empty-dir", "downwardAPI": "downward-api", "persistentVolumeClaim": "host-path"}


def past_deadline(kubelet: Kubelet, pod: PodState) -> bool:
    """End a pod that has been active longer than its activeDeadlineSeconds; True when it has."""
    limit = pod.pod["spec"].get("activeDeadlineSeconds")
    if limit is None:
        return False
    left = clock.parse_rfc3339(pod.started_at) + int(limit) * SECOND - kubelet.world.wall
    if left > 0:
        kubelet.world.after(left, kubelet.proc.target, ["pod", pod.uid])
        return False
    pod.terminal, pod.reason = "Failed", "DeadlineExceeded"
    pod.message = "Pod was active on the node longer than the specified deadline"
    kubelet.pod_event(pod, "Normal", "DeadlineExceeded", pod.message)
    termination.stop_all(kubelet, pod)
    return True


def volumes_ready(kubelet: Kubelet, pod: PodState) -> bool:
    """Set the volumes up; False while one is missing."""
    if pod.volumes_ready:
        return True
    try:
        volumes.set_up(kubelet, pod)
    except volumes.MountError as failed:
        kubelet.pod_event(pod, "Warning", "FailedMount", str(failed))
        pod.mount_backoff = min(max(500 * MS, pod.mount_backoff * 2), 122 * SECOND)
        _say_unmounted(kubelet, pod, str(failed))
        kubelet.wake(pod, kubelet.world.now + pod.mount_backoff)
        return False
    pod.volumes_ready = True
    return True


def _say_unmounted(kubelet: Kubelet, pod: PodState, failed: str) -> None:
    """A volume that could not be set up, in the journal (`nestedpendingoperations.go`, `operation_generator.go`)."""
    name = failed.split('"')[1]
    volume = next(v for v in pod.pod["spec"].get("volumes") or () if v["name"] == name)
    kind = next((key for key in sorted(volume) if key != "name"), "")
    unique = f"kubernetes.io/{_PLUGINS.get(kind, kind.lower())}/{pod.uid}-{name}"
    source = volume.get(kind) or {}
    cause = failed.partition(" : ")[2]
    if kind in ("configMap", "secret") and cause.endswith(" not found"):
        line, shown = (193, "configMap") if kind == "configMap" else (189, "secret")
        wanted = f"{pod.namespace}/{source.get('name') or source.get('secretName')}"
        kubelet.line("E", f"{kind.lower()}.go:{line}", f"Couldn't get {shown} {wanted}: {cause}")
    now = kubelet.world.wall + kubelet.host.skew + pod.mount_backoff
    until = clock.to_datetime(now).strftime("%Y-%m-%d %H:%M:%S.%f") + "000 +0000 UTC"
    awake = (kubelet.world.now - kubelet.state.started_at + pod.mount_backoff) / SECOND
    kubelet.line(
        "E",
        "nestedpendingoperations.go:348",
        f'Operation for "{{volumeName:{unique} podName:{pod.uid} nodeName:}}" failed. No retries permitted until {until} m=+{awake:.9f} '
        f'(durationBeforeRetry {duration(pod.mount_backoff)}). Error: MountVolume.SetUp failed for volume "{name}" '
        f'(UniqueName: "{unique}") pod "{pod.name}" (UID: "{pod.uid}") : {cause}',
    )


def network_ready(kubelet: Kubelet, pod: PodState) -> bool:
    """Whether the runtime has a network for the pod."""
    if pod.pod["spec"].get("hostNetwork"):
        return True
    for kind, good, reason, message in cri.status(kubelet.world, kubelet.proc.host):
        if kind == "NetworkReady" and not good:
            text = (
                f"network is not ready: container runtime network not ready: NetworkReady=false reason:{reason} message:{message}"
            )
            kubelet.pod_event(pod, "Warning", "NetworkNotReady", text)
            if pod.step is not None:
                pod.step.errors.append(text)
            kubelet.wake(pod, kubelet.world.now + kubelet.rng(1000, 1500))
            return False
    return True


def sandbox(kubelet: Kubelet, pod: PodState, old: Sandbox | None) -> None:
    """Create the pod's sandbox; one that has gone takes its containers with it."""
    world, host = kubelet.world, kubelet.proc.host
    spec = pod.pod["spec"]
    if old is not None:
        records = [status.record(kubelet, t) for t in pod.tracks.values()]
        ended = [r for r in records if r is not None and r.state == "EXITED"]
        policy = spec.get("restartPolicy") or "Always"
        if (policy == "Never" and ended) or (
            policy == "OnFailure" and ended and all(r.exit_code == 0 for r in ended) and len(ended) == len(pod.tracks)
        ):
            return
        kubelet.pod_event(pod, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
        cri.stop_pod_sandbox(world, host, old.id)
        pod.attempt = old.attempt + 1
    ports = (
        [p for c in spec["containers"] for p in c.get("ports") or () if p.get("hostPort")] if not spec.get("hostNetwork") else []
    )
    qos = qos_class(pod.pod)
    config: Obj = {
        "metadata": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid, "attempt": pod.attempt},
        "hostname": kubelet.state.node if spec.get("hostNetwork") else str(spec.get("hostname") or pod.name)[:63],
        "hostNetwork": spec.get("hostNetwork"),
        "qos": "" if qos == "BestEffort" else qos.lower(),
        "pidMode": "node" if spec.get("hostPID") else "pod" if spec.get("shareProcessNamespace") else "",
        "logDirectory": f"/var/log/pods/{pod.namespace}_{pod.name}_{pod.uid}",
        "labels": {
            **(pod.pod["metadata"].get("labels") or {}),
            "io.kubernetes.pod.name": pod.name,
            "io.kubernetes.pod.namespace": pod.namespace,
            "io.kubernetes.pod.uid": pod.uid,
        },
        "annotations": dict(pod.pod["metadata"].get("annotations") or {}),
        "portMappings": ports,
    }
    try:
        pod.sandbox = cri.run_pod_sandbox(world, host, config)
    except cri.CriError as failed:
        kubelet.pod_event(pod, "Warning", "FailedCreatePodSandBox", f"Failed to create pod sandbox: {failed}")
        where, named = {"pod": f"{pod.namespace}/{pod.name}"}, json.dumps(f"{pod.full_name}({pod.uid})")
        kubelet.log("E", "remote_runtime.go:237", "RunPodSandbox from runtime service failed", err=str(failed))
        kubelet.log("E", "kuberuntime_sandbox.go:70", "Failed to create sandbox for pod", err=str(failed), **where)
        kubelet.log("E", "kuberuntime_manager.go:1614", "CreatePodSandbox for pod failed", err=str(failed), **where)
        if pod.step is not None:
            text = json.dumps(f"Failed to create sandbox for pod {named}: {failed}")
            pod.step.errors.append(f'failed to "CreatePodSandbox" for {named} with CreatePodSandboxError: {text}')
        kubelet.wake(pod, world.now + kubelet.rng(10_000, 15_000))
        return
    if pod.step is not None:
        pod.step.acted = True
    pod.ip = cri.find_sandbox(world, host, pod.sandbox).ip or pod.ip
    pod.busy_until = world.now + kubelet.rng(120, 420)
    kubelet.wake(pod, pod.busy_until)

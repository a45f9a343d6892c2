"""Starting one container: image, creation, start, post-start hook (`pkg/kubelet/kuberuntime/kuberuntime_container.go: startContainer`)."""

from __future__ import annotations

from typing import Any

from ...host import files
from ...host.machine import hosts
from ...kernel.errors import ConnectError
from ...runtime import cri
from ..api import quantity
from . import envs, garbage, hooks, images, volumes
from .context import Kubelet
from .state import PodState, Track
from .units import grace_period, qos_class

Obj = dict[str, Any]

#: The priority from which a pod is critical for its node (`system-node-critical` less its reserve).
NODE_CRITICAL = 2_000_001_000


class StartFailed(Exception):
    """The container could not be started; it waits with `reason`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def step(kubelet: Kubelet, pod: PodState, container: Obj, track: Track, attempt: int) -> bool:
    """Go on with starting a container; True once it has been started, False while the image is on its way or being created."""
    name = container["name"]
    try:
        if not images.ensure(kubelet, pod, container, track):
            return False
    except images.ImageError as failed:
        kubelet.pod_event(pod, "Warning", "Failed", f"Error: {failed.reason}", name)
        raise StartFailed(failed.reason, str(failed)) from failed
    if not track.created:
        _create(kubelet, pod, container, track, attempt)
        track.created = True
        pod.busy_until = kubelet.world.now + kubelet.rng(25, 90)
        return False
    track.created = False
    try:
        cri.start_container(kubelet.world, kubelet.proc.host, track.id)
    except cri.CriError as failed:
        kubelet.pod_event(pod, "Warning", "Failed", f"Error: {failed.message}", name)
        raise StartFailed("RunContainerError", failed.message) from failed
    track.reason = track.message = ""
    track.image_id = ""
    track.stopping = False
    track.kill_reason = ""
    kubelet.pod_event(pod, "Normal", "Started", "Container started", name)
    _link_log(kubelet, pod, container, track)
    return hooked(kubelet, pod, container, track, hooks.post_start(kubelet, pod, container, track))


def hooked(kubelet: Kubelet, pod: PodState, container: Obj, track: Track, outcome: str | None) -> bool:
    """Go on after the postStart hook: True when it went well, False while it runs; raises StartFailed when it failed."""
    if outcome is None:
        return False
    if outcome:
        kubelet.pod_event(pod, "Warning", "FailedPostStartHook", "PostStartHook failed", container["name"])
        raise StartFailed("PostStartHookError", outcome)
    return True


def _is_admin(security: Obj) -> bool:
    """Whether a container's process may do what its machine's root may: `privileged`, or CAP_SYS_ADMIN added."""
    added = {str(name).upper().removeprefix("CAP_") for name in (security.get("capabilities") or {}).get("add") or ()}
    return bool(security.get("privileged")) or bool(added & {"ALL", "SYS_ADMIN"})


def _create(kubelet: Kubelet, pod: PodState, container: Obj, track: Track, attempt: int) -> None:
    name = container["name"]
    try:
        pairs = envs.build(kubelet, pod, container)
    except envs.EnvError as failed:
        kubelet.pod_event(pod, "Warning", "Failed", f"Error: {failed}", name)
        raise StartFailed("CreateContainerConfigError", str(failed)) from failed
    known = dict(pairs)
    security = {**(pod.pod["spec"].get("securityContext") or {}), **(container.get("securityContext") or {})}
    user = security.get("runAsUser")
    if security.get("runAsNonRoot") and (user == 0 or (user is None and _image_user(kubelet, track) in ("", "root", "0"))):
        why = (
            "container's runAsUser breaks non-root policy"
            if user == 0
            else "container has runAsNonRoot and image will run as root"
        )
        text = f'{why} (pod: "{pod.full_name}({pod.uid})", container: {name})'
        kubelet.pod_event(pod, "Warning", "Failed", f"Error: {text}", name)
        raise StartFailed("CreateContainerConfigError", text)
    sandbox = cri.find_sandbox(kubelet.world, kubelet.proc.host, pod.sandbox)
    labels = {
        "io.kubernetes.container.name": name,
        "io.kubernetes.pod.name": pod.name,
        "io.kubernetes.pod.namespace": pod.namespace,
        "io.kubernetes.pod.uid": pod.uid,
    }
    annotations = {
        "io.kubernetes.container.restartCount": str(attempt),
        "io.kubernetes.container.terminationMessagePath": str(container.get("terminationMessagePath") or "/dev/termination-log"),
        "io.kubernetes.container.terminationMessagePolicy": str(container.get("terminationMessagePolicy") or "File"),
        "io.kubernetes.pod.terminationGracePeriod": str(grace_period(pod.pod)),
    }
    config: Obj = {
        "metadata": {"name": name, "attempt": attempt},
        "image": track.image_id,
        "command": [envs.expand(str(w), known) for w in container.get("command") or ()],
        "args": [envs.expand(str(w), known) for w in container.get("args") or ()],
        "workingDir": container.get("workingDir"),
        "envs": pairs,
        "mounts": volumes.mounts(kubelet, pod, container, known),
        "labels": labels,
        "annotations": annotations,
        "logPath": f"{name}/{attempt}.log",
        "tty": container.get("tty"),
        "stdin": container.get("stdin"),
        "memoryLimit": memory_limit(container),
        "cpuLimit": cpu_limit(container),
        "cpuShares": cpu_shares(container),
        "oomScoreAdj": oom_score_adj(pod.pod, container, hosts(kubelet.world)[kubelet.proc.host].memory_kib * 1024),
        "admin": _is_admin(security),
        "user": _user(security, user),
        "hosts": volumes.hosts_file(kubelet, pod, sandbox.ip),
        "resolv": volumes.resolv_conf(kubelet, pod),
    }
    try:
        ident = cri.create_container(kubelet.world, kubelet.proc.host, pod.sandbox, config)
    except cri.CriError as failed:
        kubelet.pod_event(pod, "Warning", "Failed", f"Error: {failed.message}", name)
        raise StartFailed("CreateContainerError", failed.message) from failed
    if track.id:
        old = cri.list_containers(kubelet.world, kubelet.proc.host)
        stale = [
            c
            for c in old
            if c.labels.get("io.kubernetes.pod.uid") == pod.uid and c.name == name and c.id not in (ident, track.id)
        ]
        for container_ in stale:
            garbage.container_logs(kubelet, container_)
            cri.remove_container(kubelet.world, kubelet.proc.host, container_.id)
    track.id, track.restarts = ident, attempt
    track.probes = {}
    track.seen = ""
    kubelet.pod_event(pod, "Normal", "Created", "Container created", name)


def _user(security: Obj, user: object) -> str:
    """`uid:gid,more`: the container's user and groups (runAsUser, runAsGroup, fsGroup, supplementalGroups); "" for the image's own."""
    groups = [security[key] for key in ("fsGroup",) if security.get(key) is not None]
    groups += security.get("supplementalGroups") or []
    primary = security.get("runAsGroup")
    if primary is None and not groups:
        return "" if user is None else str(user)
    # a user without a group of its own gets the group 0 (runtimes follow the image's passwd file otherwise)
    first = primary if primary is not None else 0
    return f"{0 if user is None else user}:{','.join(str(one) for one in (first, *groups))}"


def cpu_limit(container: Obj) -> int:
    """The container's processor limit in thousandths of a core, 0 for none."""
    amount = ((container.get("resources") or {}).get("limits") or {}).get("cpu")
    return quantity.nano(str(amount)) // 10**6 if amount is not None else 0


def cpu_shares(container: Obj) -> int:
    """The container's processor request as cgroup v1 shares (pkg/kubelet/cm/helpers_linux.go, MilliCPUToShares), 0 for none."""
    resources = container.get("resources") or {}
    amount = (resources.get("requests") or {}).get("cpu", (resources.get("limits") or {}).get("cpu"))
    return max(quantity.nano(str(amount)) // 10**6 * 1024 // 1000, 2) if amount is not None else 0


def oom_score_adj(pod: Obj, container: Obj, capacity: int) -> int:
    """Who goes first when memory ends (pkg/kubelet/qos/policy.go); `capacity` is the machine's memory in bytes."""
    if (pod["spec"].get("priority") or 0) >= NODE_CRITICAL or pod["spec"].get("priorityClassName") == "system-node-critical":
        return -997
    kind = qos_class(pod)
    if kind != "Burstable":
        return -997 if kind == "Guaranteed" else 1000
    resources = container.get("resources") or {}
    amount = (resources.get("requests") or {}).get("memory", (resources.get("limits") or {}).get("memory"))
    request = quantity.nano(str(amount)) // 10**9 if amount is not None else 0
    return min(max(1000 - 1000 * request // capacity, 3), 999)


def memory_limit(container: Obj) -> int:
    """The container's memory limit in bytes, 0 for none."""
    amount = ((container.get("resources") or {}).get("limits") or {}).get("memory")
    return quantity.nano(str(amount)) // 10**9 if amount is not None else 0


def _image_user(kubelet: Kubelet, track: Track) -> str:
    image = cri.image_status(kubelet.world, kubelet.proc.host, track.image_id)
    if image is None:
        return ""
    message = cri.image_message(kubelet.world, image)
    return str(message["uid"]["value"]) if message["uid"] else str(message["username"])


def _link_log(kubelet: Kubelet, pod: PodState, container: Obj, track: Track) -> None:
    """The legacy link below /var/log/containers."""
    try:
        record = cri.find_container(kubelet.world, kubelet.proc.host, track.id)
        tree = files.tree(kubelet.host)
        tree.mkdir("/var/log/containers", True, now=kubelet.world.wall)
        tree.symlink(record.log_path, garbage.link(record), now=kubelet.world.wall)
    except (OSError, ConnectError, cri.CriError):
        return

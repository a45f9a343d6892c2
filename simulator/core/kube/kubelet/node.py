"""The kubelet's own Node: registration, status and lease (`pkg/kubelet/kubelet_node_status.go`, `nodestatus/setters.go`, `pkg/util/node`)."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from ...kernel import clock
from ...kernel.clock import SECOND
from ...kernel.errors import ConnectError
from ...runtime import containerd, cri, shims
from ...runtime.state import namespace
from .. import component
from ..api import quantity
from ..client import ApiError
from . import eviction, lease, options
from .context import Kubelet

Obj = dict[str, Any]

#: `baseRuntimeSyncThreshold`: the runtime may be silent this long before the node is NotReady.
RUNTIME_SILENCE = 30 * SECOND
#: `relistThreshold` of the PLEG.
PLEG_SILENCE = 180 * SECOND
#: `nodeReadyGracePeriod`: for so long nothing is said of a network that is not there yet.
READY_GRACE = 120 * SECOND
#: How long to wait for a pod CIDR from the node IPAM controller before the node's own block of 192.168.0.0/16 is used (as
#: a CNI plugin with its own IPAM does).
CIDR_PATIENCE = 4 * SECOND
_CONDITION_KEYS = ("type", "status", "lastHeartbeatTime", "lastTransitionTime", "reason", "message")

_PRESSURES = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available", "NodeHasSufficientMemory"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure", "NodeHasNoDiskPressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available", "NodeHasSufficientPID"),
)

_PRESSED = {
    "MemoryPressure": ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available", "NodeHasInsufficientMemory"),
    "DiskPressure": ("KubeletHasDiskPressure", "kubelet has disk pressure", "NodeHasDiskPressure"),
}


def capacity(kubelet: Kubelet) -> tuple[Obj, Obj]:
    """(capacity, allocatable) of the machine."""
    host = kubelet.host
    config = kubelet.state.config
    pods = str(options.setting(config, "maxPods"))
    total: Obj = {"cpu": str(host.cpus), "ephemeral-storage": f"{host.disk_kib}Ki", "hugepages-1Gi": "0", "hugepages-2Mi": "0"}
    total |= {"memory": f"{host.memory_kib}Ki", "pods": pods}
    free = dict(total)
    free["ephemeral-storage"] = str(host.disk_kib * 1024 * 9 // 10)
    free["memory"] = f"{host.memory_kib - 100 * 1024}Ki"
    held = [reserved for key in ("kubeReserved", "systemReserved") if (reserved := config.get(key))]
    for name in ("cpu", "memory", "ephemeral-storage"):
        amount = sum(quantity.nano(str(reserved[name])) for reserved in held if name in reserved)
        if amount:
            left = max(quantity.nano(free[name]) - amount, 0)
            free[name] = f"{left // 10**6}m" if name == "cpu" and left % 10**9 else str(left // 10**9)
            if name == "memory" and left % (1024 * 10**9) == 0:
                free[name] = f"{left // 10**9 // 1024}Ki"
    return total, free


def initial(kubelet: Kubelet) -> Obj:
    """The Node object that the kubelet registers."""
    name = kubelet.state.node
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        **kubelet.state.labels,
    }
    node: Obj = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": labels,
            "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
        },
        "spec": {},
        "status": status(kubelet, {}),
    }
    taints = [*kubelet.state.taints]
    if not is_ready(node["status"]):
        taints.append({"effect": "NoSchedule", "key": "node.kubernetes.io/not-ready"})
    if taints:
        node["spec"]["taints"] = taints
    return node


def is_ready(status_: Obj) -> bool:
    """Whether a node status says Ready."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status_.get("conditions") or ())


def _readiness(kubelet: Kubelet) -> tuple[bool, str]:
    """(ready, message) from runtime and network."""
    state, world = kubelet.state, kubelet.world
    problems: list[str] = []
    silent = world.now - state.runtime_seen
    if not state.runtime_up and silent > RUNTIME_SILENCE:
        problems.append("container runtime is down")
        if silent > PLEG_SILENCE:
            ago = f"{silent // clock.MINUTE}m{silent % clock.MINUTE / SECOND:g}s"
            problems.append(f"PLEG is not healthy: pleg was last seen active {ago} ago; threshold is 3m0s")
    else:
        try:
            for kind, good, reason, message in cri.status(world, kubelet.proc.host):
                if not good:
                    problems.append(f"container runtime network not ready: {kind}=false reason:{reason} message:{message}")
        except ConnectError:
            if state.node_status is None:
                problems.append("container runtime status check may not have completed yet")
    if state.shutdown is not None:
        problems.append("node is shutting down")
    if not problems:
        return True, "kubelet is posting ready status"
    return False, problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"


def status(kubelet: Kubelet, old: Obj) -> Obj:
    """The node's status now; conditions keep their transition times from `old`."""
    host, now = kubelet.host, kubelet.stamp()
    total, free = capacity(kubelet)
    before = {c["type"]: c for c in old.get("conditions") or ()}
    conditions = [c for c in old.get("conditions") or () if c["type"] not in ("Ready", *(p[0] for p in _PRESSURES))]
    held = eviction.pressures(kubelet)
    wanted = [
        (kind, "True", *_PRESSED[kind]) if kind in held else (kind, "False", reason, message, event)
        for kind, reason, message, event in _PRESSURES
    ]
    ready, message = _readiness(kubelet)
    wanted.append(
        (
            "Ready",
            "True" if ready else "False",
            "KubeletReady" if ready else "KubeletNotReady",
            message,
            "NodeReady" if ready else "NodeNotReady",
        )
    )
    for kind, value, reason, text, event in wanted:
        previous = before.get(kind)
        changed = previous is None or previous["status"] != value
        since = now if changed or previous is None else previous["lastTransitionTime"]
        conditions.append(
            {
                "lastHeartbeatTime": now,
                "lastTransitionTime": since,
                "message": text,
                "reason": reason,
                "status": value,
                "type": kind,
            }
        )
        if changed and not (kind == "Ready" and previous is None and not ready):
            kubelet.node_event("Normal", event, f"Node {kubelet.state.node} status is now: {event}")
    return {
        "addresses": [{"address": host.ip, "type": "InternalIP"}, {"address": kubelet.state.node, "type": "Hostname"}],
        "allocatable": free,
        "capacity": total,
        "conditions": conditions,
        "daemonEndpoints": {"kubeletEndpoint": {"Port": int(options.setting(kubelet.state.config, "port"))}},
        "images": _images(kubelet),
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": host.boot_id,
            "containerRuntimeVersion": "://".join(shims.flavour(kubelet.world, host.name)),
            "kernelVersion": host.kernel,
            "kubeProxyVersion": "",
            "kubeletVersion": kubelet.version,
            "machineID": host.machine_id,
            "operatingSystem": "linux",
            "osImage": host.os_image,
            "swap": {"capacity": 0},
            "systemUUID": host.system_uuid,
        },
        "runtimeHandlers": [
            {"features": {"recursiveReadOnlyMounts": True, "userNamespaces": True}, "name": ""},
            {"features": {"recursiveReadOnlyMounts": True, "userNamespaces": True}, "name": "runc"},
        ],
        "features": {"supplementalGroupsPolicy": True},
    }


def _images(kubelet: Kubelet) -> list[Obj]:
    try:
        images = cri.list_images(kubelet.world, kubelet.proc.host)
    except ConnectError:
        return list((kubelet.state.node_status or {}).get("images") or ())
    found = [
        {"names": [*i["repoDigests"], *i["repoTags"]][:5], "sizeBytes": int(i["size"])}
        for i in images
        if i["repoTags"] or i["repoDigests"]
    ]
    found.sort(key=lambda i: (-int(str(i["sizeBytes"])), str(i["names"])))
    return found[:50]


def _significant(status_: Obj) -> Obj:
    """A status without heartbeat times, for comparison."""
    plain = dict(status_)
    plain["conditions"] = [{k: v for k, v in c.items() if k != "lastHeartbeatTime"} for c in status_.get("conditions") or ()]
    return plain


def register(kubelet: Kubelet) -> bool:
    """Create the Node, or take over the one that is there; False when the API server is away."""
    state = kubelet.state
    if not options.setting(state.config, "registerNode"):
        return _find(kubelet)
    try:
        node = initial(kubelet)
        kubelet.log("I", "kubelet_node_status.go:78", "Attempting to register node", node=state.node)
        try:
            created = kubelet.client.create("nodes", None, node)
            kubelet.log("I", "kubelet_node_status.go:81", "Successfully registered node", node=state.node)
        except ApiError as failed:
            if failed.code != 409:
                raise
            created = kubelet.client.get("nodes", None, state.node)
            kubelet.log("I", "kubelet_node_status.go:128", "Node was previously registered", node=state.node)
        state.registered = True
        state.node_status = created.get("status") or {}
        adopt_cidr(kubelet, created)
        return True
    except (ConnectError, ApiError) as failed:
        forbidden = isinstance(failed, ApiError) and failed.code == 403
        what = "Unable to register node with API server" + (", reason is forbidden" if forbidden else "")
        kubelet.log(
            "E", f"kubelet_node_status.go:{107 if forbidden else 111}", what, err=kubelet.explain(failed), node=state.node
        )
        return False


def _find(kubelet: Kubelet) -> bool:
    """With `registerNode: false` somebody else makes the Node; the kubelet waits for it."""
    try:
        kubelet.state.node_status = kubelet.client.get("nodes", None, kubelet.state.node).get("status") or {}
    except (ConnectError, ApiError):
        return False
    kubelet.state.registered = True
    return True


def adopt_cidr(kubelet: Kubelet, node: Obj) -> None:
    """Hand the node's pod CIDR to the runtime's network once it is known."""
    state, world = kubelet.state, kubelet.world
    cidr = str((node.get("spec") or {}).get("podCIDR") or "")
    if not cidr and world.now - state.started_at >= CIDR_PATIENCE:
        from ...host.machine import hosts

        cidr = f"192.168.{sorted(hosts(world)).index(kubelet.proc.host)}.0/24"
    if cidr and cidr != state.node_cidr:
        try:
            cri.update_runtime_config(world, kubelet.proc.host, cidr)
            state.node_cidr = cidr
        except ConnectError:
            return


def heartbeat(kubelet: Kubelet) -> None:
    """Every 10 s (and when readiness changes): renew the lease; send the status when it changed or five minutes have passed."""
    state = kubelet.state
    _look_at_runtime(kubelet)
    if not state.registered:
        return
    if not state.node_cidr:
        with contextlib.suppress(ConnectError, ApiError):  # what follows says so
            adopt_cidr(kubelet, kubelet.client.get("nodes", None, state.node))
    lease.renew(kubelet)
    sync_status(kubelet)


def ensure_lease(kubelet: Kubelet) -> None:
    """The server was away and the lease is asked for again; once it answers, see what it holds of the node, and tell it anew."""
    state = kubelet.state
    slept, state.lease_wait = state.lease_wait, 0
    if state.registered and lease.ensure(kubelet, slept):
        state.node_sent_at = state.started_at - clock.DAY
        sync_status(kubelet)


def sync_status(kubelet: Kubelet) -> None:
    """Report the status, five times where it fails: first from what is known of the node, then from what the server says.

    As for leases, an attempt that waited for its whole time limit is the only one of this look.
    """
    state = kubelet.state
    for _ in range(state.status_tries, lease.ATTEMPTS):
        try:
            report(kubelet)
            state.status_tries = 0
            return
        except (ConnectError, ApiError) as failed:
            said = lease.said(kubelet, failed)
            if state.status_tries == 0 and isinstance(failed, ApiError) and failed.code == 404:
                said = f'node "{state.node}" not found'  # what the watch says; the other tries ask the server
            text = f'error getting node "{state.node}": {said}'
            if state.status_tries == 0 and isinstance(failed, ConnectError):
                said = said.replace("Get ", "Patch ", 1).replace(f"/nodes/{state.node}?", f"/nodes/{state.node}/status?", 1)
                text = f"failed to patch status {json.dumps(_patched(kubelet))} for node {json.dumps(state.node)}: {said}"
            kubelet.log("E", "kubelet_node_status.go:529", "Error updating node status, will retry", err=text)
            state.status_tries += 1
            if lease.waits(failed):
                break
    if state.status_tries >= lease.ATTEMPTS:
        state.status_tries = 0
        text = "update node status exceeds retry count"
        kubelet.log("E", "kubelet_node_status.go:515", "Unable to update node status", err=text)


def _patched(kubelet: Kubelet) -> str:
    """The strategic merge patch that would have been sent: every condition's heartbeat, and what is new of Ready."""
    known = (kubelet.state.node_status or {}).get("conditions") or ()
    ready, message = _readiness(kubelet)
    changes: list[Obj] = []
    for condition in known:
        change: Obj = {"lastHeartbeatTime": kubelet.stamp()}
        if condition["type"] == "Ready" and (condition["status"] == "True") != ready:
            change |= {"lastTransitionTime": kubelet.stamp(), "message": message}
            change |= {"reason": "KubeletReady" if ready else "KubeletNotReady", "status": "True" if ready else "False"}
        changes.append({**change, "type": condition["type"]})
    order = [{"type": condition["type"]} for condition in known]
    return json.dumps({"status": {"$setElementOrder/conditions": order, "conditions": changes}}, separators=(",", ":"))


def _look_at_runtime(kubelet: Kubelet) -> None:
    """Whether the runtime answers.  While it does not, its silence is told at every look (`updateRuntimeUp`, `Relist`, `syncLoop`; the real
    ones say it every 5 s, 1 s and up to 5 s)."""
    state, world = kubelet.state, kubelet.world
    try:
        containerd.connect(world, kubelet.proc.host)
    except ConnectError as failed:
        if state.runtime_up:
            state.runtime_up = False
            world.after(RUNTIME_SILENCE + SECOND, kubelet.proc.target, ["node"])
        err = cri.unavailable(failed.detail)
        said = (
            ("remote_runtime.go:801", "Status from runtime service failed"),
            ("kubelet.go:3262", "Container runtime sanity check failed"),
            ("remote_runtime.go:347", "ListPodSandbox with filter from runtime service failed"),
            ("generic.go:312", "GenericPLEG: Unable to retrieve pods"),
        )
        for where, what in said:
            fields = {"filter": component.Raw("nil")} if "with filter" in what else {}
            kubelet.log("E", where, what, err=err, **fields)
        if world.now - state.runtime_seen > RUNTIME_SILENCE:
            kubelet.log("E", "kubelet.go:2661", "Skipping pod synchronization", err=_readiness(kubelet)[1])
        return
    if not state.runtime_up:
        world.after(0, kubelet.proc.target, ["node"])
    state.runtime_up, state.runtime_seen = True, world.now
    if world.now - state.started_at > READY_GRACE or is_ready(state.node_status or {}):
        for kind, good, reason, message in cri.status(world, kubelet.proc.host):
            if kind == "NetworkReady" and not good:
                shown = f"{kind}=false reason:{reason} message:{message}"
                kubelet.log("I", "kubelet.go:3277", "Container runtime network not ready", networkReady=shown)


def report(kubelet: Kubelet) -> None:
    """Send the node's status when it differs from what was sent, or when it is five minutes old."""
    state, world = kubelet.state, kubelet.world
    try:
        containerd.connect(world, kubelet.proc.host)
        key = "|".join(sorted({i.image_id for i in namespace(world, kubelet.proc.host, "k8s.io").images.values()}))
    except ConnectError:
        key = state.images_key
    old = state.node_status or {}
    ready, message = _readiness(kubelet)
    current = next((c for c in old.get("conditions") or () if c["type"] == "Ready"), None)
    same = current is not None and current["message"] == message and (current["status"] == "True") == ready
    pressed = {c["type"] for c in old.get("conditions") or () if c["type"] in _PRESSED and c["status"] == "True"}
    same = same and pressed == eviction.pressures(kubelet)
    due = world.now - state.node_sent_at >= int(state.config["nodeStatusReportFrequencyNs"])
    if same and key == state.images_key and not due and old.get("images") is not None:
        return
    node = kubelet.client.get("nodes", None, state.node)
    adopt_cidr(kubelet, node)
    fresh = status(kubelet, node.get("status") or {})
    kubelet.client.patch("nodes", None, state.node, {"status": fresh}, kind="merge", subresource="status")
    if not ready and is_ready(fresh) != is_ready(old):
        condition = next(c for c in fresh["conditions"] if c["type"] == "Ready")
        shown = "{" + ",".join(f'"{k}":"{condition[k]}"' for k in _CONDITION_KEYS) + "}"
        kubelet.log("I", "setters.go:547", "Node became not ready", node=state.node, condition=component.Raw(shown))
    elif ready and is_ready(fresh) != is_ready(old):
        kubelet.log("I", "kubelet_node_status.go:481", "Fast updating node status as it just became ready")
    state.node_status, state.node_sent_at, state.images_key = fresh, world.now, key

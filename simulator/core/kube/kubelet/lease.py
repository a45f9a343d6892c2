"""The node's lease, and what is said while it cannot be renewed (`component-helpers/apimachinery/lease/controller.go`).

A known lease is updated five times in a row before the kubelet falls back to asking for it, again and again, after 200 ms doubling to
seven seconds.  A request into a network that swallows packets takes its ten seconds, so there one look is one attempt.
"""

from __future__ import annotations

from typing import Any

from ...kernel import clock
from ...kernel.clock import MS, SECOND
from ...kernel.errors import ConnectError
from ..client import ApiError
from .context import Kubelet
from .units import duration

Obj = dict[str, Any]

SECONDS = 40
NAMESPACE = "kube-node-lease"
#: `maxUpdateRetries`, and `maxBackoff`.
ATTEMPTS, LONGEST = 5, 7 * SECOND
#: What the client that sends heartbeats waits for an answer (`nodeStatusUpdateFrequency`).
TIMEOUT = 10 * SECOND


def said(kubelet: Kubelet, failed: Exception) -> str:
    """A failed heartbeat in Go's words: its client writes its own time limit into the address."""
    text = kubelet.explain(failed)
    if not isinstance(failed, ConnectError) or not failed.request.endswith('"'):
        return text
    joint = "&" if "?" in failed.request else "?"
    return text.replace(failed.request, f'{failed.request[:-1]}{joint}timeout={TIMEOUT // SECOND}s"', 1)


def waits(failed: Exception) -> bool:
    """Whether the request has taken its whole time limit before it failed."""
    return isinstance(failed, ConnectError) and failed.kind == "timeout"


def renew(kubelet: Kubelet) -> bool:
    """Renew the lease, or make it; False while that fails (the timer `lease` then asks again)."""
    state = kubelet.state
    if state.lease_wait:
        return False
    if state.lease is None:
        return ensure(kubelet, 100 * MS)
    for _ in range(state.lease_tries, ATTEMPTS):
        try:
            state.lease = kubelet.client.update("leases", _renewed(kubelet, state.lease))
            state.lease_tries = 0
            return True
        except (ConnectError, ApiError) as failed:
            kubelet.log("E", "controller.go:251", "Failed to update lease", err=said(kubelet, failed))
            if isinstance(failed, ApiError) and failed.code in (404, 409):
                return ensure(kubelet, 100 * MS)
            state.lease_tries += 1
            if waits(failed):
                break
    if state.lease_tries < ATTEMPTS:
        return False
    kubelet.log(
        "I",
        "controller.go:171",
        "failed to update lease using latest lease, fallback to ensure lease",
        err=f"failed {ATTEMPTS} attempts to update lease",
    )
    return ensure(kubelet, 100 * MS)


def ensure(kubelet: Kubelet, slept: int) -> bool:
    """Ask for the lease and renew what is there, or make it (`backoffEnsureLease`); `slept` is how long it waited last (ns)."""
    state = kubelet.state
    state.lease, state.lease_tries = None, 0
    try:
        state.lease = _found(kubelet)
    except (ConnectError, ApiError) as failed:
        pause = min(2 * slept, LONGEST)
        what = {"err": said(kubelet, failed), "interval": duration(pause)}
        kubelet.log("E", "controller.go:201", "Failed to ensure lease exists, will retry", **what)
        state.lease_wait = pause
        kubelet.world.after(pause + (TIMEOUT if waits(failed) else 0), kubelet.proc.target, ["lease"])
        return False
    state.lease_wait = 0
    return True


def _renewed(kubelet: Kubelet, lease: Obj) -> Obj:
    stamp = clock.rfc3339_micro(kubelet.world.wall + kubelet.host.skew)
    return {**lease, "spec": {**lease["spec"], "renewTime": stamp, "holderIdentity": kubelet.state.node}}


def _found(kubelet: Kubelet) -> Obj | None:
    """The lease, renewed or made; None while its node is not there, to whom it would belong (`pkg/kubelet/util/nodelease.go`)."""
    name = kubelet.state.node
    try:
        return kubelet.client.update("leases", _renewed(kubelet, kubelet.client.get("leases", NAMESPACE, name)))
    except ApiError as failed:
        if failed.code != 404:
            raise
    try:
        node = kubelet.client.get("nodes", None, name)
    except ApiError as failed:
        if failed.code != 404:
            raise
        what = "Failed to get node when trying to set owner ref to the node lease"
        kubelet.log("E", "nodelease.go:50", what, err=failed.message, node=name)
        kubelet.state.node_sent_at = kubelet.state.started_at - clock.DAY  # the status cannot be sent either, and says so
        return None
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]}
    body = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": NAMESPACE, "ownerReferences": [owner]},
        "spec": {
            "holderIdentity": name,
            "leaseDurationSeconds": SECONDS,
            "renewTime": clock.rfc3339_micro(kubelet.world.wall + kubelet.host.skew),
        },
    }
    return kubelet.client.create("leases", NAMESPACE, body)

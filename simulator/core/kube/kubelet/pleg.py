"""The pod lifecycle event generator (`pkg/kubelet/pleg/generic.go`, `container/cache.go`): when the kubelet learns what the runtime did.

All pods are relisted every second (`RelistPeriod`), which here happens only while something in the runtime has changed; after a
sync that did something the pod is relisted at once (`PLEGOnDemandRelist`, on since 1.36).  A pod worker never looks at a status that
is older than its last sync (`podCache.GetNewerThan`): it waits for the next relist.
"""

from __future__ import annotations

from ...kernel.clock import SECOND
from ...runtime.state import runtime
from . import probes, status
from .context import Kubelet
from .state import PodState, Track
from .units import all_containers

#: Between two relists of everything.
PERIOD = SECOND


def next_tick(kubelet: Kubelet, after: int) -> int:
    """The first relist after a moment (virtual ns)."""
    began = kubelet.state.started_at
    return began + ((after - began) // PERIOD + 1) * PERIOD


def fresh(kubelet: Kubelet, pod: PodState) -> bool:
    """Whether the cache has been written since the pod's last sync ended."""
    return not pod.synced_at or next_tick(kubelet, pod.synced_at) <= kubelet.world.now


def rang(kubelet: Kubelet) -> None:
    """The runtime has changed: relist at the next tick, once."""
    state = kubelet.state
    if state.relist not in kubelet.world.timers:
        state.relist = kubelet.world.at(next_tick(kubelet, kubelet.world.now), kubelet.proc.target, ["relist"])


def request(kubelet: Kubelet, pod: PodState) -> None:
    """Relist one pod as soon as can be (`RequestRelist`)."""
    kubelet.world.after(kubelet.rng(8, 25), kubelet.proc.target, ["relist", pod.uid])


def relist(kubelet: Kubelet, uid: str = "") -> None:
    """Compare every pod (or one) with what was seen of it last, and let the workers know."""
    if uid:
        pod = kubelet.state.pods.get(uid)
        if pod is not None:
            pod.synced_at = 0
            _reconcile(kubelet, pod)
            if pod.waits:
                kubelet.wake(pod, kubelet.world.now)
        return
    for one in list(kubelet.state.pods):
        pod = kubelet.state.pods.get(one)
        if pod is not None:
            _reconcile(kubelet, pod)


def _reconcile(kubelet: Kubelet, pod: PodState) -> None:
    for _ in range(min(observe(kubelet, pod), 2)):
        changed(
            kubelet, pod
        )  # each event is an update of its own: the worker takes the first one, the others merge into one more


def changed(kubelet: Kubelet, pod: PodState) -> None:
    """Something of the pod is new (`UpdatePod`): an idle worker takes it, one that syncs or waits for a status syncs once more."""
    if pod.step is not None or pod.waits:
        pod.pending = True
    else:
        pod.waits = True
    kubelet.wake(pod, kubelet.world.now)


def observe(kubelet: Kubelet, pod: PodState) -> int:
    """Take in the state of the pod's sandbox and containers, begin and end their probes; the number of events that this makes."""
    events = 0
    sandbox = runtime(kubelet.world, kubelet.proc.host).sandboxes.get(pod.sandbox)
    now = f"{sandbox.attempt}{sandbox.state[:1]}" if sandbox is not None else ""
    if now != pod.seen:
        pod.seen = now
        events += 0 if pod.terminal else 1
    for container in all_containers(pod.pod):
        track = pod.tracks.setdefault(container["name"], Track())
        record = status.record(kubelet, track)
        seen = f"{record.id}/{record.state}" if record is not None and record.state != "CREATED" else ""
        if seen == track.seen:
            continue
        was, track.seen = track.seen, seen
        if record is None or not seen:
            events += 1 if was.endswith("/RUNNING") else 0
            continue
        events += 1
        if record.state == "RUNNING":
            probes.begin(kubelet, pod, container, track)
        elif record.state == "EXITED":
            track.probes = {}
    return events


def settle(kubelet: Kubelet, pod: PodState) -> None:
    """The pod's worker has just looked itself (a pod that is ending): what it saw is no news."""
    sandbox = runtime(kubelet.world, kubelet.proc.host).sandboxes.get(pod.sandbox)
    pod.seen = f"{sandbox.attempt}{sandbox.state[:1]}" if sandbox is not None else ""
    for track in pod.tracks.values():
        record = status.record(kubelet, track)
        track.seen = f"{record.id}/{record.state}" if record is not None and record.state != "CREATED" else ""

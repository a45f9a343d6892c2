"""The daemon `kubelet` (`cmd/kubelet/app/server.go`, `pkg/kubelet/kubelet.go`)."""

from __future__ import annotations

from typing import Any

from ...host import files
from ...host.filesystem import Changes
from ...host.process import Process
from ...kernel.clock import MS, SECOND
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...kernel.world import World
from ...runtime import cri, logs
from .. import netpolicy
from ..api import quantity
from . import (
    bootstrap,
    config,
    eviction,
    node,
    pleg,
    probes,
    refresh,
    resize,
    server,
    shutdown,
    sources,
    startup,
    status,
    stopping,
    termination,
    worker,
)
from .context import Kubelet
from .options import setting, taint
from .state import KubeletState, kubelets


class KubeletProgram:
    """Reacts to bells (files, runtime, API) and timers; there is no periodic relist."""

    def start(self, world: World, proc: Process) -> None:
        """Read flags and configuration, listen, and begin to look at files, runtime and API."""
        flags, settings = config.load(world, proc)
        name = flags.get("hostname-override") or proc.host
        labels = dict(pair.split("=", 1) for pair in flags.get("node-labels", "").split(",") if "=" in pair)
        state = KubeletState(
            pid=proc.pid, host=proc.host, node=name, config=settings, kubeconfig=flags.get("kubeconfig", ""), labels=labels
        )
        state.taints = [taint(t) if isinstance(t, str) else t for t in settings.get("registerWithTaints") or ()]
        state.started_at = state.runtime_seen = world.now
        kubelets(world)[proc.host] = state
        kubelet = Kubelet(world, proc)
        startup.begin(kubelet, flags)
        world.subscribe(f"cri:{proc.host}", proc.target, ["cri"], low=0, high=0)
        world.subscribe(f"registry:pods@{name}", proc.target, ["api"])
        netpolicy.attend(world, proc.host)
        refresh.attend(kubelet)
        shutdown.attend(kubelet)
        world.subscribe(f"disk:{proc.host}", proc.target, ["pressure"], low=SECOND, high=10 * SECOND)
        world.subscribe(f"oom:{proc.host}", proc.target, ["oom"])
        directory = sources.static_directory(kubelet)
        if directory:
            world.subscribe(f"file:{proc.host}:{directory}", proc.target, ["files"], low=20 * MS, high=900 * MS)
        kubelet.log("I", "kubelet.go:2637", "Starting kubelet main sync loop")
        world.after(kubelet.rng(300, 700), proc.target, ["begin"])

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """`[kind, …]`; see the branches."""
        kubelet = Kubelet(world, proc)
        kind = payload[0]
        if isinstance(kind, list) and kind[0] == "stopped":
            if kind[1] in kubelet.state.pods:
                kubelet.wake(kubelet.state.pods[kind[1]], world.now + kubelet.rng(2, 8))
        elif isinstance(kind, list):
            if kind[1] in kubelet.state.pods:
                stopping.hook_ended(kubelet, kubelet.state.pods[kind[1]], kind, payload[2])
        elif kind == "pod":
            pod = kubelet.state.pods.get(payload[1])
            if pod is not None:
                pod.wake_seq = 0 if pod.wake_at <= world.now else pod.wake_seq
                worker.sync(kubelet, pod)
        elif kind == "probe":
            probes.fire(kubelet, *payload[1:])
        elif kind == "cri":
            pleg.rang(kubelet)
        elif kind == "relist":
            if payload[1:]:
                pleg.relist(kubelet, payload[1])
            else:
                self._runtime(kubelet)
        elif kind == "api":
            if kubelet.state.registered:
                self._api(kubelet)
        elif kind == "register":
            self._register(kubelet, payload[1])
        elif kind == "beat":
            self._beat(kubelet)
        elif kind == "node":
            node.heartbeat(kubelet)
        elif kind == "lease":
            node.ensure_lease(kubelet)
        elif kind == "files":
            sources.read_static(kubelet, listing=bool(payload[1:]))
        elif kind == "content":
            refresh.changed(kubelet, payload[1])
        elif kind == "refresh":
            if payload[1] in kubelet.state.pods:
                refresh.refresh(kubelet, kubelet.state.pods[payload[1]])
        elif kind == "resize":
            if not payload[1:]:
                resize.retry(kubelet)
            elif payload[1] in kubelet.state.pods:
                resize.actuate(kubelet, kubelet.state.pods[payload[1]], payload[2])
        elif kind == "oom":
            eviction.system_oom(kubelet)
        elif kind == "pressure":
            self._pressure(kubelet)
        elif kind == "stop":
            if payload[1] in kubelet.state.pods:
                stopping.stop_now(kubelet, kubelet.state.pods[payload[1]], payload[2], payload[3])
        elif kind == "orphans":
            termination.orphans(kubelet)
        elif kind == "begin":
            self._begin(kubelet)
        elif kind == "shutdown":
            (shutdown.look if payload[1:] else shutdown.begin)(kubelet)
        elif kind == "bootstrap":
            bootstrap.step(kubelet)

    def _begin(self, kubelet: Kubelet) -> None:
        kubelet.node_event("Normal", "Starting", "Starting kubelet.")
        sources.read_static(kubelet)
        node.heartbeat(kubelet)
        if kubelet.state.kubeconfig and not kubelet.state.bootstrap:
            self._register(kubelet, 200 * MS)
        kubelet.world.after(node.CIDR_PATIENCE, kubelet.proc.target, ["node"])
        kubelet.world.after(int(kubelet.state.config["nodeStatusUpdateFrequencyNs"]), kubelet.proc.target, ["beat"])

    def _register(self, kubelet: Kubelet, delay: int) -> None:
        """registerWithAPIServer: at once, then after 200 ms, doubling to 7 s, until the Node is there."""
        state = kubelet.state
        if not node.register(kubelet):
            kubelet.world.after(delay, kubelet.proc.target, ["register", min(delay * 2, 7 * SECOND)])
            return
        for pod in state.pods.values():
            pod.sent = ""
            pod.pending = pod.step is not None
            kubelet.wake(pod, kubelet.world.now + kubelet.rng(5, 60))
        node.heartbeat(kubelet)
        kubelet.world.after(node.CIDR_PATIENCE, kubelet.proc.target, ["node"])
        self._api(kubelet)

    def _beat(self, kubelet: Kubelet) -> None:
        """Every nodeStatusUpdateFrequency: lease, node status, and what could not be sent before."""
        if not kubelet.state.pressure and eviction.met(kubelet):
            self._pressure(kubelet)
        self._rotate(kubelet)
        node.heartbeat(kubelet)
        self._flush(kubelet)
        if kubelet.state.registered and not kubelet.state.api_synced:
            self._api(kubelet)
        kubelet.world.after(int(kubelet.state.config["nodeStatusUpdateFrequencyNs"]), kubelet.proc.target, ["beat"])

    def _rotate(self, kubelet: Kubelet) -> None:
        """Every beat (containerLogMonitorInterval is 10 s as well): logs that have become too large are put aside.

        Logs are looked at only when one of the machine has changed since, which at rest none has.
        """
        machine = id(kubelet.host.fs)
        last = Changes.log_of.setdefault(machine, Changes.logs)
        looked: dict[str, tuple[int, int]] = kubelet.world.warm.setdefault("logs-looked-at", {})
        if looked.get(kubelet.proc.key) == (machine, last):
            return
        looked[kubelet.proc.key] = (machine, last)
        limit = quantity.nano(str(setting(kubelet.state.config, "containerLogMaxSize"))) // 10**9
        keep = int(setting(kubelet.state.config, "containerLogMaxFiles"))
        tree = files.tree(kubelet.host)
        for pod in kubelet.state.pods.values():
            for track in pod.tracks.values():
                record = status.record(kubelet, track)
                if record is not None and record.state == "RUNNING" and record.log_path and tree.size(record.log_path) > limit:
                    logs.rotate(kubelet.world, kubelet.proc.host, record.log_path, keep)

    def _pressure(self, kubelet: Kubelet) -> None:
        """Memory or disk has changed: look at the thresholds, and again while one is met or has been."""
        if eviction.look(kubelet):
            node.heartbeat(kubelet)
        state = kubelet.state
        if state.pressure and state.pressure_timer not in kubelet.world.timers:
            state.pressure_timer = kubelet.world.after(eviction.INTERVAL, kubelet.proc.target, ["pressure"])

    def _flush(self, kubelet: Kubelet) -> None:
        for uid in list(kubelet.state.pods):
            pod = kubelet.state.pods.get(uid)
            if pod is not None and pod.dirty and pod.work == "sync":
                status.send(kubelet, pod)

    def _api(self, kubelet: Kubelet) -> None:
        state = kubelet.state
        if sources.sync_api(kubelet):
            if state.api_retry:
                state.api_retry = 0
                self._flush(kubelet)
            self._look_for_orphans(kubelet)
            return
        state.api_retry = min(max(state.api_retry * 2, 800 * MS), 30 * SECOND)
        kubelet.world.after(state.api_retry, kubelet.proc.target, ["api"])

    def _runtime(self, kubelet: Kubelet) -> None:
        state = kubelet.state
        was = state.runtime_up
        try:
            cri.version(kubelet.world, kubelet.proc.host)
            state.runtime_seen = kubelet.world.now
            if not was:
                node.heartbeat(kubelet)
        except ConnectError:
            node.heartbeat(kubelet)
            return
        pleg.relist(kubelet)
        self._look_for_orphans(kubelet)

    def _look_for_orphans(self, kubelet: Kubelet) -> None:
        """Housekeeping runs every 2 s; its timer exists only while there is something to do."""
        from ...runtime.state import runtime

        state = kubelet.state
        if state.orphan_timer in kubelet.world.timers or not state.api_synced:
            return
        if any(s.uid not in state.pods for s in runtime(kubelet.world, kubelet.proc.host).sandboxes.values()):
            state.orphan_timer = kubelet.world.after(2 * SECOND, kubelet.proc.target, ["orphans"])

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """Containers run on; the state is rebuilt from sources and runtime at the next start."""
        kubelets(world).pop(proc.host, None)
        world.warm.get("kubelet-clients", {}).pop(proc.key, None)
        return 137 if signal == 9 else 0

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """The kubelet's server."""
        return server.handle(Kubelet(world, proc), request)


#: The entry of `tables["programs"]`.
PROGRAM = KubeletProgram()

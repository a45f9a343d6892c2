"""The daemon `kube-controller-manager` (cmd/kube-controller-manager/app/controllermanager.go).

It elects a leader, then runs the controllers of `table.CONTROLLERS` that `--controllers` lets through.  Its state is the
section `kcm`, keyed by `Process.key`; what is warm is rebuilt on the first timer after a restore.
"""

from __future__ import annotations

from typing import Any

from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...kernel.world import World
from .. import component
from ..client import ApiError
from ..component import FlagSpec, klog
from ..events import Recorder
from ..leaderelection import Elector, LeaderState, Lost
from . import table
from .base import Controller, ManagerState, Runtime

NAME = "kube-controller-manager"

#: Its own flags beyond those every component takes (cmd/kube-controller-manager/app/options).
_OWN_FLAGS = """
allocate-node-cidrs:bool allow-untagged-cloud:bool attach-detach-reconcile-sync-period:duration cidr-allocator-type:string
cloud-config:string cloud-provider:string cluster-cidr:string cluster-name:string cluster-signing-cert-file:string
cluster-signing-duration:duration cluster-signing-key-file:string cluster-signing-kube-apiserver-client-cert-file:string
cluster-signing-kube-apiserver-client-key-file:string cluster-signing-kubelet-client-cert-file:string
cluster-signing-kubelet-client-key-file:string cluster-signing-kubelet-serving-cert-file:string
cluster-signing-kubelet-serving-key-file:string cluster-signing-legacy-unknown-cert-file:string
cluster-signing-legacy-unknown-key-file:string concurrent-cron-job-syncs:int32 concurrent-daemonset-syncs:int32
concurrent-deployment-syncs:int32 concurrent-endpoint-syncs:int32 concurrent-ephemeralvolume-syncs:int32
concurrent-gc-syncs:int32 concurrent-horizontal-pod-autoscaler-syncs:int32 concurrent-job-syncs:int32
concurrent-namespace-syncs:int32 concurrent-rc-syncs:int32 concurrent-replicaset-syncs:int32
concurrent-resource-quota-syncs:int32 concurrent-service-endpoint-syncs:int32 concurrent-service-syncs:int32
concurrent-serviceaccount-token-syncs:int32 concurrent-statefulset-syncs:int32 concurrent-ttl-after-finished-syncs:int32
concurrent-validating-admission-policy-status-syncs:int32 configure-cloud-routes:bool controller-start-interval:duration
controllers:strings disable-attach-detach-reconcile-sync:bool disable-force-detach-on-timeout:bool
enable-dynamic-provisioning:bool enable-garbage-collector:bool enable-hostpath-provisioner:bool enable-leader-migration:bool
endpoint-updates-batch-period:duration endpointslice-updates-batch-period:duration external-cloud-volume-plugin:string
flex-volume-plugin-dir:string horizontal-pod-autoscaler-cpu-initialization-period:duration
horizontal-pod-autoscaler-downscale-stabilization:duration horizontal-pod-autoscaler-initial-readiness-delay:duration
horizontal-pod-autoscaler-sync-period:duration horizontal-pod-autoscaler-tolerance:float32 large-cluster-size-threshold:int32
leader-migration-config:string legacy-service-account-token-clean-up-period:duration max-endpoints-per-slice:int32
min-resync-period:duration mirroring-concurrent-service-endpoint-syncs:int32
mirroring-endpointslice-updates-batch-period:duration mirroring-max-endpoints-per-subset:int32 namespace-sync-period:duration
node-cidr-mask-size:int32 node-cidr-mask-size-ipv4:int32 node-cidr-mask-size-ipv6:int32 node-eviction-rate:float32
node-monitor-grace-period:duration node-monitor-period:duration node-startup-grace-period:duration node-sync-period:duration
pv-recycler-increment-timeout-nfs:int32 pv-recycler-minimum-timeout-hostpath:int32 pv-recycler-minimum-timeout-nfs:int32
pv-recycler-pod-template-filepath-hostpath:string pv-recycler-pod-template-filepath-nfs:string
pv-recycler-timeout-increment-hostpath:int32 pvclaimbinder-sync-period:duration resource-quota-sync-period:duration
root-ca-file:string route-reconciliation-period:duration secondary-node-eviction-rate:float32
service-account-private-key-file:string service-cluster-ip-range:string terminated-pod-gc-threshold:int32
unhealthy-zone-threshold:float32 use-service-account-credentials:bool
"""
FLAGS: FlagSpec = {
    **component.GLOBAL_FLAGS,
    **component.SERVING_FLAGS,
    **component.LEADER_FLAGS,
    **dict(item.split(":", 1) for item in _OWN_FLAGS.split()),
}


def states(world: World) -> dict[str, ManagerState]:
    """The section `kcm`: each manager's state by process key."""
    return world.section("kcm", dict)


def chosen(flags: dict[str, str]) -> tuple[type[Controller], ...]:
    """The controllers that `--controllers` lets run; raises ValueError for an unknown name (IsControllerEnabled)."""
    names = [item.strip() for item in flags.get("controllers", "*").split(",") if item.strip()]
    known = set(table.ALL_NAMES) | set(table.ALIASES)
    unknown = [name for name in names if name != "*" and name.removeprefix("-") not in known]
    if unknown:
        raise ValueError(
            "[" + ", ".join(f'"{name.removeprefix("-")}" is not in the list of known controllers' for name in unknown) + "]"
        )
    wanted = {table.ALIASES.get(name, name) for name in names}
    out = []
    for kind in table.CONTROLLERS:
        if kind.name == "garbage-collector-controller" and not component.truth(flags, "enable-garbage-collector", True):
            continue
        by_star = "*" in wanted and f"-{kind.name}" not in {
            "-" + table.ALIASES.get(n[1:], n[1:]) for n in names if n.startswith("-")
        }
        if kind.name in wanted or by_star:
            out.append(kind)
    return tuple(out)


class ControllerManager:
    """The `Program`."""

    def start(self, world: World, proc: Process) -> None:
        """Parse flags, read the kubeconfig, listen, and begin to elect."""
        flags = component.flags_or_exit(world, proc, FLAGS)
        state = ManagerState(flags=flags, leader=LeaderState(identity=f"{proc.host}_{world.rng('leader').uuid()}"))
        try:
            chosen(flags)
        except ValueError as error:
            raise component.fail(world, proc, "run.go:72", str(error).strip("[]")) from None
        component.connect(world, proc, flags.get("kubeconfig", ""), NAME)
        at = component.listen(world, proc, flags, "10257")
        states(world)[proc.key] = state
        klog(world, proc, "I", "controllermanager.go:189", "Starting", version=component.version_of(proc))
        klog(world, proc, "I", "secure_serving.go:211", f"Serving securely on {at}")
        begin = world.rng("kcm").between(300, 700) * clock.MS
        world.after(begin, proc.target, ["elect"] if component.truth(flags, "leader-elect", True) else ["run"])

    def warm(self, world: World, proc: Process) -> tuple[ManagerState, Elector, Runtime]:
        """The process's state and its warm half, rebuilt where needed."""
        state = states(world)[proc.key]
        cache = world.warm.setdefault("kcm", {})
        found = cache.get(proc.key)
        if found is None or found[0] is not state:
            client = component.connect(world, proc, state.flags.get("kubeconfig", ""), NAME)
            elector = Elector(world, proc, client, state.flags, state.leader, NAME)
            found = cache[proc.key] = (state, elector, Runtime(world, proc, state, client, chosen(state.flags)))
        return found  # type: ignore[no-any-return]

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """Elections, doorbells, due keys and periods."""
        state, elector, runtime = self.warm(world, proc)
        kind = payload[0]
        if kind == "elect":
            self._elect(world, proc, state, elector, runtime)
        elif kind == "run":
            self._run(world, proc, state, runtime)
        elif not state.running:
            return
        elif kind == "wake":
            runtime.pump(payload[1])
        elif kind == "due":
            runtime.pump()
        elif kind == "tick":
            runtime.tick(payload[1])

    def _elect(self, world: World, proc: Process, state: ManagerState, elector: Elector, runtime: Runtime) -> None:
        try:
            outcome = elector.turn()
        except Lost:
            klog(world, proc, "E", "controllermanager.go:340", "leaderelection lost")
            self.stop(world, proc, 15)
            raise Exited(1) from None
        if outcome == "acquired":
            recorder = Recorder(world, runtime.client, state.events, NAME, "")
            if elector.lease is not None:
                recorder.event(elector.lease, "Normal", "LeaderElection", f"{state.leader.identity} became leader")
            self._run(world, proc, state, runtime)

    def _run(self, world: World, proc: Process, state: ManagerState, runtime: Runtime) -> None:
        if component.truth(state.flags, "use-service-account-credentials", False):
            try:
                runtime.identify()
            except (ApiError, ConnectError) as error:
                klog(world, proc, "E", "client_builder_dynamic.go:97", "Failed to get a token", err=str(error))
                world.after(clock.SECOND, proc.target, ["run"])
                return
        state.running = True
        self._roll_call(world, proc, state, runtime)
        runtime.start()

    def _roll_call(self, world: World, proc: Process, state: ManagerState, runtime: Runtime) -> None:
        """What is said of each controller: of those that stay away always, of those that run from `--v=1` on (RunControllers)."""
        running = {controller.name for controller in runtime.controllers}
        for name in table.CLOUD:
            klog(world, proc, "I", "controller_descriptor.go:99", "Skipping a cloud provider controller", controller=name)
        for kind in table.CONTROLLERS:
            if kind.name not in running:
                klog(world, proc, "I", "controller_descriptor.go:104", "Warning: controller is disabled", controller=kind.name)
        if component.verbosity(state.flags) >= 1:
            for name in sorted(running):
                klog(world, proc, "I", "controllermanager.go:744", "Controller starting...", controller=name)

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """Drop state; the Lease is left to expire (ControllerManagerReleaseLeaderElectionLockOnExit is off in 1.36)."""
        state = states(world).pop(proc.key, None)
        world.warm.get("kcm", {}).pop(proc.key, None)
        if state is not None:
            informers = world.warm.get("informers", {})
            for resource in state.informers:
                informers.pop(f"{proc.key}/{resource}", None)
        return 0 if signal in (2, 15) else 128 + signal

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """Health checks: one of the election, and one of each controller that runs."""
        checks = {"leaderElection": ""}
        state = states(world).get(proc.key)
        if state is not None and state.running:
            checks |= {kind.name: "" for kind in chosen(state.flags)}
        return component.health(request, checks)


PROGRAM = ControllerManager()

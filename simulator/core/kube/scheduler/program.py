"""The daemon `kube-scheduler` (cmd/kube-scheduler/app/server.go)."""

from __future__ import annotations

from typing import Any

from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock
from ...kernel.errors import BadInput
from ...kernel.http import Request, Response
from ...kernel.world import World
from .. import component
from ..api.objects import Obj
from ..component import FlagSpec, klog
from ..events import SeriesRecorder
from ..leaderelection import Elector, LeaderState, Lost
from . import config as configs
from .queue import LEFT_OVER, Queue
from .scheduler import Scheduler
from .state import SchedulerState, states

NAME = "kube-scheduler"

FLAGS: FlagSpec = {
    **component.GLOBAL_FLAGS,
    **component.SERVING_FLAGS,
    **component.LEADER_FLAGS,
    "config": "string",
    "write-config-to": "string",
    "pod-max-in-unschedulable-pods-duration": "duration",
}


class KubeScheduler:
    """The `Program`."""

    def start(self, world: World, proc: Process) -> None:
        """Parse flags, read the kubeconfig, listen, and begin to elect."""
        flags = component.flags_or_exit(world, proc, FLAGS)
        if flags.get("write-config-to"):
            raise component.fail(world, proc, "run.go:72", "--write-config-to: not simulated in Slipway yet")
        config = self._config(world, proc, flags)
        component.connect(world, proc, flags.get("kubeconfig", ""), NAME)
        at = component.listen(world, proc, flags, "10259")
        identity = f"{proc.host}_{world.rng('leader').uuid()}"
        queue = Queue(
            first_backoff=int(config.get("podInitialBackoffSeconds", 1)) * clock.SECOND,
            most_backoff=int(config.get("podMaxBackoffSeconds", 10)) * clock.SECOND,
            left_over=component.duration(flags, "pod-max-in-unschedulable-pods-duration", LEFT_OVER),
        )
        states(world)[proc.key] = SchedulerState(flags=flags, config=config, leader=LeaderState(identity=identity), queue=queue)
        klog(world, proc, "I", "server.go:176", "Starting Kubernetes Scheduler", version=component.version_of(proc))
        klog(world, proc, "I", "secure_serving.go:211", f"Serving securely on {at}")
        begin = world.rng("kube-scheduler").between(300, 700) * clock.MS
        world.after(begin, proc.target, ["elect"] if component.truth(flags, "leader-elect", True) else ["run"])

    @staticmethod
    def _config(world: World, proc: Process, flags: dict[str, str]) -> Obj:
        """The configuration file, or {}; what it says of the client and of leader election goes into `flags`, where leader election
        that was given on the command line stays as it is."""
        path = flags.get("config")
        if not path:
            return {}
        try:
            found = configs.load(component.read_file(world, proc, path))
        except OSError:
            raise component.fail(world, proc, "run.go:72", f"open {path}: no such file or directory") from None
        except BadInput as error:
            raise component.fail(world, proc, "run.go:72", str(error)) from None
        for name, value in configs.flags_of(found).items():
            if name == "kubeconfig" or name not in flags:
                flags[name] = value
        return found

    def warm(self, world: World, proc: Process) -> tuple[SchedulerState, Elector, Scheduler]:
        """The process's state and its warm half, rebuilt where needed."""
        state = states(world)[proc.key]
        cache = world.warm.setdefault("scheduler", {})
        found = cache.get(proc.key)
        if found is None or found[0] is not state:
            client = component.connect(world, proc, state.flags.get("kubeconfig", ""), NAME)
            elector = Elector(world, proc, client, state.flags, state.leader, NAME)
            found = cache[proc.key] = (state, elector, Scheduler(world, proc, state, client))
        return found  # type: ignore[no-any-return]

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """Elections, doorbells and the queue."""
        state, elector, scheduler = self.warm(world, proc)
        kind = payload[0]
        if kind == "elect":
            self._elect(world, proc, state, elector, scheduler)
        elif kind == "run":
            self._run(state, scheduler)
        elif kind == "wake" and state.running:
            if scheduler.pump(payload[1]):
                scheduler.arm()
        elif kind == "schedule" and state.running and scheduler.pump():
            scheduler.work()

    def _elect(self, world: World, proc: Process, state: SchedulerState, elector: Elector, scheduler: Scheduler) -> None:
        try:
            outcome = elector.turn()
        except Lost:
            klog(world, proc, "E", "server.go:338", "Leaderelection lost")
            self.stop(world, proc, 15)
            raise Exited(1) from None
        if outcome == "acquired":
            if elector.lease is not None:
                recorder = SeriesRecorder(world, scheduler.client, state.events, "default-scheduler", proc.host)
                note = f"{state.leader.identity} became leader"
                recorder.event(elector.lease, "Normal", "LeaderElection", "LeaderElection", note)
            self._run(state, scheduler)

    def _run(self, state: SchedulerState, scheduler: Scheduler) -> None:
        state.running = True
        scheduler.feed.subscribe()
        if scheduler.pump():
            scheduler.arm()

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """Give the Lease back on SIGTERM (ReleaseOnCancel), drop state."""
        state = states(world).get(proc.key)
        if state is not None:
            cached = world.warm.get("scheduler", {}).get(proc.key)
            if cached is None and state.leader.leading and signal in (2, 15):
                cached = self.warm(world, proc)
            if cached is not None:
                if signal in (2, 15):
                    cached[1].release()
                cached[2].feed.drop()
            states(world).pop(proc.key, None)
            world.warm.get("scheduler", {}).pop(proc.key, None)
        return 0 if signal in (2, 15) else 128 + signal

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """Health checks."""
        return component.health(request, {"leaderElection": ""})


PROGRAM = KubeScheduler()

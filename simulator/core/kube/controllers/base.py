"""What every controller stands on: `Controller`, and the `Runtime` that feeds them from informers.

Level-triggered reconciling by key: an informer's change only *marks* keys; `sync(key)` reads, compares, acts and writes
status.  Before any key is worked on, every informer with news is brought up to date, so a controller always reads its own
writes and needs no expectations.  State that must outlive the warm world is in `ManagerState`, plain data; a `Runtime` and its
controllers are rebuilt from it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

import msgspec

from ...host.process import Process
from ...kernel import clock
from ...kernel.errors import ConnectError
from ...kernel.world import World
from ..api.objects import controller_of, key_of
from ..client import ApiError, Informer, InformerState, KubeClient, WorkQueue
from ..component import explain, klog, version_of
from ..events import EventState, Recorder
from ..leaderelection import LeaderState
from . import identity

Obj = dict[str, Any]


class Retry(Exception):
    """A key could not be finished: again after the back-off."""


class ManagerState(msgspec.Struct):
    """Everything one kube-controller-manager process remembers."""

    flags: dict[str, str] = {}
    leader: LeaderState = msgspec.field(default_factory=LeaderState)
    running: bool = False
    fed: bool = False
    informers: dict[str, InformerState] = {}
    queues: dict[str, WorkQueue] = {}
    events: EventState = msgspec.field(default_factory=EventState)
    memory: dict[str, dict[str, Any]] = {}
    ticks: dict[str, int] = {}
    armed_at: int = 0
    armed: int = 0
    down_since: int = 0
    tokens: dict[str, str] = {}
    identified: bool = False


class Controller:
    """One control loop.  Subclasses give `name`, the `resources` they watch, `changed` and `sync`."""

    #: The name of the `--controllers` flag (cmd/kube-controller-manager/names).
    name: ClassVar[str] = ""
    #: The source component of its Events.
    source: ClassVar[str] = ""
    #: Plural resource names whose informers call `changed`.
    resources: ClassVar[tuple[str, ...]] = ()
    #: Virtual nanoseconds between calls of `tick`, or 0.
    period: int = 0
    #: Whether it acts as a service account of its own under `--use-service-account-credentials`.
    own_account: ClassVar[bool] = True

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.world = runtime.world
        self.client = runtime.client_of(self.name)
        self.flags = runtime.state.flags
        self.work = runtime.state.queues.setdefault(self.name, WorkQueue())
        self.memory = runtime.state.memory.setdefault(self.name, {})
        self.recorder = Recorder(self.world, self.client, runtime.state.events, self.source or self.name, "")
        self.setup()

    @classmethod
    def watched(cls, release: str) -> tuple[str, ...]:
        """The resources that the controller of a release watches."""
        return cls.resources

    def act_as(self, client: KubeClient) -> None:
        """From now on use this client."""
        self.client = client
        self.recorder = Recorder(self.world, client, self.runtime.state.events, self.source or self.name, "")

    def setup(self) -> None:
        """Build warm indexes; called at start and after a restore, with informers that may hold objects already."""

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """An informer saw `kind` (ADDED, MODIFIED, DELETED) of an object: mark keys."""

    def sync(self, key: str) -> None:
        """Reconcile one key.  ApiError, ConnectError and Retry mean: again after the back-off."""

    def tick(self) -> None:
        """Called every `period`."""

    def informer(self, resource: str) -> Informer:
        """The shared informer of a resource."""
        return self.runtime.informers[resource]

    def enqueue(self, key: str, after: int = 0) -> None:
        """Mark a key, now or after a delay in nanoseconds."""
        self.work.add(key, self.world.now + after)

    def event(self, obj: Obj, kind: str, reason: str, message: str) -> None:
        """Record an Event."""
        self.recorder.event(obj, kind, reason, message)


class Runtime:
    """The warm half of a controller manager: informers and controllers over a `ManagerState`."""

    def __init__(
        self, world: World, proc: Process, state: ManagerState, client: KubeClient, table: tuple[type[Controller], ...]
    ) -> None:
        self.world = world
        self.proc = proc
        self.state = state
        self.client = client
        self.informers: dict[str, Informer] = {}
        self.controllers: list[Controller] = []
        self.watchers: dict[str, list[Controller]] = {}
        self._orphans: dict[str, Obj] | None = None
        release = version_of(proc)
        for kind in table:
            for resource in kind.watched(release):
                self._informer(resource)
        self._prime()
        for kind in table:
            controller = kind(self)
            self.controllers.append(controller)
            for resource in kind.watched(release):
                self.watchers.setdefault(resource, []).append(controller)

    def _informer(self, resource: str) -> None:
        if resource in self.informers:
            return
        state = self.state.informers.get(resource)
        if state is None:
            state = self.state.informers[resource] = InformerState(resource=resource)
        informer = Informer(self.client, state, f"{self.proc.key}/{resource}")
        self.informers[resource] = informer

    def _prime(self) -> None:
        """After a restore: the copies as they were; where the server is away, everything is listed anew when it is back."""
        if self.state.fed and not all(informer.prime() for informer in self.informers.values()):
            for informer in self.informers.values():
                informer.forget()
            self.state.fed = False
            self.arm(self.world.now + clock.SECOND, force=True)

    def client_of(self, controller: str) -> KubeClient:
        """The client that a controller acts with: its service account's where it has one, else the manager's."""
        account = identity.account_of(controller)
        text = self.state.tokens.get(account)
        return identity.client_for(self.client, account, text) if text else self.client

    def identify(self) -> None:
        """See to it that every controller's service account is there; raises ApiError and ConnectError."""
        identity.make_accounts(self.client, [c.name for c in self.controllers if c.own_account])
        self.state.identified = True

    def _become(self, controller: Controller) -> None:
        """Before a controller acts for the first time it gets its token; raises ApiError and ConnectError."""
        account = identity.account_of(controller.name)
        if not self.state.identified or not controller.own_account or controller.client is not self.client:
            return
        if account not in self.state.tokens:
            self.state.tokens[account] = identity.token(self.client, account)
        controller.act_as(self.client_of(controller.name))

    def subscribe(self) -> None:
        """Hear the doorbells of everything that is watched; leases would ring all day and are looked at on ticks."""
        for resource, informer in self.informers.items():
            if resource != "leases":
                self.world.subscribe(informer.topic, self.proc.target, ["wake", resource])

    def _stale(self, rang: str) -> list[str]:
        """The resources with news: the one whose doorbell rang and those whose wake is still on its way."""
        if self.state.down_since or not self.state.fed:
            return list(self.informers)
        pending = self.world.pending
        target = self.proc.target
        return [r for r in self.informers if r == rang or f"{target}|{['wake', r]!r}" in pending]

    def pump(self, rang: str = "") -> None:
        """Bring informers with news up to date, mark keys, work on what is due, arm the timer for the rest."""
        try:
            for resource in self._stale(rang):
                self.feed(resource)
            self.state.fed = True
            self.state.down_since = 0
        except (ConnectError, ApiError) as error:
            self._server_away(error)
            return
        self._work()
        self.arm()

    def feed(self, resource: str) -> None:
        """Sync one informer and tell its controllers."""
        for change in self.informers[resource].sync():
            if resource == "pods" and self._orphans is not None:
                self._note_orphan(self._orphans, change.type, change.object)
            for controller in self.watchers.get(resource, ()):
                controller.changed(resource, change.type, change.object)

    def orphans(self, namespace: str) -> list[Obj]:
        """The pods of a namespace that no controller owns, by key."""
        if self._orphans is None:
            self._orphans = {}
            for pod in self.informers["pods"].list():
                self._note_orphan(self._orphans, "ADDED", pod)
        prefix = namespace + "/"
        return [self._orphans[key] for key in sorted(self._orphans) if key.startswith(prefix)]

    @staticmethod
    def _note_orphan(orphans: dict[str, Obj], kind: str, pod: Obj) -> None:
        if kind != "DELETED" and controller_of(pod) is None:
            orphans[key_of(pod)] = pod
        else:
            orphans.pop(key_of(pod), None)

    def _server_away(self, error: Exception) -> None:
        """The API server cannot be reached: reflectors list again after a back-off of about a second."""
        if not self.state.down_since:
            self.state.down_since = self.world.now
            klog(self.world, self.proc, "E", "reflector.go:205", "Failed to watch", err=explain(error, self.client))
        self.arm(self.world.now + clock.SECOND + self.world.rng("reflector").below(clock.SECOND), force=True)

    def _work(self) -> None:
        now = self.world.now
        for controller in self.controllers:
            work = controller.work
            if not work.keys:
                continue
            for key in work.due(now):
                try:
                    self._become(controller)
                    controller.sync(key)
                    work.forget(key)
                except (ConnectError, ApiError, Retry) as error:
                    self._failed(controller, key, error)

    def _failed(self, controller: Controller, key: str, error: Exception) -> None:
        controller.work.retry(key, self.world.now)
        conflict = isinstance(error, ApiError) and error.code == 409
        if not conflict and controller.work.failures.get(key, 0) <= 3:
            klog(
                self.world,
                self.proc,
                "E",
                "controller.go:101",
                "Unhandled Error",
                controller=controller.name,
                key=key,
                err=explain(error, self.client),
            )

    def arm(self, at: int | None = None, *, force: bool = False) -> None:
        """Have one timer for the earliest key that waits (or for `at`)."""
        state = self.state
        if at is None:
            times = [when for c in self.controllers if (when := c.work.next_due()) is not None]
            if not times:
                return
            at = max(min(times), self.world.now + clock.MS)
        if state.armed in self.world.timers:
            if not force and state.armed_at <= at:
                return
            self.world.cancel(state.armed)
        state.armed_at = at
        state.armed = self.world.at(at, self.proc.target, ["due"])

    def start(self) -> None:
        """Begin to lead: the first lists, subscriptions and periodic work."""
        self.subscribe()
        self.pump()
        for index, controller in enumerate(self.controllers):
            if controller.period:
                first = self.world.now + index * clock.MS
                self.state.ticks[controller.name] = self.world.at(first, self.proc.target, ["tick", controller.name])

    def tick(self, name: str) -> None:
        """One period of a controller has passed."""
        for controller in self.controllers:
            if controller.name == name:
                self.state.ticks[name] = self.world.after(controller.period, self.proc.target, ["tick", name])
                if not self.state.fed:  # nothing is known yet
                    continue
                with suppress(ConnectError, ApiError):  # the server is away: the next period tries again, as the real loops do
                    self._become(controller)
                    controller.tick()
        if self.state.fed and any(c.work.keys for c in self.controllers):
            self._work()
            self.arm()

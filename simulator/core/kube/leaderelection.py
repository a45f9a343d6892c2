"""Leader election (client-go/tools/leaderelection): one Lease in kube-system, renewed every 2 s by one optimistic update.

A leader that could not renew for 10 s ends its process, and a follower takes a Lease over that nobody renewed for 15 s.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..host.process import Process
from ..kernel import clock
from ..kernel.errors import ConnectError
from ..kernel.world import World
from .client import ApiError, KubeClient
from .component import duration, explain, klog


class LeaderState(msgspec.Struct):
    """What an elector remembers: its identity, whether it leads, the Lease as last seen, and when it saw that change.

    `written` is the resourceVersion of the Lease that it wrote last and holds in memory, "" while it holds none.
    """

    identity: str = ""
    leading: bool = False
    holder: str = ""
    renew_time: str = ""
    observed_at: int = 0
    renewed_at: int = 0
    said_waiting: bool = False
    written: str = ""


class Lost(Exception):
    """The leader could not renew its Lease in time; the component ends."""


class Elector:
    """One candidate for the Lease `name` in `kube-system` (client-go/tools/leaderelection/leaderelection.go).

    `turn` is called at once and then by the timer that it sets; it returns "leading", "acquired" or "waiting", and raises `Lost`.
    """

    def __init__(
        self, world: World, proc: Process, client: KubeClient, flags: dict[str, str], state: LeaderState, name: str
    ) -> None:
        self.world = world
        self.proc = proc
        self.client = client
        self.state = state
        self.name = flags.get("leader-elect-resource-name", name)
        self.namespace = flags.get("leader-elect-resource-namespace", "kube-system")
        self.lease_duration = duration(flags, "leader-elect-lease-duration", 15 * clock.SECOND)
        self.renew_deadline = duration(flags, "leader-elect-renew-deadline", 10 * clock.SECOND)
        self.retry = duration(flags, "leader-elect-retry-period", 2 * clock.SECOND)
        self._lease: dict[str, Any] | None = None

    @property
    def lease(self) -> dict[str, Any] | None:
        """The Lease as this candidate wrote it last, which it renews without asking; None when it has to be read first.

        It is warm: in a restored world it is read from etcd's data at the version that was held, without a request, because a request
        that the unbroken world does not make is heard by the members of etcd.
        """
        if self._lease is None and self.state.written:
            copies = self.world.tables.get("copies")
            path = self.client.kind("leases").path(self.namespace)
            query = {"fieldSelector": [f"metadata.name={self.name}"]}
            for found in (copies(self.world, path, query, self.state.written) if copies is not None else None) or ():
                if found["metadata"]["resourceVersion"] == self.state.written:
                    self._lease = found
        return self._lease

    @lease.setter
    def lease(self, lease: dict[str, Any] | None) -> None:
        self._lease = lease
        self.state.written = lease["metadata"]["resourceVersion"] if lease is not None else ""

    @property
    def lock(self) -> str:
        """`namespace/name`, as log lines show the lock."""
        return f"{self.namespace}/{self.name}"

    def turn(self) -> str:
        """Try once, and come back after the retry period: the timer's payload is `["elect"]`."""
        if not self.state.said_waiting:
            self.state.said_waiting = True
            text = "Attempting to acquire leader lease..."
            klog(self.world, self.proc, "I", "leaderelection.go:258", text, lock=self.lock)
        outcome = self.step()
        jitter = 0 if outcome != "waiting" else self.world.rng("leader").below(int(1.2 * self.retry))
        self.world.after(self.retry + jitter, self.proc.target, ["elect"])
        return outcome

    def step(self) -> str:
        """Try to acquire or renew once."""
        now, state = self.world.now, self.state
        try:
            held = self._try()
        except (ConnectError, ApiError) as error:
            self.lease = None
            if not isinstance(error, ApiError) or error.code != 409:
                klog(
                    self.world,
                    self.proc,
                    "E",
                    "leaderelection.go:448",
                    "Error retrieving lease lock",
                    err=explain(error, self.client),
                    lock=self.lock,
                )
            held = False
        if held:
            state.renewed_at = now
            if not state.leading:
                state.leading = True
                klog(self.world, self.proc, "I", "leaderelection.go:272", "Successfully acquired lease", lock=self.lock)
                return "acquired"
            return "leading"
        if state.leading and now - state.renewed_at >= self.renew_deadline:
            state.leading = False
            error_text = "context deadline exceeded"
            klog(self.world, self.proc, "I", "leaderelection.go:304", "Failed to renew lease", lock=self.lock, err=error_text)
            raise Lost
        return "leading" if state.leading else "waiting"

    def _try(self) -> bool:
        state, now = self.state, self.world.now
        if state.leading and self.lease is not None:
            self.lease = self._write(self.lease, self.lease["spec"])
            return True
        try:
            lease: dict[str, Any] | None = self.client.get("leases", self.namespace, self.name)
        except ApiError as error:
            if error.code != 404:
                raise
            lease = None
        if lease is None:
            stamp = clock.rfc3339_micro(self.world.wall)
            spec = self._spec(stamp, stamp, 0)
            meta = {"name": self.name, "namespace": self.namespace}
            body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}
            self.lease = self.client.create("leases", self.namespace, body)
            return True
        spec = lease.get("spec") or {}
        if (spec.get("holderIdentity", ""), spec.get("renewTime", "")) != (state.holder, state.renew_time):
            state.holder, state.renew_time = spec.get("holderIdentity") or "", spec.get("renewTime") or ""
            state.observed_at = now
        if state.holder and state.holder != state.identity and state.observed_at + self.lease_duration > now:
            return False
        self.lease = self._write(lease, spec)
        return True

    def _spec(self, acquired: str, renewed: str, transitions: int, holder: str | None = None) -> dict[str, Any]:
        return {
            "holderIdentity": self.state.identity if holder is None else holder,
            "leaseDurationSeconds": self.lease_duration // clock.SECOND if holder is None else 1,
            "acquireTime": acquired,
            "renewTime": renewed,
            "leaseTransitions": transitions,
        }

    def _write(self, lease: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
        stamp = clock.rfc3339_micro(self.world.wall)
        mine = old.get("holderIdentity") == self.state.identity
        acquired = old.get("acquireTime") if mine else stamp
        transitions = (old.get("leaseTransitions") or 0) + (0 if mine else 1)
        written: dict[str, Any] = self.client.update(
            "leases", {**lease, "spec": self._spec(acquired or stamp, stamp, transitions)}
        )
        return written

    def release(self) -> None:
        """Give the Lease back (ReleaseOnCancel), so that the next candidate need not wait for it to expire."""
        if not self.state.leading:
            return
        stamp = clock.rfc3339_micro(self.world.wall)
        try:
            # a restored world does not hold what it wrote last
            lease = self.lease or self.client.get("leases", self.namespace, self.name)
            spec = self._spec(stamp, stamp, lease["spec"].get("leaseTransitions") or 0, holder="")
            self.client.update("leases", {**lease, "spec": spec})
        except (ConnectError, ApiError):
            pass
        self.state.leading = False

"""The informers of one component as a bundle: which have news, and what it is.

A doorbell wakes the component with `["wake", resource]`; resources whose wake is still on its way are brought up to date in the
same breath, so that everything a component decides on is of one moment.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..host.process import Process
from ..kernel.world import World
from .client import Informer, InformerState, KubeClient, WatchEvent


class Feed:
    """Informers over `states` (plain data of the component).  `quiet` resources do not wake it; they are read when needed."""

    def __init__(
        self,
        world: World,
        proc: Process,
        client: KubeClient,
        states: dict[str, InformerState],
        resources: tuple[str, ...],
        quiet: tuple[str, ...] = (),
    ) -> None:
        self.world = world
        self.proc = proc
        self.quiet = quiet
        self.informers: dict[str, Informer] = {}
        for resource in (*resources, *quiet):
            state = states.setdefault(resource, InformerState(resource=resource))
            self.informers[resource] = Informer(client, state, f"{proc.key}/{resource}")

    def subscribe(self) -> None:
        """Hear the doorbells; those of quiet resources are only marked."""
        for resource, informer in self.informers.items():
            if resource in self.quiet:
                self.world.mark(informer.topic, self.proc.target, ["quiet", resource])
            else:
                self.world.subscribe(informer.topic, self.proc.target, ["wake", resource])

    def stale(self, rang: str, *, everything: bool) -> list[str]:
        """The resources to bring up to date, quiet ones not among them unless `everything`."""
        if everything:
            return list(self.informers)
        pending, target = self.world.pending, self.proc.target
        return [r for r in self.informers if r == rang or f"{target}|{['wake', r]!r}" in pending]

    def changes(self, rang: str = "", *, everything: bool = False) -> Iterator[tuple[str, WatchEvent]]:
        """What is new, resource by resource; raises ConnectError or ApiError when the server is away."""
        for resource in self.stale(rang, everything=everything):
            for change in self.informers[resource].sync():
                yield resource, change

    def prime(self) -> bool:
        """After a restore: rebuild every copy.  When one cannot be had, all are listed anew, as by reflectors that start."""
        if all(informer.prime() for informer in self.informers.values()):
            return True
        for informer in self.informers.values():
            informer.forget()
        return False

    def refresh_quiet(self) -> None:
        """Bring the quiet resources with news up to date."""
        for resource in self.quiet:
            if self.world.marked(self.proc.target, ["quiet", resource]):
                self.informers[resource].sync()
                self.world.unmark(self.proc.target, ["quiet", resource])

    def drop(self) -> None:
        """The process has ended: forget the warm copies."""
        warm = self.world.warm.get("informers", {})
        for resource in self.informers:
            warm.pop(f"{self.proc.key}/{resource}", None)

"""What several lenses need: stored objects, machines that run something, the last events of an actor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ...host.machine import hosts
from ...kernel.trace import TraceEvent
from ...kernel.world import World
from ..etcd_view import etcd_view
from ..view import stored

Json = dict[str, Any]


def objects(world: World, prefix: str) -> list[Json]:
    """The API objects below `/registry/<prefix>/` as they are stored, by key; nothing when no etcd member runs."""
    return stored(world, etcd_view(world)[0], f"/registry/{prefix}/".encode())


def last_events(world: World, wanted: Callable[[TraceEvent], bool], most: int) -> list[TraceEvent]:
    """The newest events that are wanted, oldest first."""
    found: list[TraceEvent] = []
    for event in reversed(world.trace):
        if wanted(event):
            found.append(event)
            if len(found) >= most:
                break
    return found[::-1]


def told(event: TraceEvent) -> Json:
    """An event as lenses give it."""
    return {"seq": event.seq, "at": event.at, "action": event.action, "ref": event.ref, "detail": event.detail or {}}


def machines(world: World, program: str) -> list[str]:
    """The hosts that are meant to run a program or do, control planes not preferred, by name."""
    return [
        name
        for name, host in sorted(hosts(world).items())
        if f"{program}.service" in host.units or any(running_as(proc.argv, program) for proc in host.processes.values())
    ]


def running_as(argv: Iterable[str], program: str) -> bool:
    """Whether a command line's program has that name, wherever it lies."""
    return next(iter(argv), "").rpartition("/")[2] == program


def choose(choices: list[str], about: str, default: str = "") -> str:
    """What the learner asked for if it is there, else the default, else the first."""
    return about if about in choices else default if default in choices else next(iter(choices), "")

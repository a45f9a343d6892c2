"""The state of a kube-scheduler process: the section `scheduler`, keyed by `Process.key`."""

from __future__ import annotations

import msgspec

from ...kernel.world import World
from ..api.objects import Obj
from ..client import InformerState
from ..events import EventState
from ..leaderelection import LeaderState
from .queue import Queue


class SchedulerState(msgspec.Struct):
    """Everything one scheduler remembers; caches are warm and rebuilt."""

    flags: dict[str, str] = {}
    config: Obj = {}
    leader: LeaderState = msgspec.field(default_factory=LeaderState)
    running: bool = False
    fed: bool = False
    informers: dict[str, InformerState] = {}
    events: EventState = msgspec.field(default_factory=EventState)
    queue: Queue = msgspec.field(default_factory=Queue)
    nominated: dict[str, str] = {}
    next_start: int = 0
    armed_at: int = 0
    armed: int = 0
    down_since: int = 0


def states(world: World) -> dict[str, SchedulerState]:
    """Each scheduler's state by process key."""
    return world.section("scheduler", dict)

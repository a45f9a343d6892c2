"""systemd's timer units (systemd.timer(5)): when they elapse, and what they start.

A timer that is active waits with one world timer (`unit:<host>/<name>.timer`, payload `["elapse", 0, number]`).  `UnitState.due` and
`UnitState.fired` are virtual nanoseconds.
"""

from __future__ import annotations

from ..kernel.world import World
from . import calendar
from .machine import Host, UnitState
from .unitfiles import UnitFile, duration, unit_name

#: Spans of [Timer] and what they count from.
_FROM_BOOT, _FROM_START, _FROM_RUN = ("OnBootSec", "OnStartupSec"), ("OnActiveSec",), ("OnUnitActiveSec", "OnUnitInactiveSec")


def activates(unit: UnitFile) -> str:
    """The unit that a timer starts."""
    return unit_name(unit.value("Timer", "Unit") or unit.name.removesuffix(".timer"))


def problem(unit: UnitFile) -> str:
    """Why a timer cannot be started, or ""."""
    for text in unit.values("Timer", "OnCalendar"):
        try:
            calendar.event(text)
        except ValueError:
            return f"Failed to parse calendar specification, ignoring: {text}"
    keys = ("OnCalendar", *_FROM_BOOT, *_FROM_START, *_FROM_RUN)
    return "" if any(unit.values("Timer", key) for key in keys) else "Timer unit lacks value setting. Refusing."


def due(world: World, host: Host, unit: UnitFile, status: UnitState) -> int:
    """When it elapses next (virtual ns), 0 for never."""
    times: list[int] = []
    for text in unit.values("Timer", "OnCalendar"):
        try:
            when = calendar.event(text).after(world.wall)
        except ValueError:
            continue
        if when is not None:
            times.append(world.now + when - world.wall)
    for keys, base in ((_FROM_BOOT, host.boot_at), (_FROM_START, status.since), (_FROM_RUN, status.fired)):
        for key in keys:
            for text in unit.values("Timer", key):
                span = duration(text, 0)
                if base or keys is not _FROM_RUN:
                    times.append(base + span)
    late = [when for when in times if when > world.now]
    missed = [when for when in times if when <= world.now and not status.fired]
    return world.now if missed else min(late, default=0)


def arm(world: World, host: Host, unit: UnitFile, status: UnitState) -> None:
    """Wait for the next time."""
    disarm(world, status)
    status.due = due(world, host, unit, status)
    if status.due:
        status.timer = world.at(status.due, f"unit:{host.name}/{unit.name}", ["elapse", 0, 0])


def disarm(world: World, status: UnitState) -> None:
    """Wait no more."""
    if status.timer:
        world.cancel(status.timer)
    status.timer = status.due = 0

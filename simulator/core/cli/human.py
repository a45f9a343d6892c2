"""Durations and sizes as github.com/docker/go-units prints them, and logrus lines."""

from __future__ import annotations

from ..host.program import Invocation
from ..kernel.clock import SECOND, rfc3339
from ..kernel.world import World


def duration(ns: int) -> str:
    """`HumanDuration`: `Less than a second`, `About a minute`, `3 weeks`."""
    seconds = ns // SECOND
    if seconds < 1:
        return "Less than a second"
    if seconds == 1:
        return "1 second"
    if seconds < 60:
        return f"{seconds} seconds"
    minutes = seconds // 60
    if minutes == 1:
        return "About a minute"
    if minutes < 60:
        return f"{minutes} minutes"
    hours = int(minutes / 60 + 0.5)
    if hours == 1:
        return "About an hour"
    if hours < 48:
        return f"{hours} hours"
    days = hours // 24
    if hours < 24 * 7 * 2:
        return f"{days} days"
    if hours < 24 * 30 * 2:
        return f"{days // 7} weeks"
    if hours < 24 * 365 * 2:
        return f"{days // 30} months"
    return f"{days // 365} years"


def ago(world: World, wall: int) -> str:
    """How long ago a Unix time (ns) was."""
    return duration(max(0, world.wall - wall)) + " ago"


def size(count: float, precision: int = 4) -> str:
    """`HumanSizeWithPrecision`: decimal units, `63MB`."""
    units = ("B", "kB", "MB", "GB", "TB", "PB")
    index = 0
    while count >= 1000 and index < len(units) - 1:
        count /= 1000
        index += 1
    return f"{count:.{precision}g}{units[index]}"


def binary(count: float) -> str:
    """containerd's `progress.Bytes`: binary units, `60.1 MiB`."""
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    index = 0
    while count >= 1024 and index < len(units) - 1:
        count /= 1024
        index += 1
    return f"{count:02.1f} {units[index]}"


def logrus(inv: Invocation, level: str, message: str) -> None:
    """A logrus line on standard error: coloured short form on a terminal, key=value elsewhere."""
    if inv.stdout_tty:
        inv.err(f"{level.upper()[:4]}[0000] {message} \n")
        return
    escaped = message.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    inv.err(f'time="{rfc3339(inv.world.wall)}" level={level} msg="{escaped}"\n')


def clock_time(wall: int) -> str:
    """A Go `time.Time` with `%v`: `2026-11-02 09:00:00.123456789 +0000 UTC`."""
    head = rfc3339(wall)
    fraction = f"{wall % SECOND:09d}".rstrip("0")
    return f"{head[:10]} {head[11:19]}" + (f".{fraction}" if fraction else "") + " +0000 UTC"

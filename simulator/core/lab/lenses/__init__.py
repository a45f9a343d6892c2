"""Lenses: what the map shows of one component from the inside, as plain data (docs/map.md, "Lenses").

A lens reads the world and changes nothing in it, not even what is warm and would be remembered differently: no random stream, no
simulated request.  It is asked for only while somebody looks through it, so nothing of it is in the view.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from ...kernel.errors import BadInput
from ...kernel.world import World

Json = dict[str, Any]
#: A lens: the world and what it is about (a host, a controller, "" for the lens' own choice) to JSON.
Lens = Callable[[World, str], Json]

#: Lenses by name, in the order of the course; each is the function `lens` of its module, imported on first use.
LENSES: tuple[str, ...] = ("etcd", "apiserver", "scheduler", "controllers", "kubelet", "kube-proxy", "runtime")

#: What is told of a part of the ship map that somebody selected; no lens of the switch.
PART = "part"


def look(world: World, name: str, about: str = "") -> Json:
    """What a lens shows now: `{"lens", "at" (virtual ns), "about", "choices", …}`; raises BadInput for a lens that does not exist."""
    if name not in LENSES and name != PART:
        raise BadInput(f"lens: {name[:40]!r} is not one of {', '.join(LENSES)}")
    lens: Lens = import_module(f"{__name__}.{name.replace('-', '_')}").lens
    return {"lens": name, "at": world.now, "about": "", "choices": [], **lens(world, about)}


def next_message(world: World) -> int | None:
    """The virtual time (ns) at which the members of etcd do something next, None when no two of them run."""
    from ..etcd_view import cluster_disks, clusters
    from . import etcd

    known = [etcd.upcoming(world, cluster_disks(world, cluster)) for cluster in clusters(world)]
    return min((int(one["at"]) for one in known if one is not None), default=None)


def begin(world: World) -> None:
    """A scenario has been built: what is remembered of its making for the lenses is forgotten, as the trace is."""
    for running in world.sections.get("apiserver", {}).values():
        running.recent.people.clear()
        running.recent.others.clear()


__all__ = ["LENSES", "begin", "look", "next_message"]

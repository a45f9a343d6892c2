"""containerd's events for whoever listens now (`core/events/exchange`): they are not kept, so only followers in the warm world hear them."""

from __future__ import annotations

from typing import Any

from ..kernel.world import World


class Follower:
    """One `ctr events` or `crictl events`: what has come since it last looked."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.found: list[tuple[int, str, str, dict[str, Any]]] = []


def follow(world: World, host: str) -> Follower:
    """Listen; `cri-events:<host>` rings when something has come.  End with `leave`."""
    one = Follower(host)
    world.warm.setdefault("containerd-events", []).append(one)
    return one


def leave(world: World, one: Follower) -> None:
    """Stop listening."""
    world.warm["containerd-events"].remove(one)


def publish(world: World, host: str, space: str, topic: str, **data: Any) -> None:
    """Tell followers: (Unix ns, namespace, topic, event)."""
    followers = [f for f in world.warm.get("containerd-events", ()) if f.host == host]
    for one in followers:
        one.found.append((world.wall, space, topic, data))
    if followers:
        world.ring(f"cri-events:{host}")

"""What worlds of one scenario and seed hold alike (`kernel.shared`): stored versions of keys, and the pods that kubelets run.

A new world of the default scenario is 2.5 MB of plain data and the decoded objects of its API server as much again, nearly all of it
the same in every learner's cluster.
"""

from __future__ import annotations

from collections.abc import Iterator

from .etcd import member
from .etcd.mvcc import StoreState, key_of
from .kernel.shared import Shared
from .kernel.world import World
from .kube.kubelet.state import PodState


def collect(world: World) -> Shared:
    """The things of a world that was just built."""
    shared = Shared()
    for store in _stores(world):
        for kv in store.log:
            shared.give(key_of(kv), kv)
    for pod in _pods(world):
        shared.give(_pod_key(pod), pod.pod)
    return shared


def adopt(world: World, shared: Shared) -> None:
    """Give up a restored world's copies of things that its process has already."""
    world.shared = shared
    for store in _stores(world):
        store.log[:] = [shared.adopt(key_of(kv), kv) for kv in store.log]
    for pod in _pods(world):
        pod.pod = shared.adopt(_pod_key(pod), pod.pod)


def _stores(world: World) -> Iterator[StoreState]:
    if "etcd" in world.sections:
        for disk in member.section(world).disks.values():
            yield disk.store


def _pods(world: World) -> Iterator[PodState]:
    for kubelet in world.sections.get("kubelet", {}).values():
        yield from kubelet.pods.values()


def _pod_key(pod: PodState) -> tuple[str, str, str]:
    return "pod", pod.uid, str(pod.pod["metadata"].get("resourceVersion", ""))

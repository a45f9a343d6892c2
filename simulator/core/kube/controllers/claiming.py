"""Adopting and releasing by label selector for controllers of pods with an identity (pkg/controller/controller_ref_manager.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..api.objects import Obj, labels_of
from . import common
from .base import Controller


def claim(
    controller: Controller, resource: str, owner: Obj, candidates: Iterable[Obj], mine: Callable[[Obj], bool] = lambda _: True
) -> list[Obj]:
    """What `owner` controls of `resource`, after taking orphans that its selector and `mine` match and giving up what they do not."""
    namespace, selector = owner["metadata"]["namespace"], owner["spec"].get("selector")

    def adopt(item: Obj) -> Obj | None:
        patch = common.adoption_patch(owner, item)
        return controller.client.patch(resource, namespace, item["metadata"]["name"], patch, kind="strategic")

    def release(item: Obj) -> None:
        patch = common.release_patch(owner, item)
        controller.client.patch(resource, namespace, item["metadata"]["name"], patch, kind="strategic")

    return common.claim(owner, candidates, lambda item: common.selects(selector, labels_of(item)) and mine(item), adopt, release)


def pods(controller: Controller, owner: Obj, mine: Callable[[Obj], bool] = lambda _: True) -> list[Obj]:
    """The pods of an owner, after adopting and releasing."""
    found = controller.informer("pods").by_owner(owner["metadata"]["uid"])
    orphans = controller.runtime.orphans(owner["metadata"]["namespace"])
    return claim(controller, "pods", owner, [*found, *orphans], mine)


def interested(controller: Controller, resource: str, pod: Obj) -> list[Obj]:
    """The owners of `resource` that may want a pod without controller."""
    owners = controller.informer(resource).list(pod["metadata"]["namespace"])
    return [owner for owner in owners if common.selects(owner["spec"].get("selector"), labels_of(pod))]

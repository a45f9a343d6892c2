"""ControllerRevisions: the stored templates of DaemonSets and StatefulSets (pkg/controller/history)."""

from __future__ import annotations

from typing import Any

from ..api.objects import Obj, annotations_of, controller_of, labels_of, owner_reference
from ..client import ApiError
from . import claiming, common
from .base import Controller


def patch_of(owner: Obj) -> Obj:
    """What a revision stores: the patch that puts the owner's template back (getPatch)."""
    return {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}


def of_owner(controller: Controller, owner: Obj) -> list[Obj]:
    """The owner's revisions, oldest first; orphans that its selector matches are taken on."""
    known = controller.informer("controllerrevisions")
    orphans = [r for r in known.list(owner["metadata"]["namespace"]) if controller_of(r) is None]
    found = [*known.by_owner(owner["metadata"]["uid"]), *orphans]
    if orphans:
        found = claiming.claim(controller, "controllerrevisions", owner, found)
    return sorted(
        found, key=lambda r: (r.get("revision") or 0, r["metadata"].get("creationTimestamp") or "", r["metadata"]["name"])
    )


def current(controller: Controller, owner: Obj, hash_label: str) -> tuple[Obj, list[Obj]]:
    """(the revision of the owner's template, made or renumbered where needed; the other ones)."""
    known = of_owner(controller, owner)
    data = patch_of(owner)
    newest = max((r.get("revision") or 0 for r in known), default=0)
    matching = [r for r in known if r.get("data") == data]
    others = [r for r in known if r.get("data") != data]
    if not matching:
        return _create(controller, owner, data, newest + 1, hash_label), others
    kept = max(matching, key=lambda r: r.get("revision") or 0)
    others_newest = max((r.get("revision") or 0 for r in others), default=0)
    if (kept.get("revision") or 0) <= others_newest:
        kept = controller.client.update("controllerrevisions", {**kept, "revision": others_newest + 1})
    return kept, others


def _create(controller: Controller, owner: Obj, data: Obj, revision: int, hash_label: str) -> Obj:
    meta = owner["metadata"]
    digest = common.compute_hash(owner["spec"]["template"], (owner.get("status") or {}).get("collisionCount"))
    labels = {**labels_of(owner["spec"]["template"]), hash_label: digest}
    made: dict[str, Any] = {"name": f"{meta['name']}-{digest}", "namespace": meta["namespace"], "labels": labels}
    made["ownerReferences"] = [owner_reference(owner)]
    if annotations_of(owner):
        made["annotations"] = dict(annotations_of(owner))
    body = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": made, "data": data, "revision": revision}
    try:
        return controller.client.create("controllerrevisions", meta["namespace"], body)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise
        there = controller.client.get("controllerrevisions", meta["namespace"], made["name"])
        if there.get("data") != data:
            raise
        return there


def clean_up(controller: Controller, owner: Obj, old: list[Obj], live: set[str], hash_label: str) -> None:
    """Delete the oldest revisions beyond `revisionHistoryLimit` that no pod uses."""
    limit = owner["spec"].get("revisionHistoryLimit", 10)
    unused = [r for r in old if labels_of(r).get(hash_label) not in live and r["metadata"]["name"] not in live]
    surplus = len(unused) - limit
    for revision in sorted(unused, key=lambda r: r.get("revision") or 0)[: max(0, surplus)]:
        controller.client.delete("controllerrevisions", revision["metadata"]["namespace"], revision["metadata"]["name"])

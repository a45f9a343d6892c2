"""Deletes finished Jobs when their `ttlSecondsAfterFinished` is over (pkg/controller/ttlafterfinished)."""

from __future__ import annotations

from ...kernel import clock
from ..api.objects import Obj, condition, key_of, split_key
from .base import Controller
from .job import is_finished


class TTLAfterFinishedController(Controller):
    """Keys are Jobs."""

    name = "ttl-after-finished-controller"
    source = "ttl-after-finished-controller"
    resources = ("jobs",)

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A Job with a time to live has finished."""
        if kind != "DELETED" and obj["spec"].get("ttlSecondsAfterFinished") is not None and is_finished(obj):
            self.enqueue(key_of(obj))

    def sync(self, key: str) -> None:
        """Delete one Job, or wait."""
        namespace, name = split_key(key)
        job = self.informer("jobs").get(namespace, name)
        if job is None or job["metadata"].get("deletionTimestamp") or job["spec"].get("ttlSecondsAfterFinished") is None:
            return
        done = next((c for c in (condition(job, "Complete"), condition(job, "Failed")) if c is not None), None)
        if done is None:
            return
        end = clock.parse_rfc3339(done["lastTransitionTime"]) + job["spec"]["ttlSecondsAfterFinished"] * clock.SECOND
        if end > self.world.wall:
            self.enqueue(key, end - self.world.wall)
            return
        self.client.delete("jobs", namespace, name, propagation="Foreground", uid=job["metadata"]["uid"])

"""The Deployment controller: rollouts by way of ReplicaSets (pkg/controller/deployment).

A Deployment never touches pods.  It keeps one ReplicaSet a pod template, named after the template's hash, and moves replicas
from old ones to the new one within `maxSurge` and `maxUnavailable`.  Each ReplicaSet carries its revision, which makes history
and undo possible.  `d` in this module is a private copy whose `metadata` and `status` may be replaced.
"""

from __future__ import annotations

from ...kernel import clock
from ..api.objects import (
    Obj,
    annotations_of,
    condition,
    controller_of,
    is_deleting,
    key_of,
    labels_of,
    owner_reference,
    split_key,
)
from ..client import ApiError
from . import common
from . import deployment_rollback as rollback
from . import deployment_status as status
from . import deployment_util as util
from .base import Controller


class DeploymentController(Controller):
    """Reconciles Deployments."""

    name = "deployment-controller"
    source = "deployment-controller"
    resources = ("deployments", "replicasets", "pods")

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A Deployment, one of its ReplicaSets, or (for Recreate, when the last goes) one of its pods changed."""
        if resource == "deployments":
            self.enqueue(key_of(obj))
            return
        if resource == "pods":
            if kind == "DELETED":
                self._pod_gone(obj)
            return
        ref = controller_of(obj)
        namespace = obj["metadata"]["namespace"]
        if ref is not None:
            if ref.get("kind") == "Deployment":
                self.enqueue(f"{namespace}/{ref['name']}")
        elif kind != "DELETED":
            for d in self.informer("deployments").list(namespace):
                if common.selects(d["spec"].get("selector"), labels_of(obj)):
                    self.enqueue(key_of(d))

    def _pod_gone(self, pod: Obj) -> None:
        ref = controller_of(pod)
        if ref is None or ref.get("kind") != "ReplicaSet":
            return
        rs = self.informer("replicasets").get(pod["metadata"]["namespace"], ref["name"])
        owner = controller_of(rs) if rs is not None else None
        if owner is None:
            return
        d = self.informer("deployments").get(pod["metadata"]["namespace"], owner["name"])
        if d is not None and not util.is_rolling(d):
            self.enqueue(key_of(d))

    # -- the loop --------------------------------------------------------------------------------------------------------
    def sync(self, key: str) -> None:
        """Bring one Deployment forward by one step (syncDeployment)."""
        namespace, name = split_key(key)
        found = self.informer("deployments").get(namespace, name)
        if found is None:
            return
        d = {**found, "metadata": dict(found["metadata"]), "status": dict(found.get("status") or {})}
        self.stale = False
        if common.is_empty_selector(d["spec"].get("selector")):
            self.event(d, "Warning", "SelectingAll", "This deployment is selecting all pods. A non-empty selector is required.")
            return
        sets = self._claim(d, namespace)
        if is_deleting(d):
            new, old = self._revisions(d, sets, create=False)
            self._write_status(d, status.calculate(self.world, d, [*old, new], new))
            return
        self._pause_condition(d)
        if d["spec"].get("paused"):
            self._scale_only(d, sets)
        elif util.ROLLBACK_TO in annotations_of(d):
            new, old = self._revisions(d, sets, create=True)
            rollback.roll_back(self, d, [rs for rs in [*old, new] if rs is not None])
        elif self._is_scaling(d, sets):
            self._scale_only(d, sets)
        elif util.is_rolling(d):
            self._rolling(d, sets)
        else:
            self._recreate(d, sets)

    def _claim(self, d: Obj, namespace: str) -> list[Obj]:
        selector = d["spec"].get("selector")
        sets = self.informer("replicasets")
        orphans = [rs for rs in sets.list(namespace) if controller_of(rs) is None]

        def adopt(rs: Obj) -> Obj | None:
            return self.client.patch(
                "replicasets", namespace, rs["metadata"]["name"], common.adoption_patch(d, rs), kind="strategic"
            )

        def release(rs: Obj) -> None:
            self.client.patch("replicasets", namespace, rs["metadata"]["name"], common.release_patch(d, rs), kind="strategic")

        every = [*sets.by_owner(d["metadata"]["uid"]), *orphans]
        return common.claim(d, every, lambda rs: common.selects(selector, labels_of(rs)), adopt, release)

    def _pause_condition(self, d: Obj) -> None:
        """Pausing stops the progress clock, resuming starts it anew (checkPausedConditions)."""
        if not util.has_deadline(d):
            return
        found = condition(d, "Progressing")
        if found is not None and found.get("reason") == "ProgressDeadlineExceeded":
            return
        noted = found is not None and found.get("reason") == "DeploymentPaused"
        paused = bool(d["spec"].get("paused"))
        if paused != noted:
            reason, message = (
                ("DeploymentPaused", "Deployment is paused") if paused else ("DeploymentResumed", "Deployment is resumed")
            )
            status.put_condition(self.world, d["status"], "Progressing", "Unknown", reason, message)
            self._update_status(d)

    def _update_status(self, d: Obj) -> None:
        """Write status and annotations; what follows in this sync no longer writes status, the change wakes us again."""
        self.client.update("deployments", d, subresource="status")
        self.stale = True

    # -- revisions -------------------------------------------------------------------------------------------------------
    def _revisions(self, d: Obj, sets: list[Obj], *, create: bool) -> tuple[Obj | None, list[Obj]]:
        """(new ReplicaSet, old ones), with the revision annotations in order (getAllReplicaSetsAndSyncRevision)."""
        old = util.find_old(d, sets)
        revision = max((util.revision_of(rs) for rs in old), default=0) + 1
        new = util.find_new(d, sets)
        if new is not None:
            return self._existing(d, new, revision), old
        return (self._create(d, old, revision) if create else None), old

    def _existing(self, d: Obj, new: Obj, revision: int) -> Obj:
        annotations, copied = util.inherit_annotations(d, annotations_of(new))
        annotations, stamped = util.stamp_revision(annotations, revision)
        ready_seconds = d["spec"].get("minReadySeconds") or 0
        if copied or stamped or (new["spec"].get("minReadySeconds") or 0) != ready_seconds:
            spec = {k: v for k, v in new["spec"].items() if k != "minReadySeconds"}
            if ready_seconds:
                spec["minReadySeconds"] = ready_seconds
            changed = {**new, "metadata": {**new["metadata"], "annotations": annotations}, "spec": spec}
            return self.client.update("replicasets", changed)
        needs_update = self._set_revision(d, annotations.get(util.REVISION, ""))
        if util.has_deadline(d) and condition(d, "Progressing") is None:
            message = f'Found new replica set "{new["metadata"]["name"]}"'
            status.put_condition(self.world, d["status"], "Progressing", "True", "FoundNewReplicaSet", message)
            needs_update = True
        if needs_update:
            self._update_status(d)
        return new

    def _set_revision(self, d: Obj, revision: str) -> bool:
        if annotations_of(d).get(util.REVISION) == revision:
            return False
        d["metadata"]["annotations"] = {**annotations_of(d), util.REVISION: revision}
        return True

    def _create(self, d: Obj, old: list[Obj], revision: int) -> Obj | None:
        """Make the ReplicaSet of a new template."""
        template = d["spec"]["template"]
        digest = common.compute_hash(template, d["status"].get("collisionCount"))
        labels = {**((template.get("metadata") or {}).get("labels") or {}), util.HASH_LABEL: digest}
        selector = d["spec"]["selector"]
        selector = {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), util.HASH_LABEL: digest}}
        namespace = d["metadata"]["namespace"]
        spec: Obj = {
            "replicas": 0,
            "selector": selector,
            "template": {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}},
        }
        if d["spec"].get("minReadySeconds"):
            spec["minReadySeconds"] = d["spec"]["minReadySeconds"]
        meta: Obj = {
            "name": f"{d['metadata']['name']}-{digest}",
            "namespace": namespace,
            "labels": labels,
            "ownerReferences": [owner_reference(d)],
        }
        new: Obj = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta, "spec": spec}
        count = spec["replicas"] = util.new_replicas(d, [*old, new], new)
        annotations, _ = util.stamp_revision(util.inherit_annotations(d, {})[0], revision)
        meta["annotations"] = {**annotations, **util.size_annotations(d)}
        try:
            made = self.client.create("replicasets", namespace, new)
        except ApiError as error:
            return self._create_failed(d, new, error)
        if count > 0:
            self.event(d, "Normal", "ScalingReplicaSet", f"Scaled up replica set {made['metadata']['name']} from 0 to {count}")
        needs_update = self._set_revision(d, str(revision))
        if util.has_deadline(d):
            message = f'Created new replica set "{made["metadata"]["name"]}"'
            status.put_condition(self.world, d["status"], "Progressing", "True", "NewReplicaSetCreated", message)
            needs_update = True
        if needs_update:
            self._update_status(d)
        return made

    def _create_failed(self, d: Obj, new: Obj, error: ApiError) -> Obj | None:
        if error.reason == "AlreadyExists":
            there = self.client.get("replicasets", new["metadata"]["namespace"], new["metadata"]["name"])
            if common.owned_by(there, d["metadata"]["uid"]) and util.same_template(
                there["spec"]["template"], d["spec"]["template"]
            ):
                return there
            d["status"]["collisionCount"] = (d["status"].get("collisionCount") or 0) + 1
            self._update_status(d)
            raise error
        if "being terminated" not in error.message:
            message = f'Failed to create new replica set "{new["metadata"]["name"]}": {error}'
            if util.has_deadline(d):
                status.put_condition(self.world, d["status"], "Progressing", "False", "ReplicaSetCreateError", message)
                self._update_status(d)
            self.event(d, "Warning", "ReplicaSetCreateError", message)
        raise error

    # -- scaling ---------------------------------------------------------------------------------------------------------
    def _is_scaling(self, d: Obj, sets: list[Obj]) -> bool:
        """Whether the Deployment's size differs from what its running ReplicaSets noted."""
        new, old = self._revisions(d, sets, create=False)
        noted = (annotations_of(rs).get(util.DESIRED_REPLICAS, "") for rs in util.active([*old, new]))
        return any(text.isdigit() and int(text) != util.replicas(d) for text in noted)

    def _scale_only(self, d: Obj, sets: list[Obj]) -> None:
        """Resize without rolling (sync): a paused Deployment, or one whose size has changed."""
        new, old = self._revisions(d, sets, create=False)
        self._scale(d, new, old)
        if d["spec"].get("paused"):
            self._clean_up(d, old)
        self._write_status(d, status.calculate(self.world, d, [*old, new], new))

    def _scale(self, d: Obj, new: Obj | None, old: list[Obj]) -> None:
        only = util.active_or_latest(new, old)
        if only is not None:
            if util.replicas(only) != util.replicas(d):
                self._resize(d, only, util.replicas(d))
            return
        if util.is_saturated(d, new):
            for rs in util.active(old):
                self._resize(d, rs, 0)
            return
        if not util.is_rolling(d):
            return
        every = util.active([*old, new])
        allowed = util.replicas(d) + util.max_surge(d) if util.replicas(d) > 0 else 0
        to_add = allowed - util.total(every)
        newer = util.by_creation(every)[::-1] if to_add > 0 else util.by_creation(every)
        ordered = sorted(newer, key=lambda rs: -util.replicas(rs))
        sizes, added = [], 0
        for rs in ordered:
            share = util.proportion(d, rs, to_add, added) if to_add else 0
            sizes.append(util.replicas(rs) + share)
            added += share
        if ordered and to_add:
            sizes[0] = max(0, sizes[0] + to_add - added)
        for rs, size in zip(ordered, sizes, strict=True):
            self._resize(d, rs, size, force=True)

    def _resize(self, d: Obj, rs: Obj, size: int, *, force: bool = False) -> Obj | None:
        """Set a ReplicaSet's replicas and size notes; returns it when it was scaled (scaleReplicaSet)."""
        before = util.replicas(rs)
        if before == size and not force:
            return None
        notes = util.size_annotations(d)
        if before == size and all(annotations_of(rs).get(k) == v for k, v in notes.items()):
            return None
        meta = {**rs["metadata"], "annotations": {**annotations_of(rs), **notes}}
        changed = self.client.update("replicasets", {**rs, "metadata": meta, "spec": {**rs["spec"], "replicas": size}})
        if before == size:
            return None
        way = "up" if before < size else "down"
        self.event(d, "Normal", "ScalingReplicaSet", f"Scaled {way} replica set {rs['metadata']['name']} from {before} to {size}")
        return changed

    def _clean_up(self, d: Obj, old: list[Obj]) -> None:
        limit = d["spec"].get("revisionHistoryLimit", 10)
        if limit is None or limit == util.NEVER:
            return
        for rs in util.cleanable(old, limit):
            self.client.delete("replicasets", rs["metadata"]["namespace"], rs["metadata"]["name"], propagation="Background")

    # -- strategies ------------------------------------------------------------------------------------------------------
    def _rolling(self, d: Obj, sets: list[Obj]) -> None:
        """One step of a rolling update: grow the new, else shrink the old."""
        new, old = self._revisions(d, sets, create=True)
        if new is None:
            return
        every = [*old, new]
        if self._grow_new(d, every, new) or self._shrink_old(d, every, util.active(old), new):
            self._rollout_status(d, every, new)
            return
        if util.is_complete(d, d["status"]):
            self._clean_up(d, old)
        self._rollout_status(d, every, new)

    def _grow_new(self, d: Obj, every: list[Obj], new: Obj) -> bool:
        if util.replicas(new) == util.replicas(d):
            return False
        size = util.replicas(d) if util.replicas(new) > util.replicas(d) else util.new_replicas(d, every, new)
        return self._resize(d, new, size) is not None

    def _shrink_old(self, d: Obj, every: list[Obj], old: list[Obj], new: Obj) -> bool:
        """Take old pods away as far as availability allows, unhealthy ones first (reconcileOldReplicaSets)."""
        if not util.total(old):
            return False
        least = util.replicas(d) - util.max_unavailable(d)
        budget = util.total(every) - least - (util.replicas(new) - util.stat(new, "availableReplicas"))
        if budget <= 0:
            return False
        sizes = {rs["metadata"]["name"]: rs for rs in util.by_creation(old)}
        gone = 0
        for name, rs in list(sizes.items()):
            sick = util.replicas(rs) - util.stat(rs, "availableReplicas")
            if gone < budget and sick > 0:
                count = min(budget - gone, sick)
                sizes[name] = self._resize(d, rs, util.replicas(rs) - count) or rs
                gone += count
        spare = sum(util.stat(rs, "availableReplicas") for rs in [*sizes.values(), new]) - least
        for rs in sizes.values():
            if spare <= 0:
                break
            count = min(util.replicas(rs), spare)
            if count > 0:
                self._resize(d, rs, util.replicas(rs) - count)
                spare -= count
                gone += count
        return gone > 0

    def _recreate(self, d: Obj, sets: list[Obj]) -> None:
        """Stop everything old, then start the new."""
        new, old = self._revisions(d, sets, create=False)
        scaled = [self._resize(d, rs, 0) for rs in util.active(old)]
        if any(rs is not None for rs in scaled) or self._old_pods(d, new, old, sets):
            self._rollout_status(d, [*old, *([new] if new else [])], new)
            return
        if new is None:
            new, old = self._revisions(d, sets, create=True)
        if new is None:
            return
        new = self._resize(d, new, util.replicas(d)) or new
        if util.is_complete(d, d["status"]):
            self._clean_up(d, old)
        self._rollout_status(d, [*old, new], new)

    def _old_pods(self, d: Obj, new: Obj | None, old: list[Obj], sets: list[Obj]) -> bool:
        if sum(util.stat(rs, "replicas") for rs in old) > 0:
            return True
        for rs in sets:
            if new is not None and rs["metadata"]["uid"] == new["metadata"]["uid"]:
                continue
            if any(not common.is_terminal(pod) for pod in self.informer("pods").by_owner(rs["metadata"]["uid"])):
                return True
        return False

    # -- status ----------------------------------------------------------------------------------------------------------
    def _rollout_status(self, d: Obj, every: list[Obj], new: Obj | None) -> None:
        wanted, wait = status.rollout(self.world, d, every, new)
        self._write_status(d, wanted)
        if wait is not None:
            self.enqueue(key_of(d), max(wait, 0) + clock.SECOND)

    def _write_status(self, d: Obj, wanted: Obj) -> None:
        if not self.stale and wanted != d["status"]:
            self.client.update("deployments", {**d, "status": wanted}, subresource="status")

    def setup(self) -> None:
        """Whether this sync has written status already."""
        self.stale = False

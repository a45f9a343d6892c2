"""The ReplicaSet controller: as many pods as asked for, no more, no fewer (pkg/controller/replicaset/replica_set.go).

Creation starts slowly (1, 2, 4, … pods a batch) so that a refusal that will meet every pod is met once; deletion takes the
pods of least worth first (`common.deletion_rank`).  Orphans that match the selector are adopted, pods that match no longer
are released.
"""

from __future__ import annotations

from typing import ClassVar

from ...kernel import clock
from ..api.objects import Obj, controller_of, is_deleting, key_of, labels_of, split_key
from ..client import ApiError
from . import common
from .base import Controller
from .podgroups import Group, Groups

BURST_REPLICAS = 500


class ReplicaSetController(Controller):
    """Reconciles ReplicaSets."""

    name = "replicaset-controller"
    source = "replicaset-controller"
    resources = ("replicasets", "pods")
    #: What it reconciles, by plural and kind.
    plural: ClassVar[str] = "replicasets"
    kind: ClassVar[str] = "ReplicaSet"

    def setup(self) -> None:
        """The pods of each owner, counted as they change."""
        self.groups = Groups()

    @staticmethod
    def selects(owner: Obj, labels: dict[str, str]) -> bool:
        """Whether the owner's selector matches."""
        return common.selects(owner["spec"].get("selector"), labels)

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A ReplicaSet, or a pod of one (or an orphan that one may want), changed."""
        if resource == self.plural:
            if kind == "DELETED":
                self.groups.forget(obj["metadata"]["uid"])
            self.enqueue(key_of(obj))
            return
        self.groups.changed(kind, obj)
        ref = controller_of(obj)
        namespace = obj["metadata"]["namespace"]
        if ref is not None:
            if ref.get("kind") == self.kind:
                self.enqueue(f"{namespace}/{ref['name']}")
        elif kind != "DELETED":
            for owner in self.informer(self.plural).list(namespace):
                if self.selects(owner, labels_of(obj)):
                    self.enqueue(key_of(owner))

    def sync(self, key: str) -> None:
        """Bring one ReplicaSet's pods and status in line."""
        namespace, name = split_key(key)
        owner = self.informer(self.plural).get(namespace, name)
        if owner is None:
            return
        group = self._pods_of(owner, namespace)
        failure: ApiError | None = None
        if not is_deleting(owner):
            try:
                self._manage(owner, group)
            except ApiError as error:
                failure = error
        self._write_status(owner, group, failure)
        if failure is not None:
            raise failure

    def _pods_of(self, owner: Obj, namespace: str) -> Group:
        """The pods that the owner controls, after adopting and releasing."""
        uid, pods = owner["metadata"]["uid"], self.informer("pods")
        group = self.groups.of(uid, pods)
        orphans = [] if is_deleting(owner) else self._orphans(namespace, owner)
        if not orphans and all(self.selects(owner, dict(labels)) for labels in group.labels):
            return group  # the usual case: nothing to adopt, nothing to release

        def adopt(pod: Obj) -> Obj | None:
            patch = common.adoption_patch(owner, pod)
            return self.client.patch("pods", namespace, pod["metadata"]["name"], patch, kind="strategic")

        def release(pod: Obj) -> None:
            self.client.patch("pods", namespace, pod["metadata"]["name"], common.release_patch(owner, pod), kind="strategic")

        found = [*pods.by_owner(uid), *orphans]
        return Group(common.claim(owner, found, lambda pod: self.selects(owner, labels_of(pod)), adopt, release))

    def _orphans(self, namespace: str, owner: Obj) -> list[Obj]:
        mine = (p for p in self.runtime.orphans(namespace) if common.is_active(p))
        return [p for p in mine if self.selects(owner, labels_of(p))]

    # -- pods ------------------------------------------------------------------------------------------------------------
    def _manage(self, owner: Obj, group: Group) -> None:
        wanted = owner["spec"].get("replicas", 1)
        diff = group.active - wanted
        if diff < 0:
            self._create(owner, min(-diff, BURST_REPLICAS))
            if -diff > BURST_REPLICAS:
                self.enqueue(key_of(owner), 10 * clock.MS)
        elif diff > 0:
            for pod in self._victims(owner, group.listed(active=True), min(diff, BURST_REPLICAS)):
                self._delete(owner, pod)

    def _create(self, owner: Obj, count: int) -> None:
        batch, made = 1, 0
        while made < count:
            errors: list[ApiError] = []
            for _ in range(min(batch, count - made)):
                try:
                    pod = self.client.create(
                        "pods", owner["metadata"]["namespace"], common.pod_from_template(owner["spec"]["template"], owner)
                    )
                except ApiError as error:
                    if "being terminated" in error.message:
                        return
                    errors.append(error)
                    self.event(owner, "Warning", "FailedCreate", f"Error creating: {error}")
                else:
                    made += 1
                    self.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
            if errors:
                raise errors[0]
            batch *= 2

    def _victims(self, owner: Obj, active: list[Obj], count: int) -> list[Obj]:
        """The pods to delete: least worth first; pods that share a node with many ready siblings before others."""
        if count >= len(active):
            return active
        crowd: dict[str, int] = {}
        for pod in self._related(owner):
            node = pod["spec"].get("nodeName")
            if node and common.is_ready(pod) and common.is_active(pod):
                crowd[node] = crowd.get(node, 0) + 1
        ranked = sorted(active, key=lambda p: common.deletion_rank(p, crowd.get(p["spec"].get("nodeName") or "", 0), self.world))
        return ranked[:count]

    def _related(self, owner: Obj) -> list[Obj]:
        """The pods of all ReplicaSets of the same owner, so that an old set gives way where the new one stands already."""
        ref = controller_of(owner)
        sets = [owner] if ref is None else list(self.informer(self.plural).by_owner(ref["uid"])) or [owner]
        return [pod for item in sets for pod in self.informer("pods").by_owner(item["metadata"]["uid"])]

    def _delete(self, owner: Obj, pod: Obj) -> None:
        name = pod["metadata"]["name"]
        try:
            self.client.delete("pods", pod["metadata"]["namespace"], name, uid=pod["metadata"]["uid"])
        except ApiError as error:
            if error.code == 404:
                return
            self.event(owner, "Warning", "FailedDelete", f"Error deleting: {error}")
            raise
        self.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")

    # -- status ----------------------------------------------------------------------------------------------------------
    def _write_status(self, owner: Obj, group: Group, failure: ApiError | None) -> None:
        spec, old = owner["spec"], owner.get("status") or {}
        template_labels = (spec["template"].get("metadata") or {}).get("labels") or {}
        wanted = template_labels.items()
        pending: list[int] = []
        ready = available = group.ready
        if spec.get("minReadySeconds"):
            waits = [common.available_in(pod, spec["minReadySeconds"], self.world) for pod in group.listed(active=True)]
            available, pending = waits.count(0), [wait for wait in waits if wait]
        counts = {
            "availableReplicas": available,
            "fullyLabeledReplicas": sum(n for labels, n in group.active_labels.items() if wanted <= dict(labels).items()),
            "readyReplicas": ready,
        }
        new: Obj = {key: value for key, value in counts.items() if value}
        new["replicas"] = group.active
        if self.kind == "ReplicaSet":
            new["terminatingReplicas"] = group.terminating
        conditions = self._conditions(owner, old.get("conditions") or [], group.active, failure)
        if conditions:
            new["conditions"] = conditions
        generation = owner["metadata"].get("generation") or 0
        new["observedGeneration"] = generation
        if new != {"replicas": 0, **old}:
            self.client.update(self.plural, {**owner, "status": new}, subresource="status")
        if pending:
            self.enqueue(key_of(owner), min(pending) + clock.MS)

    def _conditions(self, owner: Obj, old: list[Obj], count: int, failure: ApiError | None) -> list[Obj]:
        had = any(c["type"] == "ReplicaFailure" for c in old)
        if failure is not None and not had:
            reason = "FailedCreate" if count < owner["spec"].get("replicas", 1) else "FailedDelete"
            now = self.world.timestamp()
            return [
                *old,
                {
                    "lastTransitionTime": now,
                    "message": str(failure),
                    "reason": reason,
                    "status": "True",
                    "type": "ReplicaFailure",
                },
            ]
        if failure is None and had:
            return common.remove_condition(old, "ReplicaFailure")
        return old


class ReplicationControllerController(ReplicaSetController):
    """Reconciles ReplicationControllers, the oldest kind: the same loop with a plain map as selector
    (pkg/controller/replication)."""

    name = "replicationcontroller-controller"
    source = "replication-controller"
    resources = ("replicationcontrollers", "pods")
    plural = "replicationcontrollers"
    kind = "ReplicationController"

    @staticmethod
    def selects(owner: Obj, labels: dict[str, str]) -> bool:
        """Whether the owner's selector, a plain map, matches."""
        return common.selects_map(owner["spec"].get("selector"), labels)

"""The StatefulSet controller: pods with names, an order and their own claims (statefulset/stateful_set_control.go).

Pods are made from ordinal 0 up, each after the one before is available (unless `podManagementPolicy: Parallel`), and taken away
from the top down; an update replaces them from the top down to the partition.  Whose their claims are is in `statefulset_claims`.
"""

from __future__ import annotations

from ...kernel import clock
from ..api.objects import Obj, controller_of, key_of, labels_of, split_key
from ..client import ApiError
from . import claiming, common, history
from . import statefulset_claims as claims
from .base import Controller
from .statefulset_claims import ordinal_of

HASH = "controller.kubernetes.io/hash"
REVISION = "controller-revision-hash"
POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"


def strategy_of(owner: Obj) -> tuple[str, int]:
    """(type of the update strategy, partition)."""
    strategy = owner["spec"].get("updateStrategy") or {}
    partition = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
    return strategy.get("type", "RollingUpdate"), partition


class StatefulSetController(Controller):
    """Reconciles StatefulSets."""

    name = "statefulset-controller"
    source = "statefulset-controller"
    resources = ("statefulsets", "pods", "controllerrevisions", "persistentvolumeclaims")

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A StatefulSet, one of its pods, or a pod without controller that one may want, changed."""
        if resource == "statefulsets":
            self.enqueue(key_of(obj))
        elif resource == "pods":
            ref = controller_of(obj)
            if ref is not None and ref.get("kind") == "StatefulSet":
                self.enqueue(f"{obj['metadata']['namespace']}/{ref['name']}")
            elif ref is None and kind != "DELETED":
                for owner in claiming.interested(self, "statefulsets", obj):
                    self.enqueue(key_of(owner))

    def sync(self, key: str) -> None:
        """Take the next step of one StatefulSet and write its status."""
        namespace, name = split_key(key)
        owner = self.informer("statefulsets").get(namespace, name)
        if owner is None:
            return
        mine = claiming.pods(self, owner, lambda pod: ordinal_of(owner, pod) >= 0)
        update, old = history.current(self, owner, HASH)
        wanted = (owner.get("status") or {}).get("currentRevision") or update["metadata"]["name"]
        current = next((r for r in [update, *old] if r["metadata"]["name"] == wanted), update)
        pods = {ordinal_of(owner, p): p for p in mine}
        failure: ApiError | None = None
        replaced = 0
        if not owner["metadata"].get("deletionTimestamp"):
            try:
                replaced = self._step(owner, pods, current, update)
            except ApiError as error:
                failure = error
        self._write_status(owner, pods, current, update, replaced)
        live = {labels_of(p).get(REVISION, "") for p in pods.values()} | {current["metadata"]["name"], update["metadata"]["name"]}
        history.clean_up(self, owner, [r for r in old if r is not current], live, HASH)
        if failure is not None:
            raise failure

    def _available(self, owner: Obj, pod: Obj) -> bool:
        return common.available_in(pod, owner["spec"].get("minReadySeconds") or 0, self.world) == 0

    # -- steps -----------------------------------------------------------------------------------------------------------
    def _step(self, owner: Obj, pods: dict[int, Obj], current: Obj, update: Obj) -> int:
        """Do what is next; returns how many pods of the current revision it has just told to go for an update."""
        parallel = owner["spec"].get("podManagementPolicy") == "Parallel"
        wanted = claims.ordinals(owner)
        for ordinal in wanted:
            if self._ensure(owner, ordinal, pods, current, update, parallel) and not parallel:
                return 0
        condemned = sorted((o for o in pods if o not in wanted), reverse=True)
        for ordinal in condemned:
            self._own_claims(owner, pods[ordinal])
        for ordinal in condemned:
            pod = pods[ordinal]
            if not pod["metadata"].get("deletionTimestamp"):
                if not parallel and self._waits_for_another(owner, pods, ordinal):
                    return 0
                self._delete(owner, pod)
            if not parallel:
                return 0
        return self._roll(owner, pods, wanted, update)

    def _ensure(self, owner: Obj, ordinal: int, pods: dict[int, Obj], current: Obj, update: Obj, parallel: bool) -> bool:
        """Have a pod with that ordinal; True while it is not there, not available, or on its way out (`processReplica`)."""
        pod = pods.get(ordinal)
        if pod is None:
            _, partition = strategy_of(owner)
            old = ordinal < claims.ordinals(owner).start + partition and strategy_of(owner)[0] == "RollingUpdate"
            self._create(owner, ordinal, current if old else update)
            return True
        going = bool(pod["metadata"].get("deletionTimestamp"))
        if common.is_terminal(pod):
            if not going:
                self._delete(owner, pod)
            return True
        if (pod.get("status") or {}).get("phase") == "Pending":
            self._claims(owner, pod)
            self._own_claims(owner, pod)
        if going and not parallel:
            return True
        wait = common.available_in(pod, owner["spec"].get("minReadySeconds") or 0, self.world)
        if wait:
            self.enqueue(key_of(owner), wait + clock.MS)
        if wait != 0 and not parallel:
            return True
        self._repair(owner, pod)
        return wait != 0

    def _waits_for_another(self, owner: Obj, pods: dict[int, Obj], ordinal: int) -> bool:
        """Whether a condemned pod is not available and not the first that is not (`processCondemned`: one trouble at a time)."""
        if self._available(owner, pods[ordinal]):
            return False
        in_order = [o for o in claims.ordinals(owner) if o in pods] + sorted(o for o in pods if o not in claims.ordinals(owner))
        first = next(o for o in in_order if pods[o]["metadata"].get("deletionTimestamp") or not self._available(owner, pods[o]))
        return first != ordinal

    def _roll(self, owner: Obj, pods: dict[int, Obj], wanted: range, update: Obj) -> int:
        """Replace the uppermost pod of another revision, unless one above it is not back yet."""
        kind, partition = strategy_of(owner)
        if kind != "RollingUpdate":
            return 0
        for ordinal in reversed(wanted[partition:]):
            pod = pods.get(ordinal)
            if pod is None or pod["metadata"].get("deletionTimestamp"):
                return 0
            if labels_of(pod).get(REVISION) != update["metadata"]["name"]:
                self._delete(owner, pod)
                return 1
            if not self._available(owner, pod):
                return 0
        return 0

    # -- pods ------------------------------------------------------------------------------------------------------------
    def _create(self, owner: Obj, ordinal: int, revision: Obj) -> None:
        meta = owner["metadata"]
        name = f"{meta['name']}-{ordinal}"
        template = {k: v for k, v in revision["data"]["spec"]["template"].items() if k != "$patch"}
        pod = common.pod_from_template(template, owner, name=name)
        labels = {**(pod["metadata"].get("labels") or {}), POD_INDEX: str(ordinal), POD_NAME: name}
        pod["metadata"]["labels"] = {**labels, REVISION: revision["metadata"]["name"]}
        spec = {**pod["spec"], "hostname": name}
        if owner["spec"].get("serviceName"):
            spec["subdomain"] = owner["spec"]["serviceName"]
        pod["spec"] = spec
        if owner["spec"].get("volumeClaimTemplates"):
            spec["volumes"] = claims.volumes(owner, pod)
            if claims.policy_of(owner)[1] == claims.DELETE and any(claims.stale(c, pod) for c in self._held(owner, pod)):
                return  # the claims of the pod that was there before are still to go
            try:
                self._claims(owner, pod)
            except ApiError as error:
                self._tell(owner, pod, "create", error)
                raise
        try:
            self.client.create("pods", meta["namespace"], pod)
        except ApiError as error:
            if "being terminated" in error.message:
                return
            if error.reason != "AlreadyExists":
                self._tell(owner, pod, "create", error)
            raise
        self._own_claims(owner, pod)
        self._tell(owner, pod, "create")

    def _repair(self, owner: Obj, pod: Obj) -> None:
        """Put back the labels and volumes that make the pod the set's, and its claims' owners (`UpdateStatefulPod`)."""
        name, labels = pod["metadata"]["name"], labels_of(pod)
        known, stored = labels.get(POD_NAME) == name, claims.storage_matches(owner, pod)
        owned = all(claims.up_to_date(c, owner, pod) for c in self._held(owner, pod))
        if known and stored and owned:
            return
        made = pod
        if not known:
            identity = {POD_NAME: name, POD_INDEX: str(ordinal_of(owner, pod))}
            made = {**made, "metadata": {**made["metadata"], "labels": {**labels, **identity}}}
        if not stored:
            made = {**made, "spec": {**made["spec"], "volumes": claims.volumes(owner, made)}}
            self._claims(owner, pod)
        self._own_claims(owner, pod)
        try:
            self.client.update("pods", made)
        except ApiError as error:
            self._tell(owner, pod, "update", error)
            raise
        self._tell(owner, pod, "update")

    def _tell(self, owner: Obj, pod: Obj, verb: str, error: ApiError | None = None) -> None:
        """The event of something done to a pod, or not done (`recordPodEvent`)."""
        text = f"{verb.title()} Pod {pod['metadata']['name']} in StatefulSet {owner['metadata']['name']}"
        if error is None:
            self.event(owner, "Normal", f"Successful{verb.title()}", f"{text} successful")
        else:
            self.event(owner, "Warning", f"Failed{verb.title()}", f"{text} failed error: {error}")

    # -- claims ----------------------------------------------------------------------------------------------------------
    def _held(self, owner: Obj, pod: Obj) -> list[Obj]:
        """The pod's claims that are there."""
        known = self.informer("persistentvolumeclaims")
        found = (known.get(c["metadata"]["namespace"], c["metadata"]["name"]) for c in claims.wanted(owner, pod))
        return [c for c in found if c is not None]

    def _claims(self, owner: Obj, pod: Obj) -> None:
        """Make the claims that are missing; one that is on its way out is waited for."""
        known = {c["metadata"]["name"]: c for c in self._held(owner, pod)}
        for body in claims.wanted(owner, pod):
            name, namespace = body["metadata"]["name"], body["metadata"]["namespace"]
            if name in known:
                if known[name]["metadata"].get("deletionTimestamp"):
                    raise ApiError({"kind": "Status", "code": 500, "reason": "", "message": f"pvc {name} is being deleted"})
                continue
            text = f"Create Claim {name}"
            of_set = f"Pod {pod['metadata']['name']} in StatefulSet {owner['metadata']['name']}"
            try:
                self.client.create("persistentvolumeclaims", namespace, body)
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    self.event(owner, "Warning", "FailedCreate", f"{text} for {of_set} failed error: {error}")
                said = f"failed to create PVC {name}: {error}"
                raise ApiError({**error.status, "message": said}) from None
            self.event(owner, "Normal", "SuccessfulCreate", f"{text} {of_set} success")

    def _own_claims(self, owner: Obj, pod: Obj) -> None:
        """Bring the owners of the pod's claims in line with the retention policy (`UpdatePodClaimForRetentionPolicy`)."""
        for held in self._held(owner, pod):
            if claims.conflicting(held, owner, pod):
                text = (
                    f"PersistentVolumeClaim {held['metadata']['name']} has a conflicting OwnerReference that acts as a "
                    "manging controller, the retention policy is ignored for this claim"
                )
                self.event(owner, "Warning", "ConflictingController", text)
            if not claims.up_to_date(held, owner, pod):
                self.client.update("persistentvolumeclaims", claims.with_owners(held, owner, pod))

    def _delete(self, owner: Obj, pod: Obj) -> None:
        try:
            self.client.delete("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
        except ApiError as error:
            if error.code != 404:
                self._tell(owner, pod, "delete", error)
                raise
        self._tell(owner, pod, "delete")

    # -- status ----------------------------------------------------------------------------------------------------------
    def _write_status(self, owner: Obj, pods: dict[int, Obj], current: Obj, update: Obj, replaced: int) -> None:
        staying = [p for p in pods.values() if not p["metadata"].get("deletionTimestamp")]
        names = current["metadata"]["name"], update["metadata"]["name"]
        on_current, on_update = (sum(labels_of(p).get(REVISION) == name for p in staying) for name in names)
        running = [p for p in pods.values() if (p.get("status") or {}).get("phase") == "Running" and common.is_ready(p)]
        ready, available = len(running), sum(self._available(owner, p) for p in running)
        on_current -= replaced
        wanted = int(owner["spec"].get("replicas", 1))
        if strategy_of(owner)[0] == "RollingUpdate" and on_update == len(pods) == wanted == ready:
            names, on_current = (names[1], names[1]), on_update
        old = owner.get("status") or {}
        status: Obj = {"availableReplicas": available, "replicas": len(pods)}
        status |= {"observedGeneration": owner["metadata"].get("generation") or 0}
        status |= {"collisionCount": old.get("collisionCount") or 0, "currentRevision": names[0], "updateRevision": names[1]}
        counts = {"readyReplicas": ready, "currentReplicas": on_current, "updatedReplicas": on_update}
        status |= {key: value for key, value in counts.items() if value}
        if status != {key: value for key, value in old.items() if key in status or key in counts}:
            kept = {key: value for key, value in old.items() if key not in status and key not in counts}
            self.client.update("statefulsets", {**owner, "status": {**kept, **status}}, subresource="status")

"""The StatefulSet controller: pods with names, an order and their own claims (statefulset/stateful_set_control.go).

Pods are made from ordinal 0 up, each after the one before is ready (unless `podManagementPolicy: Parallel`), and taken away
from the top down; an update replaces them from the top down to the partition.
"""

from __future__ import annotations

from ...kernel import clock
from ..api.objects import Obj, controller_of, key_of, labels_of, owner_reference, split_key
from ..client import ApiError
from . import common, history
from .base import Controller

HASH = "controller.kubernetes.io/hash"
REVISION = "controller-revision-hash"
POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"


def ordinal_of(owner: Obj, pod: Obj) -> int:
    """The number at the end of the pod's name, or -1 for a name that is not the set's."""
    stem, _, number = pod["metadata"]["name"].rpartition("-")
    return int(number) if stem == owner["metadata"]["name"] and number.isdigit() else -1


class StatefulSetController(Controller):
    """Reconciles StatefulSets."""

    name = "statefulset-controller"
    source = "statefulset-controller"
    resources = ("statefulsets", "pods", "controllerrevisions", "persistentvolumeclaims")

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A StatefulSet or one of its pods changed."""
        if resource == "statefulsets":
            self.enqueue(key_of(obj))
        elif resource == "pods":
            ref = controller_of(obj)
            if ref is not None and ref.get("kind") == "StatefulSet":
                self.enqueue(f"{obj['metadata']['namespace']}/{ref['name']}")

    def sync(self, key: str) -> None:
        """Take the next step of one StatefulSet and write its status."""
        namespace, name = split_key(key)
        owner = self.informer("statefulsets").get(namespace, name)
        if owner is None:
            return
        update, old = history.current(self, owner, HASH)
        wanted = (owner.get("status") or {}).get("currentRevision") or update["metadata"]["name"]
        current = next((r for r in [update, *old] if r["metadata"]["name"] == wanted), update)
        pods = {ordinal_of(owner, p): p for p in self.informer("pods").by_owner(owner["metadata"]["uid"])}
        pods.pop(-1, None)
        failure: ApiError | None = None
        if not owner["metadata"].get("deletionTimestamp"):
            try:
                self._step(owner, pods, current, update)
            except ApiError as error:
                failure = error
        self._write_status(owner, pods, current, update)
        live = {labels_of(p).get(REVISION, "") for p in pods.values()} | {current["metadata"]["name"], update["metadata"]["name"]}
        history.clean_up(self, owner, [r for r in old if r is not current], live, HASH)
        if failure is not None:
            raise failure

    # -- steps -----------------------------------------------------------------------------------------------------------
    def _step(self, owner: Obj, pods: dict[int, Obj], current: Obj, update: Obj) -> None:
        spec = owner["spec"]
        parallel = spec.get("podManagementPolicy") == "Parallel"
        start = int((spec.get("ordinals") or {}).get("start") or 0)
        wanted = range(start, start + int(spec.get("replicas", 1)))
        for ordinal in wanted:
            if self._ensure(owner, ordinal, pods, current, update) and not parallel:
                return
        condemned = sorted((o for o in pods if o not in wanted), reverse=True)
        for ordinal in condemned:
            pod = pods[ordinal]
            if not pod["metadata"].get("deletionTimestamp"):
                if not parallel and self._waits_for_another(owner, pods, ordinal):
                    return
                self._release_claims(owner, pod)
                self._delete(owner, pod)
            if not parallel:
                return
        self._roll(owner, pods, wanted, update)

    def _ensure(self, owner: Obj, ordinal: int, pods: dict[int, Obj], current: Obj, update: Obj) -> bool:
        """Have a pod with that ordinal; True while it is not there, not ready, or on its way out."""
        pod = pods.get(ordinal)
        if pod is None:
            self._create(owner, ordinal, current if self._old_revision(owner, ordinal) else update)
            return True
        if pod["metadata"].get("deletionTimestamp"):
            return True
        if common.is_terminal(pod):
            meta = owner["metadata"]
            text = f"StatefulSet {meta['namespace']}/{meta['name']} is recreating failed Pod {pod['metadata']['name']}"
            self.event(owner, "Warning", "RecreatingFailedPod", text)
            self._delete(owner, pod)
            return True
        wait = common.available_in(pod, owner["spec"].get("minReadySeconds") or 0, self.world)
        if wait:
            self.enqueue(key_of(owner), wait + clock.MS)
        return wait != 0

    def _waits_for_another(self, owner: Obj, pods: dict[int, Obj], ordinal: int) -> bool:
        """Whether a condemned pod is unready and not the first that is (`processCondemned`: one trouble at a time)."""
        seconds = owner["spec"].get("minReadySeconds") or 0
        bad = [o for o in sorted(pods) if common.available_in(pods[o], seconds, self.world) != 0]
        return ordinal in bad and bad[0] != ordinal

    def _release_claims(self, owner: Obj, pod: Obj) -> None:
        """With `whenScaled: Delete` a condemned pod owns its claims, and takes them with it (`UpdatePodClaimForRetentionPolicy`)."""
        policy = owner["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
        if policy.get("whenScaled") != "Delete":
            return
        namespace = owner["metadata"]["namespace"]
        for claim in owner["spec"].get("volumeClaimTemplates") or ():
            held = self.informer("persistentvolumeclaims").get(
                namespace, f"{claim['metadata']['name']}-{pod['metadata']['name']}"
            )
            if held is None:
                continue
            mine = {"apiVersion": "v1", "kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
            if held["metadata"].get("ownerReferences") != [mine]:
                meta = {**held["metadata"], "ownerReferences": [mine]}
                self.client.update("persistentvolumeclaims", {**held, "metadata": meta})

    @staticmethod
    def _old_revision(owner: Obj, ordinal: int) -> bool:
        strategy = owner["spec"].get("updateStrategy") or {}
        partition = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
        return strategy.get("type", "RollingUpdate") == "RollingUpdate" and ordinal < partition

    def _roll(self, owner: Obj, pods: dict[int, Obj], wanted: range, update: Obj) -> None:
        strategy = owner["spec"].get("updateStrategy") or {}
        if strategy.get("type", "RollingUpdate") != "RollingUpdate":
            return
        partition = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
        for ordinal in reversed([o for o in wanted if o >= partition]):
            pod = pods.get(ordinal)
            if pod is None or pod["metadata"].get("deletionTimestamp"):
                return
            if labels_of(pod).get(REVISION) != update["metadata"]["name"]:
                self._delete(owner, pod)
                return
            if common.available_in(pod, owner["spec"].get("minReadySeconds") or 0, self.world) != 0:
                return

    # -- pods ------------------------------------------------------------------------------------------------------------
    def _create(self, owner: Obj, ordinal: int, revision: Obj) -> None:
        name = f"{owner['metadata']['name']}-{ordinal}"
        template = {k: v for k, v in revision["data"]["spec"]["template"].items() if k != "$patch"}
        pod = common.pod_from_template(template, owner, name=name)
        labels = {**(pod["metadata"].get("labels") or {}), POD_INDEX: str(ordinal), POD_NAME: name}
        pod["metadata"]["labels"] = {**labels, REVISION: revision["metadata"]["name"]}
        spec = {**pod["spec"], "hostname": name}
        if owner["spec"].get("serviceName"):
            spec["subdomain"] = owner["spec"]["serviceName"]
        claims = owner["spec"].get("volumeClaimTemplates") or []
        if claims:
            made = {c["metadata"]["name"]: f"{c['metadata']['name']}-{name}" for c in claims}
            volumes = [v for v in spec.get("volumes") or () if v["name"] not in made]
            spec["volumes"] = volumes + [{"name": n, "persistentVolumeClaim": {"claimName": c}} for n, c in made.items()]
            self._claims(owner, name, claims)
        pod["spec"] = spec
        set_name = owner["metadata"]["name"]
        try:
            self.client.create("pods", owner["metadata"]["namespace"], pod)
        except ApiError as error:
            if error.reason == "AlreadyExists" or "being terminated" in error.message:
                return
            text = f"Create Pod {name} in StatefulSet {set_name} failed error: {error}"
            self.event(owner, "Warning", "FailedCreate", text)
            raise
        self.event(owner, "Normal", "SuccessfulCreate", f"Create Pod {name} in StatefulSet {set_name} successful")

    def _claims(self, owner: Obj, pod: str, claims: list[Obj]) -> None:
        namespace = owner["metadata"]["namespace"]
        selected = (owner["spec"].get("selector") or {}).get("matchLabels") or {}
        for claim in claims:
            name = f"{claim['metadata']['name']}-{pod}"
            if self.informer("persistentvolumeclaims").get(namespace, name) is not None:
                continue
            meta = {**claim["metadata"], "name": name, "namespace": namespace, "labels": {**labels_of(claim), **selected}}
            policy = owner["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
            if policy.get("whenDeleted") == "Delete":
                meta["ownerReferences"] = [owner_reference(owner)]
            body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": claim["spec"]}
            self.client.create("persistentvolumeclaims", namespace, body)
            text = f"Create Claim {name} Pod {pod} in StatefulSet {owner['metadata']['name']} success"
            self.event(owner, "Normal", "SuccessfulCreate", text)

    def _delete(self, owner: Obj, pod: Obj) -> None:
        name, set_name = pod["metadata"]["name"], owner["metadata"]["name"]
        try:
            self.client.delete("pods", pod["metadata"]["namespace"], name)
        except ApiError as error:
            if error.code == 404:
                return
            self.event(owner, "Warning", "FailedDelete", f"Delete Pod {name} in StatefulSet {set_name} failed error: {error}")
            raise
        self.event(owner, "Normal", "SuccessfulDelete", f"Delete Pod {name} in StatefulSet {set_name} successful")

    # -- status ----------------------------------------------------------------------------------------------------------
    def _write_status(self, owner: Obj, pods: dict[int, Obj], current: Obj, update: Obj) -> None:
        ready_seconds = owner["spec"].get("minReadySeconds") or 0
        alive = [p for p in pods.values() if not common.is_terminal(p)]
        staying = [p for p in alive if not p["metadata"].get("deletionTimestamp")]
        waits = [common.available_in(p, ready_seconds, self.world) for p in alive]
        names = current["metadata"]["name"], update["metadata"]["name"]
        on_current = sum(1 for p in staying if labels_of(p).get(REVISION) == names[0])
        on_update = sum(1 for p in staying if labels_of(p).get(REVISION) == names[1])
        ready = sum(1 for w in waits if w is not None)
        wanted = int(owner["spec"].get("replicas", 1))
        rolling = (owner["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate") == "RollingUpdate"
        if rolling and on_update == len(alive) == wanted == ready:
            names, on_current = (names[1], names[1]), on_update
        status: Obj = {"availableReplicas": waits.count(0), "replicas": len(alive)}
        status |= {"observedGeneration": owner["metadata"].get("generation") or 0, "collisionCount": 0}
        status |= {"currentRevision": names[0], "updateRevision": names[1]}
        counts = {"readyReplicas": ready, "currentReplicas": on_current, "updatedReplicas": on_update}
        status |= {key: value for key, value in counts.items() if value}
        if status != (owner.get("status") or {}):
            self.client.update("statefulsets", {**owner, "status": status}, subresource="status")

"""Whose a StatefulSet's PersistentVolumeClaims are (statefulset/stateful_set_utils.go, stateful_pod_control.go).

`persistentVolumeClaimRetentionPolicy` is carried out by owner references: a claim that the set owns goes with the set, one that a condemned pod
owns goes with the pod.
"""

from __future__ import annotations

from typing import Any

from ..api.objects import Obj, labels_of, owner_reference

RETAIN, DELETE = "Retain", "Delete"


def ordinal_of(owner: Obj, pod: Obj) -> int:
    """The number at the end of the pod's name, or -1 for a name that is not the set's."""
    stem, _, number = pod["metadata"]["name"].rpartition("-")
    return int(number) if stem == owner["metadata"]["name"] and number.isdigit() else -1


def ordinals(owner: Obj) -> range:
    """The ordinals that the set wants."""
    start = int((owner["spec"].get("ordinals") or {}).get("start") or 0)
    return range(start, start + int(owner["spec"].get("replicas", 1)))


def policy_of(owner: Obj) -> tuple[str, str]:
    """(when deleted, when scaled)."""
    policy = owner["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    return policy.get("whenDeleted") or RETAIN, policy.get("whenScaled") or RETAIN


def wanted(owner: Obj, pod: Obj) -> list[Obj]:
    """The claims of a pod as the set's templates make them."""
    selected = (owner["spec"].get("selector") or {}).get("matchLabels") or {}
    made = []
    for template in owner["spec"].get("volumeClaimTemplates") or ():
        name = f"{template['metadata']['name']}-{pod['metadata']['name']}"
        meta = {**template["metadata"], "name": name, "namespace": owner["metadata"]["namespace"]}
        meta["labels"] = {**labels_of(template), **selected}
        made.append({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": template["spec"]})
    return made


def volumes(owner: Obj, pod: Obj) -> list[Obj]:
    """The pod's volumes with those of its claims put in."""
    made = {t["metadata"]["name"]: c["metadata"]["name"] for t, c in _pairs(owner, pod)}
    kept = [v for v in pod["spec"].get("volumes") or () if v["name"] not in made]
    return [{"name": name, "persistentVolumeClaim": {"claimName": claim}} for name, claim in made.items()] + kept


def storage_matches(owner: Obj, pod: Obj) -> bool:
    """Whether every claim of the set is a volume of the pod (`storageMatches`)."""
    held = {v["name"]: (v.get("persistentVolumeClaim") or {}).get("claimName") for v in pod["spec"].get("volumes") or ()}
    return all(held.get(t["metadata"]["name"]) == c["metadata"]["name"] for t, c in _pairs(owner, pod))


def _pairs(owner: Obj, pod: Obj) -> list[tuple[Obj, Obj]]:
    return list(zip(owner["spec"].get("volumeClaimTemplates") or (), wanted(owner, pod), strict=True))


# -- owner references -----------------------------------------------------------------------------------------------------
def refs_of(claim: Obj) -> list[Obj]:
    """The claim's owners."""
    return list(claim["metadata"].get("ownerReferences") or ())


def _names(ref: Obj, obj: Obj, version: str, kind: str) -> bool:
    return (ref.get("apiVersion"), ref.get("kind"), ref.get("name")) == (version, kind, obj["metadata"]["name"])


def _is_set(ref: Obj, owner: Obj) -> bool:
    return _names(ref, owner, "apps/v1", "StatefulSet")


def _is_pod(ref: Obj, pod: Obj) -> bool:
    return _names(ref, pod, "v1", "Pod")


def _owned_by(claim: Obj, obj: Obj) -> bool:
    return any(ref.get("uid") == obj["metadata"].get("uid") for ref in refs_of(claim))


def stale(claim: Obj, pod: Obj, owner: Obj | None = None) -> bool:
    """Whether an owner has the pod's (or the set's) name and another UID: one that is gone (`hasStaleOwnerRef`)."""
    for obj, check in ((pod, _is_pod), *(((owner, _is_set),) if owner is not None else ())):
        found = next((ref for ref in refs_of(claim) if check(ref, obj)), None)
        if found is not None and found.get("uid") != obj["metadata"].get("uid"):
            return True
    return False


def conflicting(claim: Obj, owner: Obj, pod: Obj) -> bool:
    """Whether somebody else controls the claim, so that the policy is not carried out (`hasUnexpectedController`)."""
    if policy_of(owner) == (RETAIN, RETAIN):
        return False
    for ref in refs_of(claim):
        mine = owner if _is_set(ref, owner) else pod if _is_pod(ref, pod) else None
        if mine is None:
            if ref.get("controller"):
                return True
        elif ref.get("uid") != mine["metadata"].get("uid"):
            return True
    return False


def up_to_date(claim: Obj, owner: Obj, pod: Obj) -> bool:
    """Whether the claim's owners are what the policy wants (`isClaimOwnerUpToDate`)."""
    if stale(claim, pod, owner):
        return True  # whoever is gone is the garbage collector's matter
    of_set, of_pod = _owned_by(claim, owner), _owned_by(claim, pod)
    if conflicting(claim, owner, pod):
        return not (of_set or of_pod)
    uids = {owner["metadata"].get("uid"), pod["metadata"].get("uid")}
    if any(ref.get("uid") in uids and not ref.get("controller") for ref in refs_of(claim)):
        return False
    return (of_set, of_pod) == _owners(owner, pod)


def _owners(owner: Obj, pod: Obj) -> tuple[bool, bool]:
    """Whether (the set, the pod) owns the pod's claims under the policy."""
    deleted, scaled = policy_of(owner)
    condemned = scaled == DELETE and ordinal_of(owner, pod) not in ordinals(owner)
    return deleted == DELETE and not condemned, condemned


def with_owners(claim: Obj, owner: Obj, pod: Obj) -> Obj:
    """The claim with the owners that the policy wants (`updateClaimOwnerRefForSetAndPod`)."""
    refs = [ref for ref in refs_of(claim) if not _is_set(ref, owner) and not _is_pod(ref, pod)]
    if not conflicting(claim, owner, pod):
        of_set, of_pod = _owners(owner, pod)
        if of_set:
            refs.append(owner_reference({"apiVersion": "apps/v1", "kind": "StatefulSet", **owner}))
        if of_pod:
            refs.append(owner_reference({"apiVersion": "v1", "kind": "Pod", **pod}))
    meta: dict[str, Any] = {**claim["metadata"], "ownerReferences": refs}
    return {**claim, "metadata": meta}

"""Helpers that several controllers share (pkg/controller/controller_utils.go, pkg/api/v1/pod/util.go).

Objects given by informers are frozen: helpers return new dicts that share what did not change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from ...kernel import clock
from ...kernel.world import World
from ..api.objects import Obj, condition, controller_of, owner_reference

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


# -- hashes --------------------------------------------------------------------------------------------------------------


def safe_encode(text: str) -> str:
    """Letters and digits that spell no word (apimachinery/pkg/util/rand SafeEncodeString)."""
    return "".join(_ALPHABET[ord(char) % len(_ALPHABET)] for char in text)


def fnv32a(data: bytes) -> int:
    """The 32-bit FNV-1a hash."""
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def compute_hash(template: Obj, collision_count: int | None) -> str:
    """The pod-template-hash of a template (ComputeHash).

    Go hashes a dump of the typed struct; this hashes the canonical JSON, so values differ from a real cluster's while length,
    alphabet and the role of the collision count are the same.
    """
    data = orjson.dumps(template, option=orjson.OPT_SORT_KEYS)
    if collision_count is not None:
        data += int(collision_count).to_bytes(8, "little")
    return safe_encode(str(fnv32a(data)))


# -- selectors -----------------------------------------------------------------------------------------------------------


def selects(selector: Obj | None, labels: dict[str, str]) -> bool:
    """Whether a metav1.LabelSelector matches; None matches nothing, an empty one everything."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels")
    if wanted and not wanted.items() <= labels.items():
        return False
    for item in selector.get("matchExpressions") or ():
        key, operator, values = item["key"], item["operator"], item.get("values") or ()
        if operator == "In" and labels.get(key) not in values:
            return False
        if operator == "NotIn" and key in labels and labels[key] in values:
            return False
        if operator == "Exists" and key not in labels:
            return False
        if operator == "DoesNotExist" and key in labels:
            return False
    return True


def selects_map(selector: dict[str, str] | None, labels: dict[str, str]) -> bool:
    """Whether a plain label map (a Service's selector) matches; an empty one matches nothing here."""
    return bool(selector) and all(labels.get(key) == value for key, value in (selector or {}).items())


def is_empty_selector(selector: Obj | None) -> bool:
    """Whether a label selector is there and selects everything."""
    return selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions")


# -- pods ----------------------------------------------------------------------------------------------------------------


def is_active(pod: Obj) -> bool:
    """Neither finished nor being deleted (IsPodActive)."""
    phase = (pod.get("status") or {}).get("phase")
    return phase != "Succeeded" and phase != "Failed" and not pod["metadata"].get("deletionTimestamp")


def is_terminal(pod: Obj) -> bool:
    """Succeeded or Failed."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def is_terminating(pod: Obj) -> bool:
    """Being deleted and not finished yet (IsPodTerminating)."""
    return bool(pod["metadata"].get("deletionTimestamp")) and not is_terminal(pod)


def is_ready(pod: Obj) -> bool:
    """The Ready condition is True."""
    found = condition(pod, "Ready")
    return found is not None and found.get("status") == "True"


def available_in(pod: Obj, min_ready_seconds: int, world: World) -> int | None:
    """0 when the pod is available, the nanoseconds until it will be, or None when it is not ready."""
    found = condition(pod, "Ready")
    if found is None or found.get("status") != "True":
        return None
    if not min_ready_seconds:
        return 0
    since = clock.parse_rfc3339(found.get("lastTransitionTime") or world.timestamp())
    return max(0, since + min_ready_seconds * clock.SECOND - world.wall)


def restarts(pod: Obj) -> int:
    """The highest restart count of its containers."""
    return max((c.get("restartCount") or 0 for c in (pod.get("status") or {}).get("containerStatuses") or ()), default=0)


_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def deletion_rank(pod: Obj, crowd: int, world: World) -> tuple[Any, ...]:
    """The sort key by which pods are chosen for deletion, first goes first (ActivePodsWithRanks.Less)."""
    status = pod.get("status") or {}
    ready = condition(pod, "Ready")
    is_up = ready is not None and ready.get("status") == "True"
    cost = int((pod["metadata"].get("annotations") or {}).get("controller.kubernetes.io/pod-deletion-cost") or 0)
    age = 0
    if is_up and ready is not None and ready.get("lastTransitionTime"):
        age = _log_age(ready["lastTransitionTime"], world)
    created = _log_age(pod["metadata"].get("creationTimestamp") or world.timestamp(), world)
    assigned = bool((pod.get("spec") or {}).get("nodeName"))
    phase = _PHASES.get(status.get("phase") or "Pending", 0)
    return (assigned, phase, is_up, cost, -crowd, age, -restarts(pod), created, pod["metadata"].get("uid") or "")


def _log_age(stamp: str, world: World) -> int:
    """Ages are compared on a logarithmic scale (LogarithmicScaleDown), so equally old pods go in pseudo-random order."""
    age = world.wall - clock.parse_rfc3339(stamp)
    return age.bit_length() if age > 0 else 0


def pod_from_template(template: Obj, owner: Obj, *, generate: str = "", name: str = "") -> Obj:
    """A pod made of a template for a controlling owner (GetPodFromTemplate)."""
    meta = template.get("metadata") or {}
    made: Obj = {"namespace": owner["metadata"]["namespace"], "ownerReferences": [owner_reference(owner)]}
    if meta.get("labels"):
        made["labels"] = dict(meta["labels"])
    if meta.get("annotations"):
        made["annotations"] = dict(meta["annotations"])
    if meta.get("finalizers"):
        made["finalizers"] = list(meta["finalizers"])
    made |= {"name": name} if name else {"generateName": generate or f"{owner['metadata']['name']}-"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": made, "spec": template["spec"]}


# -- ownership -----------------------------------------------------------------------------------------------------------


def owned_by(obj: Obj, uid: str) -> bool:
    """Whether the object's controller is the object with that UID."""
    ref = controller_of(obj)
    return ref is not None and ref.get("uid") == uid


def claim(
    owner: Obj,
    candidates: Iterable[Obj],
    matches: Callable[[Obj], bool],
    adopt: Callable[[Obj], Obj | None],
    release: Callable[[Obj], None],
) -> list[Obj]:
    """The objects that `owner` controls, after adopting matching orphans and releasing those that match no longer
    (controller_ref_manager.go)."""
    uid, deleting = owner["metadata"]["uid"], bool(owner["metadata"].get("deletionTimestamp"))
    mine: list[Obj] = []
    for item in candidates:
        ref = controller_of(item)
        if ref is not None:
            if ref.get("uid") != uid:
                continue
            if matches(item):
                mine.append(item)
            elif not deleting:
                release(item)
        elif not deleting and not item["metadata"].get("deletionTimestamp") and matches(item):
            adopted = adopt(item)
            if adopted is not None:
                mine.append(adopted)
    return mine


def adoption_patch(owner: Obj, item: Obj) -> Obj:
    """The strategic merge patch that makes `owner` the controller of `item`."""
    return {"metadata": {"ownerReferences": [owner_reference(owner)], "uid": item["metadata"]["uid"]}}


def release_patch(owner: Obj, item: Obj) -> Obj:
    """The strategic merge patch that takes `owner` away from `item`."""
    return {
        "metadata": {"ownerReferences": [{"$patch": "delete", "uid": owner["metadata"]["uid"]}], "uid": item["metadata"]["uid"]}
    }


# -- numbers and conditions ----------------------------------------------------------------------------------------------


def int_or_percent(value: Any, total: int, *, round_up: bool) -> int:
    """An IntOrString scaled to `total` (intstr.GetScaledValueFromIntOrPercent)."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value
    text = str(value)
    if text.endswith("%"):
        product = int(text[:-1]) * total
        return -(-product // 100) if round_up else product // 100
    return int(text)


def set_condition(conditions: list[Obj], new: Obj) -> list[Obj]:
    """Conditions with `new` put in place of the one of its type; a same status keeps the old transition time.

    Nothing changes when status and reason are as before (SetDeploymentCondition).
    """
    current = next((c for c in conditions if c["type"] == new["type"]), None)
    if current is not None and current["status"] == new["status"] and current.get("reason") == new.get("reason"):
        return conditions
    if current is not None and current["status"] == new["status"]:
        new = {**new, "lastTransitionTime": current.get("lastTransitionTime")}
    return [c for c in conditions if c["type"] != new["type"]] + [new]


def remove_condition(conditions: list[Obj], kind: str) -> list[Obj]:
    """Conditions without the one of that type."""
    return [c for c in conditions if c["type"] != kind]

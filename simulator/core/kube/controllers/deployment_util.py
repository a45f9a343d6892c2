"""Arithmetic of rollouts, without effects (pkg/controller/deployment/util/deployment_util.go)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...kernel import clock
from ..api.objects import Obj, annotations_of, is_deleting
from .common import int_or_percent

REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"
ROLLBACK_TO = "deprecated.deployment.rollback.to"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
HASH_LABEL = "pod-template-hash"
#: Annotations of a Deployment that its ReplicaSets do not inherit.
NOT_COPIED = frozenset((LAST_APPLIED, REVISION, REVISION_HISTORY, DESIRED_REPLICAS, MAX_REPLICAS, ROLLBACK_TO))
HISTORY_CHARS = 2000
NEVER = 2**31 - 1


def replicas(item: Obj | None) -> int:
    """`spec.replicas`, 0 for None."""
    return 0 if item is None else int(item["spec"].get("replicas", 1))


def stat(item: Obj | None, field: str) -> int:
    """A count of `status`, 0 when absent."""
    return 0 if item is None else int((item.get("status") or {}).get(field) or 0)


def total(items: Iterable[Obj | None]) -> int:
    """The sum of `spec.replicas`."""
    return sum(replicas(item) for item in items)


def is_rolling(d: Obj) -> bool:
    """Whether the strategy is RollingUpdate."""
    return str((d["spec"].get("strategy") or {}).get("type", "RollingUpdate")) == "RollingUpdate"


def fenceposts(d: Obj) -> tuple[int, int]:
    """(surge, unavailable) in pods; both zero would stand still, so one may be unavailable (ResolveFenceposts)."""
    rolling = (d["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    wanted = replicas(d)
    surge = int_or_percent(rolling.get("maxSurge", "25%"), wanted, round_up=True)
    unavailable = int_or_percent(rolling.get("maxUnavailable", "25%"), wanted, round_up=False)
    return surge, 1 if surge == 0 and unavailable == 0 else unavailable


def max_surge(d: Obj) -> int:
    """How many pods may be above the wanted number."""
    return fenceposts(d)[0] if is_rolling(d) else 0


def max_unavailable(d: Obj) -> int:
    """How many of the wanted pods may be missing."""
    if not is_rolling(d) or replicas(d) == 0:
        return 0
    return min(fenceposts(d)[1], replicas(d))


def has_deadline(d: Obj) -> bool:
    """Whether progress is watched."""
    value = d["spec"].get("progressDeadlineSeconds", 600)
    return value is not None and value != NEVER


def revision_of(item: Obj) -> int:
    """The revision annotation, 0 when absent or not a number."""
    text = annotations_of(item).get(REVISION, "")
    return int(text) if text.isdigit() else 0


def by_creation(items: Iterable[Obj]) -> list[Obj]:
    """Oldest first, then by name."""
    return sorted(items, key=lambda item: (item["metadata"].get("creationTimestamp") or "", item["metadata"]["name"]))


def active(items: Iterable[Obj | None]) -> list[Obj]:
    """ReplicaSets that ought to have pods."""
    return [item for item in items if item is not None and replicas(item) > 0]


def same_template(a: Obj, b: Obj) -> bool:
    """Whether two pod templates are equal but for the hash label (EqualIgnoreHash)."""
    return bool(_unhashed(a) == _unhashed(b))


def _unhashed(template: Obj) -> Obj:
    meta = {k: v for k, v in (template.get("metadata") or {}).items() if v and k != "creationTimestamp"}
    labels = {k: v for k, v in (meta.get("labels") or {}).items() if k != HASH_LABEL}
    meta.pop("labels", None)
    return {"metadata": {**meta, "labels": labels}, "spec": template.get("spec")}


def find_new(d: Obj, sets: list[Obj]) -> Obj | None:
    """The oldest ReplicaSet with the Deployment's template."""
    return next((rs for rs in by_creation(sets) if same_template(rs["spec"]["template"], d["spec"]["template"])), None)


def find_old(d: Obj, sets: list[Obj]) -> list[Obj]:
    """All but the new one."""
    new = find_new(d, sets)
    return [rs for rs in sets if new is None or rs["metadata"]["uid"] != new["metadata"]["uid"]]


def active_or_latest(new: Obj | None, old: list[Obj]) -> Obj | None:
    """The only ReplicaSet with pods, or the latest when none has any; None when there are several."""
    if new is None and not old:
        return None
    newest_first = by_creation(old)[::-1]
    running = active([*newest_first, new])
    if not running:
        return new if new is not None else newest_first[0]
    return running[0] if len(running) == 1 else None


def new_replicas(d: Obj, every: list[Obj], new: Obj) -> int:
    """How many replicas the new ReplicaSet may have now (NewRSNewReplicas)."""
    if not is_rolling(d):
        return replicas(d)
    rolling = (d["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    surge = int_or_percent(rolling.get("maxSurge", "25%"), replicas(d), round_up=True)
    now, limit = total(every), replicas(d) + surge
    if now >= limit:
        return replicas(new)
    return replicas(new) + min(limit - now, replicas(d) - replicas(new))


def is_saturated(d: Obj, new: Obj | None) -> bool:
    """Whether the new ReplicaSet has and is asked for all replicas."""
    if new is None or not annotations_of(new).get(DESIRED_REPLICAS, "").isdigit():
        return False
    wanted = replicas(d)
    return replicas(new) == wanted == int(annotations_of(new)[DESIRED_REPLICAS]) == stat(new, "availableReplicas")


def proportion(d: Obj, rs: Obj, to_add: int, added: int) -> int:
    """The share of `to_add` that one ReplicaSet takes when a rollout is scaled (GetReplicaSetProportion)."""
    if replicas(rs) == 0 or to_add == 0 or to_add == added:
        return 0
    if replicas(d) == 0:
        share = -replicas(rs)
    else:
        text = annotations_of(rs).get(MAX_REPLICAS, "")
        before = int(text) if text.isdigit() else 0
        before = before or stat(d, "replicas")
        if before == 0:
            return 0
        share = int(replicas(rs) * (replicas(d) + max_surge(d)) / before + 0.5) - replicas(rs)
    return min(share, to_add - added) if to_add > 0 else max(share, to_add - added)


def is_complete(d: Obj, status: Obj) -> bool:
    """Whether every wanted pod is new and available, and nothing else is left."""
    wanted = replicas(d)
    counts = (status.get(k) or 0 for k in ("updatedReplicas", "replicas", "availableReplicas"))
    return all(c == wanted for c in counts) and (status.get("observedGeneration") or 0) >= (d["metadata"].get("generation") or 0)


def is_progressing(d: Obj, status: Obj) -> bool:
    """Whether `status` is nearer to the goal than the Deployment's own."""
    old: dict[str, Any] = d.get("status") or {}

    def count(where: Obj, field: str) -> int:
        return int(where.get(field) or 0)

    return (
        count(status, "updatedReplicas") > count(old, "updatedReplicas")
        or count(status, "replicas") - count(status, "updatedReplicas") < count(old, "replicas") - count(old, "updatedReplicas")
        or count(status, "readyReplicas") > count(old, "readyReplicas")
        or count(status, "availableReplicas") > count(old, "availableReplicas")
    )


def progress_left(d: Obj, condition: Obj, wall: int) -> int:
    """Nanoseconds until the progress deadline; negative when it has passed."""
    start = clock.parse_rfc3339(condition.get("lastUpdateTime") or clock.rfc3339(wall))
    return start + int(d["spec"].get("progressDeadlineSeconds", 600)) * clock.SECOND - wall


def inherit_annotations(d: Obj, annotations: dict[str, str]) -> tuple[dict[str, str], bool]:
    """A ReplicaSet's annotations with those of its Deployment, and whether they changed."""
    wanted = {k: v for k, v in annotations_of(d).items() if k not in NOT_COPIED and annotations.get(k) != v}
    return {**annotations, **wanted}, bool(wanted)


def stamp_revision(annotations: dict[str, str], revision: int) -> tuple[dict[str, str], bool]:
    """Annotations with at least that revision; an older one goes to the history, bounded to 2000 characters."""
    text = annotations.get(REVISION, "")
    old = int(text) if text.isdigit() else 0
    if (text and not text.isdigit()) or old >= revision:
        return annotations, False
    stamped = {**annotations, REVISION: str(revision)}
    if text:
        history = [item for item in annotations.get(REVISION_HISTORY, "").split(",") if item] + [text]
        while len(",".join(history)) > HISTORY_CHARS and history:
            history.pop(0)
        stamped[REVISION_HISTORY] = ",".join(history)
    return stamped, True


def size_annotations(d: Obj) -> dict[str, str]:
    """What a ReplicaSet notes about the size of its Deployment."""
    return {DESIRED_REPLICAS: str(replicas(d)), MAX_REPLICAS: str(replicas(d) + max_surge(d))}


def cleanable(old: list[Obj], limit: int) -> list[Obj]:
    """The old ReplicaSets beyond the history limit that have no pods left, lowest revision first."""
    alive = [rs for rs in old if not is_deleting(rs)]
    surplus = sorted(alive, key=lambda rs: (revision_of(rs), rs["metadata"].get("creationTimestamp") or ""))[
        : max(0, len(alive) - limit)
    ]

    def idle(rs: Obj) -> bool:
        seen = stat(rs, "observedGeneration") >= (rs["metadata"].get("generation") or 0)
        return stat(rs, "replicas") == 0 and replicas(rs) == 0 and seen

    return [rs for rs in surplus if idle(rs)]

"""The status of a Deployment: counts and the conditions Available, Progressing and ReplicaFailure (sync.go, progress.go)."""

from __future__ import annotations

from ...kernel.world import World
from ..api.objects import Obj, condition
from . import deployment_util as util


def put_condition(world: World, status: Obj, kind: str, value: str, reason: str, message: str, *, since: str = "") -> None:
    """Set a condition in `status`; equal status and reason change nothing, equal status keeps the transition time."""
    conditions = status.get("conditions") or []
    current = next((c for c in conditions if c["type"] == kind), None)
    if current is not None and current["status"] == value and current.get("reason") == reason and not since:
        return
    now = world.timestamp()
    if not since:
        since = current["lastTransitionTime"] if current is not None and current["status"] == value else now
    new = {
        "lastTransitionTime": since,
        "lastUpdateTime": now,
        "message": message,
        "reason": reason,
        "status": value,
        "type": kind,
    }
    status["conditions"] = [c for c in conditions if c["type"] != kind] + [new]


def calculate(world: World, d: Obj, every: list[Obj | None], new: Obj | None) -> Obj:
    """Counts and availability (calculateStatus); zero counts are left out as in the API's JSON."""
    sets = [rs for rs in every if rs is not None]
    available = sum(util.stat(rs, "availableReplicas") for rs in sets)
    counts = {
        "availableReplicas": available,
        "readyReplicas": sum(util.stat(rs, "readyReplicas") for rs in sets),
        "replicas": sum(util.stat(rs, "replicas") for rs in sets),
        "unavailableReplicas": max(0, util.total(sets) - available),
        "updatedReplicas": util.stat(new, "replicas"),
    }
    status: Obj = {key: value for key, value in counts.items() if value}
    synced = [rs.get("status") or {} for rs in sets if (rs.get("status") or {}).get("observedGeneration")]
    if all("terminatingReplicas" in held for held in synced):  # sets that were never looked at have none
        status["terminatingReplicas"] = sum(util.stat(rs, "terminatingReplicas") for rs in sets)
    status["observedGeneration"] = d["metadata"].get("generation") or 0
    if d["status"].get("collisionCount") is not None:
        status["collisionCount"] = d["status"]["collisionCount"]
    if d["status"].get("conditions"):
        status["conditions"] = d["status"]["conditions"]
    if available >= util.replicas(d) - util.max_unavailable(d):
        put_condition(world, status, "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        message = "Deployment does not have minimum availability."
        put_condition(world, status, "Available", "False", "MinimumReplicasUnavailable", message)
    return status


def rollout(world: World, d: Obj, every: list[Obj], new: Obj | None) -> tuple[Obj, int | None]:
    """The status of a rollout and, while one waits for progress, the nanoseconds to its deadline (syncRolloutStatus)."""
    status = calculate(world, d, list(every), new)
    current = condition(d, "Progressing")
    if not util.has_deadline(d):
        _drop(status, "Progressing")
    done_before = current is not None and current.get("reason") == "NewReplicaSetAvailable"
    settled = (status.get("replicas") or 0) == (status.get("updatedReplicas") or 0) and done_before
    if util.has_deadline(d) and not settled:
        _progress(world, d, status, current, new)
    failure = _replica_failure(every, new)
    if failure is not None:
        put_condition(world, status, "ReplicaFailure", failure["status"], failure.get("reason", ""), failure.get("message", ""))
    else:
        _drop(status, "ReplicaFailure")
    return status, _deadline(world, d, status)


def _drop(status: Obj, kind: str) -> None:
    kept = [c for c in status.get("conditions") or [] if c["type"] != kind]
    if len(kept) != len(status.get("conditions") or []):
        status["conditions"] = kept


def _progress(world: World, d: Obj, status: Obj, current: Obj | None, new: Obj | None) -> None:
    name = f'ReplicaSet "{new["metadata"]["name"]}"' if new is not None else f'Deployment "{d["metadata"]["name"]}"'
    if util.is_complete(d, status):
        put_condition(world, status, "Progressing", "True", "NewReplicaSetAvailable", f"{name} has successfully progressed.")
    elif util.is_progressing(d, status):
        since = current["lastTransitionTime"] if current is not None and current["status"] == "True" else world.timestamp()
        put_condition(world, status, "Progressing", "True", "ReplicaSetUpdated", f"{name} is progressing.", since=since)
    elif _timed_out(world, d, status):
        put_condition(world, status, "Progressing", "False", "ProgressDeadlineExceeded", f"{name} has timed out progressing.")


def _timed_out(world: World, d: Obj, status: Obj) -> bool:
    found = condition({"status": status}, "Progressing")
    if found is None or found.get("reason") == "NewReplicaSetAvailable":
        return False
    if found.get("reason") == "ProgressDeadlineExceeded":
        return True
    return util.progress_left(d, found, world.wall) < 0


def _deadline(world: World, d: Obj, status: Obj) -> int | None:
    found = condition(d, "Progressing")
    if not util.has_deadline(d) or found is None:
        return None
    if util.is_complete(d, status) or found.get("reason") == "ProgressDeadlineExceeded":
        return None
    return util.progress_left(d, found, world.wall)


def _replica_failure(every: list[Obj], new: Obj | None) -> Obj | None:
    for rs in [new, *every]:
        if rs is not None:
            found = condition(rs, "ReplicaFailure")
            if found is not None:
                return found
    return None

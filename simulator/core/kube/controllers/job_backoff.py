"""How long a Job waits before it replaces failed pods: 10 s, doubled by each failure since the last success, at most 10 min, counted from
the end of the last failed pod (job/backoff_utils.go).

A record is `[failures, time]`: how many pods failed since one succeeded, and when the last of them ended (wall clock, ns).
"""

from __future__ import annotations

from collections.abc import Iterable

from ...kernel import clock
from ..api.objects import Obj, condition
from . import job_indexes

FIRST, LONGEST = 10 * clock.SECOND, 10 * clock.MINUTE
Record = list[int]


def finished_at(pod: Obj) -> int:
    """When a pod ended, in wall-clock ns: its last container, else when it stopped being ready, was deleted, or was made."""
    status, meta, spec = pod.get("status") or {}, pod["metadata"], pod.get("spec") or {}
    sidecars = {c["name"] for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"}
    held = [*(status.get("containerStatuses") or ())]
    held += [s for s in status.get("initContainerStatuses") or () if s.get("name") in sidecars]
    ends = [((s.get("state") or {}).get("terminated") or {}).get("finishedAt") for s in held]
    if ends and all(ends):
        return max(clock.parse_rfc3339(end) for end in ends if end)
    ready = condition(pod, "Ready")
    if ready is not None and ready["status"] == "False" and ready.get("lastTransitionTime"):
        return clock.parse_rfc3339(ready["lastTransitionTime"])
    if meta.get("deletionTimestamp"):
        return clock.parse_rfc3339(meta["deletionTimestamp"]) - int(meta.get("deletionGracePeriodSeconds") or 0) * clock.SECOND
    return clock.parse_rfc3339(meta["creationTimestamp"]) if meta.get("creationTimestamp") else 0


def after(record: Record | None, won: Iterable[Obj], lost: Iterable[Obj]) -> Record:
    """The record once these pods have succeeded and failed (newBackoffRecord)."""
    failures, last = record or [0, 0]
    ends = sorted(finished_at(pod) for pod in lost)
    good = [finished_at(pod) for pod in won]
    if good:
        ends = [end for end in ends if end > max(good)]
        failures, last = 0, 0
    return [failures + len(ends), ends[-1] if ends else last]


def pause(failures: int) -> int:
    """The back-off after so many failures, in ns."""
    return min(LONGEST, FIRST << min(failures - 1, 10)) if failures else 0


def left(record: Record, wall: int) -> int:
    """Nanoseconds until pods may be made again; 0 when they may be now (getRemainingTime)."""
    failures, last = record
    return max(0, last + pause(failures) - wall)


def left_of_index(pod: Obj | None, wall: int) -> int:
    """The same for an index of which this pod failed last; failures that the policy ignores slow it down as well."""
    if pod is None:
        return 0
    return left([job_indexes.failures(pod) + job_indexes.ignored(pod) + 1, finished_at(pod)], wall)

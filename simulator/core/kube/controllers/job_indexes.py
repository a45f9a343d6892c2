"""Completion indexes of an Indexed Job as status writes them, `0-2,5`, and what pods add to them (job/indexed_job_utils.go)."""

from __future__ import annotations

from collections.abc import Iterable

from ..api.objects import Obj, annotations_of

INDEX = "batch.kubernetes.io/job-completion-index"
#: How often pods of an index have failed before this one; failures that the pod failure policy ignores are counted apart.
FAILURES, IGNORED = "batch.kubernetes.io/job-index-failure-count", "batch.kubernetes.io/job-index-ignored-failure-count"


def parse(text: str, completions: int) -> set[int]:
    """The indexes of a status text; what cannot be read, or is no index of the Job, is left out."""
    out: set[int] = set()
    for item in text.split(",") if text else ():
        first, dash, last = item.partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            continue
        low, high = int(first), int(last) if dash else int(first)
        out.update(range(low, min(high, completions - 1) + 1))
    return out


def text_of(indexes: Iterable[int]) -> str:
    """Indexes as status writes them: runs of three or more by their ends, pairs one by one."""
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and runs[-1][1] == index - 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    parts = []
    for low, high in runs:
        parts.append(str(low) if low == high else f"{low},{high}" if high == low + 1 else f"{low}-{high}")
    return ",".join(parts)


def of(pod: Obj) -> int | None:
    """A pod's index, or None when it has none that can be read."""
    text = annotations_of(pod).get(INDEX, "")
    return int(text) if text.isdigit() else None


def done(before: str, pods: Iterable[Obj], completions: int, phase: str) -> set[int]:
    """The indexes of status and those of pods in a phase (calculateSucceededIndexes)."""
    found = parse(before, completions)
    for pod in pods:
        index = of(pod)
        if index is not None and index < completions and (pod.get("status") or {}).get("phase") == phase:
            found.add(index)
    return found


def free(taken: set[int], count: int, completions: int) -> list[int]:
    """The first `count` indexes that nothing has taken (firstPendingIndexes)."""
    out: list[int] = []
    for index in range(completions):
        if len(out) >= count:
            break
        if index not in taken:
            out.append(index)
    return out


def failures(pod: Obj) -> int:
    """How often its index had failed before this pod."""
    text = annotations_of(pod).get(FAILURES, "")
    return int(text) if text.isdigit() else 0


def ignored(pod: Obj) -> int:
    """How many failures of its index before this pod the failure policy ignored."""
    text = annotations_of(pod).get(IGNORED, "")
    return int(text) if text.isdigit() else 0


def surplus(pods: Iterable[Obj], completions: int) -> list[Obj]:
    """Active pods that an Indexed Job has too many of: without an index of its own, beyond the last, or all but one of an index, the
    oldest and furthest one staying (appendDuplicatedIndexPodsForRemoval)."""
    by_index: dict[int | None, list[Obj]] = {}
    out: list[Obj] = []
    for pod in pods:
        index = of(pod)
        if index is None or index >= completions:
            out.append(pod)
        else:
            by_index.setdefault(index, []).append(pod)
    return out + [pod for held in by_index.values() for pod in held[:-1]]

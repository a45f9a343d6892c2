"""What a Job's policies make of failed pods and of succeeded indexes (job/pod_failure_policy.go, job/success_policy.go)."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..api.objects import Obj
from . import job_indexes

ACTIONS = ("FailJob", "FailIndex", "Ignore", "Count")


class Judgement(NamedTuple):
    """The action that a rule took ("" for none), whether the failure counts, and why the Job fails."""

    action: str
    counts: bool
    message: str


def judge(policy: Obj | None, pod: Obj) -> Judgement:
    """The first rule that a failed pod meets (matchPodFailurePolicy)."""
    for index, rule in enumerate((policy or {}).get("rules") or ()):
        action = rule.get("action", "")
        if action not in ACTIONS:
            continue
        message = _by_exit_code(rule, pod, index) if rule.get("onExitCodes") else _by_condition(rule, pod, index)
        if message:
            return Judgement(action, action != "Ignore", message if action == "FailJob" else "")
    return Judgement("", True, "")


def _where(pod: Obj) -> str:
    return f"{pod['metadata'].get('namespace', '')}/{pod['metadata']['name']}"


def _by_exit_code(rule: Obj, pod: Obj, index: int) -> str:
    wanted, status = rule["onExitCodes"], pod.get("status") or {}
    for held in (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())):
        ended: Any = (held.get("state") or {}).get("terminated")
        if ended is None or not ended.get("exitCode"):
            continue
        name = wanted.get("containerName")
        if name is not None and name != held.get("name"):
            continue
        inside = ended["exitCode"] in (wanted.get("values") or ())
        if inside if wanted.get("operator") == "In" else wanted.get("operator") == "NotIn" and not inside:
            code = ended["exitCode"]
            text = f"Container {held.get('name', '')} for pod {_where(pod)} failed with exit code {code}"
            return f"{text} matching {rule['action']} rule at index {index}"
    return ""


def _by_condition(rule: Obj, pod: Obj, index: int) -> str:
    patterns = [(p.get("type"), p.get("status") or "True") for p in rule.get("onPodConditions") or ()]
    for held in (pod.get("status") or {}).get("conditions") or ():
        if (held["type"], held.get("status")) in patterns:
            return f"Pod {_where(pod)} has condition {held['type']} matching {rule['action']} rule at index {index}"
    return ""


def enough(policy: Obj | None, completions: int, succeeded: set[int]) -> str:
    """Which rule of a success policy is met, as its condition says it, or ""."""
    if not succeeded:
        return ""
    for index, rule in enumerate((policy or {}).get("rules") or ()):
        count, text = rule.get("succeededCount"), rule.get("succeededIndexes")
        if text is not None:
            wanted = job_indexes.parse(text, completions)
            held = len(wanted & succeeded)
            met = bool(wanted) and (held == len(wanted) or (count is not None and held >= count))
        else:
            met = count is not None and len(succeeded) >= count
        if met:
            return f"Matched rules at index {index}"
    return ""

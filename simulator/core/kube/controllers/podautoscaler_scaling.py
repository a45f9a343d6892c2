"""From the replicas that metrics ask for to those that limits, rates and stabilisation windows allow
(pkg/controller/podautoscaler/horizontal.go: normalizeDesiredReplicas, …WithBehaviors).

Times are virtual nanoseconds.  `held` is what the controller remembers of an autoscaler: `recommended`, `up` and `down`, each a list
of [number, time].
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ...kernel.clock import SECOND

Obj = dict[str, Any]
Samples = list[list[int]]
#: Without `behavior`: how many times the replicas there may be after one look (scaleUpLimitFactor).
FASTEST = 2
WITHIN = ("DesiredWithinRange", "the desired count is within the acceptable range")
TOO_FAST = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
TOO_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
TOO_SLOW = ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")
TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
SETTLED = ("ReadyForNewScale", "recommended size matches current size")
HELD_UP = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
)
HELD_DOWN = ("ScaleUpStabilized", "recent recommendations were lower than current one, applying the lowest recent recommendation")


class Outcome(NamedTuple):
    """The replicas, and reason and message of AbleToScale and of ScalingLimited."""

    replicas: int
    able: tuple[str, str]
    limited: str
    why: tuple[str, str]


def limit(spec: Obj, held: dict[str, Samples], current: int, wanted: int, low: int, now: int, window: int) -> Outcome:
    """What becomes of `wanted` replicas; the recommendation is remembered."""
    behavior = spec.get("behavior")
    high = int(spec["maxReplicas"])
    if behavior is None:
        calm = stabilized(held, wanted, now, window)
        able = SETTLED if calm == wanted else HELD_UP
        replicas, why = by_rules(current, calm, low, high)
    else:
        calm, moved = stabilized_by(held, current, wanted, now, window, behavior)
        able = SETTLED if calm == wanted else moved
        replicas, why = by_behavior(held, current, calm, low, high, now, behavior)
    return Outcome(replicas, able, "False" if replicas == calm else "True", why)


def _remember(samples: Samples, number: int, now: int, old: int | None) -> None:
    if old is None:
        samples.append([number, now])
    else:
        samples[old] = [number, now]


def stabilized(held: dict[str, Samples], wanted: int, now: int, window: int) -> int:
    """The highest recommendation of the window (stabilizeRecommendation)."""
    highest, old = wanted, None
    for index, (number, at) in enumerate(held["recommended"]):
        if at < now - window:
            old = index
        else:
            highest = max(highest, number)
    _remember(held["recommended"], wanted, now, old)
    return highest


def stabilized_by(
    held: dict[str, Samples], current: int, wanted: int, now: int, window: int, behavior: Obj
) -> tuple[int, tuple[str, str]]:
    """The recommendation between the windows' lowest and highest, and what to say when that is not `wanted`."""
    up, down = behavior.get("scaleUp") or {}, behavior.get("scaleDown") or {}
    up_cutoff = now - int(up.get("stabilizationWindowSeconds") or 0) * SECOND
    seconds = down.get("stabilizationWindowSeconds")
    down_cutoff = now - (window if seconds is None else int(seconds) * SECOND)
    lowest = highest = wanted
    old = None
    for index, (number, at) in enumerate(held["recommended"]):
        if at > up_cutoff:
            lowest = min(lowest, number)
        if at > down_cutoff:
            highest = max(highest, number)
        if at < up_cutoff and at < down_cutoff:
            old = index
    calm = min(max(current, lowest), highest)
    _remember(held["recommended"], wanted, now, old)
    return calm, HELD_DOWN if wanted >= current else HELD_UP


def by_rules(current: int, desired: int, low: int, high: int) -> tuple[int, tuple[str, str]]:
    """Without `behavior`: at most doubled (or 4), between minimum and maximum (convertDesiredReplicasWithRules)."""
    most = max(FASTEST * current, 4)
    top, why = (most, TOO_FAST) if high > most else (high, TOO_MANY)
    if desired < low:
        return low, TOO_FEW
    if desired > top:
        return top, why
    return desired, WITHIN


def by_behavior(
    held: dict[str, Samples], current: int, desired: int, low: int, high: int, now: int, behavior: Obj
) -> tuple[int, tuple[str, str]]:
    """With `behavior`: as fast as its policies let it (convertDesiredReplicasWithBehaviorRate)."""
    if desired > current:
        most = max(current, fastest_up(current, held, behavior.get("scaleUp") or {}, now))
        top, why = (most, TOO_FAST) if high > most else (high, TOO_MANY)
        if desired > top:
            return top, why
    elif desired < current:
        least = min(current, fastest_down(current, held, behavior.get("scaleDown") or {}, now))
        bottom, why = (least, TOO_SLOW) if low < least else (low, TOO_FEW)
        if desired < bottom:
            return bottom, why
    return desired, WITHIN


def changes(samples: Samples, seconds: int, now: int) -> int:
    """The replicas that came (or went) in the last seconds (getReplicasChangePerPeriod)."""
    return sum(number for number, at in samples if at > now - seconds * SECOND)


def _start(current: int, held: dict[str, Samples], seconds: int, now: int) -> int:
    return current - changes(held["up"], seconds, now) + changes(held["down"], seconds, now)


def fastest_up(current: int, held: dict[str, Samples], rules: Obj, now: int) -> int:
    """The most replicas that the policies allow now (calculateScaleUpLimitWithScalingRules)."""
    choice = rules.get("selectPolicy") or "Max"
    if choice == "Disabled":
        return current
    proposals: list[int] = []
    for policy in rules.get("policies") or ():
        start, value = _start(current, held, policy["periodSeconds"], now), policy["value"]
        proposals.append(start + value if policy["type"] == "Pods" else math.ceil(start * (1 + value / 100)))
    if not proposals:
        return current
    return min(proposals) if choice == "Min" else max(proposals)


def fastest_down(current: int, held: dict[str, Samples], rules: Obj, now: int) -> int:
    """The fewest replicas that the policies allow now (calculateScaleDownLimitWithBehaviors)."""
    choice = rules.get("selectPolicy") or "Max"
    if choice == "Disabled":
        return current
    proposals: list[int] = []
    for policy in rules.get("policies") or ():
        start, value = _start(current, held, policy["periodSeconds"], now), policy["value"]
        proposals.append(start - value if policy["type"] == "Pods" else int(start * (1 - value / 100)))
    if not proposals:
        return current
    return max(proposals) if choice == "Min" else min(proposals)


def store(held: dict[str, Samples], behavior: Obj | None, before: int, after: int, now: int) -> None:
    """Remember a change of scale while a policy can look back on it (storeScaleEvent)."""
    if behavior is None:
        return
    up = after > before
    rules = behavior.get("scaleUp" if up else "scaleDown") or {}
    longest = max((policy["periodSeconds"] for policy in rules.get("policies") or ()), default=0)
    samples = held["up" if up else "down"]
    old = next((i for i in range(len(samples) - 1, -1, -1) if samples[i][1] < now - longest * SECOND), None)
    _remember(samples, abs(after - before), now, old)

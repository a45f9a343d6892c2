"""Profiles: which plugins run at which extension point for the pods of a `schedulerName` (pkg/scheduler/profile,
pkg/scheduler/apis/config/v1/default_plugins.go, framework/runtime expandMultiPointPlugins)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..api.objects import Obj
from . import table
from .framework import Plugin

DEFAULT_NAME = "default-scheduler"
#: The extension points that a profile may name, and the function of a plugin that takes part, or None for the scheduler's own.
POINTS: dict[str, str | None] = {
    "preEnqueue": "pre_enqueue",
    "queueSort": None,
    "preFilter": "pre_filter",
    "filter": "filter",
    "postFilter": None,
    "preScore": "pre_score",
    "score": "score",
    "reserve": None,
    "permit": None,
    "preBind": None,
    "bind": None,
    "postBind": None,
}
OWN = {"queueSort": "PrioritySort", "postFilter": "DefaultPreemption", "bind": "DefaultBinder"}


def plugin(name: str, args: Obj) -> Plugin:
    """A plugin with its arguments; KeyError for one that does not exist."""
    return table.FACTORIES[name](args)


class Profile:
    """The plugins of one profile by extension point, in order, and the weights of those that score."""

    __slots__ = ("args", "filter", "memo", "name", "percentage", "post_filter", "pre_enqueue", "pre_filter", "pre_score", "registered",
                 "score", "weights")  # fmt: skip

    def __init__(self, name: str, sets: dict[str, list[tuple[str, int]]], args: dict[str, Obj], percentage: int | None) -> None:
        made: dict[str, Plugin] = {}

        def at(point: str) -> tuple[Plugin, ...]:
            member = POINTS[point]
            out = []
            for item, _ in sets[point]:
                if item in table.FACTORIES:
                    found = made.setdefault(item, plugin(item, args.get(item) or {}))
                    if member is not None and getattr(found, member) is not None:
                        out.append(found)
            return tuple(out)

        #: Warm: by a pod's signature, each node's generation with the verdict and the raw scores of local plugins.
        self.memo: dict[bytes, dict[str, Any]] = {}
        self.name = name
        self.args = args
        self.percentage = percentage
        self.pre_enqueue, self.pre_filter, self.filter = at("preEnqueue"), at("preFilter"), at("filter")
        self.pre_score, self.score = at("preScore"), at("score")
        self.post_filter = any(item == "DefaultPreemption" for item, _ in sets["postFilter"])
        self.weights = {item: weight or 1 for item, weight in sets["score"]}
        self.registered: dict[str, Plugin] = made


def merge(defaults: list[tuple[str, int]], custom: Obj | None) -> list[tuple[str, int]]:
    """A set of plugins with a profile's changes: disabled ones leave, named defaults are replaced in place, new ones come last
    (mergePluginSet)."""
    if not custom:
        return list(defaults)
    disabled = {item["name"] for item in custom.get("disabled") or ()}
    enabled = {item["name"]: int(item.get("weight") or 0) for item in custom.get("enabled") or ()}
    out: list[tuple[str, int]] = []
    placed: set[str] = set()
    for name, weight in () if "*" in disabled else defaults:
        if name in disabled:
            continue
        if name in enabled:
            placed.add(name)
            weight = enabled[name]
        out.append((name, weight))
    return out + [(name, weight) for name, weight in enabled.items() if name not in placed]


def expand(plugins: Obj | None) -> dict[str, list[tuple[str, int]]]:
    """The plugins of each extension point: those of multiPoint that are named for the point anew, then multiPoint's others, then the
    point's own; a point that disables `*` has its own only."""
    plugins = plugins or {}
    multi = merge(list(table.DEFAULTS), plugins.get("multiPoint"))
    out: dict[str, list[tuple[str, int]]] = {}
    for point in POINTS:
        custom = plugins.get(point) or {}
        disabled = {item["name"] for item in custom.get("disabled") or ()}
        own = {item["name"]: int(item.get("weight") or 0) for item in custom.get("enabled") or ()}
        rest = [] if "*" in disabled else [(n, w) for n, w in multi if n not in disabled]
        known = {n for n, _ in rest}
        anew = [(n, w) for n, w in own.items() if n in known]
        last = [(n, w) for n, w in own.items() if n not in known]
        ordered = [*anew, *((n, w) for n, w in rest if n not in own), *last]
        out[point] = [(n, w) for n, w in ordered if _takes_part(n, point)]
    return out


def _takes_part(name: str, point: str) -> bool:
    if name in table.FACTORIES:
        member = POINTS[point]
        return member is not None and getattr(table.FACTORIES[name]({}), member) is not None
    return OWN.get(point) == name


def of(config: Obj) -> dict[str, Profile]:
    """The profiles of a checked KubeSchedulerConfiguration by schedulerName."""
    out: dict[str, Profile] = {}
    for item in config.get("profiles") or [{}]:
        name = item.get("schedulerName") or DEFAULT_NAME
        args: dict[str, Any] = {entry["name"]: entry.get("args") or {} for entry in item.get("pluginConfig") or ()}
        percentage = item.get("percentageOfNodesToScore", config.get("percentageOfNodesToScore"))
        out[name] = Profile(name, expand(item.get("plugins")), args, percentage)
    return out


@lru_cache(maxsize=1)
def default() -> dict[str, Profile]:
    """The one profile of a scheduler without a configuration."""
    return of({})

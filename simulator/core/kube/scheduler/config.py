"""The scheduler's configuration file, KubeSchedulerConfiguration of kubescheduler.config.k8s.io/v1
(staging/src/k8s.io/kube-scheduler/config/v1, pkg/scheduler/apis/config/validation)."""

from __future__ import annotations

from typing import Any

import yaml

from ...kernel.errors import BadInput
from ..api.objects import Obj
from ..component import parse_duration
from . import table
from .profiles import DEFAULT_NAME, OWN, POINTS

GROUP_VERSION, KIND = "kubescheduler.config.k8s.io/v1", "KubeSchedulerConfiguration"
TOP = (
    "apiVersion", "kind", "parallelism", "leaderElection", "clientConnection", "enableProfiling", "enableContentionProfiling",
    "percentageOfNodesToScore", "podInitialBackoffSeconds", "podMaxBackoffSeconds", "profiles", "extenders", "delayCacheUntilActive",
)  # fmt: skip
PROFILE = ("schedulerName", "percentageOfNodesToScore", "plugins", "pluginConfig")
#: Arguments that each plugin takes; those of other plugins are not looked at.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "DefaultPreemption": ("minCandidateNodesPercentage", "minCandidateNodesAbsolute"),
    "InterPodAffinity": ("hardPodAffinityWeight", "ignorePreferredTermsOfExistingPods"),
    "NodeAffinity": ("addedAffinity",),
    "NodeResourcesFit": ("ignoredResources", "ignoredResourceGroups", "scoringStrategy"),
    "NodeResourcesBalancedAllocation": ("resources",),
    "PodTopologySpread": ("defaultConstraints", "defaultingType"),
    "VolumeBinding": ("bindTimeoutSeconds", "shape"),
    "DynamicResources": ("filterTimeout", "bindingTimeout"),
}
#: Plugins that older versions had.
REMOVED = ("AzureDiskLimits", "CinderLimits", "EBSLimits", "GCEPDLimits")


def load(text: bytes) -> Obj:
    """The checked configuration of a file; raises BadInput with what the real scheduler says."""
    if len(text) > 1_000_000:
        raise BadInput("the configuration is larger than 1 MB")
    try:
        found = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise BadInput(f"error converting YAML to JSON: yaml: {error}") from None
    if not isinstance(found, dict):
        raise BadInput("couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value")
    version, kind = found.get("apiVersion"), found.get("kind")
    if not kind:
        raise BadInput(f"Object 'Kind' is missing in '{text.decode('utf-8', 'replace')[:200]}'")
    if (version, kind) != (GROUP_VERSION, KIND):
        raise BadInput(
            f'no kind "{kind}" is registered for version "{version}" in scheme "pkg/scheduler/apis/config/scheme/scheme.go:30"'
        )
    unknown = _unknown(found)
    if unknown:
        raise BadInput("strict decoding error: " + ", ".join(f'unknown field "{path}"' for path in unknown))
    problems = _problems(found)
    if problems:
        raise BadInput(problems[0] if len(problems) == 1 else "[" + ", ".join(problems) + "]")
    return found


def flags_of(config: Obj) -> dict[str, str]:
    """The configuration's leader election and kubeconfig as flags have them."""
    election = config.get("leaderElection") or {}
    out = {"kubeconfig": str((config.get("clientConnection") or {}).get("kubeconfig") or "")}
    for member in (
        "leaderElect",
        "leaseDuration",
        "renewDeadline",
        "retryPeriod",
        "resourceLock",
        "resourceName",
        "resourceNamespace",
    ):
        if member in election:
            dashed = "".join("-" + c.lower() if c.isupper() else c for c in member)
            value = election[member]
            name = dashed if member == "leaderElect" else f"leader-elect-{dashed}"
            out[name] = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return out


# -- what is wrong -------------------------------------------------------------------------------------------------------


def _unknown(config: Obj) -> list[str]:
    out = [name for name in config if name not in TOP]
    for index, profile in enumerate(config.get("profiles") or ()):
        path = f"profiles[{index}]"
        out += [f"{path}.{name}" for name in profile if name not in PROFILE]
        for point, found in (profile.get("plugins") or {}).items():
            if point not in (*POINTS, "multiPoint", "placementGenerate", "placementScore"):
                out.append(f"{path}.plugins.{point}")
                continue
            out += [f"{path}.plugins.{point}.{name}" for name in found or () if name not in ("enabled", "disabled")]
        for number, entry in enumerate(profile.get("pluginConfig") or ()):
            known = ARGUMENTS.get(entry.get("name"))
            extra = [n for n in entry.get("args") or () if known is not None and n not in (*known, "apiVersion", "kind")]
            if extra:
                where = f"decoding .profiles[{index}].pluginConfig[{number}]"
                text = ", ".join(f'unknown field "{name}"' for name in extra)
                raise BadInput(
                    f"{where}: strict decoding error: decoding args for plugin {entry['name']}: strict decoding error: {text}"
                )
    return out


def _invalid(path: str, value: Any, detail: str) -> str:
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return f"{path}: Invalid value: {shown}: {detail}"


def _percentage(path: str, value: Any) -> list[str]:
    return [_invalid(path, value, "not in valid range [0-100]")] if value is not None and not 0 <= int(value) <= 100 else []


def _problems(config: Obj) -> list[str]:
    out: list[str] = []
    for member in ("leaseDuration", "renewDeadline", "retryPeriod"):
        text = (config.get("leaderElection") or {}).get(member)
        if text is not None:
            try:
                parse_duration(str(text))
            except ValueError as error:
                out.append(str(error))
    if int(config.get("parallelism") or 16) <= 0:
        out.append(_invalid("parallelism", config["parallelism"], "should be an integer value greater than zero"))
    names: dict[str, int] = {}
    for index, profile in enumerate(config.get("profiles") or ()):
        path, name = f"profiles[{index}]", profile.get("schedulerName") or (DEFAULT_NAME if len(config["profiles"]) == 1 else "")
        if not name:
            out.append(f"{path}.schedulerName: Required value")
        out += _percentage(f"{path}.percentageOfNodesToScore", profile.get("percentageOfNodesToScore"))
        out += _plugin_config(path, profile)
        if name in names:
            out.append(f"{path}.schedulerName: Duplicate value: profiles[{names[name]}].schedulerName")
        names.setdefault(name, index)
    out += _percentage("percentageOfNodesToScore", config.get("percentageOfNodesToScore"))
    first, most = config.get("podInitialBackoffSeconds", 1), config.get("podMaxBackoffSeconds", 10)
    if first <= 0:
        out.append(_invalid("podInitialBackoffSeconds", first, "must be greater than 0"))
    if most < first:
        out.append(_invalid("podMaxBackoffSeconds", most, "must be greater than or equal to PodInitialBackoffSeconds"))
    if config.get("extenders"):
        out.append("extenders: not simulated in Slipway yet")
    return out or _unregistered(config)


def _plugin_config(path: str, profile: Obj) -> list[str]:
    out: list[str] = []
    seen: set[str] = set()
    for index, entry in enumerate(profile.get("pluginConfig") or ()):
        name, at = entry.get("name") or "", f"{path}.pluginConfig[{index}]"
        if name in seen:
            out.append(f'{at}: Duplicate value: "{name}"')
        seen.add(name)
        if name in REMOVED:
            detail = f'was invalid in version "{GROUP_VERSION}" (KubeSchedulerConfiguration is version "{GROUP_VERSION}")'
            out.append(_invalid(at, name, detail))
        out += _arguments(f"{at}.args", name, entry.get("args") or {})
    return out


def _arguments(path: str, name: str, args: Obj) -> list[str]:
    if name == "InterPodAffinity":
        weight = args.get("hardPodAffinityWeight", 1)
        if not 0 <= weight <= 100:
            return [_invalid(f"{path}.hardPodAffinityWeight", weight, "not in valid range [0, 100]")]
    if name == "DefaultPreemption":
        return _preemption(path, args.get("minCandidateNodesPercentage", 10), args.get("minCandidateNodesAbsolute", 100))
    if name == "NodeResourcesBalancedAllocation":
        items = enumerate(args.get("resources") or ())
        return [_invalid(f"{path}.resources[{i}].weight", r["weight"], "must be 1") for i, r in items if r.get("weight", 1) != 1]
    if name == "NodeResourcesFit":
        return _fit(path, args)
    if name == "PodTopologySpread":
        return _spread(path, args)
    return []


def _preemption(path: str, percentage: int, absolute: int) -> list[str]:
    out = []
    if not 0 <= percentage <= 100:
        out.append(_invalid(f"{path}.minCandidateNodesPercentage", percentage, "not in valid range [0, 100]"))
    if absolute < 0:
        out.append(_invalid(f"{path}.minCandidateNodesAbsolute", absolute, "not in valid range [0, inf)"))
    if percentage == 0 and absolute == 0:
        other = "cannot be zero at the same time as "
        out.append(_invalid(f"{path}.minCandidateNodesPercentage", 0, other + "minCandidateNodesAbsolute"))
        out.append(_invalid(f"{path}.minCandidateNodesAbsolute", 0, other + "minCandidateNodesPercentage"))
    return out


def _fit(path: str, args: Obj) -> list[str]:
    strategy = args.get("scoringStrategy")
    if strategy is None:
        return []
    out = []
    kinds = ("LeastAllocated", "MostAllocated", "RequestedToCapacityRatio")
    kind = strategy.get("type") or "LeastAllocated"
    if kind not in kinds:
        known = ", ".join(f'"{item}"' for item in kinds)
        return [f'{path}.scoringStrategy.type: Unsupported value: "{kind}": supported values: {known}']
    for index, item in enumerate(strategy.get("resources") or ()):
        weight = item.get("weight", 1)
        if not 0 < weight <= 100:
            text = f"resource weight of {item['name']} not in valid range (0, 100]"
            out.append(_invalid(f"{path}.scoringStrategy.resources[{index}].weight", weight, text))
    if kind == "RequestedToCapacityRatio":
        out += _shape(
            f"{path}.requestedToCapacityRatio.shape", (strategy.get("requestedToCapacityRatio") or {}).get("shape") or []
        )
    return out


def _shape(path: str, shape: list[Obj]) -> list[str]:
    if not shape:
        return [f"{path}: Required value: at least one point must be specified"]
    out = []
    for index in range(1, len(shape)):
        if shape[index - 1]["utilization"] >= shape[index]["utilization"]:
            text = "values must be sorted in increasing order"
            out.append(_invalid(f"{path}[{index}].utilization", shape[index]["utilization"], text))
            break
    for index, point in enumerate(shape):
        for member, most in (("utilization", 100), ("score", 10)):
            if not 0 <= point.get(member, 0) <= most:
                out.append(_invalid(f"{path}[{index}].{member}", point[member], f"not in valid range [0, {most}]"))
    return out


def _spread(path: str, args: Obj) -> list[str]:
    out = []
    kind, items = (
        args.get("defaultingType") or ("List" if args.get("defaultConstraints") else "System"),
        args.get("defaultConstraints"),
    )
    if kind not in ("System", "List"):
        out.append(f'{path}.defaultingType: Unsupported value: "{kind}": supported values: "System", "List"')
    elif kind == "System" and items:
        out.append(_invalid(f"{path}.defaultingType", kind, "when .defaultConstraints are not empty"))
    for index, item in enumerate(items or ()):
        at = f"{path}.defaultConstraints[{index}]"
        if item.get("maxSkew", 0) <= 0:
            out.append(_invalid(f"{at}.maxSkew", item.get("maxSkew", 0), "not in valid range (0, inf)"))
        if not item.get("topologyKey"):
            out.append(f"{at}.topologyKey: Required value: can not be empty")
        when = item.get("whenUnsatisfiable")
        if not when:
            out.append(f"{at}.whenUnsatisfiable: Required value: can not be empty")
        elif when not in ("DoNotSchedule", "ScheduleAnyway"):
            out.append(
                f'{at}.whenUnsatisfiable: Unsupported value: "{when}": supported values: "DoNotSchedule", "ScheduleAnyway"'
            )
        if item.get("labelSelector") is not None:
            text = "constraint must not define a selector, as they deduced for each pod"
            out.append(f"{at}.labelSelector: Forbidden: {text}")
    return out


def _unregistered(config: Obj) -> list[str]:
    """The first plugin that does not exist, or does not take part where it is named (framework/runtime NewFramework)."""
    for profile in config.get("profiles") or ():
        lead = f"initializing profiles: creating profile for scheduler name {profile.get('schedulerName') or DEFAULT_NAME}: "
        for point, found in (profile.get("plugins") or {}).items():
            for item in (found or {}).get("enabled") or ():
                name = item.get("name") or ""
                kind = ("PreEnqueue" if point == "multiPoint" else point[0].upper() + point[1:]) + "Plugin"
                if name not in table.FACTORIES and name not in table.NAMES:
                    return [f'{lead}{kind} "{name}" does not exist']
                if point in POINTS and name in table.FACTORIES:
                    member = POINTS[point]
                    if member is None or getattr(table.FACTORIES[name]({}), member) is None:
                        return [f'{lead}plugin "{name}" does not extend {kind} plugin']
                elif point in POINTS and OWN.get(point) != name and name != "DynamicResources":
                    return [f'{lead}plugin "{name}" does not extend {kind} plugin']
    return []

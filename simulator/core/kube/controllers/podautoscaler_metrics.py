"""How many replicas a metric asks for (pkg/controller/podautoscaler/replica_calculator.go, metrics/).

Usage comes from the resource metrics API (`metrics.k8s.io`), custom and external metrics from theirs; without a server for them the
errors are those of a cluster that has none.  Amounts are thousandths (milli-CPU, milli-bytes).
"""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple
from urllib.parse import quote

from ...kernel import clock
from ...kernel.errors import ConnectError
from ...kernel.world import World
from ..api import kinds, quantity
from ..api.objects import Obj, condition
from ..api.selectors import from_object, parse_labels
from ..client import ApiError, Informer, KubeClient
from ..component import duration, parse_duration
from .disruption import selector_text

UNREADY = "did not receive metrics for targeted pods (pods might be unready)"
#: The largest amount there is (int64).
MOST = 2**63 - 1
NO_PODS = "no pods returned by selector while calculating replica count"


class Unable(Exception):
    """No count for a metric: the event's reason and text, and the text with what it was for."""

    def __init__(self, reason: str, cause: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.cause = cause


class Failed(Exception):
    """Why there is no number."""


class Sample(NamedTuple):
    """One pod's usage in thousandths, when it was measured (Unix ns) and over how long (ns)."""

    value: int
    at: int
    window: int


class Groups(NamedTuple):
    """How many pods are ready and measured, and the names of the others (groupPods)."""

    ready: int
    unready: set[str]
    missing: set[str]
    ignored: set[str]


class Tolerance(NamedTuple):
    """How far the ratio may be off before anything is done."""

    down: float
    up: float

    def covers(self, ratio: float) -> bool:
        """Whether the ratio is near enough to 1."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


class Source:
    """Where an autoscaler's numbers come from: the metrics APIs, and the pods of the target's selector."""

    def __init__(
        self, client: KubeClient, pods: Informer, namespace: str, selector: str, world: World, flags: dict[str, str]
    ) -> None:
        self.client = client
        self.namespace = namespace
        self.selector = selector
        self.wall = world.wall
        self.tolerance = float(flags.get("horizontal-pod-autoscaler-tolerance", "0.1"))
        self.starting = duration(flags, "horizontal-pod-autoscaler-cpu-initialization-period", 5 * clock.MINUTE)
        self.unready_for = duration(flags, "horizontal-pod-autoscaler-initial-readiness-delay", 30 * clock.SECOND)
        self.pods: list[Obj] = pods.by_label(parse_labels(selector), namespace)

    def _get(self, path: str, query: dict[str, list[str]], what: str, api: str) -> list[Obj]:
        try:
            answer = self.client.call("GET", path, query)
        except ApiError as error:
            text = f"the server could not find the requested resource (get {what})" if error.code == 404 else str(error)
            if error.code == 404 and api == "custom" and not self._served("custom.metrics.k8s.io"):
                text = "no custom metrics API (custom.metrics.k8s.io) registered"
            raise Failed(f"unable to fetch metrics from {api} metrics API: {text}") from None
        except ConnectError as error:
            raise Failed(f"unable to fetch metrics from {api} metrics API: {error}") from None
        items = (answer if isinstance(answer, dict) else {}).get("items") or []
        if not items:
            raise Failed(f"no metrics returned from {api} metrics API")
        return list(items)

    def _served(self, group: str) -> bool:
        """Whether the API server knows a group: the client of custom metrics looks for it before it asks."""
        try:
            self.client.call("GET", f"/apis/{group}", {})
        except (ApiError, ConnectError):
            return False
        return True

    def resource(self, name: str, container: str) -> dict[str, Sample]:
        """The usage of a resource by pod (GetResourceMetric)."""
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{self.namespace}/pods"
        out: dict[str, Sample] = {}
        for item in self._get(path, {"labelSelector": [self.selector]}, "pods.metrics.k8s.io", "resource"):
            used = [c["usage"].get(name) for c in item.get("containers") or () if container in ("", c["name"])]
            if used and all(value is not None for value in used):
                at, window = clock.parse_rfc3339(item["timestamp"]), _seconds(item.get("window") or "0s")
                out[item["metadata"]["name"]] = Sample(sum(quantity.milli(value) for value in used), at, window)
        return out

    def of_pods(self, metric: Obj) -> dict[str, Sample]:
        """A custom metric by pod (GetRawMetric)."""
        name = metric["name"]
        path = f"/apis/custom.metrics.k8s.io/v1beta2/namespaces/{self.namespace}/pods/*/{quote(name)}"
        query = {"labelSelector": [self.selector], **_picked("metricLabelSelector", metric)}
        items = self._get(path, query, "pods.custom.metrics.k8s.io", "custom")
        return {
            i["describedObject"]["name"]: Sample(
                quantity.milli(i["value"]),
                clock.parse_rfc3339(i["timestamp"]),
                int(i.get("windowSeconds") or 60) * clock.SECOND,
            )
            for i in items
        }

    def of_object(self, ref: Obj, metric: Obj) -> int:
        """A custom metric of one object (GetObjectMetric)."""
        group = str(ref.get("apiVersion") or "").rpartition("/")[0]
        info = next((k for k in kinds.KINDS if k.kind == ref["kind"] and k.group == group), None)
        kind = info.group_resource if info is not None else f"{ref['kind'].lower()}s{'.' if group else ''}{group}"
        path = f"/apis/custom.metrics.k8s.io/v1beta2/namespaces/{self.namespace}/{kind}/{ref['name']}/{quote(metric['name'])}"
        query = _picked("metricLabelSelector", metric)
        return quantity.milli(self._get(path, query, f"{kind}.custom.metrics.k8s.io", "custom")[0]["value"])

    def external(self, metric: Obj) -> int:
        """The sum of an external metric's values (GetExternalMetric)."""
        name = metric["name"]
        path = f"/apis/external.metrics.k8s.io/v1beta1/namespaces/{self.namespace}/{quote(name)}"
        items = self._get(path, _picked("labelSelector", metric), f"{name}.external.metrics.k8s.io", "external")
        return min(sum(quantity.milli(item["value"]) for item in items), MOST)


def _picked(parameter: str, metric: Obj) -> dict[str, list[str]]:
    """A metric's own selector as a parameter of the query."""
    selector = metric.get("selector")
    return {parameter: [str(from_object(selector))]} if selector else {}


def _seconds(text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError:
        return 0


# -- replicas ------------------------------------------------------------------------------------------------------------


def group(source: Source, samples: dict[str, Sample], resource: str) -> Groups:
    """Which pods count: ones that are going or failed never, pending ones and those that only start as unready."""
    ready, unready, missing, ignored = 0, set(), set(), set()
    for pod in source.pods:
        name, status = pod["metadata"]["name"], pod.get("status") or {}
        if pod["metadata"].get("deletionTimestamp") or status.get("phase") == "Failed":
            ignored.add(name)
        elif status.get("phase") == "Pending":
            unready.add(name)
        elif name not in samples:
            missing.add(name)
        elif resource == "cpu" and _starting(source, pod, samples[name]):
            unready.add(name)
        else:
            ready += 1
    return Groups(ready, unready, missing, ignored)


def _starting(source: Source, pod: Obj, sample: Sample) -> bool:
    found, started = condition(pod, "Ready"), (pod.get("status") or {}).get("startTime")
    if found is None or not started:
        return True
    began, turned = clock.parse_rfc3339(started), clock.parse_rfc3339(found["lastTransitionTime"])
    if began + source.starting > source.wall:
        return found["status"] == "False" or sample.at < turned + sample.window
    return found["status"] == "False" and began + source.unready_for > turned


def requests(pods: list[Obj], container: str, resource: str) -> dict[str, int]:
    """What each pod asks for, in thousandths; raises Failed where a container asks for nothing (calculateRequests)."""
    out: dict[str, int] = {}
    for pod in pods:
        name, spec = pod["metadata"]["name"], pod["spec"]
        whole = ((spec.get("resources") or {}).get("requests") or {}).get(resource)
        if not container and whole is not None:
            out[name] = quantity.milli(whole)
            continue
        sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
        chosen = [c for c in (*spec.get("containers", ()), *sidecars) if container in ("", c["name"])]
        if container and not chosen:
            raise Failed(f"container {container} not found in Pod {name}")
        total = 0
        for item in chosen:
            asked = ((item.get("resources") or {}).get("requests") or {}).get(resource)
            if asked is None:
                raise Failed(f"missing request for {resource} in container {item['name']} of Pod {name}")
            total += quantity.milli(asked)
        out[name] = total
    return out


def utilization(samples: dict[str, Sample], asked: dict[str, int], target: int) -> tuple[float, int, int]:
    """(ratio to the target, percentage of the requests, mean usage) (GetResourceUtilizationRatio)."""
    used = [(sample.value, asked[name]) for name, sample in samples.items() if name in asked]
    wanted = sum(request for _, request in used)
    if not wanted:
        raise Failed("no metrics returned matched known pods")
    total = sum(value for value, _ in used)
    percent = total * 100 // wanted
    return percent / target, percent, total // len(used)


def _mean(samples: dict[str, Sample], target: int) -> tuple[float, int, int]:
    mean = sum(sample.value for sample in samples.values()) // len(samples)
    return mean / target, mean, mean


def _settle(
    source: Source, current: int, samples: dict[str, Sample], resource: str, tolerance: Tolerance, ratio_of: Any, filler: Any
) -> tuple[int, int, int]:
    """(replicas, utilisation, mean): pods without numbers count against the direction that the others point in."""
    if not source.pods:
        raise Failed(NO_PODS)
    groups = group(source, samples, resource)
    samples = {name: sample for name, sample in samples.items() if name not in groups.ignored | groups.unready}
    if not samples:
        raise Failed(UNREADY)
    ratio, used, mean = ratio_of(samples)
    rising = bool(groups.unready) and ratio > 1.0
    if not rising and not groups.missing:
        return (current if tolerance.covers(ratio) else math.ceil(ratio * groups.ready)), used, mean
    if ratio != 1.0:
        samples |= {name: Sample(filler(name) if ratio < 1.0 else 0, 0, 0) for name in sorted(groups.missing)}
    if rising:
        samples |= {name: Sample(0, 0, 0) for name in sorted(groups.unready)}
    fresh = ratio_of(samples)[0]
    if tolerance.covers(fresh) or (ratio < 1.0 < fresh) or (fresh < 1.0 < ratio):
        return current, used, mean
    replicas = math.ceil(fresh * len(samples))
    if (fresh < 1.0 and replicas > current) or (fresh > 1.0 and replicas < current):
        return current, used, mean
    return replicas, used, mean


def by_utilization(
    source: Source, current: int, target: int, resource: str, container: str, tolerance: Tolerance
) -> tuple[int, int, int]:
    """(replicas, percentage, mean usage) for a target in per cent of the requests (GetResourceReplicas)."""
    samples = _measured(source, resource, container)
    if not source.pods:
        raise Failed(NO_PODS)
    asked: dict[str, int] = {}

    def ratio_of(found: dict[str, Sample]) -> tuple[float, int, int]:
        if not asked:
            asked.update(requests(source.pods, container, resource))
        return utilization(found, asked, target)

    def filler(name: str) -> int:
        return asked[name] * max(100, target) // 100

    return _settle(source, current, samples, resource, tolerance, ratio_of, filler)


def by_mean(
    source: Source, current: int, target: int, samples: dict[str, Sample], resource: str, tolerance: Tolerance
) -> tuple[int, int]:
    """(replicas, mean) for a target per pod (calcPlainMetricReplicas)."""
    replicas, mean, _ = _settle(
        source, current, samples, resource, tolerance, lambda found: _mean(found, target), lambda _name: target
    )
    return replicas, mean


def _measured(source: Source, resource: str, container: str) -> dict[str, Sample]:
    try:
        return source.resource(resource, container)
    except Failed as error:
        raise Failed(f"unable to get metrics for resource {resource}: {error}") from None


def by_ratio(source: Source, current: int, ratio: float, tolerance: Tolerance) -> int:
    """The ready pods scaled by a ratio (getUsageRatioReplicaCount)."""
    if tolerance.covers(ratio):
        return current
    if not source.pods:
        raise Failed(f"unable to calculate ready pods: {NO_PODS}")
    ready = sum(
        1
        for pod in source.pods
        if (pod.get("status") or {}).get("phase") == "Running" and (condition(pod, "Ready") or {}).get("status") == "True"
    )
    return min(math.ceil(ratio * ready), 2**31 - 1)


def per_pod(current: int, usage: int, target: int, tolerance: Tolerance) -> tuple[int, int]:
    """(replicas, usage a pod) for a sum that is shared by the pods (GetObjectPerPodMetricReplicas)."""
    if not current:
        return math.ceil(usage / target), 0
    replicas = current if tolerance.covers(usage / (target * current)) else min(math.ceil(usage / target), 2**31 - 1)
    return replicas, MOST if usage >= MOST else math.ceil(usage / current)


# -- the kinds of metrics ------------------------------------------------------------------------------------------------


def tolerance_of(source: Source, hpa: Obj) -> Tolerance:
    """The flag's tolerance, or the autoscaler's own (tolerancesForHpa)."""
    behavior = hpa["spec"].get("behavior") or {}

    def of(direction: str) -> float:
        given = (behavior.get(direction) or {}).get("tolerance")
        return quantity.milli(given) / 1000 if given is not None else source.tolerance

    return Tolerance(of("scaleDown"), of("scaleUp"))


def amount(resource: str, milli: int) -> str:
    """A usage as status shows it: memory in bytes with binary suffixes where they are exact (buildQuantity)."""
    return str(quantity.Quantity(milli * 1_000_000, "BinarySI" if resource == "memory" else "DecimalSI"))


def replicas_for(source: Source, hpa: Obj, spec: Obj, current: int, status_replicas: int) -> tuple[int, str, Obj]:
    """(replicas, the metric's description, its status) of one entry of spec.metrics; raises Unable."""
    kind = spec["type"]
    known = {
        "Resource": _resource, "ContainerResource": _container_resource, "Pods": _pods, "Object": _object, "External": _external,
    }  # fmt: skip
    if kind not in known:
        text = f"unknown metric source type {json.dumps(kind)}"
        raise Unable("InvalidMetricSourceType", text, text)
    return known[kind](source, hpa, spec, current, status_replicas)


def _of_resource(source: Source, hpa: Obj, current: int, name: str, target: Obj, container: str) -> tuple[int, str, Obj]:
    tolerance = tolerance_of(source, hpa)
    if target.get("averageValue") is not None:
        try:
            samples = _measured(source, name, container)
            replicas, mean = by_mean(source, current, quantity.milli(target["averageValue"]), samples, name, tolerance)
        except Failed as error:
            raise Failed(f"failed to get {name} usage: {error}") from None
        return replicas, f"{name} resource", {"averageValue": amount(name, mean)}
    try:
        replicas, percent, mean = by_utilization(source, current, target["averageUtilization"], name, container, tolerance)
    except Failed as error:
        raise Failed(f"failed to get {name} utilization: {error}") from None
    middle = " container" if container else ""
    text = f"{name}{middle} resource utilization (percentage of request)"
    return replicas, text, {"averageUtilization": percent, "averageValue": amount(name, mean)}


def _resource(source: Source, hpa: Obj, spec: Obj, current: int, _status: int) -> tuple[int, str, Obj]:
    name = spec["resource"]["name"]
    try:
        replicas, text, found = _of_resource(source, hpa, current, name, spec["resource"]["target"], "")
    except Failed as error:
        text = f"failed to get {name} resource metric value: {error}"
        raise Unable("FailedGetResourceMetric", str(error), text) from None
    return replicas, text, {"type": "Resource", "resource": {"name": name, "current": found}}


def _container_resource(source: Source, hpa: Obj, spec: Obj, current: int, _status: int) -> tuple[int, str, Obj]:
    item = spec["containerResource"]
    try:
        replicas, text, found = _of_resource(source, hpa, current, item["name"], item["target"], item["container"])
    except Failed as error:
        text = f"failed to get {item['container']} container metric value: {error}"
        raise Unable("FailedGetContainerResourceMetric", str(error), text) from None
    shown = {"name": item["name"], "container": item["container"], "current": found}
    return replicas, text, {"type": "ContainerResource", "containerResource": shown}


def _pods(source: Source, hpa: Obj, spec: Obj, current: int, _status: int) -> tuple[int, str, Obj]:
    metric, target = spec["pods"]["metric"], spec["pods"]["target"]
    try:
        try:
            samples = source.of_pods(metric)
        except Failed as error:
            raise Failed(f"unable to get metric {metric['name']}: {error}") from None
        wanted = quantity.milli(target["averageValue"])
        replicas, mean = by_mean(source, current, wanted, samples, "", tolerance_of(source, hpa))
    except Failed as error:
        raise Unable("FailedGetPodsMetric", str(error), f"failed to get pods metric value: {error}") from None
    shown = {"metric": metric, "current": {"averageValue": amount("", mean)}}
    return replicas, f"pods metric {metric['name']}", {"type": "Pods", "pods": shown}


def _object(source: Source, hpa: Obj, spec: Obj, current: int, status: int) -> tuple[int, str, Obj]:
    item = spec["object"]
    ref, metric, target = item["describedObject"], item["metric"], item["target"]
    tolerance = tolerance_of(source, hpa)
    try:
        try:
            usage = source.of_object(ref, metric)
        except Failed as error:
            where = f"{ref['kind']} on {source.namespace} {ref['name']}/{error}"
            raise Failed(f"unable to get metric {metric['name']}: {where}") from None
        if target.get("value") is not None:
            replicas = by_ratio(source, current, usage / quantity.milli(target["value"]), tolerance)
            found = {"value": amount("", usage)}
        else:
            replicas, each = per_pod(status, usage, quantity.milli(target["averageValue"]), tolerance)
            found = {"averageValue": amount("", each)}
    except Failed as error:
        raise Unable("FailedGetObjectMetric", str(error), f"failed to get object metric value: {error}") from None
    shown = {"describedObject": ref, "metric": metric, "current": found}
    return replicas, f"{ref['kind']} metric {metric['name']}", {"type": "Object", "object": shown}


def _external(source: Source, hpa: Obj, spec: Obj, current: int, status: int) -> tuple[int, str, Obj]:
    metric, target = spec["external"]["metric"], spec["external"]["target"]
    tolerance = tolerance_of(source, hpa)
    try:
        try:
            usage = source.external(metric)
        except Failed as error:
            where = f"{source.namespace}/{metric['name']}"
            raise Failed(f"unable to get external metric {where}/{selector_text(metric.get('selector'))}: {error}") from None
        if target.get("averageValue") is not None:
            replicas, each = per_pod(status, usage, quantity.milli(target["averageValue"]), tolerance)
            found = {"averageValue": amount("", each)}
        else:
            replicas = by_ratio(source, current, usage / quantity.milli(target["value"]), tolerance)
            found = {"value": amount("", usage)}
    except Failed as error:
        text = f"failed to get {metric['name']} external metric value: {error}"
        raise Unable("FailedGetExternalMetric", str(error), text) from None
    text = f"external metric {metric['name']}({selector_text(metric.get('selector'))})"
    return replicas, text, {"type": "External", "external": {"metric": metric, "current": found}}

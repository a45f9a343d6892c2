"""Deployments, replica sets, daemon sets, stateful sets, jobs, cron jobs (`describe.go`)."""

from __future__ import annotations

from typing import Any

from ....kernel import clock
from ....kube.api import objects
from ....kube.api.printers.base import human
from .doc import Doc, labels_text, selector_text, time_text
from .pods import template

Obj = dict[str, Any]
HASH = "pod-template-hash"


def deployment(d: Doc, obj: Obj) -> None:
    """A Deployment with its old and new replica sets."""
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    d.head(obj)
    d.line(0, f"CreationTimestamp:\t{time_text(meta.get('creationTimestamp'))}")
    d.labels_and_annotations(obj)
    d.line(0, f"Selector:\t{selector_text(spec.get('selector'))}")
    counts = [status.get(key, 0) for key in ("updatedReplicas", "replicas", "availableReplicas", "unavailableReplicas")]
    d.line(
        0,
        f"Replicas:\t{spec.get('replicas', 0)} desired | {counts[0]} updated | {counts[1]} total | {counts[2]} available | {counts[3]} unavailable",
    )
    strategy = spec.get("strategy") or {}
    d.line(0, f"StrategyType:\t{strategy.get('type', '')}")
    d.line(0, f"MinReadySeconds:\t{spec.get('minReadySeconds', 0)}")
    if strategy.get("rollingUpdate"):
        rolling = strategy["rollingUpdate"]
        d.line(0, f"RollingUpdateStrategy:\t{rolling.get('maxUnavailable')} max unavailable, {rolling.get('maxSurge')} max surge")
    template(d, spec.get("template"))
    d.conditions(status.get("conditions"))
    old, new = replica_sets(d, obj)
    if old or new:
        d.line(0, f"OldReplicaSets:\t{_created(old)}")
        d.line(0, f"NewReplicaSet:\t{_created(new)}")
    d.events(obj)


def owned_replica_sets(d: Doc, obj: Obj) -> list[Obj]:
    """The replica sets of a deployment, oldest first."""
    query = str(selector_text(obj["spec"].get("selector")))
    found = d.s.list(d.s.kind("replicasets.apps"), obj["metadata"]["namespace"], labels=query)
    owned = [item for item in found if (objects.controller_of(item) or {}).get("uid") == obj["metadata"].get("uid")]
    return sorted(owned, key=lambda item: (item["metadata"]["creationTimestamp"], item["metadata"]["name"]))


def same_template(left: Obj, right: Obj) -> bool:
    """Two pod templates, but for the hash label."""

    def bare(item: Obj) -> Obj:
        meta = dict(item.get("metadata") or {})
        meta["labels"] = {key: value for key, value in (meta.get("labels") or {}).items() if key != HASH}
        return {"metadata": {key: value for key, value in meta.items() if value}, "spec": item.get("spec")}

    return bare(left) == bare(right)


def replica_sets(d: Doc, obj: Obj) -> tuple[list[Obj], list[Obj]]:
    """Old ones that still have pods, and the new one."""
    owned = owned_replica_sets(d, obj)
    new = [item for item in owned if same_template(item["spec"]["template"], obj["spec"]["template"])][:1]
    return [item for item in owned if item not in new], new


def _created(items: list[Obj]) -> str:
    texts = [f"{item['metadata']['name']} ({(item.get('status') or {}).get('replicas', 0)}/{item['spec'].get('replicas', 0)} replicas created)"
             for item in items]  # fmt: skip
    return ", ".join(texts) or "<none>"


def pod_counts(d: Doc, obj: Obj, selector: Obj) -> str:
    """`1 Running / 0 Waiting / …` of the pods that a controller owns."""
    query = selector_text(selector)
    pods = d.s.list(d.s.kind("pods"), obj["metadata"]["namespace"], labels="" if query == "<none>" else query)
    phases = [(item.get("status") or {}).get("phase") for item in pods
              if (objects.controller_of(item) or {}).get("uid") == obj["metadata"].get("uid")]  # fmt: skip
    count = phases.count
    return f"{count('Running')} Running / {count('Pending')} Waiting / {count('Succeeded')} Succeeded / {count('Failed')} Failed"


def replica_set(d: Doc, obj: Obj) -> None:
    """A ReplicaSet."""
    spec, status = obj["spec"], obj.get("status") or {}
    d.head(obj)
    d.line(0, f"Selector:\t{selector_text(spec.get('selector'))}")
    d.labels_and_annotations(obj)
    d.controlled_by(obj)
    d.line(0, f"Replicas:\t{status.get('replicas', 0)} current / {spec.get('replicas', 0)} desired")
    d.line(0, f"Pods Status:\t{pod_counts(d, obj, spec['selector'])}")
    template(d, spec.get("template"))
    d.conditions(status.get("conditions"))
    d.events(obj)


def replication_controller(d: Doc, obj: Obj) -> None:
    """A ReplicationController."""
    spec, status = obj["spec"], obj.get("status") or {}
    d.head(obj)
    d.line(0, f"Selector:\t{labels_text(spec.get('selector'))}")
    d.labels_and_annotations(obj)
    d.line(0, f"Replicas:\t{status.get('replicas', 0)} current / {spec.get('replicas', 0)} desired")
    d.line(0, f"Pods Status:\t{pod_counts(d, obj, {'matchLabels': spec.get('selector')})}")
    template(d, spec.get("template"))
    d.conditions(status.get("conditions"))
    d.events(obj)


def daemon_set(d: Doc, obj: Obj) -> None:
    """A DaemonSet."""
    spec, status = obj["spec"], obj.get("status") or {}
    d.head(obj)
    d.line(0, f"Selector:\t{selector_text(spec.get('selector'))}")
    d.line(0, f"Node-Selector:\t{labels_text((spec['template'].get('spec') or {}).get('nodeSelector'))}")
    d.labels_and_annotations(obj)
    for title, key in (("Desired Number of Nodes Scheduled", "desiredNumberScheduled"), ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
                       ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
                       ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
                       ("Number of Nodes Misscheduled", "numberMisscheduled")):  # fmt: skip
        d.line(0, f"{title}: {status.get(key, 0)}")
    d.line(0, f"Pods Status:\t{pod_counts(d, obj, spec['selector'])}")
    template(d, spec.get("template"))
    d.events(obj)


def stateful_set(d: Doc, obj: Obj) -> None:
    """A StatefulSet."""
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    d.head(obj)
    d.line(0, f"CreationTimestamp:\t{time_text(meta.get('creationTimestamp'))}")
    d.line(0, f"Selector:\t{selector_text(spec.get('selector'))}")
    d.labels_and_annotations(obj)
    d.line(0, f"Replicas:\t{spec.get('replicas', 0)} desired | {status.get('replicas', 0)} total")
    strategy = spec.get("updateStrategy") or {}
    d.line(0, f"Update Strategy:\t{strategy.get('type', '')}")
    rolling = strategy.get("rollingUpdate") or {}
    if rolling.get("partition") is not None:
        d.line(1, f"Partition:\t{rolling['partition']}")
        if rolling.get("maxUnavailable") is not None:
            d.line(1, f"MaxUnavailable:\t{rolling['maxUnavailable']}")
    d.line(0, f"Pods Status:\t{pod_counts(d, obj, spec['selector'])}")
    template(d, spec.get("template"))
    _claims(d, spec.get("volumeClaimTemplates") or [])
    d.events(obj)


def _claims(d: Doc, claims: list[Obj]) -> None:
    if not claims:
        d.line(0, "Volume Claims:\t<none>")
        return
    d.line(0, "Volume Claims:")
    for item in claims:
        meta, spec = item["metadata"], item.get("spec") or {}
        d.line(1, f"Name:\t{meta['name']}")
        d.line(1, f"StorageClass:\t{spec.get('storageClassName', '')}")
        d.labels("Labels", meta.get("labels"), "  ")
        d.labels("Annotations", meta.get("annotations"), "  ")
        d.line(1, f"Capacity:\t{((spec.get('resources') or {}).get('requests') or {}).get('storage', '<default>')}")
        d.line(1, f"Access Modes:\t[{' '.join(spec.get('accessModes') or ())}]")


def job(d: Doc, obj: Obj) -> None:
    """A Job."""
    spec, status = obj["spec"], obj.get("status") or {}
    d.head(obj)
    d.line(0, f"Selector:\t{selector_text(spec.get('selector'))}")
    d.labels_and_annotations(obj)
    d.controlled_by(obj)
    if spec.get("parallelism") is not None:
        d.line(0, f"Parallelism:\t{spec['parallelism']}")
    d.line(0, f"Completions:\t{spec['completions'] if spec.get('completions') is not None else '<unset>'}")
    for title, key in (("Completion Mode", "completionMode"), ("Suspend", "suspend"), ("Backoff Limit", "backoffLimit"),
                       ("TTL Seconds After Finished", "ttlSecondsAfterFinished")):  # fmt: skip
        if spec.get(key) is not None:
            value = spec[key]
            d.line(0, f"{title}:\t{('true' if value else 'false') if isinstance(value, bool) else value}")
    start, end = status.get("startTime"), status.get("completionTime")
    if start:
        d.line(0, f"Start Time:\t{time_text(start)}")
    if end:
        d.line(0, f"Completed At:\t{time_text(end)}")
    if start and end:
        d.line(0, f"Duration:\t{human(clock.parse_rfc3339(end) - clock.parse_rfc3339(start))}")
    if spec.get("activeDeadlineSeconds") is not None:
        d.line(0, f"Active Deadline Seconds:\t{spec['activeDeadlineSeconds']}s")
    ready = f" ({status['ready']} Ready)" if status.get("ready") is not None else ""
    d.line(
        0,
        f"Pods Statuses:\t{status.get('active', 0)} Active{ready} / {status.get('succeeded', 0)} Succeeded / {status.get('failed', 0)} Failed",
    )
    if spec.get("completionMode") == "Indexed":
        d.line(0, f"Completed Indexes:\t{_capped(status.get('completedIndexes', ''))}")
    template(d, spec.get("template"))
    d.events(obj)


def _capped(indexes: str, limit: int = 50) -> str:
    if not indexes:
        return "<none>"
    comma = indexes.find(",", limit)
    return indexes if comma < 0 else indexes[: comma + 1] + "..."


def cron_job(d: Doc, obj: Obj) -> None:
    """A CronJob."""
    spec, status = obj["spec"], obj.get("status") or {}

    def unset(value: Any, suffix: str = "") -> str:
        return "<unset>" if value is None else f"{value}{suffix}"

    d.head(obj)
    d.labels_and_annotations(obj)
    d.line(0, f"Schedule:\t{spec.get('schedule', '')}")
    d.line(0, f"Concurrency Policy:\t{spec.get('concurrencyPolicy', '')}")
    d.line(0, f"Suspend:\t{unset(spec.get('suspend'))}")
    d.line(0, f"Time Zone:\t{unset(spec.get('timeZone'))}")
    d.line(0, f"Successful Job History Limit:\t{unset(spec.get('successfulJobsHistoryLimit'))}")
    d.line(0, f"Failed Job History Limit:\t{unset(spec.get('failedJobsHistoryLimit'))}")
    d.line(0, f"Starting Deadline Seconds:\t{unset(spec.get('startingDeadlineSeconds'), 's')}")
    inner = (spec.get("jobTemplate") or {}).get("spec") or {}
    d.line(0, f"Selector:\t{selector_text(inner['selector']) if inner.get('selector') else '<unset>'}")
    d.line(0, f"Parallelism:\t{unset(inner.get('parallelism'))}")
    d.line(0, f"Completions:\t{unset(inner.get('completions'))}")
    if inner.get("activeDeadlineSeconds") is not None:
        d.line(0, f"Active Deadline Seconds:\t{inner['activeDeadlineSeconds']}s")
    template(d, inner.get("template"))
    last = status.get("lastScheduleTime")
    d.line(0, f"Last Schedule Time:\t{time_text(last) if last else '<unset>'}")
    d.line(0, "Active Jobs:\t" + (", ".join(item["name"] for item in status.get("active") or ()) or "<none>"))
    d.events(obj)

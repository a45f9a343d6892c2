"""The controllers lens: what one control loop is asked for, what it finds, what it has in its queue and what it did last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...kernel.clock import SECOND, parse_rfc3339
from ...kernel.world import World
from ...kube.api.objects import controller_of
from ...kube.controllers.base import ManagerState
from ...kube.controllers.identity import account_of
from ...kube.controllers.nodelifecycle import grace_period
from .common import choose, last_events, objects, told

Json = dict[str, Any]
#: An object of a controller: its name, what is wanted, what was found, whether they agree; `note` is the API's own word.
Row = dict[str, Any]

DEFAULT = "deployment-controller"
#: Objects, keys of the queue and actions that are listed.
OBJECTS = 12
KEYS = 12
ACTIONS = 10


def lens(world: World, about: str) -> Json:
    """The controller `about`, else the one that acted last."""
    leader = _leader(world)
    names = sorted(leader[1].queues) if leader is not None else []
    about = choose(names, about, _busiest(world, names))
    state = leader[1] if leader is not None else None
    work = state.queues[about] if state is not None and about else None
    keys = sorted(work.keys.items(), key=lambda item: item[1]) if work is not None else []
    return {
        "about": about,
        "choices": names,
        "leader": leader[0].partition("/")[0] if leader is not None else "",
        "account": account_of(about) if about else "",
        "objects": LOOPS[about](world)[:OBJECTS] if about in LOOPS else None,
        "queue": [
            {"key": key, "due": due, "failures": work.failures.get(key, 0) if work is not None else 0} for key, due in keys[:KEYS]
        ],
        "queued": len(keys),
        "next_look": _next_look(world, state, about) if state is not None else 0,
        "actions": _actions(world, about),
    }


def _leader(world: World) -> tuple[str, ManagerState] | None:
    """The process that leads (`host/pid`) and its state."""
    held: dict[str, ManagerState] = world.sections.get("kcm", {})
    return next(((key, state) for key, state in sorted(held.items()) if state.running), None)


def _actors(controller: str) -> set[str]:
    return {controller, account_of(controller)}


def _busiest(world: World, names: list[str]) -> str:
    """The controller that acted last, of those that a learner's objects move."""
    loops = {actor: name for name in names if name in LOOPS for actor in _actors(name)}
    return next((loops[event.actor] for event in reversed(world.trace) if event.actor in loops), DEFAULT)


def _next_look(world: World, state: ManagerState, about: str) -> int:
    """The virtual time of the loop's next periodic look, 0 when it has none."""
    timer = world.timers.get(state.ticks.get(about, 0))
    return timer.at if timer is not None else 0


def _actions(world: World, about: str) -> list[Json]:
    actors = _actors(about)
    return [told(event) for event in last_events(world, lambda event: event.actor in actors, ACTIONS)]


# -- what each loop compares ----------------------------------------------------------------------------------------------


def _name(obj: Json) -> str:
    meta = obj["metadata"]
    return f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else str(meta["name"])


def _row(obj: Json, wanted: object, found: object, *, ok: bool | None = None, note: str = "") -> Row:
    return {
        "name": _name(obj),
        "wanted": str(wanted),
        "found": str(found),
        "ok": wanted == found if ok is None else ok,
        "note": "deleting" if obj["metadata"].get("deletionTimestamp") else note,
    }


def _owned(world: World, prefix: str) -> dict[str, list[Json]]:
    """Objects by the uid of the controller that owns them."""
    out: dict[str, list[Json]] = {}
    for obj in objects(world, prefix):
        owner = controller_of(obj)
        if owner is not None:
            out.setdefault(owner["uid"], []).append(obj)
    return out


def _active(pods: list[Json]) -> list[Json]:
    ended = ("Succeeded", "Failed")
    return [p for p in pods if p["status"].get("phase") not in ended and not p["metadata"].get("deletionTimestamp")]


def _ready(pods: list[Json]) -> int:
    return sum(
        any(c.get("type") == "Ready" and c.get("status") == "True" for c in p["status"].get("conditions") or ()) for p in pods
    )


def _deployments(world: World) -> list[Row]:
    sets = _owned(world, "replicasets")
    out = []
    for obj in objects(world, "deployments"):
        wanted, status = obj["spec"].get("replicas", 1), obj["status"]
        mine = [s for s in sets.get(obj["metadata"]["uid"], ()) if s["spec"].get("replicas")]
        shares = " + ".join(f"{s['metadata']['name'].rpartition('-')[2]} {s['spec']['replicas']}" for s in mine)
        found = status.get("updatedReplicas", 0)
        whole = found == status.get("availableReplicas", 0) == status.get("replicas", 0)
        out.append(_row(obj, wanted, found, ok=wanted == found and whole, note=shares))
    return out


def _sets_of_pods(prefix: str) -> Callable[[World], list[Row]]:
    def rows(world: World) -> list[Row]:
        pods, out = _owned(world, "pods"), []
        for obj in objects(world, prefix):
            mine = _active(pods.get(obj["metadata"]["uid"], []))
            wanted = obj["spec"].get("replicas", 1)
            if wanted or mine:
                out.append(_row(obj, wanted, len(mine), note=f"ready {_ready(mine)}"))
        return out

    return rows


def _daemon_sets(world: World) -> list[Row]:
    pods = _owned(world, "pods")
    return [
        _row(obj, obj["status"].get("desiredNumberScheduled", 0), len(mine), note=f"ready {_ready(mine)}")
        for obj in objects(world, "daemonsets")
        for mine in (_active(pods.get(obj["metadata"]["uid"], [])),)
    ]


def _jobs(world: World) -> list[Row]:
    return [
        _row(
            obj,
            obj["spec"].get("completions") or 1,
            obj["status"].get("succeeded", 0),
            note=f"active {obj['status'].get('active', 0)}, failed {obj['status'].get('failed', 0)}",
        )
        for obj in objects(world, "jobs")
    ]


def _cron_jobs(world: World) -> list[Row]:
    return [
        _row(obj, obj["spec"].get("schedule", ""), obj["status"].get("lastScheduleTime", "–"), ok=True, note=str(len(obj["status"].get("active") or ())) + " active")
        for obj in objects(world, "cronjobs")
    ]  # fmt: skip


def _nodes(world: World) -> list[Row]:
    leases = {o["metadata"]["name"]: o["spec"].get("renewTime", "") for o in objects(world, "leases/kube-node-lease")}
    found = _leader(world)
    grace = grace_period(found[1].flags if found is not None else {}) // SECOND
    out = []
    for obj in objects(world, "minions"):
        renewed = leases.get(obj["metadata"]["name"], "")
        age = (world.wall - parse_rfc3339(renewed)) // SECOND if renewed else None
        ready = next((c.get("status", "") for c in obj["status"].get("conditions") or () if c.get("type") == "Ready"), "")
        out.append(
            _row(obj, f"lease < {grace}s", renewed[11:19] or "–", ok=age is not None and age < grace, note=f"Ready {ready}")
        )
    return out  # fmt: skip


def _taints(world: World) -> list[Row]:
    pods: dict[str, int] = {}
    for pod in _active(objects(world, "pods")):
        pods[pod["spec"].get("nodeName", "")] = pods.get(pod["spec"].get("nodeName", ""), 0) + 1
    return [
        _row(obj, "NoExecute 0" if not bad else ", ".join(bad), f"pods {pods.get(obj['metadata']['name'], 0)}", ok=not bad)
        for obj in objects(world, "minions")
        for bad in ([t["key"] for t in obj["spec"].get("taints") or () if t.get("effect") == "NoExecute"],)
    ]


def _slices(world: World) -> list[Row]:
    pods = objects(world, "pods")
    held: dict[str, int] = {}
    for item in objects(world, "endpointslices"):
        key = f"{item['metadata']['namespace']}/{(item['metadata'].get('labels') or {}).get('kubernetes.io/service-name', '')}"
        ready = [e for e in item.get("endpoints") or () if (e.get("conditions") or {}).get("ready") is not False]
        held[key] = held.get(key, 0) + len(ready)
    out = []
    for obj in objects(world, "services/specs"):
        selector, space = obj["spec"].get("selector"), obj["metadata"]["namespace"]
        if not selector:
            continue
        matching = [
            p
            for p in _active(pods)
            if p["metadata"].get("namespace") == space and selector.items() <= (p["metadata"].get("labels") or {}).items()
        ]
        out.append(_row(obj, _ready(matching), held.get(_name(obj), 0), note=",".join(f"{k}={v}" for k, v in selector.items())))
    return out


def _namespaces(world: World) -> list[Row]:
    return [
        _row(obj, "gone" if obj["metadata"].get("deletionTimestamp") else "Active", obj["status"].get("phase", ""))
        for obj in objects(world, "namespaces")
    ]


def _in_each_namespace(prefix: str, name: str) -> Callable[[World], list[Row]]:
    def rows(world: World) -> list[Row]:
        there = {_name(o) for o in objects(world, prefix)}
        return [
            _row(obj, name, name if f"{obj['metadata']['name']}/{name}" in there else "–")
            for obj in objects(world, "namespaces")
            if not obj["metadata"].get("deletionTimestamp")
        ]

    return rows


def _autoscalers(world: World) -> list[Row]:
    return [
        _row(obj, obj["status"].get("desiredReplicas", 0), obj["status"].get("currentReplicas", 0), note=f"{obj['spec'].get('minReplicas', 1)}–{obj['spec'].get('maxReplicas')}")
        for obj in objects(world, "horizontalpodautoscalers")
    ]  # fmt: skip


def _claims(world: World) -> list[Row]:
    return [
        _row(obj, "Bound", obj["status"].get("phase", ""), note=obj["spec"].get("volumeName") or obj["spec"].get("storageClassName") or "")
        for obj in objects(world, "persistentvolumeclaims")
    ]  # fmt: skip


#: What each loop compares; the others have no objects of a learner's to show, only their queue and actions.
LOOPS: dict[str, Callable[[World], list[Row]]] = {
    "deployment-controller": _deployments,
    "replicaset-controller": _sets_of_pods("replicasets"),
    "replicationcontroller-controller": _sets_of_pods("controllers"),
    "statefulset-controller": _sets_of_pods("statefulsets"),
    "daemonset-controller": _daemon_sets,
    "job-controller": _jobs,
    "cronjob-controller": _cron_jobs,
    "node-lifecycle-controller": _nodes,
    "taint-eviction-controller": _taints,
    "endpointslice-controller": _slices,
    "namespace-controller": _namespaces,
    "serviceaccount-controller": _in_each_namespace("serviceaccounts", "default"),
    "root-ca-certificate-publisher-controller": _in_each_namespace("configmaps", "kube-root-ca.crt"),
    "horizontal-pod-autoscaler-controller": _autoscalers,
    "persistentvolume-binder-controller": _claims,
}

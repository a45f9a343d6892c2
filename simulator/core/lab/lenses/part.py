"""One part of the ship map: its flags, the file that says how it runs, the end of its log, and what is said about it when it is not well.

It is not a lens that the map's switch offers: the page asks for it when a part is selected.  Parts are named as on the map: `host/component`,
`etcd`, and `pod:namespace/name`.
"""

from __future__ import annotations

from typing import Any

import yaml

from ...host import files, unitfiles
from ...host.machine import Host, hosts
from ...host.process import Process
from ...kernel.clock import to_datetime
from ...kernel.world import World
from ...runtime.state import Container, find_container, runtimes
from .common import objects, running_as

Json = dict[str, Any]

LINES = 14
#: Characters of a line and of a file that are shown.
WIDE, LONG = 400, 12_000
STATIC = ("etcd", "kube-apiserver", "kube-scheduler", "kube-controller-manager")
PROGRAMS = {"docker": "dockerd"}
CONFIG = {"kubelet": "/var/lib/kubelet/config.yaml", "containerd": "/etc/containerd/config.toml", "docker": "/etc/docker/daemon.json", "haproxy": "/etc/haproxy/haproxy.cfg"}  # fmt: skip


def lens(world: World, about: str) -> Json:
    """What is known of the part `about`; empty lists for one that is not there."""
    out: Json = {"about": about, "flags": [], "files": [], "log": [], "log_of": "", "pid": 0, "said": []}
    if about.startswith("pod:"):
        return {**out, **_pod(world, about.removeprefix("pod:"))}
    host_name, _, name = about.rpartition("/")
    if about == "etcd":
        host_name = next((h for h in sorted(hosts(world)) if _process(hosts(world)[h], "etcd") is not None), "")
    host = hosts(world).get(host_name)
    return {**out, **_component(world, host, name)} if host is not None else out


def _process(host: Host, name: str) -> Process | None:
    wanted = PROGRAMS.get(name, name)
    return next((proc for proc in host.processes.values() if running_as(proc.argv, wanted)), None)


def _component(world: World, host: Host, name: str) -> Json:
    proc = _process(host, name)
    found: Json = {"flags": list(proc.argv[1:]) if proc is not None else [], "pid": proc.pid if proc is not None else 0}
    found["said"] = _said_of_component(world, host, name, proc is not None)
    if name in STATIC and files.tree(host).exists(f"/etc/kubernetes/manifests/{name}.yaml"):
        found["files"] = _texts(host, [f"/etc/kubernetes/manifests/{name}.yaml"])
    elif name == "kube-proxy":
        config = next((o for o in objects(world, "configmaps/kube-system") if o["metadata"]["name"] == "kube-proxy"), None)
        text = str(((config or {}).get("data") or {}).get("config.conf", ""))
        found["files"] = [{"path": "configmap kube-system/kube-proxy: config.conf", "text": text[:LONG]}] if text else []
    else:
        found["files"] = _texts(host, [*_unit_files(world, host, name), *([CONFIG[name]] if name in CONFIG else [])])
    container = find_container(world, host.name, proc.container) if proc is not None and proc.container else None
    if container is None and f"{name}.service" in host.units:
        return {**found, "log": _journal(host, f"{name}.service"), "log_of": f"journalctl -u {name}"}
    if container is None:
        container = _last(world, host, name)
    return {**found, **(_log(host, container) if container is not None else {})}


def _unit_files(world: World, host: Host, name: str) -> list[str]:
    """A unit's file and its drop-ins."""
    try:
        unit = unitfiles.load(world, host, name)
    except unitfiles.UnitNotFound:
        return []
    return [unit.path, *unit.drop_ins]


def _last(world: World, host: Host, name: str) -> Container | None:
    """The container of that name that ended last: of a component that does not run."""
    state = runtimes(world).get(host.name)
    space = state.namespaces.get("k8s.io") if state is not None else None
    return max(
        (c for c in (space.containers.values() if space is not None else ()) if c.name == name), key=lambda c: c.created_at, default=None
    )  # fmt: skip


def _pod(world: World, name: str) -> Json:
    namespace, _, short = name.partition("/")
    obj = next((o for o in objects(world, f"pods/{namespace}") if o["metadata"]["name"] == short), None)
    if obj is None:
        return {}
    meta = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    shown = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": obj["spec"]}
    found: Json = {"files": [{"path": f"pods/{name}", "text": yaml.safe_dump(shown, sort_keys=False, width=100)[:LONG]}]}
    found["said"] = _said_of_pod(world, obj)
    host = hosts(world).get(obj["spec"].get("nodeName", ""))
    state = runtimes(world).get(host.name) if host is not None else None
    if host is None or state is None:
        return found
    ids = [str(s.get("containerID", "")).rpartition("//")[2] for s in obj["status"].get("containerStatuses") or ()]
    containers = [c for ident in ids if ident and (c := find_container(world, host.name, ident)) is not None]
    if containers:
        found["flags"] = [" ".join(c.argv) for c in containers]
        found |= _log(host, containers[0])
    return found


def _says(who: str, *words: Any) -> Json:
    return {"who": who, "text": ": ".join(str(word).strip() for word in words if word)[:WIDE]}


def _said_of_pod(world: World, obj: Json) -> list[Json]:
    """What scheduler and kubelet say about a pod that does not run as it should, in their own words, the most telling first."""
    status, meta = obj["status"], obj["metadata"]
    said, told = [], False
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            said.append(_says("scheduler", condition.get("message")))
    if status.get("reason"):
        said.append(_says("kubelet", status["reason"], status.get("message")))
    for one in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        state, last = one.get("state") or {}, (one.get("lastState") or {}).get("terminated")
        waiting, ended = state.get("waiting"), state.get("terminated")
        if waiting and waiting.get("reason") not in ("ContainerCreating", "PodInitializing"):
            said.append(_says("kubelet", one["name"], waiting.get("reason"), waiting.get("message")))
            told = told or waiting.get("reason") != "CrashLoopBackOff"
        for end in (ended, last):
            if end and end.get("exitCode"):
                said.append(_says("containerd", one["name"], end.get("reason"), f"exit code {end['exitCode']}"))
                break
    unready = any(not one.get("ready") for one in status.get("containerStatuses") or ())
    if not told and (unready or (not said and status.get("phase") == "Pending")):
        warned = [
            o
            for o in objects(world, f"events/{meta['namespace']}")
            if o.get("type") == "Warning" and (o.get("involvedObject") or {}).get("uid") == meta["uid"]
        ]
        if warned:
            newest = max(warned, key=lambda o: str(o.get("lastTimestamp") or o.get("eventTime") or ""))
            said.append(
                _says(
                    str((newest.get("source") or {}).get("component") or newest.get("reportingComponent")),
                    newest["reason"],
                    newest["message"],
                )
            )
    return [one for i, one in enumerate(said) if one not in said[:i]][:3]


def _said_of_component(world: World, host: Host, name: str, runs: bool) -> list[Json]:
    """Why a component does not run, or why its node does not count as ready."""
    said = []
    if not runs and f"{name}.service" in host.units:
        lines = [line.text for line in host.journal if f"{name}.service" in line.text]
        said += [_says("systemd", lines[-1])] if lines else []
    elif not runs and name in STATIC and not files.tree(host).exists(f"/etc/kubernetes/manifests/{name}.yaml"):
        said.append({"who": "kubelet", "missing": f"/etc/kubernetes/manifests/{name}.yaml"})
    if name == "kubelet":
        node = next((o for o in objects(world, "minions") if o["metadata"]["name"] == host.name), None)
        for condition in ((node or {}).get("status") or {}).get("conditions") or ():
            if condition["type"] == "Ready" and condition["status"] != "True":
                who = "kubelet" if condition["status"] == "False" else "node-controller"
                said.append(_says(who, condition.get("reason"), condition.get("message")))
    return said


def _texts(host: Host, paths: list[str]) -> list[Json]:
    tree, out = files.tree(host), []
    for path in paths:
        try:
            out.append({"path": path, "text": tree.read(path).decode("utf-8", "replace")[:LONG]})
        except OSError:
            continue
    return out


def _journal(host: Host, unit: str) -> list[str]:
    lines = [line for line in host.journal if line.unit in (unit, unit.removesuffix(".service"))][-LINES:]
    return [f"{to_datetime(line.at):%H:%M:%S} {line.text}"[:WIDE] for line in lines]


def _log(host: Host, container: Container) -> Json:
    """The end of a container's log as it stands in its file, without the stamps of the format."""
    try:
        text = files.tree(host).read(container.log_path).decode("utf-8", "replace") if container.log_path else ""
    except OSError:
        text = ""
    rows = [line.split(" ", 3) for line in text[-LINES * 2 * WIDE :].splitlines()[-LINES:]]
    return {"log": [row[-1][:WIDE] for row in rows], "log_of": container.log_path}

"""The runtime lens: who talks to whom on one host by which socket, down to the containers, and containerd's namespaces."""

from __future__ import annotations

from typing import Any

from ...host import files
from ...host.machine import Host, hosts
from ...host.process import Process
from ...kernel.world import World
from ...runtime import shims
from ...runtime.containerd import SOCKET as CONTAINERD
from ...runtime.engine.dockerd import SOCKET as DOCKER
from ...runtime.state import Container, Namespace, RuntimeState, runtimes, spaces
from .common import choose, running_as

Json = dict[str, Any]

CONTAINERS = 8
#: The daemons of the stack, from who asks to who does.
DAEMONS = ("kubelet", "cri-dockerd", "dockerd", "containerd")
CLIENTS = {"docker": DOCKER, "crictl": CONTAINERD, "nerdctl": CONTAINERD, "ctr": CONTAINERD}


def lens(world: World, about: str) -> Json:
    """One host's stack; without a choice the first worker's or the first host's that has a runtime."""
    held = hosts(world)
    names = sorted(name for name, host in held.items() if host.units.keys() & {"containerd.service", "docker.service"})
    about = choose(names, about, next((name for name in names if not name.startswith("controlplane")), ""))
    if not about:
        return {"daemons": [], "links": [], "namespaces": [], "sandboxes": 0}
    host, state = held[about], runtimes(world).get(about, RuntimeState())
    daemons = [found for name in DAEMONS if (found := _daemon(host, name)) is not None]
    known = _spaces(world, about, state) if about in runtimes(world) else {}
    return {
        "about": about,
        "choices": names,
        "daemons": daemons,
        "clients": [{"name": name, "socket": _endpoint(world, host, state, name)} for name in CLIENTS if _installed(host, name)],
        "links": _links(state, {d["name"] for d in daemons}),
        "shim": state.shim,
        "disabled": list(state.disabled),
        "namespaces": [_namespace(host, name, space, state) for name, space in sorted(known.items())],
        "sandboxes": sum(sandbox.state == "READY" for sandbox in state.sandboxes.values()),
    }


def _spaces(world: World, host: str, state: RuntimeState) -> dict[str, Namespace]:
    """containerd's namespaces; under dockershim and cri-dockerd pods' containers are Docker's, in `moby`."""
    known = spaces(world, host)
    if state.shim:
        known.pop("k8s.io", None)
        moby = known.get("moby", Namespace())
        containers = {**moby.containers, **shims.docker_view(world, host)}
        known["moby"] = Namespace(images=moby.images, containers=containers, labels=moby.labels)
    return known


def _daemon(host: Host, name: str) -> Json | None:
    """A daemon that runs here or has a unit; `pid` 0 when it does not run."""
    proc = next((p for p in host.processes.values() if running_as(p.argv, name)), None)
    if proc is None and f"{name}.service" not in host.units:
        return None
    return {"name": name, "pid": proc.pid if proc is not None else 0, "socket": {"dockerd": DOCKER, "containerd": CONTAINERD, "cri-dockerd": shims.SOCKETS["cri-dockerd"]}.get(name, "")}  # fmt: skip


def _installed(host: Host, name: str) -> bool:
    tree = files.tree(host)
    return any(tree.exists(f"{folder}/{name}") for folder in ("/usr/bin", "/usr/local/bin"))


def _endpoint(world: World, host: Host, state: RuntimeState, client: str) -> str:
    """The socket that a client dials; crictl's is in its configuration file."""
    if client == "crictl":
        try:
            text = files.tree(host).read("/etc/crictl.yaml").decode("utf-8", "replace")
        except OSError:
            return CONTAINERD
        line = next((line for line in text.splitlines() if line.startswith("runtime-endpoint:")), "")
        return line.partition(":")[2].strip().strip("\"'").removeprefix("unix://") or CONTAINERD
    return CLIENTS[client]


def _links(state: RuntimeState, there: set[str]) -> list[Json]:
    """Who dials whom: `via` is what is spoken over the socket."""
    links: list[Json] = []
    if "kubelet" in there:
        if state.shim == "cri-dockerd":
            links += [{"from": "kubelet", "to": "cri-dockerd", "via": "CRI", "socket": shims.SOCKETS["cri-dockerd"]}]
            links += [{"from": "cri-dockerd", "to": "dockerd", "via": "Docker API", "socket": DOCKER}]
        elif state.shim == "dockershim":
            links += [{"from": "kubelet", "to": "dockerd", "via": "Docker API (dockershim)", "socket": DOCKER}]
        elif "containerd" in there:
            links += [{"from": "kubelet", "to": "containerd", "via": "CRI", "socket": CONTAINERD}]
    if "dockerd" in there and "containerd" in there:
        links += [{"from": "dockerd", "to": "containerd", "via": "containerd API", "socket": CONTAINERD}]
    return links


def _namespace(host: Host, name: str, space: Namespace, state: RuntimeState) -> Json:
    held = sorted(space.containers.values(), key=lambda c: (c.state != "RUNNING", -c.created_at, c.id))
    return {
        "name": name,
        "by": {"moby": "dockerd", "k8s.io": "kubelet"}.get(name, ""),
        "images": len(space.images),
        "containers": [_container(host, one, state) for one in held[:CONTAINERS]],
        "count": len(held),
        "running": sum(one.state == "RUNNING" for one in held),
    }


def _container(host: Host, one: Container, state: RuntimeState) -> Json:
    """A container with the process of its shim (containerd-shim-runc-v2, which runc started it for) and its own."""
    sandbox = state.sandboxes.get(one.sandbox)
    shim: Process | None = host.processes.get(one.shim_pid)
    return {
        "id": one.id[:12],
        "name": one.name,
        "pod": f"{sandbox.namespace}/{sandbox.name}" if sandbox is not None else "",
        "image": one.image,
        "state": one.state,
        "pid": one.pid if one.state == "RUNNING" else 0,
        "shim": one.shim_pid if shim is not None else 0,
        "argv": " ".join(one.argv)[:60],
    }

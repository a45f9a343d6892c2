"""Pod sandboxes: the pause container, the network namespace and the address of a pod (containerd `internal/cri/server/podsandbox`)."""

from __future__ import annotations

from ..host import processes
from ..host.process import Process
from ..kernel import network
from ..kernel.world import World
from . import catalogue, cni, containerd, containers
from .state import Container, Namespace, Sandbox, namespace, runtime

PAUSE_IMAGE = "registry.k8s.io/pause:3.10.2"


def create(world: World, host: str, sandbox: Sandbox) -> Sandbox:
    """Bring a sandbox up: address, shim, pause process; raises cni.NetworkNotReady.

    The first sandbox of a node brings the pause image along (`ensurePauseImageExists`); its 330 kB take no time here.
    """
    state = runtime(world, host)
    if PAUSE_IMAGE not in namespace(world, host, "k8s.io").images:
        build = catalogue.BUILDS[PAUSE_IMAGE]
        containerd.store_build(world, host, "k8s.io", build)
        for name in (PAUSE_IMAGE, f"{build.repository}@{build.digest('index')}", build.digest("config")):
            containerd.add_image(world, host, "k8s.io", name, build)
    if sandbox.host_network:
        sandbox.netns = host
        sandbox.ip = (network.network(world).namespaces[host].ips or [""])[0]
    else:
        sandbox.netns = f"{host}/{sandbox.id}"
        sandbox.ip = cni.attach(world, host, sandbox.netns)
    sandbox.created_at = world.wall
    shim = containers.start_shim(world, host, "k8s.io", sandbox.id)
    sandbox.shim_pid = shim.pid
    pause = processes.start(
        world, host=host, program="pause", argv=["/pause"], ppid=shim.pid, user="65535", netns=sandbox.netns, container=sandbox.id
    )
    sandbox.pid = pause.pid
    processes.watch_exit(world, pause, shim.target, ["pause", sandbox.id])
    state.sandboxes[sandbox.id] = sandbox
    for port in sandbox.ports:
        try:
            network.listen(world, host, port.host_port, host=host, pid=shim.pid, protocol=port.protocol)
        except OSError:
            continue
    world.emit(f"containerd/{host}", "sandbox.start", f"pods/{sandbox.namespace}/{sandbox.name}", {"ip": sandbox.ip})
    world.ring(f"cri:{host}")
    return sandbox


def members(world: World, host: str, ident: str) -> list[Container]:
    """The containers of a sandbox, by creation."""
    space: Namespace = namespace(world, host, "k8s.io")
    return sorted((c for c in space.containers.values() if c.sandbox == ident), key=lambda c: (c.created_at, c.id))


def ended(world: World, host: str, ident: str) -> None:
    """The pause process has gone: the sandbox is not ready any more and its containers end with it."""
    sandbox = runtime(world, host).sandboxes.get(ident)
    if sandbox is None or sandbox.state != "READY":
        return
    sandbox.state, sandbox.pid = "NOTREADY", 0
    for container in members(world, host, ident):
        if container.state == "RUNNING":
            containers.signal(world, host, container, 9)
    world.ring(f"cri:{host}")


def stop(world: World, host: str, sandbox: Sandbox) -> None:
    """Kill what runs in the sandbox, free its network."""
    for container in members(world, host, sandbox.id):
        if container.state == "RUNNING":
            containers.signal(world, host, container, 9)
    sandbox.state = "NOTREADY"
    pause = processes.find(world, host, sandbox.pid)
    if pause is not None and pause.container == sandbox.id:
        processes.kill(world, pause, 9)
    sandbox.pid = 0
    if not sandbox.host_network:
        cni.detach(world, sandbox.netns)
    shim = _shim(world, host, sandbox)
    if shim is not None:
        network.close_sockets(world, host, shim.pid)
    world.ring(f"cri:{host}")


def remove(world: World, host: str, sandbox: Sandbox) -> None:
    """Stop a sandbox and forget it and its containers."""
    if sandbox.state == "READY" or sandbox.pid:
        stop(world, host, sandbox)
    for container in members(world, host, sandbox.id):
        if container.state == "RUNNING":
            containers.ended(world, host, container.id, 137)
        containers.remove(world, host, container)
    shim = _shim(world, host, sandbox)
    if shim is not None:
        processes.kill(world, shim, 9)
    runtime(world, host).sandboxes.pop(sandbox.id, None)
    world.ring(f"cri:{host}")


def _shim(world: World, host: str, sandbox: Sandbox) -> Process | None:
    shim = processes.find(world, host, sandbox.shim_pid)
    return shim if shim is not None and shim.program == containers.SHIM else None

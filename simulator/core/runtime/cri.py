"""The Container Runtime Interface as plain functions: what the kubelet and crictl call (containerd `internal/cri/server`).

Every function raises ConnectError when containerd is down, and CriError with the gRPC code and message otherwise.  Starting and
stopping return at once; `cri:<host>` rings when a container's or sandbox's state has changed or a pull has ended.
"""

from __future__ import annotations

import posixpath
from contextlib import suppress
from typing import Any

from ..host import files
from ..host.machine import hosts
from ..kernel.errors import BadInput, ConnectError
from ..kernel.world import World
from . import cni, containerd, containers, images, memory, references, sandboxes, shims
from .containerd import VERSION
from .state import Container, Image, Mount, Port, Pull, Sandbox, namespace, runtime

SPACE = "k8s.io"


class CriError(Exception):
    """A gRPC error: `rpc error: code = NotFound desc = …`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"rpc error: code = {code} desc = {message}")
        self.code = code
        self.message = message


def unavailable(why: str, socket: str = containerd.SOCKET) -> str:
    """What gRPC's client says of a runtime's socket that cannot be dialled (`why`: `connection refused`, …)."""
    return (
        'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: '
        f'dial unix {socket}: connect: {why}"'
    )


def served(world: World, host: str) -> None:
    """Raise ConnectError unless the host's runtime answers for the CRI.

    `disabled_plugins = ["cri"]`, as Docker's packages have it, takes containerd's CRI away; under dockershim and cri-dockerd Docker answers.
    """
    containerd.connect(world, host)
    if runtime(world, host).shim:
        shims.connect(world, host)
    elif "cri" in containerd.disabled_plugins(world, host):
        raise ConnectError("refused", f"unix://{containerd.SOCKET}", "unknown service runtime.v1.RuntimeService")


def version(world: World, host: str) -> dict[str, str]:
    """The runtime's name and version."""
    served(world, host)
    name, number = shims.flavour(world, host)
    if name == "docker":
        return {"version": "0.1.0", "runtimeName": "docker", "runtimeVersion": number, "runtimeApiVersion": "v1"}
    return {"version": "0.1.0", "runtimeName": "containerd", "runtimeVersion": f"v{VERSION}", "runtimeApiVersion": "v1"}


def status(world: World, host: str) -> list[tuple[str, bool, str, str]]:
    """Runtime conditions: (type, status, reason, message)."""
    served(world, host)
    ready = cni.configured(world, host)
    network = ("NetworkReady", True, "", "")
    if not ready:
        network = ("NetworkReady", False, "NetworkPluginNotReady", "Network plugin returns error: cni plugin not initialized")
    return [("RuntimeReady", True, "", ""), network]


def update_runtime_config(world: World, host: str, pod_cidr: str) -> None:
    """The kubelet hands over the node's pod CIDR; with a `conf_template` the CNI configuration is made from it."""
    served(world, host)
    state = runtime(world, host)
    if state.pod_cidr != pod_cidr:
        state.pod_cidr = pod_cidr
        if cni.templated(world, host):
            cni.configure(world, host, pod_cidr)
        world.ring(f"cri:{host}")


# -- images -------------------------------------------------------------------------------------------------------------
def pull_image(world: World, host: str, image: str) -> Pull:
    """Start pulling; `pull:<host>:<id>` rings when the record is `done`."""
    return containerd.begin_pull(world, host, SPACE, image)


def pull_done(world: World, host: str, pull: Pull) -> bool:
    """Whether a pull has ended; raises CriError when it failed."""
    if pull.done and pull.error:
        raise CriError(pull.code, pull.error)
    return pull.done


def image_status(world: World, host: str, text: str) -> Image | None:
    """The image of that name, id or id prefix."""
    served(world, host)
    return find_image(world, host, text)


def find_image(world: World, host: str, text: str, space: str = SPACE) -> Image | None:
    """Resolve a name, digest, id or id prefix among the images that a host has."""
    known = namespace(world, host, space).images
    if text in known:
        return known[text]
    with suppress(BadInput):  # not a reference: it may still be an id
        name = references.normalise(text).name
        if name in known:
            return known[name]
    digits = text.removeprefix("sha256:")
    if len(digits) >= 1 and all(ch in "0123456789abcdef" for ch in digits):
        ids = sorted({i.image_id for i in known.values() if i.image_id.removeprefix("sha256:").startswith(digits)})
        if len(ids) == 1:
            return next(i for i in known.values() if i.image_id == ids[0])
    return None


def list_images(world: World, host: str) -> list[dict[str, Any]]:
    """Images by id, as CRI Image messages: id, repoTags, repoDigests, size, username, pinned."""
    served(world, host)
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(namespace(world, host, SPACE).images):
        image = namespace(world, host, SPACE).images[name]
        entry = found.setdefault(image.image_id, image_message(world, image))
        if name.startswith("sha256:"):
            continue
        (entry["repoDigests"] if "@" in name else entry["repoTags"]).append(name)
    return [found[key] for key in sorted(found)]


def image_message(world: World, image: Image) -> dict[str, Any]:
    """A CRI Image message without its names."""
    build = images.find(world, image.build)
    uid = build.user.partition(":")[0]
    message: dict[str, Any] = {
        "id": image.image_id,
        "repoTags": [],
        "repoDigests": [],
        "size": str(build.size),
        "uid": None,
        "username": "",
        "spec": None,
        "pinned": build.pinned,
    }
    if uid.isdigit():
        message["uid"] = {"value": uid}
    else:
        message["username"] = uid
    return message


def remove_image(world: World, host: str, text: str) -> None:
    """Remove an image with all its names; an unknown one is no error."""
    image = image_status(world, host, text)
    if image is None:
        return
    space = namespace(world, host, SPACE)
    for name in [n for n, i in space.images.items() if i.image_id == image.image_id]:
        del space.images[name]
    containerd.collect_garbage(world, host, SPACE)
    world.ring(f"cri:{host}")


# -- sandboxes ----------------------------------------------------------------------------------------------------------
def run_pod_sandbox(world: World, host: str, config: dict[str, Any]) -> str:
    """Start a sandbox from a PodSandboxConfig: metadata, hostname, logDirectory, labels, annotations, portMappings, hostNetwork."""
    served(world, host)
    meta = config["metadata"]
    sandbox = Sandbox(
        id=containers.new_id(world, host),
        name=meta["name"],
        namespace=meta["namespace"],
        uid=meta["uid"],
        attempt=int(meta.get("attempt", 0)),
        hostname=config.get("hostname", ""),
        host_network=bool(config.get("hostNetwork")),
        qos=config.get("qos", ""),
        pid_mode=config.get("pidMode", ""),
        labels=dict(config.get("labels") or {}),
        annotations=dict(config.get("annotations") or {}),
        log_directory=config.get("logDirectory", ""),
        ports=[
            Port(int(p["hostPort"]), int(p["containerPort"]), p.get("protocol", "TCP").lower())
            for p in config.get("portMappings") or []
            if p.get("hostPort")
        ],
    )
    try:
        sandboxes.create(world, host, sandbox)
    except cni.NetworkNotReady as failed:
        raise CriError("Unknown", f'failed to setup network for sandbox "{sandbox.id}": {failed}') from failed
    return sandbox.id


def list_pod_sandboxes(world: World, host: str) -> list[Sandbox]:
    """All sandboxes, newest first."""
    served(world, host)
    return sorted(runtime(world, host).sandboxes.values(), key=lambda s: (-s.created_at, s.id))


def find_sandbox(world: World, host: str, ident: str) -> Sandbox:
    """The sandbox of an id or unique prefix."""
    served(world, host)
    found = [s for key, s in sorted(runtime(world, host).sandboxes.items()) if key.startswith(ident)] if ident else []
    if len(found) != 1:
        raise CriError("NotFound", "an error occurred when try to find sandbox: not found")
    return found[0]


def stop_pod_sandbox(world: World, host: str, ident: str) -> None:
    """Stop a sandbox and everything in it."""
    sandboxes.stop(world, host, find_sandbox(world, host, ident))


def remove_pod_sandbox(world: World, host: str, ident: str) -> None:
    """Remove a sandbox with its containers."""
    sandboxes.remove(world, host, find_sandbox(world, host, ident))


# -- containers ---------------------------------------------------------------------------------------------------------
def create_container(world: World, host: str, sandbox_id: str, config: dict[str, Any]) -> str:
    """Create a container from a ContainerConfig: metadata, image, command, args, workingDir, envs, mounts, labels, logPath, …"""
    sandbox = find_sandbox(world, host, sandbox_id)
    image = find_image(world, host, config["image"])
    if image is None:
        raise CriError("NotFound", f'failed to resolve image "{config["image"]}": not found')
    if sandbox.state != "READY":
        raise CriError(
            "Unknown", f"failed to get sandbox container task: no running task found: task {sandbox.id} not found: not found"
        )
    build = images.find(world, image.build)
    entrypoint = list(config.get("command") or []) or list(build.entrypoint)
    args = list(config.get("args") or [])
    if not args and not config.get("command"):
        args = list(build.cmd)
    if not entrypoint and not args:
        raise CriError(
            "Unknown",
            f'failed to generate container "{config["metadata"]["name"]}" spec: failed to generate spec: no command specified',
        )
    env = dict(build.env)
    env["HOSTNAME"] = sandbox.hostname or host
    env.update({str(k): str(v) for k, v in config.get("envs") or []})
    meta = config["metadata"]
    container = Container(
        id=containers.new_id(world, host),
        namespace=SPACE,
        image=config["image"],
        image_id=image.image_id,
        build=image.build,
        argv=entrypoint + args,
        env=env,
        cwd=config.get("workingDir") or build.cwd,
        user=str(config.get("user") or build.user or "root"),
        hostname=sandbox.hostname or host,
        labels=dict(config.get("labels") or {}),
        annotations=dict(config.get("annotations") or {}),
        name=meta["name"],
        attempt=int(meta.get("attempt", 0)),
        sandbox=sandbox.id,
        netns=sandbox.netns,
        shared_netns=True,
        mounts=[Mount(m["containerPath"], m["hostPath"], bool(m.get("readonly"))) for m in config.get("mounts") or []],
        log_path=posixpath.join(sandbox.log_directory, config["logPath"])
        if config.get("logPath") and sandbox.log_directory
        else "",
        tty=bool(config.get("tty")),
        stdin=bool(config.get("stdin")),
        stop_signal=SIGNALS.get(config.get("stopSignal") or build.stop_signal or "SIGTERM", 15),
        memory_limit=int(config.get("memoryLimit") or 0),
        cpu_limit=int(config.get("cpuLimit") or 0),
        cpu_shares=int(config.get("cpuShares") or 0),
        oom=int(config.get("oomScoreAdj") or 0),
        admin=bool(config.get("admin")),
        snapshotter="overlay2" if runtime(world, host).shim else "",
    )
    files = {"/etc/hosts": config["hosts"]} if config.get("hosts") else {}
    if config.get("resolv"):
        files["/etc/resolv.conf"] = config["resolv"]
    containers.create(world, host, container, files)
    if sandbox.pid_mode:
        hosts(world)[host].pid_spaces[container.id] = "" if sandbox.pid_mode == "node" else sandbox.id
    return container.id


SIGNALS: dict[str, int] = {"SIGHUP": 1, "SIGINT": 2, "SIGQUIT": 3, "SIGKILL": 9, "SIGUSR1": 10, "SIGTERM": 15, "SIGWINCH": 28}


def find_container(world: World, host: str, ident: str) -> Container:
    """The container of an id or unique prefix; raises CriError NotFound as containerd words it."""
    served(world, host)
    space = namespace(world, host, SPACE).containers
    found = [space[key] for key in sorted(space) if key.startswith(ident)] if ident else []
    found = [c for c in found if c.sandbox]
    if len(found) != 1:
        raise CriError("NotFound", f'an error occurred when try to find container "{ident}": not found')
    return found[0]


def start_container(world: World, host: str, ident: str) -> None:
    """Start a created container; raises CriError when its process cannot be started."""
    container = find_container(world, host, ident)
    if container.state != "CREATED":
        raise CriError("Unknown", f"container is in {container_state(container)} state")
    if 0 < container.memory_limit < memory.SMALLEST:
        container.state, container.exit_code, container.reason = "EXITED", 128, "StartError"
        container.started_at, container.finished_at = 0, world.wall
        container.message = (
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
            "unable to start container process: container init was OOM-killed (memory limit too low?)"
        )
        world.ring(f"cri:{host}")
        raise CriError("Unknown", container.message)
    tree = files.tree(hosts(world)[host])
    if container.log_path and not tree.exists(container.log_path):  # there from the start, also where nothing is said
        tree.write(container.log_path, b"", parents=True, mode=0o640, now=world.wall)
    try:
        containers.start(world, host, container)
    except containers.StartError as failed:
        world.ring(f"cri:{host}")
        raise CriError("Unknown", str(failed)) from failed


def stop_container(world: World, host: str, ident: str, timeout: int) -> None:
    """Send the stop signal, and KILL after `timeout` ns; returns at once."""
    containers.stop(world, host, find_container(world, host, ident), timeout)


def remove_container(world: World, host: str, ident: str) -> None:
    """Remove a container; a running one is killed first."""
    container = find_container(world, host, ident)
    if container.state == "RUNNING":
        containers.signal(world, host, container, 9)
        containers.ended(world, host, container.id, 137)
    containers.remove(world, host, container)


def list_containers(world: World, host: str) -> list[Container]:
    """All containers of pods, newest first."""
    served(world, host)
    found = [c for c in namespace(world, host, SPACE).containers.values() if c.sandbox]
    return sorted(found, key=lambda c: (-c.created_at, c.id))


def container_state(container: Container) -> str:
    """`CONTAINER_RUNNING`."""
    return f"CONTAINER_{container.state}"


def exec_target(world: World, host: str, ident: str) -> Container:
    """The running container to execute something in; raises CriError."""
    container = find_container(world, host, ident)
    if container.state != "RUNNING":
        raise CriError("Unknown", f"container is in {container_state(container)} state")
    return container


def log_directory(world: World, host: str) -> str:
    """Where pods' logs are."""
    return "/var/log/pods" if host in hosts(world) else ""

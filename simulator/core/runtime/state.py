"""containerd's state on one host, as plain data; the section `runtime` maps a host's name to its `RuntimeState`.

What stands here is what a real host keeps on disk and in its shims, so it outlives a restart of containerd: image, content
and snapshot records, containers and pod sandboxes.  Pulls under way (`pulls`) die with the daemon.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..kernel.world import World


class Image(msgspec.Struct):
    """An image record: a name that points at a manifest (`target`).  `image_id` is the digest of its config."""

    name: str
    target: str
    image_id: str
    build: str
    created_at: int
    labels: dict[str, str] = {}


class Blob(msgspec.Struct):
    """One blob of the content store."""

    digest: str
    size: int
    created_at: int
    labels: dict[str, str] = {}


class Snapshot(msgspec.Struct):
    """One snapshot: `Committed` (an unpacked layer, keyed by chain id) or `Active` (a container's own layer)."""

    key: str
    parent: str
    kind: str


class Mount(msgspec.Struct, omit_defaults=True):
    """A mount of a container from a path of the host; `kind` is `bind`, `volume` (then `name` is its name) or `tmpfs`."""

    target: str
    source: str
    readonly: bool = False
    kind: str = "bind"
    name: str = ""


class Port(msgspec.Struct, omit_defaults=True):
    """A published port: a port of the host that leads to a port of the container."""

    host_port: int
    container_port: int
    protocol: str = "tcp"
    host_ip: str = "0.0.0.0"


class Endpoint(msgspec.Struct, omit_defaults=True):
    """A container's place in a network: its address, its names there, and the endpoint's id."""

    ip: str
    aliases: list[str] = []
    id: str = ""
    mac: str = ""


class Health(msgspec.Struct, omit_defaults=True):
    """A container's health check and what it found: `starting`, `healthy` or `unhealthy`; `log` rows are (start, end, code, output)."""

    test: list[str]
    interval: int
    timeout: int
    start_period: int
    retries: int
    status: str = "starting"
    streak: int = 0
    log: list[tuple[int, int, int, str]] = []


class Network(msgspec.Struct, omit_defaults=True):
    """A network of an engine; bridges have a subnet."""

    id: str
    name: str
    driver: str = "bridge"
    subnet: str = ""
    created_at: int = 0
    internal: bool = False
    labels: dict[str, str] = {}
    options: dict[str, str] = {}


class Volume(msgspec.Struct, omit_defaults=True):
    """A volume of an engine; its files are in the engine's data directory."""

    name: str
    created_at: int
    labels: dict[str, str] = {}
    anonymous: bool = False
    driver: str = "local"


class EngineEvent(msgspec.Struct, array_like=True):
    """One event of an engine: Unix ns, type (`container`, `image`, …), action, the object's id, attributes."""

    at: int
    kind: str
    action: str
    id: str
    attributes: dict[str, str]


class Engine(msgspec.Struct, omit_defaults=True):
    """What Docker's engine (or nerdctl in its data directory) keeps of one containerd namespace."""

    networks: dict[str, Network] = {}
    volumes: dict[str, Volume] = {}
    cache: dict[str, str] = {}
    events: list[EngineEvent] = []
    next_subnet: int = 18
    next_port: int = 32768
    pid: int = 0
    config: dict[str, Any] = {}


class Container(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A container and its task.  `state` is `CREATED`, `RUNNING`, `EXITED` (as the CRI says); times are Unix ns, 0 = not yet."""

    id: str
    namespace: str
    image: str
    image_id: str
    build: str
    argv: list[str]
    env: dict[str, str] = {}
    cwd: str = "/"
    user: str = "root"
    hostname: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    name: str = ""
    attempt: int = 0
    sandbox: str = ""
    netns: str = ""
    shared_netns: bool = False
    mounts: list[Mount] = []
    ports: list[Port] = []
    log_path: str = ""
    tty: bool = False
    stdin: bool = False
    stop_signal: int = 15
    memory_limit: int = 0
    #: Thousandths of a core: what it may use at most (0: no limit) and what its programs want all the time.
    cpu_limit: int = 0
    #: Its weight beside others (cgroup v1 shares, 0 for the least), and its `oom_score_adj`.
    cpu_shares: int = 0
    oom: int = 0
    #: Whether it has CAP_SYS_ADMIN of its machine: privileged, or the capability added.
    admin: bool = False
    busy: int = 0
    #: Processor time that requests have cost (ns).
    worked: int = 0
    auto_remove: bool = False
    created_at: int = 0
    state: str = "CREATED"
    pid: int = 0
    #: The process of a task that has ended: its shim tells it until the task is removed (the kubelet's are removed at once).
    ended_pid: int = 0
    shim_pid: int = 0
    started_at: int = 0
    finished_at: int = 0
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    has_task: bool = False
    paused: bool = False
    restart: str = ""
    restarts: int = 0
    asked_to_stop: bool = False
    restarting: bool = False
    networks: dict[str, Endpoint] = {}
    options: dict[str, Any] = {}
    health: Health | None = None
    snapshotter: str = ""


class Sandbox(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A pod sandbox: the pause container and the network namespace of a pod.  `state` is `READY` or `NOTREADY`."""

    id: str
    name: str
    namespace: str
    uid: str
    attempt: int = 0
    hostname: str = ""
    netns: str = ""
    ip: str = ""
    host_network: bool = False
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    log_directory: str = ""
    created_at: int = 0
    state: str = "READY"
    pid: int = 0
    shim_pid: int = 0
    ports: list[Port] = []
    #: The pod's class: `burstable`, `guaranteed`, "" for BestEffort; and its PID namespace: `node`, `pod`, "" for one a container.
    qos: str = ""
    pid_mode: str = ""


class LayerPull(msgspec.Struct):
    """One layer of a pull under way, with the virtual times (ns) at which it starts, is here, and is unpacked."""

    digest: str
    size: int
    start: int
    fetched: int
    unpacked: int


class Pull(msgspec.Struct, kw_only=True):
    """A pull under way or just ended.  `error` is set at once when the registry refuses; `done` when it ended either way."""

    id: str
    namespace: str
    ref: str
    build: str = ""
    target: str = ""
    started: int = 0
    ends: int = 0
    error_at: int = 0
    layers: list[LayerPull] = []
    done: bool = False
    error: str = ""
    code: str = ""


class Namespace(msgspec.Struct, omit_defaults=True):
    """A containerd namespace: its images and containers by name and id."""

    images: dict[str, Image] = {}
    containers: dict[str, Container] = {}
    labels: dict[str, str] = {}
    snapshots: dict[str, Snapshot] = {}
    blobs: dict[str, Blob] = {}


class Lease(msgspec.Struct):
    """A lease: content that is not collected while it lasts."""

    namespace: str
    created_at: int
    labels: dict[str, str] = {}


class RuntimeState(msgspec.Struct, omit_defaults=True):
    """Everything containerd knows on one host.  `pod_cidr` is what its CNI configuration gives pods, "" before the first."""

    namespaces: dict[str, Namespace] = {}
    sandboxes: dict[str, Sandbox] = {}
    pulls: dict[str, Pull] = {}
    next_pull: int = 1
    pod_cidr: str = ""
    last_ip: dict[str, int] = {}
    pid: int = 0
    engines: dict[str, Engine] = {}
    leases: dict[str, Lease] = {}
    disabled: list[str] = []
    shim: str = ""


def runtimes(world: World) -> dict[str, RuntimeState]:
    """The section: every host's runtime by host name."""
    return world.section("runtime", dict)


def runtime(world: World, host: str) -> RuntimeState:
    """One host's runtime, made on first use."""
    found = runtimes(world)
    if host not in found:
        found[host] = RuntimeState()
    return found[host]


def namespace(world: World, host: str, name: str) -> Namespace:
    """One namespace of a host, made on first use (as containerd does when something is created in it)."""
    state = runtime(world, host)
    if name not in state.namespaces:
        state.namespaces[name] = Namespace()
    return state.namespaces[name]


def spaces(world: World, host: str) -> dict[str, Namespace]:
    """containerd's namespaces of a host; dockerd's own image store (`~docker`) is none."""
    return {name: space for name, space in runtime(world, host).namespaces.items() if not name.startswith("~")}


def find_container(world: World, host: str, ident: str) -> Container | None:
    """The container of that id in any namespace."""
    for space in runtime(world, host).namespaces.values():
        found = space.containers.get(ident)
        if found is not None:
            return found
    return None

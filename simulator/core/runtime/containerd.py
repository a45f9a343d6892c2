"""The daemon containerd: its socket, its pulls, and whether it can be reached.

Follows containerd 2.x: `cmd/containerd`, `core/transfer`.  State that a restart keeps is in `state.RuntimeState`.
"""

from __future__ import annotations

import contextlib
from typing import Any

from ..host import files, processes
from ..host.machine import hosts
from ..host.process import Process
from ..host.program import Exited
from ..kernel import clock
from ..kernel.clock import MS, SECOND
from ..kernel.errors import BadInput, ConnectError
from ..kernel.http import Request, Response
from ..kernel.world import World
from . import crypt, events, images, references, registry
from .build import Build
from .state import Blob, Image, LayerPull, Pull, Snapshot, namespace, runtime

SOCKET = "/run/containerd/containerd.sock"
VERSION = "2.2.1"
REVISION = "dea7da592f5d1d2b7755e3a161be07f43fad8f75"
#: Bytes a second of a host's link to a registry, and of unpacking.
BANDWIDTH = 50_000_000
UNPACK = 160_000_000
#: Layers fetched at once (max_concurrent_downloads).
PARALLEL = 3
#: How long the record of an ended pull is kept for whoever waits on it.
KEEP = 30 * SECOND


def connect(world: World, host: str) -> Process:
    """containerd's process on a host, or ConnectError as dialling its socket fails."""
    proc = processes.find(world, host, runtime(world, host).pid)
    if proc is not None and proc.program.partition(":")[0] == "containerd" and proc.state != "T":
        return proc
    exists = hosts(world)[host].fs.exists(SOCKET)
    raise ConnectError("refused", f"unix://{SOCKET}", "connection refused" if exists else "no such file or directory")


class Containerd:
    """The program `containerd`."""

    def start(self, world: World, proc: Process) -> None:
        """Open the socket; what a pull had fetched when the last daemon ended is lost.

        `--version` prints and ends.  A second daemon waits for the metadata file that the first one has locked, before it
        would touch the socket (`plugins/metadata/plugin.go`).
        """
        if {"--version", "-v"} & set(proc.argv[1:]):
            processes.write(world, proc, f"containerd github.com/containerd/containerd/v2 v{VERSION} {REVISION}\n")
            raise Exited(0)
        if [word for word in proc.argv[1:] if not word.startswith("-") and "/" not in word]:
            processes.write(world, proc, f"containerd: containerd {' '.join(proc.argv[1:])}: not simulated in Slipway yet\n")
            raise Exited(1)
        host = hosts(world)[proc.host]
        host.modules = [module for module in host.modules if module != "-overlay"]  # ExecStartPre=-/sbin/modprobe overlay
        state = runtime(world, proc.host)
        first = processes.find(world, proc.host, state.pid)
        if first is not None and first.program.partition(":")[0] == "containerd" and first.pid != proc.pid:
            stamp = clock.rfc3339_micro(world.wall)
            text = "waiting for response from boltdb open"
            processes.log(
                world, proc, f'time="{stamp}" level=info msg="starting containerd" revision={REVISION} version=v{VERSION}'
            )
            processes.log(world, proc, f'time="{stamp}" level=warning msg="{text}" plugin=bolt')
            return
        state.disabled = self._configuration(world, proc)
        state.pid = proc.pid
        state.pulls.clear()
        stamp = clock.rfc3339_micro(world.wall)
        for text in ("starting containerd", "containerd successfully booted in 0.031782s"):
            extra = f" revision={REVISION} version=v{VERSION}" if text.startswith("starting") else ""
            processes.log(world, proc, f'time="{stamp}" level=info msg="{text}"{extra}')
        files.make_socket(world, proc.host, SOCKET, mode=0o660)
        for name in ("default", "k8s.io"):
            if name == "default":
                continue
            namespace(world, proc.host, name)
        self._recover(world, proc.host)
        world.ring(f"cri:{proc.host}")

    @staticmethod
    def _recover(world: World, host: str) -> None:
        """After a loss of power: what ran has gone with the machine.  Tasks without a process ended with 255 and reason Unknown,
        their pod sandboxes are not ready (internal/cri/server/restart.go)."""
        from . import containers, sandboxes

        def runs(pid: int, ident: str) -> bool:
            found = processes.find(world, host, pid)
            return found is not None and found.container == ident

        state = runtime(world, host)
        for space in state.namespaces.values():
            for container in list(space.containers.values()):
                if container.state == "RUNNING" and not runs(container.pid, container.id):
                    containers.ended(world, host, container.id, 255)
                    if container.state == "EXITED" and container.exit_code == 255:
                        container.reason = "Unknown"
        for box in list(state.sandboxes.values()):
            if box.state == "READY" and not runs(box.pid, box.id):
                sandboxes.ended(world, host, box.id)

    @staticmethod
    def _configuration(world: World, proc: Process) -> list[str]:
        """The plugins that the configuration disables; a file that cannot be read ends the daemon."""
        from . import config

        try:
            found = config.load(world, proc.host)
        except config.BadConfig as bad:
            processes.log(world, proc, str(bad))
            raise Exited(1) from None
        return [str(name).rpartition(".")[2] for name in found.get("disabled_plugins") or []]

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """`["pull", id]`: a pull has ended; `["forget", id]`: nobody waits for it any more."""
        if payload[0] == "engine" or isinstance(payload[0], list):
            from .engine import life

            if isinstance(payload[0], list):
                life.probe_ended(world, proc, payload)
            else:
                life.timer(world, proc, payload)
            return
        kind, ident = payload
        state = runtime(world, proc.host)
        pull = state.pulls.get(ident)
        if pull is None:
            return
        if kind == "forget":
            del state.pulls[ident]
            return
        pull.done = True
        if not pull.error:
            record_image(world, proc.host, pull)
            world.emit(f"containerd/{proc.host}", "image.pulled", pull.ref, {"bytes": images.find(world, pull.build).size})
        world.after(KEEP, proc.target, ["forget", ident])
        world.ring_last(f"pull:{proc.host}:{ident}")
        world.ring(f"cri:{proc.host}")

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """The socket goes with an orderly end and stays behind after KILL; containers live on in their shims."""
        state = runtime(world, proc.host)
        if state.pid != proc.pid:
            return 137 if signal == 9 else 0
        state.pid = 0
        for pull in state.pulls.values():
            if not pull.done:
                pull.done, pull.code, pull.error = True, "Unavailable", "error reading from server: EOF"
                world.ring_last(f"pull:{proc.host}:{pull.id}")
        if signal != 9:
            with contextlib.suppress(OSError):
                files.remove_file(world, proc.host, SOCKET)
        world.ring(f"cri:{proc.host}")
        return 137 if signal == 9 else 0

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """containerd speaks gRPC on its socket, not HTTP."""
        raise ConnectError("reset", proc.host)


def lazy_ready(world: World, host: str) -> bool:
    """Whether the stargz snapshotter can be used: its daemon runs and containerd's configuration names it as a proxy plugin."""
    from . import config

    running = processes.by_program(world, host, "containerd-stargz-grpc")
    return bool(running) and "stargz" in config.proxy_plugins(world, host)


def disabled_plugins(world: World, host: str) -> list[str]:
    """The plugins that were disabled when containerd started, without their type (`cri`)."""
    return runtime(world, host).disabled


def begin_pull(
    world: World, host: str, space: str, text: str, *, strict: bool = False, wrap: str = "cri", lazy: bool = False
) -> Pull:
    """Start a pull and return its record; `pull:<host>:<id>` rings when it is done.

    `wrap` says how errors are worded: `cri`/`client` (`failed to pull and unpack image …`) or `transfer` (`failed to resolve image: …`).
    A `lazy` pull of an eStargz image fetches each layer's table of contents only.
    """
    proc = connect(world, host)
    state = runtime(world, host)
    pull = Pull(id=str(state.next_pull), namespace=space, ref=text, started=world.now)
    state.next_pull += 1
    state.pulls[pull.id] = pull
    rng = world.rng(f"registry/{host}")
    try:
        ref = references.parse_strict(text) if strict else references.normalise(text)
        pull.ref = text if strict else ref.name
        build = registry.resolve(world, host, ref)
    except BadInput as bad:
        pull.code = "InvalidArgument"
        pull.error = f"failed to resolve image: {bad}" if strict else f'failed to parse image reference "{text}": {bad}'
        if wrap == "docker":
            pull.error = str(bad)
    except registry.ResolveError as failed:
        pull.code = failed.code
        name = pull.ref
        pull.error = (
            f"failed to resolve image: {failed}"
            if wrap == "transfer"
            else failed.docker
            if wrap == "docker"
            else f'failed to pull and unpack image "{name}": failed to resolve reference "{name}": {failed}'
        )
    if pull.error:
        delay = 2 * MS if pull.code == "InvalidArgument" else rng.between(550, 1100) * MS
        pull.ends = pull.error_at = world.now + delay
    else:
        _plan(world, host, pull, build, lazy)
        locked = crypt.locked(world, host, build)
        if locked:
            pull.error, pull.code = f'failed to pull and unpack image "{pull.ref}": {locked}', "Unknown"
    world.at(pull.ends, proc.target, ["pull", pull.id])
    return pull


def _plan(world: World, host: str, pull: Pull, build: Build, lazy: bool) -> None:
    """Give every layer its times: three at once share the link; layers are unpacked in order."""
    rng = world.rng(f"registry/{host}")
    have = runtime(world, host).namespaces.get(pull.namespace)
    blobs = have.blobs if have is not None else {}
    pull.build, pull.target = build.name, build.digest("index")
    resolved = world.now + rng.between(350, 700) * MS
    if lazy and build.form == "estargz":
        pull.ends = resolved + len(build.layers) * rng.between(40, 90) * MS
        return
    lanes = [resolved] * PARALLEL
    rate = BANDWIDTH * rng.between(75, 115) // 100 // min(PARALLEL, max(1, len(build.layers)))
    unpacked = resolved
    for index, size in enumerate(build.layer_bytes):
        digest = build.digest(f"layer/{index}")
        lane = lanes.index(min(lanes))
        start = lanes[lane]
        if digest in blobs:
            fetched = start
        else:
            fetched = start + rng.between(60, 160) * MS + size * SECOND // rate
        lanes[lane] = fetched
        unpacked = max(unpacked, fetched) + (1 * MS if digest in blobs else size * SECOND // UNPACK + 4 * MS)
        pull.layers.append(LayerPull(digest, size, start, fetched, unpacked))
    pull.ends = unpacked + rng.between(5, 20) * MS


def record_image(world: World, host: str, pull: Pull) -> None:
    """Keep what a finished pull brought: content, snapshots, and the names."""
    build = images.find(world, pull.build)
    store_build(world, host, pull.namespace, build)
    names = [pull.ref]
    if pull.namespace == "k8s.io":
        repository = references.normalise(pull.ref).repository
        names += [f"{repository}@{build.digest('index')}", build.digest("config")]
    for name in names:
        add_image(world, host, pull.namespace, name, build)


def add_image(world: World, host: str, space: str, name: str, build: Build) -> Image:
    """Make (or move) an image name."""
    labels = {"io.cri-containerd.image": "managed"} if space == "k8s.io" else {}
    if build.pinned and space == "k8s.io":
        labels["io.cri-containerd.pinned"] = "pinned"
    image = Image(name, build.digest("index"), build.digest("config"), build.name, world.wall, labels)
    namespace(world, host, space).images[name] = image
    events.publish(world, host, space, "/images/create", name=name)
    return image


def store_build(world: World, host: str, space: str, build: Build) -> None:
    """Put the blobs and committed snapshots of a build in a namespace."""
    found = namespace(world, host, space)
    now = world.wall
    source = (
        {}
        if build.made
        else {f"containerd.io/distribution.source.{build.repository.partition('/')[0]}": build.repository.partition("/")[2]}
    )
    sizes = [] if build.made else [("index", 9_000 + len(build.platforms) * 400)]
    sizes += [
        ("manifest", 400 + 200 * len(build.layers)),
        ("config", 3_000 + 350 * len(build.layers)),
    ]
    sizes += [(f"layer/{i}", size) for i, size in enumerate(build.layer_bytes)]
    for part, size in sizes:
        digest = build.digest(part)
        if digest not in found.blobs:
            found.blobs[digest] = Blob(digest, size, now, source)
    parent = ""
    for index in range(len(build.layers)):
        key = build.digest(f"chain/{index}")
        found.snapshots.setdefault(key, Snapshot(key, parent, "Committed"))
        parent = key


def preload(world: World, host: str, names: list[str], space: str = "k8s.io") -> None:
    """Images that a host has from the start (`kubeadm config images pull`, an OS image): no time passes."""
    for text in names:
        ref = references.normalise(text)
        build = registry.resolve(world, host, ref)
        store_build(world, host, space, build)
        for name in (ref.name, f"{build.repository}@{build.digest('index')}", build.digest("config")):
            add_image(world, host, space, name, build)


def collect_garbage(world: World, host: str, space: str) -> None:
    """Drop content and snapshots that no image or container needs any more (containerd's metadata GC)."""
    found = namespace(world, host, space)
    builds = {image.build for image in found.images.values()} | {c.build for c in found.containers.values()}
    kept: set[str] = set()
    for name in builds:
        build = images.known(world, name)
        if build is not None:
            kept |= {build.digest(part) for part in ("index", "manifest", "config")}
            for index in range(len(build.layers)):
                kept |= {build.digest(f"layer/{index}"), build.digest(f"chain/{index}")}
    found.blobs = {digest: blob for digest, blob in found.blobs.items() if digest in kept}
    found.snapshots = {key: snap for key, snap in found.snapshots.items() if key in kept or snap.kind == "Active"}

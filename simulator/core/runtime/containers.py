"""Containers and their tasks, whoever asks (the CRI, ctr, nerdctl): create, start, signal, and what happens when one ends.

A container's main process is a host `Process` whose parent is a shim process; the shim outlives containerd and hears of the end.
Follows containerd's `core/runtime/v2`, `cmd/containerd-shim-runc-v2` and runc's messages.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

from ..host import executor, processes, streams
from ..host.filesystem import Inode
from ..host.machine import hosts
from ..host.process import Process
from ..kernel import clock, network
from ..kernel.errors import ConnectError
from ..kernel.http import Request, Response
from ..kernel.world import World
from . import events, images, logs, rootfs, spec, stdio
from .programs import signals
from .state import Container, Snapshot, find_container, namespace, runtime

SHIM = "containerd-shim-runc-v2"


class StartError(Exception):
    """runc could not start the container's process; `code` is what a CRI status shows as exit code."""

    def __init__(self, message: str, code: int = 128) -> None:
        super().__init__(message)
        self.code = code


def new_id(world: World, host: str) -> str:
    """A fresh 64-digit id."""
    rng = world.rng(f"containerd/{host}")
    return "".join(f"{rng.bits64():016x}" for _ in range(4))


def create(world: World, host: str, container: Container, files: dict[str, bytes] | None = None) -> Container:
    """Register a container and make its root file system and snapshot."""
    machine = hosts(world)[host]
    space = namespace(world, host, container.namespace)
    container.created_at = world.wall
    space.containers[container.id] = container
    parent = ""
    build = images.known(world, container.build)
    if build is not None:
        parent = build.digest(f"chain/{len(build.layers) - 1}")
    space.snapshots[container.id] = Snapshot(container.id, parent, "Active")
    name = container.hostname or container.id[:12]
    own = {"/etc/hostname": f"{name}\n".encode(), "/etc/resolv.conf": b"nameserver 127.0.0.53\n"}
    rootfs.create(world, machine, container, {**own, **(files or {})})
    events.publish(
        world, host, container.namespace, "/snapshot/prepare", key=container.id, parent=parent, snapshotter="overlayfs"
    )
    events.publish(
        world,
        host,
        container.namespace,
        "/containers/create",
        id=container.id,
        image=container.image,
        runtime={"name": "io.containerd.runc.v2"},
    )
    return container


def _resolve(world: World, container: Container, host: str) -> tuple[str, list[str], str]:
    """(program, argv, path) of a container's process, through the image's entrypoint script; raises StartError."""
    machine = hosts(world)[host]
    argv = list(container.argv)
    if not argv:
        raise StartError(
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: no command specified"
        )
    script = ""
    for _ in range(3):
        found = rootfs.find_executable(machine, container, argv[0])
        if found is None and script:  # the entrypoint is a shell script that ran: it says so, and its status is the shell's
            told = f"{script}: exec: {argv[0]}: not found"
            shell = rootfs.find_executable(machine, container, "sh")
            return "sh", ["sh", "-c", f"echo {shlex.quote(told)} >&2; exit 127"], shell[0] if shell else "/bin/sh"
        if found is None:
            where = rootfs.exec_failure(machine, container, argv[0])
            raise StartError(
                "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
                f"unable to start container process: error during container init: {where}"
            )
        path, program = found
        if program != "docker-entrypoint":
            return program, argv, path
        script = path
        argv = _through_entrypoint(world, container, argv[1:])
    return "", argv, argv[0]


def _through_entrypoint(world: World, container: Container, argv: list[str]) -> list[str]:
    """What an image's entrypoint script executes: a first argument that is a flag means the image's own program."""
    build = images.known(world, container.build)
    if build is not None and (not argv or argv[0].startswith("-")):
        return [build.cmd[0], *argv]
    return argv


def start(
    world: World,
    host: str,
    container: Container,
    *,
    sink: str = "",
    actor: str = "",
    fds: dict[int, streams.Stream] | None = None,
    ready: Callable[[], None] | None = None,
) -> Process:
    """Start a container's task; raises StartError, after which the container is EXITED with code 128.

    With `fds` the main process has those descriptors (an interactive `run`), else its output goes to the log.
    """
    sink = sink or (f"cri:{container.id}" if container.log_path else "null")
    try:
        program, argv, _ = _resolve(world, container, host)
    except StartError as failed:
        container.state, container.exit_code, container.reason = "EXITED", failed.code, "StartError"
        container.message = str(failed)
        container.started_at, container.finished_at = 0, world.wall
        raise
    shim = _ensure_shim(world, host, container)
    if ready is not None:
        ready()  # what the process finds when it begins
    container.state, container.started_at, container.has_task = "RUNNING", world.wall, True
    container.exit_code, container.reason, container.message, container.finished_at = 0, "", "", 0
    proc = _launch(world, host, container, program, argv, shim, sink, fds)
    container.pid = proc.pid
    events.publish(
        world,
        host,
        container.namespace,
        "/tasks/create",
        container_id=container.id,
        bundle=spec.bundle(container.namespace, container.id),
        pid=proc.pid,
    )
    events.publish(world, host, container.namespace, "/tasks/start", container_id=container.id, pid=proc.pid)
    world.emit(
        actor or f"containerd/{host}",
        "container.start",
        f"containers/{container.id[:12]}",
        {"image": container.image, "pid": proc.pid, "argv": argv[:8]},
    )
    processes.watch_exit(world, proc, shim.target, ["exit", container.id])
    for port in container.ports:
        _publish(world, host, shim, port.host_port, port.host_ip, port.protocol)
    return proc


def _ensure_shim(world: World, host: str, container: Container) -> Process:
    owner = container.sandbox or container.id
    if container.sandbox:
        sandbox = runtime(world, host).sandboxes.get(container.sandbox)
        if sandbox is not None:
            found = processes.find(world, host, sandbox.shim_pid)
            if found is not None and found.program == SHIM:
                container.shim_pid = found.pid
                return found
    shim = start_shim(world, host, container.namespace, owner)
    container.shim_pid = shim.pid
    return shim


def start_shim(world: World, host: str, space: str, owner: str) -> Process:
    """Start the shim process of a container or pod sandbox."""
    argv = ["/usr/bin/" + SHIM, "-namespace", space, "-id", owner, "-address", "/run/containerd/containerd.sock"]
    return processes.start(world, host=host, program=SHIM, argv=argv, sink="null")


def _launch(
    world: World,
    host: str,
    container: Container,
    program: str,
    argv: list[str],
    shim: Process,
    sink: str,
    fds: dict[int, streams.Stream] | None,
) -> Process:
    from . import execs

    programs = world.tables.get("programs", {})
    user = execs.user_of(container)
    netns = container.netns or host
    program = signals.as_program(program, argv)
    if fds is not None:
        return executor.get(world).spawn(
            host, argv, fds, user=user, cwd=container.cwd, env=dict(container.env), mnt=container.id, netns=netns, ppid=shim.pid,
            container=container.id, found=(argv[0], Inode("exec", 0o755, target=program)) if program else None,
        )  # fmt: skip
    if program in programs or program.partition(":")[0] in programs:
        return processes.start(
            world, host=host, program=program, argv=argv, ppid=shim.pid, user=user, cwd=container.cwd,
            env=dict(container.env), sink=sink, mnt=container.id, netns=netns, container=container.id,
        )  # fmt: skip
    return execs.spawn_main(world, host, container, argv, shim, sink)


def _publish(world: World, host: str, shim: Process, port: int, address: str, protocol: str) -> None:
    try:
        network.listen(world, host, port, host=host, pid=shim.pid, address=address, protocol=protocol)
    except OSError:
        return


def ended(world: World, host: str, ident: str, code: int) -> None:
    """The main process of a container has ended: keep its status, free what it held, tell whoever waits."""
    container = find_container(world, host, ident)
    if container is None or container.state != "RUNNING":
        return
    container.state, container.exit_code, container.finished_at = "EXITED", code, world.wall
    stdio.forget(world, ident)
    events.publish(
        world,
        host,
        container.namespace,
        "/tasks/exit",
        container_id=ident,
        id=ident,
        pid=container.pid,
        exit_status=code,
        exited_at=logs.stamp(world.wall),
    )
    container.ended_pid = container.pid if container.namespace != "k8s.io" else 0
    container.pid = 0
    container.reason = "OOMKilled" if container.reason == "OOMKilled" else ("Completed" if code == 0 else "Error")
    for other in [p for p in hosts(world)[host].processes.values() if p.container == ident]:
        processes.kill(world, other, 9)
    world.emit(f"containerd/{host}", "container.exit", f"containers/{ident[:12]}", {"code": code})
    if not container.sandbox:
        again = False
        if container.options:
            from .engine import life

            again = life.ended(world, host, container, code)
        _end_shim(world, host, container)
        if container.auto_remove and not again:
            remove(world, host, container)
    world.ring(f"cri:{host}")
    world.ring(f"container:{host}:{ident}")


def _end_shim(world: World, host: str, container: Container) -> None:
    shim = processes.find(world, host, container.shim_pid)
    if shim is not None and shim.program == SHIM:
        processes.kill(world, shim, 9)
    container.shim_pid = 0
    release(world, host, container)


def release(world: World, host: str, container: Container) -> None:
    """Take away a container's own network namespace and addresses."""
    if container.netns and not container.shared_netns:
        from . import cni

        cni.detach(world, container.netns)
        for endpoint in container.networks.values():
            endpoint.ip = endpoint.id = ""


def signal(world: World, host: str, container: Container, number: int) -> None:
    """Send a signal to a container's main process as PID 1 of its namespace gets it.

    The kernel drops signals that PID 1 has no handler for (except from KILL and STOP of an outer namespace), which is why
    `sleep` does not end on TERM.
    """
    proc = processes.find(world, host, container.pid)
    if proc is None or container.state != "RUNNING":
        return
    if number == 9:
        processes.kill(world, proc, 9)
        return
    delay = signals.delay(world, proc, number)
    if delay is None:
        signals.offer(world, proc, number)
        return
    shim = processes.find(world, host, container.shim_pid)
    if shim is None or delay == 0:
        processes.kill(world, proc, number)
    else:
        world.after(delay, shim.target, ["signal", container.id, number])


def stop(world: World, host: str, container: Container, grace: int) -> None:
    """Ask a container to end by its stop signal and, after `grace` ns, by KILL; returns at once."""
    if container.state != "RUNNING":
        return
    shim = processes.find(world, host, container.shim_pid)
    if grace > 0:
        signal(world, host, container, container.stop_signal)
    if container.state == "RUNNING" and shim is not None:
        world.after(grace, shim.target, ["signal", container.id, 9])


def remove(world: World, host: str, container: Container) -> None:
    """Forget a container that does not run: its record, root, snapshot and log."""
    space = namespace(world, host, container.namespace)
    space.containers.pop(container.id, None)
    space.snapshots.pop(container.id, None)
    rootfs.remove(hosts(world)[host], container.id)
    hosts(world)[host].pid_spaces.pop(container.id, None)
    events.publish(world, host, container.namespace, "/containers/delete", id=container.id)
    if not container.sandbox:
        release(world, host, container)
    if container.options:
        from .engine import creation

        creation.forgotten(world, host, container)
    world.ring(f"cri:{host}")
    world.ring(f"container:{host}:{container.id}")


class ShimProgram:
    """`containerd-shim-runc-v2`: reaps the containers of one pod or container and holds its published ports."""

    def start(self, world: World, proc: Process) -> None:
        """Nothing to do until a container ends."""

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """`[["exit", id], pid, code]` from watch_exit, or `["signal", id, number]` of a stop under way."""
        head = payload[0]
        if isinstance(head, list):
            if head[0] == "pause":
                from . import sandboxes

                sandboxes.ended(world, proc.host, head[1])
            else:
                ended(world, proc.host, head[1], payload[2])
            return
        container = find_container(world, proc.host, payload[1])
        if container is not None and container.state == "RUNNING":
            main = processes.find(world, proc.host, container.pid)
            if main is not None:
                processes.kill(world, main, payload[2])

    def stop(self, world: World, proc: Process, number: int) -> int:
        """A shim that is killed takes nothing with it at once."""
        return 128 + number

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """A connection to a published port: pass it on to the container (what iptables DNAT does on a real host).

        A question to the container's own resolver comes here too (see `engine/networks.py`).
        """
        if request.method == "DNS":
            from .engine import networks

            space = proc.argv[proc.argv.index("-namespace") + 1]
            return networks.answer(world, proc.host, space, request.source, request)
        _, _, port_text = request.headers.get("host", "").rpartition(":")
        port = int(port_text) if port_text.isdigit() else (443 if request.scheme == "https" else 80)
        ports = [(p, ip) for p, ip in _published(world, proc) if p.host_port == port] or _published(world, proc)
        if not ports:
            raise ConnectError("refused", f"{proc.host}:{port}")
        mapping, ip = ports[0]
        if mapping.container_port and _paused(world, proc):
            raise ConnectError("timeout", f"{proc.host}:{port}")
        if bridge := _bridge(world, proc):
            request.source, request.client = bridge, network.network(world).namespaces[bridge].ips[0]
        return network.http(world, proc.host, ip, mapping.container_port, request)


def _bridge(world: World, shim: Process) -> str:
    """Where a connection to a published port comes from as the container of an engine sees it: its bridge."""
    from .engine import networks

    for space in runtime(world, shim.host).namespaces.values():
        for container in space.containers.values():
            if container.shim_pid == shim.pid and container.networks:
                found = networks.find(world, shim.host, container.namespace, next(iter(container.networks)))
                return networks.bridge(world, shim.host, found) if found.subnet else ""
    return ""


def _paused(world: World, shim: Process) -> bool:
    return any(
        c.paused and c.shim_pid == shim.pid
        for space in runtime(world, shim.host).namespaces.values()
        for c in space.containers.values()
    )


def _published(world: World, shim: Process) -> list[tuple[Any, str]]:
    found: list[tuple[Any, str]] = []
    state = runtime(world, shim.host)
    nets = network.network(world).namespaces
    for sandbox in state.sandboxes.values():
        if sandbox.shim_pid == shim.pid:
            found.extend((port, sandbox.ip) for port in sandbox.ports)
    for space in state.namespaces.values():
        for container in space.containers.values():
            if container.shim_pid == shim.pid and container.ports and container.netns in nets:
                found.extend((port, (nets[container.netns].ips or ["127.0.0.1"])[0]) for port in container.ports)
    return found


def running_for(world: World, container: Container) -> int:
    """How long a container has run, in ns."""
    end = container.finished_at or world.wall
    return max(0, end - container.started_at)


__all__ = [
    "SHIM",
    "ShimProgram",
    "StartError",
    "clock",
    "create",
    "logs",
    "new_id",
    "remove",
    "running_for",
    "signal",
    "start",
    "stop",
]

"""A container's life under an engine: start, stop, pause, restart policies and health checks (moby `daemon/`, containerd's restart monitor).

Timers go to the engine's supervisor: dockerd for `moby`, containerd (whose restart plugin does it) for nerdctl's namespaces.
"""

from __future__ import annotations

from typing import Any

from ...host import executor, processes, streams
from ...host.machine import hosts
from ...host.process import Process
from ...kernel.clock import MINUTE, MS, SECOND
from ...kernel.world import World
from .. import containers, execs, rootfs
from ..state import Container, find_container, runtime
from . import core, networks
from .core import EngineError

#: moby `daemon/internal/restartmanager`: the first wait, the longest, and the run that resets it.
FIRST_WAIT, LONGEST_WAIT, GOOD_RUN = 100 * MS, MINUTE, 10 * SECOND
#: moby `daemon/health.go`: what a check has when nothing is said.
HEALTH_DEFAULTS = {"interval": 30 * SECOND, "timeout": 30 * SECOND, "start_period": 0, "retries": 3}
HEALTH_LOG, HEALTH_OUTPUT = 5, 4096


def supervisor(world: World, host: str, space: str) -> Process | None:
    """The daemon that looks after an engine's containers, if it runs."""
    state = runtime(world, host)
    if core.is_docker(space):
        held = state.engines.get(space)
        proc = processes.find(world, host, held.pid) if held is not None else None
        return proc if proc is not None and proc.program.partition(":")[0] == "dockerd" else None
    proc = processes.find(world, host, state.pid)
    return proc if proc is not None and proc.program.partition(":")[0] == "containerd" else None


def start(world: World, host: str, container: Container, *, fds: dict[int, streams.Stream] | None = None) -> None:
    """Start a container; raises EngineError for its network and containers.StartError for its process."""
    _join(world, host, container)
    networks.attach(world, host, container)
    networks.write_resolver(world, host, container)
    check_ports(world, host, container)
    container.asked_to_stop = False
    container.restarting = False
    try:
        actor = f"dockerd/{host}" if core.is_docker(container.namespace) else ""
        containers.start(world, host, container, fds=fds, actor=actor, ready=lambda: networks.listen(world, host, container))
    except containers.StartError:
        containers.release(world, host, container)
        container.state = "CREATED" if not container.started_at else container.state
        container.has_task = False
        raise
    networks.refresh(world, host, container.namespace)
    core.volumes_event(world, host, container, "mount")
    core.container_event(world, host, container, "start")
    if container.health is not None:
        container.health.status, container.health.streak, container.health.log = "starting", 0, []
        _later(world, host, container, container.health.interval, "health")


def _join(world: World, host: str, container: Container) -> None:
    """`--network container:<id>`: the other container's namespace, which exists only while that one runs."""
    other = str(container.options.get("join") or "")
    if not other:
        return
    target = find_container(world, host, other)
    if target is None:
        raise EngineError(f"No such container: {other}", 404)
    if target.state != "RUNNING":
        raise EngineError(
            f"cannot join network namespace of a non running container: {target.name if core.is_docker(target.namespace) else target.id}",
            409,
        )
    container.netns = target.netns


def check_ports(world: World, host: str, container: Container) -> None:
    """Refuse a published port that something on the host holds; give a free one where none is named."""
    from ...kernel.network import network

    engine = core.engine(world, host, container.namespace)
    held = network(world).namespaces[host].listeners
    for port in container.ports:
        if (
            port.host_port == 0
            or str(container.options.get("random_ports") or "").find(f"{port.container_port}/{port.protocol};") >= 0
        ):
            while held.get(f"{engine.next_port}/{port.protocol}"):
                engine.next_port += 1
            port.host_port = engine.next_port
            engine.next_port += 1
            continue
        busy = [
            one
            for one in held.get(f"{port.host_port}/{port.protocol}", ())
            if "0.0.0.0" in (one.address, port.host_ip) or one.address == port.host_ip
        ]
        if not busy:
            continue
        endpoint, ip = _endpoint(container), _ip(container)
        containers.release(world, host, container)
        if not core.is_docker(container.namespace):
            raise EngineError(
                f"failed to load networking flags: bind for {port.host_ip}:{port.host_port} failed: port is already allocated"
            )
        owner = next(
            (
                c
                for c in core.containers(world, host, container.namespace).values()
                if c.state == "RUNNING" and any(p.host_port == port.host_port for p in c.ports)
            ),
            None,
        )
        what = (
            "Bind for " + f"{port.host_ip}:{port.host_port} failed: port is already allocated"
            if owner is not None
            else (
                f"failed to bind host port for {port.host_ip}:{port.host_port}:{ip}:{port.container_port}/{port.protocol}: address already in use"
            )
        )
        raise EngineError(
            f"failed to set up container networking: driver failed programming external connectivity on endpoint {container.name} ({endpoint}): {what}"
        )


def _ip(container: Container) -> str:
    return next((one.ip for one in container.networks.values() if one.ip), "")


def _endpoint(container: Container) -> str:
    return next((one.id for one in container.networks.values() if one.id), "")


def stop(world: World, host: str, container: Container, grace: int) -> None:
    """Ask it to end; KILL comes after `grace` ns.  A waiting restart is called off."""
    container.asked_to_stop = True
    if container.restarting:
        container.restarting = False
    if container.paused:
        unpause(world, host, container)
    if container.state == "RUNNING" and core.is_docker(container.namespace):
        core.container_event(world, host, container, "kill", signal=str(container.stop_signal or 15))
        container.options["stopping"] = True
    containers.stop(world, host, container, grace)


def kill(world: World, host: str, container: Container, number: int) -> None:
    """Send a signal; KILL also counts as asked for."""
    if number in (9, 15, container.stop_signal):
        container.asked_to_stop = True
    if container.paused and number == 9:
        unpause(world, host, container)
    core.container_event(world, host, container, "kill", signal=str(number))
    containers.signal(world, host, container, number)


def _all(world: World, host: str, container: Container) -> list[Process]:
    return [p for p in hosts(world)[host].processes.values() if p.container == container.id]


def pause(world: World, host: str, container: Container) -> None:
    """Freeze the container's cgroup: its processes stop, its connections hang."""
    for proc in _all(world, host, container):
        processes.kill(world, proc, 19)
    container.paused = True
    core.container_event(world, host, container, "pause")


def unpause(world: World, host: str, container: Container) -> None:
    """Thaw it."""
    container.paused = False
    for proc in _all(world, host, container):
        processes.kill(world, proc, 18)
    core.container_event(world, host, container, "unpause")


def ended(world: World, host: str, container: Container, code: int) -> bool:
    """Told by the runtime when a container of an engine has ended; True when it is going to be started again."""
    lasted = world.wall - container.started_at
    container.paused = False
    if container.options.pop("stopping", False) and code == 137:  # the signal of `stop` was not enough
        core.container_event(world, host, container, "kill", signal="9")
    core.container_event(world, host, container, "die", exitCode=str(code), execDuration=str(lasted // SECOND))
    networks.left(world, host, container)
    core.volumes_event(world, host, container, "unmount")
    if container.asked_to_stop:
        core.container_event(world, host, container, "stop")
    networks.refresh(world, host, container.namespace)
    if not wants_restart(container, code):
        return False
    if core.is_docker(container.namespace):
        waits = int(container.options.get("wait", FIRST_WAIT // 2))
        waits = FIRST_WAIT if lasted >= GOOD_RUN else min(waits * 2, LONGEST_WAIT)
        container.options["wait"] = waits
    else:
        waits = 10 * SECOND - world.now % (10 * SECOND)
    if supervisor(world, host, container.namespace) is None:
        return False
    container.restarting = True
    _later(world, host, container, waits, "restart")
    return True


def wants_restart(container: Container, code: int) -> bool:
    """Whether the restart policy starts it again after this end."""
    policy, _, most = container.restart.partition(":")
    if container.asked_to_stop:
        return False
    if policy in ("always", "unless-stopped"):
        return True
    return policy == "on-failure" and code != 0 and (not most or int(most) == 0 or container.restarts < int(most))


def _later(world: World, host: str, container: Container, after: int, what: str) -> None:
    proc = supervisor(world, host, container.namespace)
    if proc is not None:
        world.after(after, proc.target, ["engine", what, container.id, container.started_at])


def timer(world: World, proc: Process, payload: list[Any]) -> None:
    """A supervisor's timer: `["engine", what, container, started]`."""
    what, ident = payload[1], payload[2]
    if isinstance(what, list):  # a health check has ended: [["engine", …], pid, code]
        return
    container = find_container(world, proc.host, ident)
    if container is None:
        return
    if what == "restart":
        _again(world, proc.host, container)
    elif what == "health" and container.state == "RUNNING" and container.started_at == payload[3]:
        _probe(world, proc, container)
    elif what == "timeout" and container.options.get("probe") == payload[3]:
        probe = processes.find(world, proc.host, int(payload[3]))
        if probe is not None:
            processes.kill(world, probe, 9)


def _again(world: World, host: str, container: Container) -> None:
    if not container.restarting or container.state == "RUNNING":
        return
    container.restarts += 1
    try:
        start(world, host, container)
    except (containers.StartError, EngineError):
        container.restarting = wants_restart(container, container.exit_code or 127)
        if container.restarting:
            waits = min(int(container.options.get("wait", FIRST_WAIT)) * 2, LONGEST_WAIT)
            container.options["wait"] = waits
            _later(world, host, container, waits, "restart")


# -- health ---------------------------------------------------------------------------------------------------------------
def _probe(world: World, proc: Process, container: Container) -> None:
    health = container.health
    assert health is not None
    if container.paused:
        _later(world, proc.host, container, health.interval, "health")
        return
    kind, *rest = health.test
    argv = ["/bin/sh", "-c", " ".join(rest)] if kind == "CMD-SHELL" else rest
    container.options["probe_exec"] = core.exec_begins(world, proc.host, container, argv)
    if rootfs.find_executable(hosts(world)[proc.host], container, argv[0]) is None:
        text = f'OCI runtime exec failed: exec failed: unable to start container process: exec: "{argv[0]}": executable file not found in $PATH: unknown'
        probed(world, proc.host, container, -1, text, world.wall)
        return
    found = executor.run_in(
        world, proc.host, argv, mnt=container.id, netns=container.netns, user=execs.user_of(container),
        env=dict(container.env), cwd=container.cwd, container=container.id,
    )  # fmt: skip
    world.warm.setdefault("probes", {})[found.proc.key] = found
    container.options["probe"] = found.proc.pid
    processes.watch_exit(world, found.proc, proc.target, ["probe", container.id, world.wall])
    world.after(health.timeout, proc.target, ["engine", "timeout", container.id, found.proc.pid])


def probe_ended(world: World, proc: Process, payload: list[Any]) -> None:
    """A health check's command has ended: `[["probe", container, began], pid, code]`."""
    (_, ident, began), pid, code = payload
    found = world.warm.get("probes", {}).pop(f"{proc.host}/{pid}", None)
    container = find_container(world, proc.host, ident)
    if container is None or container.health is None or container.state != "RUNNING":
        return
    container.options.pop("probe", None)
    core.exec_ends(world, proc.host, container, str(container.options.pop("probe_exec", "")), code)
    output = (found.stdout + found.stderr).decode(errors="replace")[:HEALTH_OUTPUT] if found is not None else ""
    if code == 137:
        code, output = (
            -1,
            f"Health check exceeded timeout ({_seconds(container.health.timeout)}){': ' + output if output else ''}",
        )
    probed(world, proc.host, container, code, output, began)


def _seconds(ns: int) -> str:
    return f"{ns // MINUTE}m{ns % MINUTE // SECOND}s" if ns >= MINUTE else f"{ns / SECOND:g}s"


def probed(world: World, host: str, container: Container, code: int, output: str, began: int) -> None:
    """Count a result (moby `handleProbeResult`)."""
    health = container.health
    assert health is not None
    health.log = [*health.log[-(HEALTH_LOG - 1) :], (began, world.wall, code, output)]
    before = health.status
    if code == 0:
        health.streak, health.status = 0, "healthy"
    elif not (health.status == "starting" and world.wall - container.started_at < health.start_period):
        health.streak += 1
        if health.streak >= health.retries:
            health.status = "unhealthy"
    if before != health.status:
        core.container_event(world, host, container, f"health_status: {health.status}")
    _later(world, host, container, health.interval, "health")

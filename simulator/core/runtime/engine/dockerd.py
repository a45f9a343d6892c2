"""dockerd: the Docker engine's daemon, on its socket, with containerd under it (moby `daemon/command`).

Its images, networks and volumes are its own (`/var/lib/docker`); its containers are containerd's, in the namespace `moby`.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

from ...host import files, processes
from ...host.machine import hosts
from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...kernel.world import World
from .. import containerd, containers
from . import core, life
from .core import MOBY, EngineError

SOCKET = "/run/docker.sock"
VERSION, API_VERSION, MIN_API, COMMIT = "28.5.1", "1.51", "1.24", "f8215cc"
BUILDX, COMPOSE = "v0.29.1", "v2.40.2"


def connect(world: World, host: str) -> Process:
    """dockerd's process, or ConnectError as dialling its socket fails."""
    proc = life.supervisor(world, host, MOBY)
    if proc is not None and proc.state != "T":
        return proc
    exists = hosts(world)[host].fs.exists(SOCKET)
    raise ConnectError("refused", "unix:///var/run/docker.sock", "connection refused" if exists else "no such file or directory")


def configuration(world: World, host: str) -> dict[str, Any]:
    """`/etc/docker/daemon.json`; raises EngineError as dockerd words it."""
    path = "/etc/docker/daemon.json"
    machine = hosts(world)[host]
    if not machine.fs.exists(path):
        return {}
    text = machine.fs.read(path).decode(errors="replace")
    try:
        found = json.loads(text)
    except json.JSONDecodeError as bad:
        at = text[bad.pos : bad.pos + 1]
        what = "unexpected end of JSON input" if not at else f"invalid character {at!r} looking for beginning of value"
        raise EngineError(f"unable to configure the Docker daemon with file {path}: {what}") from None
    if not isinstance(found, dict):
        raise EngineError(
            f"unable to configure the Docker daemon with file {path}: json: cannot unmarshal array into Go value of type map[string]interface {{}}"
        )
    unknown = [key for key in found if key not in KEYS]
    if unknown:
        raise EngineError(
            f"unable to configure the Docker daemon with file {path}: the following directives don't match any configuration option: {', '.join(sorted(unknown))}"
        )
    return found


#: What daemon.json may say (moby `daemon/config`).
KEYS = frozenset(
    """allow-nondistributable-artifacts api-cors-header authorization-plugins bip bridge bridge-accept-fwmark builder cgroup-parent
    containerd containerd-namespace containerd-plugin-namespace cpu-rt-period cpu-rt-runtime data-root debug default-address-pools
    default-cgroupns-mode default-gateway default-gateway-v6 default-network-opts default-runtime default-shm-size default-ulimits dns
    dns-opts dns-search exec-opts exec-root experimental features fixed-cidr fixed-cidr-v6 group host-gateway-ip hosts http-proxy https-proxy
    icc init init-path insecure-registries ip ip-forward ip-forward-no-drop ip-masq ip6tables iptables ipv6 labels live-restore log-driver log-format
    log-level log-opts max-concurrent-downloads max-concurrent-uploads max-download-attempts metrics-addr mtu no-new-privileges
    no-pivot-root no-proxy node-generic-resources oom-score-adjust pidfile proxies raw-logs registry-mirrors runtimes
    seccomp-profile selinux-enabled shutdown-timeout storage-driver storage-opts swarm-default-advertise-addr tls tlscacert
    tlscert tlskey tlsverify userland-proxy userland-proxy-path userns-remap""".split()
)


class Dockerd:
    """The program `dockerd`."""

    def _say(self, world: World, proc: Process, text: str, level: str = "info") -> None:
        stamp = clock.rfc3339(world.wall)[:-1] + f".{world.wall % clock.SECOND:09d}Z"
        processes.log(world, proc, f'time="{stamp}" level={level} msg="{text}"')

    def start(self, world: World, proc: Process) -> None:
        """Read the configuration, find containerd, open the socket, start the containers that are to run always."""
        if {"--version", "-v"} & set(proc.argv[1:]):
            processes.write(world, proc, f"Docker version {VERSION}, build {COMMIT}\n")
            raise Exited(0)
        engine = core.engine(world, proc.host, MOBY)
        first = life.supervisor(world, proc.host, MOBY)
        if first is not None and first.pid != proc.pid:
            processes.log(
                world,
                proc,
                f"failed to start daemon, ensure docker is not running or delete /var/run/docker.pid: process with PID {first.pid} is still running",
            )
            raise Exited(1)
        host = hosts(world)[proc.host]
        for name in ("net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding"):  # its bridge forwards
            if host.sysctl.get(name) == "0":
                del host.sysctl[name]
        host.modules = [module for module in host.modules if module not in ("-br_netfilter", "-overlay")]
        try:
            engine.config = configuration(world, proc.host)
        except EngineError as bad:
            processes.log(world, proc, str(bad))
            raise Exited(1) from None
        self._say(world, proc, "Starting up")
        try:
            containerd.connect(world, proc.host)
        except ConnectError as failed:
            text = f'failed to dial \\"{containerd.SOCKET}\\": failed to dial \\"{containerd.SOCKET}\\": context deadline exceeded: connection error: desc = \\"transport: error while dialing: dial unix {containerd.SOCKET}: connect: {failed.detail}\\"'
            processes.log(world, proc, f"failed to start daemon: {text}".replace('\\"', '"'))
            raise Exited(1) from None
        engine.pid = proc.pid
        self._say(world, proc, "Creating a containerd client")
        self._say(world, proc, "[graphdriver] using prior storage driver: overlay2")
        self._say(world, proc, "Loading containers: start.")
        files.make_socket(world, proc.host, SOCKET, mode=0o660, gid=_group(world, proc.host))
        files.write_file(world, proc.host, "/run/docker.pid", str(proc.pid).encode(), parents=True)
        for path in ("containers", "image/overlay2", "network", "overlay2", "volumes", "buildkit"):
            files.make_dir(world, proc.host, f"/var/lib/docker/{path}", parents=True)
        self._say(world, proc, "Loading containers: done.")
        for container in sorted(core.containers(world, proc.host, MOBY).values(), key=lambda c: c.created_at):
            if container.state != "RUNNING" and self._comes_back(container):
                with contextlib.suppress(containers.StartError, EngineError):
                    life.start(world, proc.host, container)
        self._say(world, proc, "Docker daemon")
        self._say(world, proc, "Daemon has completed initialization")
        self._say(world, proc, f"API listen on {SOCKET}")
        world.ring(f"engine:{proc.host}:{MOBY}")

    @staticmethod
    def _comes_back(container: Any) -> bool:
        policy = container.restart.partition(":")[0]
        return policy == "always" or (policy == "unless-stopped" and not container.asked_to_stop)

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """Restarts and health checks."""
        if isinstance(payload[0], list):
            life.probe_ended(world, proc, payload)
        else:
            life.timer(world, proc, payload)

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """An orderly end stops the containers first, unless `live-restore` is on; KILL leaves them to their shims."""
        engine = core.engine(world, proc.host, MOBY)
        if engine.pid != proc.pid:
            return 128 + signal if signal == 9 else 0
        if signal != 9:
            self._say(world, proc, f"Processing signal '{'terminated' if signal == 15 else 'interrupt'}'")
            if not engine.config.get("live-restore"):
                for container in list(core.containers(world, proc.host, MOBY).values()):
                    if container.state == "RUNNING":
                        asked, policy, container.restart = container.asked_to_stop, container.restart, ""
                        containers.signal(world, proc.host, container, 9)
                        containers.ended(world, proc.host, container.id, 137)
                        container.restart, container.asked_to_stop = policy, asked
            self._say(world, proc, "Daemon shutdown complete")
            for path in (SOCKET, "/run/docker.pid"):
                with contextlib.suppress(OSError):
                    files.remove_file(world, proc.host, path)
        engine.pid = 0
        world.ring(f"engine:{proc.host}:{MOBY}")
        return 137 if signal == 9 else 0

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """The engine listens on its unix socket only."""
        raise ConnectError("reset", proc.host)


def _group(world: World, host: str) -> int:
    try:
        for line in hosts(world)[host].fs.read("/etc/group").decode().splitlines():
            name, _, rest = line.partition(":")
            if name == "docker":
                return int(rest.split(":")[1])
    except (OSError, ValueError, IndexError):
        return 0
    return 0

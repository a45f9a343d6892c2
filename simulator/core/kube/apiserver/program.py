"""The daemon `kube-apiserver` (`cmd/kube-apiserver/app/server.go`): flags, port, post-start hooks, timers.

Its state is `Config` by process key in the section `apiserver`; the `Server` that answers is warm and rebuilt from it.  When
etcd cannot be reached at the start the process keeps trying, as the real one does before it gives up; requests fail meanwhile.
"""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec

from ...etcd.client import EtcdClient, TlsFiles
from ...etcd.errors import EtcdError
from ...host import files, processes
from ...host.machine import wall_of
from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock, network
from ...kernel.clock import MINUTE, MS, SECOND
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...kernel.world import World
from .. import component
from ..api.errors import ApiError, internal_error
from . import aggregation
from . import flags as api_flags
from .bootstrap import start as hooks
from .handler import handle
from .metrics import Tally
from .recent import Recent, Row
from .registry import definition_controllers
from .server import API_SERVICE_TOPIC, Config, Server
from .storage import EventLease

COMPACT_EVERY = 5 * MINUTE
#: The port is open from the start, but nobody speaks TLS before etcd has answered: who waits longer than a start takes gives up.
ACCEPTED = 2 * SECOND
RETRY = SECOND
#: How long the process waits for its first connection to etcd before it exits (`storagebackend/factory/etcd3.go: dialTimeout`).
GIVE_UP = 20 * SECOND

Obj = dict[str, Any]


#: Rows of people and of components, and when copies were read.
Memory = tuple[list[Row], list[Row], dict[str, int]]


class Running(msgspec.Struct):
    """The state of one API server process."""

    config: Config
    etcd_cert: bytes = b""
    etcd_key: bytes = b""
    etcd_ca: bytes = b""
    ready: bool = False
    started: int = 0
    compact_revision: int = 0
    tally: Tally = msgspec.field(default_factory=Tally)
    event_lease: EventLease = msgspec.field(default_factory=EventLease)
    #: A look at the APIServices that other servers answer for is under way.
    looking: bool = False
    recent: Recent = msgspec.field(default_factory=Recent)
    #: When the copies of roles, definitions … were read (`Server.copy`): revisions by prefix.
    seen: dict[str, int] = {}

    def memory(self) -> Memory:
        """What requests leave behind here, to be put back (`remember`) when nothing was to be noticed of them."""
        return [*self.recent.people], [*self.recent.others], dict(self.seen)

    def remember(self, memory: Memory) -> None:
        """Be as one was when this was taken; in place, because the warm server holds the same lists."""
        people, others, seen = memory
        self.recent.people[:], self.recent.others[:] = people, others
        self.seen.clear()
        self.seen.update(seen)


def section(world: World) -> dict[str, Running]:
    """All running API servers by process key."""
    return world.section("apiserver", dict)


def server_of(world: World, proc: Process) -> Server:
    """The warm server of a process."""
    warm: dict[str, Server] = world.warm.setdefault("apiservers", {})
    found = warm.get(proc.key)
    if found is None:
        running = section(world)[proc.key]
        client = EtcdClient(
            world, proc.netns, running.config.etcd_servers, TlsFiles(running.etcd_cert, running.etcd_key, running.etcd_ca)
        )
        found = warm[proc.key] = Server(world, running.config, client, netns=proc.netns, key=proc.key)
        found.storage.lease = running.event_lease
        found.tally = running.tally
        found.recent = running.recent
        found.seen = running.seen
    return found


def _klog(world: World, proc: Process, level: str, where: str, text: str) -> None:
    """One unstructured klog line."""
    stamp = clock.to_datetime(wall_of(world, proc.host)).strftime("%m%d %H:%M:%S.%f")
    processes.log(world, proc, f"{level}{stamp} {1 if proc.container else proc.pid:7d} {where}] {text}")


def _waits_for_etcd(server: Server) -> bool:
    """Whether no etcd can be dialled; one that has no leader can, and then the server serves errors."""
    try:
        server.client.current_revision()
    except ConnectError as failed:
        return failed.kind == "refused"
    except EtcdError:
        return False
    return False


class ApiServerProgram:
    """See `host.program.Program`."""

    def start(self, world: World, proc: Process) -> None:
        """Parse flags, bind the secure port, then run the post-start hooks as soon as etcd answers."""

        def read(path: str) -> bytes:
            return files.read_file(world, proc.host, path, mnt=proc.mnt)

        try:
            found = api_flags.parse(proc.argv)
            if "version" in found:
                processes.log(world, proc, f"Kubernetes {component.version_of(proc)}")
                raise Exited(0)
            config = api_flags.config(found, read)
        except api_flags.FlagError as error:
            processes.log(world, proc, f"Error: {error}")
            raise Exited(1) from None
        if not config.advertise_address:
            config.advertise_address = network.network(world).namespaces[proc.netns].ips[0]
        running = Running(config=config, started=world.now)
        running.etcd_cert = read(found["etcd-certfile"]) if found.get("etcd-certfile") else b""
        running.etcd_key = read(found["etcd-keyfile"]) if found.get("etcd-keyfile") else b""
        running.etcd_ca = read(found["etcd-cafile"]) if found.get("etcd-cafile") else b""
        try:
            network.listen(world, proc.netns, config.secure_port, host=proc.host, pid=proc.pid)
        except OSError:
            text = f"failed to create listener: failed to listen on 0.0.0.0:{config.secure_port}: "
            processes.log(world, proc, f"Error: {text}listen tcp 0.0.0.0:{config.secure_port}: bind: address already in use")
            raise Exited(1) from None
        section(world)[proc.key] = running
        world.warm.get("apiservers", {}).pop(proc.key, None)
        for topic in hooks.TOPICS:
            world.subscribe(topic, proc.target, ["changed", topic])
        _klog(world, proc, "I", "server.go:156", f"Version: {component.version_of(proc)}")
        _klog(world, proc, "I", "server.go:158", '"Golang settings" GOGC="" GOMAXPROCS="" GOTRACEBACK=""')
        world.after(300 * MS, proc.target, ["hooks"])

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """Post-start hooks, compaction, the master lease, and doorbells of what is cached."""
        running = section(world).get(proc.key)
        if running is None:
            return
        what = payload[0]
        if what == "hooks":
            self._hooks(world, proc, running)
        elif what == "changed":
            server_of(world, proc).topic_rang(payload[1])
            if payload[1] == API_SERVICE_TOPIC and running.ready and not running.looking:
                running.looking = True
                world.after(100 * MS, proc.target, ["aggregate"])
        elif what == "aggregate":
            running.looking = False
            with contextlib.suppress(ApiError, ConnectError, EtcdError):
                again = aggregation.check(server_of(world, proc))
                if again:
                    running.looking = True
                    world.after(again, proc.target, ["aggregate"])
        elif what == "definition":
            with contextlib.suppress(ApiError, ConnectError, EtcdError):
                definition_controllers.late(server_of(world, proc), payload[1])
        elif what == "compact":
            self._compact(world, proc, running)
        elif what == "lease":
            world.after(10 * SECOND, proc.target, ["lease"])
            with contextlib.suppress(ApiError, ConnectError, EtcdError):
                hooks.renew(server_of(world, proc))

    def _hooks(self, world: World, proc: Process, running: Running) -> None:
        server = server_of(world, proc)
        try:
            hooks.run(server)
        except (ApiError, ConnectError, EtcdError) as error:
            if world.now - running.started > GIVE_UP:
                timed_out = isinstance(error, ConnectError) or getattr(error, "code", 0) == 504
                why = "context deadline exceeded" if timed_out else str(error)
                _klog(world, proc, "F", "instance.go:232", f"Error creating leases: error creating storage factory: {why}")
                processes.exit(world, proc, 1)
                return
            for address in running.config.etcd_servers:
                where = address.partition("://")[2] or address
                why = f'connection error: desc = "transport: Error while dialing: dial tcp {where}: connect: connection refused"'
                target = f'{{Addr: "{where}", ServerName: "{where}", }}'
                text = (
                    f"[core] [Channel #1 SubChannel #2]grpc: addrConn.createTransport failed to connect to {target}. Err: {why}"
                )
                _klog(world, proc, "W", "logging.go:55", text)
            world.after(RETRY, proc.target, ["hooks"])
            return
        running.ready = True
        _klog(world, proc, "I", "secure_serving.go:211", f"Serving securely on [::]:{running.config.secure_port}")
        world.emit("kube-apiserver", "ready", proc.host, {"port": running.config.secure_port})
        world.ring("apiserver:ready")
        world.after(COMPACT_EVERY, proc.target, ["compact"])
        world.after(10 * SECOND, proc.target, ["lease"])

    def _compact(self, world: World, proc: Process, running: Running) -> None:
        """Compact to where the store stood five minutes ago (`etcd3/compact.go`)."""
        world.after(COMPACT_EVERY, proc.target, ["compact"])
        server = server_of(world, proc)
        try:
            current = server.client.current_revision()
            server.before_compaction(current)
            if running.compact_revision:
                server.client.compact(running.compact_revision)
            running.compact_revision = current
        except (ConnectError, EtcdError):
            return

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """Forget the server; open watches end."""
        before = section(world).get(proc.key)
        if signal == 15 and before is not None and before.ready:
            with contextlib.suppress(ApiError, ConnectError, EtcdError):
                hooks.leave_endpoints(server_of(world, proc))
        section(world).pop(proc.key, None)
        server = world.warm.get("apiservers", {}).pop(proc.key, None)
        if server is not None:
            watched = [stream for stream in server.streams if not stream.closed]
            server.stopped = True
            for stream in watched:
                world.ring(stream.topic)
        return 0 if signal == 15 else 128 + signal

    def certificate(self, world: World, proc: Process) -> bytes:
        """The serving certificate; a changed file is noticed within a minute (dynamic_serving_content.go)."""
        held: dict[str, tuple[int, bytes]] = world.warm.setdefault("serving", {})
        found = held.get(proc.key)
        if found is None or world.now - found[0] > 60 * SECOND:
            path = next((word.partition("=")[2] for word in proc.argv if word.startswith("--tls-cert-file=")), "")
            try:
                pem = files.read_file(world, proc.host, path, mnt=proc.mnt) if path else b""
            except OSError:
                pem = found[1] if found is not None else b""
            found = held[proc.key] = (world.now, pem)
        return found[1]

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """Answer a request on the secure port."""
        running = section(world).get(proc.key)
        if running is None:
            raise ConnectError("refused", proc.host)
        if request.scheme != "https":
            return Response(status=400, body=b"Client sent an HTTP request to an HTTPS server.\n")
        server = server_of(world, proc)
        if not running.ready and world.now - running.started > ACCEPTED and _waits_for_etcd(server):
            raise ConnectError("tls", proc.host, "net/http: TLS handshake timeout")
        server.ready = running.ready
        try:
            return handle(server, request)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            if world.tables.get("strict"):
                raise
            processes.log(world, proc, f'E wrap.go:57] "apiserver panic\'d" err="{type(error).__name__}: {error}"')
            body = internal_error("This request caused apiserver to panic. Look in the logs for details.")
            return Response(status=500, obj=body.status)


PROGRAM = ApiServerProgram()

"""The daemon `etcd`: one member process, from its flags to the answers on its client port.

A member opens its data directory (bootstrap.py), wins its election or hears of a leader, publishes itself and then serves clients.  What it
stores outlives the process: it is in the data directory's `Disk`.  A single voter elects itself after one election timeout; the part of a
member of several is in replication.py.
"""

from __future__ import annotations

import posixpath
from typing import Any

from ..host import files, processes
from ..host.process import Process
from ..host.program import Exited
from ..kernel import clock, network
from ..kernel.clock import MS, SECOND
from ..kernel.errors import ConnectError
from ..kernel.http import Request, Response
from ..kernel.world import World
from . import (
    applying,
    bootstrap,
    gateway,
    gateway_v2,
    lessor,
    logs,
    maintenance,
    replication,
    resting,
    service,
    tls,
    transport,
    usage,
)
from . import flags as etcd_flags
from .client import WRITES, Call, split_endpoint
from .errors import EtcdError
from .logs import log
from .member import Disk, Running, section
from .transport import Peer

DEFAULT_VERSION = "3.6.8"


def version_of(proc: Process) -> str:
    """The release of the binary: `etcd:3.6.13` → `3.6.13`."""
    return proc.program.partition(":")[2] or DEFAULT_VERSION


class EtcdProgram:
    """See `host.program.Program`."""

    def start(self, world: World, proc: Process) -> None:
        """Parse flags, open or create the data directory, bind the ports, and schedule the election."""
        version = version_of(proc)
        found = self._flags(world, proc, version)
        if etcd_flags.unadvertised(found):
            log(world, proc, "warn", "etcdmain/etcd.go:66", "failed to verify flags", error=etcd_flags.UNADVERTISED)
            log(world, proc, "warn", "etcdmain/etcd.go:69", "advertise client URLs are not set", error=etcd_flags.UNADVERTISED)
            raise Exited(1)
        if found.get("data-dir-defaulted"):
            where = {"data-dir": found["data-dir"]}
            log(world, proc, "warn", "etcdmain/etcd.go:95", "'data-dir' was empty; using default", **where)
        data_dir = posixpath.normpath(posixpath.join(proc.cwd, found["data-dir"]))
        self._bind(world, proc, found)
        disk = bootstrap.open_disk(world, proc, found, data_dir, version)
        running = Running(disk=disk.id, flags=found, version=version, data_dir=data_dir)
        running.tls = found["listen-client-urls"].startswith("https://")
        running.quota = _quota(found["quota-backend-bytes"])
        section(world).running[proc.key] = running
        logs.starting(world, proc, disk, running)
        if disk.raft is None:
            world.after(world.rng("etcd").between(600, 1100) * MS, proc.target, ["elected"])
            return
        world.subscribe(transport.TOPIC, proc.target, ["network"])
        world.after(4 * SECOND, proc.target, ["storage"])
        replication.start(world, disk, running)

    def _flags(self, world: World, proc: Process, version: str) -> dict[str, str]:
        """The flags, after everything that is said about them; ends the process for those that are refused."""
        if proc.argv[1:2] and proc.argv[1] in ("gateway", "grpc-proxy"):
            processes.log(world, proc, f"etcd {proc.argv[1]}: not simulated in Slipway yet")
            raise Exited(1)

        def read(path: str) -> bytes:
            return files.read_file(world, proc.host, posixpath.join(proc.cwd, path), mnt=proc.mnt)

        try:
            parsed = etcd_flags.parse(proc.argv, proc.env, version, read)
        except etcd_flags.FlagError as error:
            if error.usage:
                processes.log(world, proc, f"{error}\n{usage.USAGE}\n")
                raise Exited(2) from None
            log(world, proc, "info", "etcdmain/etcd.go:64", "Running: ", args=proc.argv)
            log(world, proc, "warn", "etcdmain/etcd.go:66", "failed to verify flags", error=str(error))
            raise Exited(1) from None
        found = parsed.flags
        if found.get("version"):
            build = "Git SHA: Not provided (use ./build instead of go build)\nGo Version: go1.24\nGo OS/Arch: linux/amd64\n"
            processes.say(world, proc, f"etcd Version: {version}\n{build}")
            raise Exited(0)
        if found.get("help"):
            processes.log(world, proc, f"{usage.USAGE}\n")
            processes.say(world, proc, f"{usage.flags_text(version)}\n")
            raise Exited(0)
        for level, caller, text, fields in parsed.notes:
            log(world, proc, level, caller, text, **fields)
            if level == "fatal":
                raise Exited(1)
        log(world, proc, "info", "etcdmain/etcd.go:64", "Running: ", args=proc.argv)
        return found

    def _bind(self, world: World, proc: Process, found: dict[str, str]) -> None:
        for kind in ("peer", "client", "metrics"):
            urls = [url for url in found[f"listen-{kind}-urls"].split(",") if url]
            if kind != "metrics":
                line = {f"listen-{kind}-urls": urls}
                log(
                    world,
                    proc,
                    "info",
                    f"embed/etcd.go:{138 if kind == 'peer' else 146}",
                    f"configuring {kind} listeners",
                    **line,
                )
            for url in urls:
                _, host, port = split_endpoint(url)
                address = "127.0.0.1" if host == "localhost" else host
                if url.startswith("https://") and kind != "metrics":
                    problem = tls.startup_problem(world, proc, found, kind, f"{address}:{port}")
                    if problem:
                        raise bootstrap.refuse(world, proc, problem)
                try:
                    if not network.is_local(world, proc.netns, address):
                        raise OSError("cannot assign requested address")
                    network.listen(world, proc.netns, port, host=proc.host, pid=proc.pid, address=address)
                except OSError as error:
                    raise bootstrap.refuse(world, proc, f"listen tcp {address}:{port}: bind: {error}") from None

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """Election won; lease expiry; periodic compaction."""
        running = section(world).running.get(proc.key)
        if running is None:
            return
        disk = section(world).disks[running.disk]
        if payload[0] == "elected":
            disk.term += 1
            disk.index += (
                2 if running.version.startswith("3.4.") and disk.index == 3 else 1
            )  # a first start of 3.4 proposes one more
            running.ready = True
            me = f"{disk.member_id:x}"
            logs.raft_line(world, proc, f"{me} became leader at term {disk.term}")
            logs.raft_line(world, proc, f"raft.node: {me} elected leader {me} at term {disk.term}")
            logs.serving(world, proc, disk, running)
            world.emit("etcd", "elected", f"{proc.host}/{disk.name}", {"term": disk.term, "member": me})
            world.ring(f"etcd:{disk.name}")
            service.announce_restored(world, disk)
            lessor.schedule(world, proc, disk, running)
            self._schedule_v2(world, proc, disk, running)
        elif payload[0] == "v2":
            running.v2_timer = 0
            self._schedule_v2(world, proc, disk, running)
        elif payload[0] == "leases":
            running.lease_timer = running.lease_due = 0
            service.expire_leases(world, disk, running)
            lessor.schedule(world, proc, disk, running)
        elif disk.raft is not None:
            self._raft_timer(world, Peer(proc, running, disk), payload[0])

    def _raft_timer(self, world: World, peer: Peer, what: str) -> None:
        """A deadline of Raft, a link that changed, the schema's version, the end of a member that was removed or has lost its log."""
        if what == "raft":
            replication.tick(world, peer)
        elif what == "network":
            resting.wake(world, peer.disk)
        elif what == "storage":
            if peer.disk.version:
                peer.disk.version = applying.storage_version(peer.running.version)
        elif what in ("removed", "panic"):
            if what == "removed":
                error = "the member has been permanently removed from the cluster"
                log(world, peer.proc, "warn", "etcdserver/server.go:912", "server error", error=error)
                log(world, peer.proc, "warn", "etcdserver/server.go:913", "data-dir used by this member must be removed")
            self._leave(world, peer.proc)
            raise Exited(0 if what == "removed" else 2)

    def _leave(self, world: World, proc: Process) -> Running | None:
        """The process ends: what it held is in its files, and the other members are told by silence."""
        running = section(world).running.pop(proc.key, None)
        if running is None:
            return None
        disk = section(world).disks[running.disk]
        bootstrap.put_away(world, proc, running)
        if disk.raft is not None:
            replication.gone(world, disk)
        return running

    def _schedule_v2(self, world: World, proc: Process, disk: Disk, running: Running) -> None:
        """Wake when the next node of the v2 store expires."""
        if running.v2_timer:
            world.cancel(running.v2_timer)
            running.v2_timer = 0
        due = gateway_v2.expire(world, disk)
        if due:
            running.v2_timer = world.at(max(due, world.now), proc.target, ["v2"])

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """Stop serving; the data directory stays."""
        held = section(world)
        before = held.running.get(proc.key)
        if before is not None and signal == 15:
            replication.stop(world, Peer(proc, before, held.disks[before.disk]))
        running = self._leave(world, proc)
        if running is not None and signal != 9:
            log(world, proc, "info", "osutil/interrupt_unix.go:64", "received signal; shutting down", signal="terminated")
            log(
                world,
                proc,
                "info",
                "embed/etcd.go:432",
                "closed etcd server",
                name=running.flags["name"],
                **{"data-dir": running.data_dir},
            )
        # The first process of a container exits, any other ends itself by the signal once it has cleaned up (interrupt_unix.go).
        return 0 if signal == 15 and proc.container else 128 + signal

    def grpc_health(self, world: World, proc: Process, port: int, service: str) -> str:
        """The gRPC health protocol, which the kubelet's grpc probes ask (etcd `server/etcdserver/api/v3rpc/health.go`)."""
        return "SERVING" if not service else ""

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """Answer a client: a decoded message of `EtcdClient`, or a plain HTTP request (health, version, JSON gateway)."""
        running = section(world).running.get(proc.key)
        if running is None:
            raise ConnectError("refused", proc.host)
        disk = section(world).disks[running.disk]
        if isinstance(request.obj, Call):
            if request.obj.method == "Tls/Certificate":
                return Response(obj=tls.certificate(world, proc, running))
            tls.check(world, proc, running, request)
            if not running.ready:
                raise ConnectError("timeout", proc.host)
            took = 0
            try:
                answer, took = service.timed(world, disk, running, request.obj, request.client_cert)
            except EtcdError as error:
                answer = error
            if request.obj.method == "Lease/Grant":
                lessor.schedule(world, proc, disk, running)
            write = request.obj.method in WRITES
            if request.obj.method == "Auth/Authenticate":
                return Response(obj=answer, latency=60 * MS)  # what bcrypt takes
            return Response(obj=answer, latency=took + (world.rng("etcd").between(900, 2600) if write else 300) * clock.US)
        if request.scheme != ("https" if running.tls else "http") and not _is_metrics(running, request):
            if running.tls:
                return Response(status=400, body=b"Client sent an HTTP request to an HTTPS server.\n")
            raise ConnectError("tls", proc.host, "wrong version number")
        if request.scheme == "https" and running.tls:
            tls.check_client(world, proc, running, request)
        plain = gateway.handle(world, disk, running, request)
        lessor.schedule(world, proc, disk, running)
        if request.path.startswith("/v2/") and request.method != "GET":
            self._schedule_v2(world, proc, disk, running)
        return plain


def _is_metrics(running: Running, request: Request) -> bool:
    return bool(running.flags["listen-metrics-urls"]) and request.path in ("/health", "/metrics", "/livez", "/readyz")


def _quota(text: str) -> int:
    """`--quota-backend-bytes`: 0 means the default of 2 GiB, a negative number none (storage/quota.go)."""
    wanted = int(text) if text.lstrip("-").isdigit() else 0
    return max(0, wanted) if wanted else maintenance.DEFAULT_QUOTA


PROGRAM = EtcdProgram()

"""The daemon `etcd`: one member process, from its flags to the answers on its client port.

A member opens its data directory, wins its election (a single voter elects itself after one election timeout) and then
serves clients.  What it stores outlives the process: it is in the data directory's `Disk`.  Clusters of several members are
refused with a clear message until message-level Raft is there.
"""

from __future__ import annotations

import posixpath
from typing import Any

import orjson

from ..host import files, processes
from ..host.machine import hosts
from ..host.process import Process
from ..host.program import Exited
from ..kernel import clock, network
from ..kernel.clock import MS, SECOND
from ..kernel.errors import ConnectError
from ..kernel.http import Request, Response
from ..kernel.world import World
from . import backup, gateway, gateway_v2, maintenance, service
from . import flags as etcd_flags
from .client import WRITES, Call, split_endpoint
from .errors import EtcdError
from .member import DB_HEADER, Disk, EtcdSection, Running, cluster_id, member_id, section, store
from .mvcc import StoreState

DEFAULT_VERSION = "3.6.8"


def log(world: World, proc: Process, level: str, caller: str, msg: str, **fields: Any) -> None:
    """One line as etcd's zap logger writes it."""
    line = {"level": level, "ts": clock.rfc3339_micro(world.wall), "caller": caller, "msg": msg, **fields}
    processes.log(world, proc, orjson.dumps(line).decode())


def version_of(proc: Process) -> str:
    """The release of the binary: `etcd:3.6.13` → `3.6.13`."""
    return proc.program.partition(":")[2] or DEFAULT_VERSION


class EtcdProgram:
    """See `host.program.Program`."""

    def start(self, world: World, proc: Process) -> None:
        """Parse flags, open or create the data directory, bind the ports, and schedule the election."""
        version = version_of(proc)
        try:
            found = etcd_flags.parse(proc.argv, proc.env, version)
        except etcd_flags.FlagError as error:
            log(world, proc, "error", "etcdmain/etcd.go:55", "failed to verify flags", error=str(error))
            raise Exited(2 if "not defined" in str(error) else 1) from None
        if found.get("version"):
            text = f"etcd Version: {version}\nGit SHA: Not provided (use ./build instead of go build)\nGo Version: go1.24\nGo OS/Arch: linux/amd64"
            processes.log(world, proc, text)
            raise Exited(0)
        members = [m for m in found["initial-cluster"].split(",") if m]
        if len(members) > 1:
            log(world, proc, "fatal", "etcdmain/etcd.go", "clusters of several members are not simulated in Slipway yet")
            raise Exited(1)
        data_dir = posixpath.normpath(posixpath.join(proc.cwd, found["data-dir"]))
        log(world, proc, "info", "etcdmain/etcd.go:64", "Running: ", args=proc.argv)
        if etcd_flags.unadvertised(found):
            for message in ("failed to verify flags", "advertise client URLs are not set"):
                log(world, proc, "warn", "etcdmain/etcd.go", message, error=etcd_flags.UNADVERTISED)
            raise Exited(1)
        disk = _open(world, proc, found, data_dir)
        running = Running(disk=disk.id, flags=found, version=version, data_dir=data_dir)
        running.tls = found["listen-client-urls"].startswith("https://")
        running.quota = _quota(found["quota-backend-bytes"])
        section(world).running[proc.key] = running
        self._bind(world, proc, found)
        world.after(world.rng("etcd").between(600, 1100) * MS, proc.target, ["elected"])

    def _bind(self, world: World, proc: Process, found: dict[str, str]) -> None:
        urls = [("peer", u) for u in found["listen-peer-urls"].split(",")]
        urls += [("client", u) for u in found["listen-client-urls"].split(",")]
        urls += [("metrics", u) for u in found["listen-metrics-urls"].split(",") if u]
        for kind, url in urls:
            _, host, port = split_endpoint(url)
            address = "127.0.0.1" if host == "localhost" else host
            try:
                network.listen(world, proc.netns, port, host=proc.host, pid=proc.pid, address=address)
            except OSError:
                message = f"listen tcp {address}:{port}: bind: address already in use"
                log(world, proc, "fatal", "etcdmain/etcd.go:183", "discovery failed", error=message)
                raise Exited(1) from None
            log(world, proc, "info", "embed/etcd.go:140", f"configuring {kind} listeners", **{f"listen-{kind}-urls": [url]})

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """Election won; lease expiry; periodic compaction."""
        running = section(world).running.get(proc.key)
        if running is None:
            return
        disk = section(world).disks[running.disk]
        if payload[0] == "elected":
            disk.term += 1
            disk.index += 1
            running.ready = True
            me = f"{disk.member_id:x}"
            log(world, proc, "info", "raft/raft.go", f"{me} became leader at term {disk.term}")
            log(
                world,
                proc,
                "info",
                "etcdserver/server.go:1804",
                "published local member to cluster through raft",
                **{"local-member-id": me, "cluster-id": f"{disk.cluster_id:x}"},
            )
            for url in running.flags["listen-client-urls"].split(","):
                _, host, port = split_endpoint(url)
                secure = "securely" if running.tls else "insecurely, this is strongly discouraged!"
                log(world, proc, "info", "embed/serve.go:210", f"serving client traffic {secure}", address=f"{host}:{port}")
            log(world, proc, "info", "embed/serve.go:44", "ready to serve client requests")
            world.emit("etcd", "elected", f"{proc.host}/{disk.name}", {"term": disk.term, "member": me})
            world.ring(f"etcd:{disk.name}")
            self._schedule_leases(world, proc, disk, running)
            self._schedule_v2(world, proc, disk, running)
        elif payload[0] == "v2":
            running.v2_timer = 0
            self._schedule_v2(world, proc, disk, running)
        elif payload[0] == "leases":
            running.lease_timer = running.lease_due = 0
            service.expire_leases(world, disk)
            self._schedule_leases(world, proc, disk, running)

    def _schedule_leases(self, world: World, proc: Process, disk: Disk, running: Running) -> None:
        if not disk.store.leases:
            return
        due = max(min(lease.expires for lease in disk.store.leases.values()), world.now + SECOND // 2)
        if running.lease_timer:
            if running.lease_due <= due:
                return
            world.cancel(running.lease_timer)
        running.lease_due = due
        running.lease_timer = world.at(due, proc.target, ["leases"])

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
        running = section(world).running.pop(proc.key, None)
        if running is not None:
            _put_away(world, proc, running)
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

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """Answer a client: a decoded message of `EtcdClient`, or a plain HTTP request (health, version, JSON gateway)."""
        running = section(world).running.get(proc.key)
        if running is None:
            raise ConnectError("refused", proc.host)
        disk = section(world).disks[running.disk]
        if isinstance(request.obj, Call):
            if request.obj.method == "Tls/Certificate":
                return Response(obj=_certificate(world, proc, running))
            _check_tls(world, proc, running, request)
            if not running.ready:
                raise ConnectError("timeout", proc.host)
            try:
                answer = service.handle(world, disk, running, request.obj, request.client_cert)
            except EtcdError as error:
                answer = error
            if request.obj.method == "Lease/Grant":
                self._schedule_leases(world, proc, disk, running)
            write = request.obj.method in WRITES
            if request.obj.method == "Auth/Authenticate":
                return Response(obj=answer, latency=60 * MS)  # what bcrypt takes
            return Response(obj=answer, latency=(world.rng("etcd").between(900, 2600) if write else 300) * clock.US)
        if request.scheme != ("https" if running.tls else "http") and not _is_metrics(running, request):
            if running.tls:
                return Response(status=400, body=b"Client sent an HTTP request to an HTTPS server.\n")
            raise ConnectError("tls", proc.host, "wrong version number")
        plain = gateway.handle(world, disk, running, request)
        self._schedule_leases(world, proc, disk, running)
        if request.path.startswith("/v2/") and request.method != "GET":
            self._schedule_v2(world, proc, disk, running)
        return plain


def _is_metrics(running: Running, request: Request) -> bool:
    return bool(running.flags["listen-metrics-urls"]) and request.path in ("/health", "/metrics", "/livez", "/readyz")


def _certificate(world: World, proc: Process, running: Running) -> bytes:
    """What the server shows in a TLS handshake; b"" where it speaks no TLS."""
    if not running.tls:
        return b""
    try:
        return files.read_file(world, proc.host, running.flags["cert-file"], mnt=proc.mnt)
    except OSError:
        return b""


def _check_tls(world: World, proc: Process, running: Running, request: Request) -> None:
    """Refuse what the TLS handshake would refuse."""
    if running.tls:
        if request.scheme != "https":
            raise ConnectError("reset", proc.host, "error reading server preface: EOF")
        if running.flags["client-cert-auth"] == "true" and not request.client_cert:
            raise ConnectError("tls", proc.host, "remote error: tls: certificate required")
    elif request.scheme == "https":
        raise ConnectError("tls", proc.host, "tls: first record does not look like a TLS handshake")


def _db_path(data_dir: str) -> str:
    return f"{data_dir}/member/snap/db"


def _storage_version(release: str) -> str:
    """What the database's schema calls itself: `3.6.0`; releases before 3.6 write none (storage/schema)."""
    minor = [int(part) for part in release.split(".")[:2]]
    return f"{minor[0]}.{minor[1]}.0" if minor >= [3, 6] else ""


def _quota(text: str) -> int:
    """`--quota-backend-bytes`: 0 means the default of 2 GiB, a negative number none (storage/quota.go)."""
    wanted = int(text) if text.lstrip("-").isdigit() else 0
    return max(0, wanted) if wanted else maintenance.DEFAULT_QUOTA


def _put_away(world: World, proc: Process, running: Running) -> None:
    """Write a stopped member's content into its database file, unless the file has gone or cannot be reached any more."""
    held = section(world)
    path = _db_path(running.data_dir)
    try:
        fs = files.tree(hosts(world)[proc.host], proc.mnt)
        named = backup.reference(fs.read(path)) == running.disk
    except (OSError, KeyError):
        return
    if named and all(other.disk != running.disk for other in held.running.values()):
        fs.write(path, backup.encode(held.disks.pop(running.disk)), mode=0o600, now=world.wall)


def _open(world: World, proc: Process, found: dict[str, str], data_dir: str) -> Disk:
    """The disk of a data directory; made when the directory holds none."""
    held: EtcdSection = section(world)
    fs = files.tree(hosts(world)[proc.host], proc.mnt)
    path = _db_path(data_dir)
    if fs.exists(path):
        content = fs.read(path)
        disk = backup.read(world, content)
        if disk is not None and not backup.reference(content):
            disk.id = world.rng("etcd").hex(16)
            held.disks[disk.id] = disk
            fs.write(path, DB_HEADER + disk.id.encode() + b"\n", mode=0o600, now=world.wall)
        if disk is None:
            log(world, proc, "fatal", "etcdmain/etcd.go:183", "discovery failed", error=f"{path}: invalid database")
            raise Exited(1)
        log(world, proc, "info", "etcdmain/etcd.go:116", "server has already been initialized", **{"data-dir": data_dir})
        if found["force-new-cluster"] == "true":
            log(world, proc, "info", "etcdserver/raft.go", "forcing restart member", **{"local-member-id": f"{disk.member_id:x}"})
        disk.name = found["name"]  # name and URLs are published again at every start (server.go: publishV3)
        disk.client_urls = found["advertise-client-urls"].split(",")
        disk.version = _storage_version(version_of(proc))
        return disk
    peers = [m.partition("=")[2] for m in found["initial-cluster"].split(",")]
    me = member_id(peers, found["initial-cluster-token"])
    disk = Disk(
        id=world.rng("etcd").hex(16),
        name=found["name"],
        cluster_id=cluster_id([me]),
        member_id=me,
        peer_urls=found["initial-advertise-peer-urls"].split(","),
        client_urls=found["advertise-client-urls"].split(","),
        store=StoreState(),
        version=_storage_version(version_of(proc)),
    )
    held.disks[disk.id] = disk
    store(world, disk)
    for directory in (data_dir, f"{data_dir}/member", f"{data_dir}/member/snap", f"{data_dir}/member/wal"):
        if not fs.exists(directory):
            fs.mkdir(directory, parents=True, mode=0o700, now=world.wall)
    fs.write(path, DB_HEADER + disk.id.encode() + b"\n", mode=0o600, now=world.wall)
    fs.write(f"{data_dir}/member/wal/0000000000000000-0000000000000000.wal", b"", mode=0o600, now=world.wall)
    log(world, proc, "info", "etcdserver/bootstrap.go", "starting a new member", **{"data-dir": data_dir, "name": found["name"]})
    return disk


PROGRAM = EtcdProgram()

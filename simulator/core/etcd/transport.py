"""Messages between the members of a cluster: who reaches whom over the simulated network, and what is on its way.

A message leaves when its sender has written what it says to disk, and arrives some hundred microseconds later, unless the receiver cannot be
reached: no listener at any of its peer URLs, a cut link, another cluster's member there, TLS that does not fit.  The last messages are kept
for those who look on (`EtcdSection.messages`).  Follows server/etcdserver/api/rafthttp.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable

from ..host import files, processes, x509
from ..host.process import Process
from ..kernel import network
from ..kernel.clock import MS, US
from ..kernel.errors import ConnectError
from ..kernel.world import World
from .client import split_endpoint
from .member import SHOWN, Disk, Flight, Running, section
from .membership import members_of
from .raft import leader
from .raft.state import Message

#: What a member's topics tell: a link or a process has changed.
TOPIC = "network"
#: How long TCP waits before it sends a lost packet again.
RETRANSMIT = 200 * MS


class Peer:
    """A running member: process, flags, data directory."""

    __slots__ = ("disk", "proc", "running")

    def __init__(self, proc: Process, running: Running, disk: Disk) -> None:
        self.proc, self.running, self.disk = proc, running, disk


def forget(world: World) -> None:
    """Processes or links have changed: what was found out about them may be wrong."""
    world.warm.pop("etcd-peers", None)
    world.warm.pop("etcd-links", None)


def peers(world: World) -> dict[str, Peer]:
    """The running members by their data directory's id."""
    found: dict[str, Peer] | None = world.warm.get("etcd-peers")
    if found is None:
        found = world.warm["etcd-peers"] = {}
        held = section(world)
        for key, running in held.running.items():
            host, _, pid = key.rpartition("/")
            proc = processes.find(world, host, int(pid))
            if proc is not None:
                found[running.disk] = Peer(proc, running, held.disks[running.disk])
    return found


def reach(world: World, source: Disk, target: int) -> Peer | None:
    """The running member of that id, when `source` can reach it now."""
    links: dict[tuple[str, int], Peer | None] = world.warm.setdefault("etcd-links", {})
    key = (source.id, target)
    if key not in links:
        links[key] = _connect(world, source, target)
    found = links[key]
    return None if found is not None and found.proc.state == "T" else found


def shaped(world: World, a: str, b: str) -> list[network.Shape]:
    """What slows packets between two hosts, by `tc`."""
    shapes = network.network(world).shapes
    return [shapes[key] for key in (network.link_key(a, b), a, b) if key in shapes] if shapes and a != b else []


def _walk(world: World, netns: str, ip: str, port: int) -> network.Listener:
    """Connect as TCP does: a packet that gets lost is sent again."""
    for _ in range(4 if network.network(world).shapes else 0):
        try:
            return network.connect(world, netns, ip, port)
        except ConnectError as error:
            if error.kind != "timeout":
                raise
    return network.connect(world, netns, ip, port)


def _connect(world: World, source: Disk, target: int) -> Peer | None:
    here = peers(world).get(source.id)
    if here is None:
        return None
    urls = next((one.peer_urls for one in source.members if one.id == target), None)
    if urls is None:  # not known yet: answer where the other one is
        urls = next((p.disk.peer_urls for p in peers(world).values() if p.disk.member_id == target), [])
    held = section(world)
    for url in urls:
        scheme, host, port = split_endpoint(url)
        try:
            item = _walk(world, here.proc.netns, address(world, here.proc, host), port)
        except ConnectError:
            continue
        running = held.running.get(f"{item.host}/{item.pid}")
        there = peers(world).get(running.disk) if running is not None else None
        if there is None or there.disk.member_id != target or there.disk.cluster_id != source.cluster_id:
            continue
        if accepts(world, here, there, scheme):
            return there
    return None


def address(world: World, proc: Process, host: str) -> str:
    """The address of a host in a URL: a name is looked up in the host's own file."""
    if host == "localhost":
        return "127.0.0.1"
    if host.replace(".", "").isdigit() or ":" in host:
        return host
    try:
        lines = files.read_file(world, proc.host, "/etc/hosts", mnt=proc.mnt).decode("utf-8", "replace").splitlines()
    except OSError:
        return host
    for line in lines:
        words = line.partition("#")[0].split()
        if host in words[1:]:
            return words[0]
    return host


def accepts(world: World, here: Peer, there: Peer, scheme: str) -> bool:
    """Whether the TLS handshake of two peers succeeds, from the one that dials."""
    secure = there.running.flags["listen-peer-urls"].startswith("https://")
    if secure != (scheme == "https"):
        return False
    if not secure:
        return True
    mine, theirs = _pem(world, here, "peer-cert-file"), _pem(world, there, "peer-cert-file")
    ca_here, ca_there = _pem(world, here, "peer-trusted-ca-file"), _pem(world, there, "peer-trusted-ca-file")
    if not theirs or (ca_here and not x509.signed_by(theirs, ca_here)):
        return False
    wants = there.running.flags["peer-client-cert-auth"] == "true"
    return not wants or bool(mine and ca_there and x509.signed_by(mine, ca_there))


def _pem(world: World, peer: Peer, flag: str) -> bytes:
    path = peer.running.flags.get(flag, "")
    try:
        return files.read_file(world, peer.proc.host, path, mnt=peer.proc.mnt) if path else b""
    except OSError:
        return b""


def connected(world: World, disk: Disk, since: int) -> set[int]:
    """The ids of the members that this one has been connected to since a time, itself included."""
    found = {disk.member_id}
    for one in members_of(disk):
        peer = reach(world, disk, one.id) if one.id != disk.member_id else None
        if peer is not None and peer.running.started <= since:
            found.add(one.id)
    return found


def post(world: World, disk: Disk, m: Message, at: int) -> None:
    """Send a message at a time; one that cannot be sent is reported to the sender's Raft."""
    assert disk.raft is not None
    held = section(world)
    there = reach(world, disk, m.dst)
    note(world, m, at, sent=there is not None)
    if there is None:
        leader.on_unreachable(disk.raft, m.dst)
        if m.kind == "snap":
            leader.on_snapshot_sent(disk.raft, m.dst, ok=False)
        return
    here, rng = peers(world)[disk.id].proc.host, world.rng("etcd-peer")
    delay = (rng.between(150, 400) if there.proc.host == here else rng.between(350, 900)) * US
    if m.kind == "app-resp" or m.kind == "vote-resp":
        delay += 600 * US  # written to disk before it is said
    for shape in shaped(world, here, there.proc.host):
        delay += shape.delay + (rng.between(0, shape.jitter) if shape.jitter else 0)
        for _ in range(5):  # what is lost is sent again after a while
            if not shape.loss or rng.unit() * 100 >= shape.loss:
                break
            delay += RETRANSMIT
    held.wire_seq += 1
    insort(held.wire, Flight(at + delay, held.wire_seq, disk.id, there.disk.id, m), key=lambda f: (f.at, f.seq))


def note(world: World, m: Message, at: int, *, sent: bool) -> None:
    """Keep a message for the map: time, term, kind, from, to, index, number of entries, 1 when it could be sent."""
    kept = section(world).messages
    kept.append((at, m.term, m.kind, m.src, m.dst, m.index or m.commit, len(m.entries), int(sent)))
    if len(kept) > 2 * SHOWN:
        del kept[:-SHOWN]


def deliver(
    world: World, until: int, take: Callable[[World, Peer, Message, int], None], stop: Callable[[], bool] | None = None
) -> int:
    """Hand over what arrives up to a time, in order, until `stop` says so; returns the time of the last message, 0 for none."""
    held = section(world)
    last = 0
    while held.wire and held.wire[0].at <= until and not (stop is not None and stop()):
        flight = held.wire.pop(0)
        there = peers(world).get(flight.target)
        source = held.disks.get(flight.source)
        ok = there is not None and there.proc.state != "T" and there.disk.raft is not None
        if ok and source is not None and flight.message.src == source.member_id:
            ok = reach(world, source, flight.message.dst) is there
        if flight.message.kind == "snap" and source is not None and source.raft is not None:
            leader.on_snapshot_sent(source.raft, flight.message.dst, ok=ok)
        if ok and there is not None:
            last = flight.at
            take(world, there, flight.message, flight.at)
    return last

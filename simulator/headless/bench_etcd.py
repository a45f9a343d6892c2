"""The etcd figures of `python -m simulator bench`: requests as a member's client port hands them to the service, without network and tools."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable

from simulator.core.etcd import member, service
from simulator.core.etcd.client import Call
from simulator.core.etcd.member import Disk, Running
from simulator.core.etcd.mvcc import Store, StoreState
from simulator.core.host import processes
from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.world import World
from simulator.core.lab.recorded import Recorded

PUTS, GETS, PROPOSALS, WATCHERS, EVENTS, KEYS, ELECTIONS = 20_000, 50_000, 3_000, 1_000, 200, 100_000, 20

TARGETS = {"etcd_election_s": 0.005, "etcd_100000_keys_bytes": 100_000_000}
#: Figures that should be at least so large.
FLOORS = {
    "etcd_puts_per_second": 20_000,
    "etcd_gets_per_second": 50_000,
    "etcd_proposals_per_second": 2_000,
    "etcd_watch_events_per_second": 1_000_000,
}


def _rate(count: int, work: Callable[[int], object]) -> float:
    gc.collect()
    began = time.perf_counter()
    for number in range(count):
        work(number)
    return count / (time.perf_counter() - began)


def _leader(world: World) -> tuple[Disk, Running]:
    held = member.section(world)
    found = [(held.disks[r.disk], r) for r in held.running.values()]
    leading = [(d, r) for d, r in found if d.raft is None or d.raft.role == "leader"]
    return max(leading, key=lambda pair: pair[0].term)


def measure() -> dict[str, float]:
    """Operations a second, bytes, seconds."""
    world = Recorded(["etcd1", "one"]).world
    disk, running = _leader(world)
    puts = _rate(
        PUTS, lambda n: service.handle(world, disk, running, Call("KV/Put", {"key": b"k%d" % (n % 5000), "value": b"v"}))
    )
    gets = _rate(GETS, lambda n: service.handle(world, disk, running, Call("KV/Range", {"key": b"k%d" % (n % 5000)})))
    out = {"etcd_puts_per_second": puts, "etcd_gets_per_second": gets, "etcd_watch_events_per_second": _fan_out()}
    world = Recorded(["etcd3", "a", "b", "c"]).world
    disk3, running3 = _leader(world)
    put = {"value": b"v" * 100}
    out["etcd_proposals_per_second"] = _rate(
        PROPOSALS, lambda n: service.handle(world, disk3, running3, Call("KV/Put", {"key": b"k%d" % n, **put}))
    )
    out["etcd_election_s"] = _election(world)
    out["etcd_100000_keys_bytes"] = _memory()
    return out


def _fan_out() -> float:
    """Events delivered a second to a thousand watchers that are woken every ten changes (a doorbell gathers what comes close together)."""
    store = Store(StoreState())
    since = 1
    gc.collect()
    began = time.perf_counter()
    for number in range(EVENTS):
        store.put(b"watched/%d" % number, b"v")
        if number % 10 == 9:
            for _ in range(WATCHERS):
                store.events(b"watched/", since)
            since = store.state.revision
    return EVENTS * WATCHERS / (time.perf_counter() - began)


def _election(world: World) -> float:
    """Real seconds that an election takes: the leader's process is stopped (SIGSTOP) until another leads."""
    held = member.section(world)
    spent = 0.0
    for _ in range(ELECTIONS):
        disk, running = _leader(world)
        key = next(k for k, r in held.running.items() if r is running)
        host, _, pid = key.rpartition("/")
        proc = processes.find(world, host, int(pid))
        assert proc is not None
        began = time.perf_counter()
        processes.kill(world, proc, 19)
        for _ in range(100):
            world.run_until(world.now + SECOND // 10)
            if _leader(world)[0] is not disk:
                break
        spent += time.perf_counter() - began
        processes.kill(world, proc, 18)
        world.run_until(world.now + 3 * SECOND)
    return spent / ELECTIONS


def _memory() -> float:
    """Bytes of a store with 100,000 keys of 100 bytes."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    store = Store(StoreState())
    for number in range(KEYS):
        store.put(b"/registry/pods/default/pod-%06d" % number, b"%0100d" % number)
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return used

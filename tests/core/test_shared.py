"""Worlds of one beginning share what is alike in them, and never notice."""

from __future__ import annotations

import orjson

from simulator.core import sharing
from simulator.core.etcd import member
from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.shared import Shared
from simulator.core.sandbox import Sandbox

LINES = (
    "kubectl create deployment web --image=nginx --replicas=3",
    "kubectl label node node01 disk=ssd",
    "kubectl -n kube-system scale deployment coredns --replicas=1",
    "kubectl taint node node02 a=b:NoExecute",
    "kubectl delete clusterrolebinding system:basic-user",
    "kubectl get pods -A -o yaml | tail -n 3",
    "kubectl describe node node01 | head -n 5",
)


def _play(sandbox: Sandbox) -> str:
    for line in LINES:
        sandbox.apply("line", {"terminal": "controlplane", "text": line}, sandbox.now)
        sandbox.advance(sandbox.now + 10 * SECOND)
        sandbox.view()
    return "".join(chunk.data for chunk in sandbox.drain())


def test_a_world_that_shares_goes_the_way_of_one_that_is_alone() -> None:
    alone = Sandbox.build("three-nodes", 1)
    first, second = Sandbox.boot("three-nodes", 1), Sandbox.boot("three-nodes", 1)
    assert len(first.world.shared) > 300 and first.world.shared is second.world.shared
    assert not len(alone.world.shared)
    expected = _play(alone)
    assert _play(first) == expected and _play(second) == expected
    assert first.digest() == second.digest() == alone.digest()
    assert Sandbox.restore(first.snapshot()).view() == alone.view()


def test_nobody_changes_what_is_shared() -> None:
    sandbox = Sandbox.boot("three-nodes", 1)
    _play(sandbox)
    shared = sandbox.world.shared
    held = {id(thing): thing for thing in shared.things().values()}
    decoded = 0
    for (purpose, thing), made in shared.derived().items():
        plain = orjson.loads(held[thing].value)
        if purpose == "object":
            plain["metadata"]["resourceVersion"] = str(held[thing].mod_revision)
            assert made == plain
            decoded += 1
        else:
            assert made == {"spec": {}, "status": {}} | plain
    assert decoded > 200
    fresh = sharing.collect(Sandbox.build("three-nodes", 1).world)
    assert fresh.things() == shared.things()


def test_only_equal_things_are_taken_for_another() -> None:
    one, other = Sandbox.boot("three-nodes", 1), Sandbox.boot("three-nodes", 2)
    assert one.world.shared is not other.world.shared
    log = next(iter(member.section(one.world).disks.values())).store.log
    assert all(kv is one.world.shared.things()[(kv.key, kv.mod_revision, kv.sub)] for kv in log)

    shared = Shared()
    shared.give("a", (1, "x"))
    shared.give("a", (2, "y"))
    mine = (1, "".join(["x"]))
    assert shared.adopt("a", mine) is shared.things()["a"] is not mine
    assert shared.adopt("a", (2, "y")) == (2, "y") and shared.adopt("b", mine) is mine


def test_what_was_worked_out_is_worked_out_once_for_shared_things_only() -> None:
    shared, calls = Shared(), []

    def make(thing: tuple[int]) -> int:
        calls.append(thing)
        return thing[0] * 2

    thing = (21,)
    shared.give("a", thing)
    assert [shared.derive("a", thing, "twice", make) for _ in range(3)] == [42, 42, 42] and len(calls) == 1
    stranger = (int("21"),)
    assert [shared.derive("a", stranger, "twice", make) for _ in range(2)] == [42, 42] and len(calls) == 3

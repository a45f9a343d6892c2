"""Lenses show what is there, and change nothing in the world that they look at."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.core.kernel import snapshot
from simulator.core.kernel.clock import MS, SECOND
from simulator.core.kernel.errors import BadInput
from simulator.core.lab.lenses import LENSES
from simulator.core.sandbox import Sandbox

Json = dict[str, Any]


@pytest.fixture(scope="module")
def worked() -> bytes:
    """A three-node cluster in which something was created, refused and deleted."""
    sandbox = Sandbox.boot()
    sandbox.run("kubectl create deployment web --image=nginx --replicas=2", settle=20 * SECOND)
    sandbox.run(
        'kubectl expose deployment web --port=80; kubectl run big --image=nginx --overrides=\'{"spec":{"containers":[{"name":"big","image":"nginx","resources":{"requests":{"cpu":"64"}}}]}}\'',
        settle=10 * SECOND,
    )
    sandbox.run("kubectl get pods --as=nobody; kubectl create namespace default")
    return sandbox.snapshot()


@pytest.fixture
def cluster(worked: bytes) -> Sandbox:
    return Sandbox.restore(worked)


@pytest.mark.parametrize("name", LENSES)
def test_a_look_changes_nothing_and_is_plain_data(cluster: Sandbox, name: str) -> None:
    before = snapshot.dump(cluster.world)
    shown = cluster.lens(name)
    for choice in shown["choices"]:
        assert cluster.lens(name, choice)["about"] == choice
    assert snapshot.dump(cluster.world) == before
    assert json.loads(json.dumps(shown)) == shown
    assert shown == cluster.lens(name)
    assert cluster.lens(name, "no such thing")["about"] == shown["about"]
    assert len(json.dumps(shown)) < 24_000


@pytest.mark.parametrize("scenario", ["docker", "empty-hosts", "kubeadm-ready"])
@pytest.mark.parametrize("name", LENSES)
def test_a_world_without_the_component_is_shown_too(scenario: str, name: str) -> None:
    assert Sandbox.boot(scenario).lens(name)["lens"] == name


def test_a_lens_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="'sonar' is not one of etcd"):
        Sandbox.boot().lens("sonar")


# -- etcd ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def three() -> Sandbox:
    return Sandbox.boot("etcd")


def names(shown: Json) -> dict[str, str]:
    return {m["id"]: m["name"] for m in shown["members"]}


def step(sandbox: Sandbox) -> Json:
    """As the button does: to the next message."""
    sandbox.apply("skip", {"ns": 5 * SECOND, "to": "raft"}, sandbox.now)
    return sandbox.lens("etcd")


def test_three_members_hold_the_same_log_and_the_leader_knows_it(three: Sandbox) -> None:
    shown = three.lens("etcd")
    logs = [m["raft"] for m in shown["members"]]
    assert (len(logs), shown["quorum"]) == (3, 2)
    assert len({(log["last"], log["commit"], log["applied"], log["term"]) for log in logs}) == 1
    leader = next(m for m in shown["members"] if m["role"] == "leader")
    assert [p["match"] for p in leader["raft"]["peers"]] == [leader["raft"]["last"]] * 2
    assert {m["raft"]["leader"] for m in shown["members"]} == {leader["id"]}


def test_a_put_is_appended_answered_and_in_the_history(three: Sandbox) -> None:
    before = three.lens("etcd")
    ask = "etcdctl --cacert=/etc/etcd/ca.crt --cert=/etc/etcd/client.crt --key=/etc/etcd/client.key"
    result = three.run(f"{ask} put anchor down && {ask} del anchor")
    assert result.code == 0, result.stderr
    shown = three.lens("etcd")
    after = [m for m in shown["messages"] if m["at"] > before["at"]]
    assert {"app", "app-resp"} <= {m["kind"] for m in after if m["sent"]}
    changes = [(c["key"], c["version"]) for c in shown["history"]["changes"]][-2:]
    assert changes == [("anchor", 1), ("anchor", 0)]
    assert shown["members"][0]["raft"]["entries"][-1]["index"] == shown["members"][0]["raft"]["last"]


def test_stepping_goes_from_message_to_message_and_sees_an_election(three: Sandbox) -> None:
    at_rest = three.lens("etcd")
    assert at_rest["asleep"] and at_rest["next"]["kind"] == "heartbeat"
    shown = step(three)
    assert shown["at"] == at_rest["next"]["at"] and shown["at"] - at_rest["at"] <= 100 * MS
    lost = names(shown)[next(m["id"] for m in shown["members"] if m["role"] == "leader")]
    three.apply("fault", {"name": "power-off", "args": [lost]}, three.now)
    kinds: list[str] = []
    for _ in range(60):
        before = three.now
        shown = step(three)
        assert before < shown["at"] < before + 2 * SECOND
        kinds += [m["kind"] for m in shown["messages"] if m["at"] >= before]
        if shown["leader"] not in ("", lost) and not shown["next"]["kind"].startswith("vote"):
            break
    assert shown["term"] > at_rest["term"] and shown["leader"] not in ("", lost)
    assert {"pre-vote", "vote"} <= set(kinds), kinds
    winner = next(m["id"] for m in shown["members"] if m["role"] == "leader")
    assert sum(m["raft"]["vote"] == winner for m in shown["members"] if m["name"] != lost) == 2
    assert [m["state"] for m in shown["members"] if m["name"] == lost] == ["stopped"]


def test_a_cut_link_is_shown_with_what_it_swallows(three: Sandbox) -> None:
    three.apply("fault", {"name": "cut", "args": ["etcd1", "etcd2"]}, three.now)
    three.advance(three.now + 4 * SECOND)
    shown = three.lens("etcd")
    assert [sorted(names(shown)[i] for i in pair) for pair in shown["cut"]] == [["etcd1", "etcd2"]]
    lost = {tuple(sorted((names(shown)[m["from"]], names(shown)[m["to"]]))) for m in shown["messages"] if not m["sent"]}
    assert lost <= {("etcd1", "etcd2")}


def test_there_is_nothing_to_step_to_where_one_member_is_alone(cluster: Sandbox) -> None:
    shown = cluster.lens("etcd")
    assert (shown["next"], shown["messages"], shown["members"][0]["raft"]["commit"] > 0) == (None, [], True)
    with pytest.raises(BadInput, match="no second member"):
        step(cluster)


def test_an_etcd_of_the_learners_own_can_be_looked_at(cluster: Sandbox) -> None:
    release = "https://github.com/etcd-io/etcd/releases/download/v3.6.13/etcd-v3.6.13-linux-amd64.tar.gz"
    cluster.run(f"cd /root && curl -sL {release} | tar xz && cd etcd-v3.6.13-linux-amd64 && (./etcd > log 2>&1 &)", host="node01")
    cluster.advance(cluster.now + 5 * SECOND)
    cluster.run("/root/etcd-v3.6.13-linux-amd64/etcdctl put key1 value1", host="node01")
    shown = cluster.lens("etcd")
    assert shown["choices"] == ["controlplane", "default (node01)"]
    own = cluster.lens("etcd", "default (node01)")
    assert [c["key"] for c in own["history"]["changes"]] == ["key1"]

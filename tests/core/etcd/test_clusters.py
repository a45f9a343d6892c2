"""Clusters of several members, seen through etcdctl: quorum, elections, members that come and go, logs and data directories."""

from __future__ import annotations

import pytest

from simulator.core.etcd import gateway_v2_members, member
from simulator.core.etcd.client import EtcdClient
from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.http import Request
from simulator.core.sandbox import Sandbox

from .member_world import Member

ALL = "127.0.0.1:2379,127.0.0.1:22379,127.0.0.1:32379"
PORTS = {"e1": 2379, "e2": 22379, "e3": 32379}


class Three(Member):
    """Three members e1, e2, e3 on one host."""

    def __init__(self) -> None:
        super().__init__(env=("etcd3", "e1", "e2", "e3"))

    def etcdctl(self, words: str, name: str = "e1") -> str:
        return self.out(f"etcdctl --endpoints=127.0.0.1:{PORTS[name]} {words}")

    def leader(self) -> str:
        """The leader's name, "" when there is none."""
        found = self.sandbox.view()["etcd"]["leader"]
        assert isinstance(found, str)
        return found

    def followers(self) -> list[str]:
        return [name for name in PORTS if name != self.leader()]

    def ids(self) -> dict[str, str]:
        rows = [line.split(", ") for line in self.out(f"etcdctl --endpoints={ALL} member list").splitlines()]
        return {row[2]: row[0] for row in rows}


@pytest.fixture
def three() -> Three:
    return Three()


def test_every_member_answers_and_holds_the_same(three: Three) -> None:
    assert three.etcdctl("put a 1", "e2") == "OK\n"
    for name in PORTS:
        assert three.etcdctl("get a", name) == "a\n1\n"
        assert three.etcdctl("get a --consistency=s", name) == "a\n1\n"
    hashes = {line.split(", ")[1] for line in three.out(f"etcdctl --endpoints={ALL} endpoint hashkv").splitlines()}
    table = three.out(f"etcdctl --endpoints={ALL} endpoint hashkv -w table")
    assert table.count("HASH REVISION") == 1 and table.count("2379") == 3
    assert len(hashes) == 1
    assert three.ids().keys() == PORTS.keys()


def test_rest_costs_no_timer_and_no_trace(three: Three) -> None:
    three.etcdctl("put a 1")
    world = three.sandbox.world
    seq = world.trace_seq
    assert not [t for t in world.timers.values() if t.payload == ["raft"] or t.target == "etcd:wire"]
    assert world.run_until(world.now + 3600 * SECOND) < 5
    assert world.trace_seq == seq
    assert three.etcdctl("get a", "e3") == "a\n1\n"


def test_the_rest_elect_another_when_the_leader_dies(three: Three) -> None:
    old = three.leader()
    term, follower = three.sandbox.view()["etcd"]["term"], three.followers()[0]
    three.run(f"kill -9 $(ps -ef | grep -- '--name {old} ' | grep -v grep | awk '{{print $2}}')")
    assert three.leader() != old
    three.wait(3)
    assert three.leader() not in ("", old)
    assert three.sandbox.view()["etcd"]["term"] > term
    assert three.etcdctl("put a 2", follower) == "OK\n"


def test_a_leader_that_is_stopped_hands_over(three: Three) -> None:
    old = three.leader()
    three.run(f"systemctl stop {old}")
    assert three.leader() not in ("", old)  # at once, without an election timeout
    assert "leadership transfer starting" in three.out(f"journalctl -u {old} --no-pager")


def test_without_a_quorum_nothing_is_written_and_it_comes_back(three: Three) -> None:
    three.etcdctl("put a 1")
    first, second = three.followers()
    leader = three.leader()
    three.run(f"systemctl stop {first}; systemctl stop {second}")
    three.wait(3)
    refused = three.run(f"etcdctl --endpoints=127.0.0.1:{PORTS[leader]} --command-timeout=2s put a 2")
    assert refused.code == 1
    assert refused.stderr.endswith("Error: context deadline exceeded\n")
    slow = three.run(f"etcdctl --endpoints=127.0.0.1:{PORTS[leader]} --command-timeout=9s put a 2")
    assert slow.stderr.endswith("Error: etcdserver: request timed out\n")
    assert three.etcdctl("get a --consistency=s", leader) == "a\n1\n"
    assert "etcdserver: no leader" in three.etcdctl("endpoint status", leader)
    assert three.run(f"curl -s http://127.0.0.1:{PORTS[leader]}/health").stdout == '{"health":"false","reason":"RAFT NO LEADER"}'
    assert three.sandbox.view()["etcd"]["state"] == "failing"
    three.run(f"systemctl start {first}")
    three.wait(4)
    assert three.etcdctl("put a 3", leader) == "OK\n"
    assert three.sandbox.view()["etcd"]["state"] == "pending"


def test_a_slow_member_gets_a_snapshot(three: Three) -> None:
    away = three.followers()[0]
    three.run(f"systemctl stop {away}")
    client = f"etcdctl --endpoints=127.0.0.1:{PORTS[three.leader()]}"
    three.out(f"{client} put first 1")
    disk = next(d for d in member.section(three.sandbox.world).disks.values() if d.name == three.leader())
    etcd = EtcdClient(three.sandbox.world, "controlplane", [f"http://127.0.0.1:{PORTS[three.leader()]}"])
    for number in range(1500):
        etcd.put(b"k%04d" % number, b"x")
    assert disk.raft is not None
    assert disk.raft.snap_index > 0
    three.run(f"systemctl start {away}")
    three.wait(3)
    assert three.etcdctl("get k1499", away) == "k1499\nx\n"
    assert "applied snapshot" in three.out(f"journalctl -u {away} --no-pager")
    hashes = {line.split(", ")[1] for line in three.out(f"etcdctl --endpoints={ALL} endpoint hashkv").splitlines()}
    assert len(hashes) == 1


def test_a_world_with_three_members_is_stored_and_goes_on(three: Three) -> None:
    three.etcdctl("put a 1")
    three.run("systemctl stop e3")
    copy = Sandbox.restore(three.sandbox.snapshot())
    for one in (three.sandbox, copy):
        one.run("systemctl start e3")
        one.advance(one.now + 3 * SECOND)
        assert one.run("etcdctl --endpoints=127.0.0.1:32379 get a").stdout == "a\n1\n"
    assert copy.digest() == three.sandbox.digest()


def test_learner_joins_and_is_promoted(three: Three) -> None:
    three.wait(2)
    added = three.etcdctl("member add e4 --peer-urls=http://127.0.0.1:42380 --learner")
    assert "added as learner to cluster" in added
    cluster = next(line.split('"')[1] for line in added.splitlines() if line.startswith("ETCD_INITIAL_CLUSTER="))
    early = three.run(f"etcdctl member promote {three.ids()['']}")
    assert "can only promote a learner member which is in sync with leader" in early.stderr
    again = three.run("etcdctl member add e5 --peer-urls=http://127.0.0.1:52380 --learner")
    assert "too many learner members in cluster" in again.stderr
    three.recorded.control(f"add-etcd e4 42379 {cluster}")
    three.wait(2)
    refused = three.run("etcdctl --endpoints=127.0.0.1:42379 get a")
    assert refused.stderr.endswith("Error: etcdserver: rpc not supported for learner\n")
    assert three.out("etcdctl --endpoints=127.0.0.1:42379 get a --consistency=s") == ""
    assert "promoted in cluster" in three.etcdctl(f"member promote {three.ids()['e4']}")
    assert three.sandbox.view()["etcd"]["quorum"] == 3
    three.run("systemctl stop e3")
    three.wait(2)
    assert three.etcdctl("put a 2") == "OK\n"


def test_a_removed_member_ends_and_cannot_come_back(three: Three) -> None:
    three.wait(2)
    gone = three.followers()[0]
    ids = three.ids()
    assert "removed from cluster" in three.out(f"etcdctl --endpoints=127.0.0.1:{PORTS[three.leader()]} member remove {ids[gone]}")
    three.wait(2)
    assert three.run(f"systemctl is-active {gone}").stdout.strip() != "active"
    assert "the member has been permanently removed from the cluster" in three.out(f"journalctl -u {gone} --no-pager")
    three.run(f"systemctl start {gone}")
    three.wait(4)
    assert three.run(f"systemctl is-active {gone}").stdout.strip() != "active"
    left = three.followers()
    left.remove(gone)
    three.run(f"systemctl stop {left[0]}")
    three.wait(2)
    client = f"etcdctl --endpoints=127.0.0.1:{PORTS[three.leader() or next(n for n in PORTS if n not in (gone, left[0]))]}"
    assert three.run(f"{client} --command-timeout=1s put a 3").code == 1  # two of two are needed now


def test_a_change_that_endangers_the_quorum_is_refused(three: Three) -> None:
    three.wait(2)
    first, second = three.followers()
    ids = three.ids()
    three.run(f"systemctl stop {first}")
    three.wait(1)
    refused = three.run(f"etcdctl --endpoints=127.0.0.1:{PORTS[three.leader()]} member remove {ids[second]}")
    assert refused.stderr.endswith("Error: etcdserver: unhealthy cluster\n")
    assert three.run(f"etcdctl --endpoints=127.0.0.1:{PORTS[three.leader()]} member remove {ids[first]}").code == 0


def test_leadership_moves_on_request(three: Three) -> None:
    target = three.followers()[0]
    ids, old = three.ids(), three.leader()
    wrong = three.run(f"etcdctl --endpoints=127.0.0.1:{PORTS[target]} move-leader {ids[target]}")
    assert (
        wrong.stderr == f"Error: no leader endpoint given at [http://127.0.0.1:{PORTS[target]}]\n"
        or "no leader endpoint" in wrong.stderr
    )
    told = three.etcdctl(f"move-leader {ids[target]}", old)
    assert told == f"Leadership transferred from {ids[old]} to {ids[target]}\n"
    assert three.leader() == target


def test_restart_with_log_and_without(three: Three) -> None:
    three.etcdctl("put a 1")
    away = three.followers()[0]
    three.run(f"systemctl stop {away}; cp -r /var/lib/etcd/{away}.etcd /root/old")
    three.run(f"systemctl start {away}")
    three.wait(3)
    assert three.etcdctl("get a", away) == "a\n1\n"
    three.run(f"systemctl stop {away}; cp -r /var/lib/etcd/{away}.etcd /root/kept")
    three.run(f"echo junk > /var/lib/etcd/{away}.etcd/member/wal/0000000000000000-0000000000000000.wal")
    three.run(f"systemctl start {away}")
    three.wait(1)
    log = three.out(f"journalctl -u {away} --no-pager")
    assert "failed to read WAL, cannot be repaired" in log
    three.run(f"rm -rf /var/lib/etcd/{away}.etcd; systemctl start {away}")
    three.wait(1)
    assert "has already been bootstrapped" in three.out(f"journalctl -u {away} --no-pager")
    three.wait(10)
    three.run(f"cp -r /root/old /var/lib/etcd/{away}.etcd; systemctl start {away}")
    three.wait(2)
    assert "Was the raft log corrupted, truncated, or lost?" in three.out(f"journalctl -u {away} --no-pager")
    three.run(f"rm -rf /var/lib/etcd/{away}.etcd; cp -r /root/kept /var/lib/etcd/{away}.etcd; systemctl start {away}")
    three.wait(3)
    assert three.etcdctl("get a", away) == "a\n1\n"


def test_a_member_that_lost_its_disk_joins_anew(three: Three) -> None:
    three.wait(2)
    three.etcdctl("put a 1")
    lost = three.followers()[0]
    ids, leader = three.ids(), three.leader()
    three.run(f"systemctl stop {lost}; rm -rf /var/lib/etcd/{lost}.etcd")
    client = f"etcdctl --endpoints=127.0.0.1:{PORTS[leader]}"
    three.out(f"{client} member remove {ids[lost]}")
    peer = PORTS[lost] + 1
    assert "added to cluster" in three.out(f"{client} member add {lost} --peer-urls=http://127.0.0.1:{peer}")
    unit = f"/etc/systemd/system/{lost}.service"
    three.run(f"sed -i 's/--initial-cluster-state new/--initial-cluster-state existing/' {unit}; systemctl daemon-reload")
    three.run(f"systemctl start {lost}")
    three.wait(3)
    assert three.etcdctl("get a", lost) == "a\n1\n"
    assert three.out(f"{client} member list").count("started") == 3


def test_quorum_is_lost_for_good_and_one_member_begins_a_new_cluster(three: Three) -> None:
    three.etcdctl("put a 1")
    keep = three.leader()
    for name in PORTS:
        three.run(f"systemctl stop {name}")
    unit = f"/etc/systemd/system/{keep}.service"
    three.run(f"sed -i '/^ExecStart/s/$/ --force-new-cluster/' {unit}; systemctl daemon-reload; systemctl start {keep}")
    three.wait(3)
    assert three.etcdctl("get a", keep) == "a\n1\n"
    assert len(three.etcdctl("member list", keep).splitlines()) == 1
    assert three.etcdctl("put a 2", keep) == "OK\n"


def test_a_snapshot_is_restored_on_all_members(three: Three) -> None:
    three.etcdctl("put a old")
    three.out("etcdctl snapshot save /root/s.db")
    three.etcdctl("put a new; etcdctl put b new")
    cluster = ",".join(f"{name}=http://127.0.0.1:{port + 1}" for name, port in PORTS.items())
    for name, port in PORTS.items():
        three.run(f"systemctl stop {name}")
        restored = three.run(
            f"etcdutl snapshot restore /root/s.db --name {name} --data-dir /root/{name} --initial-cluster {cluster} "
            f"--initial-advertise-peer-urls http://127.0.0.1:{port + 1} --initial-cluster-token again"
        )
        assert restored.code == 0, restored
        three.run(f"rm -rf /var/lib/etcd/{name}.etcd; mv /root/{name} /var/lib/etcd/{name}.etcd")
    for name in PORTS:
        three.run(f"systemctl start {name}")
    three.wait(4)
    assert three.leader()
    for name in PORTS:
        assert three.etcdctl("get --prefix ''", name) == "a\nold\n"
    assert three.ids().keys() == PORTS.keys()
    assert three.etcdctl("put a again", "e2") == "OK\n"


def test_one_member_grows_to_three() -> None:
    world = Member(env=("etcd1", "one"))
    world.out("etcdctl put a 1")
    start = (
        "etcd --name {0} --data-dir /root/{0}.etcd --listen-client-urls http://127.0.0.1:{1} --advertise-client-urls http://127.0.0.1:{1} "
        "--listen-peer-urls http://127.0.0.1:{2} --initial-advertise-peer-urls http://127.0.0.1:{2} --initial-cluster {3} "
        "--initial-cluster-state existing > /root/{0}.log 2>&1 &"
    )
    cluster = "one=http://127.0.0.1:2380"
    for name, port in (("two", 3379), ("three", 4379)):
        told = world.out(f"etcdctl member add {name} --peer-urls=http://127.0.0.1:{port + 1}")
        assert f'ETCD_NAME="{name}"' in told
        if name == "two":
            assert world.run("etcdctl --command-timeout=1s put x y").code == 1  # two members now, one of them away
        cluster += f",{name}=http://127.0.0.1:{port + 1}"
        world.run(start.format(name, port, port + 1, cluster))
        world.wait(8)
        assert world.out(f"etcdctl --endpoints=127.0.0.1:{port} get a") == "a\n1\n"
    assert world.out("etcdctl member list").count("started") == 3


def test_leases_end_once_and_survive_a_change_of_leader(three: Three) -> None:
    lease = three.etcdctl("lease grant 10", three.followers()[0]).split()[1]
    three.etcdctl(f"put --lease={lease} a 1")
    three.wait(5)
    old = three.leader()
    three.run(f"systemctl stop {old}")
    name = three.leader()
    three.wait(6)
    assert three.etcdctl("get a", name) == "a\n1\n"  # the new leader gave it its whole time again
    three.wait(7)
    assert three.etcdctl("get a", name) == ""


def test_users_and_alarms_are_everybodys(three: Three) -> None:
    for words in ("user add root:secret", "role add root", "user grant-role root root", "auth enable"):
        three.etcdctl(words)
    for name in PORTS:
        assert three.run(f"etcdctl --endpoints=127.0.0.1:{PORTS[name]} get a").code == 1
        assert three.etcdctl("--user root:secret put a 1", name) == "OK\n"


class Five(Member):
    """Five members e1 to e5, started by hand on one host beside the unit's own."""

    PORTS = {f"e{number}": 20000 + 100 * number for number in range(1, 6)}

    def __init__(self) -> None:
        super().__init__(env=("etcd1", "solo"))
        for name in self.PORTS:
            self.start(name, f"{name}.etcd", "--initial-cluster-state new")
        self.wait(5)

    def cluster(self) -> str:
        return ",".join(f"{name}=http://127.0.0.1:{port + 1}" for name, port in self.PORTS.items())

    def start(self, name: str, folder: str, flags: str) -> None:
        client, peer = (f"http://127.0.0.1:{self.PORTS[name] + more}" for more in (0, 1))
        urls = f"--listen-client-urls {client} --advertise-client-urls {client} --listen-peer-urls {peer} --initial-advertise-peer-urls {peer}"
        self.run(
            f"etcd --name {name} --data-dir {folder} {urls} --initial-cluster {self.cluster()} {flags} >{name}.log 2>&1 & echo $! > {name}.pid"
        )

    def kill(self, *names: str) -> None:
        self.run("; ".join(f"kill -9 $(cat {name}.pid)" for name in names))
        self.wait(5)

    def etcdctl(self, words: str, *names: str) -> tuple[str, int]:
        ends = ",".join(f"127.0.0.1:{self.PORTS[name]}" for name in names or self.PORTS)
        found = self.run(f"etcdctl --endpoints={ends} {words}")
        return found.stdout, found.code


def test_five_members_bear_the_loss_of_two_and_not_of_three() -> None:
    five = Five()
    assert five.etcdctl("put a 1") == ("OK\n", 0)
    assert five.etcdctl("snapshot save s.db", "e1")[1] == 0
    five.kill("e4", "e5")
    assert five.etcdctl("put b 2", "e1", "e2", "e3") == ("OK\n", 0)
    five.kill("e3")
    assert five.etcdctl("put c 3", "e1", "e2") == ("", 1)
    assert five.etcdctl("get b --consistency=s", "e1") == ("b\n2\n", 0), "what is there can be read without a quorum"
    assert five.etcdctl("get b", "e1")[1] == 1
    five.start("e3", "e3.etcd", "--initial-cluster-state existing")
    five.wait(5)
    assert five.etcdctl("put c 3", "e1", "e2", "e3") == ("OK\n", 0)
    assert five.etcdctl("get c", "e3") == ("c\n3\n", 0)

    # all of it restored from the snapshot, as five new members
    five.kill("e1", "e2", "e3")
    for name, port in five.PORTS.items():
        made = f"--initial-cluster {five.cluster()} --initial-advertise-peer-urls http://127.0.0.1:{port + 1} --initial-cluster-token t2"
        assert five.run(f"etcdutl snapshot restore s.db --name {name} {made} --data-dir r-{name}").code == 0
        five.start(name, f"r-{name}", "--initial-cluster-token t2")
    five.wait(5)
    assert five.etcdctl("get --prefix ''") == ("a\n1\n", 0), "what came after the snapshot is gone"
    assert five.etcdctl("put d 4") == ("OK\n", 0)
    assert len({line.split(", ")[1] for line in five.etcdctl("endpoint hashkv")[0].splitlines()}) == 1
    assert five.etcdctl("endpoint status")[0].count(", true, ") == 1

    # one of five replaced by a new member
    five.kill("e5")
    ident = next(line.split(",")[0] for line in five.etcdctl("member list", "e1")[0].splitlines() if ", e5," in line)
    assert five.etcdctl(f"member remove {ident}", "e1")[1] == 0
    assert five.etcdctl("member add e5 --peer-urls=http://127.0.0.1:20501", "e1")[1] == 0
    five.run("rm -rf r-e5")
    five.start("e5", "r-e5", "--initial-cluster-state existing")
    five.wait(8)
    assert five.etcdctl("get d", "e5") == ("d\n4\n", 0)


def test_messages_that_are_not_counted_have_no_made_up_statistics(three: Three) -> None:
    """`/v2/stats` (etcd 3.4) of several members: what is not measured says so, and who leads is still told."""
    world = three.sandbox.world
    for disk in member.section(world).disks.values():
        running = next(iter(member.section(world).running.values()))
        for kind, follower, leader in (("self", 501, 501), ("leader", 403, 501), ("store", 200, 200)):
            told = gateway_v2_members.handle(
                world, disk, running, f"/stats/{kind}", Request(method="GET", path=f"/v2/stats/{kind}")
            )
            assert told is not None
            assert told.status == (leader if disk.name == three.leader() else follower)

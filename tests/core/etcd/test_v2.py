"""etcd 3.4 with its v2 API: the store, `/v2/keys`, and `ETCDCTL_API=2 etcdctl`."""

from __future__ import annotations

import json

import pytest

from simulator.core.etcd.v2store import Change, V2Error, V2State, V2Store
from simulator.core.kernel.clock import SECOND

from .member_world import Member


@pytest.fixture(name="member")
def _member() -> Member:
    return Member(env=("etcdv2",))


def v2(member: Member, command: str) -> str:
    return member.out(f"ETCDCTL_API=2 etcdctl {command}")


def error(member: Member, command: str) -> tuple[int, str]:
    answer = member.run(f"ETCDCTL_API=2 etcdctl {command}")
    return answer.code, answer.stderr


def test_failed_writes_take_no_index() -> None:
    store = V2Store(V2State(), 0)
    assert store.put("/a", Change(value="1")).index == 4
    for path, change, code in (
        ("/a", Change(value="2", exist=False), 105),
        ("/b", Change(value="2", exist=True), 100),
        ("/a/b", Change(value="2"), 104),
        ("/a", Change(value="2", prev_value="x"), 101),
        ("/", Change(value="2"), 107),
    ):
        with pytest.raises(V2Error) as failed:
            store.put(path, change)
        assert (failed.value.code, failed.value.index) == (code, 4)
    assert store.put("/a", Change(value="2", prev_value="1", prev_index=4)).action == "compareAndSwap"


def test_expired_nodes_go_in_their_own_order() -> None:
    state = V2State()
    V2Store(state, 0).put("/late", Change(value="x", ttl=9))
    V2Store(state, 0).put("/soon", Change(value="x", ttl=3))
    later = V2Store(state, 10 * SECOND)
    later.expire()
    assert [(event.action, event.node["key"]) for event in state.events[2:]] == [("expire", "/soon"), ("expire", "/late")]
    assert state.index == 7


def test_directories(member: Member) -> None:
    v2(member, "set /dir/sub/b 2")
    v2(member, "mkdir /empty")
    assert v2(member, "ls / --recursive").split() == ["/dir", "/dir/sub", "/dir/sub/b", "/empty"]
    assert v2(member, "ls -p /dir") == "/dir/sub/\n"
    assert error(member, "rmdir /dir") == (4, "Error:  108: Directory not empty (/dir) [5]\n")
    assert error(member, "get /dir") == (1, "/dir: is a directory\n")
    v2(member, "rmdir /empty")
    v2(member, "rm --recursive /dir")
    assert v2(member, "ls") == ""


def test_times_to_live(member: Member) -> None:
    v2(member, "set /k v --ttl 5")
    assert json.loads(v2(member, "-o json get /k"))["node"]["ttl"] == 5
    v2(member, "update /k w --ttl 20")
    member.wait(10)
    assert v2(member, "get /k") == "w\n"
    member.wait(15)
    assert error(member, "get /k") == (4, "Error:  100: Key not found (/k) [6]\n")


def test_watches(member: Member) -> None:
    member.run("ETCDCTL_API=2 etcdctl watch --recursive --forever /app > seen.txt &")
    member.run("ETCDCTL_API=2 etcdctl exec-watch /app/x -- sh -c 'echo $ETCD_WATCH_ACTION $ETCD_WATCH_VALUE' > ran.txt &")
    v2(member, "set /app/x 1")
    v2(member, "set /other 2")
    v2(member, "rm /app/x")
    assert member.out("cat seen.txt") == "[set] /app/x\n1\n[delete] /app/x\nPrevNode.Value: 1\n"
    assert member.out("cat ran.txt").splitlines() == ["set 1", "delete"]
    assert v2(member, "watch /app/x --after-index 3") == "1\n", "an event that has been is found in the history"


def test_both_stores_know_nothing_of_each_other(member: Member) -> None:
    v2(member, "set color red")
    assert member.out("etcdctl get color") == "", "etcdctl 3.4 speaks API v3 unless told otherwise"
    member.out("etcdctl put color blue")
    assert v2(member, "get color") == "red\n"
    member.out("etcdctl del color")
    assert v2(member, "get color") == "red\n"


def test_keys_by_curl(member: Member) -> None:
    keys = "curl -s http://127.0.0.1:2379/v2/keys"
    assert json.loads(member.out(f"{keys}/q -XPOST -d value=job"))["node"]["key"] == "/q/00000000000000000004"
    assert member.out(f"{keys}/a -XPUT -d value=1 -d ttl=x").endswith('"index":0}\n')
    assert json.loads(member.out(f"{keys}/a?prevExist=false -XPUT -d value=1"))["action"] == "create"
    assert json.loads(member.out(f"{keys}/a?prevExist=false -XPUT -d value=1"))["errorCode"] == 105
    member.run(f"{keys}/a?wait=true > event.txt &")
    member.out(f"{keys}/a?prevValue=1 -XDELETE")
    event = json.loads(member.out("cat event.txt"))
    assert (event["action"], event["prevNode"]["value"]) == ("compareAndDelete", "1")
    assert member.out("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:2379/v2/keys/none") == "404"


def test_health_and_members(member: Member) -> None:
    assert v2(member, "cluster-health").endswith("cluster is healthy\n")
    assert v2(member, "member list").endswith(" isLeader=true\n")
    member.out("systemctl stop default")
    assert error(member, "cluster-health")[0] != 0


def test_a_backup_holds_the_v2_keys_alone(member: Member) -> None:
    v2(member, "set /k v2")
    member.out("etcdctl put k v3")
    v2(member, "backup --data-dir /var/lib/etcd/default.etcd --backup-dir /var/lib/etcd/copy")
    member.out("systemctl stop default; sed -i 's|default.etcd|copy --force-new-cluster|' /etc/systemd/system/default.service")
    member.out("systemctl daemon-reload; systemctl start default")
    member.wait(5)
    assert v2(member, "get /k") == "v2\n"
    assert member.out("etcdctl get k") == ""


def test_the_api_is_served_on_request_only() -> None:
    member = Member(env=("etcdv2",))
    member.out(
        "sed -i 's|--enable-v2=true||' /etc/systemd/system/default.service; systemctl daemon-reload; systemctl restart default"
    )
    member.wait(5)
    assert member.out("curl -s http://127.0.0.1:2379/v2/keys/a") == "404 page not found\n"


def test_the_v3_commands_of_3_4_keep_their_ways(member: Member) -> None:
    member.out("etcdctl put a b; etcdctl snapshot save s.db")
    assert len(member.out("etcdctl snapshot status s.db").split(", ")) == 4, "no storage version before 3.6"
    member.out("etcdctl snapshot restore s.db --data-dir r")
    assert member.out("ls r/member") == "snap\nwal\n"
    assert len(member.out("etcdctl endpoint status").split(", ")) == 10
    healthy = member.run("etcdctl endpoint health")
    assert (healthy.stdout, healthy.code) == ("", 0) and "is healthy" in healthy.stderr
    assert "\tget\n\tput\n\tdel\n\tuser\n" in member.run("etcdctl set a b").stderr


JSON = "-H 'Content-Type: application/json'"


def test_members_are_added_changed_and_removed_over_the_v2_api() -> None:
    member = Member(env=("etcdv2",))
    at = "curl -s http://127.0.0.1:2379/v2"
    own = json.loads(member.out(f"{at}/members"))["members"][0]["id"]
    assert json.loads(member.out(f"{at}/members/leader"))["id"] == own
    for line, told in (
        (f"{at}/members -XPOST -d x", {"message": "Bad Content-Type application/x-www-form-urlencoded, accept application/json"}),
        (f"{at}/members -XPOST {JSON} -d '{{bad'", {"message": "invalid character 'b' looking for beginning of object key string"}),
        (f"{at}/members -XPOST {JSON} -d '{{\"peerURLs\":[]}}'", {"message": "no valid URLs given"}),
        (f"{at}/members -XPOST {JSON} -d '{{\"peerURLs\":[\"nourl\"]}}'", {"message": "URL scheme must be http, https, unix, or unixs: nourl"}),
        (f"{at}/members/zzz -XDELETE", {"message": "No such member: zzz"}),
        (f"{at}/members/1234 -XDELETE", {"message": "No such member: 1234"}),
        (f"{at}/members/bogus", {"message": "Not found"}),
    ):  # fmt: skip
        assert json.loads(member.out(line)) == told, line
    v2 = "ETCDCTL_API=2 etcdctl"
    assert member.out(f"{v2} member update {own} http://127.0.0.1:2381") == f"Updated member with ID {own} in cluster\n"
    for line, text in (
        ("member add x", "Provide a name and a single member peerURL\n"),
        ("member add x nourl", "URL scheme must be http, https, unix, or unixs: nourl\n"),
        ("member add x http://127.0.0.1:2381", "membership: peerURL exists\n"),
        ("member update 1234 http://127.0.0.1:9", "No such member: 1234\n"),
        ("member remove abcd", "Couldn't find a member in the cluster with an ID of abcd.\n"),
        ("member list x", "No arguments accepted\n"),
    ):
        found = member.run(f"{v2} {line}")
        assert (found.code, found.stdout, found.stderr) == (1, "", text), line
    added = member.out(f"{v2} member add second http://127.0.0.1:12380")
    assert added.startswith("Added member named second with ID ")
    assert 'ETCD_NAME="second"' in added
    assert "second=http://127.0.0.1:12380" in added
    assert "[unstarted]: peerURLs=http://127.0.0.1:12380" in member.out(f"{v2} member list")


def test_what_the_v2_api_counts_and_how_it_fails() -> None:
    member = Member(env=("etcdv2",))
    at = "curl -s http://127.0.0.1:2379"
    member.run(f"{at}/v2/keys/a -XPUT -d value=1; {at}/v2/keys/a; {at}/v2/keys/b; {at}/v2/keys/a?prevValue=9 -XPUT -d value=2")
    counts = json.loads(member.out(f"{at}/v2/stats/store"))
    picked = ("setsSuccess", "getsSuccess", "getsFail", "compareAndSwapFail", "watchers")
    assert [counts[name] for name in picked] == [1, 1, 1, 1, 0]
    assert json.loads(member.out(f"{at}/v2/stats/leader"))["followers"] == {}
    assert json.loads(member.out(f"{at}/v2/stats/self"))["state"] == "StateLeader"
    assert member.out(f"{at}/v2/machines") == "http://localhost:2379"
    assert member.out(f"{at}/health") == '{"health":"true"}'
    assert json.loads(member.out(f"{at}/v2/keys/a?prevIndex=x -XPUT -d value=2"))["index"] == 0
    assert "Allow: HEAD,GET,PUT,POST,DELETE" in member.out(f"{at}/v2/keys/a -i -XPATCH")
    head = member.out(f"{at}/v2/keys/none -i")
    assert ("X-Etcd-Index" in head, "X-Raft-Index" in head) == (True, False)
    quiet = member.run("curl -sS -m 2 'http://127.0.0.1:2379/v2/keys/a?wait=true'")
    told = "curl: (28) Operation timed out after 2001 milliseconds with 0 bytes received\n"
    assert (quiet.code, quiet.stdout, quiet.stderr) == (28, "", told)
    assert member.run("ETCDCTL_API=2 etcdctl get /").stderr == ": is a directory\n"
    assert member.run("ETCDCTL_API=2 etcdctl -o odd set /a 1").stderr == "Unsupported output format: odd\n"


def test_nobody_there_and_flags_that_are_none() -> None:
    member = Member(env=("etcdv2",))
    refused = "error #0: dial tcp 127.0.0.1:9999: connect: connection refused\n"
    told = f"Error:  client: etcd cluster is unavailable or misconfigured; {refused}\n{refused}\n"
    v2 = "ETCDCTL_API=2 etcdctl --endpoints http://127.0.0.1:9999"
    got = member.run(f"{v2} get /a")
    assert (got.code, got.stdout, got.stderr) == (2, "", told)
    got = member.run(f"{v2} cluster-health")
    assert (got.code, got.stdout, got.stderr) == (4, "cluster may be unhealthy: failed to list members\n", told)
    assert member.run("ETCDCTL_API=2 etcdctl get /x --prefix").stderr.startswith("Error:  100: Key not found (/x)")
    for line in ("ls --bogus", "--bogus ls"):
        got = member.run(f"ETCDCTL_API=2 etcdctl {line}")
        assert (got.code, got.stdout.startswith("Incorrect Usage")) == (1, True), line
        assert got.stderr.startswith("flag provided but not defined: -")

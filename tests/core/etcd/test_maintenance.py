"""Quota and alarms, defragmentation, snapshots and their restoration, and what data directories are good for."""

from __future__ import annotations

import json

from simulator.core.etcd.backup import content_hash, crc32c
from simulator.core.etcd.mvcc import Store, StoreState
from simulator.headless import transcript

from .member_world import Member


def test_the_checksum_is_castagnolis() -> None:
    assert crc32c(b"123456789") == 0xE3069283


def test_the_hash_covers_the_history_up_to_a_revision() -> None:
    state = StoreState()
    store = Store(state)
    store.put(b"a", b"1")
    first = content_hash(state)
    store.put(b"a", b"2")
    assert content_hash(state) != first == content_hash(state, 2)
    store.delete(b"a")
    store.compact(4)
    assert content_hash(state) == crc32c(b"key")


def test_over_quota_writes_fail_until_space_is_made_and_the_alarm_disarmed() -> None:
    member = Member("--quota-backend-bytes=100000")
    filled = member.run("for i in $(seq 1 60); do etcdctl put key$i $(head -c 2000 /dev/zero | tr '\\0' x) || break; done")
    assert "Error: etcdserver: mvcc: database space exceeded" in filled.stderr
    listed = member.out("etcdctl alarm list")
    assert listed.startswith("memberID:") and listed.endswith(" alarm:NOSPACE \n")
    assert "Active Alarm(s): NOSPACE" in member.run("etcdctl endpoint health").stderr
    assert "alarm:NOSPACE" in member.out("etcdctl endpoint status -w table")
    assert member.run("etcdctl put small x").code == 1
    assert member.run("etcdctl lease grant 60").code == 1
    assert member.out("etcdctl get key1 --keys-only") != ""
    assert int(member.out("etcdctl del key --prefix")) > 30, "deletions still work"
    revision = json.loads(member.out("etcdctl endpoint status -w json"))[0]["Status"]["header"]["revision"]
    member.out(f"etcdctl compact {revision}")
    member.out("etcdctl alarm disarm")
    big = "etcdctl put key1 $(head -c 2000 /dev/zero | tr '\\0' x)"
    assert member.run(big).code == 1, "compaction frees pages, but the file is as large as before"
    member.out("etcdctl defrag")
    assert member.run("etcdctl put small x").code == 1, "the alarm stands until it is disarmed"
    member.out("etcdctl alarm disarm")
    assert member.out("etcdctl alarm list") == ""
    assert member.out(big) == "OK\n"


def test_defragmentation_gives_freed_pages_back() -> None:
    member = Member()
    member.out("for i in $(seq 1 40); do etcdctl put k $(head -c 3000 /dev/zero | tr '\\0' x); done")

    def size() -> tuple[int, int]:
        status = json.loads(member.out("etcdctl endpoint status -w json"))[0]["Status"]
        return status["dbSize"], status["dbSizeInUse"]

    full, _ = size()
    member.out("etcdctl compact 41")
    kept, used = size()
    assert kept == full and used < full / 2
    member.out("etcdctl defrag")
    assert size()[0] < full / 2


def test_a_restored_snapshot_brings_the_old_state_back() -> None:
    member = Member()
    member.out(
        "etcdctl put city riga; etcdctl put gone soon; etcdctl snapshot save s.db; etcdctl put city oslo; etcdctl del gone"
    )
    assert member.out("etcdutl snapshot status s.db").split(", ")[1:3] == ["3", "2"]
    member.out("etcdutl snapshot restore s.db --data-dir /var/lib/etcd/new --name default")
    assert member.out("etcdctl get city --print-value-only") == "oslo\n", "the running member has its own directory"
    member.out(
        "systemctl stop default; sed -i 's|/var/lib/etcd/default.etcd|/var/lib/etcd/new|' /etc/systemd/system/default.service"
    )
    member.out("systemctl daemon-reload; systemctl start default")
    member.wait(5)
    assert member.out("etcdctl get '' --prefix --print-value-only") == "riga\nsoon\n"
    assert "http://localhost:2380" in member.out("etcdctl member list")
    assert member.out("etcdctl put city bergen") == "OK\n"


def test_a_damaged_snapshot_is_refused() -> None:
    member = Member()
    member.out("etcdctl put a b; etcdctl snapshot save s.db; head -c 3000 s.db > cut.db; echo junk > junk.db")
    cut = member.run("etcdutl snapshot restore cut.db --data-dir r")
    assert cut.code == 1 and "snapshot missing hash but --skip-hash-check=false" in cut.stderr
    member.out("sed 's/slipway etcd/SLIPWAY ETCD/' s.db > changed.db")
    assert "expected sha256 [" in member.run("etcdutl snapshot restore changed.db --data-dir r").stderr
    assert member.run("etcdutl snapshot status junk.db").code == 1
    bare = member.run("head -c -32 s.db > bare.db; etcdutl snapshot restore bare.db --data-dir r1")
    assert "snapshot missing hash" in bare.stderr
    assert member.run("etcdutl snapshot restore bare.db --data-dir r2 --skip-hash-check").code == 0
    assert member.run("etcdutl snapshot restore s.db --data-dir r2").code == 1, "the directory is not empty"


def test_a_stopped_members_directory_can_be_copied_and_put_back() -> None:
    member = Member()
    member.out("etcdctl put a old; systemctl stop default; cp -r /var/lib/etcd/default.etcd /root/copy; systemctl start default")
    member.wait(5)
    member.out(
        "etcdctl put a new; systemctl stop default; rm -r /var/lib/etcd/default.etcd; cp -r /root/copy /var/lib/etcd/default.etcd"
    )
    member.out("systemctl start default")
    member.wait(5)
    assert member.out("etcdctl get a --print-value-only") == "old\n"


def test_a_lost_directory_is_lost() -> None:
    member = Member()
    member.out("etcdctl put a b; systemctl stop default; rm -r /var/lib/etcd/default.etcd; systemctl start default")
    member.wait(5)
    assert member.out("etcdctl get a") == ""


def test_etcdutl_hashes_as_the_member_does_and_defragments_only_what_nobody_uses() -> None:
    member = Member()
    member.out("for i in $(seq 1 40); do etcdctl put k $(head -c 3000 /dev/zero | tr '\\0' x); done; etcdctl compact 41")
    value = member.out("etcdctl endpoint hashkv").split(", ")[1]
    assert member.run("etcdutl defrag --data-dir /var/lib/etcd/default.etcd").code == 1
    member.out("systemctl stop default")
    assert member.out("etcdutl hashkv /var/lib/etcd/default.etcd/member/snap/db").split(", ")[0] == value
    before = int(member.out("stat -c %s /var/lib/etcd/default.etcd/member/snap/db"))
    member.out("etcdutl defrag --data-dir /var/lib/etcd/default.etcd")
    assert int(member.out("stat -c %s /var/lib/etcd/default.etcd/member/snap/db")) < before / 2


def test_a_short_lease_ends_before_a_long_one() -> None:
    member = Member()
    member.out("etcdctl lease grant 600; ID=$(etcdctl lease grant 3 | awk '{print $2}'); etcdctl put k v --lease=$ID")
    member.wait(5)
    assert member.out("etcdctl get k") == ""


def test_the_index_counts_every_request_that_went_through_the_log() -> None:
    """Also those that only read through it (alarms, health) and those that were refused when applied; figures of a real member."""
    commands = [f"etcdctl put k{i} v{i}" for i in range(1, 6)]
    commands += ["etcdctl put k1 new", "etcdctl compact 4", "etcdctl compact 4", "etcdctl compact 999", "etcdctl compact"]
    commands += ["etcdctl get k1 --rev=3", "etcdctl compact 7 --physical", "etcdctl alarm list", "etcdctl alarm disarm"]
    commands += ["etcdctl endpoint health"] * 3
    steps = [{"cmd": command} for command in [*commands, "etcdctl endpoint status"]]
    assert transcript.play(["etcd1", "default"], steps)[-1]["stdout"].endswith("true, false, 2, 19, 19, , , false\n")


def test_a_databases_hash_is_what_the_real_tool_prints_for_the_same_history() -> None:
    steps = ["etcdctl put city riga", "etcdctl put river daugava", "etcdctl snapshot save s.db", "etcdutl snapshot status s.db"]
    played = transcript.play(["etcd1", "default"], [{"cmd": step} for step in steps])
    assert played[-1]["stdout"].startswith("d8facbd2, 3, 2, ")
    seen = []
    for more in ([], ["etcdctl user add ann --no-password"], ["etcdctl role add r"]):
        commands = [*more, "etcdctl snapshot save s.db", "etcdutl snapshot status s.db"]
        line = transcript.play(["etcd1", "default"], [{"cmd": one} for one in commands])[-1]["stdout"]
        seen.append(line.split(", ")[0])
        assert ", 1, 0, " in line
    assert len(set(seen)) == 3, "what is no key counts in the hash as well"
    old = ["ETCDCTL_API=2 etcdctl set color red", "etcdctl put color blue", "etcdctl del color"]
    old += ["etcdctl snapshot save s.db", "etcdctl snapshot status s.db"]
    assert transcript.play(["etcdv2"], [{"cmd": one} for one in old])[-1]["stdout"].startswith("5f2e5eb7, 3, 6, "), "of 3.4"


def test_what_the_daemon_prints_before_it_serves_goes_to_standard_output() -> None:
    member = Member()
    for command in ("etcd --version | cat", "etcd --version >f 2>/dev/null; cat f", 'echo "$(etcd --version 2>&1)"'):
        assert member.out(command).startswith("etcd Version: 3."), command
    assert member.out("etcd --version >/dev/null") == ""

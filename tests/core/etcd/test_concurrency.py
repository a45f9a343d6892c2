"""Locks, elections and interactive watches of etcdctl."""

from __future__ import annotations

from .member_world import Member


def test_a_lock_is_held_until_its_holder_goes() -> None:
    member = Member()
    member.run("timeout 20 etcdctl lock door > first.txt & sleep 1; timeout 60 etcdctl lock door > second.txt &")
    member.wait(10)
    assert member.out("head -1 first.txt").startswith("door/")
    assert member.out("cat second.txt") == ""
    member.wait(15)
    assert member.out("head -1 second.txt").startswith("door/")
    member.wait(60)
    assert member.out("etcdctl get door/ --prefix") == "", "the last one has unlocked at its end"


def test_a_killed_holders_lock_ends_with_its_lease() -> None:
    member = Member()
    member.run("etcdctl lock door > first.txt & sleep 1; etcdctl lock door > second.txt & sleep 1; kill -9 %1")
    assert member.out("cat second.txt") == ""
    member.wait(15)
    assert member.out("head -1 second.txt").startswith("door/")


def test_a_command_runs_under_the_lock_with_its_key() -> None:
    member = Member()
    ran = member.run("etcdctl lock door -- sh -c 'etcdctl get door/ --prefix --keys-only | head -1; echo $ETCD_LOCK_KEY'")
    first, second = ran.stdout.split()
    assert first == second
    assert member.out("etcdctl get door/ --prefix") == ""
    failed = member.run("etcdctl lock door -- sh -c 'exit 3'")
    assert (failed.code, failed.stderr) == (3, "Error: exit status 3\n")


def test_a_long_command_keeps_its_lock() -> None:
    member = Member()
    member.run("etcdctl lock door -- sleep 40 &")
    member.wait(35)
    assert member.out("etcdctl get door/ --prefix --keys-only").startswith("door/")
    member.wait(10)
    assert member.out("etcdctl get door/ --prefix") == ""


def test_an_election_passes_to_the_next_and_observers_see_it() -> None:
    member = Member()
    member.run(
        "etcdctl elect -l head > seen.txt & timeout 5 etcdctl elect head ann & sleep 1; timeout 15 etcdctl elect head bob &"
    )
    member.wait(3)
    assert member.out("cat seen.txt").split()[1::2] == ["ann"]
    member.wait(5)
    assert member.out("cat seen.txt").split()[1::2] == ["ann", "bob"]
    assert member.run("etcdctl elect head").stderr == "Error: no proposal argument but -l not set\n"


def test_interactive_watches() -> None:
    member = Member()
    member.run(
        "(echo watch a; echo watch b --prefix -- echo ran; sleep 1; echo nonsense; echo progress; sleep 5) | etcdctl watch -i > seen.txt 2> errors.txt &"
    )
    member.wait(3)
    member.out("etcdctl put a 1; etcdctl put b2 2")
    member.wait(1)
    seen = member.out("cat seen.txt").splitlines()
    assert seen == ["progress notify: 1", "progress notify: 1", "PUT", "a", "1", "PUT", "b2", "2", "ran"]
    member.wait(5)
    assert member.out("cat errors.txt").splitlines() == [
        "Invalid command nonsense (only support watch)",
        "Error: error reading watch request line: EOF",
    ]

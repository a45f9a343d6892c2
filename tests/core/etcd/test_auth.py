"""Users, roles and permissions, and what requests may do under them."""

from __future__ import annotations

import pytest

from simulator.core.etcd.authstore import Permission, covered

from .member_world import Member

SPANS = [Permission("READ", b"a", b"c"), Permission("READ", b"c", b"f"), Permission("READ", b"x")]


@pytest.mark.parametrize(
    ("key", "end", "wanted"),
    [
        (b"a", b"", True),
        (b"b", b"e", True),
        (b"a", b"f", True),
        (b"a", b"g", False),
        (b"f", b"", False),
        (b"x", b"", True),
        (b"x", b"y", False),
        (b"b", b"\0", False),
    ],
)
def test_the_union_of_permissions_must_cover_a_range(key: bytes, end: bytes, wanted: bool) -> None:
    assert covered(SPANS, key, end) is wanted


def test_an_open_ended_permission_covers_everything_after_its_key() -> None:
    open_ended = [Permission("READ", b"m", b"\0")]
    assert covered(open_ended, b"m", b"\0") and covered(open_ended, b"z", b"")
    assert not covered(open_ended, b"l", b"\0")


def _secured() -> Member:
    member = Member()
    member.out("etcdctl user add root:pw; etcdctl user add bob:bobpw; etcdctl role add r; etcdctl user grant-role bob r")
    member.out("etcdctl role grant-permission r read app/ --prefix; etcdctl role grant-permission r readwrite own")
    member.out("etcdctl put app/a 1; etcdctl put secret 2; etcdctl auth enable")
    return member


def _error(member: Member, command: str) -> str:
    answer = member.run(command)
    assert answer.code != 0, answer
    return answer.stderr.rstrip().rpartition("\n")[2]


BOB = "etcdctl --user bob:bobpw"
ROOT = "etcdctl --user root:pw"
DENIED = "Error: etcdserver: permission denied"


def test_permissions_are_checked_in_every_request() -> None:
    member = _secured()
    assert member.out(f"{BOB} get app/ --prefix") == "app/a\n1\n"
    assert _error(member, f"{BOB} get app --prefix") == DENIED
    assert _error(member, f"{BOB} get '' --prefix") == DENIED
    assert _error(member, f"{BOB} put app/a 2") == DENIED
    assert member.out(f"{BOB} put own 1 --prev-kv") == "OK\n"
    assert _error(member, f"{BOB} del app/a") == DENIED
    assert _error(member, f'printf \'value("secret") = "2"\\n\\n\\n\\n\' | {BOB} txn') == DENIED
    assert _error(member, f"printf '\\nput own 2\\nput secret 3\\n\\n\\n' | {BOB} txn") == DENIED
    assert "permission denied" in member.run(f"timeout 2 {BOB} watch secret").stderr
    assert _error(member, f"{BOB} defrag") != "" and "permission denied" in member.run(f"{BOB} defrag").stderr
    assert _error(member, f"{BOB} snapshot save s.db") == DENIED
    assert member.out(f"{ROOT} get secret --print-value-only") == "2\n"


def test_nobody_and_wrong_passwords() -> None:
    member = _secured()
    assert _error(member, "etcdctl get app/a") == "Error: etcdserver: user name is empty"
    wrong = member.run("etcdctl --user bob:nope get app/a")
    assert wrong.code == 2
    assert wrong.stderr.endswith("Error: etcdserver: authentication failed, invalid user ID or password\n")
    assert member.out("ETCDCTL_USER=bob:bobpw etcdctl get app/a --print-value-only") == "1\n"
    assert member.out("etcdctl --user bob --password bobpw get app/a --print-value-only") == "1\n"


def test_a_user_sees_himself_but_only_root_manages() -> None:
    member = _secured()
    assert member.out(f"{BOB} user get bob") == "User: bob\nRoles: r\n"
    assert member.out(f"{BOB} role get r").startswith("Role r\nKV Read:\n\t[app/, app0) (prefix app/)\n\town\n")
    assert _error(member, f"{BOB} user get root") == DENIED
    assert _error(member, f"{BOB} user add eve:x") == DENIED
    assert _error(member, f"{ROOT} user delete root") == "Error: etcdserver: invalid auth management"
    assert _error(member, f"{ROOT} role delete root") == "Error: etcdserver: invalid auth management"


def test_a_role_that_goes_takes_its_permissions_along() -> None:
    member = _secured()
    member.out(f"{ROOT} role delete r")
    assert member.out(f"{ROOT} user get bob") == "User: bob\nRoles:\n"
    assert _error(member, f"{BOB} get app/a") == DENIED
    member.out(f"{ROOT} auth disable")
    assert member.out("etcdctl get app/a --print-value-only") == "1\n"


def test_a_changed_password_ends_the_old_one() -> None:
    member = _secured()
    member.out(f"echo other | {ROOT} user passwd bob --interactive=false")
    assert member.run(f"{BOB} get app/a").code == 2
    assert member.out("etcdctl --user bob:other get app/a --print-value-only") == "1\n"


def test_enabling_needs_root_and_survives_a_restart() -> None:
    member = Member()
    assert _error(member, "etcdctl auth enable") == "Error: etcdserver: root user does not exist"
    member.out("etcdctl user add root:pw; etcdctl auth enable; systemctl restart default")
    member.wait(5)
    assert _error(member, "etcdctl get a") == "Error: etcdserver: user name is empty"
    assert member.out(f"{ROOT} auth status").startswith("Authentication Status: true\n")


def test_a_watch_outlives_its_token() -> None:
    member = _secured()
    member.run(f"{BOB} watch own > seen.txt &")
    member.wait(400)
    member.out(f"{ROOT} put own later")
    assert member.out("cat seen.txt") == "PUT\nown\nlater\n"

"""What etcdctl makes of words that are nearly right: transactions, ranges, variables, users.  Checked against the real tool."""

from __future__ import annotations

import pytest

from .member_world import Member


@pytest.fixture(scope="module")
def member() -> Member:
    made = Member()
    made.run("for i in 1 2 3; do etcdctl put k$i v$i; done")
    return made


@pytest.mark.parametrize(
    ("lines", "code", "out", "err"),
    [
        (r'value("k1") = "v1"\n\nget k --prefix --limit=1\n\nput k1 x\n\n', 0, "SUCCESS\n\nk1\nv1\n", ""),
        (r'val("k1") != "v1"\n\nget k1\n\nget k2 k9\n\n', 0, "FAILURE\n\nk2\nv2\nk3\nv3\n", ""),
        (r'm("k1") > "1"\nc("k1") < "99"\nver("k1") = "1"\n\nget k1 --print-value-only\n\n\n', 0, "SUCCESS\n\nk1\nv1\n", ""),
        (r'value("\\x6b1") = "v1"\n\nget "k1"\n\n\n', 0, "SUCCESS\n\nk1\nv1\n", ""),
        (r'version("k1") = "abc"\n\n\n\n', 3, "", 'Error: invalid txn compare request: version("k1") = "abc"\n'),
        (r'bogus("k1") = "1"\n\n\n\n', 3, "", 'Error: malformed comparison: bogus("k1") = "1" (unknown target bogus)\n'),
        (r'version(k1) = "1"\n\n\n\n', 3, "", 'Error: malformed comparison: version(k1) = "1"; got version("")  ""\n'),
        (r'version("k1") = 1\n\n\n\n', 3, "", 'Error: malformed comparison: version("k1") = 1; got version("k1") = ""\n'),
        (r'version("k1")="1"\n\n\n\n', 3, "", 'Error: malformed comparison: version("k1")="1"; got version("k1")  ""\n'),
        (r'# nothing\n\n\n\n', 3, "", "Error: malformed comparison: # nothing\n"),
        (r'version("k1") ? "1"\n\n\n\n', 2, "", "panic: Unknown result op\n\ngoroutine 1 [running]:\n"),
        (r'lease("k1") = "xyz"\n\n\n\n', 2, "", "panic: bad value\n\ngoroutine 1 [running]:\n"),
        (r'value("k1") = "v1"\n', 3, "", "Error: EOF\n"),
        (r"\nwatch z\n\n\n", 3, "", "Error: invalid txn request: watch z\n"),
        (r"\nget\n\n\n", 3, "", "Error: invalid txn compare request: get\n"),
        (r"\nput k1\n\n\n", 128, "", "Error: put command needs 1 argument and input from stdin or 2 arguments\n"),
        (r"\nput k1 v --ignore-value\n\n\n", 128, "", "Error: put command needs only 1 argument when 'ignore-value' is set\n"),
        (r"\ndel a b --prefix\n\n\n", 128, "", "Error: too many arguments, only accept one argument when `--prefix` or `--from-key` is set\n"),
    ],
)  # fmt: skip
def test_transactions_are_read_as_the_real_tool_reads_them(member: Member, lines: str, code: int, out: str, err: str) -> None:
    found = member.run(f"printf '{lines}' | etcdctl txn")
    assert (found.code, found.stdout, found.stderr) == (code, out, err)


def test_a_request_with_a_wrong_flag_shows_the_usage_of_its_command(member: Member) -> None:
    found = member.run(r"printf '\nget k1 --hex\n\n\n' | etcdctl txn")
    assert (found.code, found.stdout) == (3, "")
    assert found.stderr.startswith("Usage:\n   get [options] <key> [range_end] [flags]\n\nFlags:\n")
    assert found.stderr.endswith("\n\nError: invalid txn request: get k1 --hex\n")


@pytest.mark.parametrize(
    ("line", "code", "out", "err"),
    [
        ("ETCDCTL_HEX=true etcdctl get k1", 0, "\\x6b\\x31\n\\x76\\x31\n", ""),
        ("ETCDCTL_WRITE_OUT=fields etcdctl get k1 --count-only | tail -1", 0, '"Count" : 1\n', ""),
        ("ETCDCTL_COMMAND_TIMEOUT=abc etcdctl get k1", 0, "k1\nv1\n", ""),
        ("etcdctl get k1 k3 k9", 0, "k1\nv1\nk2\nv2\n", ""),
        ("etcdctl get k1 --min-mod-rev=9 --max-mod-rev=2", 4, "", "Error: getMinModRev(=9) > getMaxModRev(=2)\n"),
        ("etcdctl get k1 -w json --print-value-only", 128, "", "Error: print-value-only is only for `--write-out=simple`\n"),
        ("etcdctl --key /none get k1", 128, "", "Error: KeyFile and CertFile must both be present[key: /none, cert: ]\n"),
        ("etcdctl --cacert= get k1", 128, "", "Error: empty string is passed to --cacert option\n"),
        ("etcdctl --user bo get k1", 1, "", "Error: inappropriate ioctl for device\n"),
        ("etcdctl alarm disarm -w json", 0, "{}\n", ""),
        ("etcdctl del x y", 0, "0\n", 'Warning: Keys between "x" and "y" will be deleted. Please interrupt the command within next 2 seconds to cancel. You can provide `--range` flag to avoid the delay.\n'),
        ("etcdctl del x y --range", 0, "0\n", ""),
        ("printf 'watch k1 --rev=1\n' | etcdctl watch -i", 3, "", "Error: error reading watch request line: EOF\n"),
        ("timeout 1 etcdctl watch k1 --rev=1 -- false", 1, "PUT\nk1\nv1\n", 'command ["false"] error (exit status 1)\n'),
        ("ETCDCTL_WATCH_RANGE_END=z etcdctl watch", 128, "", 'Error: ETCDCTL_WATCH_KEY is empty but got ETCDCTL_WATCH_RANGE_END="z"\n'),
        ("etcdctl --debug get k1 2>&1 | head -2", 0, "ETCDCTL_AUTH_JWT_TOKEN=\nETCDCTL_CACERT=\n", ""),
    ],
)  # fmt: skip
def test_words_and_variables(member: Member, line: str, code: int, out: str, err: str) -> None:
    found = member.run(line)
    assert (found.code, found.stdout, found.stderr) == (code, out, err)


@pytest.mark.parametrize(
    ("line", "code", "last"),
    [
        ("etcdctl --endpoints 127.0.0.1:9 --command-timeout 1s endpoint health --cluster", 1,
         "Error: failed to fetch endpoints from etcd cluster member list: context deadline exceeded"),
        ("etcdctl --endpoints 127.0.0.1:9 --command-timeout 1s lease grant 9", 1, "Error: failed to grant lease (context deadline exceeded)"),
        ("timeout 9 etcdctl --endpoints 127.0.0.1:9 --command-timeout 1s role list", 124, ""),
        ("timeout 9 etcdctl --endpoints 127.0.0.1:9 --command-timeout 1s watch k1", 124, ""),
        ("etcdctl --insecure-transport=false --command-timeout 1s get k1", 1, "Error: context deadline exceeded"),
    ],
)  # fmt: skip
def test_nobody_answers(member: Member, line: str, code: int, last: str) -> None:
    found = member.run(line)
    assert (found.code, found.stderr.strip().rpartition("\n")[2]) == (code, last)


def test_with_authentication_on_who_may_do_what() -> None:
    member = Member()
    for line in (
        "user add root:pw", "user add ann:pw", "role add app", "role grant-permission app readwrite app/ --prefix",
        "user grant-role ann app", "auth enable",
    ):  # fmt: skip
        member.out(f"etcdctl {line}")
    refused = "Error: etcdserver: permission denied"
    for line in (
        "auth status", "compact 1", "defrag", "alarm disarm", "user list", "role list", "move-leader 1",
        "member add x --peer-urls=http://127.0.0.1:1", "member remove 1", "member update 1 --peer-urls=http://127.0.0.1:1",
    ):  # fmt: skip
        found = member.run(f"etcdctl --user ann:pw {line}")
        assert (found.code, "permission denied" in found.stderr) == (1, True), (line, found)
        found = member.run(f"etcdctl {line}")
        assert (found.code, "user name is empty" in found.stderr) == (1, True), (line, found)
    assert member.run("etcdctl --user ann:pw auth status").stderr.strip().rpartition("\n")[2] == refused
    assert member.out("etcdctl --user ann:pw member list").count("started") == 1
    watched = member.run("timeout 2 etcdctl watch a")
    told = "rpc error: code = InvalidArgument desc = etcdserver: user name is empty"
    assert (watched.code, watched.stderr) == (5, f"watch was canceled ({told})\nError: watch is canceled by the server\n")
    assert "PermissionDenied desc = etcdserver: permission denied" in member.run("etcdctl --user ann:pw watch other").stderr

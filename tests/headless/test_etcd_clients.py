"""`python -m simulator etcd` with the real etcdctl (Debian's etcd-client): what it prints, and the database that it saves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from coursesite import ports

ROOT = Path(__file__).parents[2]
ETCDCTL = shutil.which("etcdctl")
needs_etcdctl = pytest.mark.skipif(ETCDCTL is None, reason="NO REAL etcdctl HERE: apt-get install etcd-client to run these tests")


class Server:
    """Three members behind real ports."""

    def __init__(self, members: int, *more: str) -> None:
        self.first = ports.free(members)
        self.members = members
        command = [
            sys.executable,
            "-m",
            "simulator",
            "etcd",
            "--members",
            str(members),
            "--listen",
            f"127.0.0.1:{self.first}",
            *more,
        ]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        assert self.process.stdout is not None
        assert self.process.stdout.readline().startswith("etcd ")

    def etcdctl(self, *words: str, stdin: str = "", at: int = 0, api: str = "3") -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "ETCDCTL_API": api}
        where = f"http://127.0.0.1:{self.first + at}" if api == "2" else f"127.0.0.1:{self.first + at}"
        return subprocess.run(
            [str(ETCDCTL), "--endpoints", where, *words],
            input=stdin,
            capture_output=True,
            text=True,
            env=env,
            timeout=240,
            check=False,
        )

    def out(self, *words: str, stdin: str = "", at: int = 0) -> str:
        answer = self.etcdctl(*words, stdin=stdin, at=at)
        assert answer.returncode == 0, answer
        return answer.stdout

    def tell(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def close(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(120)
        finally:
            self.process.kill()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = Server(3)
    yield running
    running.close()


@needs_etcdctl
def test_keys(server: Server) -> None:
    assert server.out("put", "kv/a", "1") == "OK\n"
    assert server.out("put", "kv/a", "2", "--prev-kv", at=1) == "OK\nkv/a\n1\n"
    assert server.out("get", "kv/", "--prefix", at=2) == "kv/a\n2\n"
    found = json.loads(server.out("get", "kv/a", "-w", "json"))
    assert found["kvs"][0]["version"] == 2
    revision = found["kvs"][0]["create_revision"]
    assert server.out("get", "kv/a", f"--rev={revision}") == "kv/a\n1\n"
    assert server.out("del", "kv/a") == "1\n"
    assert server.out("get", "kv/a") == ""
    assert "key is not provided" in server.etcdctl("get", "").stderr
    assert "future revision" in server.etcdctl("get", "x", "--rev=99999").stderr


@needs_etcdctl
def test_transactions_and_compaction(server: Server) -> None:
    server.out("put", "txn/a", "1")
    text = 'value("txn/a") = "1"\n\nput txn/b 2\nget txn/a\n\nput txn/b 3\n\n'
    assert server.out("txn", stdin=text) == "SUCCESS\n\nOK\n\ntxn/a\n1\n"
    assert server.out("txn", stdin=text.replace('"1"', '"7"')) == "FAILURE\n\nOK\n"
    revision = json.loads(server.out("get", "txn/b", "-w", "json"))["header"]["revision"]
    assert server.out("compaction", str(revision)) == f"compacted revision {revision}\n"
    assert "required revision has been compacted" in server.etcdctl("compaction", str(revision)).stderr
    assert "required revision has been compacted" in server.etcdctl("get", "txn/b", "--rev=1").stderr


@needs_etcdctl
def test_watch(server: Server) -> None:
    env = {**os.environ, "ETCDCTL_API": "3"}
    revision = json.loads(server.out("get", "watch/", "-w", "json"))["header"][
        "revision"
    ]  # from there on, whenever the watch begins
    since = f"--rev={revision + 1}"
    watcher = subprocess.Popen(
        [str(ETCDCTL), "--endpoints", f"127.0.0.1:{server.first + 2}", "watch", "watch/", "--prefix", "--prev-kv", since],
        stdout=subprocess.PIPE, text=True, env=env,
    )  # fmt: skip
    try:
        server.out("put", "watch/a", "1")
        server.out("put", "watch/a", "2")
        server.out("del", "watch/a")
        assert watcher.stdout is not None
        lines = [watcher.stdout.readline() for _ in range(12)]
    finally:
        watcher.kill()
    assert "".join(lines) == "PUT\nwatch/a\n1\nPUT\nwatch/a\n1\nwatch/a\n2\nDELETE\nwatch/a\n2\nwatch/a\n"


@needs_etcdctl
def test_leases_locks_and_users(server: Server) -> None:
    lease = server.out("lease", "grant", "100").split()[1]
    server.out("put", "lease/a", "1", f"--lease={lease}")
    left = server.out("lease", "timetolive", lease, "--keys")
    assert left.startswith(f"lease {lease} granted with TTL(100s), remaining(")
    assert "attached keys([lease/a])" in left
    assert server.out("lease", "keep-alive", "--once", lease) == f"lease {lease} keepalived with TTL(100)\n"
    assert lease in server.out("lease", "list")
    assert server.out("lease", "revoke", lease) == f"lease {lease} revoked\n"
    assert server.out("get", "lease/a") == ""
    assert server.out("lock", "mutex", "echo", "held") == "held\n"
    server.out("role", "add", "reader")
    server.out("role", "grant-permission", "reader", "read", "kv/", "--prefix=true")
    assert "KV Read:" in server.out("role", "get", "reader")
    server.out("user", "add", "ann:secret")
    server.out("user", "grant-role", "ann", "reader")
    assert "Roles: reader" in server.out("user", "get", "ann")


@needs_etcdctl
def test_members_and_status(server: Server) -> None:
    rows = [line.split(", ") for line in server.out("member", "list").splitlines()]
    assert [row[2] for row in sorted(rows, key=lambda row: row[2])] == ["m1", "m2", "m3"]
    status = json.loads(server.out("endpoint", "status", "--cluster", "-w", "json"))
    assert len({row["Status"]["leader"] for row in status}) == 1
    assert {row["Status"]["version"] for row in status} == {"3.6.13"}
    leader = status[0]["Status"]["leader"]
    chief = next(
        at for at, row in enumerate(sorted(status, key=lambda r: r["Endpoint"])) if row["Status"]["header"]["member_id"] == leader
    )
    target = next(row["Status"]["header"]["member_id"] for row in status if row["Status"]["header"]["member_id"] != leader)
    assert "Leadership transferred" in server.out("move-leader", f"{target:x}", at=chief)
    assert (
        server.out("endpoint", "health", "--cluster").count("is healthy")
        + server.etcdctl("endpoint", "health", "--cluster").stderr.count("is healthy")
        >= 3
    )


@needs_etcdctl
def test_the_saved_database_is_bolts(server: Server, tmp_path: Path) -> None:
    for number in range(60):
        server.out("put", f"snap/{number}", "x" * 200) if number < 20 else None
    path = tmp_path / "saved.db"
    assert "Snapshot saved at" in server.out("snapshot", "save", str(path))
    told = json.loads(server.out("snapshot", "status", str(path), "-w", "json"))
    revision = json.loads(server.out("get", "x", "-w", "json"))["header"]["revision"]
    assert told["revision"] == revision
    assert told["totalSize"] == path.stat().st_size - 32
    assert told["hash"] == json.loads(server.out("snapshot", "status", str(path), "-w", "json"))["hash"]
    restored = server.etcdctl("snapshot", "restore", str(path), "--data-dir", str(tmp_path / "restored"))
    assert restored.returncode == 0, restored
    assert (tmp_path / "restored/member/snap/db").stat().st_size > 0
    cut = tmp_path / "cut.db"
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    cut.write_bytes(data)
    refused = server.etcdctl("snapshot", "restore", str(cut), "--data-dir", str(tmp_path / "again"))
    assert "expected sha256" in refused.stderr


@needs_etcdctl
def test_members_stop_and_start(server: Server) -> None:
    server.out("put", "quorum/a", "1")
    assert server.tell("stop m2") == "stop m2: done\n"
    assert server.out("put", "quorum/a", "2") == "OK\n"
    server.tell("kill m3")
    refused = server.etcdctl("--command-timeout=2s", "put", "quorum/a", "3")
    assert refused.returncode == 1
    assert "context deadline exceeded" in refused.stderr
    assert server.out("get", "quorum/a", "--consistency=s") == "quorum/a\n2\n"
    server.tell("start m2")
    server.tell("start m3")
    deadline = time.monotonic() + 180
    while server.etcdctl("put", "quorum/a", "4", at=1).returncode and time.monotonic() < deadline:
        pass  # the members elect a leader first; each attempt waits five seconds for one
    assert server.out("get", "quorum/a", at=2) == "quorum/a\n4\n"
    assert server.tell("stop nobody").startswith("commands:")


@needs_etcdctl
def test_api_v2() -> None:
    server = Server(1, "--version", "3.4.23")
    try:
        assert server.etcdctl("set", "/a", "1", api="2").stdout == "1\n"
        assert server.etcdctl("get", "/a", api="2").stdout == "1\n"
        assert "is healthy" in server.etcdctl("cluster-health", api="2").stdout
        assert server.out("get", "/a") == ""
    finally:
        server.close()


def test_bad_arguments() -> None:
    for words, text in (
        (["--members", "0"], "--members takes 1 to 9"),
        (["--members", "3", "--listen", "127.0.0.1:65535"], "no 3 ports"),
    ):
        found = subprocess.run(
            [sys.executable, "-m", "simulator", "etcd", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert found.returncode == 2
        assert text in found.stderr
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        words = ["--listen", f"127.0.0.1:{port}"]
        found = subprocess.run(
            [sys.executable, "-m", "simulator", "etcd", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert found.returncode == 2
        assert "cannot listen" in found.stderr

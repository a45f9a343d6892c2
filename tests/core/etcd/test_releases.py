"""What the binaries of different etcd releases say to flags and variables, and a watch that outlives compactions."""

from __future__ import annotations

from simulator.core.etcd import flags
from simulator.core.kernel.clock import MINUTE
from simulator.core.sandbox import Sandbox

BASE = "https://github.com/etcd-io/etcd/releases/download"


def test_the_default_announcement_is_for_the_default_listener_only() -> None:
    def parsed(argv: list[str]) -> dict[str, str]:
        return flags.parse(argv, {}, "3.6.13", lambda path: b"").flags

    assert not flags.unadvertised(parsed(["etcd"]))
    assert flags.unadvertised(parsed(["etcd", "--listen-client-urls=http://0.0.0.0:2379"]))
    both = ["etcd", "--listen-client-urls=http://0.0.0.0:2379", "--advertise-client-urls=http://10.0.0.1:2379"]
    assert not flags.unadvertised(parsed(both))


def _unpacked(sandbox: Sandbox, version: str) -> str:
    top = f"etcd-v{version}-linux-amd64"
    assert sandbox.run(f"curl -sL {BASE}/v{version}/{top}.tar.gz | tar xz", host="node01").code == 0
    return f"./{top}"


def test_a_member_without_an_announced_address_does_not_start() -> None:
    sandbox = Sandbox.boot("three-nodes")
    top = _unpacked(sandbox, "3.6.13")
    answer = sandbox.run(f"{top}/etcd --listen-client-urls=http://0.0.0.0:2379", host="node01")
    assert answer.code == 1
    assert flags.UNADVERTISED in answer.stdout + answer.stderr


def test_a_member_cannot_listen_on_an_address_of_another_machine() -> None:
    sandbox = Sandbox.boot("three-nodes")
    top = _unpacked(sandbox, "3.6.13")
    for foreign in ("172.30.1.2", "10.9.8.7"):
        urls = f"--listen-client-urls=http://{foreign}:2379 --advertise-client-urls=http://{foreign}:2379"
        answer = sandbox.run(f"{top}/etcd {urls}", host="node01")
        assert answer.code == 1
        assert f"listen tcp {foreign}:2379: bind: cannot assign requested address" in answer.stdout + answer.stderr


def test_api_2_is_spoken_where_the_release_has_it_and_ignored_where_it_is_gone() -> None:
    sandbox = Sandbox.boot("three-nodes")
    old, new = _unpacked(sandbox, "3.4.37"), _unpacked(sandbox, "3.6.13")
    assert "client: etcd cluster is unavailable" in sandbox.run(f"ETCDCTL_API=2 {old}/etcdctl set a b", host="node01").stderr
    assert sandbox.run(f"ETCDCTL_API=3 {old}/etcdctl version", host="node01").stderr == ""
    assert "unrecognized environment variable" in sandbox.run(f"ETCDCTL_API=2 {new}/etcdctl version", host="node01").stderr


def test_a_watch_that_has_caught_up_survives_compactions() -> None:
    sandbox = Sandbox.boot("three-nodes")
    pki = "/etc/kubernetes/pki/etcd"
    given = f"--cacert={pki}/ca.crt --cert={pki}/server.crt --key={pki}/server.key"
    sandbox.run(f"etcdctl {given} watch /nothing-ever > seen.txt 2>&1 &")
    sandbox.advance(sandbox.now + 17 * MINUTE)
    sandbox.run(f"etcdctl {given} put /nothing-ever at-last")
    assert sandbox.run("cat seen.txt").stdout == "PUT\n/nothing-ever\nat-last\n"


def test_a_client_waits_for_a_server_that_is_still_electing() -> None:
    sandbox = Sandbox.boot("three-nodes")
    top = _unpacked(sandbox, "3.6.13")
    sandbox.run(f"{top}/etcd > etcd.log 2>&1 &", host="node01")
    assert sandbox.run(f"{top}/etcdctl put key1 value1", host="node01").stdout == "OK\n"


def test_a_client_gives_up_at_its_time_out() -> None:
    sandbox = Sandbox.boot("three-nodes")
    top = _unpacked(sandbox, "3.6.13")
    before = sandbox.now
    answer = sandbox.run(f"{top}/etcdctl --command-timeout=2s get key1", host="node01")
    assert answer.code == 1
    assert answer.stderr.endswith("Error: context deadline exceeded\n")
    assert "connection refused" in answer.stderr
    assert 2 <= (sandbox.now - before) / 10**9 < 3

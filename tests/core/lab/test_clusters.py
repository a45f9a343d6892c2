"""Worlds whose control plane or etcd is more than one machine: they come up, lose machines and get them back."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.lab import faults
from simulator.core.sandbox import Sandbox

TLS = "--cacert=/etc/kubernetes/pki/etcd/ca.crt --cert=/etc/kubernetes/pki/etcd/server.crt --key=/etc/kubernetes/pki/etcd/server.key"
EXTERNAL = "--cacert=/etc/etcd/ca.crt --cert=/etc/etcd/client.crt --key=/etc/etcd/client.key"


class Cluster:
    """A scenario with helpers."""

    def __init__(self, scenario: str, host: str) -> None:
        self.sandbox, self.host = Sandbox.boot(scenario), host

    def out(self, command: str, host: str = "") -> str:
        answer = self.sandbox.run(command, host=host or self.host)
        assert answer.code == 0, answer
        return answer.stdout

    def fault(self, name: str, *words: str) -> None:
        faults.inject(self.sandbox.world, name, list(words))

    def wait(self, seconds: int) -> None:
        self.sandbox.advance(self.sandbox.now + seconds * SECOND)


@pytest.fixture(scope="module")
def available() -> Cluster:
    return Cluster("high-availability", "controlplane")


def test_three_control_planes_outlive_one(available: Cluster) -> None:
    rows = [line.split() for line in available.out("kubectl get nodes --no-headers").splitlines()]
    assert [row[0] for row in rows] == ["controlplane", "controlplane2", "controlplane3", "node01"]
    assert all(row[1] == "Ready" for row in rows)
    members = available.out(f"etcdctl --endpoints=https://127.0.0.1:2379 {TLS} member list")
    assert members.count("started") == 3
    assert members.count("false") == 3
    assert available.out("kubectl get endpointslices kubernetes -o jsonpath='{.endpoints[*].addresses}'").count("172.30.1.") == 3
    available.fault("power-off", "controlplane3")
    available.wait(60)
    assert available.out("kubectl create configmap after-one --from-literal=a=b") == "configmap/after-one created\n"
    assert available.out("kubectl get endpointslices kubernetes -o jsonpath='{.endpoints[*].addresses}'").count("172.30.1.") == 2
    assert "NotReady" in available.out("kubectl get node controlplane3")


def test_without_a_quorum_the_api_answers_with_etcds_error_until_a_machine_is_back(available: Cluster) -> None:
    available.fault("power-off", "controlplane2")
    available.wait(10)
    refused = available.sandbox.run("kubectl create configmap after-two")
    assert refused.code == 1
    assert "etcdserver: request timed out" in refused.stderr
    available.fault("power-on", "controlplane2")
    available.wait(90)
    assert available.out("kubectl create configmap after-two") == "configmap/after-two created\n"
    available.fault("power-on", "controlplane3")
    available.wait(90)
    assert "NotReady" not in available.out("kubectl get nodes")
    assert available.out("kubectl get pods -A --no-headers | grep -v Running || true") == ""


def test_external_etcd() -> None:
    cluster = Cluster("external-etcd", "controlplane")
    assert "NotReady" not in cluster.out("kubectl get nodes")
    assert "etcd-" not in cluster.out("kubectl get pods -n kube-system")
    etcdctl = f"etcdctl --endpoints=https://127.0.0.1:2379 {EXTERNAL}"
    assert "/registry/configmaps/default/x" not in cluster.out(
        f"{etcdctl} get /registry/configmaps --prefix --keys-only", "etcd2"
    )
    cluster.out("kubectl create configmap x")
    assert "/registry/configmaps/default/x" in cluster.out(f"{etcdctl} get /registry/configmaps --prefix --keys-only", "etcd3")
    cluster.fault("stop", "etcd", "etcd1")
    assert cluster.out("kubectl create configmap y") == "configmap/y created\n"
    view = cluster.sandbox.view()["etcd"]
    assert view["state"] == "pending"
    assert {m["name"]: m["state"] for m in view["members"]}["etcd1"] == "stopped"


def test_members_on_machines_feel_the_links_between_them() -> None:
    cluster = Cluster("etcd", "etcd1")
    etcdctl = f"etcdctl --endpoints=https://127.0.0.1:2379 {EXTERNAL}"
    leader = cluster.sandbox.view()["etcd"]["leader"]
    others = [name for name in ("etcd1", "etcd2", "etcd3") if name != leader]
    for other in others:
        cluster.fault("cut", leader, other)
    cluster.wait(4)
    assert cluster.sandbox.view()["etcd"]["leader"] in others
    assert cluster.out(f"{etcdctl} put a 1", others[0]) == "OK\n"
    stale = cluster.sandbox.run(f"{etcdctl} --command-timeout=1s get a", host=leader)
    assert stale.code == 1  # a linearizable read needs the majority
    assert cluster.out(f"{etcdctl} get a --consistency=s", leader) == ""
    for other in others:
        cluster.fault("mend", leader, other)
    cluster.wait(3)
    assert cluster.out(f"{etcdctl} get a", leader) == "a\n1\n"
    cluster.out("tc qdisc add dev enp1s0 root netem delay 400ms", others[1])
    cluster.wait(2)
    began = cluster.sandbox.now
    assert cluster.out(f"{etcdctl} put b 1", others[1]) == "OK\n"
    assert cluster.sandbox.now - began > SECOND // 2


def test_a_client_without_the_right_certificate_is_refused() -> None:
    cluster = Cluster("etcd", "etcd1")
    plain = cluster.sandbox.run("etcdctl --endpoints=127.0.0.1:2379 --command-timeout=1s get a", host="etcd1")
    assert plain.code == 1
    assert "error reading server preface" in plain.stderr or "deadline exceeded" in plain.stderr
    bare = cluster.sandbox.run(
        "etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/etcd/ca.crt --command-timeout=1s get a", host="etcd1"
    )
    assert "tls: certificate required" in bare.stderr
    wrong = cluster.sandbox.run(
        "etcdctl --endpoints=https://127.0.0.1:2379 --cert=/etc/etcd/client.crt --key=/etc/etcd/client.key --command-timeout=1s get a",
        host="etcd1",
    )
    assert "certificate signed by unknown authority" in wrong.stderr


def test_a_machine_that_lost_power_comes_back_with_everything() -> None:
    cluster = Cluster("one-node", "controlplane")
    cluster.out("kubectl create configmap kept")
    cluster.fault("power-off", "controlplane")
    cluster.wait(5)
    cluster.fault("power-on", "controlplane")
    cluster.wait(60)
    assert "kept" in cluster.out("kubectl get configmaps")
    assert "Exited" in cluster.out("crictl ps -a --name etcd")
    assert cluster.out("crictl ps --name etcd -q").count("\n") == 1

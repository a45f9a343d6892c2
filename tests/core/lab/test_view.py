"""The map's view shows what is there, also when the API server is away."""

from __future__ import annotations

from typing import Any

from simulator.core.kernel.clock import MINUTE, SECOND
from simulator.core.sandbox import Sandbox


def component(view: dict[str, Any], host: str, name: str) -> dict[str, Any]:
    found = next(h for h in view["hosts"] if h["name"] == host)
    return dict(next(c for c in found["components"] if c["id"] == name))


def test_a_fresh_cluster_is_healthy_from_stem_to_stern() -> None:
    view = Sandbox.boot().view()
    assert [h["name"] for h in view["hosts"]] == ["controlplane", "node01", "node02"]
    assert all(h["state"] == "healthy" and h["ready"] for h in view["hosts"])
    assert {c["state"] for h in view["hosts"] for c in h["components"]} == {"healthy"}
    assert (view["apiserver"]["state"], view["etcd"]["state"], view["etcd"]["quorum"]) == ("healthy", "healthy", 1)
    assert view["pending"] == []


def test_a_component_whose_manifest_was_taken_away_stays_and_is_stopped() -> None:
    sandbox = Sandbox.boot()
    sandbox.run("mv /etc/kubernetes/manifests/kube-scheduler.yaml /tmp/")
    sandbox.advance(sandbox.now + 40 * SECOND)
    sandbox.run("kubectl run late --image=nginx")
    view = sandbox.view()
    assert component(view, "controlplane", "kube-scheduler")["state"] == "stopped"
    assert [p["name"] for p in view["pending"]] == ["late"]


def test_without_an_api_server_the_view_still_shows_what_runs() -> None:
    sandbox = Sandbox.boot()
    sandbox.run("kubectl create deployment web --image=nginx", settle=30 * SECOND)
    sandbox.run("mv /etc/kubernetes/manifests/kube-apiserver.yaml /tmp/")
    sandbox.advance(sandbox.now + MINUTE)
    view = sandbox.view()
    assert (view["apiserver"]["state"], view["rv"]) == ("stopped", 0)
    assert sum(len(h["pods"]) for h in view["hosts"][1:]) == 1


def test_an_etcd_of_the_learners_own_is_no_member_of_the_clusters() -> None:
    sandbox = Sandbox.boot()
    before = sandbox.view()["etcd"]
    release = "https://github.com/etcd-io/etcd/releases/download/v3.6.13/etcd-v3.6.13-linux-amd64.tar.gz"
    sandbox.run(f"cd /root && curl -sL {release} | tar xz && cd etcd-v3.6.13-linux-amd64 && (./etcd > log 2>&1 &)", host="node01")
    sandbox.advance(sandbox.now + 5 * SECOND)
    assert sandbox.run("/root/etcd-v3.6.13-linux-amd64/etcdctl put key1 value1", host="node01").stdout == "OK\n"
    after = sandbox.view()["etcd"]
    assert [m["name"] for m in after["members"]] == [m["name"] for m in before["members"]] == ["controlplane"]


def test_a_machine_without_power_is_seen_as_such() -> None:
    sandbox = Sandbox.boot()
    sandbox.apply("fault", {"name": "power-off", "args": ["node01"]}, sandbox.now)
    node = next(h for h in sandbox.view()["hosts"] if h["name"] == "node01")
    assert (node["state"], node["note"], node["ready"]) == ("stopped", "PowerOff", False)


def test_a_machine_outside_the_cluster_is_no_node_that_is_not_ready() -> None:
    box = Sandbox.boot("external-etcd")
    found = {host["name"]: host for host in box.view()["hosts"]}
    assert [found["etcd2"][key] for key in ("role", "state", "ready")] == ["machine", "healthy", True]
    assert [(part["name"], part["state"]) for part in found["etcd2"]["components"]] == [("etcd", "healthy")]
    box.run("systemctl stop etcd", host="etcd2")
    found = {host["name"]: host for host in box.view()["hosts"]}
    assert [(part["name"], part["state"]) for part in found["etcd2"]["components"]] == [("etcd", "stopped")]

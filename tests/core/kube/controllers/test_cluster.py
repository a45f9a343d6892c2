"""Controllers that look after nodes, namespaces, services and leftovers."""

from __future__ import annotations

import pytest

from simulator.core.host import files
from simulator.core.kube.api.objects import Obj, condition
from simulator.core.kube.client import ApiError

from ..plane import Plane
from ..real_plane import RealPlane


@pytest.fixture(params=["mini", "real"])
def plane(request: pytest.FixtureRequest) -> Plane:
    """A running control plane with two nodes, on the stand-in and on the real API server."""
    return (RealPlane() if request.param == "real" else Plane()).all()


def authority(plane: Plane) -> str:
    """The cluster's CA."""
    return files.read_file(plane.world, plane.host, "/etc/kubernetes/pki/ca.crt").decode()


def taints(plane: Plane, name: str) -> set[tuple[str, str]]:
    """(key, effect) of a node's taints."""
    return {(t["key"], t["effect"]) for t in plane.get("nodes", name, "")["spec"].get("taints") or ()}


def test_every_namespace_gets_its_service_account_and_the_root_ca(plane: Plane) -> None:
    plane.client.create("namespaces", "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    plane.run(1)
    assert plane.names("serviceaccounts", "shop") == ["default"]
    assert plane.get("configmaps", "kube-root-ca.crt", "shop")["data"] == {"ca.crt": authority(plane)}
    plane.client.delete("serviceaccounts", "shop", "default")
    plane.client.patch("configmaps", "shop", "kube-root-ca.crt", {"data": {"ca.crt": "other"}}, kind="merge")
    plane.run(1)
    assert plane.names("serviceaccounts", "shop") == ["default"]
    assert plane.get("configmaps", "kube-root-ca.crt", "shop")["data"] == {"ca.crt": authority(plane)}


def test_a_silent_node_becomes_unknown_after_50_seconds_and_loses_its_pods_after_300_more(plane: Plane) -> None:
    tolerations = [
        {"key": f"node.kubernetes.io/{k}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for k in ("not-ready", "unreachable")
    ]
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"tolerations": tolerations, "containers": [{"name": "c", "image": "nginx"}]},
    }
    plane.deployment(replicas=2, template=template)
    plane.run(2)
    assert {p["spec"]["nodeName"] for p in plane.client.list("pods", "default").items} == {"node01", "node02"}
    plane.world.warm["silent"] = {"node02"}
    plane.run(45)
    assert condition(plane.get("nodes", "node02", ""), "Ready")["status"] == "True"  # type: ignore[index]
    plane.run(15)
    ready = condition(plane.get("nodes", "node02", ""), "Ready")
    assert ready is not None
    assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
    assert ready["message"] == "Kubelet stopped posting node status."
    assert ("node.kubernetes.io/unreachable", "NoSchedule") in taints(plane, "node02")
    assert ("node.kubernetes.io/unreachable", "NoExecute") in taints(plane, "node02")
    assert plane.messages("NodeNotReady") == ["Node node02 status is now: NodeNotReady", "Node is not ready"]
    plane.run(280)
    assert not plane.events("TaintManagerEviction")
    plane.run(30)
    (event,) = plane.events("TaintManagerEviction")
    assert event["message"].startswith("Marking for deletion Pod default/web-")
    assert event["source"]["component"] == "taint-eviction-controller"
    alive = [p for p in plane.client.list("pods", "default").items if not p["metadata"].get("deletionTimestamp")]
    assert len(alive) == 2
    assert {p["spec"]["nodeName"] for p in alive} == {"node01"}
    plane.world.warm["silent"] = set()
    node = plane.get("nodes", "node02", "")
    fixed = [
        {**c, "status": "True", "lastHeartbeatTime": plane.world.timestamp()}
        for c in node["status"]["conditions"]
        if c["type"] == "Ready"
    ]
    plane.client.update("nodes", {**node, "status": {**node["status"], "conditions": fixed}}, subresource="status")
    plane.run(15)
    assert taints(plane, "node02") == set()


def test_eviction_is_cancelled_when_the_taint_goes_in_time(plane: Plane) -> None:
    wait = {"key": "fire", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}
    plane.pod("calm", tolerations=[wait])
    plane.pod("shy")
    plane.run(1)
    for name in ("node01", "node02"):
        plane.client.patch("nodes", "", name, {"spec": {"taints": [{"key": "fire", "effect": "NoExecute"}]}}, kind="merge")
    plane.run(5)
    assert plane.names("pods") == ["calm"]
    for name in ("node01", "node02"):
        plane.client.patch("nodes", "", name, {"spec": {"taints": None}}, kind="merge")
    plane.run(90)
    assert plane.names("pods") == ["calm"]
    assert "Cancelling deletion of Pod default/calm" in plane.messages("TaintManagerEviction")


def test_cordon_is_mirrored_by_a_taint(plane: Plane) -> None:
    plane.client.patch("nodes", "", "node01", {"spec": {"unschedulable": True}}, kind="strategic")
    plane.run(1)
    assert taints(plane, "node01") == {("node.kubernetes.io/unschedulable", "NoSchedule")}
    plane.client.patch("nodes", "", "node01", {"spec": {"unschedulable": None}}, kind="strategic")
    plane.run(1)
    assert taints(plane, "node01") == set()


def test_when_all_nodes_are_silent_nothing_is_evicted(plane: Plane) -> None:
    plane.deployment(replicas=2)
    plane.run(2)
    plane.world.warm["silent"] = {"node01", "node02"}
    plane.run(420)
    assert not plane.events("TaintManagerEviction")
    assert all(effect != "NoExecute" for name in ("node01", "node02") for _, effect in taints(plane, name))


@pytest.mark.parametrize(("propagation", "left"), [("Background", []), ("Foreground", []), ("Orphan", ["replicasets", "pods"])])
def test_what_becomes_of_dependents(plane: Plane, propagation: str, left: list[str]) -> None:
    plane.deployment(replicas=2)
    plane.run(2)
    plane.client.delete("deployments", "default", "web", propagation=propagation)
    plane.run(4)
    assert plane.names("deployments") == []
    assert [r for r in ("replicasets", "pods") if plane.names(r)] == left


def test_foreground_deletion_goes_from_the_leaves_to_the_root() -> None:
    plane = Plane().all()
    plane.deployment(replicas=1)
    plane.run(2)
    before = len(plane.api.changes)
    plane.client.delete("deployments", "default", "web", propagation="Foreground")
    plane.run(4)
    gone = [what.split("/")[0] for kind, what in plane.api.changes[before:] if kind == "DELETED"]
    assert [g for g in gone if g in ("pods", "replicasets", "deployments")] == ["pods", "replicasets", "deployments"]


def test_an_object_with_a_living_owner_stays_and_loses_the_dead_reference(plane: Plane) -> None:
    refs = []
    for name in ("one", "two"):
        made = plane.client.create("configmaps", "default", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
        refs.append({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": made["metadata"]["uid"]})
    meta = {"name": "child", "ownerReferences": refs}
    plane.client.create("configmaps", "default", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    plane.run(1)
    plane.client.delete("configmaps", "default", "one")
    plane.run(1)
    assert [r["name"] for r in plane.get("configmaps", "child")["metadata"]["ownerReferences"]] == ["two"]
    plane.client.delete("configmaps", "default", "two")
    plane.run(1)
    with pytest.raises(ApiError):
        plane.get("configmaps", "child")


def test_a_terminating_namespace_is_emptied_and_goes(plane: Plane) -> None:
    plane.client.create("namespaces", "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    plane.run(1)
    plane.pod("till", "shop")
    plane.run(2)
    plane.client.delete("namespaces", "", "shop")
    plane.run(40)
    assert "shop" not in plane.names("namespaces", "")
    assert plane.names("pods", "shop") == []
    assert plane.names("configmaps", "shop") == []


def test_pods_of_a_node_that_is_gone_are_collected(plane: Plane) -> None:
    plane.pod("lost", nodeName="node01")
    plane.run(1)
    plane.client.delete("nodes", "", "node01")
    plane.run(80)
    assert plane.names("pods") == []


# -- services ------------------------------------------------------------------------------------------------------------


def service(plane: Plane, name: str = "web", **spec: object) -> Obj:
    """Create a Service as the API server would store it."""
    full = {
        "selector": {"app": name},
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 8080}],
        "clusterIP": "10.96.0.50",
        "type": "ClusterIP",
        **spec,
    }
    meta = {"name": name, "labels": {"app": name}}
    return plane.client.create("services", "default", {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": full})


def test_endpoints_and_slices_follow_the_pods(plane: Plane) -> None:
    plane.deployment(replicas=2)
    service(plane)
    plane.run(2)
    (found,) = plane.slices()
    labels = found["metadata"]["labels"]
    assert labels["kubernetes.io/service-name"] == "web"
    assert labels["app"] == "web"
    assert labels["endpointslice.kubernetes.io/managed-by"] == "endpointslice-controller.k8s.io"
    assert found["metadata"]["ownerReferences"][0]["kind"] == "Service"
    assert found["metadata"]["name"].startswith("web-")
    assert found["ports"] == [{"name": "", "port": 8080, "protocol": "TCP"}]
    assert {e["conditions"]["ready"] for e in found["endpoints"]} == {True}
    assert len(found["endpoints"]) == 2
    (subset,) = plane.get("endpoints", "web")["subsets"]
    assert [a["targetRef"]["kind"] for a in subset["addresses"]] == ["Pod", "Pod"]
    assert subset["ports"] == [{"port": 8080, "protocol": "TCP"}]
    plane.client.patch("deployments", "default", "web", {"spec": {"replicas": 0}}, kind="merge")
    plane.run(2)
    (found,) = plane.slices()
    assert not found["endpoints"]
    assert not found["ports"]
    assert "subsets" not in plane.get("endpoints", "web")
    plane.client.delete("services", "default", "web")
    plane.run(2)
    assert plane.slices() == []
    assert "web" not in plane.names("endpoints")


def test_a_slice_holds_at_most_a_hundred_endpoints(plane: Plane) -> None:
    plane.deployment(replicas=130)
    service(plane)
    plane.run(6)
    sizes = sorted(len(s["endpoints"]) for s in plane.slices())
    assert sum(sizes) == 130
    assert max(sizes) <= 100


# -- daemon sets ---------------------------------------------------------------------------------------------------------


def daemon(plane: Plane, image: str = "redis:7", **spec: object) -> Obj:
    """Create a DaemonSet."""
    labels = {"app": "agent"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "a", "image": image}], **spec}}
    full = {
        "selector": {"matchLabels": labels},
        "template": template,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
    }
    return plane.client.create(
        "daemonsets", "default", {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"}, "spec": full}
    )


def nodes_of(plane: Plane) -> list[str]:
    """Where the daemon's pods are."""
    return sorted(p["spec"].get("nodeName", "") for p in plane.client.list("pods", "default").items)


def test_a_daemon_runs_on_every_node_it_tolerates(plane: Plane) -> None:
    plane.node("tainted", taints=[{"key": "role", "effect": "NoSchedule"}])
    daemon(plane)
    plane.run(2)
    assert nodes_of(plane) == ["node01", "node02"]
    status = plane.get("daemonsets", "agent")["status"]
    assert (status["desiredNumberScheduled"], status["numberReady"], status["numberAvailable"]) == (2, 2, 2)
    plane.client.patch("nodes", "", "tainted", {"spec": {"taints": None}}, kind="merge")
    plane.run(2)
    assert nodes_of(plane) == ["node01", "node02", "tainted"]


def test_a_daemon_is_updated_one_node_at_a_time(plane: Plane) -> None:
    made = daemon(plane)
    plane.run(2)
    template = {**made["spec"]["template"], "spec": {"containers": [{"name": "a", "image": "redis:8"}]}}
    fresh = plane.get("daemonsets", "agent")
    plane.client.update("daemonsets", {**fresh, "spec": {**fresh["spec"], "template": template}})
    for _ in range(500):
        plane.world.run_until(plane.world.now + 2_000_000)
        up = [
            p
            for p in plane.client.list("pods", "default").items
            if not p["metadata"].get("deletionTimestamp") and p["status"]["phase"] == "Running"
        ]
        assert len(up) >= 1
    images = {p["spec"]["containers"][0]["image"] for p in plane.client.list("pods", "default").items}
    assert images == {"redis:8"}
    assert nodes_of(plane) == ["node01", "node02"]
    revisions = sorted(r["revision"] for r in plane.client.list("controllerrevisions", "default").items)
    assert revisions == [1, 2]


def test_nodes_are_told_how_long_to_cache(plane: Plane) -> None:
    assert plane.get("nodes", "node01", "")["metadata"]["annotations"]["node.alpha.kubernetes.io/ttl"] == "0"
    for number in range(100):
        plane.node(f"extra{number:03d}")
    plane.run(1)
    ttls = {n["metadata"]["annotations"]["node.alpha.kubernetes.io/ttl"] for n in plane.client.list("nodes").items}
    assert ttls == {"15"}


def test_the_cluster_role_of_each_controller_is_not_bypassed() -> None:
    plane = RealPlane().all()
    assert "is forbidden: User" not in plane.journal("kube-controller-manager")
    assert "is forbidden: User" not in plane.journal("kube-scheduler")


def test_a_slice_is_not_written_again_when_nothing_of_it_changed() -> None:
    plane = RealPlane().all()
    plane.deployment(replicas=2)
    ports = [{"name": "b", "port": 81, "targetPort": 80}, {"name": "a", "port": 80, "targetPort": 80}]
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": ports},
    }
    plane.client.create("services", "default", body)
    plane.run(2)
    before = [s["metadata"]["resourceVersion"] for s in plane.slices()]
    plane.client.patch("services", "default", "web", {"spec": {"type": "NodePort"}}, kind="merge")
    plane.run(2)
    assert [s["metadata"]["resourceVersion"] for s in plane.slices()] == before


def test_the_servers_own_service_comes_back() -> None:
    plane = RealPlane().all()
    plane.client.delete("services", "default", "kubernetes")
    plane.run(12)
    assert plane.get("services", "kubernetes")["spec"]["clusterIP"] == "10.96.0.1"
    assert plane.get("endpoints", "kubernetes")["subsets"]

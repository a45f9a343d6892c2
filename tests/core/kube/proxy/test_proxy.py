"""kube-proxy: Services become rules of the host, and the rules outlive it."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core.host import processes
from simulator.core.kernel import network
from simulator.core.kernel.errors import ConnectError
from simulator.core.kernel.http import Request
from simulator.core.kube.api.objects import Obj
from simulator.core.kube.proxy.rules import endpoints_by_port, rules_of

from ..plane import CONFIG, Plane


def service(**spec: Any) -> Obj:
    full = {
        "clusterIP": "10.96.0.50",
        "ports": [{"port": 80, "protocol": "TCP"}],
        "type": "ClusterIP",
        "selector": {"app": "web"},
        **spec,
    }
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"}, "spec": full}


def piece(*endpoints: Obj, port: int = 8080, name: str = "") -> Obj:
    labels = {"kubernetes.io/service-name": "web"}
    ports = [{"name": name, "port": port, "protocol": "TCP"}]
    return {
        "metadata": {"name": "web-x", "namespace": "default", "labels": labels},
        "addressType": "IPv4",
        "ports": ports,
        "endpoints": list(endpoints),
    }


def endpoint(ip: str, node: str = "node01", **conditions: bool) -> Obj:
    return {"addresses": [ip], "nodeName": node, "conditions": conditions}


def rules(svc: Obj, *slices: Obj, node: str = "node01") -> dict[str, list[str]]:
    found = rules_of(svc, endpoints_by_port(slices).get("default/web", {}), node, ["172.30.2.2"])
    return {key: rule.local if rule.policy else rule.endpoints for key, rule in found.items()}


CASES: list[tuple[Obj, list[Obj], dict[str, list[str]]]] = [
    (service(), [piece(endpoint("1.1.1.1", ready=True))], {"10.96.0.50:80/tcp": ["1.1.1.1:8080"]}),
    (service(), [piece(endpoint("1.1.1.1", ready=False))], {"10.96.0.50:80/tcp": []}),
    (
        service(),
        [piece(endpoint("1.1.1.1", ready=False, serving=True, terminating=True))],
        {"10.96.0.50:80/tcp": ["1.1.1.1:8080"]},
    ),
    (service(), [piece({"addresses": ["10.9.8.7"]}, port=5432)], {"10.96.0.50:80/tcp": ["10.9.8.7:5432"]}),
    (service(clusterIP="None"), [piece(endpoint("1.1.1.1", ready=True))], {}),
    (service(type="ExternalName", externalName="x"), [], {}),
    (
        service(type="NodePort", ports=[{"port": 80, "protocol": "TCP", "nodePort": 30080}]),
        [piece(endpoint("1.1.1.1", ready=True))],
        {
            "10.96.0.50:80/tcp": ["1.1.1.1:8080"],
            "172.30.2.2:30080/tcp": ["1.1.1.1:8080"],
            "127.0.0.1:30080/tcp": ["1.1.1.1:8080"],
        },
    ),
    (
        service(internalTrafficPolicy="Local"),
        [piece(endpoint("1.1.1.1", ready=True), endpoint("2.2.2.2", "node02", ready=True))],
        {"10.96.0.50:80/tcp": ["1.1.1.1:8080"]},
    ),
    (
        service(ports=[{"name": "a", "port": 80}, {"name": "b", "port": 53, "protocol": "UDP"}]),
        [piece(endpoint("1.1.1.1", ready=True), name="a")],
        {"10.96.0.50:80/tcp": ["1.1.1.1:8080"], "10.96.0.50:53/udp": []},
    ),
]


@pytest.mark.parametrize(("svc", "slices", "expected"), CASES)
def test_rules(svc: Obj, slices: list[Obj], expected: dict[str, list[str]]) -> None:
    assert rules(svc, *slices) == expected


@pytest.fixture
def plane() -> Plane:
    """A cluster with a Service of two pods and a proxy."""
    made = Plane().all()
    made.proxy = made.start("kube-proxy", f"--kubeconfig={CONFIG}", "--hostname-override=node01")  # type: ignore[attr-defined]
    made.deployment(replicas=2)
    made.client.create("services", "default", service(ports=[{"port": 80, "protocol": "TCP", "nodePort": 30080}]))
    return made.run(4)


def table(plane: Plane) -> dict[str, list[str]]:
    return {key: rule.endpoints for key, rule in network.network(plane.world).rules[plane.host].items()}


def test_rules_follow_the_endpoints_until_the_proxy_dies(plane: Plane) -> None:
    ips = sorted(p["status"]["podIP"] + ":80" for p in plane.client.list("pods", "default").items)
    assert table(plane)["10.96.0.50:80/tcp"] == ips
    processes.kill(plane.world, plane.proxy, 9)  # type: ignore[attr-defined]
    plane.client.patch("deployments", "default", "web", {"spec": {"replicas": 0}}, kind="merge")
    plane.run(4)
    assert table(plane)["10.96.0.50:80/tcp"] == ips
    plane.start("kube-proxy", f"--kubeconfig={CONFIG}")
    plane.run(2)
    with pytest.raises(ConnectError) as caught:
        network.connect(plane.world, plane.host, "10.96.0.50", 80)
    assert caught.value.kind == "refused"


def test_a_service_that_goes_takes_its_rules_along(plane: Plane) -> None:
    plane.client.delete("services", "default", "web")
    plane.run(3)
    assert table(plane) == {}


def test_node_ports_are_reached_from_the_host_itself_and_from_others(plane: Plane) -> None:
    ip = plane.client.list("pods", "default").items[0]["status"]["podIP"]
    for pod in plane.client.list("pods", "default").items:
        network.add_namespace(plane.world, "pod-" + pod["status"]["podIP"], plane.host, [pod["status"]["podIP"]])
        network.listen(plane.world, "pod-" + pod["status"]["podIP"], 80, host=plane.host, pid=1)
    network.add_namespace(plane.world, "other", "other", ["172.30.9.9"])
    for source, address in (
        (plane.host, "127.0.0.1"),
        (plane.host, "172.30.1.2"),
        ("other", "172.30.1.2"),
        ("pod-" + ip, "10.96.0.50"),
    ):
        port = 80 if address.startswith("10.") else 30080
        assert network.connect(plane.world, source, address, port).pid == 1
    with pytest.raises(ConnectError):
        network.connect(plane.world, "pod-" + ip, "127.0.0.1", 30080)


def test_health_and_mode(plane: Plane) -> None:
    answer = network.http(plane.world, plane.host, "127.0.0.1", 10256, Request(method="GET", path="/healthz"))
    assert answer.status == 200
    assert b"nodeEligible" in answer.body
    mode = network.http(plane.world, plane.host, "127.0.0.1", 10249, Request(method="GET", path="/proxyMode"))
    assert mode.body == b"iptables"


def test_a_missing_configuration_file_ends_the_process() -> None:
    plane = Plane()
    proc = plane.start("kube-proxy", "--config=/var/lib/kube-proxy/config.conf")
    assert proc.exit_code == 1
    assert "open /var/lib/kube-proxy/config.conf: no such file or directory" in plane.journal("kube-proxy")

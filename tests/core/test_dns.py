"""Cluster DNS: names come from CoreDNS, which has them from the API; hosts do not know them."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def image() -> bytes:
    """A cluster with a Service and two clients: one of busybox, one of Debian."""
    box = Sandbox.boot("three-nodes", 3)
    for line in (
        "kubectl create deployment web --image=nginx",
        "kubectl expose deployment web --port=80",
        "kubectl run box --image=busybox -- sleep 3600",
        "kubectl run deb --image=nginx",
        "kubectl create service externalname out --external-name example.com",
        "kubectl create service clusterip direct --clusterip=None --tcp=80",
        "kubectl set selector svc direct app=web",
    ):
        assert box.run(line).code == 0, line
    box.settle(40 * SECOND)
    return box.snapshot()


@pytest.fixture
def box(image: bytes) -> Sandbox:
    return Sandbox.restore(image)


def ip(box: Sandbox, what: str) -> str:
    return box.run(f"kubectl get {what} -o jsonpath='{{.spec.clusterIP}}'").stdout


def test_a_service_is_found_by_its_short_name_and_reached(box: Sandbox) -> None:
    assert "Welcome to nginx!" in box.run("kubectl exec box -- wget -qO- http://web").stdout
    assert "Welcome to nginx!" in box.run("kubectl exec deb -- curl -s http://web.default").stdout
    assert box.run("getent hosts web").code == 2, "the host's resolver does not know it"


def test_busybox_nslookup_asks_every_name_of_the_search_list(box: Sandbox) -> None:
    found = box.run("kubectl exec box -- nslookup web")
    assert found.code == 1
    assert f"Name:\tweb.default.svc.cluster.local\nAddress: {ip(box, 'svc web')}\n" in found.stdout
    assert found.stdout.count("** server can't find web.cluster.local: NXDOMAIN") == 2
    assert box.run("kubectl exec box -- nslookup web.default.svc.cluster.local").code == 0
    dotted = box.run("kubectl exec box -- nslookup kubernetes.default")
    assert "** server can't find kubernetes.default: NXDOMAIN" in dotted.stdout and dotted.code == 1


def test_a_host_does_not_know_the_cluster_but_may_ask_its_server(box: Sandbox) -> None:
    failed = box.run("curl http://web")
    assert (failed.code, failed.stderr) == (6, "curl: (6) Could not resolve host: web\n")
    nxdomain = box.run("nslookup kubernetes.default")
    assert nxdomain.code == 1
    assert nxdomain.stdout == (
        "Server:\t\t127.0.0.53\nAddress:\t127.0.0.53#53\n\n** server can't find kubernetes.default: NXDOMAIN\n\n"
    )
    asked = box.run("nslookup kubernetes.default.svc.cluster.local 10.96.0.10")
    assert asked.code == 0 and asked.stdout.endswith("Name:\tkubernetes.default.svc.cluster.local\nAddress: 10.96.0.1\n\n")


def test_headless_services_external_names_pods_and_addresses(box: Sandbox) -> None:
    pod = box.run("kubectl get pod -l app=web -o jsonpath='{.items[0].status.podIP}'").stdout
    direct = box.run("nslookup direct.default.svc.cluster.local 10.96.0.10")
    assert f"Address: {pod}\n" in direct.stdout
    dashed = pod.replace(".", "-")
    assert f"Address: {pod}\n" in box.run(f"nslookup {dashed}.default.pod.cluster.local 10.96.0.10").stdout
    assert f"Address: {pod}\n" in box.run(f"nslookup {dashed}.direct.default.svc.cluster.local 10.96.0.10").stdout
    assert "canonical name = example.com." in box.run("nslookup out.default.svc.cluster.local 10.96.0.10").stdout
    assert box.run("nslookup 10.96.0.1 10.96.0.10").stdout == (
        "1.0.96.10.in-addr.arpa\tname = kubernetes.default.svc.cluster.local.\n\n"
    )
    assert "NXDOMAIN" in box.run("nslookup web.nowhere.svc.cluster.local 10.96.0.10").stdout


def test_without_coredns_names_fail_and_addresses_work(box: Sandbox) -> None:
    address = ip(box, "svc web")
    box.run("kubectl scale -n kube-system deployment coredns --replicas 0")
    box.advance(box.now + 20 * SECOND)
    refused = box.run("kubectl exec box -- nslookup web")
    assert refused.code == 1 and ";; connection timed out; no servers could be reached\n" in refused.stdout
    assert box.run("kubectl exec box -- wget -qO- http://web").stderr.startswith("wget: bad address 'web'\n")
    assert "Welcome to nginx!" in box.run(f"kubectl exec box -- wget -qO- http://{address}").stdout


def test_it_learns_of_new_services_and_goes_on_when_the_api_server_is_away(box: Sandbox) -> None:
    name = "later.default.svc.cluster.local"
    assert "NXDOMAIN" in box.run(f"nslookup {name} 10.96.0.10").stdout
    box.run("kubectl create service clusterip later --tcp=80", settle=5 * SECOND)
    address = ip(box, "svc later")
    box.run("mv /etc/kubernetes/manifests/kube-apiserver.yaml /root/", settle=40 * SECOND)
    assert f"Address: {address}\n" in box.run(f"nslookup {name} 10.96.0.10").stdout
    pod = box.run("crictl ps --name coredns -q | head -1").stdout.strip()
    assert "plugin/kubernetes: Kubernetes API connection failure" in box.run(f"crictl logs {pod}").stdout


def test_questions_of_a_restored_world_get_the_answers_of_the_unbroken_one(box: Sandbox) -> None:
    copy = Sandbox.restore(box.snapshot())
    line = "kubectl exec box -- nslookup web.default.svc.cluster.local"
    assert copy.run(line) == box.run(line)
    assert copy.digest() == box.digest()


def test_names_of_the_world_outside_are_forwarded(box: Sandbox) -> None:
    assert "Non-authoritative answer:\nName:\texample.com\n" in box.run("kubectl exec box -- nslookup example.com").stdout
    assert "Example Domain" in box.run("kubectl exec deb -- curl -s http://example.com").stdout
    assert box.run("kubectl exec deb -- curl -s http://no.such.example").code == 6

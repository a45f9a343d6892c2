"""kubectl port-forward and proxy: sockets of the host that reach a pod and the API server, for as long as the command runs."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def booted() -> bytes:
    """A cluster with one nginx pod behind a service whose port and target port differ."""
    sandbox = Sandbox.boot("three-nodes")
    assert sandbox.run("kubectl run web --image=nginx --port=80").code == 0
    assert sandbox.run("kubectl expose pod web --name=shop --port=8000 --target-port=80").code == 0
    assert sandbox.run("kubectl wait --for=condition=Ready pod/web --timeout=120s").code == 0
    return sandbox.snapshot()


@pytest.fixture
def cluster(booted: bytes) -> Sandbox:
    """A cluster of its own for each test."""
    return Sandbox.restore(booted)


def during(cluster: Sandbox, command: str, script: str) -> str:
    """Standard output of `script` while `command` runs in the background; its own output is in /tmp/log."""
    result = cluster.run(f"{command} > /tmp/log 2>&1 & sleep 1; {script}; kill $!")
    return result.stdout


def test_a_forwarded_port_reaches_the_pod(cluster: Sandbox) -> None:
    page = during(cluster, "kubectl port-forward web 8080:80", "curl -s http://127.0.0.1:8080/")
    assert page == cluster.run("curl -s $(kubectl get pod web -o jsonpath={.status.podIP})").stdout != ""
    assert cluster.run("cat /tmp/log").stdout.splitlines() == [
        "Forwarding from 127.0.0.1:8080 -> 80",
        "Forwarding from [::1]:8080 -> 80",
        "Handling connection for 8080",
    ]


def test_the_socket_closes_with_the_command(cluster: Sandbox) -> None:
    during(cluster, "kubectl port-forward web 8080:80", "true")
    assert cluster.run("curl -s http://127.0.0.1:8080/").code == 7


def test_only_loopback_listens_unless_an_address_is_given(cluster: Sandbox) -> None:
    ask = "curl -s -o /dev/null http://172.30.1.2:8080/; echo $?"
    assert during(cluster, "kubectl port-forward web 8080:80", ask) == "7\n"
    assert during(cluster, "kubectl port-forward --address 0.0.0.0 web 8080:80", ask) == "0\n"


def test_a_service_port_is_translated(cluster: Sandbox) -> None:
    page = during(cluster, "kubectl port-forward svc/shop 8000", "curl -s http://127.0.0.1:8000/")
    assert "nginx" in page
    assert "-> 80\n" in cluster.run("cat /tmp/log").stdout
    failed = cluster.run("kubectl port-forward svc/shop 80")
    assert (failed.code, failed.stderr) == (1, "error: Service shop does not have a service port 80\n")


def test_two_ports_go_where_they_belong(cluster: Sandbox) -> None:
    script = "curl -s -o /dev/null http://127.0.0.1:8081/; echo $?; curl -s -o /dev/null http://127.0.0.1:8082/; echo $?"
    first, second = during(cluster, "kubectl port-forward web 8081:80 8082:99", script).split()
    assert (first, second == "0") == ("0", False)


def test_a_failed_connection_ends_the_session(cluster: Sandbox) -> None:
    during(cluster, "kubectl port-forward web 8080:99", "curl -s http://127.0.0.1:8080/; sleep 1")
    log = cluster.run("cat /tmp/log").stdout
    both = "IPv4: dial tcp4 127.0.0.1:99: connect: connection refused IPv6 dial tcp6 [::1]:99: connect: connection refused"
    assert both in log and 'in network namespace \\"/var/run/netns/cni-' in log
    assert log.endswith("error: lost connection to pod\n")


def test_a_session_ends_with_its_pod(cluster: Sandbox) -> None:
    cluster.run("kubectl port-forward web 8080:80 > /tmp/log 2>&1 & sleep 1; kubectl delete pod web --now; sleep 5")
    assert cluster.run("cat /tmp/log").stdout.endswith("error: lost connection to pod\n")


def test_a_taken_port_is_refused(cluster: Sandbox) -> None:
    failed = cluster.run("kubectl port-forward --address 172.30.1.2 web 6443:80")
    assert failed.code == 1
    assert "bind: address already in use" in failed.stderr
    assert failed.stderr.endswith("error: unable to listen on any of the requested ports: [{6443 80}]\n")


@pytest.mark.parametrize(
    ("ports", "why"),
    [
        ("x:80", "error parsing local port 'x': strconv.ParseUint: parsing \"x\": invalid syntax"),
        ("8080:0", "remote port must be > 0"),
        ("http", "Pod 'web' does not have a named port 'http'"),
    ],
)
def test_wrong_ports(cluster: Sandbox, ports: str, why: str) -> None:
    failed = cluster.run(f"kubectl port-forward web {ports}")
    assert (failed.code, failed.stderr) == (1, f"error: {why}\n")


def test_a_pod_that_does_not_run_is_refused(cluster: Sandbox) -> None:
    cluster.run("kubectl run stuck --image=nginx:doesnotexist")
    cluster.advance(cluster.now + 10 * SECOND)
    failed = cluster.run("kubectl port-forward stuck 8080:80")
    assert failed.stderr == "error: unable to forward port because pod is not running. Current status=Pending\n"


def test_proxy_speaks_for_the_user(cluster: Sandbox) -> None:
    assert cluster.run("curl -sk https://172.30.1.2:6443/api/v1/namespaces/default/pods/web").stdout.count('"Failure"') == 1
    path = "http://127.0.0.1:8001/api/v1/namespaces/default/pods/web"
    assert '"name": "web"' in during(cluster, "kubectl proxy", f"curl -s {path}")
    assert cluster.run("cat /tmp/log").stdout == "Starting to serve on 127.0.0.1:8001\n"


def test_proxy_prefix_and_filter(cluster: Sandbox) -> None:
    base = "curl -s http://127.0.0.1:8001"
    script = f"{base}/k8s/version | grep -c gitVersion; {base}/version; {base}/k8s/api/v1/namespaces/default/pods/web/exec"
    assert during(cluster, "kubectl proxy --api-prefix=/k8s", script) == "1\n404 page not found\nForbidden\n"


def test_what_is_declared_as_unsupported_says_so(cluster: Sandbox) -> None:
    for command in ("kubectl proxy --www=/tmp", "kubectl kustomize --enable-helm .", "kubectl get pods --profile=cpu"):
        failed = cluster.run(command)
        assert (failed.code, failed.stdout) == (1, "")
        assert failed.stderr.endswith("not simulated in Slipway yet\n"), command

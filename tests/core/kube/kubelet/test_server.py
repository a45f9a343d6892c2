"""The kubelet's endpoints and who may use them."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.kube.kubelet.access import subresources_of
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def base() -> Sandbox:
    made = Sandbox.boot("three-nodes", 1)
    made.advance(30 * SECOND)
    assert made.run("kubectl create sa viewer").code == 0
    return made


def out(world: Sandbox, line: str, host: str = "controlplane") -> str:
    found = world.run(line, host=host)
    return found.stdout + found.stderr


CERT = "--cert /etc/kubernetes/pki/apiserver-kubelet-client.crt --key /etc/kubernetes/pki/apiserver-kubelet-client.key"
NODE = "https://172.30.1.4:10250"
CASES = [
    ("curl -s localhost:10248/healthz", "ok"),
    ("curl -s localhost:10248/pods", "404 page not found"),
    ("curl -s http://localhost:10250/pods", "Client sent an HTTP request to an HTTPS server."),
    (f"curl -sk {NODE}/healthz", "Unauthorized"),
    (f"curl -sk {NODE}/pods -H 'Authorization: Bearer x'", "Unauthorized"),
    (f"curl -sk {NODE}/healthz {CERT}", "ok"),
    (f"curl -sk {NODE}/nothing {CERT}", "404 page not found"),
    (f"curl -sk {NODE}/configz {CERT}", '"kubeletconfig":{"enableServer":true'),
    (f"curl -sk {NODE}/metrics {CERT}", 'kubelet_node_name{node="node01"} 1'),
    (f"curl -sk {NODE}/logs/ {CERT}", '<a href="pods/">pods/</a>'),
    (f"curl -sk {NODE}/logs/../../etc/passwd {CERT}", "404"),
    (f"curl -sk {NODE}/runningpods/ {CERT}", '"kind":"PodList"'),
    ("kubectl get --raw /api/v1/nodes/node01/proxy/stats/summary", '"nodeName": "node01"'),
    ("kubectl get --raw /api/v1/nodes/node01/proxy/configz", '"maxPods":110'),
    (
        f'curl -sk {NODE}/pods -H "Authorization: Bearer $(kubectl create token viewer)"',
        "Forbidden (user=system:serviceaccount:default:viewer, verb=get, resource=nodes, subresource(s)=[pods proxy])",
    ),
]


@pytest.mark.parametrize(("line", "expected"), CASES)
def test_an_endpoint_answers(base: Sandbox, line: str, expected: str) -> None:
    assert expected in out(base.fork(), line)


def test_a_role_for_nodes_pods_is_enough_for_the_pods(base: Sandbox) -> None:
    world = base.fork()
    out(world, "kubectl create clusterrole r --verb=get --resource=nodes/pods")
    out(world, "kubectl create clusterrolebinding r --clusterrole=r --serviceaccount=default:viewer")
    bearer = '-H "Authorization: Bearer $(kubectl create token viewer)"'
    assert '"kind":"PodList"' in out(world, f"curl -sk {NODE}/pods {bearer}")
    assert "subresource(s)=[metrics]" in out(world, f"curl -sk {NODE}/metrics {bearer}")


def test_anonymous_and_always_allow_open_the_door(base: Sandbox) -> None:
    world = base.fork()
    out(world, "sed -i 's/enabled: false/enabled: true/' /var/lib/kubelet/config.yaml; systemctl restart kubelet", "node01")
    world.advance(world.now + 3 * SECOND)
    assert "Forbidden (user=system:anonymous" in out(world, f"curl -sk {NODE}/pods")
    out(world, "sed -i 's/mode: Webhook/mode: AlwaysAllow/' /var/lib/kubelet/config.yaml; systemctl restart kubelet", "node01")
    world.advance(world.now + 3 * SECOND)
    assert '"kind":"PodList"' in out(world, f"curl -sk {NODE}/pods")


def test_the_read_only_port_has_no_door_and_no_handles(base: Sandbox) -> None:
    world = base.fork()
    assert "Failed to connect" in out(world, "curl -sS http://172.30.1.4:10255/pods")
    out(world, "echo 'readOnlyPort: 10255' >> /var/lib/kubelet/config.yaml; systemctl restart kubelet", "node01")
    world.advance(world.now + 3 * SECOND)
    assert '"kind":"PodList"' in out(world, "curl -s http://172.30.1.4:10255/pods")
    assert "404 page not found" in out(world, "curl -s -X POST http://172.30.1.4:10255/exec/default/p/c")


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/pods", ["pods", "proxy"]),
        ("/runningpods/", ["pods", "proxy"]),
        ("/metrics/cadvisor", ["metrics"]),
        ("/logs/x", ["log"]),
        ("/exec/a/b/c", ["proxy"]),
        ("/healthz", ["healthz", "proxy"]),
    ],
)
def test_subresources(path: str, names: list[str]) -> None:
    assert subresources_of(path) == names

"""ip, ping, traceroute, nc, dig, iptables, tc, fallocate: what a learner types to find out where packets go."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def base() -> Sandbox:
    made = Sandbox.boot("three-nodes", 1)
    made.advance(30 * SECOND)
    for line in (
        "kubectl create deployment web --image=nginx --replicas=2",
        "kubectl expose deployment web --port=80",
        "kubectl run tmp --image=busybox --restart=Never -- sleep 3600",
    ):
        assert made.run(line, settle=20 * SECOND).code == 0
    made.advance(made.now + 20 * SECOND)
    return made


def run(sandbox: Sandbox, line: str, host: str = "controlplane") -> tuple[str, str, int]:
    found = sandbox.run(line, host=host)
    return found.stdout, found.stderr, found.code


CASES = [
    ("ip route | tail -1", "192.168.2.0/24 via 172.30.1.6 dev enp1s0"),
    ("ip -br addr show dev cni0", "192.168.0.1/24"),
    ("ip addr show dev nope", 'Device "nope" does not exist.'),
    ("kubectl exec tmp -- ip route", "default via 192.168."),
    ("ping -c 1 172.30.1.4", "1 packets transmitted, 1 received, 0% packet loss"),
    ("ping -c 1 172.30.1.99", "Destination Host Unreachable"),
    ("ping -c 1 nosuch", "ping: nosuch: "),
    ("ping -c 2 -i 2 10.96.0.1", "2 packets transmitted, 0 received, 100% packet loss, time 2000ms"),  # up to the last one sent
    ("kubectl get node node01 -o json | jq | head -1", "{"),
    ("grep infoBufferSize /var/lib/kubelet/config.yaml", 'infoBufferSize: "0"'),
    ("echo KUBELET_EXTRA_ARGS=--v=4 > /etc/default/kubelet && wc -l < /etc/default/kubelet", "1"),
    ("kubectl exec tmp -- nc -zv web 80", "open"),
    ("kubectl exec tmp -- nc -zv -w 1 web 81", "nc: timed out"),
    ("nc -zv 172.30.1.4 81", "nc: connect to 172.30.1.4 port 81 (tcp) failed: Connection refused"),
    ("dig +short web.default.svc.cluster.local @10.96.0.10", "10."),
    ("dig @10.96.0.10 nosuch.default.svc.cluster.local | grep status", "NXDOMAIN"),
    ("dig +short @10.96.0.10 _https._tcp.kubernetes.default.svc.cluster.local SRV", "0 100 443 kubernetes.default.svc"),
    ("iptables -t nat -S KUBE-SERVICES | grep default/web", "-j KUBE-SVC-LOLE4ISW44XBNF3G"),
    ("iptables -L NOPE", "iptables: No chain/target/match by that name."),
    ("iptables -A INPUT --dport 80 -j DROP", 'unknown option "--dport"'),
    ("iptables-save -t filter | head -2 | tail -1", "*filter"),
    ("curl -s -m 2 http://192.168.2.77; echo $?", "7"),
    ("curl -s -m 2 http://10.96.0.10:81; echo $?", "28"),
]


@pytest.mark.parametrize(("line", "expected"), CASES)
def test_a_tool_says(base: Sandbox, line: str, expected: str) -> None:
    stdout, stderr, _ = run(base.fork(), line)
    assert expected in stdout + stderr


def test_what_iptables_drops_does_not_arrive_until_the_rule_goes(base: Sandbox) -> None:
    world = base.fork()
    curl = "curl -s -m 2 -o /dev/null -w '%{http_code}' http://$(kubectl get svc web -o jsonpath={.spec.clusterIP})"
    assert run(world, curl)[0] == "200"
    run(world, "iptables -I OUTPUT -p tcp --dport 80 -j DROP")
    assert run(world, curl)[0] == "000"
    run(world, "iptables -D OUTPUT -p tcp --dport 80 -j DROP")
    assert run(world, curl)[0] == "200"


def test_kube_proxy_puts_its_chains_back_when_they_have_been_removed(base: Sandbox) -> None:
    world = base.fork()
    curl = "curl -s -m 2 -o /dev/null -w '%{http_code}' http://$(kubectl get svc web -o jsonpath={.spec.clusterIP})"
    run(world, "iptables -t nat -F && iptables -t nat -X")
    assert run(world, curl)[0] == "000"
    world.advance(world.now + 35 * SECOND)
    assert run(world, curl)[0] == "200"


def test_a_rejected_api_server_port_refuses_clients_of_other_nodes(base: Sandbox) -> None:
    world = base.fork()
    run(world, "iptables -A INPUT -p tcp --dport 6443 -s 172.30.1.4 -j DROP")
    world.advance(world.now + 60 * SECOND)
    assert "NotReady" in run(world, "kubectl get node node01")[0]
    run(world, "iptables -F INPUT")
    world.advance(world.now + 30 * SECOND)
    assert "NotReady" not in run(world, "kubectl get node node01")[0]


def test_a_slow_link_takes_its_time(base: Sandbox) -> None:
    world = base.fork()
    run(world, "tc qdisc add dev enp1s0 root netem delay 200ms")
    assert "time=20" in run(world, "ping -c 1 172.30.1.4")[0]
    assert "delay 200ms" in run(world, "tc qdisc show dev enp1s0")[0]


def test_space_that_is_reserved_is_used(base: Sandbox) -> None:
    world = base.fork()
    run(world, "fallocate -l 10G /big")
    assert "39%" in run(world, "df -h /")[0]
    assert "No space left on device" in run(world, "fallocate -l 100G /bigger")[1]
    run(world, "rm /big")
    assert "13%" in run(world, "df -h /")[0]


def test_network_policies_cut_and_allow(base: Sandbox) -> None:
    world = base.fork()
    deny = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {matchLabels: {app: web}}"
    world.run("cat > p.yaml", stdin=(deny + ", policyTypes: [Ingress]}}").encode())
    run(world, "kubectl apply -f p.yaml")
    world.advance(world.now + 5 * SECOND)
    assert "timed out" in run(world, "kubectl exec tmp -- wget -T 2 -qO- http://web")[1]
    world.run("cat > p.yaml", stdin=(deny + ", ingress: [{from: [{podSelector: {matchLabels: {run: tmp}}}]}]}}").encode())
    run(world, "kubectl apply -f p.yaml")
    world.advance(world.now + 5 * SECOND)
    assert "nginx" in run(world, "kubectl exec tmp -- wget -T 2 -qO- http://web")[0]
    assert run(world, "curl -s -m 2 http://$(kubectl get pod -l app=web -o jsonpath={.items[0].status.podIP})")[2] == 28
    run(world, "kubectl delete netpol p")
    world.advance(world.now + 5 * SECOND)
    assert run(world, "curl -s -m 2 http://$(kubectl get pod -l app=web -o jsonpath={.items[0].status.podIP})")[2] == 0


def test_a_nodeport_hides_the_client_unless_its_traffic_stays_local(base: Sandbox) -> None:
    """`externalTrafficPolicy`: Cluster masquerades with the address by which the node sends on, Local keeps the client's."""
    world = base.fork()
    run(world, "kubectl create deployment who --image=traefik/whoami --replicas=2")
    run(world, "kubectl create service nodeport who --tcp=80 --node-port=31080")
    world.advance(world.now + 20 * SECOND)
    ask = "curl -s -m 2 http://{}:31080 | sed -n 's/^RemoteAddr: \\(.*\\):.*/\\1/p'"
    seen = {run(world, ask.format("172.30.1.4"))[0].strip() for _ in range(8)}
    assert seen == {"172.30.1.4", "192.168.1.1"}  # to the pod on the other node, and to its own
    run(world, """kubectl patch service who -p '{"spec":{"externalTrafficPolicy":"Local"}}'""")
    world.advance(world.now + 5 * SECOND)
    assert {run(world, ask.format("172.30.1.4"))[0].strip() for _ in range(4)} == {"172.30.1.2"}

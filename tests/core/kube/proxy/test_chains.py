"""The names and rules that kube-proxy writes, in iptables and in nftables."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.netfilter import built_in, parse
from simulator.core.kernel.network import Rule
from simulator.core.kube.proxy import nft
from simulator.core.kube.proxy.chains import chain_name, ports_of, probability, write
from simulator.core.sandbox import Sandbox

CIDR = "192.168.0.0/16"


def tables(rules: dict[str, Rule]) -> list[str]:
    made = built_in()
    write(made, rules, CIDR, full=True)
    return [f"{table} -A {name} {text}" for table in ("nat", "filter") for name, c in made[table].items() for text in c.rules]


def test_chains_have_the_names_that_every_cluster_has() -> None:
    assert chain_name("KUBE-SVC-", "default/kubernetes:httpstcp") == "KUBE-SVC-NPX46M4PTMTKRN6Y"
    assert chain_name("KUBE-SVC-", "kube-system/kube-dns:dnsudp") == "KUBE-SVC-TCOU7JCQXEZGVUNU"
    port = ports_of({"10.96.0.1:443/tcp": Rule(["172.30.1.2:6443"], "default/kubernetes:https")})[0]
    assert nft.port_name(port) == "2QRHZV4L-default/kubernetes/tcp/https"


@pytest.mark.parametrize(("count", "text"), [(2, "0.50000000000"), (3, "0.33333333349"), (4, "0.25000000000")])
def test_shares_are_what_the_kernel_keeps(count: int, text: str) -> None:
    assert probability(count) == text


A, B = "192.168.0.2:80", "192.168.1.2:80"
CASES = [
    (
        {"10.96.0.9:80/tcp": Rule([], "default/web", reject=True)},
        'filter -A KUBE-SERVICES -d 10.96.0.9/32 -p tcp -m comment --comment "default/web has no endpoints" -m tcp --dport 80 '
        "-j REJECT --reject-with icmp-port-unreachable",
    ),
    (
        {"10.96.0.9:80/tcp": Rule([B], "default/web", policy="Local")},
        'filter -A KUBE-SERVICES -d 10.96.0.9/32 -p tcp -m comment --comment "default/web has no local endpoints" -m tcp --dport 80 '
        "-j DROP",
    ),
    (
        {"10.96.0.9:80/tcp": Rule([A, B], "default/web", affinity=60)},
        "-m recent --rcheck --seconds 60 --reap --name KUBE-SEP-",
    ),
    (
        {"10.96.0.9:80/tcp": Rule([A], "default/web"), "172.30.1.2:30080/tcp": Rule([A], "default/web", kind="nodeport")},
        'nat -A KUBE-EXT-LOLE4ISW44XBNF3G -m comment --comment "masquerade traffic for default/web external destinations" '
        "-j KUBE-MARK-MASQ",
    ),
    (
        {"203.0.113.9:80/tcp": Rule([A], "default/web", kind="lb", policy="Local", local=[A])},
        'nat -A KUBE-EXT-LOLE4ISW44XBNF3G -m comment --comment "route LOCAL traffic for default/web external destinations" '
        "-m addrtype --src-type LOCAL -j KUBE-SVC-LOLE4ISW44XBNF3G",
    ),
]


@pytest.mark.parametrize(("rules", "line"), CASES)
def test_rules_of_a_service(rules: dict[str, Rule], line: str) -> None:
    found = tables(rules)
    assert any(line in text for text in found), "\n".join(found)
    for text in found:
        parse(text.split(" ", 3)[3])


def test_nftables_mode_shows_its_table_and_refuses_other_ports() -> None:
    world = Sandbox.boot("three-nodes", 1)
    world.advance(30 * SECOND)
    world.run("kubectl create deploy web --image=nginx --replicas=2 && kubectl expose deploy web --port=80")
    world.run("kubectl -n kube-system get cm kube-proxy -o yaml | sed 's#mode: .*#mode: nftables#' | kubectl apply -f -")
    world.run("kubectl -n kube-system rollout restart ds kube-proxy")
    world.advance(world.now + 40 * SECOND)
    text = world.run("nft list ruleset").stdout
    assert "goto service-2QRHZV4L-default/kubernetes/tcp/https" in text
    assert "numgen random mod 2 map { 0 : 192.168." in text
    assert "hook prerouting priority dstnat" in world.run("nft list chain ip kube-proxy nat-prerouting").stdout
    curl = "curl -sS -m 2 -o /dev/null -w '%{http_code}' $(kubectl get svc web -o jsonpath={.spec.clusterIP})"
    assert world.run(curl).stdout == "200"
    assert "after 0 ms: Couldn't connect" in world.run(curl + ":81").stderr
    assert "No chain/target/match by that name" in world.run("iptables -t nat -L KUBE-SERVICES").stderr


def test_another_mode_clears_chains_that_somebody_changed_by_hand_too() -> None:
    world = Sandbox.boot("three-nodes", 1)
    world.advance(30 * SECOND)
    world.run("iptables -t nat -F KUBE-SERVICES; iptables -A INPUT -s 203.0.113.9 -j DROP")
    world.run("kubectl -n kube-system get cm kube-proxy -o yaml | sed 's#mode: .*#mode: nftables#' | kubectl replace -f -")
    world.run("kubectl -n kube-system rollout restart ds kube-proxy")
    world.advance(world.now + 60 * SECOND)
    saved = world.run("iptables-save").stdout
    assert "KUBE-S" not in saved and "KUBE-PROXY" not in saved and "KUBE-KUBELET-CANARY" in saved
    assert "-A INPUT -s 203.0.113.9/32 -j DROP" in saved
    world.run("kubectl create deploy web --image=nginx && kubectl expose deploy web --port=80")
    world.advance(world.now + 20 * SECOND)
    curl = "curl -s -m 2 -o /dev/null -w '%{http_code}' $(kubectl get svc web -o jsonpath={.spec.clusterIP})"
    assert world.run(curl).stdout == "200"

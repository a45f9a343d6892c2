"""iptables rules: what is parsed, what a packet meets, and that kube-proxy's chains do what its service rules say."""

from __future__ import annotations

import random

import pytest

from simulator.core import tables
from simulator.core.kernel import network, routing
from simulator.core.kernel.errors import ConnectError
from simulator.core.kernel.netfilter import BadRule, Chain, Machine, Packet, built_in, parse, traverse
from simulator.core.kernel.network import Rule
from simulator.core.kernel.world import World

CASES = [
    ("-p tcp -m tcp --dport 80 -j DROP", {"port": 80}, "DROP"),
    ("-p tcp -m tcp --dport 80 -j DROP", {"port": 81}, "ACCEPT"),
    ("-p udp -m udp --dport 80 -j DROP", {"port": 80}, "ACCEPT"),
    ("-s 10.0.0.0/8 -j REJECT", {"src": "10.9.9.9"}, "REJECT"),
    ("! -s 10.0.0.0/8 -j REJECT", {"src": "10.9.9.9"}, "ACCEPT"),
    ("-p tcp -m multiport --dports 80,443,8000:8100 -j DROP", {"port": 8050}, "DROP"),
    ("-i cni+ -j DROP", {"iif": "cni0"}, "DROP"),
    ("-m conntrack --ctstate RELATED,ESTABLISHED -j DROP", {}, "ACCEPT"),
    ("-m mark --mark 0x4000/0x4000 -j DROP", {"mark": 0x4001}, "DROP"),
    ("-m addrtype --dst-type LOCAL -j DROP", {"dst": "172.30.1.2"}, "DROP"),
]


def machine(chance: bool = True) -> Machine:
    return Machine(("172.30.1.2",), lambda _: chance, {}, 0)


@pytest.mark.parametrize(("rule", "packet", "action"), CASES)
def test_one_rule_decides(rule: str, packet: dict[str, object], action: str) -> None:
    made = built_in()
    made["filter"]["INPUT"].rules.append(rule)
    sent = Packet(**{"src": "1.1.1.1", "dst": "2.2.2.2", "port": 80, **packet})  # type: ignore[arg-type]
    assert traverse(made, "filter", "INPUT", sent, machine()).action == action


def test_jumps_return_and_policies() -> None:
    made = built_in()
    made["filter"]["INPUT"] = Chain("DROP", ["-j A", "-p tcp -m tcp --dport 22 -j ACCEPT"])
    made["filter"]["A"] = Chain("-", ["-p tcp -m tcp --dport 22 -j RETURN", "-p tcp -m tcp --dport 23 -j ACCEPT"])
    for port, action in ((22, "ACCEPT"), (23, "ACCEPT"), (24, "DROP")):
        assert traverse(made, "filter", "INPUT", Packet("1.1.1.1", "2.2.2.2", port), machine()).action == action


def test_a_loop_of_chains_ends() -> None:
    made = built_in()
    made["filter"]["INPUT"].rules.append("-j A")
    made["filter"]["A"] = Chain("-", ["-j A"])
    assert traverse(made, "filter", "INPUT", Packet("1.1.1.1", "2.2.2.2", 1), machine()).action == "ACCEPT"


def test_nonsense_is_refused() -> None:
    with pytest.raises(BadRule):
        parse("INPUT something")


def made_world(rules: dict[str, Rule], by_hand: bool) -> World:
    world = World(seed=3)
    tables.install(world, lambda *_: None)
    for name, ip in (("a", "172.30.1.2"), ("b", "172.30.1.3")):
        network.add_namespace(world, name, name, [ip])
        network.network(world).pods[name] = f"192.168.{'ab'.index(name)}.0/24"
        network.network(world).proxied[name] = "192.168.0.0/16"
        for last in (2, 3):
            ip = f"192.168.{'ab'.index(name)}.{last}"
            network.add_namespace(world, f"{name}/{last}", name, [ip])
            network.listen(world, f"{name}/{last}", 80, host=name, pid=last)
        network.network(world).rules[name] = rules if name == "a" else {}
    if by_hand:
        network.network(world).tables["a"] = tables.firewall(world, "a")
    return world


def outcomes(world: World, source: str, ip: str, port: int) -> set[str]:
    found = set()
    for _ in range(40):
        try:
            item = network.connect(world, source, ip, port)
            found.add(f"{item.host}/{item.pid}")
        except ConnectError as failed:
            found.add(failed.kind)
    return found


ENDPOINTS = [f"192.168.{n}.{last}:80" for n in (0, 1) for last in (2, 3)]


@pytest.mark.parametrize("seed", range(25))
def test_the_chains_do_what_the_service_rules_say(seed: int) -> None:
    rng = random.Random(seed)
    endpoints = sorted(rng.sample(ENDPOINTS, rng.randint(0, 4)))
    local = [e for e in endpoints if e.startswith("192.168.0.")]
    policy = rng.choice(["", "Local"])
    inner = rng.choice(["", "Local"])

    def rule(kind: str, how: str) -> Rule:
        return Rule(endpoints, "default/web", not endpoints, kind, how, local if how else [])

    rules = {
        "10.96.0.9:80/tcp": rule("", inner),
        "172.30.1.2:30080/tcp": rule("nodeport", policy),
        "127.0.0.1:30080/tcp": rule("nodeport", policy),
        "203.0.113.9:80/tcp": rule("external", policy),
    }
    for source, ip, port in (
        ("a", "10.96.0.9", 80),
        ("a/2", "10.96.0.9", 80),
        ("b", "172.30.1.2", 30080),
        ("b/2", "172.30.1.2", 30080),
        ("a", "172.30.1.2", 30080),
        ("a", "203.0.113.9", 80),
        ("a", "10.96.0.9", 81),
    ):
        expected = outcomes(made_world(rules, False), source, ip, port)
        assert outcomes(made_world(rules, True), source, ip, port) == expected, (source, ip, port, rules)


def test_client_affinity_stays_with_one_endpoint_until_it_expires() -> None:
    rule = Rule(ENDPOINTS, "default/web", affinity=100)
    for by_hand in (False, True):
        world = made_world({"10.96.0.9:80/tcp": rule}, by_hand)
        first = outcomes(world, "a", "10.96.0.9", 80)
        assert len(first) == 1
        seen = set(first)
        for _ in range(12):
            world.now += 200 * 1_000_000_000
            seen |= outcomes(world, "a", "10.96.0.9", 80)
        assert len(seen) > 1


def test_a_walk_tells_its_hops() -> None:
    world = made_world({"10.96.0.9:80/tcp": Rule(["192.168.1.2:80"], "default/web")}, False)
    path = routing.walk(world, "a/2", "10.96.0.9", 80, hops=True)
    assert [(hop["host"], hop["what"]) for hop in path.hops] == [("a", "dnat"), ("b", "hop"), ("b", "deliver")]
    assert path.hosts == ["a", "b"]

"""The kube-proxy lens: the rules that a node has for each Service, and the way that the last packets took."""

from __future__ import annotations

from typing import Any

from ...host.machine import hosts
from ...kernel import network
from ...kernel.network import Rule
from ...kernel.world import World
from ...kube.proxy.chains import Port, chain_name, ports_of
from ...kube.proxy.program import states
from .common import choose, last_events, told

Json = dict[str, Any]

SERVICES = 10
ENDPOINTS = 6
PACKETS = 6
WALKS = frozenset(("packet", "packet.failed"))


def lens(world: World, about: str) -> Json:
    """The rules of one node; without a choice the node that the last packet left, else the first that has rules."""
    net = network.network(world)
    nodes = sorted(name for name in hosts(world) if name in net.rules)
    packets = [told(event) for event in last_events(world, lambda event: event.action in WALKS, PACKETS)]
    left = packets[-1]["detail"].get("from", "").partition("/")[0] if packets else ""
    about = choose(nodes, about, left)
    running = next((state for key, state in sorted(states(world).items()) if key.partition("/")[0] == about), None)
    rules = net.rules.get(about, {})
    ports = ports_of(rules)
    ports.sort(key=lambda port: (port.name.startswith(("default/kubernetes:", "kube-system/")), port.name, port.protocol))
    return {
        "about": about,
        "choices": nodes,
        "running": running is not None,
        "mode": running.mode if running is not None else net.modes.get(about, "iptables"),
        "synced": running.synced_at if running is not None and running.fed else None,
        "by_hand": about in net.tables,
        "rules": len(rules),
        "services": [_service(port) for port in ports[:SERVICES]],
        "count": len(ports),
        "packets": packets,
    }


def _service(port: Port) -> Json:
    """A Service port: the addresses that lead to it, the endpoints that one is drawn from, and its chains in iptables."""
    rule = port.inner or port.outer
    endpoints = rule.endpoints if rule is not None else []
    return {
        "service": port.name,
        "protocol": port.protocol,
        "ways": _ways(port),
        "endpoints": [
            {"address": address, "local": _is_local(address, port.inner, port.outer), "chain": chain_name("KUBE-SEP-", port.name + port.protocol + address)}
            for address in endpoints[:ENDPOINTS]
        ],
        "count": len(endpoints),
        "reject": rule is None or rule.reject,
        "policy": (port.outer.policy if port.outer is not None else "") or (port.inner.policy if port.inner is not None else ""),
        "affinity": rule.affinity if rule is not None else 0,
        "chain": chain_name("KUBE-SVC-", port.name + port.protocol),
    }  # fmt: skip


def _is_local(address: str, *rules: Rule | None) -> bool:
    return any(rule is not None and address in rule.local for rule in rules)


def _ways(port: Port) -> list[Json]:
    ways = [{"kind": "ClusterIP", "address": f"{port.cluster[0]}:{port.cluster[1]}"}] if port.cluster is not None else []
    ways += [
        {"kind": {"lb": "LoadBalancer"}.get(kind, "externalIP"), "address": f"{ip}:{number}"} for ip, kind, number in port.others
    ]
    return [*ways, *([{"kind": "NodePort", "address": f":{port.node_port}"}] if port.node_port else [])]

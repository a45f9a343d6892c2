"""kube-proxy's nftables table of one host, as `nft list table ip kube-proxy` prints it (pkg/proxy/nftables/proxier.go)."""

from __future__ import annotations

import base64
import hashlib

from ...kernel.network import Rule
from .chains import Port, ports_of

#: The longest name of a chain's base (chainNameBaseLengthMax).
LONGEST = 240
MARK = "0x00004000"
#: Base chains: name, type, hook, priority.
BASE = (
    ("filter-prerouting-pre-dnat", "filter", "prerouting", "dstnat - 10"),
    ("filter-output-pre-dnat", "filter", "output", "-110"),
    ("filter-input", "filter", "input", "filter"),
    ("filter-forward", "filter", "forward", "filter"),
    ("filter-output", "filter", "output", "filter"),
    ("nat-prerouting", "nat", "prerouting", "dstnat"),
    ("nat-output", "nat", "output", "-100"),
    ("nat-postrouting", "nat", "postrouting", "srcnat"),
)
JUMPS = {
    "filter-prerouting-pre-dnat": ["ct state new jump firewall-check"],
    "filter-output-pre-dnat": ["ct state new jump firewall-check"],
    "filter-input": ["ct state new jump nodeport-endpoints-check", "ct state new jump service-endpoints-check"],
    "filter-forward": ["ct state new jump service-endpoints-check", "ct state new jump cluster-ips-check"],
    "filter-output": ["ct state new jump service-endpoints-check", "ct state new jump cluster-ips-check"],
    "nat-prerouting": ["jump services"],
    "nat-output": ["jump services"],
    "nat-postrouting": ["jump masquerading"],
}
MASQUERADE = f"meta mark set meta mark | {MARK}"


def base_name(text: str) -> str:
    """A name with its hash before it, cut to what nftables takes (hashAndTruncate)."""
    name = base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()[:8] + "-" + text
    return name if len(name) <= LONGEST else name[: LONGEST - 3] + "..."


def port_name(port: Port) -> str:
    """`default/web/tcp/http` (servicePortChainNameBase)."""
    service, _, name = port.name.partition(":")
    return base_name(f"{service}/{port.protocol}/{name}")


def endpoint_name(port: Port, endpoint: str) -> str:
    """`…/http__192.168.1.2/80` (servicePortEndpointChainNameBase)."""
    service, _, name = port.name.partition(":")
    ip, _, number = endpoint.rpartition(":")
    return base_name(f"{service}/{port.protocol}/{name}__{ip}/{number}")


def _block(kind: str, name: str, lines: list[str]) -> list[str]:
    return [f"\t{kind} {name} {{", *(f"\t\t{line}" for line in lines), "\t}", ""]


def _elements(values: list[str]) -> list[str]:
    if not values:
        return []
    return ["elements = { " + (",\n\t\t\t     ".join(values)) + " }"]


def render(rules: dict[str, Rule], cluster_cidr: str, service_cidr: str, node_ip: str) -> str:
    """The whole table as text."""
    ports = ports_of(rules)
    cluster_ips = sorted({port.cluster[0] for port in ports if port.cluster is not None})
    services: list[str] = []
    node_ports: list[str] = []
    missing: list[str] = []
    missing_ports: list[str] = []
    hairpins: list[str] = []
    chains: list[str] = []
    for port in ports:
        _port(port, services, node_ports, missing, missing_ports, hairpins, chains, cluster_cidr)
    out = ["table ip kube-proxy {", '\tcomment "rules for kube-proxy"', ""]
    address = "ipv4_addr . ipv4_addr . inet_proto . inet_service"
    out += _block(
        "set", "hairpin-connections", [f"type {address}", 'comment "service hairpin connections"', *_elements(hairpins)]
    )
    out += _block("set", "cluster-ips", ["type ipv4_addr", 'comment "Active ClusterIPs"', *_elements(cluster_ips)])
    out += _block("set", "nodeport-ips", ["type ipv4_addr", 'comment "IPs that accept NodePort traffic"', *_elements([node_ip])])
    verdict = "type ipv4_addr . inet_proto . inet_service : verdict"
    text = 'comment "vmap to drop or reject packets to services with no endpoints"'
    out += _block("map", "no-endpoint-services", [verdict, text, *_elements(missing)])
    text = 'comment "vmap to drop or reject packets to service nodeports with no endpoints"'
    out += _block("map", "no-endpoint-nodeports", ["type inet_proto . inet_service : verdict", text, *_elements(missing_ports)])
    out += _block("map", "firewall-ips", [verdict, 'comment "destinations that are subject to LoadBalancerSourceRanges"'])
    text = 'comment "ClusterIP, ExternalIP and LoadBalancer IP traffic"'
    out += _block("map", "service-ips", [verdict, text, *_elements(services)])
    kind = "type inet_proto . inet_service : verdict"
    out += _block("map", "service-nodeports", [kind, 'comment "NodePort traffic"', *_elements(node_ports)])
    for name, kind, hook, priority in BASE:
        out += _block("chain", name, [f"type {kind} hook {hook} priority {priority}; policy accept;", *JUMPS[name]])
    fields = "ip daddr . meta l4proto . th dport vmap"
    out += _block(
        "chain", "nodeport-endpoints-check", ["ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports"]
    )
    out += _block("chain", "service-endpoints-check", [f"{fields} @no-endpoint-services"])
    out += _block("chain", "firewall-check", [f"{fields} @firewall-ips"])
    lines = []
    if cluster_cidr:
        comment = 'comment "masquerade clusterIP traffic from outside cluster"'
        lines.append(f"ip daddr @cluster-ips ip saddr != {cluster_cidr} {MASQUERADE} {comment}")
    lines += [f"{fields} @service-ips", "ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports"]
    out += _block("chain", "services", lines)
    lines = [
        f"meta mark & {MARK} != 0x00000000 meta mark set meta mark ^ {MARK} masquerade fully-random",
        "ct status dnat ip saddr . ip daddr . meta l4proto . th dport @hairpin-connections masquerade fully-random",
    ]
    out += _block("chain", "masquerading", lines)
    lines = ['ip daddr @cluster-ips reject comment "Reject traffic to invalid ports of ClusterIPs"']
    if service_cidr:
        lines.append(f'ip daddr {service_cidr} drop comment "Drop traffic to unallocated ClusterIPs"')
    out += _block("chain", "cluster-ips-check", lines)
    out += _block("chain", "reject-chain", ['comment "helper for @no-endpoint-services / @no-endpoint-nodeports"', "reject"])
    return "\n".join([*out, *chains]).rstrip() + "\n}\n"


def _port(
    port: Port,
    services: list[str],
    node_ports: list[str],
    missing: list[str],
    missing_ports: list[str],
    hairpins: list[str],
    chains: list[str],
    cluster_cidr: str,
) -> None:
    base = port_name(port)
    rule = port.inner or port.outer
    if rule is None:
        return
    inner_local = port.inner is not None and port.inner.policy == "Local"
    outer_local = port.outer is not None and port.outer.policy == "Local"
    local = (port.inner.local if inner_local and port.inner else []) or (port.outer.local if outer_local and port.outer else [])
    comment = f' comment "{port.name}"'
    refusal = "drop" if rule.endpoints else "goto reject-chain"
    if port.cluster is not None and port.inner is not None:
        key = f"{port.cluster[0]} . {port.protocol} . {port.cluster[1]}"
        if rule.endpoints and (not inner_local or local):
            services.append(f"{key} : goto {'local' if inner_local else 'service'}-{base}")
        else:
            missing.append(f"{key}{comment} : {refusal}")
    for ip, _, number in port.others:
        key = f"{ip} . {port.protocol} . {number}"
        if rule.endpoints:
            services.append(f"{key} : goto external-{base}")
        if not rule.endpoints or (outer_local and not local):
            missing.append(f"{key}{comment} : {refusal}")
    if port.node_port:
        key = f"{port.protocol} . {port.node_port}"
        if rule.endpoints:
            node_ports.append(f"{key} : goto external-{base}")
        if not rule.endpoints or (outer_local and not local):
            missing_ports.append(f"{key}{comment} : {refusal}")
    if not rule.endpoints:
        return
    if (port.inner is not None and not inner_local) or port.outer is not None:
        chains += _balance(port, f"service-{base}", rule.endpoints, rule.affinity)
    if local:
        chains += _balance(port, f"local-{base}", local, rule.affinity)
    if port.outer is not None:
        chains += _external(base, outer_local, bool(local), cluster_cidr)
    for endpoint in rule.endpoints:
        ip, _, target = endpoint.rpartition(":")
        hairpins.append(f"{ip} . {ip} . {port.protocol} . {target}")
        if rule.affinity:
            name = endpoint_name(port, endpoint)
            lines = [f"update @affinity-{name} {{ ip saddr }}", f"meta l4proto {port.protocol} dnat to {endpoint}"]
            chains += _block("chain", f"endpoint-{name}", lines)
            flags = ["type ipv4_addr", "flags dynamic,timeout", f"timeout {rule.affinity}s"]
            chains += _block("set", f"affinity-{name}", flags)


def _external(base: str, local: bool, reachable: bool, cluster_cidr: str) -> list[str]:
    if not local:
        lines = [f'{MASQUERADE} comment "masquerade"', f"goto service-{base}"]
    else:
        lines = [f'ip saddr {cluster_cidr} goto service-{base} comment "short-circuit pod traffic"'] if cluster_cidr else []
        lines += [
            f'fib saddr type local {MASQUERADE} comment "masquerade local traffic"',
            f'fib saddr type local goto service-{base} comment "short-circuit local traffic"',
        ]
        lines += [f"goto local-{base}"] if reachable else []
    return _block("chain", f"external-{base}", lines)


def _balance(port: Port, chain: str, endpoints: list[str], affinity: int) -> list[str]:
    if not affinity:
        pairs = [f"{n} : {e.rpartition(':')[0]} . {e.rpartition(':')[2]}" for n, e in enumerate(endpoints)]
        head = f"meta l4proto {port.protocol} dnat ip addr . port to numgen random mod {len(endpoints)} map"
        return _block("chain", chain, [f"{head} {{ {', '.join(pairs)} }}"])
    names = [endpoint_name(port, endpoint) for endpoint in endpoints]
    lines = [f"ip saddr @affinity-{name} goto endpoint-{name}" for name in names]
    pairs = [f"{n} : goto endpoint-{name}" for n, name in enumerate(names)]
    return _block("chain", chain, [*lines, f"numgen random mod {len(names)} vmap {{ {', '.join(pairs)} }}"])

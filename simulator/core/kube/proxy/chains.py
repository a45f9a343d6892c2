"""kube-proxy's iptables chains of one host, made from the service rules that it wrote (pkg/proxy/iptables/proxier.go: syncProxyRules).

Chain names are the real ones: a prefix and the first 16 letters of the base32 SHA-256 of port name and protocol (and endpoint).
`render` is `world.tables["firewall"]`: the tables of a host that nobody has changed by hand.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import NamedTuple

from ...kernel.netfilter import Chain, Tables, built_in
from ...kernel.network import Rule, network
from ...kernel.world import World

NEW = "-m conntrack --ctstate NEW "
PORTALS = '-m comment --comment "kubernetes service portals" '
VISIBLE = '-m comment --comment "kubernetes externally-visible service portals" '
FIREWALL = '-m comment --comment "kubernetes load balancer firewall" '
LAST = '"kubernetes service nodeports; NOTE: this must be the last rule in this chain"'
#: Built-in chains' jumps: (table, chain, rule), in the order in which kube-proxy's insertions leave them.
JUMPS: tuple[tuple[str, str, str], ...] = (
    ("filter", "INPUT", NEW + FIREWALL + "-j KUBE-PROXY-FIREWALL"),
    ("filter", "INPUT", '-m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS'),
    ("filter", "INPUT", NEW + VISIBLE + "-j KUBE-EXTERNAL-SERVICES"),
    ("filter", "FORWARD", NEW + FIREWALL + "-j KUBE-PROXY-FIREWALL"),
    ("filter", "FORWARD", '-m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD'),
    ("filter", "FORWARD", NEW + PORTALS + "-j KUBE-SERVICES"),
    ("filter", "FORWARD", NEW + VISIBLE + "-j KUBE-EXTERNAL-SERVICES"),
    ("filter", "OUTPUT", NEW + FIREWALL + "-j KUBE-PROXY-FIREWALL"),
    ("filter", "OUTPUT", NEW + PORTALS + "-j KUBE-SERVICES"),
    ("nat", "PREROUTING", PORTALS + "-j KUBE-SERVICES"),
    ("nat", "OUTPUT", PORTALS + "-j KUBE-SERVICES"),
    ("nat", "POSTROUTING", '-m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING'),
)
#: Chains that kube-proxy rewrites in every sync.
TOP: dict[str, tuple[str, ...]] = {
    "filter": (
        "KUBE-SERVICES",
        "KUBE-EXTERNAL-SERVICES",
        "KUBE-FORWARD",
        "KUBE-NODEPORTS",
        "KUBE-PROXY-FIREWALL",
        "KUBE-FIREWALL",
    ),
    "nat": ("KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-MARK-MASQ"),
}
CANARY = "KUBE-PROXY-CANARY"
OWN = ("KUBE-SVC-", "KUBE-SVL-", "KUBE-SEP-", "KUBE-FW-", "KUBE-EXT-")


class Port(NamedTuple):
    """One Service port, gathered from its rules: (address, port) of the ClusterIP, other addresses with their kind, the NodePort."""

    name: str
    protocol: str
    cluster: tuple[str, int] | None
    inner: Rule | None
    outer: Rule | None
    others: tuple[tuple[str, str, int], ...]
    node_port: int


@lru_cache(maxsize=20_000)
def chain_name(prefix: str, text: str) -> str:
    """`KUBE-SVC-` and 16 letters (portProtoHash)."""
    return prefix + base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()[:16]


def ports_of(rules: dict[str, Rule]) -> list[Port]:
    """The Service ports behind a host's rules, by name."""
    found: dict[tuple[str, str], dict[str, list[tuple[str, int, Rule]]]] = {}
    for key, rule in rules.items():
        where, _, protocol = key.partition("/")
        ip, _, port = where.rpartition(":")
        found.setdefault((rule.service, protocol), {}).setdefault(rule.kind, []).append((ip, int(port), rule))
    out = []
    for (name, protocol), kinds in sorted(found.items()):
        inner = next(iter(kinds.get("", ())), None)
        outside = [item for kind in ("external", "lb", "nodeport") for item in kinds.get(kind, ())]
        others = tuple((ip, kind, port) for kind in ("external", "lb") for ip, port, _ in kinds.get(kind, ()))
        node_port = kinds["nodeport"][0][1] if kinds.get("nodeport") else 0
        out.append(
            Port(
                name,
                protocol,
                (inner[0], inner[1]) if inner else None,
                inner[2] if inner else None,
                outside[0][2] if outside else None,
                others,
                node_port,
            )
        )
    return out


def probability(count: int) -> str:
    """1/n as the kernel keeps it: in 2^-31."""
    return f"{round(2**31 / count) / 2**31:.11f}"


def render(world: World, host: str) -> Tables:
    """The tables of a host: empty ones, with kubelet's and kube-proxy's chains once they have been there."""
    net = network(world)
    tables = built_in()
    rules = net.rules.get(host)
    if host in net.pods or rules is not None:
        tables["mangle"]["KUBE-IPTABLES-HINT"] = Chain()
        tables["mangle"]["KUBE-KUBELET-CANARY"] = Chain()
        tables["filter"]["KUBE-FIREWALL"] = Chain(rules=[_localnet()])
        tables["filter"]["KUBE-KUBELET-CANARY"] = Chain()
        tables["nat"]["KUBE-KUBELET-CANARY"] = Chain()
        for chain in ("INPUT", "OUTPUT"):
            tables["filter"][chain].rules.append("-j KUBE-FIREWALL")
    if rules is not None and net.modes.get(host, "iptables") == "iptables":
        write(tables, rules, net.proxied.get(host, ""), full=True)
    return {table: dict(sorted(chains.items(), key=lambda item: (item[1].policy == "-", item[0] if item[1].policy == "-" else ""))) for table, chains in tables.items()}  # fmt: skip


def _localnet() -> str:
    return (
        '! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" '
        "-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP"
    )


def write(tables: Tables, rules: dict[str, Rule], cluster_cidr: str, *, full: bool) -> None:
    """Bring kube-proxy's chains in `tables` level with the rules; `full` also sees to the jumps and canaries."""
    ports = ports_of(rules)
    for table in ("filter", "nat", "mangle"):
        tables.setdefault(table, {})
    nat, flt = tables["nat"], tables["filter"]
    for name in [n for n in nat if n.startswith(OWN)]:
        del nat[name]
    for table, names in TOP.items():
        for name in names:
            tables[table][name] = Chain()
    if full:
        for table in ("mangle", "filter", "nat"):
            tables[table].setdefault(CANARY, Chain())
        for table, chain, text in reversed(JUMPS):
            held = tables[table].setdefault(chain, Chain("ACCEPT"))
            if text not in held.rules:
                held.rules.insert(0, text)
    flt["KUBE-FIREWALL"].rules.append(_localnet())
    flt["KUBE-FORWARD"].rules += [
        "-m conntrack --ctstate INVALID -m nfacct --nfacct-name  ct_state_invalid_dropped_pkts -j DROP",
        '-m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT',
        '-m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    ]
    nat["KUBE-MARK-MASQ"].rules.append("-j MARK --set-xmark 0x4000/0x4000")
    nat["KUBE-POSTROUTING"].rules += [
        "-m mark ! --mark 0x4000/0x4000 -j RETURN",
        "-j MARK --set-xmark 0x4000/0x0",
        '-m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
    ]
    for port in ports:
        _port(nat, flt, port, cluster_cidr)
    nat["KUBE-SERVICES"].rules.append(f"-m comment --comment {LAST} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS")


def clear(tables: Tables) -> None:
    """Take kube-proxy's chains and jumps away, as another mode does when it starts (`CleanupLeftovers`)."""
    for table, chain, text in JUMPS:
        held = tables.get(table, {}).get(chain)
        if held is not None and text in held.rules:
            held.rules.remove(text)
    for kind, found in tables.items():
        gone = {n for n in TOP.get(kind, ()) if n != "KUBE-FIREWALL"}  # that one is the kubelet's
        for name in [n for n in found if n.startswith(OWN) or n == CANARY or n in gone]:
            del found[name]


def _match(comment: str, port: Port, ip: str, number: int) -> str:
    where = f"-d {ip}/32 " if ip else ""
    return f'{where}-p {port.protocol} -m comment --comment "{comment}" -m {port.protocol} --dport {number}'


def _quoted(name: str) -> str:
    """iptables-save quotes a comment only where it has to."""
    return f'"{name}"' if any(c in name for c in " \"'\\") else name


def _port(nat: dict[str, Chain], flt: dict[str, Chain], port: Port, cluster_cidr: str) -> None:
    key = port.name + port.protocol
    svc, svl, ext = (chain_name(prefix, key) for prefix in ("KUBE-SVC-", "KUBE-SVL-", "KUBE-EXT-"))
    inner, outer = port.inner, port.outer
    any_rule = inner or outer
    if any_rule is None:
        return
    endpoints = any_rule.endpoints
    has = bool(endpoints)
    inner_local = inner is not None and inner.policy == "Local"
    outer_local = outer is not None and outer.policy == "Local"
    local = (inner.local if inner_local and inner else []) or (outer.local if outer_local and outer else [])
    has_inner = has and not (inner_local and inner is not None and not inner.local)
    has_outer = has and not (outer_local and outer is not None and not outer.local)
    inner_chain = svl if inner_local else svc
    if inner is not None and port.cluster is not None:
        ip, number = port.cluster
        if has_inner:
            match = _match(f"{port.name} cluster IP", port, ip, number)
            nat["KUBE-SERVICES"].rules.append(f"{match} -j {inner_chain}")
            if cluster_cidr:
                nat.setdefault(inner_chain, Chain()).rules.append(f"! -s {cluster_cidr} {match} -j KUBE-MARK-MASQ")
        else:
            flt["KUBE-SERVICES"].rules.append(_refusal(port, ip, number, has))
    for ip, kind, number in port.others:
        what = "external IP" if kind == "external" else "loadbalancer IP"
        if has:
            nat["KUBE-SERVICES"].rules.append(f"{_match(f'{port.name} {what}', port, ip, number)} -j {ext}")
        if not has_outer:
            flt["KUBE-EXTERNAL-SERVICES"].rules.append(_refusal(port, ip, number, has))
    if port.node_port:
        if has:
            match = f"-p {port.protocol} -m comment --comment {_quoted(port.name)} -m {port.protocol} --dport {port.node_port}"
            account = "-m nfacct --nfacct-name  localhost_nps_accepted_pkts "
            nat["KUBE-NODEPORTS"].rules += [f"-d 127.0.0.0/8 {match} {account}-j {ext}", f"{match} -j {ext}"]
        if not has_outer:
            refusal = _refusal(port, "", port.node_port, has)
            flt["KUBE-EXTERNAL-SERVICES"].rules.append(
                refusal.replace(f" -m {port.protocol} --dport", f" -m addrtype --dst-type LOCAL -m {port.protocol} --dport")
            )
    if outer is not None and has:
        _external(nat, port.name, ext, svc, svl if outer_local else svc, outer_local, has_outer, cluster_cidr)
    uses_cluster = has and ((inner is not None and not inner_local) or outer is not None)
    if uses_cluster:
        _balance(nat, port, svc, endpoints, any_rule.affinity)
    if local:
        _balance(nat, port, svl, local, any_rule.affinity)
    for endpoint in endpoints if uses_cluster else local:
        _endpoint(nat, port, endpoint, any_rule.affinity)


def _refusal(port: Port, ip: str, number: int, has: bool) -> str:
    if has:
        return f"{_match(f'{port.name} has no local endpoints', port, ip, number)} -j DROP"
    return f"{_match(f'{port.name} has no endpoints', port, ip, number)} -j REJECT --reject-with icmp-port-unreachable"


def _external(
    nat: dict[str, Chain], name: str, ext: str, svc: str, policy: str, local: bool, reachable: bool, cluster_cidr: str
) -> None:
    rules = nat.setdefault(ext, Chain()).rules
    if not local:
        rules.append(f'-m comment --comment "masquerade traffic for {name} external destinations" -j KUBE-MARK-MASQ')
    else:
        if cluster_cidr:
            rules.append(f'-s {cluster_cidr} -m comment --comment "pod traffic for {name} external destinations" -j {svc}')
        for what, target in (("masquerade", "KUBE-MARK-MASQ"), ("route", svc)):
            comment = f'"{what} LOCAL traffic for {name} external destinations"'
            rules.append(f"-m comment --comment {comment} -m addrtype --src-type LOCAL -j {target}")
    if reachable:
        rules.append(f"-j {policy}")


def _balance(nat: dict[str, Chain], port: Port, chain: str, endpoints: list[str], affinity: int) -> None:
    rules = nat.setdefault(chain, Chain()).rules
    seps = [(endpoint, chain_name("KUBE-SEP-", port.name + port.protocol + endpoint)) for endpoint in endpoints]
    comments = [f'-m comment --comment "{port.name} -> {endpoint}"' for endpoint in endpoints]
    if affinity:
        for (_, sep), comment in zip(seps, comments, strict=True):
            recent = f"-m recent --rcheck --seconds {affinity} --reap --name {sep} --mask 255.255.255.255 --rsource"
            rules.append(f"{comment} {recent} -j {sep}")
    for index, ((_, sep), comment) in enumerate(zip(seps, comments, strict=True)):
        left = len(seps) - index
        share = f" -m statistic --mode random --probability {probability(left)}" if left > 1 else ""
        rules.append(f"{comment}{share} -j {sep}")


def _endpoint(nat: dict[str, Chain], port: Port, endpoint: str, affinity: int) -> None:
    sep = chain_name("KUBE-SEP-", port.name + port.protocol + endpoint)
    comment = f"-m comment --comment {_quoted(port.name)}"
    recent = f" -m recent --set --name {sep} --mask 255.255.255.255 --rsource" if affinity else ""
    nat[sep] = Chain(
        rules=[
            f"-s {endpoint.rpartition(':')[0]}/32 {comment} -j KUBE-MARK-MASQ",
            f"-p {port.protocol} {comment}{recent} -m {port.protocol} -j DNAT --to-destination {endpoint}",
        ]
    )

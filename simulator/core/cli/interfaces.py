"""`ip` (iproute2) and `ifconfig`: the interfaces, addresses, routes and neighbours that follow from the simulated network.

A host has its link to the other machines, the bridge of its pods and one veth for each pod sandbox; a pod has `eth0`.
"""

from __future__ import annotations

import ipaddress
import zlib

import msgspec

from ..host.invocation import Call
from ..kernel import network
from ..kernel.errors import NotSimulated
from ..kernel.netfilter import in_cidr
from ..shell.coreutils.names import is_address

LINK, BRIDGE, GATEWAY = "enp1s0", "cni0", "172.30.1.1"


class Interface(msgspec.Struct):
    """One interface as `ip` shows it; addresses as (address, prefix length, broadcast)."""

    index: int
    name: str
    peer: str = ""
    kind: str = ""
    mac: str = ""
    addresses: list[tuple[str, int, str]] = []
    master: str = ""
    netns: str = ""
    up: bool = True
    promiscuous: bool = False


def mac(text: str, prefix: str = "52:54") -> str:
    """A hardware address that stays the same for the same text."""
    value = zlib.crc32(text.encode())
    return prefix + "".join(f":{value >> shift & 255:02x}" for shift in (24, 16, 8, 0))


def _broadcast(address: str, bits: int) -> str:
    return str(ipaddress.ip_network(f"{address}/{bits}", strict=False).broadcast_address)


def pod_namespaces(call: Call, host: str) -> list[str]:
    """The namespaces of the host's pods that have an address of its pod network, in the order in which they came."""
    net = network.network(call.world)
    cidr = net.pods.get(host)
    if not cidr:
        return []
    return [n for n, ns in net.namespaces.items() if ns.host == host and n != host and ns.ips and in_cidr(ns.ips[0], cidr)]


def interfaces(call: Call) -> list[Interface]:
    """The interfaces of the namespace that a command runs in."""
    net, netns = network.network(call.world), call.proc.netns
    lo = Interface(1, "lo", kind="loopback", mac="00:00:00:00:00:00", addresses=[("127.0.0.1", 8, "")])
    ns = net.namespaces.get(netns)
    if ns is None:
        return [lo]
    host = ns.host
    if netns != host:
        pods = pod_namespaces(call, host)
        peer = f"if{4 + pods.index(netns)}" if netns in pods else "if7"
        addresses = [(ip, 24, _broadcast(ip, 24)) for ip in ns.ips]
        return [lo, Interface(2, "eth0", peer, "veth", mac(netns, "3a:9e"), addresses)]
    bridge = str(ipaddress.ip_network(net.pods[host])[1]) if host in net.pods else ""
    own = [(ip, 24, _broadcast(ip, 24)) for ip in ns.ips if ip != bridge]
    out = [lo, Interface(2, LINK, "", "ether", mac(netns), own, up=not net.down.get(host))]
    pods = pod_namespaces(call, host)
    if bridge and pods:
        addresses = [(bridge, 24, _broadcast(bridge, 24))]
        out.append(Interface(3, BRIDGE, "", "bridge", mac(bridge, "2e:5c"), addresses, promiscuous=True))
        for number, pod in enumerate(pods):
            name = f"veth{zlib.crc32(pod.encode()):08x}"
            out.append(Interface(4 + number, name, "if2", "veth", mac(name, "be:c4"), [], BRIDGE, namespace_name(pod)))
    if net.modes.get(host) == "ipvs":
        services = sorted({key.rpartition(":")[0] for key, rule in net.rules.get(host, {}).items() if not rule.kind})
        own = [(ip, 32, "") for ip in services]
        out.append(Interface(5 + len(pods), "kube-ipvs0", "", "dummy", mac("ipvs" + host, "1a:ce"), own, up=False))
    return out


def namespace_name(netns: str) -> str:
    """`cni-<uuid>`: the name that the CNI gives a pod's namespace."""
    digest = f"{zlib.crc32(netns.encode()):08x}{zlib.crc32(netns[::-1].encode()):08x}{zlib.crc32((netns + '/').encode()):08x}"
    return f"cni-{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[12:24]}"


def routes(call: Call) -> list[tuple[str, str]]:
    """(destination, rest of the line) of the main table, as `ip route` sorts it."""
    net, netns = network.network(call.world), call.proc.netns
    found = interfaces(call)
    out: list[tuple[str, str]] = []
    ns = net.namespaces.get(netns)
    if ns is None:
        return out
    if netns != ns.host:
        if ns.ips:
            subnet = ipaddress.ip_network(f"{ns.ips[0]}/24", strict=False)
            out.append(("default", f"via {subnet[1]} dev eth0 "))
            out.append((str(subnet), f"dev eth0 proto kernel scope link src {ns.ips[0]} "))
        return out
    link = next((item for item in found if item.name == LINK), None)
    if link is None or not link.addresses or not link.up:
        return out
    own = link.addresses[0][0]
    out.append(("default", f"via {GATEWAY} dev {LINK} proto static "))
    subnet = ipaddress.ip_network(f"{own}/24", strict=False)
    out.append((str(subnet), f"dev {LINK} proto kernel scope link src {own} "))
    for host, cidr in net.pods.items():
        if host == ns.host:
            if any(item.name == BRIDGE for item in found):
                gateway = ipaddress.ip_network(cidr)[1]
                out.append((cidr, f"dev {BRIDGE} proto kernel scope link src {gateway} "))
            continue
        other = net.namespaces.get(host)
        if other is not None and other.ips:
            out.append((cidr, f"via {other.ips[0]} dev {LINK} "))
    return [out[0], *sorted(out[1:], key=lambda row: ipaddress.ip_network(row[0]))]


def _link_lines(item: Interface, with_addresses: bool, one_line: bool) -> str:
    name = f"{item.name}@{item.peer}" if item.peer else item.name
    if item.kind == "loopback":
        flags, mtu, rest = "LOOPBACK,UP,LOWER_UP", 65536, "qdisc noqueue state UNKNOWN group default qlen 1000"
    elif not item.up:
        flags, mtu = ("BROADCAST,NOARP", 1500) if item.kind == "dummy" else ("BROADCAST,MULTICAST", 1500)
        rest = f"qdisc {'noop' if item.kind == 'dummy' else 'fq_codel'} state DOWN group default{'' if item.kind == 'dummy' else ' qlen 1000'} "
        rest = rest.rstrip()
    else:
        flags, mtu = "BROADCAST,MULTICAST,UP,LOWER_UP", 1500
        if item.promiscuous:
            flags = "BROADCAST,MULTICAST,PROMISC,UP,LOWER_UP"
        qdisc = "fq_codel" if item.kind == "ether" else "noqueue"
        rest = f"qdisc {qdisc}{f' master {item.master}' if item.master else ''} state UP group default qlen 1000"
    kind = "loopback" if item.kind == "loopback" else "ether"
    broadcast = "00:00:00:00:00:00" if item.kind == "loopback" else "ff:ff:ff:ff:ff:ff"
    netns = " link-netnsid 0" if item.name == "eth0" else (f" link-netns {item.netns}" if item.netns else "")
    join = "\\" if one_line else "\n"
    text = f"{item.index}: {name}: <{flags}> mtu {mtu} {rest}{join}    link/{kind} {item.mac} brd {broadcast}{netns}\n"
    if not with_addresses:
        return text
    if one_line:
        text = ""
    for address, bits, brd in item.addresses:
        scope = f"scope host {item.name}" if kind == "loopback" or item.kind == "dummy" else f"scope global {item.name}"
        brd_text = f"brd {brd} " if brd else ""
        if item.kind == "dummy":
            scope = f"scope global {item.name}"
        if one_line:
            text += f"{item.index}: {item.name}    inet {address}/{bits} {brd_text}{scope}\\       valid_lft forever preferred_lft forever\n"
        else:
            text += f"    inet {address}/{bits} {brd_text}{scope}\n       valid_lft forever preferred_lft forever\n"
    return text


def _select(call: Call, words: list[str]) -> list[Interface] | int:
    """The interfaces that the words after `show` ask for, or the exit status of a wrong name."""
    found = interfaces(call)
    rest = [word for word in words if word not in ("show", "list", "ls", "sh", "s", "up")]
    while rest:
        word = rest.pop(0)
        if word == "type" and rest:
            kind = rest.pop(0)
            found = [item for item in found if item.kind == kind]
        elif word == "master" and rest:
            master = rest.pop(0)
            found = [item for item in found if item.master == master]
        else:
            name = rest.pop(0) if word == "dev" and rest else word
            chosen = [item for item in found if item.name == name.partition("@")[0]]
            if not chosen:
                call.err(f'Device "{name}" does not exist.\n')
                return 1
            found = chosen
    return found


def _show(call: Call, words: list[str], flags: set[str], with_addresses: bool) -> int:
    found = _select(call, words)
    if isinstance(found, int):
        return found
    for item in found:
        if {"-br", "-brief"} & flags:
            state = "UNKNOWN" if item.kind == "loopback" else ("UP" if item.up else "DOWN")
            name = f"{item.name}@{item.peer}" if item.peer else item.name
            shown = (
                "".join(f"{a}/{b} " for a, b, _ in item.addresses)
                if with_addresses
                else f"{item.mac} <{'UP' if item.up else ''}> "
            )
            call.out(f"{name:<16} {state:<14} {shown}\n")
            continue
        if "-4" in flags and with_addresses and not item.addresses:
            continue
        call.out(_link_lines(item, with_addresses, bool({"-o", "-oneline"} & flags)))
    return 0


def _route(call: Call, words: list[str]) -> int:
    if words[:1] == ["get"] and len(words) > 1:
        return _route_get(call, words[1])
    if words[:1] and words[0] not in ("show", "list", "ls", "s", "sh"):
        raise NotSimulated(f"ip route {words[0]}")
    wanted = [word for word in words[1:] if word not in ("table", "main")]
    for destination, rest in routes(call):
        if not wanted or wanted[0] == destination or (wanted[0] == "dev" and f"dev {wanted[-1]} " in rest):
            call.out(f"{destination} {rest}\n")
    return 0


def _route_get(call: Call, address: str) -> int:
    if not is_address(address):
        call.err(f'Error: any valid prefix is expected rather than "{address}".\n')
        return 1
    own = {ip for item in interfaces(call) for ip, _, _ in item.addresses}
    if address in own or address.startswith("127."):
        call.out(f"local {address} dev lo src {address} uid {call.uid} \n    cache <local> \n")
        return 0
    best = None
    for destination, rest in routes(call):
        if destination == "default":
            best = best or (destination, rest)
        elif in_cidr(address, destination):
            best = (destination, rest)
    if best is None:
        call.err("RTNETLINK answers: Network is unreachable\n")
        return 2
    words = best[1].split()
    via = f"via {words[words.index('via') + 1]} " if "via" in words else ""
    device = words[words.index("dev") + 1]
    source = next((i.addresses[0][0] for i in interfaces(call) if i.name == device and i.addresses), "")
    call.out(f"{address} {via}dev {device} src {source} uid {call.uid} \n    cache \n")
    return 0


def _neighbours(call: Call) -> int:
    net = network.network(call.world)
    ns = net.namespaces.get(call.proc.netns)
    if ns is None:
        return 0
    if call.proc.netns != ns.host:
        gateway = routes(call)[0][1].split()[1] if ns.ips else ""
        if gateway:
            call.out(f"{gateway} dev eth0 lladdr {mac(gateway, '2e:5c')} REACHABLE \n")
        return 0
    for pod in pod_namespaces(call, ns.host):
        call.out(f"{net.namespaces[pod].ips[0]} dev {BRIDGE} lladdr {mac(pod, '3a:9e')} REACHABLE \n")
    for name, other in net.namespaces.items():
        if name == other.host and name != ns.host and other.ips and other.ips[0].startswith("172.30."):
            lost = net.down.get(name) or net.cut.get(network.link_key(name, ns.host))
            call.out(f"{other.ips[0]} dev {LINK} " + ("FAILED \n" if lost else f"lladdr {mac(name)} REACHABLE \n"))
    return 0


def _set(call: Call, words: list[str]) -> int:
    """`ip link set [dev] NAME up|down`: a host without its link is alone."""
    rest = [word for word in words if word != "dev"]
    name, what = [*rest, ""][0], rest[-1] if rest else ""
    if not any(item.name == name for item in interfaces(call)):
        call.err(f'Cannot find device "{name}"\n')
        return 1
    if call.uid:
        call.err("RTNETLINK answers: Operation not permitted\n")
        return 2
    if what not in ("up", "down") or name != LINK or call.proc.netns != call.host.name:
        raise NotSimulated(f"ip link set {' '.join(words)}")
    net = network.network(call.world)
    if what == "down":
        net.down[call.host.name] = True
    elif call.host.up:
        net.down.pop(call.host.name, None)
    network.changed(call.world)
    return 0


def ip(call: Call) -> int:
    """`ip [-br|-o|-4] addr|link|route|neigh|netns [show …|get …|set …]`."""
    flags = {word for word in call.argv[1:] if word.startswith("-")}
    if flags & {"-j", "-json", "-p", "-d", "-s", "-6"}:
        raise NotSimulated(f"ip {sorted(flags)[0]}")
    words = [word for word in call.argv[1:] if not word.startswith("-")]
    if not words:
        call.err("Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }\n")
        return 255
    what, rest = words[0], words[1:]
    if "address".startswith(what):
        if rest[:1] and rest[0] in ("add", "del", "replace", "flush"):
            raise NotSimulated(f"ip address {rest[0]}")
        return _show(call, rest, flags, True)
    if "link".startswith(what):
        if rest[:1] and rest[0] == "set":
            return _set(call, rest[1:])
        if rest[:1] and rest[0] in ("add", "del", "delete"):
            raise NotSimulated(f"ip link {rest[0]}")
        return _show(call, rest, flags, False)
    if "route".startswith(what):
        return _route(call, rest)
    if "neighbour".startswith(what) or "neighbor".startswith(what):
        return _neighbours(call)
    if what == "netns" and (not rest or rest[0] in ("list", "ls", "show")):
        pods = pod_namespaces(call, call.host.name)
        for number in range(len(pods) - 1, -1, -1):
            call.out(f"{namespace_name(pods[number])} (id: {number})\n")
        return 0
    if not any(known.startswith(what) for known in ("rule", "netns", "maddress", "monitor", "tunnel", "xfrm", "vrf")):
        call.err(f'Object "{what}" is unknown, try "ip help".\n')
        return 1
    raise NotSimulated(" ".join(["ip", what, *rest[:1]]))


def ifconfig(call: Call) -> int:
    """`ifconfig`."""
    for item in interfaces(call):
        loop = item.kind == "loopback"
        flags = "73<UP,LOOPBACK,RUNNING>" if loop else "4163<UP,BROADCAST,RUNNING,MULTICAST>"
        call.out(f"{item.name}: flags={flags}  mtu {65536 if loop else 1500}\n")
        for address, bits, brd in item.addresses:
            mask = ipaddress.ip_network(f"{address}/{bits}", strict=False).netmask
            call.out(f"        inet {address}  netmask {mask}" + (f"  broadcast {brd}" if brd else "") + "\n")
        call.out(
            "        loop  txqueuelen 1000  (Local Loopback)\n"
            if loop
            else f"        ether {item.mac}  txqueuelen 1000  (Ethernet)\n"
        )
        call.out("\n")
    return 0

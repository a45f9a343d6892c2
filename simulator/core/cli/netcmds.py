"""Network commands of a host: ip, ifconfig, ss, netstat, ping, nc, getent."""

from __future__ import annotations

import re
import zlib
from collections.abc import Generator
from typing import Any

from ..host import processes
from ..host.invocation import Call
from ..host.program import Sleep, Wait
from ..kernel import network
from ..kernel.clock import MS, SECOND
from ..kernel.errors import ConnectError, NotSimulated
from ..shell.coreutils.names import hosts_file, lookup_name

Code = Generator[Wait, Any, int]


def _mac(text: str) -> str:
    value = zlib.crc32(text.encode())
    return "52:54:" + ":".join(f"{value >> shift & 255:02x}" for shift in (24, 16, 8, 0))


def _interfaces(call: Call) -> list[tuple[str, list[str]]]:
    found = network.network(call.world).namespaces.get(call.proc.netns)
    ips = list(found.ips) if found else []
    name = "enp1s0" if "/" not in call.proc.netns else "eth0"
    return [("lo", ["127.0.0.1/8"]), (name, [f"{ip}/24" for ip in ips])]


def ip(call: Call) -> int:
    """`ip [-br] addr|link|route`."""
    words = [word for word in call.argv[1:] if not word.startswith("-")]
    brief = any(word in ("-br", "-brief") for word in call.argv)
    what = words[0] if words else ""
    if what in ("a", "ad", "add", "addr", "address", "l", "link"):
        for number, (name, addresses) in enumerate(_interfaces(call), 1):
            up = "UNKNOWN" if name == "lo" else "UP"
            if brief:
                call.out(f"{name:<17}{up:<15}{' '.join(addresses)} \n")
                continue
            flags = "LOOPBACK,UP,LOWER_UP" if name == "lo" else "BROADCAST,MULTICAST,UP,LOWER_UP"
            mac = "00:00:00:00:00:00" if name == "lo" else _mac(call.proc.netns)
            call.out(
                f"{number}: {name}: <{flags}> mtu {65536 if name == 'lo' else 1500} qdisc {'noqueue' if name == 'lo' else 'fq_codel'} state {up} group default qlen 1000\n"
            )
            call.out(
                f"    link/{'loopback' if name == 'lo' else 'ether'} {mac} brd {'00:00:00:00:00:00' if name == 'lo' else 'ff:ff:ff:ff:ff:ff'}\n"
            )
            if what[0] == "a":
                for address in addresses:
                    tail = "scope host lo" if name == "lo" else f"brd {address.rpartition('.')[0]}.255 scope global {name}"
                    call.out(f"    inet {address} {tail}\n       valid_lft forever preferred_lft forever\n")
        return 0
    if what in ("r", "ro", "route"):
        name, addresses = _interfaces(call)[1]
        if addresses:
            own = addresses[0].partition("/")[0]
            prefix = own.rpartition(".")[0]
            call.out(
                f"default via {prefix}.1 dev {name} proto static\n{prefix}.0/24 dev {name} proto kernel scope link src {own}\n"
            )
        return 0
    raise NotSimulated(f"ip {what}" if what else "ip without an object")


def ifconfig(call: Call) -> int:
    """`ifconfig`."""
    for name, addresses in _interfaces(call):
        call.out(f"{name}: flags={73 if name == 'lo' else 4163}<UP>  mtu {65536 if name == 'lo' else 1500}\n")
        call.out("".join(f"        inet {address.partition('/')[0]}  netmask 255.255.255.0\n" for address in addresses) + "\n")
    return 0


def ss(call: Call) -> int:
    """`ss -tlnp`, `netstat -tlnp`: listening sockets."""
    flags = "".join(word[1:] for word in call.argv[1:] if re.fullmatch("-[a-z]+", word))
    found = network.network(call.world).namespaces.get(call.proc.netns)
    old = call.argv[0].endswith("netstat")
    if old:
        call.out(
            "Active Internet connections (only servers)\nProto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name\n"
        )
    else:
        both = ("t" in flags) == ("u" in flags)
        call.out(("Netid  " if both else "") + "State   Recv-Q  Send-Q   Local Address:Port    Peer Address:Port  Process\n")
    listeners = found.listeners if found else {}
    for key in sorted(listeners, key=lambda item: (item.partition("/")[2], int(item.partition("/")[0]))):
        port, _, protocol = key.partition("/")
        if ("t" in flags or "u" in flags) and protocol[0] not in flags:
            continue
        for item in listeners[key]:
            proc = processes.find(call.world, item.host, item.pid)
            name = proc.argv[0].rpartition("/")[2] if proc else "?"
            address = "*" if item.address == "0.0.0.0" and not old else item.address
            state = "LISTEN" if protocol == "tcp" else "UNCONN"
            if old:
                call.out(
                    f"{protocol:<5} {0:>6} {0:>6} {address + ':' + port:<23} {'0.0.0.0:*':<23} {state:<11} {item.pid}/{name}\n"
                )
                continue
            who = f'  users:(("{name}",pid={item.pid},fd=7))' if "p" in flags else ""
            prefix = f"{protocol:<7}" if ("t" in flags) == ("u" in flags) else ""
            call.out(
                f"{prefix}{state:<8}{0:<8}{4096 if protocol == 'tcp' else 0:<9}{address + ':' + port:>18}{'*:*' if address == '*' else '0.0.0.0:*':>21}{who}\n"
            )
    return 0


def ping(call: Call) -> Code:
    """`ping [-c count] [-i interval] [-W timeout] host`: until Ctrl-C without -c."""
    options: dict[str, str] = {}
    rest = list(call.argv[1:])
    target = ""
    while rest:
        word = rest.pop(0)
        if re.match("-[ciWwst]", word):
            options[word[1]] = word[2:] or (rest.pop(0) if rest else "")
        elif not word.startswith("-"):
            target = word
    addresses = lookup_name(call, target) if target else []
    if not addresses:
        call.err(
            f"ping: {target}: Name or service not known\n" if target else "ping: usage error: Destination address required\n"
        )
        return 2
    address = addresses[0]
    net = network.network(call.world)
    call.out(f"PING {target} ({address}) 56(84) bytes of data.\n")
    count = int(options.get("c", 0) or 0)
    sent = got = 0
    start = call.world.now
    while not count or sent < count:
        sent += 1
        owner = call.proc.netns if address.startswith("127.") else net.owners.get(address)
        namespace = net.namespaces.get(owner) if owner else None
        reachable = (
            namespace is not None
            and not net.down.get(namespace.host)
            and not net.cut.get(network.link_key(namespace.host, call.host.name))
        )
        if reachable:
            got += 1
            took = call.world.rng("ping").between(30, 900) / 1000
            call.out(f"64 bytes from {address}: icmp_seq={sent} ttl=64 time={took:.3f} ms\n")
        if count and sent == count:
            if not reachable:
                yield Sleep(int(float(options.get("W", 10)) * SECOND))
            break
        yield Sleep(int(float(options.get("i", 1)) * SECOND))
    loss = (sent - got) * 100 // max(sent, 1)
    call.out(
        f"\n--- {target} ping statistics ---\n{sent} packets transmitted, {got} received, {loss}% packet loss, time {(call.world.now - start) // MS}ms\n"
    )
    if got:
        call.out("rtt min/avg/max/mdev = 0.041/0.372/0.881/0.204 ms\n" if False else "")
    return 0 if got else 1


def nc(call: Call) -> Code:
    """`nc -zv host port`: whether somebody listens."""
    flags = "".join(word[1:] for word in call.argv[1:] if word.startswith("-"))
    words = [word for word in call.argv[1:] if not word.startswith("-")]
    if "z" not in flags or len(words) < 2:
        raise NotSimulated("nc without -z")
    addresses = lookup_name(call, words[0])
    if not addresses:
        call.err(f'nc: getaddrinfo for host "{words[0]}" port {words[-1]}: Name or service not known\n')
        return 1
    try:
        network.connect(call.world, call.proc.netns, addresses[0], int(words[-1]))
    except ConnectError as failed:
        why = "Connection refused" if failed.kind == "refused" else "Connection timed out"
        call.err(f"nc: connect to {words[0]} ({addresses[0]}) port {words[-1]} (tcp) failed: {why}\n")
        return 1
    if "v" in flags:
        call.err(f"Connection to {words[0]} ({addresses[0]}) {words[-1]} port [tcp/*] succeeded!\n")
    return 0
    yield


def getent(call: Call) -> int:
    """`getent hosts|ahosts|passwd|group [keys]`."""
    words = call.argv[1:]
    if words[:1] in (["hosts"], ["ahosts"]):
        if len(words) == 1:
            for address, names in hosts_file(call):
                call.out(f"{address:<15} {' '.join(names)}\n")
            return 0
        code = 0
        for name in words[1:]:
            found = lookup_name(call, name)
            call.out("".join(f"{address:<15} {name}\n" for address in found))
            code = code if found else 2
        return code
    if words[:1] in (["passwd"], ["group"]):
        rows = call.read_file(f"/etc/{words[0]}").decode().splitlines()
        found_rows = [row for row in rows if len(words) == 1 or row.split(":")[0] in words[1:] or row.split(":")[2] in words[1:]]
        call.out("".join(row + "\n" for row in found_rows))
        return 0 if found_rows else 2
    raise NotSimulated(" ".join(["getent", *words[:1]]))

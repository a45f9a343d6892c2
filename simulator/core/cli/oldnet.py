"""net-tools' `route` and `arp`, as `ip route` and `ip neigh` know them, and `telnet` as far as a connection goes."""

from __future__ import annotations

import ipaddress

from ..host.invocation import Call
from ..host.program import Sleep
from ..kernel.clock import SECOND
from ..kernel.errors import ConnectError, NotSimulated
from ..shell.coreutils import packets
from ..shell.coreutils.common import Code
from ..shell.coreutils.names import busybox, resolve
from .interfaces import routes


def route(call: Call) -> int:
    """`route [-n]`: the main table."""
    words = call.argv[1:]
    if any(not word.startswith("-") for word in words):
        raise NotSimulated(f"route {words[0]}")
    numbers = any("n" in word for word in words)
    call.out("Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n")
    for destination, rest in routes(call):
        fields = rest.split()
        gateway = fields[fields.index("via") + 1] if "via" in fields else ""
        device = fields[fields.index("dev") + 1]
        if destination == "default":
            shown, mask = "0.0.0.0" if numbers else "default", "0.0.0.0"
        else:
            network = ipaddress.ip_network(destination)
            shown, mask = str(network.network_address), str(network.netmask)
        flags = "UG" if gateway else "U"
        call.out(f"{shown:<15} {gateway or '0.0.0.0':<15} {mask:<15} {flags:<5} 0      0        0 {device}\n")
    return 0


def arp(call: Call) -> Code:
    """`arp [-n] [-a]`: the neighbours."""
    words = call.argv[1:]
    if any(word not in ("-n", "-a", "-an", "-na", "-e") for word in words):
        raise NotSimulated(f"arp {words[0]}")
    _, out, _ = yield from call.capture(["ip", "neigh"])
    rows = [line.split() for line in out.decode().splitlines() if line.strip()]
    bsd = any("a" in word for word in words)
    if not bsd:
        call.out("Address                  HWtype  HWaddress           Flags Mask            Iface\n")
    for row in rows:
        hardware = row[row.index("lladdr") + 1] if "lladdr" in row else ""
        device = row[row.index("dev") + 1]
        if bsd:
            call.out(f"? ({row[0]}) at {hardware + ' [ether]' if hardware else '<incomplete>'} on {device}\n")
        elif hardware:
            call.out(f"{row[0]:<24} ether   {hardware:<19} C                     {device}\n")
        else:
            call.out(f"{row[0]:<24}         (incomplete)                              {device}\n")
    return 0


#: What telnet says of a connection that is refused, times out or has no way.
_WHY = {
    "refused": "Connection refused",
    "timeout": "Connection timed out",
    "no-route": "No route to host",
    "reset": "Connection reset by peer",
}


def telnet(call: Call) -> Code:
    """`telnet host [port]`: whether somebody listens; the connection ends with its input or Ctrl-C, and carries nothing."""
    words = [word for word in call.argv[1:] if not word.startswith("-")]
    if not words:
        raise NotSimulated("telnet's own prompt")
    found = resolve(call, words[0])
    box = busybox(call)
    port = int(words[1]) if len(words) > 1 and words[1].isdigit() else 23
    if not found.addresses:
        yield Sleep(found.waited)
        if box:
            call.err(f"telnet: bad address '{words[0]}'\n")
            return 1
        call.err(f"telnet: could not resolve {words[0]}/{words[1] if len(words) > 1 else 'telnet'}: {found.error}\n")
        return 1
    address = found.addresses[0]
    if not box:
        call.out(f"Trying {address}...\n")
    try:
        path = packets.send(call, address, port, "tcp")
    except ConnectError as failed:
        if failed.kind in ("timeout", "no-route"):
            yield Sleep((127 if failed.kind == "timeout" else 3) * SECOND)
        where = f"can't connect to remote host ({address})" if box else "Unable to connect to remote host"
        call.err(f"telnet: {where}: {_WHY[failed.kind]}\n")
        return 1
    yield Sleep(path.latency)
    call.out(f"Connected to {words[0]}\n" if box else f"Connected to {words[0]}.\nEscape character is '^]'.\n")
    typed = yield from call.read_line()
    if typed.strip() in (b"", b"\x1d", b"quit"):
        call.out("Connection closed by foreign host\n" if box else "Connection closed by foreign host.\n")
        return 1
    raise NotSimulated("what is typed into telnet")

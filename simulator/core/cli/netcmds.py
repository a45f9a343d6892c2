"""`ss`, `netstat` and `getent`: what listens here, and what names mean."""

from __future__ import annotations

import re

from ..host import processes
from ..host.invocation import Call
from ..kernel import network
from ..kernel.errors import NotSimulated
from ..shell.coreutils.names import hosts_file, lookup_name


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

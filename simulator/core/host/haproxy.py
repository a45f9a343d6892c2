"""`haproxy` as a TCP balancer: frontends with `bind`, backends with `server NAME ADDRESS:PORT check`, one after the other.

Each request goes to the next server of the backend that takes connections; TLS passes through untouched.  Of haproxy.cfg only
`frontend`, `backend`, `listen`, `bind`, `default_backend` and `server` are read.
"""

from __future__ import annotations

import msgspec

from ..kernel import network
from ..kernel.errors import ConnectError
from ..kernel.http import Request, Response
from ..kernel.world import World
from . import files, processes
from .process import Process
from .program import Exited


class Balancer(msgspec.Struct):
    """A running balancer: servers by port, and whose turn it is."""

    servers: dict[int, list[str]] = {}
    turn: int = 0


def section(world: World) -> dict[str, Balancer]:
    """All running balancers by process key."""
    return world.section("haproxy", dict)


def parse(text: str) -> dict[int, list[str]]:
    """The servers behind each port; raises ValueError naming the line."""
    ports: dict[int, str] = {}
    backends: dict[str, list[str]] = {}
    bound: list[int] = []
    name = kind = ""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words[0] in ("global", "defaults", "frontend", "backend", "listen"):
            kind, name = words[0], words[1] if len(words) > 1 else ""
            bound = []
        elif words[0] == "bind" and len(words) > 1:
            port = words[1].rpartition(":")[2]
            if not port.isdigit():
                raise ValueError(f"[{number}] : 'bind' : invalid address '{words[1]}'")
            bound.append(int(port))
            ports[int(port)] = name
        elif words[0] == "default_backend" and len(words) > 1:
            for one in bound:
                ports[one] = words[1]
        elif words[0] == "server" and kind in ("backend", "listen"):
            if len(words) < 3:
                raise ValueError(f"[{number}] : 'server' expects <name> and <addr>[:<port>] as arguments")
            backends.setdefault(name, []).append(words[2])
    return {port: backends.get(backend, []) for port, backend in ports.items()}


class HaproxyProgram:
    """See `host.program.Program`."""

    def start(self, world: World, proc: Process) -> None:
        """Read the configuration and bind its ports."""
        path = proc.argv[proc.argv.index("-f") + 1] if "-f" in proc.argv[:-1] else "/etc/haproxy/haproxy.cfg"
        try:
            found = parse(files.read_file(world, proc.host, path, mnt=proc.mnt).decode("utf-8", "replace"))
            for port in found:
                network.listen(world, proc.netns, port, host=proc.host, pid=proc.pid)
        except (OSError, ValueError) as error:
            processes.log(world, proc, f"[ALERT]    (1) : config : parsing {path}: {error}")
            raise Exited(1) from None
        section(world)[proc.key] = Balancer(found)
        processes.log(world, proc, f"[NOTICE]   (1) : New worker ({proc.pid}) forked")

    def timer(self, world: World, proc: Process, payload: object) -> None:
        """It has no timers."""

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """Forget its state."""
        section(world).pop(proc.key, None)
        return 0 if signal == 15 else 128 + signal

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """Pass a request on; connections are reset when no server takes them."""
        state = section(world)[proc.key]
        for servers in state.servers.values():
            for _ in servers:
                state.turn += 1
                address, _colon, port = servers[state.turn % len(servers)].rpartition(":")
                try:
                    return network.http(world, proc.netns, address, int(port), request)
                except ConnectError as error:
                    if error.kind == "tls":
                        raise
        raise ConnectError("reset", proc.host, "EOF")


PROGRAM = HaproxyProgram()

"""Faults as inputs: what can be done to a world from outside, by name, with the arguments each takes."""

from __future__ import annotations

from collections.abc import Callable

from ..host import processes, systemd
from ..host.machine import Host, hosts
from ..kernel import network
from ..kernel.errors import BadInput
from ..kernel.world import World


def _host(world: World, name: str) -> Host:
    host = hosts(world).get(name)
    if host is None:
        raise BadInput(f"fault: no host {name!r}; there are: {', '.join(sorted(hosts(world)))}")
    return host


def power_off(world: World, name: str) -> None:
    """`power-off HOST`: every process dies at once, nothing is written, the network interface is down."""
    host = _host(world, name)
    network.network(world).down[name] = True
    network.changed(world)
    host.up = False
    for pid in sorted(host.processes, reverse=True):
        proc = host.processes.get(pid)
        if proc is not None:
            processes.kill(world, proc, 9)


def power_on(world: World, name: str) -> None:
    """`power-on HOST`: the machine boots and systemd starts the enabled units."""
    host = _host(world, name)
    if host.up:
        raise BadInput(f"fault: {name} is on already")
    network.network(world).down.pop(name, None)
    network.changed(world)
    host.up = True
    host.boot_at = world.now
    host.boot_id = world.rng(f"machine/{name}").uuid()
    systemd.boot(world, host)


def kill(world: World, name: str, host: str = "", signal: str = "9") -> None:
    """`kill PROCESS [HOST [SIGNAL]]`: every process of that program name, on one host or all."""
    wanted = [_host(world, host)] if host else [hosts(world)[n] for n in sorted(hosts(world))]
    found = [p for h in wanted for p in h.processes.values() if p.argv and p.argv[0].rsplit("/", 1)[-1] == name]
    if not found:
        raise BadInput(f"fault: no process {name!r} runs{f' on {host}' if host else ''}")
    if not signal.isdigit() or not 1 <= int(signal) <= 31:
        raise BadInput(f"fault: {signal!r} is no signal number")
    for proc in found:
        processes.kill(world, proc, int(signal))


def _link(world: World, a: str, b: str) -> str:
    return network.link_key(_host(world, a).name, _host(world, b).name)


def cut(world: World, a: str, b: str) -> None:
    """`cut HOST HOST`: the link between two hosts drops everything."""
    network.network(world).cut[_link(world, a, b)] = True
    network.changed(world)


def mend(world: World, a: str, b: str) -> None:
    """`mend HOST HOST`: the link carries again."""
    network.network(world).cut.pop(_link(world, a, b), None)
    network.changed(world)


def stop(world: World, unit: str, host: str) -> None:
    """`stop UNIT HOST`: as `systemctl stop`."""
    systemd.stop_unit(world, _host(world, host), unit if "." in unit else f"{unit}.service")


def start(world: World, unit: str, host: str) -> None:
    """`start UNIT HOST`: as `systemctl start`."""
    systemd.start_unit(world, _host(world, host), unit if "." in unit else f"{unit}.service")


#: name → (function, fewest, most arguments).
FAULTS: dict[str, tuple[Callable[..., None], int, int]] = {
    "power-off": (power_off, 1, 1),
    "power-on": (power_on, 1, 1),
    "kill": (kill, 1, 3),
    "cut": (cut, 2, 2),
    "mend": (mend, 2, 2),
    "stop": (stop, 2, 2),
    "start": (start, 2, 2),
}


def inject(world: World, name: str, args: list[str]) -> None:
    """Do a fault to the world; raises BadInput with what is possible."""
    found = FAULTS.get(name)
    if found is None:
        raise BadInput(f"fault {name!r} does not exist; there are: {', '.join(sorted(FAULTS))}")
    function, fewest, most = found
    if not fewest <= len(args) <= most:
        usage = (function.__doc__ or "").split(":")[0].strip("` ")
        raise BadInput(f"fault {name} takes: {usage}")
    before = world.trace_seq, world.digest
    seq = world.emit("fault", name, " ".join(args), cause=0)
    try:
        world.because(seq, lambda: function(world, *args))
    except BadInput:
        # nothing was done, so nothing has happened
        world.trace.pop()
        world.trace_seq, world.digest = before
        raise

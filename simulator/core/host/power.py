"""A machine's power: off at once, on again, and an orderly shutdown with or without a reboot."""

from __future__ import annotations

from typing import Any

from ..kernel import network
from ..kernel.clock import SECOND
from ..kernel.world import World
from . import processes, systemd
from .machine import Host, hosts
from .process import Process
from .unitfiles import UnitNotFound

#: From the last process's end until the kernel has started again.
FIRMWARE = 15 * SECOND
#: How long the units take to stop.
STOPPING = 2 * SECOND


def off(world: World, host: Host) -> None:
    """Every process dies at once, nothing is written, the network interface is down."""
    network.network(world).down[host.name] = True
    network.changed(world)
    host.up, host.going = False, ""
    host.inhibitors.clear()
    for pid in sorted(host.processes, reverse=True):
        proc = host.processes.get(pid)
        if proc is not None:
            processes.kill(world, proc, 9)


def on(world: World, host: Host) -> None:
    """The machine boots and systemd starts the enabled units."""
    network.network(world).down.pop(host.name, None)
    network.network(world).tables.pop(host.name, None)
    network.changed(world)
    host.up = True
    host.swap.clear()
    host.reserved.pop("memory", None)
    host.boot_at = world.now
    for status in host.units.values():  # nothing of before runs any more, whatever systemd was last told
        status.active, status.sub, status.main_pid = "inactive", "dead", 0
    host.boot_id = world.rng(f"machine/{host.name}").uuid()
    systemd.boot(world, host)


def shut_down(world: World, host: Host, how: str, delay: int = 0) -> None:
    """Begin an orderly shutdown in `delay` ns; `how` is `reboot`, `poweroff` or `halt`."""
    cancel(world, host)
    host.shutdown = world.after(delay, f"power:{host.name}", ["stop", how])


def cancel(world: World, host: Host) -> bool:
    """Take back a shutdown that has not begun."""
    there = bool(host.shutdown) and not host.going and world.cancel(host.shutdown)
    if host.going:  # it has begun
        return False
    host.shutdown = 0
    return there


def topic(host: Host) -> str:
    """What rings when the machine is about to go down (logind's PrepareForShutdown)."""
    return f"shutdown:{host.name}"


def inhibit(world: World, host: Host, proc: Process, delay: int) -> None:
    """A process takes a delay lock: a shutdown waits for its `release`, for `delay` ns at most."""
    host.inhibitors[proc.pid] = delay


def release(world: World, host: Host, proc: Process) -> None:
    """A process has done what it wanted to; the shutdown goes on when nobody else delays it."""
    host.inhibitors.pop(proc.pid, None)
    if host.shutdown and not _delay(world, host):
        world.cancel(host.shutdown)
        how, host.shutdown = host.going, 0
        _units(world, host, how)


def _delay(world: World, host: Host) -> int:
    """The longest time that a process which still runs may delay a shutdown."""
    return max((delay for pid, delay in host.inhibitors.items() if processes.find(world, host.name, pid) is not None), default=0)


def _units(world: World, host: Host, how: str) -> None:
    """Stop every unit, then the machine."""
    for name in [name for name, unit in host.units.items() if unit.active not in ("inactive", "failed")]:
        try:
            systemd.stop_unit(world, host, name)
        except UnitNotFound:
            continue
    world.after(STOPPING, f"power:{host.name}", ["off", how])


def dispatch(world: World, rest: str, payload: Any) -> None:
    """Timer handler of `power:<host>`: `[step, how]`."""
    host = hosts(world).get(rest)
    if host is None:
        return
    step, how = payload
    if step == "on":
        if not host.up:
            on(world, host)
        return
    if not host.up:
        return
    if step == "stop":
        host.shutdown = 0
        world.emit("systemd", how, host.name)
        delay = _delay(world, host)
        if delay:
            host.going = how
            host.shutdown = world.after(delay, f"power:{host.name}", ["units", how])
            world.ring(topic(host))
            return
        _units(world, host, how)
        return
    if step == "units":
        host.shutdown = 0
        _units(world, host, how)
        return
    off(world, host)
    if how == "reboot":
        world.after(FIRMWARE, f"power:{host.name}", ["on", how])

"""Faults as inputs: what can be done to a world from outside, by name, with the arguments each takes.

`FAULTS` is the table; a function's docstring opens with its usage.  An argument that cannot be used raises BadInput with the fault's and
the argument's name, and nothing has happened then.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Callable

from ..cli.disktools import parse_time, size
from ..host import files, power, processes, systemd
from ..host.machine import Host, hosts
from ..host.unitfiles import UnitNotFound
from ..host.virtual import used_disk, used_memory
from ..kernel import clock, network
from ..kernel.errors import BadInput
from ..kernel.network import Shape
from ..kernel.world import World
from ..kube.component import parse_duration
from . import certificates, components


def _host(world: World, name: str) -> Host:
    host = hosts(world).get(name)
    if host is None:
        raise BadInput(f"fault: no host {name!r}; there are: {', '.join(sorted(hosts(world)))}")
    return host


# -- machines ------------------------------------------------------------------------------------------------------------
def power_off(world: World, name: str) -> None:
    """`power-off HOST`: every process dies at once, nothing is written, the network interface is down."""
    power.off(world, _host(world, name))


def power_on(world: World, name: str) -> None:
    """`power-on HOST`: the machine boots and systemd starts the enabled units."""
    host = _host(world, name)
    if host.up:
        raise BadInput(f"fault: {name} is on already")
    power.on(world, host)


def skew_clock(world: World, name: str, by: str) -> None:
    """`skew-clock HOST DURATION`: the machine's clock is that far ahead (or, with `-`, behind); `0s` sets it right."""
    host = _host(world, name)
    try:
        host.skew = _days(by)
    except ValueError:
        raise BadInput(f"fault skew-clock: DURATION {by!r} is no duration (like 90m, -30s or 400d)") from None


def _days(text: str) -> int:
    """A Go duration, or days (`400d`)."""
    body = text.lstrip("+-")
    value = int(body[:-1]) * clock.DAY if body.endswith("d") and body[:-1].isdigit() else parse_duration(body)
    return -value if text.startswith("-") else value


def _amount(field: str, text: str, whole: int) -> int:
    """Bytes of `90%` or `2Gi`."""
    try:
        if text.endswith("%"):
            share = float(text[:-1])
            if not 0 <= share <= 100:
                raise ValueError(text)
            return int(whole * share / 100)
        return size(text)
    except ValueError:
        raise BadInput(f"fault {field}: AMOUNT {text!r} is neither a share (90%) nor a size (2Gi)") from None


def fill_disk(world: World, name: str, amount: str = "95%") -> None:
    """`fill-disk HOST [AMOUNT]`: so much of the disk is in use (default 95%; a size is added to what there is)."""
    host = _host(world, name)
    host.reserved.pop("disk", None)
    total, used = host.disk_kib * 1024, used_disk(host) * 1024
    wanted = _amount("fill-disk", amount, total)
    host.reserved["disk"] = max(wanted - used, 0) if amount.endswith("%") else wanted
    world.ring(f"disk:{name}")


def free_disk(world: World, name: str) -> None:
    """`free-disk HOST`: what `fill-disk` took is given back."""
    _host(world, name).reserved.pop("disk", None)
    world.ring(f"disk:{name}")


def fill_memory(world: World, name: str, amount: str = "99%") -> None:
    """`fill-memory HOST [AMOUNT]`: so much of the memory is in use (default 99%; a size is added to what there is)."""
    host = _host(world, name)
    host.reserved.pop("memory", None)
    total, used = host.memory_kib * 1024, used_memory(host) * 1024
    wanted = _amount("fill-memory", amount, total)
    host.reserved["memory"] = max(wanted - used, 0) if amount.endswith("%") else wanted
    world.ring(f"disk:{name}")


def free_memory(world: World, name: str) -> None:
    """`free-memory HOST`: what `fill-memory` took is given back."""
    _host(world, name).reserved.pop("memory", None)
    world.ring(f"disk:{name}")


# -- processes -----------------------------------------------------------------------------------------------------------
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


def kill_container(world: World, pod: str, container: str = "", signal: str = "9") -> None:
    """`kill-container [NAMESPACE/]POD [CONTAINER [SIGNAL]]`: the processes of a pod's containers (of one, or all)."""
    space, _, name = pod.rpartition("/")
    if not signal.isdigit() or not 1 <= int(signal) <= 31:
        raise BadInput(f"fault kill-container: SIGNAL {signal!r} is no signal number")
    if not components.signal_containers(world, space or "default", name, container, int(signal)):
        what = f"container {container!r} of pod" if container else "pod"
        raise BadInput(f"fault kill-container: no {what} {space or 'default'}/{name} runs")


def stop(world: World, unit: str, host: str) -> None:
    """`stop UNIT HOST`: as `systemctl stop`."""
    _unit(world, unit, host, systemd.stop_unit)


def start(world: World, unit: str, host: str) -> None:
    """`start UNIT HOST`: as `systemctl start`."""
    _unit(world, unit, host, systemd.start_unit)


def restart(world: World, unit: str, host: str) -> None:
    """`restart UNIT HOST`: as `systemctl restart`."""
    _unit(world, unit, host, systemd.restart_unit)


def _unit(world: World, unit: str, host: str, do: Callable[[World, Host, str], object]) -> None:
    machine = _host(world, host)
    name = unit if "." in unit else f"{unit}.service"
    try:
        systemd.load(world, machine, name)
    except UnitNotFound:
        raise BadInput(f"fault: no unit {name!r} on {host}") from None
    do(world, machine, name)


# -- links ---------------------------------------------------------------------------------------------------------------
def _link(world: World, a: str, b: str) -> str:
    return network.link_key(_host(world, a).name, b if b == "internet" else _host(world, b).name)


def cut(world: World, a: str, b: str) -> None:
    """`cut HOST HOST|internet`: the link between two hosts, or to the registries, drops everything."""
    network.network(world).cut[_link(world, a, b)] = True
    network.changed(world)


def mend(world: World, a: str, b: str) -> None:
    """`mend HOST HOST|internet`: the link carries again, at its full speed."""
    key = _link(world, a, b)
    network.network(world).cut.pop(key, None)
    network.network(world).shapes.pop(key, None)
    network.changed(world)


def slow(world: World, a: str, b: str, delay: str, loss: str = "0%") -> None:
    """`slow HOST HOST DELAY [LOSS%]`: the link between two hosts takes that long each way and loses so many packets."""
    try:
        share = float(loss.rstrip("%"))
        if not 0 <= share <= 100:
            raise ValueError(loss)
    except ValueError:
        raise BadInput(f"fault slow: LOSS {loss!r} is no share (like 10%)") from None
    try:
        network.network(world).shapes[_link(world, a, b)] = Shape(delay=parse_time(delay), loss=share)
    except ValueError:
        raise BadInput(f"fault slow: DELAY {delay!r} is no time (like 200ms or 1s)") from None
    network.changed(world)


# -- the control plane ---------------------------------------------------------------------------------------------------
def take_away(world: World, component: str, host: str = "") -> None:
    """`take-away COMPONENT [HOST]`: the manifest of a static pod is moved away, and the kubelet ends the pod."""
    components.take_away(world, component, _host(world, host) if host else None)


def restore(world: World, component: str, host: str = "") -> None:
    """`restore COMPONENT [HOST]`: the manifest is put back as it was before `take-away`, `set-flag` or `corrupt`."""
    components.restore(world, component, _host(world, host) if host else None)


def set_flag(world: World, component: str, flag: str, host: str = "") -> None:
    """`set-flag COMPONENT --FLAG[=VALUE] [HOST]`: a flag of a static pod's manifest, or of the kubelet, is set, right or wrong.

    The flag replaces one of the same name.
    """
    if not flag.startswith("--"):
        raise BadInput(f"fault set-flag: FLAG {flag!r} does not begin with --")
    components.set_flag(world, component, flag, _host(world, host) if host else None)


def corrupt(world: World, name: str, path: str, line: str = "}{ : not yaml", at: str = "1") -> None:
    """`corrupt HOST FILE [TEXT [LINE]]`: TEXT is written over a line (the first) of a file; `restore` knows manifests only."""
    host = _host(world, name)
    if not at.isdigit() or int(at) < 1:
        raise BadInput(f"fault corrupt: LINE {at!r} is no line number")
    tree = files.tree(host)
    where = posixpath.normpath(path)
    if not where.startswith("/") or not tree.exists(where) or tree.isdir(where):
        raise BadInput(f"fault corrupt: FILE {path!r} is no file of {name}")
    rows = tree.read(where).decode("utf-8", "replace").split("\n")
    rows[min(int(at), len(rows)) - 1] = line
    components.keep(world, host, where)
    files.write_file(world, host, where, "\n".join(rows).encode())


def expire_certificates(world: World, name: str, which: str = "") -> None:
    """`expire-certificates HOST [NAME]`: certificates ended yesterday: all of the machine's leaves, or one (`apiserver`, `kubelet`, …)."""
    certificates.expire(world, _host(world, name), which)


#: name → (function, fewest, most arguments).
FAULTS: dict[str, tuple[Callable[..., None], int, int]] = {
    "power-off": (power_off, 1, 1),
    "power-on": (power_on, 1, 1),
    "skew-clock": (skew_clock, 2, 2),
    "fill-disk": (fill_disk, 1, 2),
    "free-disk": (free_disk, 1, 1),
    "fill-memory": (fill_memory, 1, 2),
    "free-memory": (free_memory, 1, 1),
    "kill": (kill, 1, 3),
    "kill-container": (kill_container, 1, 3),
    "stop": (stop, 2, 2),
    "start": (start, 2, 2),
    "restart": (restart, 2, 2),
    "cut": (cut, 2, 2),
    "mend": (mend, 2, 2),
    "slow": (slow, 3, 4),
    "take-away": (take_away, 1, 2),
    "restore": (restore, 1, 2),
    "set-flag": (set_flag, 2, 3),
    "corrupt": (corrupt, 2, 4),
    "expire-certificates": (expire_certificates, 1, 2),
}


def usage(name: str) -> str:
    """How a fault is written."""
    return (FAULTS[name][0].__doc__ or "").split("`")[1]


def problem(text: str) -> str:
    """Why a fault as a terminal takes it (`power-off node01`) cannot be used, or nothing; names of things are not looked up."""
    try:
        name, *args = shlex.split(text) or [""]
    except ValueError as error:
        return f"fault {text!r}: {error}"
    if name not in FAULTS:
        return f"fault {name!r} does not exist; there are: {', '.join(sorted(FAULTS))}"
    _function, fewest, most = FAULTS[name]
    return "" if fewest <= len(args) <= most else f"fault {name} takes: {usage(name)}"


def inject(world: World, name: str, args: list[str]) -> None:
    """Do a fault to the world; raises BadInput with what is possible."""
    found = FAULTS.get(name)
    if found is None:
        raise BadInput(f"fault {name!r} does not exist; there are: {', '.join(sorted(FAULTS))}")
    function, fewest, most = found
    if not fewest <= len(args) <= most:
        raise BadInput(f"fault {name} takes: {usage(name)}")
    before = world.trace_seq, world.digest
    seq = world.emit("fault", name, " ".join(args), cause=0)
    try:
        world.because(seq, lambda: function(world, *args))
    except BadInput:
        # nothing was done, so nothing has happened
        world.trace.pop()
        world.trace_seq, world.digest = before
        raise

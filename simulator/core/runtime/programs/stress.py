"""`stress` (polinux/stress) and vish/stress: programs that take memory on purpose."""

from __future__ import annotations

import re
from typing import Any

from ...host import processes
from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock
from ...kernel.world import World
from .. import logs, memory
from ..state import find_container
from .basics import Quiet

_UNITS = {"": 1, "B": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "Ki": 1024, "Mi": 1024**2, "Gi": 1024**3}
#: What a worker has touched after this long.
SOON = 300 * clock.MS


def amount(text: str) -> int:
    """Bytes of `150M` or `250Mi`; raises ValueError."""
    match = re.fullmatch(r"(\d+)(B|Ki?|Mi?|Gi?)?", text)
    if match is None:
        raise ValueError(text)
    return int(match.group(1)) * _UNITS[match.group(2) or ""]


def _options(argv: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    rest = list(argv[1:])
    while rest:
        word = rest.pop(0)
        name, sep, value = word.lstrip("-").partition("=")
        if not sep and rest and not rest[0].startswith("-"):
            value = rest.pop(0)
        found[{"m": "vm", "c": "cpu", "i": "io", "d": "hdd", "t": "timeout", "q": "quiet", "v": "verbose"}.get(name, name)] = (
            value
        )
    return found


def hold(world: World, proc: Process, cores: int) -> None:
    """Keep so many cores busy."""
    container = find_container(world, proc.host, proc.container) if proc.container else None
    if container is not None:
        container.busy = cores * 1000


class Stress(Quiet):
    """`stress --vm N --vm-bytes B [--vm-hang T] [--cpu N] [--timeout N]`."""

    exit_on_signal = 143

    def start(self, world: World, proc: Process) -> None:
        """Say what is to come, and take it a moment later."""
        options = _options(proc.argv)
        if not options or "help" in options:
            logs.emit(
                world, proc, "`stress' imposes certain types of compute stress on your system\n\nUsage: stress [OPTION [ARG]] ..."
            )
            raise Exited(0)
        counts = {
            name: int(options.get(name) or 0) if (options.get(name) or "0").isdigit() else -1
            for name in ("cpu", "io", "vm", "hdd")
        }
        wrong = next((name for name, number in counts.items() if number < 0), "")
        try:
            size = amount(options.get("vm-bytes") or "256M")
        except ValueError:
            wrong, size = "vm-bytes", 0
        if wrong:
            logs.emit(world, proc, f"stress: FAIL: [1] (244) unrecognized option: {options.get(wrong)}")
            raise Exited(1)
        hold(world, proc, counts["cpu"] + counts["vm"] + counts["io"] + counts["hdd"])
        hogs = ", ".join(f"{number} {name}" for name, number in counts.items())
        logs.emit(world, proc, f"stress: info: [1] dispatching hogs: {hogs}")
        world.after(SOON, proc.target, ["take", (size * counts["vm"]) // 1024 + 4096])
        if (options.get("timeout") or "").rstrip("s").isdigit():
            world.after(int(options["timeout"].rstrip("s")) * clock.SECOND, proc.target, ["over"])

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """Take the memory, or end."""
        if payload[0] == "take":
            memory.take(world, proc, payload[1])
            return
        logs.emit(world, proc, "stress: info: [1] successful run completed in a while")
        processes.exit(world, proc, 0)


class Consumer(Quiet):
    """vish/stress: `-mem-total 250Mi -mem-alloc-size 10Mi -mem-alloc-sleep 1s -cpus 2`: takes its memory piece by piece."""

    exit_on_signal = 143

    def start(self, world: World, proc: Process) -> None:
        """The first piece."""
        options = _options(proc.argv)
        try:
            total, step = amount(options.get("mem-total") or "0"), amount(options.get("mem-alloc-size") or "4Ki")
        except ValueError:
            raise Exited(2) from None
        sleep = re.fullmatch(r"(\d+)(ms|s)", options.get("mem-alloc-sleep") or "1ms")
        pause = int(sleep.group(1)) * (clock.MS if sleep.group(2) == "ms" else clock.SECOND) if sleep else clock.MS
        logs.emit(
            world,
            proc,
            f'Allocating "{options.get("mem-total", "0")}" memory, in "{options.get("mem-alloc-size", "4Ki")}" chunks',
        )
        hold(world, proc, int(options.get("cpus") or 0) if (options.get("cpus") or "0").isdigit() else 0)
        if total:
            steps = max(total // max(step, 1), 1)
            # pieces that come faster than anybody can look are taken together
            together = max(1, (100 * clock.MS) // max(pause, 1))
            world.after(
                max(pause, 100 * clock.MS), proc.target, ["take", total, step * together, max(pause, 100 * clock.MS), steps]
            )

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """The next piece."""
        _, total, step, pause, steps = payload
        wanted = min((proc.memory_kib - 4096) * 1024 + step, total)
        if memory.take(world, proc, wanted // 1024 + 4096) and wanted < total:
            world.after(pause, proc.target, ["take", total, step, pause, steps])

"""`top -bn1`: one picture of the machine (procps-ng 4.0)."""

from __future__ import annotations

from ...host.invocation import Call
from ...host.virtual import used_memory
from ...kernel.clock import SECOND, to_datetime
from ...kernel.errors import NotSimulated
from .common import parse
from .ps import comm, pid_of, shown


def top(call: Call) -> int:
    """Batch mode, once; the full-screen one and repeated pictures are not there."""
    options, rest = parse(call, "bn:o:")
    if "b" not in options or options.get("n", "1") != "1" or rest:
        raise NotSimulated("top without -b -n 1")
    world, host = call.world, call.host
    rows = shown(call)
    own = pid_of(call, call.proc)
    running = [proc for proc in rows if proc.pid == own]
    up = (world.now - host.boot_at) // SECOND
    span = f"{up // 3600:2d}:{up // 60 % 60:02d}" if up >= 3600 else f"{up // 60} min"
    total, used = host.memory_kib / 1024, used_memory(host) / 1024
    cache = min(total / 8, max(total - used, 0))
    call.out(
        f"top - {to_datetime(world.wall):%H:%M:%S} up {span},  1 user,  load average: 0.12, 0.10, 0.08\n"
        f"Tasks: {len(rows):3d} total,   {len(running)} running, {len(rows) - len(running):3d} sleeping,   0 stopped,   0 zombie\n"
        "%Cpu(s):  1.2 us,  0.8 sy,  0.0 ni, 98.0 id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st \n"
        f"MiB Mem : {total:8.1f} total, {max(total - used - cache, 0):8.1f} free, {used:8.1f} used, {cache:8.1f} buff/cache     \n"
        f"MiB Swap:      0.0 total,      0.0 free,      0.0 used. {max(total - used, 0):8.1f} avail Mem \n\n"
        "    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND\n"
    )
    for proc in sorted(rows, key=lambda p: (-p.memory_kib, p.pid)) if options.get("o") in ("%MEM", "RES") else rows:
        spent = (world.now - proc.started) // SECOND // 50
        call.out(
            f"{proc.pid:7d} {proc.user.partition(':')[0][:8]:<8}  20   0 {proc.memory_kib * 6:7d} {proc.memory_kib:6d} {proc.memory_kib // 2:6d} "
            f"{'R' if proc.pid == own else 'S'}   0.0 {100 * proc.memory_kib / host.memory_kib:5.1f} {spent // 60:4d}:{spent % 60:02d}.00 {comm(proc)}\n"
        )
    return 0

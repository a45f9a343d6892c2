"""`top` (procps-ng 4.0): pictures of the machine, on a terminal until `q`, with -b one below the other."""

from __future__ import annotations

from ...host.invocation import Call
from ...host.program import Sleep
from ...host.virtual import used_memory
from ...kernel.clock import SECOND, to_datetime
from ...kernel.errors import NotSimulated
from ..editors.screen import Closed, Screen
from .common import Code, parse
from .process import seconds
from .ps import comm, pid_of, shown

#: Keys of the full-screen top that are here: what the rows are sorted by.
_ORDERS = {"M": "%MEM", "P": "%CPU", "N": "PID"}
_MEMORY = ("%MEM", "RES")


def top(call: Call) -> Code:
    """`top [-b] [-n times] [-d seconds] [-o field] [-p pids] [-u user]`; keys: q, M, P, N, space."""
    options, rest = parse(call, "bn:d:o:p:u:U:cHi1s", "batch-mode:b iterations=n delay=d sort-override=o pid=p user=u")
    if rest or {"H", "i", "U"} & set(options):
        raise NotSimulated("top " + (rest[0] if rest else "-H, -i or -U"))
    times = int(options["n"]) if options.get("n", "").isdigit() else 0
    every = int((seconds(options.get("d", "3")) or 3.0) * SECOND)
    order = options.get("o", "").lstrip("+-")
    if "b" in options or not call.stdout_tty:
        if "b" not in options:
            call.err("top: failed tty get\n")
            return 1
        done = 0
        while True:
            call.out(("\n" if done else "") + picture(call, order, options.get("p", ""), options.get("u", "")))
            done += 1
            if done == times:
                return 0
            yield Sleep(every)
    return (yield from _screen(call, times, every, order, options))


def _screen(call: Call, times: int, every: int, order: str, options: dict[str, str]) -> Code:
    """The full-screen program."""
    done, said = 0, ""
    with Screen(call, "cbreak", alternate=False) as screen:
        while True:
            lines = picture(call, order, options.get("p", ""), options.get("u", "")).split("\n")
            lines[5] = said
            if len(lines) > 6:
                lines[6] = f"\x1b[7m{lines[6]:<{screen.columns}}\x1b[0m"
            screen.write(
                "\x1b[H\x1b[2J" + "\r\n".join(line if "\x1b" in line else line[: screen.columns] for line in lines[: screen.rows])
            )
            done, said = done + 1, ""
            if done == times:
                break
            try:
                key = yield from screen.key(call.world.now + every)
            except Closed:
                break
            if key in ("q", "<C-c>"):
                break
            if key in _ORDERS:
                order = _ORDERS[key]
            elif key not in ("", " ", "<CR>", "<Resize>", "1", "c"):
                said = "\x1b[7m Unknown command - try 'h' for help \x1b[0m"
        screen.write(f"\x1b[{screen.rows};1H\r\n")
    return 0


def picture(call: Call, order: str = "", pids: str = "", user: str = "") -> str:
    """One picture: five lines of the machine, an empty one, the head and the processes."""
    world, host = call.world, call.host
    rows = shown(call)
    own = pid_of(call, call.proc)
    running = [proc for proc in rows if proc.pid == own]
    up = (world.now - host.boot_at) // SECOND
    span = f"{up // 3600:2d}:{up // 60 % 60:02d}" if up >= 3600 else f"{up // 60} min"
    total, used = host.memory_kib / 1024, used_memory(host) / 1024
    cache = min(total / 8, max(total - used, 0))
    text = (
        f"top - {to_datetime(world.wall):%H:%M:%S} up {span},  1 user,  load average: 0.12, 0.10, 0.08\n"
        f"Tasks: {len(rows):3d} total,   {len(running)} running, {len(rows) - len(running):3d} sleeping,   0 stopped,   0 zombie\n"
        "%Cpu(s):  1.2 us,  0.8 sy,  0.0 ni, 98.0 id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st \n"
        f"MiB Mem : {total:8.1f} total, {max(total - used - cache, 0):8.1f} free, {used:8.1f} used, {cache:8.1f} buff/cache     \n"
        f"MiB Swap:      0.0 total,      0.0 free,      0.0 used. {max(total - used, 0):8.1f} avail Mem \n\n"
        "    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND\n"
    )
    chosen = sorted(rows, key=lambda p: (-p.memory_kib, p.pid)) if order in _MEMORY else rows
    if pids:
        chosen = [proc for proc in chosen if str(proc.pid) in pids.split(",")]
    if user:
        chosen = [proc for proc in chosen if proc.user.partition(":")[0] == user]
    for proc in chosen:
        spent = (world.now - proc.started) // SECOND // 50
        text += (
            f"{proc.pid:7d} {proc.user.partition(':')[0][:8]:<8}  20   0 {proc.memory_kib * 6:7d} {proc.memory_kib:6d} {proc.memory_kib // 2:6d} "
            f"{'R' if proc.pid == own else 'S'}   0.0 {100 * proc.memory_kib / host.memory_kib:5.1f} {spent // 60:4d}:{spent % 60:02d}.00 {comm(proc)}\n"
        )
    return text

"""uptime, free, df and du: what of a machine is in use."""

from __future__ import annotations

import fnmatch
import posixpath
import re

from ...host.executor import Ended
from ...host.filesystem import Inode
from ...host.invocation import Call
from ...host.program import Sleep
from ...host.virtual import used_disk, used_memory
from ...kernel.clock import SECOND, to_datetime
from .common import Code, human, name_of, parse, whole
from .listing import size_of


def uptime(call: Call) -> int:
    """`uptime [-p]`."""
    up = (call.world.now - call.host.boot_at) // SECOND
    days, hours, minutes = up // 86400, up // 3600 % 24, up // 60 % 60
    if "-p" in call.argv:
        parts = [f"{n} {unit}{'s' if n != 1 else ''}" for n, unit in ((days, "day"), (hours, "hour"), (minutes, "minute")) if n]
        call.out("up " + (", ".join(parts) or "0 minutes") + "\n")
        return 0
    span = (f"{days} day{'s' if days != 1 else ''}, " if days else "") + (f"{hours}:{minutes:02d}" if hours else f"{minutes} min")
    call.out(f" {to_datetime(call.world.wall):%H:%M:%S} up {span},  1 user,  load average: 0.12, 0.10, 0.08\n")
    return 0


#: Units of `free` by option: divisor in KiB (negative: the value times that), and powers of 1000 as the long names of SI say.
_FREE = {
    "b": 1 / 1024,
    "k": 1.0,
    "m": 1024.0,
    "g": 1024.0**2,
    "kilo": 1000 / 1024,
    "mega": 1e6 / 1024,
    "giga": 1e9 / 1024,
    "tera": 1e12 / 1024,
    "tebi": 1024.0**3,
}


def free(call: Call) -> Code:
    """`free [-bkmghtwlv] [-s SECONDS] [-c TIMES]`."""
    options, _ = parse(
        call, "hmgkbtwls:c:v",
        "human:h bytes:b kibi:k mebi:m gibi:g total:t wide:w lohi:l seconds=s count=c si:si kilo:kilo mega:mega giga:giga tera:tera tebi:tebi committed:v",
    )  # fmt: skip
    turns = whole(call, options.get("c", "1"), "failed to parse count argument: '{}'")
    if "s" in options and "c" not in options:
        turns = 1_000_000
    span = options.get("s", "1")
    wait = float(span) if re.fullmatch(r"\d{1,6}(\.\d+)?", span) else 1.0
    unit = next((_FREE[key] for key in _FREE if key in options), 1.0)
    if "si" in options:
        unit = {1.0: 1000 / 1024, 1024.0: 1e6 / 1024, 1024.0**2: 1e9 / 1024}.get(unit, unit)

    def show(kib: int) -> str:
        if "h" not in options:
            return str(int(kib / unit))
        step, names = (1000, ("K", "M", "G")) if "si" in options else (1024, ("Ki", "Mi", "Gi"))
        value = kib * 1024 / step
        if not kib:
            return "0B"
        for name in names:
            if value < step or name == names[-1]:
                return f"{value:.1f}{name}" if value < 10 else f"{value:.0f}{name}"
            value /= step
        return ""

    for turn in range(max(turns, 1)):
        if turn:
            yield Sleep(int(wait * SECOND))
            call.out("\n")
        total, used = call.host.memory_kib, used_memory(call.host)
        cache = min(total // 8, max(total - used, 0))
        rest = max(total - used - cache, 0)
        split = [cache // 8, cache - cache // 8] if "w" in options else [cache]
        head = ["total", "used", "free", "shared", *(("buffers", "cache") if "w" in options else ("buff/cache",)), "available"]
        rows = [("Mem:", [total, used, rest, 1200, *split, max(total - used, 0)])]
        if "l" in options:
            rows += [("Low:", [total, total - rest, rest]), ("High:", [0, 0, 0])]
        rows.append(("Swap:", [0, 0, 0]))
        if "t" in options:
            rows.append(("Total:", [total, used, rest]))
        call.out("        " + "".join(f"{name:>12}" for name in head) + "\n")
        for name, values in rows:
            call.out(f"{name:8}" + "".join(f"{show(value):>12}" for value in values) + "\n")
    return 0


def _filesystems(call: Call) -> list[tuple[str, str, int, int, str]]:
    """(device, type, KiB, KiB used, mount point): a container's root is an overlay on the node's disk, its projected volumes are in memory."""
    total, memory = call.host.disk_kib, call.host.memory_kib
    used = min(used_disk(call.host), total)
    if call.proc.mnt == "host" or call.proc.mnt.startswith("chroot:"):
        return [("/dev/vda1", "ext4", total, used, "/"), ("tmpfs", "tmpfs", memory // 10, 1200, "/run")]
    rows = [("overlay", "overlay", total, used, "/"), ("tmpfs", "tmpfs", 65536, 0, "/dev")]
    for path, (_, source) in sorted(call.tree.mounts.items()):
        if "/kubernetes.io~projected/" in source or "/kubernetes.io~secret/" in source:
            rows.append(("tmpfs", "tmpfs", memory, 12, path))
        elif source:
            rows.append(("/dev/vda1", "ext4", total, used, path))
    return rows


#: Columns of `df --output`.
_COLUMNS = {
    "source": "Filesystem", "fstype": "Type", "itotal": "Inodes", "iused": "IUsed", "iavail": "IFree", "ipcent": "IUse%", "size": "1K-blocks",
    "used": "Used", "avail": "Avail", "pcent": "Use%", "file": "File", "target": "Mounted on",
}  # fmt: skip


def _unit(call: Call, text: str) -> int | None:
    """The bytes of `-B SIZE`; None for `human` forms."""
    match = re.fullmatch(r"(\d{0,9})([KMGT]?)(i?B)?", text)
    if match is None or not text:
        call.err(f"{name_of(call)}: invalid -B argument '{text}'\n")
        raise Ended(1)
    base = 1000 if match[3] == "B" and match[2] else 1024
    return int(match[1] or 1) * base ** " KMGT".index(match[2] or " ") or 1


def df(call: Call) -> int:
    """`df [-hHTkmaPi] [-B SIZE] [-t TYPE] [-x TYPE] [--total] [--output=FIELDS] [paths]`: of all file systems, or of those that hold the paths."""
    options, names = parse(
        call, "hHTkmaiB:t:x:v",
        "human-readable:h si:H print-type:T block-size=B type=t exclude-type=x all:a inodes:i total:total output?output",
    )  # fmt: skip
    options |= {"P": "1"} if any(re.fullmatch(r"-\w*P\w*|--portability", word) for word in call.argv[1:]) else {}
    rows = _filesystems(call)
    code = 0
    if names:
        chosen = []
        for name in names:
            if not call.exists(name):
                call.err(f"df: {name}: No such file or directory\n")
                code = 1
                continue
            path = call.path(name)
            chosen.append(
                max((row for row in rows if (path + "/").startswith(row[4].rstrip("/") + "/")), key=lambda row: len(row[4]))
            )
        if not chosen:
            return code
        rows = chosen
    rows = [row for row in rows if ("t" not in options or row[1] == options["t"]) and row[1] != options.get("x")]
    if not rows:
        call.err("df: no file systems processed\n")
        return 1
    unit = 1024 * 1024 if "m" in options else _unit(call, options["B"]) or 1024 if "B" in options else 1024
    human_ = "h" in options or "H" in options

    def show(kib: int) -> str:
        return human(kib * 1024, si="H" in options) if human_ else str(-(-kib * 1024 // unit))

    if "total" in options:
        rows = [*rows, ("total", "-", sum(row[2] for row in rows), sum(row[3] for row in rows), "-")]
    wanted = ["source", *(["fstype"] if "T" in options else []), "size", "used", "avail", "pcent", "target"]
    if "i" in options:
        wanted = ["source", *(["fstype"] if "T" in options else []), "itotal", "iused", "iavail", "ipcent", "target"]
    if "output" in options:
        wanted = [word for word in options["output"].split(",") if word] or list(_COLUMNS)
        odd = next((word for word in wanted if word not in _COLUMNS), None)
        if odd is not None:
            call.err(f"df: option --output: field '{odd}' unknown\nTry 'df --help' for more information.\n")
            return 1
    big = (
        "Size"
        if human_
        else "1M-blocks"
        if "m" in options
        else f"{options['B']}-blocks"
        if "B" in options
        else "1024-blocks"
        if "P" in options
        else "1K-blocks"
    )
    heads = _COLUMNS | {
        "size": big,
        "avail": "Avail" if human_ or "output" in options else "Available",
        "pcent": "Capacity" if "P" in options else "Use%",
    }
    table = [[heads[word] for word in wanted]]
    for name, kind, size, taken, where in rows:
        inodes = size // 16
        held = min(taken // 32, inodes)
        cells = {
            "source": name, "fstype": kind, "size": show(size), "used": show(taken), "avail": show(size - taken), "target": where, "file": "-",
            "pcent": f"{-(-taken * 100 // size) if size else 0}%", "itotal": str(inodes), "iused": str(held), "iavail": str(inodes - held),
            "ipcent": f"{-(-held * 100 // inodes) if inodes else 0}%",
        }  # fmt: skip
        table.append([cells[word] for word in wanted])
    left = {n for n, word in enumerate(wanted) if word in ("source", "fstype", "target", "file")}
    widths = [max(len(row[n]) for row in table) for n in range(len(table[0]))]
    for row in table:
        line = " ".join(cell.ljust(widths[n]) if n in left else cell.rjust(widths[n]) for n, cell in enumerate(row))
        call.out((line.rstrip() if left and max(left) == len(row) - 1 else line) + "\n")
    return code


def du(call: Call) -> int:
    """`du [-shackmbS0] [-d DEPTH] [-t SIZE] [--exclude PATTERN] [paths]`."""
    options, names = parse(
        call, "shacd:kmbB:S0t:X:",
        "summarize:s human-readable:h all:a max-depth=d total:c kilobytes:k bytes:b block-size=B separate-dirs:S null:0 threshold=t "
        "apparent-size:A exclude=exclude si:H time?time inodes:inodes",
    )  # fmt: skip
    depth = 0 if "s" in options else whole(call, options["d"], "invalid maximum depth ‘{}’") if "d" in options else 1 << 20
    unit = (
        1
        if "b" in options
        else 1024 * 1024
        if "m" in options
        else (_unit(call, options["B"]) or 1024)
        if "B" in options
        else 1024
    )
    apparent = "b" in options or "A" in options
    least = _unit(call, options["t"].lstrip("-")) or 0 if "t" in options else 0
    code, everything = 0, 0
    end = "\0" if "0" in options else "\n"

    def show(size: int) -> str:
        return human(size, si="H" in options) if "h" in options or "H" in options else str(-(-size // unit))

    def measure(node: Inode) -> int:
        if "inodes" in options:
            return unit
        return (
            (4096 if node.kind == "dir" else size_of(node))
            if apparent
            else 4096
            if node.kind == "dir"
            else -(-size_of(node) // 4096) * 4096
        )

    for name in names or ["."]:
        try:
            root = call.path(name)
            found = list(call.tree.walk(root))
        except OSError as failed:
            call.err(f"du: cannot access '{name}': {failed.strerror}\n")
            code = 1
            continue
        if "exclude" in options:
            pattern = options["exclude"]
            dropped = [
                p for p, _ in found if fnmatch.fnmatchcase(posixpath.basename(p), pattern) or fnmatch.fnmatchcase(p, pattern)
            ]
            found = [(p, n) for p, n in found if not any((p + "/").startswith(d + "/") for d in dropped)]
        sums: dict[str, int] = {}
        for path, node in found:
            size, here = measure(node), path
            sums[path] = sums.get(path, 0) + size
            while here != root and not ("S" in options and node.kind == "dir"):
                here = posixpath.dirname(here)
                sums[here] = sums.get(here, 0) + size
                if "S" in options:
                    break
        everything += sums.get(root, 0)
        for path, node in reversed(found):
            level = 0 if path == root else posixpath.relpath(path, root).count("/") + 1
            if level > depth or (node.kind != "dir" and "a" not in options and path != root) or sums[path] < least:
                continue
            shown = name if path == root else posixpath.join(name, posixpath.relpath(path, root))
            stamp = f"\t{to_datetime(node.mtime):%Y-%m-%d %H:%M}" if "time" in options else ""
            call.out(f"{show(sums[path])}{stamp}\t{shown}{end}")
    if "c" in options:
        call.out(f"{show(everything)}\ttotal{end}")
    return code

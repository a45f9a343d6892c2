"""uptime, free, df and du: what of a machine is in use."""

from __future__ import annotations

import posixpath

from ...host.invocation import Call
from ...host.virtual import used_disk, used_memory
from ...kernel.clock import SECOND, to_datetime
from .common import human, parse
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


def free(call: Call) -> int:
    """`free [-hmg]`."""
    options, _ = parse(call, "hmgkb", "human:h mebi:m gibi:g")
    total, used = call.host.memory_kib, used_memory(call.host)
    cache = min(total // 8, max(total - used, 0))
    rows = [total, used, max(total - used - cache, 0), 1200, cache, max(total - used, 0)]

    def show(kib: int) -> str:
        if "h" in options:
            value = float(kib)
            for unit in ("Ki", "Mi", "Gi"):
                if value < 1024 or unit == "Gi":
                    return f"{value:.1f}{unit}" if value < 10 else f"{value:.0f}{unit}"
                value /= 1024
        return str(kib // 1024 if "m" in options else kib // 1024 // 1024 if "g" in options else kib)

    call.out("               total        used        free      shared  buff/cache   available\n")
    call.out("Mem:    " + "".join(f"{show(value):>12}" for value in rows) + "\n")
    zero = "0B" if "h" in options else "0"
    call.out(f"Swap:   {zero:>12}{zero:>12}{zero:>12}\n")
    return 0


def _used(call: Call, path: str) -> int:
    return sum(4096 if node.kind == "dir" else -(-size_of(node) // 4096) * 4096 for _, node in call.tree.walk(path))


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


def df(call: Call) -> int:
    """`df [-h] [-T] [paths]`: of all file systems, or of those that hold the paths."""
    options, names = parse(call, "hTkai", "human-readable:h print-type:T")
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
    show = (lambda kib: human(kib * 1024)) if "h" in options else str
    table = [
        [
            "Filesystem",
            *(["Type"] if "T" in options else []),
            "Size" if "h" in options else "1K-blocks",
            "Used",
            "Avail" if "h" in options else "Available",
            "Use%",
            "Mounted on",
        ]
    ]
    for name, kind, size, taken, where in rows:
        table.append(
            [
                name,
                *([kind] if "T" in options else []),
                show(size),
                show(taken),
                show(size - taken),
                f"{-(-taken * 100 // size)}%",
                where,
            ]
        )
    widths = [max(len(row[n]) for row in table) for n in range(len(table[0]))]
    text = 2 if "T" in options else 1
    for row in table:
        cells = [cell.ljust(widths[n]) if n < text else cell.rjust(widths[n]) for n, cell in enumerate(row[:-1])]
        call.out(" ".join(cells) + " " + row[-1] + "\n")
    return code


def du(call: Call) -> int:
    """`du [-sha] [-d depth] [paths]`."""
    options, names = parse(call, "shacd:k", "summarize:s human-readable:h all:a max-depth=d total:c")
    depth = 0 if "s" in options else int(options.get("d", 1 << 20))
    code = 0
    for name in names or ["."]:
        try:
            root = call.path(name)
            for path, node in reversed(list(call.tree.walk(root))):
                level = 0 if path == root else posixpath.relpath(path, root).count("/") + 1
                if level > depth or (node.kind != "dir" and "a" not in options and path != root):
                    continue
                size = _used(call, path)
                shown = name if path == root else posixpath.join(name, posixpath.relpath(path, root))
                call.out(f"{human(size) if 'h' in options else size // 1024}\t{shown}\n")
        except OSError as failed:
            call.err(f"du: cannot access '{name}': {failed.strerror}\n")
            code = 1
    return code

"""Files of /proc and /sys whose content is computed when they are read (`tables['virtual']`)."""

from __future__ import annotations

from collections.abc import Callable

from ..kernel.clock import SECOND, to_datetime
from ..kernel.world import World
from .machine import Host


def used_memory(host: Host) -> int:
    """Memory in use by processes, in KiB, with a little for the kernel."""
    return 180_000 + sum(proc.memory_kib for proc in host.processes.values()) + host.reserved.get("memory", 0) // 1024


#: What a freshly installed node has on its disk, in KiB.
INSTALLED = 5_200_000


def used_disk(host: Host) -> int:
    """Space in use on a machine's disk, in KiB: the system, the files of all its trees, and what has been reserved."""
    own = sum(
        len(node.data)
        for fs in host.filesystems.values()
        if fs.root.kind != "frozen"
        for _, node in fs.tree().walk("/")
        if node.kind == "file"
    )
    reserved = 0
    for name, amount in list(host.reserved.items()):
        if name.startswith("/") and not host.fs.exists(name):
            del host.reserved[name]
        elif name != "memory":
            reserved += amount
    return INSTALLED + (own + reserved) // 1024


def _uptime(world: World, host: Host) -> bytes:
    seconds = (world.now - host.boot_at) / SECOND
    return f"{seconds:.2f} {seconds * host.cpus * 0.95:.2f}\n".encode()


def _loadavg(world: World, host: Host) -> bytes:
    count = len(host.processes)
    return f"0.12 0.10 0.08 1/{count} {host.next_pid}\n".encode()


def _meminfo(world: World, host: Host) -> bytes:
    total = host.memory_kib
    free = max(total - used_memory(host) - total // 8, total // 20)
    rows = {
        "MemTotal": total,
        "MemFree": free,
        "MemAvailable": max(total - used_memory(host), free),
        "Buffers": 20_480,
        "Cached": total // 8 - 20_480,
        "SwapCached": 0,
        "SwapTotal": sum(host.swap.values()),
        "SwapFree": sum(host.swap.values()),
    }
    return "".join(f"{name + ':':<16}{value:>8} kB\n" for name, value in rows.items()).encode()


def _cpuinfo(world: World, host: Host) -> bytes:
    blocks = [
        f"processor\t: {n}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\nmodel name\t: Intel(R) Xeon(R) Processor\n"
        f"cpu MHz\t\t: 2793.436\ncache size\t: 16384 KB\nsiblings\t: {host.cpus}\ncore id\t\t: {n}\ncpu cores\t: {host.cpus}\n"
        for n in range(host.cpus)
    ]
    return "\n".join(blocks).encode() + b"\n"


def _version(world: World, host: Host) -> bytes:
    return f"Linux version {host.kernel} (buildd@lcy02-amd64-009) (gcc 13.2.0) #45-Ubuntu SMP PREEMPT_DYNAMIC\n".encode()


def _mounts(world: World, host: Host) -> bytes:
    return (
        b"/dev/vda1 / ext4 rw,relatime,discard,errors=remount-ro 0 0\nproc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n"
        b"tmpfs /run tmpfs rw,nosuid,nodev,size=1%,mode=755 0 0\n"
        b"cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate,memory_recursiveprot 0 0\n"
    )


def _swaps(world: World, host: Host) -> bytes:
    rows = ["Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority"]
    for number, (path, size) in enumerate(host.swap.items()):
        rows.append(f"{path:<40}file\t\t{size}\t\t0\t\t{-2 - number}")
    return ("\n".join(rows) + "\n").encode()


def _forwarding(world: World, host: Host) -> bytes:
    return f"{host.sysctl.get('net.ipv4.ip_forward', '1')}\n".encode()


def _modules(world: World, host: Host) -> bytes:
    return "".join(f"{name} 16384 0 - Live 0x0000000000000000\n" for name in host.modules if not name.startswith("-")).encode()


def _hostname(world: World, host: Host) -> bytes:
    return f"{host.name}\n".encode()


def _syslog(world: World, host: Host) -> bytes:
    """What rsyslog has written of the journal, in its own format (RSYSLOG_FileFormat, Ubuntu's since 24.04)."""
    rows = (
        f"{to_datetime(line.at):%Y-%m-%dT%H:%M:%S.%f}+00:00 {host.name} {line.ident or line.unit.removesuffix('.service')}"
        + (f"[{line.pid}]" if line.pid else "")
        + f": {line.text}\n"
        for line in host.journal
    )
    return "".join(rows).encode()


def _controllers(world: World, host: Host) -> bytes:
    return b"cpuset cpu io memory hugetlb pids rdma misc\n"


def _empty(world: World, host: Host) -> bytes:
    return b""


VIRTUAL: dict[str, Callable[[World, Host], bytes]] = {
    "uptime": _uptime,
    "loadavg": _loadavg,
    "meminfo": _meminfo,
    "cpuinfo": _cpuinfo,
    "version": _version,
    "mounts": _mounts,
    "swaps": _swaps,
    "one": _forwarding,
    "modules": _modules,
    "hostname": _hostname,
    "controllers": _controllers,
    "syslog": _syslog,
    **{f"dev:{name}": _empty for name in ("null", "zero", "full", "random", "urandom", "tty", "stdin", "stdout", "stderr")},
}

"""Files of a running world: whoever changes one here rings `file:<host>:<directory>`, so that inotify-like watchers hear it.

A container's view of a file system follows its mounts; the bell always carries the host path of what changed.
"""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Callable

from ..kernel.world import World
from . import pidspace, procfs
from .filesystem import LOGS, Changes, Inode, Tree, error
from .inodes import SOCKET
from .machine import Host, hosts
from .process import Process
from .virtual import INSTALLED, used_disk


def host_of(world: World, host: str | Host) -> Host:
    """The host of that name (a Host is passed through)."""
    return host if isinstance(host, Host) else hosts(world)[host]


def tree(host: Host, mnt: str = "host", looks: Process | None = None, groups: Callable[[], Inode | None] | None = None) -> Tree:
    """The files as a process with that mount namespace (`host` or a container id) sees them; `looks` is what /proc/self shows.

    `groups` makes /sys/fs/cgroup."""

    def processes(name: str) -> Inode | None:
        found = procfs.seen(host, mnt, looks)
        if not name:
            return Inode("dir", children={str(pid): Inode("dir") for pid in found})
        proc = looks if name == "self" else found.get(int(name))
        return None if proc is None else procfs.directory(host, proc, pidspace.base(host, proc) if mnt != "host" else 0)

    return Tree(host.filesystems, mnt, processes=processes, groups=groups)


def read_file(world: World, host: str | Host, path: str, *, mnt: str = "host") -> bytes:
    """The content of a file; a virtual one (`/proc/uptime`) is computed now."""
    machine = host_of(world, host)
    make = world.tables.get("cgroups")
    files = tree(machine, mnt, groups=None if make is None else lambda: make(world, machine, mnt))
    node = files.lookup(path)
    if node.kind == "virtual":
        table: dict[str, Callable[..., bytes]] = world.tables["virtual"]
        name, _, rest = node.target.partition(":")
        if name == "pid":
            pid, _, what = rest.partition(":")
            return procfs.content(machine, int(pid), what)
        return (
            table[name](world, machine, rest, mnt)
            if name in ("cgroup", "cgroupfs", "oom")
            else table[node.target](world, machine)
        )
    if node.kind == "dir":
        raise error(errno.EISDIR, path)
    return node.data


def read_often(world: World, host: str | Host, path: str, *, mnt: str = "host") -> bytes:
    """`read_file` for who reads the same file at every request (a server its certificates): looked up again once some file has changed."""
    name = host if isinstance(host, str) else host.name
    held: dict[tuple[str, str, str], tuple[int, bytes]] = world.warm.setdefault("read-often", {})
    found = held.get((name, mnt, path))
    if found is not None and found[0] == Changes.count:
        return found[1]
    data = read_file(world, host, path, mnt=mnt)
    if not path.endswith(LOGS) and tree(host_of(world, host), mnt).lookup(path).kind == "file":
        held[name, mnt, path] = (Changes.count, data)
    return data


def topic(host: Host, mnt: str, path: str) -> str:
    """The bell of the directory that holds `path` (as the host sees it)."""
    try:
        place = tree(host, mnt).locate(path, follow=False)
        key, where = place.key, place.path
    except OSError:
        key, where = mnt, path
    suffix = "" if key == "host" else f"@{key}"
    return f"file:{host.name}{suffix}:{posixpath.dirname(where)}"


def ring(world: World, host: Host, mnt: str, path: str) -> None:
    """Ring the bell of the directory that holds `path`; cron hears of its tables at once."""
    world.ring(topic(host, mnt, path))
    if "/cron" in path and mnt == "host":
        hook = world.tables.get("cron")
        if hook is not None:
            hook(world, host, path)


def changing(world: World, host: Host, mnt: str, path: str) -> None:
    """What is below a `systemd/system` directory is about to change: the manager goes on with what it has read."""
    if "/systemd/system" in path and mnt == "host":
        hook = world.tables.get("units")
        if hook is not None:
            hook(world, host, path)


#: What the files that learners make on one machine may hold in all, in bytes: the machine that simulates has to keep them.
HOLD = 192 * 1024 * 1024
#: Files below this size are not looked at one by one.
SMALL = 256 * 1024


def room(world: World, host: str | Host, size: int, more: int) -> None:
    """Raise ENOSPC when a file that grows to `size` by `more` bytes would fill the disk.

    Looked at for large files, and for all once something has reserved much of the disk (`fallocate`, `dd`, a fault).
    """
    machine = host_of(world, host)
    if more <= 0 or (size < SMALL and not machine.reserved):
        return
    used = used_disk(machine) * 1024
    if used + more > min(machine.disk_kib * 1024, INSTALLED * 1024 + HOLD + sum(machine.reserved.values())):
        raise error(errno.ENOSPC, "")


def write_file(
    world: World,
    host: str | Host,
    path: str,
    data: bytes,
    *,
    mnt: str = "host",
    mode: int = 0o644,
    uid: int = 0,
    gid: int = 0,
    append: bool = False,
    parents: bool = False,
) -> None:
    """Create, replace or extend a file and ring the bell."""
    machine = host_of(world, host)
    changing(world, machine, mnt, path)
    files = tree(machine, mnt)
    put = files.append if append else files.write
    put(path, data, mode=mode, uid=uid, gid=gid, now=world.wall, parents=parents)
    ring(world, machine, mnt, path)


def make_socket(world: World, host: str | Host, path: str, *, mode: int = 0o755, gid: int = 0) -> None:
    """Put a Unix socket at a path of a machine, with the directories above it, as a server's bind does."""
    machine = host_of(world, host)
    write_file(world, machine, path, b"", mode=mode, gid=gid, parents=True)
    tree(machine, "host").edit(path).target = SOCKET


def make_dir(
    world: World,
    host: str | Host,
    path: str,
    *,
    mnt: str = "host",
    parents: bool = False,
    mode: int = 0o755,
    uid: int = 0,
    gid: int = 0,
) -> None:
    """Make a directory and ring the bell of the one above."""
    machine = host_of(world, host)
    tree(machine, mnt).mkdir(path, parents, mode=mode, uid=uid, gid=gid, now=world.wall)
    ring(world, machine, mnt, path)


def remove_file(world: World, host: str | Host, path: str, *, mnt: str = "host", recursive: bool = False) -> None:
    """Remove a file, link or directory and ring the bell."""
    machine = host_of(world, host)
    changing(world, machine, mnt, path)
    tree(machine, mnt).remove(path, recursive, now=world.wall)
    ring(world, machine, mnt, path)


def rename_file(world: World, host: str | Host, old: str, new: str, *, mnt: str = "host") -> None:
    """Move a file or directory; both directories' bells ring."""
    machine = host_of(world, host)
    changing(world, machine, mnt, old)
    changing(world, machine, mnt, new)
    tree(machine, mnt).rename(old, new, now=world.wall)
    ring(world, machine, mnt, old)
    ring(world, machine, mnt, new)

"""Files of a running world: whoever changes one here rings `file:<host>:<directory>`, so that inotify-like watchers hear it.

A container's view of a file system follows its mounts; the bell always carries the host path of what changed.
"""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Callable

from ..kernel.world import World
from .filesystem import Tree, error
from .machine import Host, hosts


def host_of(world: World, host: str | Host) -> Host:
    """The host of that name (a Host is passed through)."""
    return host if isinstance(host, Host) else hosts(world)[host]


def tree(host: Host, mnt: str = "host") -> Tree:
    """The files as a process with that mount namespace (`host` or a container id) sees them."""
    return Tree(host.filesystems, mnt)


def read_file(world: World, host: str | Host, path: str, *, mnt: str = "host") -> bytes:
    """The content of a file; a virtual one (`/proc/uptime`) is computed now."""
    machine = host_of(world, host)
    files = tree(machine, mnt)
    node = files.lookup(path)
    if node.kind == "virtual":
        computed: Callable[[World, Host], bytes] = world.tables["virtual"][node.target]
        return computed(world, machine)
    if node.kind == "dir":
        raise error(errno.EISDIR, path)
    return node.data


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
    """Ring the bell of the directory that holds `path`."""
    world.ring(topic(host, mnt, path))


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
    files = tree(machine, mnt)
    put = files.append if append else files.write
    put(path, data, mode=mode, uid=uid, gid=gid, now=world.wall, parents=parents)
    ring(world, machine, mnt, path)


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
    tree(machine, mnt).remove(path, recursive, now=world.wall)
    ring(world, machine, mnt, path)


def rename_file(world: World, host: str | Host, old: str, new: str, *, mnt: str = "host") -> None:
    """Move a file or directory; both directories' bells ring."""
    machine = host_of(world, host)
    tree(machine, mnt).rename(old, new, now=world.wall)
    ring(world, machine, mnt, old)
    ring(world, machine, mnt, new)

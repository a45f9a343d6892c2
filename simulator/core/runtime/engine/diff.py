"""What a container has changed in its image's files, and layers made of it (moby `pkg/archive`: Added, Changed, Deleted)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from ...host.filesystem import FileSystem, Inode, melt, thaw
from ...host.machine import hosts
from ...kernel.world import World
from .. import images
from ..state import Container

#: Files that the engine mounts over the image's: they belong to no layer.
OWN = ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf")


def changes(before: Inode | None, now: Inode | None, path: str = "") -> Iterator[tuple[str, str, Inode | None]]:
    """(kind, path, inode) of every difference, parents before children, names sorted; kinds are A, C and D."""
    if before is None and now is not None:
        yield "A", path, now
        real = melt(now)
        for name in sorted(real.children or {}):
            assert real.children is not None
            yield from changes(None, real.children[name], f"{path}/{name}")
        return
    if now is None:
        yield "D", path, None
        return
    assert before is not None
    if now is before or (now.kind == "frozen" and before.kind == "frozen" and now.target == before.target):
        return
    old, new = melt(before), melt(now)
    if old is new:
        return
    if old.children is None or new.children is None or old.kind != new.kind:
        if (old.kind, old.data, old.target, old.mode, old.uid, old.gid) != (
            new.kind,
            new.data,
            new.target,
            new.mode,
            new.uid,
            new.gid,
        ):
            yield "C", path, now
        return
    old, new = thaw(before), thaw(now)
    assert old.children is not None and new.children is not None
    below: list[tuple[str, str, Inode | None]] = []
    for name in sorted({*old.children, *new.children}):
        below += changes(old.children.get(name), new.children.get(name), f"{path}/{name}")
    if path and (below or (old.mode, old.uid, old.gid) != (new.mode, new.uid, new.gid)):
        yield "C", path, now
    yield from below


def tree(world: World, host: str, container: Container) -> Inode:
    """A container's own root as an image would have it: hard links resolved, the engine's files and mount points taken out."""
    fs = hosts(world)[host].filesystems[container.id]
    root = _plain(fs, fs.root)
    base = images.root(world, container.build)
    for path in [*OWN, *(m.target for m in container.mounts)]:
        _reset(root, base, path)
    return root


def _plain(fs: FileSystem, node: Inode) -> Inode:
    if node.kind == "hard":
        node = fs.shared[node.target]
    if node.kind == "frozen":
        return node
    children = None if node.children is None else {name: _plain(fs, child) for name, child in node.children.items()}
    return Inode(node.kind, node.mode, node.uid, node.gid, node.mtime, node.data, children, node.target)


def _reset(root: Inode, base: Inode, path: str) -> None:
    """Put back what the image has at a path, and empty directories that only the mount point needed."""
    names = [name for name in posixpath.normpath(path).split("/") if name]
    here, there = root, base
    way: list[tuple[Inode, str, bool]] = []
    for name in names:
        if here.kind == "frozen" or here.children is None or name not in here.children:
            return
        old = thaw(there).children if there is not None and melt(there).children is not None else None
        known = old is not None and name in old
        way.append((here, name, known))
        here = here.children[name]
        there = old[name] if known and old is not None else None  # type: ignore[assignment]
        if there is None:
            there = Inode("dir", children={})
    folder, name, known = way[-1]
    assert folder.children is not None
    if known:
        folder.children[name] = there
        return
    if here.kind != "dir" or not here.children:
        del folder.children[name]
    for above, name, known in reversed(way[:-1]):
        assert above.children is not None
        if known or above.children[name].children:
            return
        del above.children[name]


def of_container(world: World, host: str, container: Container) -> list[tuple[str, str, Inode | None]]:
    """A container's changes to its image."""
    return list(changes(images.root(world, container.build), tree(world, host, container)))


def size(found: list[tuple[str, str, Inode | None]]) -> int:
    """Bytes of what was added or changed."""
    return sum(len(melt(node).data) for kind, _, node in found if kind != "D" and node is not None)

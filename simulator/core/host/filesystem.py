"""File systems as trees of inodes, with unchanging base trees shared between hosts and worlds.

Rules:

* a tree is plain data.  An inode of kind `frozen` stands for a whole subtree of a *base* (`target` is `<base>!<path>`); bases
  are built once a process by the functions in `BASES`, never changed, and never stored in a snapshot;
* reading walks straight into a base; the first change below a frozen inode *thaws* the directories on its way, one level each,
  so a fresh host costs one inode and a changed one costs what changed;
* paths are absolute and normalised; failures raise OSError(errno, strerror, path) as the system calls do;
* a hard link is an inode of kind `hard` whose `target` names an entry of `FileSystem.shared`.

`Tree` sees a file system with its mounts: `mounts` maps an absolute path to (key of another file system, path in it).
"""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Callable, Iterator

import msgspec

from .inodes import BASES, MAX_FILE, MAX_LINKS, Changes, Inode, Place, base_tree, error, frozen, melt, thaw

__all__ = [
    "BASES",
    "MAX_FILE",
    "MAX_LINKS",
    "Changes",
    "FileSystem",
    "Inode",
    "Place",
    "Tree",
    "base_tree",
    "error",
    "frozen",
    "melt",
    "thaw",
]


#: Files that grow all the time; nobody keeps what they hold (`files.read_often`).
LOGS = ".log"
#: Names that the short way of `Tree.locate` leaves to the long one, and kinds of inode that lead elsewhere.
_DOTS = frozenset(("", ".", ".."))
_INDIRECT = frozenset(("link", "hard"))


class FileSystem(msgspec.Struct):
    """One file system: its tree, its mounts (path → (file system key, path there)) and the inodes that hard links share."""

    root: Inode
    mounts: dict[str, tuple[str, str]] = {}
    shared: dict[str, Inode] = {}

    def tree(self) -> Tree:
        """This file system alone, without its mounts."""
        return Tree({"": self}, "", mounted=False)

    def lookup(self, path: str, follow: bool = True) -> Inode:
        """The inode of a path (to be read only)."""
        return self.tree().lookup(path, follow)

    def read(self, path: str) -> bytes:
        """The content of a file."""
        return self.tree().read(path)

    def write(
        self, path: str, data: bytes, *, mode: int = 0o644, uid: int = 0, gid: int = 0, now: int = 0, parents: bool = False
    ) -> None:
        """Create or replace a file; an existing one keeps its mode and owner."""
        self.tree().write(path, data, mode=mode, uid=uid, gid=gid, now=now, parents=parents)

    def append(
        self, path: str, data: bytes, *, mode: int = 0o644, uid: int = 0, gid: int = 0, now: int = 0, parents: bool = False
    ) -> None:
        """Extend a file, or create it."""
        self.tree().append(path, data, mode=mode, uid=uid, gid=gid, now=now, parents=parents)

    def mkdir(self, path: str, parents: bool = False, *, mode: int = 0o755, uid: int = 0, gid: int = 0, now: int = 0) -> None:
        """Make a directory; with `parents` it may exist."""
        self.tree().mkdir(path, parents, mode=mode, uid=uid, gid=gid, now=now)

    def remove(self, path: str, recursive: bool = False) -> None:
        """Remove a file, link or (when empty or `recursive`) directory."""
        self.tree().remove(path, recursive)

    def exists(self, path: str) -> bool:
        """Whether the path leads to something."""
        return self.tree().exists(path)

    def isdir(self, path: str) -> bool:
        """Whether the path leads to a directory."""
        return self.tree().isdir(path)

    def listdir(self, path: str) -> list[str]:
        """The sorted names in a directory."""
        return self.tree().listdir(path)

    def rename(self, old: str, new: str, now: int = 0) -> None:
        """Move within this file system, as rename(2)."""
        self.tree().rename(old, new, now=now)

    def symlink(self, target: str, path: str, *, now: int = 0) -> None:
        """Make a symbolic link at `path`."""
        self.tree().symlink(target, path, now=now)

    def install(self, path: str, program: str, *, now: int = 0) -> None:
        """Put an executable at `path` that runs a command or program of the tables (`name` or `name:version`)."""
        self.tree().install(path, program, now=now)

    def mount(self, path: str, key: str, source: str, *, directory: bool = True, now: int = 0) -> None:
        """Show `source` of the file system `key` at `path`, making the mount point when it is missing."""
        if not self.exists(path):
            if directory:
                self.mkdir(path, True, now=now)
            else:
                self.write(path, b"", parents=True, now=now)
        self.mounts[path] = (key, source)
        Changes.count += 1


#: The way to the cgroup file system: images need not have the directories that the runtime mounts it on.
_CGROUPS = frozenset({"//sys", "/sys/fs", "/sys/fs/cgroup"})


def _group_place(seen: str, child: Inode | None, groups: Callable[[], Inode | None]) -> Inode | None:
    """What stands at a step of the way to /sys/fs/cgroup."""
    if seen == "/sys/fs/cgroup":
        return groups() or child
    return (
        child
        if child is not None
        else Inode("dir", 0o555, children={"fs": Inode("dir", 0o555, children={})} if seen == "//sys" else {})
    )


#: The longest path and the longest name (include/uapi/linux/limits.h).
PATH_MAX, NAME_MAX = 4096, 255


class Tree:
    """A file system seen with its mounts, by host or container.

    `processes` makes the directories of /proc that no file system holds: the inode of a name there, and all names for "".
    `groups` makes /sys/fs/cgroup.
    """

    __slots__ = ("filesystems", "groups", "key", "mounts", "processes")

    def __init__(
        self,
        filesystems: dict[str, FileSystem],
        key: str,
        *,
        mounted: bool = True,
        processes: Callable[[str], Inode | None] | None = None,
        groups: Callable[[], Inode | None] | None = None,
    ) -> None:
        self.filesystems = filesystems
        self.key = key
        self.processes = processes
        self.groups = groups
        self.mounts = filesystems[key].mounts if mounted else {}

    # -- walking --------------------------------------------------------------------------------------------------------
    def locate(self, path: str, follow: bool = True) -> Place:
        """Walk to a path; the last name may be missing (`node` None), everything before it must exist."""
        return self._plain(path) or self._walk(path, follow)

    def _plain(self, path: str) -> Place | None:
        """The short way, for the paths that programs read and write all day: absolute, without links, dots or hard links; else None."""
        mounts = self.mounts
        node: Inode | None = self.filesystems[self.key].root
        if path[:1] != "/" or path[:5] == "/proc" or path[:5] == "/sys/" or "/" in mounts:
            return None
        if not mounts:
            return self._bare(path, node)
        key, above, base = self.key, "", 0  # `above + path[base:]` is the path in the file system `key`
        at = 0
        while at < len(path) - 1 and node is not None:
            end = path.find("/", at + 1)
            if end < 0:
                end = len(path)
            name = path[at + 1 : end]
            if name in _DOTS:
                return None
            if node.kind == "frozen":
                node = melt(node)
            if node.children is None:
                return None
            node = node.children.get(name)
            if mounts and path[:end] in mounts:
                key, source = mounts[path[:end]]
                inner = Tree(self.filesystems, key, mounted=False).locate(source)
                above, base, node = inner.path.rstrip("/"), end, inner.node
            if node is not None and node.kind != "file" and melt(node).kind in _INDIRECT:
                return None
            at = end
        if at < len(path):
            return None
        return Place(key, above + path[base:] or "/", path, node)

    def _bare(self, path: str, node: Inode | None) -> Place | None:
        """`_plain` from the root `node` where nothing is mounted."""
        for name in path[1:].split("/"):
            if node is None or name in _DOTS:
                return None
            if node.kind == "frozen":
                node = melt(node)
            if node.children is None:
                return None
            node = node.children.get(name)
            if node is not None and node.kind != "file" and melt(node).kind in _INDIRECT:
                return None
        return Place(self.key, path, path, node)

    def _walk(self, path: str, follow: bool) -> Place:
        """The long way: symbolic and hard links, `.` and `..`, what is missing."""
        if len(path) > PATH_MAX:
            raise error(errno.ENAMETOOLONG, path[:64])
        own = self.filesystems[self.key]
        mounts = self.mounts
        todo = [name for name in reversed(path.split("/")) if name]
        links = 0
        stack: list[Place] = [self._enter("/", Place(self.key, "/", "/", own.root), mounts)]
        while todo:
            name = todo.pop()
            here = stack[-1]
            if name == ".":
                continue
            if name == "..":
                if len(stack) > 1:
                    stack.pop()
                continue
            node = here.node
            if node is None:
                raise error(errno.ENOENT, path)
            node = melt(node)
            if node.children is None:
                raise error(errno.ENOTDIR, path)
            child = node.children.get(name)
            if self.processes is not None and here.seen == "/proc" and (name.isdigit() or name == "self"):
                child = self.processes(name) or child
            elif self.groups is not None and here.seen + "/" + name in _CGROUPS:
                child = _group_place(here.seen + "/" + name, child, self.groups)
            there = f"{here.path}/{name}" if here.path != "/" else "/" + name
            if child is not None and child.kind == "hard":
                child = self.filesystems[here.key].shared[child.target]
            seen = f"{here.seen}/{name}" if here.seen != "/" else "/" + name
            place = Place(here.key, there, seen, child)
            if mounts:
                place = self._enter(seen, place, mounts)
            real = melt(place.node) if place.node is not None else None
            if real is not None and real.kind == "link" and (todo or follow):
                links += 1
                if links > MAX_LINKS:
                    raise error(errno.ELOOP, path)
                todo.extend(part for part in reversed(real.target.split("/")) if part)
                if real.target.startswith("/"):
                    del stack[1:]
                continue
            stack.append(place)
        return stack[-1]

    def _enter(self, seen: str, place: Place, mounts: dict[str, tuple[str, str]]) -> Place:
        mount = mounts.get(seen)
        if mount is None:
            return place
        key, path = mount
        inner = Tree(self.filesystems, key, mounted=False).locate(path)
        return Place(key, inner.path, seen, inner.node)

    def _thawed(self, key: str, path: str) -> Inode:
        """The changeable inode at a link-free path of one file system; thaws the way to it."""
        fs = self.filesystems[key]
        if path.endswith(LOGS):
            Changes.log(id(fs))
        else:
            Changes.count += 1
        node = fs.root = thaw(fs.root)
        for name in path.split("/"):
            if not name:
                continue
            assert node.children is not None
            if name not in node.children:
                raise error(errno.EACCES, path)  # below /proc/<pid>
            child = node.children[name]
            if child.kind == "frozen":
                child = node.children[name] = thaw(child)
            elif child.kind == "hard":
                child = fs.shared[child.target]
            node = child
        return node

    def _parent(self, place: Place, path: str) -> tuple[dict[str, Inode], str, Inode]:
        head, name = posixpath.split(place.path)
        if len(name.encode("utf-8", "surrogateescape")) > NAME_MAX or len(place.path) > PATH_MAX:
            raise error(errno.ENAMETOOLONG, path)
        folder = self._thawed(place.key, head)
        if name.endswith(LOGS):
            Changes.log(id(self.filesystems[place.key]))
        if folder.children is None:
            raise error(errno.ENOTDIR, path)
        return folder.children, name, folder

    # -- reading --------------------------------------------------------------------------------------------------------
    def lookup(self, path: str, follow: bool = True) -> Inode:
        """The inode of a path, to be read only; raises ENOENT, ENOTDIR or ELOOP."""
        node = self.locate(path, follow).node
        if node is None:
            raise error(errno.ENOENT, path)
        return melt(node)

    def exists(self, path: str) -> bool:
        """Whether the path leads to something."""
        try:
            self.lookup(path)
        except OSError:
            return False
        return True

    def size(self, path: str) -> int:
        """Bytes in a file; -1 where there is none."""
        try:
            return len(self.lookup(path).data)
        except OSError:
            return -1

    def isdir(self, path: str) -> bool:
        """Whether the path leads to a directory."""
        try:
            node = self.locate(path).node
        except OSError:
            return False
        return node is not None and melt(node).kind == "dir"

    def realpath(self, path: str) -> str:
        """The path without symbolic links, as seen in this tree."""
        return self.locate(path).seen

    def listdir(self, path: str) -> list[str]:
        """The sorted names in a directory."""
        node = self.lookup(path)
        if node.children is None:
            raise error(errno.ENOTDIR, path)
        if path == "/proc" and self.processes is not None:
            found = self.processes("")
            return sorted({*node.children, *((found.children or {}) if found is not None else {})})
        return sorted(node.children)

    def read(self, path: str) -> bytes:
        """The content of a file."""
        node = self.lookup(path)
        if node.kind == "dir":
            raise error(errno.EISDIR, path)
        return node.data

    def walk(self, path: str) -> Iterator[tuple[str, Inode]]:
        """Every path below a directory (itself first), depth first, names sorted; links are not followed."""
        node = self.lookup(path, follow=False)
        yield path, node
        if node.kind == "dir":
            for name in self.listdir(path):
                yield from self.walk(posixpath.join(path, name))

    # -- changing -------------------------------------------------------------------------------------------------------
    def edit(self, path: str, follow: bool = True) -> Inode:
        """The changeable inode of a path (for chmod, chown, touch)."""
        place = self.locate(path, follow)
        if place.node is None:
            raise error(errno.ENOENT, path)
        return self._thawed(place.key, place.path)

    def write(
        self, path: str, data: bytes, *, mode: int = 0o644, uid: int = 0, gid: int = 0, now: int = 0, parents: bool = False
    ) -> None:
        """Create or replace a file; an existing one keeps its mode and owner."""
        self._put(path, self._target(path, parents, uid, gid, now), data, mode, uid, gid, now)

    def append(
        self, path: str, data: bytes, *, mode: int = 0o644, uid: int = 0, gid: int = 0, now: int = 0, parents: bool = False
    ) -> None:
        """Extend a file, or create it."""
        place = self._target(path, parents, uid, gid, now)
        if place.node is not None:
            data = melt(place.node).data + data
        self._put(path, place, data, mode, uid, gid, now)

    def _target(self, path: str, parents: bool, uid: int, gid: int, now: int) -> Place:
        """Where a file is, or is to be; one that is there has its directories (and mostly it is: components extend their logs)."""
        if parents:
            try:
                place = self.locate(path)
            except OSError:
                pass
            else:
                if place.node is not None:
                    return place
            self.mkdir(posixpath.dirname(path), True, uid=uid, gid=gid, now=now)
        return self.locate(path)

    def _put(self, path: str, place: Place, data: bytes, mode: int, uid: int, gid: int, now: int) -> None:
        if len(data) > MAX_FILE:
            raise error(errno.EFBIG, path)
        if place.node is not None:
            node = self._thawed(place.key, place.path)
            if node.kind == "dir":
                raise error(errno.EISDIR, path)
            if node.kind == "virtual":
                raise error(errno.EACCES, path)
            if node.kind == "exec":
                node.kind = "file"
            node.data, node.mtime, node.target = data, now, ""
            return
        children, name, folder = self._parent(place, path)
        children[name] = Inode("file", mode, uid, gid, now, data)
        folder.mtime = now

    def mkdir(self, path: str, parents: bool = False, *, mode: int = 0o755, uid: int = 0, gid: int = 0, now: int = 0) -> None:
        """Make a directory; with `parents` also those above, and it may exist."""
        if parents:
            if self.isdir(path):
                return
            above = posixpath.dirname(path)
            if above != path:
                self.mkdir(above, True, uid=uid, gid=gid, now=now)
        place = self.locate(path)
        if place.node is not None:
            raise error(errno.EEXIST, path)
        children, name, folder = self._parent(place, path)
        children[name] = Inode("dir", mode, uid, gid, now, b"", {})
        folder.mtime = now

    def put(self, path: str, node: Inode, now: int = 0) -> None:
        """Put an inode at a path whose directory exists, replacing what is there."""
        children, name, folder = self._parent(self.locate(path, follow=False), path)
        children[name] = node
        folder.mtime = now

    def remove(self, path: str, recursive: bool = False, *, now: int = 0) -> None:
        """Remove a file, link or (when empty or `recursive`) directory."""
        place = self.locate(path, follow=False)
        if place.node is None:
            raise error(errno.ENOENT, path)
        real = melt(place.node)
        if real.children and not recursive:
            raise error(errno.ENOTEMPTY, path)
        if place.seen in self.mounts or place.path == "/":
            raise error(errno.EBUSY, path)
        children, name, folder = self._parent(place, path)
        del children[name]
        folder.mtime = now

    def rename(self, old: str, new: str, *, now: int = 0) -> None:
        """Move, as rename(2): a file replaces a file, a directory only an empty directory."""
        src, dst = self.locate(old, follow=False), self.locate(new, follow=False)
        if src.node is None:
            raise error(errno.ENOENT, old)
        if src.key != dst.key:
            raise error(errno.EXDEV, old)
        if (dst.path + "/").startswith(src.path + "/") and src.path != dst.path:
            raise error(errno.EINVAL, old)
        if src.path == dst.path:
            return
        if dst.node is not None:
            there, moving = melt(dst.node), melt(src.node)
            if there.kind == "dir" and moving.kind != "dir":
                raise error(errno.EISDIR, new)
            if there.kind != "dir" and moving.kind == "dir":
                raise error(errno.ENOTDIR, new)
            if there.children:
                raise error(errno.ENOTEMPTY, new)
        children, name, folder = self._parent(src, old)
        node = children.pop(name)
        folder.mtime = now
        children, name, folder = self._parent(dst, new)
        children[name] = node
        folder.mtime = now

    def symlink(self, target: str, path: str, *, uid: int = 0, gid: int = 0, now: int = 0) -> None:
        """Make a symbolic link at `path`."""
        place = self.locate(path, follow=False)
        if place.node is not None:
            raise error(errno.EEXIST, path)
        children, name, folder = self._parent(place, path)
        children[name] = Inode("link", 0o777, uid, gid, now, target=target)
        folder.mtime = now

    def link(self, old: str, new: str, *, now: int = 0) -> None:
        """Make a hard link."""
        src, dst = self.locate(old, follow=False), self.locate(new, follow=False)
        if src.node is None:
            raise error(errno.ENOENT, old)
        if dst.node is not None:
            raise error(errno.EEXIST, new)
        if src.key != dst.key:
            raise error(errno.EXDEV, new)
        if melt(src.node).kind == "dir":
            raise error(errno.EPERM, old)
        fs = self.filesystems[src.key]
        node = self._thawed(src.key, src.path)
        children, name, _ = self._parent(src, old)
        if children[name].kind != "hard":
            ident = str(len(fs.shared) + 1)
            fs.shared[ident] = node
            children[name] = Inode("hard", target=ident)
        reference = children[name]
        children, name, folder = self._parent(dst, new)
        children[name] = Inode("hard", target=reference.target)
        folder.mtime = now

    def install(self, path: str, program: str, *, mode: int = 0o755, now: int = 0) -> None:
        """Put an executable at `path` that runs a command or program of the tables (`name` or `name:version`)."""
        self.mkdir(posixpath.dirname(path), True, now=now)
        self.put(path, Inode("exec", mode, 0, 0, now, b"\x7fELF\x02\x01\x01" + b"\0" * 9, None, program), now)

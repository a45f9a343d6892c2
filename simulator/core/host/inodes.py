"""Inodes, and the frozen trees that cost nothing in a snapshot."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import ClassVar

import msgspec

#: How many symbolic links a walk may follow (Linux: MAXSYMLINKS).
MAX_LINKS = 40
#: The largest file a simulated host holds.
MAX_FILE = 64 * 1024 * 1024


class Inode(msgspec.Struct, omit_defaults=True):
    """One file, directory, link, executable, computed file (`virtual`), or reference to a base (`frozen`, `hard`)."""

    kind: str
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    data: bytes = b""
    children: dict[str, Inode] | None = None
    target: str = ""


#: The target of a file that is a Unix socket.
SOCKET = "socket"


def letter(node: Inode) -> str:
    """The file type as `ls -l` and `find -type` write it: `d`, `l`, `c`, `s`, and `-` for a regular file."""
    if node.kind in ("dir", "link"):
        return node.kind[0]
    if node.kind == "virtual":
        return "c" if node.target.startswith("dev:") else "-"
    return "s" if node.kind == "file" and node.target == SOCKET else "-"


#: Builders of base trees by name; what follows a `:` in a base's name is handed to the builder.
BASES: dict[str, Callable[[str], Inode]] = {}
_BUILT: dict[str, Inode] = {}
#: What references into bases stand for, by their target: bases never change.
_MELTED: dict[str, Inode] = {}


class Changes:
    """How often any file of this process's worlds but a growing log has been changed: what was read stays true until it moves.

    `logs` counts the changes of logs; `log_of` has the count at which a log of a file system (its id) changed last.
    """

    count = 0
    logs = 0
    log_of: ClassVar[dict[int, int]] = {}

    @classmethod
    def log(cls, filesystem: int) -> None:
        """A log of a file system has changed."""
        if len(cls.log_of) > 10_000:
            cls.log_of.clear()
        cls.logs += 1
        cls.log_of[filesystem] = cls.logs


def base_tree(name: str) -> Inode:
    """The shared, unchanging tree of a base (built on first use in this process)."""
    tree = _BUILT.get(name)
    if tree is None:
        kind, _, rest = name.partition(":")
        tree = _BUILT[name] = BASES[kind](rest)
    return tree


def frozen(base: str, path: str = "/") -> Inode:
    """A reference to a path of a base."""
    return Inode("frozen", target=f"{base}!{path}")


def error(number: int, path: str) -> OSError:
    """The OSError of a system call."""
    return OSError(number, os.strerror(number), path)


def melt(node: Inode) -> Inode:
    """What a frozen reference stands for, to be read only; any other inode as it is."""
    if node.kind != "frozen":
        return node
    known = _MELTED.get(node.target)
    if known is not None:
        return known
    base, _, path = node.target.partition("!")
    found = base_tree(base)
    for name in path.split("/"):
        if name:
            assert found.children is not None
            found = found.children[name]
    _MELTED[node.target] = found
    return found


def thaw(node: Inode) -> Inode:
    """A changeable copy of a frozen reference, its children still frozen; any other inode as it is."""
    if node.kind != "frozen":
        return node
    real = melt(node)
    children = None
    if real.children is not None:
        base, _, path = node.target.partition("!")
        prefix = path.rstrip("/")
        children = {name: frozen(base, f"{prefix}/{name}") for name in real.children}
    return Inode(real.kind, real.mode, real.uid, real.gid, real.mtime, real.data, children, real.target)


class Place(msgspec.Struct):
    """Where a path leads: the file system, the path in it (no links in it), the path as seen, and the inode if there is one."""

    key: str
    path: str
    seen: str
    node: Inode | None

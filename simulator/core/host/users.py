"""Users and groups as `/etc/passwd` and `/etc/group` of a host or container say, and permission bits.

A user is a name or a number; one of a container may name its groups too: `1000:3000,2000` is uid 1000 with the primary group 3000 and 2000.
"""

from __future__ import annotations

import errno
import posixpath

from .filesystem import Inode, Tree, error

READ, WRITE, EXECUTE = 4, 2, 1


def _rows(tree: Tree, path: str) -> list[list[str]]:
    try:
        text = tree.read(path).decode(errors="replace")
    except OSError:
        return []
    return [line.split(":") for line in text.splitlines() if line.count(":") >= 3]


def passwd(tree: Tree, user: str) -> list[str] | None:
    """The passwd row of a user given by name or uid."""
    user = user.partition(":")[0]
    for row in _rows(tree, "/etc/passwd"):
        if len(row) >= 7 and user in (row[0], row[2]):
            return row
    return None


def uid_of(tree: Tree, user: str) -> int:
    """The uid of a user name (root is 0 without any file); a number stands for itself."""
    user = user.partition(":")[0]
    if user == "root":
        return 0
    row = passwd(tree, user)
    if row is not None:
        return int(row[2])
    return int(user) if user.isdigit() else 65534


def gid_of(tree: Tree, user: str) -> int:
    """The primary group of a user."""
    if ":" in user:
        return _gid(tree, user.partition(":")[2].partition(",")[0])
    row = passwd(tree, user)
    return int(row[3]) if row is not None else uid_of(tree, user)


def user_name(tree: Tree, uid: int) -> str:
    """The name of a uid, or its number."""
    if uid == 0:
        return "root"
    row = passwd(tree, str(uid))
    return row[0] if row is not None else str(uid)


def group_name(tree: Tree, gid: int) -> str:
    """The name of a gid, or its number."""
    for row in _rows(tree, "/etc/group"):
        if row[2] == str(gid):
            return row[0]
    return "root" if gid == 0 else str(gid)


def _gid(tree: Tree, group: str) -> int:
    if group.isdigit():
        return int(group)
    return next((int(row[2]) for row in _rows(tree, "/etc/group") if row[0] == group and row[2].isdigit()), 0)


def groups_of(tree: Tree, user: str) -> list[int]:
    """The groups of a user, the primary one first."""
    if ":" in user:
        return list(dict.fromkeys(_gid(tree, one) for one in user.partition(":")[2].split(",")))
    primary = gid_of(tree, user)
    others = [int(row[2]) for row in _rows(tree, "/etc/group") if row[2].isdigit() and user in row[3].split(",")]
    return [primary, *(gid for gid in others if gid != primary)]


def home_of(tree: Tree, user: str) -> str:
    """The home directory of a user."""
    row = passwd(tree, user)
    return row[5] if row is not None else ("/root" if user == "root" else "/")


def may(node: Inode, uid: int, gid: int, want: int) -> bool:
    """Whether permission bits let a user do something; root may read and write all, and run what anybody may run."""
    if uid == 0:
        return want != EXECUTE or node.kind == "dir" or bool(node.mode & 0o111)
    shift = 6 if node.uid == uid else 3 if node.gid == gid else 0
    return (node.mode >> shift) & want == want


def check(tree: Tree, path: str, user: str, want: int) -> None:
    """Raise EACCES unless the user may reach the path and do what is wanted there; a missing file asks its directory."""
    if user == "root":
        return
    uid, groups = uid_of(tree, user), groups_of(tree, user)
    gid = groups[0]
    above = posixpath.dirname(path)
    while True:
        try:
            folder = tree.lookup(above)
            if not may(folder, uid, folder.gid if folder.gid in groups else gid, EXECUTE):
                raise error(errno.EACCES, path)
        except OSError as failed:
            if failed.errno == errno.EACCES:
                raise
        if above == "/":
            break
        above = posixpath.dirname(above)
    try:
        node = tree.lookup(path)
    except OSError:
        if want & WRITE and tree.isdir(posixpath.dirname(path)):
            folder = tree.lookup(posixpath.dirname(path))
            if not may(folder, uid, folder.gid if folder.gid in groups else gid, WRITE):
                raise error(errno.EACCES, path) from None
        return
    if not may(node, uid, node.gid if node.gid in groups else gid, want):
        raise error(errno.EACCES, path)

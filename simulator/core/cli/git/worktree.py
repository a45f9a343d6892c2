"""The index, the working folder, and what tells them apart."""

from __future__ import annotations

import fnmatch
import hashlib
import posixpath
import re
import struct

from ...host import files
from ...host.inodes import Inode
from ...kernel.clock import SECOND
from ...shell.coreutils import archive
from .store import LINK, PLAIN, PROGRAM, Entry, Failed, Repository, fatal, put

Files = dict[str, Entry]


def read_index(repo: Repository) -> list[Entry]:
    """The index's entries, in its order (gitformat-index(5), version 2)."""
    data = repo.read("index") or b""
    if len(data) < 12 or data[:4] != b"DIRC":
        return []
    count, at, out = struct.unpack(">I", data[8:12])[0], 12, []
    for _ in range(count):
        mode = struct.unpack(">I", data[at + 24 : at + 28])[0]
        sha, flags = data[at + 40 : at + 60].hex(), struct.unpack(">H", data[at + 60 : at + 62])[0]
        end = data.index(b"\0", at + 62)
        path = data[at + 62 : end].decode("utf-8", "surrogateescape")
        out.append(Entry(path, mode, sha, flags >> 12 & 3))
        at += (62 + end - at - 62 + 8) // 8 * 8
    return out


def write_index(repo: Repository, entries: list[Entry]) -> None:
    """Write the index."""
    rows = sorted(entries, key=lambda one: (one.path.encode("utf-8", "surrogateescape"), one.stage))
    out = b"DIRC" + struct.pack(">II", 2, len(rows))
    for one in rows:
        name = one.path.encode("utf-8", "surrogateescape")
        node = look(repo, one.path)
        when, size = (node.mtime // SECOND, len(node.data)) if node is not None else (0, 0)
        seconds = when & 0xFFFFFFFF
        row = struct.pack(">10I", seconds, 0, seconds, 0, 0, 0, one.mode, 0, 0, size) + bytes.fromhex(one.sha)
        row += struct.pack(">H", one.stage << 12 | min(len(name), 0xFFF)) + name
        out += row + b"\0" * (8 - len(row) % 8)
    repo.write("index", out + hashlib.sha1(out, usedforsecurity=False).digest())


def staged(repo: Repository) -> Files:
    """The index's settled entries by path."""
    return {one.path: one for one in read_index(repo) if not one.stage}


def unmerged(repo: Repository) -> dict[str, set[int]]:
    """Paths that a merge left to be settled, with the stages that they have."""
    out: dict[str, set[int]] = {}
    for one in read_index(repo):
        if one.stage:
            out.setdefault(one.path, set()).add(one.stage)
    return out


def look(repo: Repository, path: str) -> Inode | None:
    """The inode of a file of the working folder, links themselves; None for none or a folder."""
    try:
        node = repo.call.tree.lookup(f"{repo.work}/{path}", follow=False)
    except OSError:
        return None
    return None if node.kind == "dir" else node


def hashed(repo: Repository, path: str, *, keep: bool = False) -> Entry | None:
    """What the working folder's file is as an entry; with `keep` its content becomes an object."""
    node = look(repo, path)
    if node is None:
        return None
    mode = LINK if node.kind == "link" else PROGRAM if node.mode & 0o100 else PLAIN
    data = node.target.encode() if node.kind == "link" else node.data
    if keep:
        return Entry(path, mode, repo.put("blob", data))
    raw = f"blob {len(data)}\0".encode() + data
    return Entry(path, mode, hashlib.sha1(raw, usedforsecurity=False).hexdigest())


def content(repo: Repository, path: str) -> bytes:
    """The bytes of a file of the working folder."""
    node = look(repo, path)
    return b"" if node is None else node.target.encode() if node.kind == "link" else node.data


def changed(repo: Repository, index: Files) -> dict[str, str]:
    """Files that differ from the index: path → `M`, `D` or `T`."""
    out: dict[str, str] = {}
    for path, entry in index.items():
        now = hashed(repo, path)
        if now is None:
            out[path] = "D"
        elif (now.mode, now.sha) != (entry.mode, entry.sha):
            out[path] = "T" if (now.mode == LINK) != (entry.mode == LINK) else "M"
    return out


def between(old: Files, new: Files) -> dict[str, str]:
    """What differs from one set of files to another: path → `A`, `M`, `D`."""
    out = {path: "A" if path not in old else "M" for path, one in new.items() if path not in old or old[path][1:3] != one[1:3]}
    return out | {path: "D" for path in old if path not in new}


# -- ignoring -----------------------------------------------------------------------------------------------------------
class Ignore:
    """gitignore(5): the rules of `.gitignore` in each folder and of `info/exclude`."""

    def __init__(self, repo: Repository) -> None:
        self.repo = repo
        self.rules: dict[str, list[tuple[str, bool, bool, bool]]] = {}
        self.common = self._parse(repo.read("info/exclude") or b"")

    @staticmethod
    def _parse(data: bytes) -> list[tuple[str, bool, bool, bool]]:
        out = []
        for line in data.decode("utf-8", "surrogateescape").splitlines():
            rule = line.rstrip()
            if not rule or rule.startswith("#"):
                continue
            unless = rule.startswith("!")
            rule = rule[unless:].removeprefix("\\")
            folder = rule.endswith("/")
            rule = rule.rstrip("/")
            anchored = "/" in rule
            out.append((_expression(rule.lstrip("/")), unless, folder, anchored))
        return out

    def _of(self, folder: str) -> list[tuple[str, bool, bool, bool]]:
        if folder not in self.rules:
            node = look(self.repo, posixpath.join(folder, ".gitignore"))
            self.rules[folder] = self._parse(node.data) if node is not None and node.kind == "file" else []
        return self.rules[folder]

    def says(self, path: str, is_folder: bool) -> bool:
        """Whether a path itself is ignored (not the folders above it)."""
        ignored = False
        above = [""]
        for part in path.split("/")[:-1]:
            above.append(posixpath.join(above[-1], part))
        for folder in above:
            inside = path[len(folder) + 1 :] if folder else path
            for rule, unless, only_folders, anchored in (self.common if not folder else []) + self._of(folder):
                if only_folders and not is_folder:
                    continue
                if re.fullmatch(rule, inside if anchored else posixpath.basename(path)):
                    ignored = not unless
        return ignored


def _expression(rule: str) -> str:
    out, at = "", 0
    while at < len(rule):
        if rule.startswith("**/", at):
            out, at = out + "(?:.*/)?", at + 3
        elif rule.startswith("/**", at) and at + 3 == len(rule):
            out, at = out + "/.*", at + 3
        elif rule[at] == "*":
            out, at = out + "[^/]*", at + 1
        elif rule[at] == "?":
            out, at = out + "[^/]", at + 1
        elif rule[at] == "[" and "]" in rule[at + 1 :]:
            end = rule.index("]", at + 1)
            out, at = out + "[" + rule[at + 1 : end].replace("!", "^", 1) + "]", end + 1
        else:
            out, at = out + re.escape(rule[at]), at + 1
    return out


def walk(repo: Repository, ignore: Ignore | None, top: str = "") -> list[str]:
    """Every file of the working folder but git's own and, with `ignore`, those that are ignored."""
    tree, out = repo.call.tree, []
    folder = f"{repo.work}/{top}".rstrip("/") or "/"
    for name in tree.listdir(folder):
        path = posixpath.join(top, name)
        if name == ".git":
            continue
        node = tree.lookup(f"{folder.rstrip('/')}/{name}", follow=False)
        is_folder = node.kind == "dir"
        if node.kind == "virtual" or (ignore is not None and ignore.says(path, is_folder)):
            continue
        if not is_folder:
            out.append(path)
        elif tree.exists(f"{folder.rstrip('/')}/{name}/.git/HEAD"):
            out.append(path + "/")
        else:
            out += walk(repo, ignore, path)
    return out


def untracked(repo: Repository, known: set[str], *, whole: bool = False) -> list[str]:
    """What git does not know, a folder of such files alone as `folder/`; with `whole` each file."""
    found = [path for path in walk(repo, Ignore(repo)) if path not in known]
    if whole:
        return found
    folders = {"/".join(path.split("/")[:depth]) for path in known for depth in range(1, path.count("/") + 1)}
    out: dict[str, None] = {}
    for path in found:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            if "/".join(parts[:depth]) not in folders:
                path = "/".join(parts[:depth]) + "/"
                break
        out[path] = None
    return sorted(out)


# -- paths of the command line ------------------------------------------------------------------------------------------
def inside(repo: Repository, word: str) -> str:
    """A path of the command line as the repository names it ("" for its top)."""
    if not repo.work:
        raise fatal("this operation must be run in a work tree")
    if word.startswith(":/"):
        return word[2:].rstrip("/")
    full = repo.call.path(word)
    top = repo.work.rstrip("/")
    if full != (top or "/") and not full.startswith(top + "/"):
        raise fatal(f"{word}: '{word}' is outside repository at '{repo.work}'")
    return full[len(top) + 1 :]


def matching(paths: list[str] | set[str], spec: str) -> list[str]:
    """The paths that a pathspec means: a file, a folder's files, a pattern."""
    if spec in ("", "."):
        return sorted(paths)
    if any(mark in spec for mark in "*?["):
        return sorted(path for path in paths if fnmatch.fnmatchcase(path, spec))
    return sorted(path for path in paths if path.rstrip("/") == spec or path.startswith(spec + "/"))


def select(repo: Repository, paths: list[str] | set[str], words: list[str]) -> list[str]:
    """All paths that words of the command line mean; each word must mean one."""
    out: dict[str, None] = {}
    for word in words:
        found = matching(paths, inside(repo, word))
        if not found and inside(repo, word):
            raise Failed(f"error: pathspec '{word}' did not match any file(s) known to git", 1)
        out |= dict.fromkeys(found)
    return list(out)


def shown(repo: Repository, path: str) -> str:
    """A path as status prints it: from where the user is."""
    where = repo.call.cwd
    if not repo.work or where.rstrip("/") == repo.work.rstrip("/"):
        return path
    return posixpath.relpath(f"{repo.work}/{path}", where) + ("/" if path.endswith("/") else "")


# -- changing the working folder ----------------------------------------------------------------------------------------
def place(repo: Repository, entry: Entry) -> None:
    """Put a file of a tree into the working folder."""
    call, path = repo.call, f"{repo.work}/{entry.path}"
    data = repo.blob(entry.sha)
    tree = call.tree
    above = posixpath.dirname(path)
    while len(above) > len(repo.work):  # a file where a folder is wanted
        if tree.exists(above) and not tree.isdir(above):
            files.remove_file(call.world, call.host, above, mnt=call.proc.mnt)
        above = posixpath.dirname(above)
    node = look(repo, entry.path)
    if entry.mode == LINK or (node is not None and node.kind == "link"):
        if node is not None:
            files.remove_file(call.world, call.host, path, mnt=call.proc.mnt)
        if entry.mode == LINK:
            files.make_dir(
                call.world, call.host, posixpath.dirname(path), mnt=call.proc.mnt, parents=True, uid=call.uid, gid=call.gid
            )
            call.tree.symlink(data.decode("utf-8", "surrogateescape"), path, uid=call.uid, gid=call.gid, now=call.world.wall)
            return
    put(call, path, data, 0o777 if entry.mode == PROGRAM else 0o666)
    if data.startswith(archive.MAGIC):  # a program, as downloads carry it
        node = call.tree.edit(path)
        node.kind, node.target = "exec", archive.unpack(data, 0, 0, 0, 0).target
    wanted = (0o777 if entry.mode == PROGRAM else 0o666) & ~call.proc.umask
    if call.tree.lookup(path).mode != wanted:
        call.tree.edit(path).mode = wanted


def drop(repo: Repository, path: str) -> None:
    """Remove a file of the working folder and the folders that it leaves empty."""
    call = repo.call
    full = f"{repo.work}/{path}"
    if look(repo, path) is not None:
        files.remove_file(call.world, call.host, full, mnt=call.proc.mnt)
    above = posixpath.dirname(full)
    while len(above) > len(repo.work) and call.tree.isdir(above) and not call.tree.listdir(above) and above != call.cwd:
        files.remove_file(call.world, call.host, above, mnt=call.proc.mnt)
        above = posixpath.dirname(above)


def switch_files(repo: Repository, old: Files, new: Files, *, what: str = "checkout", force: bool = False) -> None:
    """Bring index and working folder from one commit's files to another's, keeping changes of files that both have alike."""
    index = staged(repo)
    dirty = changed(repo, index)
    moving = between(old, new)
    if not force:
        lost = [p for p in moving if (p in dirty or index.get(p, (0, 0, 0))[1:3] != old.get(p, (0, 0, 0))[1:3]) and p in index]
        lost = [p for p in lost if p not in new or index[p][1:3] != new[p][1:3] or p in dirty]
        if lost:
            names = "".join(f"\t{path}\n" for path in sorted(lost))
            hint = "merge" if what == "merge" else "switch branches"
            raise Failed(
                f"error: Your local changes to the following files would be overwritten by {what}:\n{names}"
                f"Please commit your changes or stash them before you {hint}.\nAborting",
                1,
            )
        over = [p for p, how in moving.items() if how == "A" and p not in index and look(repo, p) is not None]
        over = [p for p in over if (now := hashed(repo, p)) is not None and now.sha != new[p].sha]
        gone = [p for p, how in moving.items() if how == "D" and p not in index and look(repo, p) is not None]
        if over or gone:
            names = "".join(f"\t{path}\n" for path in sorted(over or gone))
            hint = "merge" if what == "merge" else "switch branches"
            raise Failed(
                f"error: The following untracked working tree files would be {'overwritten' if over else 'removed'} by {what}:\n{names}"
                f"Please move or remove them before you {hint}.\nAborting",
                1,
            )
    targets = dict(index)
    if force:
        moving = between(index, new) | {path: "M" for path in dirty if path in new}
    for path, how in moving.items():
        if how == "D":
            drop(repo, path)
            targets.pop(path, None)
        else:
            place(repo, new[path])
            targets[path] = new[path]
    write_index(repo, list(targets.values()))

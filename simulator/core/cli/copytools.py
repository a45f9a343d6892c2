"""`scp` and `rsync`: files between the machines of the world, and for rsync on one."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Generator
from typing import Any

import msgspec

from ..host import files, users
from ..host.executor import Ended
from ..host.filesystem import Inode, Tree, error
from ..host.invocation import Call
from ..host.machine import Host
from ..host.program import Sleep, Wait
from ..kernel.clock import MS
from ..shell.coreutils.common import name_of, parse
from . import ssh

Code = Generator[Wait, Any, int]
#: Bytes a second over the link between two machines.
RATE = 110_000_000


class Place(msgspec.Struct):
    """One side of a copy: the machine ("" remote name for this one), the user there, the mount namespace and the path as written."""

    host: Host
    remote: str
    user: str
    mnt: str
    text: str

    @property
    def tree(self) -> Tree:
        """The files there."""
        return files.tree(self.host, self.mnt)

    @property
    def path(self) -> str:
        """The path, absolute; one that is relative on another machine starts from its user's home."""
        base = users.home_of(self.tree, self.user)
        text = self.text or "."
        if text == "~" or text.startswith("~/"):
            text = base + text[1:]
        return posixpath.normpath(posixpath.join(base, text))

    def check(self, path: str, want: int) -> None:
        """Whether its user may read or write; raises OSError."""
        users.check(self.tree, path, self.user, want)


def _split(text: str) -> tuple[str, str]:
    """(user@host, path) of an operand; ("", path) for a local one."""
    head, colon, rest = text.partition(":")
    if not colon or "/" in head:
        return "", text
    return head, rest.removeprefix(":")


def _place(call: Call, text: str) -> Place:
    remote, path = _split(text)
    if not remote:
        return Place(
            call.host, "", call.proc.user, call.proc.mnt, call.path(path) + ("/" if path.endswith("/") and path != "/" else "")
        )
    user, _, name = remote.rpartition("@")
    machine = ssh.machine_of(call, name)
    if isinstance(machine, str):
        call.err(f"ssh: {machine}\n" + ("scp: Connection closed\n" if name_of(call) == "scp" else _closed()))
        raise Ended(255)
    user = user or call.proc.user
    if user != "root" and users.passwd(files.tree(machine), user) is None:
        call.err(
            f"{remote}: Permission denied (publickey).\n" + ("scp: Connection closed\n" if name_of(call) == "scp" else _closed())
        )
        raise Ended(255)
    return Place(machine, remote, user, "host", path)


def _closed() -> str:
    return "rsync: connection unexpectedly closed (0 bytes received so far) [sender]\nrsync error: unexplained error (code 255) at io.c(232) [sender=3.2.7]\n"


def _put(call: Call, there: Place, path: str, node: Inode, data: bytes, *, keep: bool) -> None:
    """Write one file, link or executable at a path of the other side."""
    uid, gid = users.uid_of(there.tree, there.user), users.gid_of(there.tree, there.user)
    if keep and not uid:
        uid, gid = node.uid, node.gid
    if node.kind in ("exec", "link"):
        files.changing(call.world, there.host, there.mnt, path)
        made = Inode(node.kind, node.mode, uid, gid, node.mtime if keep else call.world.wall, node.data, None, node.target)
        there.tree.put(path, made, call.world.wall)
        files.ring(call.world, there.host, there.mnt, path)
        return
    there.check(path, users.WRITE)
    mode = node.mode if node.kind == "file" else 0o644
    files.write_file(call.world, there.host, path, data, mnt=there.mnt, mode=mode if keep else mode & ~0o022, uid=uid, gid=gid)
    if keep:
        made = there.tree.edit(path)
        made.mode, made.mtime, made.uid, made.gid = mode, node.mtime, uid, gid


def _read(call: Call, here: Place, path: str) -> bytes:
    here.check(path, users.READ)
    return files.read_file(call.world, here.host, path, mnt=here.mnt)


def _expand(here: Place) -> list[str]:
    """The paths of a remote operand, whose shell expands patterns."""
    path = here.path
    if not here.remote or not any(mark in path for mark in "*?["):
        return [path]
    folder, pattern = posixpath.split(path)
    if not here.tree.isdir(folder):
        return [path]
    found = [name for name in here.tree.listdir(folder) if fnmatch.fnmatchcase(name, pattern) and not name.startswith(".")]
    return [posixpath.join(folder, name) for name in found] or [path]


# -- scp ------------------------------------------------------------------------------------------------------------------
def _meter(call: Call, name: str, size: int) -> str:
    speed, left = f"{size / 1024 / 0.4:.1f}KB/s" if size < 400_000 else f"{size / 1024 / 1024 / 0.4:.1f}MB/s", "00:00"
    unit = f"{size:>5}" if size < 10_000 else f"{size // 1024:>3}KB" if size < 10_000_000 else f"{size // 1024 // 1024:>3}MB"
    width = max(call.columns - 38, 10)
    return f"{name[:width]:<{width}} 100% {unit} {speed:>11}   {left}    \n"


def scp(call: Call) -> Code:
    """`scp [-r] [-p] [-q] [-P port] [-i key] [-o option] [[user@]host:]source … [[user@]host:]target`."""
    options, names = parse(call, "346ABCpqRrTvc:D:F:i:J:l:o:P:S:O", "")
    if len(names) < 2:
        call.err(
            "usage: scp [-346ABCOpqRrsTv] [-c cipher] [-D sftp_server_path] [-F ssh_config]\n           [-i identity_file] [-J destination] [-l limit] [-o ssh_option] [-P port]\n           [-S program] [-X sftp_option] source ... target\n"
        )
        return 1
    target = _place(call, names[-1])
    code = spent = 0
    several = len(names) > 2
    if several and not target.tree.isdir(target.path):
        call.err(
            f"scp: {target.text or '.'}: "
            + ("Not a directory\n" if target.tree.exists(target.path) else "No such file or directory\n")
        )
        return 1
    for name in names[:-1]:
        here = _place(call, name)
        for path in _expand(here):
            try:
                node = here.tree.lookup(path)
            except OSError as failed:
                where = path if here.remote else f'stat local "{_split(name)[1]}"'
                call.err(f"scp: {where}: {failed.strerror}\n")
                code = 1
                continue
            if node.kind == "dir" and "r" not in options:
                call.err(
                    f"scp: {path}: not a regular file\n"
                    if here.remote
                    else f'scp: local "{_split(name)[1]}" is not a regular file\nscp: failed to upload file {_split(name)[1]} to {target.text or "."}\n'
                )
                code = 1
                continue
            into = target.path
            if target.tree.isdir(into):
                into = posixpath.join(into, posixpath.basename(path))
            try:
                spent += _copy(call, here, path, target, into, keep="p" in options, quiet="q" in options or not call.stdout_tty)
            except OSError as failed:
                dest = f'dest open "{failed.filename}"' if target.remote else f'open local "{failed.filename}"'
                call.err(f"scp: {dest}: {failed.strerror}\n")
                code = 1
    yield Sleep(200 * MS + spent * 1_000_000_000 // RATE)
    return code


def _copy(call: Call, here: Place, path: str, target: Place, into: str, *, keep: bool, quiet: bool) -> int:
    node = here.tree.lookup(path)
    if node.kind == "dir":
        if not target.tree.isdir(into):
            files.make_dir(
                call.world,
                target.host,
                into,
                mnt=target.mnt,
                mode=node.mode,
                uid=users.uid_of(target.tree, target.user),
                gid=users.gid_of(target.tree, target.user),
            )
        return sum(
            _copy(call, here, posixpath.join(path, name), target, posixpath.join(into, name), keep=keep, quiet=quiet)
            for name in here.tree.listdir(path)
        )
    data = node.data if node.kind == "exec" else _read(call, here, path)
    if not target.tree.isdir(posixpath.dirname(into)):
        raise error(2, into)
    _put(call, target, into, node, data, keep=keep)
    if not quiet:
        call.out(_meter(call, posixpath.basename(path), len(data)))
    return len(data)


# -- rsync ----------------------------------------------------------------------------------------------------------------
class Sync(msgspec.Struct):
    """What one run of rsync does: its options, the names to show, and the sums of its last lines."""

    archive: bool
    deep: bool
    dry: bool
    delete: bool
    existing: bool
    checksum: bool
    update: bool
    exclude: list[str]
    shown: list[str] = []
    total: int = 0
    sent: int = 0


def _excluded(sync: Sync, relative: str) -> bool:
    name = posixpath.basename(relative)
    for pattern in sync.exclude:
        plain = pattern.rstrip("/")
        if plain.startswith("/"):
            if fnmatch.fnmatchcase("/" + relative, plain):
                return True
        elif fnmatch.fnmatchcase(relative if "/" in plain else name, plain):
            return True
    return False


def _walk(call: Call, sync: Sync, here: Place, path: str, relative: str, target: Place, into: str) -> None:
    """Bring one path over; `relative` is its name in the listing."""
    node = here.tree.lookup(path, follow=False)
    if relative and relative != "./" and _excluded(sync, relative.rstrip("/")):
        return
    if node.kind == "link" and not sync.archive:
        sync.shown.append(f'skipping non-regular file "{relative}"')
        return
    if node.kind == "dir":
        if not sync.deep:
            sync.shown.append(f"skipping directory {relative or '.'}")
            return
        fresh = not target.tree.isdir(into)
        names = here.tree.listdir(path)
        if fresh:
            sync.shown.append((relative + "/") if relative else "./")
            if not sync.dry:
                files.make_dir(call.world, target.host, into, mnt=target.mnt, mode=node.mode, parents=True)
        for name in names:
            _walk(
                call, sync, here, posixpath.join(path, name), posixpath.join(relative, name), target, posixpath.join(into, name)
            )
        if sync.delete and target.tree.isdir(into):
            for name in target.tree.listdir(into):
                inner = posixpath.join(relative, name)
                if name not in names and not _excluded(sync, inner):
                    gone = posixpath.join(into, name)
                    sync.shown.insert(0, f"deleting {inner}" + ("/" if target.tree.isdir(gone) else ""))
                    if not sync.dry:
                        files.remove_file(call.world, target.host, gone, mnt=target.mnt, recursive=True)
        return
    data = node.data if node.kind in ("exec", "link") else _read(call, here, path)
    sync.total += len(data)
    if target.tree.exists(into) and node.kind != "link":
        old = target.tree.lookup(into)
        same = old.data == data if sync.checksum or not sync.archive else (len(old.data) == len(data) and old.mtime == node.mtime)
        if same or (sync.update and old.mtime > node.mtime) or sync.existing:
            return
    sync.shown.append(f"{relative} -> {node.target}" if node.kind == "link" else relative)
    sync.sent += len(data)
    if not sync.dry:
        _put(call, target, into, node, data, keep=sync.archive)


def rsync(call: Call) -> Code:
    """`rsync [-avzrntpuc] [--delete] [--exclude=…] [-e ssh] source … target`."""
    options, names = parse(
        call, "avzrnlptgoDuchPqe:RSxHAXWi",
        "archive:a verbose:v compress:z recursive:r dry-run:n links:l perms:p times:t delete delete-after:delete delete-before:delete exclude=X progress partial rsh=e human-readable:h checksum:c update:u "
        "stats quiet:q ignore-existing mkpath version info= numeric-ids no-owner no-group no-perms itemize-changes:i",
    )  # fmt: skip
    if "version" in options:
        call.out("rsync  version 3.2.7  protocol version 31\n")
        return 0
    if not names:
        call.err("rsync error: syntax or usage error (code 1) at main.c(1795) [client=3.2.7]\n")
        return 1
    excludes = [w.partition("=")[2] for w in call.argv if w.startswith("--exclude=")]
    excludes += [call.argv[n + 1] for n, w in enumerate(call.argv[:-1]) if w == "--exclude"]
    archive = "a" in options
    sync = Sync(
        archive or "t" in options,
        archive or "r" in options,
        "n" in options,
        "delete" in options,
        "ignore-existing" in options,
        "c" in options,
        "u" in options,
        excludes,
    )
    if len(names) == 1:
        here = _place(call, names[0])
        if not here.tree.exists(here.path):
            call.err(f'rsync: [sender] link_stat "{here.path}" failed: No such file or directory (2)\n')
            return 23
        for name in here.tree.listdir(here.path) if here.tree.isdir(here.path) else [here.path]:
            call.out(name + "\n")
        return 0
    target, code = _place(call, names[-1]), 0
    for name in names[:-1]:
        here = _place(call, name)
        for path in _expand(here):
            if not here.tree.exists(path):
                call.err(f'rsync: [sender] link_stat "{path}" failed: No such file or directory (2)\n')
                code = 23
                continue
            whole = here.text.endswith("/") or here.text in (".", "")
            into, relative = target.path, ""
            if not (whole and here.tree.isdir(path)):
                relative = posixpath.basename(path)
                if here.tree.isdir(path) or target.text.endswith("/") or target.tree.isdir(into) or len(names) > 2:
                    into = posixpath.join(into, relative)
            if not target.tree.isdir(posixpath.dirname(into)) and posixpath.dirname(into) != target.path:
                call.err(
                    f'rsync: [Receiver] mkdir "{target.path}" failed: No such file or directory (2)\nrsync error: error in file IO (code 11) at main.c(791) [Receiver=3.2.7]\n'
                )
                return 11
            if not target.tree.isdir(target.path) and into != target.path and not sync.dry:
                files.make_dir(call.world, target.host, target.path, mnt=target.mnt)
                sync.shown.append(f"created directory {target.text}")
            try:
                _walk(call, sync, here, path, relative, target, into)
            except OSError as failed:
                call.err(f'rsync: [receiver] mkstemp "{failed.filename}" failed: {failed.strerror} ({failed.errno})\n')
                code = 23
    if "v" in options or "P" in options or "progress" in options:
        sent, got = sync.sent + 60 * (len(sync.shown) + 1), 19 * (len(sync.shown) + 1)
        call.out("sending incremental file list\n" + "".join(row + "\n" for row in sync.shown))
        call.out(f"\nsent {sent:,} bytes  received {got:,} bytes  {(sent + got) / 0.5:,.2f} bytes/sec\n")
        call.out(
            f"total size is {sync.total:,}  speedup is {sync.total / max(sent + got, 1):,.2f}"
            + (" (DRY RUN)" if sync.dry else "")
            + "\n"
        )
    if code:
        call.err(
            "rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1338) [sender=3.2.7]\n"
        )
    yield Sleep((200 * MS if target.remote else 10 * MS) + sync.sent * 1_000_000_000 // RATE)
    return code

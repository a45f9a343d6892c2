"""Commands that change files: mkdir, rmdir, rm, cp, mv, ln, touch, chmod, chown, truncate, mktemp, install."""

from __future__ import annotations

import errno
import posixpath
import re
from collections.abc import Generator
from typing import Any

from ...host import files
from ...host.filesystem import Inode, error
from ...host.invocation import Call
from ...host.program import Wait
from ...kernel.clock import SECOND, parse_rfc3339, to_datetime
from . import modes
from .common import Code, parse, usage
from .modes import _may_change


def mkdir(call: Call) -> int:
    """`mkdir [-p] [-m mode] [-v] dirs`."""
    options, names = parse(call, "pm:v", "parents:p mode=m verbose:v")
    wanted = modes.new_mode(options["m"], 0o777, True) if "m" in options else None
    if "m" in options and wanted is None:
        call.err(f"mkdir: invalid mode ‘{options['m']}’\n")
        return 1
    if not names:
        raise usage(call, "missing operand")
    code = 0
    for name in names:
        path = call.path(name)
        try:
            if "p" in options:
                _parents(call, name, "v" in options)
            else:
                if not call.exists(posixpath.dirname(path)):
                    raise error(errno.ENOENT, name)
                if not call.isdir(posixpath.dirname(path)):
                    raise error(errno.ENOTDIR, name)
                if call.exists(path):
                    raise error(errno.EEXIST, name)
                _may_change(call, path)
                files.make_dir(
                    call.world, call.host, path, mnt=call.proc.mnt, mode=0o777 & ~call.proc.umask, uid=call.uid, gid=call.gid
                )
                if "v" in options:
                    call.out(f"mkdir: created directory '{name}'\n")
            if wanted is not None:
                call.tree.edit(path).mode = wanted
        except OSError as failed:
            call.err(f"mkdir: cannot create directory ‘{name}’: {failed.strerror}\n")
            code = 1
    return code


def _parents(call: Call, shown: str, verbose: bool) -> None:
    """Make a directory and those above it; `shown` is how the command line names it."""
    path = call.path(shown or ".")
    if call.isdir(path):
        return
    if call.exists(path):
        raise error(errno.EEXIST, shown)
    _parents(call, posixpath.dirname(shown.rstrip("/")), verbose)
    _may_change(call, path)
    files.make_dir(call.world, call.host, path, mnt=call.proc.mnt, uid=call.uid, gid=call.gid)
    if verbose:
        call.out(f"mkdir: created directory '{shown}'\n")


def rmdir(call: Call) -> int:
    """`rmdir [-p] dirs`."""
    options, names = parse(call, "pv", "parents:p verbose:v ignore-fail-on-non-empty:ignore")
    if not names:
        raise usage(call, "missing operand")
    code = 0
    for name in names:
        shown = name
        while shown.strip("/"):
            try:
                if "v" in options:
                    call.out(f"rmdir: removing directory, '{shown}'\n")
                if call.lookup(shown, follow=False).kind != "dir":
                    raise error(errno.ENOTDIR, shown)
                _may_change(call, call.path(shown))
                files.remove_file(call.world, call.host, call.path(shown), mnt=call.proc.mnt)
            except OSError as failed:
                if "ignore" not in options or failed.errno != errno.ENOTEMPTY:
                    what = "" if shown == name else "directory "
                    call.err(f"rmdir: failed to remove {what}'{shown}': {failed.strerror}\n")
                    code = 1
                break
            if "p" not in options:
                break
            shown = posixpath.dirname(shown.rstrip("/"))
    return code


def rm(call: Call) -> Code:
    """`rm [-rfviI] files`."""
    options, names = parse(call, "rRfviId", "recursive:r force:f verbose:v no-preserve-root dir:d preserve-root")
    deep = "r" in options or "R" in options
    if not names:
        if "f" in options:
            return 0
        raise usage(call, "missing operand")
    code = 0
    asks = _Questions(call)
    careful = "i" in options and not ("f" in options and _last_of(call.argv, "if") == "f")
    if "I" in options and "f" not in options and (len(names) > 3 or deep):
        many = f"{len(names)} argument{'s' if len(names) > 1 else ''}{' recursively' if deep else ''}"
        if not (yield from asks.yes(f"rm: remove {many}? ")):
            return 0
    for name in names:
        path = call.path(name)
        if posixpath.basename(name.rstrip("/")) in (".", "..") and deep:
            call.err(f"rm: refusing to remove '.' or '..' directory: skipping '{name}'\n")
            code = 1
            continue
        if path == "/":
            call.err("rm: it is dangerous to operate recursively on '/'\nrm: use --no-preserve-root to override this failsafe\n")
            code = 1
            continue
        try:
            node = call.lookup(name, follow=False)
            if node.kind == "dir" and not deep and not ("d" in options and not node.children):
                call.err(f"rm: cannot remove '{name}': Is a directory\n")
                code = 1
                continue
            _may_change(call, path)
            if careful:
                yield from _carefully(call, asks, name, node)
                continue
            gone = _below(name, node) if "v" in options else []
            files.remove_file(call.world, call.host, path, mnt=call.proc.mnt, recursive=deep)
            call.out("".join(f"removed {'directory ' if kind == 'dir' else ''}'{shown}'\n" for shown, kind in gone))
        except OSError as failed:
            if failed.errno in (errno.ENOENT, errno.ENOTDIR) and "f" in options:
                continue
            call.err(f"rm: cannot remove '{name}': {failed.strerror}\n")
            code = 1
    return code


class _Questions:
    """Questions that standard input answers, a line each."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.answers: list[str] | None = None

    def yes(self, question: str) -> Generator[Wait, Any, bool]:
        """Ask; whether the answer begins with y."""
        self.call.err(question)
        if self.call.stdin_tty:
            return (yield from self.call.read_some(4096)).decode("utf-8", "replace")[:1] in ("y", "Y")
        if self.answers is None:
            self.answers = (yield from self.call.read()).decode("utf-8", "replace").split("\n")
        return bool(self.answers) and self.answers.pop(0)[:1] in ("y", "Y")


def _last_of(words: list[str], letters: str) -> str:
    """Which of some short options comes last."""
    flags = "".join(word[1:] for word in words[1:] if word.startswith("-") and not word.startswith("--"))
    return next((flag for flag in reversed(flags) if flag in letters), "")


def _carefully(call: Call, asks: _Questions, name: str, node: Inode) -> Generator[Wait, Any, None]:
    """`rm -i`: every file and directory is asked for; what is kept keeps its directories."""
    kind = {"dir": "directory", "link": "symbolic link"}.get(
        node.kind, "regular file" if node.data or node.kind != "file" else "regular empty file"
    )
    if node.kind == "dir" and node.children:
        if not (yield from asks.yes(f"rm: descend into directory '{name}'? ")):
            return
        for child in sorted(node.children):
            inside = posixpath.join(name, child)
            yield from _carefully(call, asks, inside, call.lookup(inside, follow=False))
    if (yield from asks.yes(f"rm: remove {kind} '{name}'? ")):
        files.remove_file(call.world, call.host, call.path(name), mnt=call.proc.mnt)


def _below(name: str, node: Inode) -> list[tuple[str, str]]:
    """(name, kind) of all that `rm -r` takes, each directory after what it holds."""
    found = []
    for child, inner in (node.children or {}).items():
        found += _below(posixpath.join(name, child), inner)
    return [*found, (name, node.kind)]


def ln(call: Call) -> int:
    """`ln [-sfvn] target [link]`."""
    options, names = parse(
        call,
        "sfvnTrbiLPdt:S:",
        "symbolic:s force:f verbose:v no-dereference:n relative:r target-directory=t no-target-directory:T interactive:i logical:L physical:P backup?b suffix=S",
    )
    if not names:
        raise usage(call, "missing file operand")
    if "t" in options:
        names = [*names, options["t"]]
    targets = names[:-1] if len(names) > 1 else names
    last = names[-1] if len(names) > 1 else "."
    code = 0
    for target in targets:
        inside = (
            call.isdir(last) and "T" not in options and not ("n" in options and call.lookup(last, follow=False).kind == "link")
        )
        shown = posixpath.join(last, posixpath.basename(target.rstrip("/"))) if inside else last
        path = call.path(shown)
        kind = "symbolic link" if "s" in options else "hard link"
        try:
            _may_change(call, path)
            try:
                call.tree.lookup(path, follow=False)
                if "b" in options:
                    files.rename_file(call.world, call.host, path, path + options.get("S", "~"), mnt=call.proc.mnt)
                elif "f" in options:
                    call.tree.remove(path)
            except OSError as failed:
                if failed.errno != errno.ENOENT:
                    raise
            if "s" in options:
                where = posixpath.relpath(call.path(target), posixpath.dirname(path)) if "r" in options else target
                call.tree.symlink(where, path, uid=call.uid, gid=call.gid, now=call.world.wall)
            else:
                if call.isdir(target):
                    call.err(f"ln: {target}: hard link not allowed for directory\n")
                    code = 1
                    continue
                call.tree.link(call.path(target), path, now=call.world.wall)
            files.ring(call.world, call.host, call.proc.mnt, path)
            if "v" in options:
                call.out(f"'{shown}' {'->' if 's' in options else '=>'} '{target}'\n")
        except OSError as failed:
            if "s" not in options and failed.errno == errno.ENOENT:
                call.err(f"ln: failed to access '{target}': {failed.strerror}\n")
            else:
                call.err(f"ln: failed to create {kind} '{shown}': {failed.strerror}\n")
            code = 1
    return code


def _stamp(text: str, wall: int) -> int | None:
    """Unix time (ns) of `[[CC]YY]MMDDhhmm[.ss]`, POSIX's way to name a moment; None when it is none."""
    match = re.fullmatch(r"(?:(\d\d)?(\d\d))?(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d\d))?", text, re.ASCII)
    if match is None:
        return None
    century, year, month, day, hour, minute, second = match.groups()
    full = f"{to_datetime(wall).year}" if year is None else f"{century or ('19' if int(year) > 68 else '20')}{year}"
    try:
        return parse_rfc3339(f"{full}-{month}-{day}T{hour}:{minute}:{second or '00'}Z")
    except ValueError:
        return None


def touch(call: Call) -> int:
    """`touch [-c] [-d date] [-r file] files`."""
    options, names = parse(call, "cd:r:amt:", "no-create:c date=d reference=r")
    if not names:
        raise usage(call, "missing file operand")
    when = call.world.wall
    if "r" in options:
        when = call.lookup(options["r"]).mtime
    elif "d" in options:
        from .dates import parse_date

        moment = parse_date(options["d"], call.world.wall)
        if moment is None:
            call.err(f"touch: invalid date format ‘{options['d']}’\n")
            return 1
        when = moment
    elif "t" in options:
        stamped = _stamp(options["t"], call.world.wall)
        if stamped is None:
            call.err(f"touch: invalid date format ‘{options['t']}’\n")
            return 1
        when = stamped
    code = 0
    for name in names:
        try:
            if not name:
                raise error(errno.ENOENT, name)
            if call.exists(name):
                call.tree.edit(call.path(name)).mtime = when
                files.ring(call.world, call.host, call.proc.mnt, call.path(name))
            elif "c" not in options:
                if name.endswith("/"):
                    raise error(errno.ENOENT, name)
                call.write_file(name, b"")
                call.tree.edit(call.path(name)).mtime = when
        except OSError as failed:
            call.err(f"touch: cannot touch '{name}': {failed.strerror}\n")
            code = 1
    return code


#: From here on zeros at the end of a file are a hole that the disk keeps room for.
HOLE = 8 * 1024 * 1024


def truncate(call: Call) -> int:
    """`truncate -s [+|-]size[K|M|G|T|KB|…] files`, `-r file`, `-c`."""
    options, names = parse(call, "s:cor:", "size=s reference=r no-create:c io-blocks:o")
    if "r" in options:
        wanted, sign = len(call.read_file(options["r"])), ""
    else:
        match = re.fullmatch(r"([-+<>/%]?)\s*(\d+)([KMGT]?)(i?B)?", options.get("s", ""))
        if match is None:
            if "s" in options:
                call.err(f"truncate: Invalid number: ‘{options['s']}’\n")
                return 1
            raise usage(call, "you must specify either ‘--size’ or ‘--reference’")
        sign, wanted = (
            match[1],
            int(match[2]) * (1000 if match[4] == "B" else 1024) ** ("KMGT".find(match[3]) + 1 if match[3] else 0),
        )
    if not names:
        raise usage(call, "missing file operand")
    for name in names:
        there = call.exists(name)
        if not there and "c" in options:
            continue
        old = call.read_file(name) if there else b""
        if sign in ("/", "%") and sign and not wanted:
            call.err("truncate: division by zero\n")
            return 1
        size = {
            "+": len(old) + wanted,
            "-": max(len(old) - wanted, 0),
            "<": min(len(old), wanted),
            ">": max(len(old), wanted),
            "/": len(old) // max(wanted, 1) * wanted,
            "%": -(-len(old) // max(wanted, 1)) * wanted,
        }.get(sign, wanted)
        if size - len(old) <= HOLE:
            call.write_file(name, old[:size].ljust(size, b"\0"))
            continue
        call.write_file(name, old)
        if size >= 1 << 44:  # what ext4 can address
            call.err(f"truncate: failed to truncate '{name}' at {size} bytes: File too large\n")
            return 1
        call.tree.edit(call.path(name)).target = f"hole:{size}"  # sparse: no block of it is in use
    return 0


def mktemp(call: Call) -> int:
    """`mktemp [-d] [-p dir] [template]`."""
    options, names = parse(call, "dup:qt", "directory:d tmpdir?p suffix=suffix")
    template = names[0] if names else "tmp.XXXXXXXXXX"
    match = re.search(r"X{3,}(?=[^X/]*\Z)", template)
    if match is None:
        call.err(f"mktemp: too few X's in template ‘{template}’\n")
        return 1
    name = (
        template[: match.start()]
        + call.world.rng("mktemp").token(len(match.group()), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        + template[match.end() :]
        + options.get("suffix", "")
    )
    if not names or "p" in options or "t" in options:
        name = posixpath.join(options.get("p") or call.env.get("TMPDIR") or "/tmp", name)
    if "d" in options:
        files.make_dir(call.world, call.host, call.path(name), mnt=call.proc.mnt, mode=0o700, uid=call.uid, gid=call.gid)
    elif "u" not in options:
        call.write_file(name, b"", mode=0o600)
    call.out(name + "\n")
    return 0


__all__ = ["SECOND"]

"""Commands that change files: mkdir, rmdir, rm, cp, mv, ln, touch, chmod, chown, truncate, mktemp, install."""

from __future__ import annotations

import errno
import posixpath
import re

from ...host import files, users
from ...host.filesystem import Inode, error
from ...host.invocation import Call
from ...kernel.clock import SECOND, parse_rfc3339
from .common import name_of, parse, usage


def _may_change(call: Call, path: str) -> None:
    """The directory of a path must be writable."""
    parent = posixpath.dirname(path)
    node = call.tree.lookup(parent)
    if not users.may(node, call.uid, call.gid, users.WRITE):
        raise error(errno.EACCES, path)


def mkdir(call: Call) -> int:
    """`mkdir [-p] [-m mode] [-v] dirs`."""
    options, names = parse(call, "pm:v", "parents:p mode=m verbose:v")
    if not names:
        raise usage(call, "missing operand")
    code = 0
    for name in names:
        path = call.path(name)
        try:
            if "p" in options:
                _parents(call, path, "v" in options)
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
            if "m" in options:
                call.tree.edit(path).mode = int(options["m"], 8)
        except OSError as failed:
            call.err(f"mkdir: cannot create directory ‘{name}’: {failed.strerror}\n")
            code = 1
    return code


def _parents(call: Call, path: str, verbose: bool) -> None:
    if call.isdir(path):
        return
    if call.exists(path):
        raise error(errno.EEXIST, path)
    _parents(call, posixpath.dirname(path), verbose)
    _may_change(call, path)
    files.make_dir(call.world, call.host, path, mnt=call.proc.mnt, uid=call.uid, gid=call.gid)
    if verbose:
        call.out(f"mkdir: created directory '{path}'\n")


def rmdir(call: Call) -> int:
    """`rmdir [-p] dirs`."""
    options, names = parse(call, "pv", "parents:p")
    if not names:
        raise usage(call, "missing operand")
    code = 0
    for name in names:
        path = call.path(name)
        try:
            if call.lookup(name, follow=False).kind != "dir":
                raise error(errno.ENOTDIR, name)
            _may_change(call, path)
            files.remove_file(call.world, call.host, path, mnt=call.proc.mnt)
            while "p" in options and posixpath.dirname(path) != "/":
                path = posixpath.dirname(path)
                files.remove_file(call.world, call.host, path, mnt=call.proc.mnt)
        except OSError as failed:
            call.err(f"rmdir: failed to remove '{name}': {failed.strerror}\n")
            code = 1
    return code


def rm(call: Call) -> int:
    """`rm [-rfvi] files`."""
    options, names = parse(call, "rRfvid", "recursive:r force:f verbose:v no-preserve-root dir:d preserve-root")
    deep = "r" in options or "R" in options
    if not names:
        if "f" in options:
            return 0
        raise usage(call, "missing operand")
    code = 0
    for name in names:
        path = call.path(name)
        if posixpath.basename(name.rstrip("/")) in (".", ".."):
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
            files.remove_file(call.world, call.host, path, mnt=call.proc.mnt, recursive=deep)
            if "v" in options:
                call.out(f"removed {'directory ' if node.kind == 'dir' else ''}'{name}'\n")
        except OSError as failed:
            if failed.errno in (errno.ENOENT, errno.ENOTDIR) and "f" in options:
                continue
            call.err(f"rm: cannot remove '{name}': {failed.strerror}\n")
            code = 1
    return code


def _destination(call: Call, options: dict[str, str], names: list[str]) -> tuple[list[str], str, bool]:
    """Sources, target, and whether the target is a directory to put them in."""
    if not names:
        raise usage(call, "missing file operand")
    if "t" in options:
        return names, options["t"], True
    if len(names) == 1:
        raise usage(call, f"missing destination file operand after '{names[0]}'")
    target = names[-1]
    inside = call.isdir(target) and "T" not in options
    if len(names) > 2 and not inside:
        call.err(
            f"{name_of(call)}: target '{target}': {'Not a directory' if call.exists(target) else 'No such file or directory'}\n"
        )
        return [], target, False
    return names[:-1], target, inside


def copy_node(call: Call, node: Inode, path: str, into: str, *, keep: bool) -> None:
    """Copy an inode (a directory with its content) to a path."""
    world, tree = call.world, call.tree
    owner = (node.uid, node.gid) if keep else (call.uid, call.gid)
    if node.kind == "dir":
        if not tree.isdir(into):
            files.make_dir(world, call.host, into, mnt=call.proc.mnt, mode=node.mode, uid=owner[0], gid=owner[1])
        for name in tree.listdir(path):
            source = posixpath.join(path, name)
            copy_node(call, tree.lookup(source, follow=False), source, posixpath.join(into, name), keep=keep)
        return
    if node.kind in ("exec", "link"):
        _may_change(call, into)
        when = node.mtime if keep else world.wall
        tree.put(into, Inode(node.kind, node.mode, owner[0], owner[1], when, node.data, None, node.target), world.wall)
        files.ring(world, call.host, call.proc.mnt, into)
        return
    data = files.read_file(world, call.host, path, mnt=call.proc.mnt)
    mode = node.mode if node.kind == "file" else 0o644
    call.write_file(into, data, mode=mode if keep else mode & ~0o022)
    if keep:
        made = tree.edit(into)
        made.uid, made.gid, made.mtime, made.mode = node.uid, node.gid, node.mtime, node.mode


def cp(call: Call) -> int:
    """`cp [-rapfvnT] sources target`."""
    options, names = parse(
        call,
        "rRapfvniTt:LPdux",
        "recursive:r archive:a force:f verbose:v no-clobber:n target-directory=t preserve?p no-target-directory:T parents update:u dereference:L",
    )
    deep = any(flag in options for flag in "rRa")
    sources, target, inside = _destination(call, options, names)
    code = 0 if sources else 1
    for name in sources:
        try:
            node = call.lookup(
                name, follow=not ("a" in options or "d" in options or "P" in options or (deep and "L" not in options))
            )
        except OSError as failed:
            call.err(f"cp: cannot stat '{name}': {failed.strerror}\n")
            code = 1
            continue
        if node.kind == "dir" and not deep:
            call.err(f"cp: -r not specified; omitting directory '{name}'\n")
            code = 1
            continue
        shown = posixpath.join(target, posixpath.basename(name.rstrip("/"))) if inside else target
        into = call.path(shown)
        if "n" in options and call.exists(into):
            continue
        if into == call.path(name):
            call.err(f"cp: '{name}' and '{shown}' are the same file\n")
            code = 1
            continue
        if node.kind == "dir" and (into + "/").startswith(call.path(name) + "/"):
            call.err(f"cp: cannot copy a directory, '{name}', into itself, '{shown}'\n")
            code = 1
            continue
        try:
            if node.kind != "dir" and call.isdir(into):
                call.err(f"cp: cannot overwrite directory '{shown}' with non-directory\n")
                code = 1
                continue
            copy_node(call, node, call.path(name), into, keep="a" in options or "p" in options)
            if "v" in options:
                call.out(f"'{name}' -> '{shown}'\n")
        except OSError as failed:
            what = "create directory" if node.kind == "dir" else "create regular file"
            call.err(f"cp: cannot {what} '{shown}': {failed.strerror}\n")
            code = 1
    return code


def mv(call: Call) -> int:
    """`mv [-fnvT] sources target`."""
    options, names = parse(call, "fnviTt:u", "force:f no-clobber:n verbose:v target-directory=t no-target-directory:T")
    sources, target, inside = _destination(call, options, names)
    code = 0 if sources else 1
    for name in sources:
        shown = posixpath.join(target, posixpath.basename(name.rstrip("/"))) if inside else target
        into, source = call.path(shown), call.path(name)
        try:
            node = call.lookup(name, follow=False)
        except OSError as failed:
            call.err(f"mv: cannot stat '{name}': {failed.strerror}\n")
            code = 1
            continue
        if source == into:
            call.err(f"mv: '{name}' and '{shown}' are the same file\n")
            code = 1
            continue
        if "n" in options and call.exists(into):
            continue
        try:
            _may_change(call, source)
            _may_change(call, into)
            if node.kind != "dir" and call.isdir(into) and not inside:
                raise error(errno.EISDIR, shown)
            try:
                files.rename_file(call.world, call.host, source, into, mnt=call.proc.mnt)
            except OSError as failed:
                if failed.errno != errno.EXDEV:
                    raise
                copy_node(call, node, source, into, keep=True)
                files.remove_file(call.world, call.host, source, mnt=call.proc.mnt, recursive=True)
            if "v" in options:
                call.out(f"renamed '{name}' -> '{shown}'\n")
        except OSError as failed:
            if failed.errno == errno.EINVAL:
                call.err(f"mv: cannot move '{name}' to a subdirectory of itself, '{shown}'\n")
            else:
                call.err(f"mv: cannot move '{name}' to '{shown}': {failed.strerror}\n")
            code = 1
    return code


def ln(call: Call) -> int:
    """`ln [-sfvn] target [link]`."""
    options, names = parse(call, "sfvnTr", "symbolic:s force:f verbose:v no-dereference:n")
    if not names:
        raise usage(call, "missing file operand")
    targets = names[:-1] if len(names) > 1 else names
    last = names[-1] if len(names) > 1 else "."
    code = 0
    for target in targets:
        inside = call.isdir(last) and not ("n" in options and call.lookup(last, follow=False).kind == "link")
        shown = posixpath.join(last, posixpath.basename(target.rstrip("/"))) if inside else last
        path = call.path(shown)
        kind = "symbolic link" if "s" in options else "hard link"
        try:
            _may_change(call, path)
            try:
                call.tree.lookup(path, follow=False)
                if "f" in options:
                    call.tree.remove(path)
            except OSError as failed:
                if failed.errno != errno.ENOENT:
                    raise
            if "s" in options:
                call.tree.symlink(target, path, uid=call.uid, gid=call.gid, now=call.world.wall)
            else:
                if call.isdir(target):
                    call.err(f"ln: {target}: hard link not allowed for directory\n")
                    code = 1
                    continue
                call.tree.link(call.path(target), path, now=call.world.wall)
            files.ring(call.world, call.host, call.proc.mnt, path)
        except OSError as failed:
            if "s" not in options and failed.errno == errno.ENOENT:
                call.err(f"ln: failed to access '{target}': {failed.strerror}\n")
            else:
                call.err(f"ln: failed to create {kind} '{shown}': {failed.strerror}\n")
            code = 1
    return code


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
        text = options["t"]
        when = parse_rfc3339(f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:00Z")
    code = 0
    for name in names:
        try:
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


def new_mode(text: str, old: int, directory: bool) -> int | None:
    """The mode that `chmod` makes of an octal or symbolic one; None when malformed."""
    if re.fullmatch("[0-7]{1,5}", text):
        return int(text, 8)
    mode = old
    for clause in text.split(","):
        match = re.fullmatch(r"([ugoa]*)((?:[-+=][rwxXst]*)+)", clause)
        if match is None:
            return None
        who = match.group(1) or "a"
        for op, letters in re.findall(r"([-+=])([rwxXst]*)", match.group(2)):
            bits = 0
            for letter in letters:
                value = {"r": 4, "w": 2, "x": 1, "X": 1 if directory or old & 0o111 else 0}.get(letter, 0)
                for person, shift in (("u", 6), ("g", 3), ("o", 0)):
                    if person in who or "a" in who:
                        bits |= value << shift
                if letter == "s":
                    bits |= (0o4000 if "u" in who or "a" in who else 0) | (0o2000 if "g" in who or "a" in who else 0)
                if letter == "t":
                    bits |= 0o1000
            mask = sum(7 << shift for person, shift in (("u", 6), ("g", 3), ("o", 0)) if person in who or "a" in who)
            mode = mode | bits if op == "+" else mode & ~bits if op == "-" else (mode & ~mask) | bits
    return mode


def chmod(call: Call) -> int:
    """`chmod [-R] mode files`."""
    args = call.argv
    if len(args) > 1 and re.fullmatch(r"-[rwxXst]+", args[1]):
        call.argv = [args[0], "--", *args[1:]]
    options, names = parse(call, "Rvcf", "recursive:R verbose:v reference=reference")
    if len(names) < 2:
        raise usage(call, "missing operand" if not names else f"missing operand after ‘{names[0]}’")
    text, code = names[0], 0
    if new_mode(text, 0, False) is None:
        raise usage(call, f"invalid mode: ‘{text}’")
    for name in names[1:]:
        try:
            paths = [path for path, _ in call.tree.walk(call.path(name))] if "R" in options else [call.path(name)]
            for path in paths:
                node = call.tree.edit(path)
                if call.uid not in (0, node.uid):
                    raise error(errno.EPERM, name)
                node.mode = new_mode(text, node.mode, node.kind == "dir") or 0
        except OSError as failed:
            verb = "cannot access" if failed.errno == errno.ENOENT else "changing permissions of"
            call.err(f"chmod: {verb} '{name}': {failed.strerror}\n")
            code = 1
    return code


def chown(call: Call) -> int:
    """`chown [-R] owner[:group] files`, `chgrp group files`."""
    options, names = parse(call, "Rvhf", "recursive:R no-dereference:h")
    if len(names) < 2:
        raise usage(call, "missing operand" if not names else f"missing operand after ‘{names[0]}’")
    tree = call.tree
    owner, colon, group = names[0].partition(":")
    if name_of(call) == "chgrp":
        owner, colon, group = "", ":", names[0]
    uid = gid = -1
    if owner:
        if not owner.isdigit() and users.passwd(tree, owner) is None:
            call.err(f"chown: invalid user: ‘{names[0]}’\n")
            return 1
        uid = users.uid_of(tree, owner)
    if colon and group:
        row = next(
            (line.split(":") for line in tree.read("/etc/group").decode().splitlines() if line.split(":")[0] == group), None
        )
        if row is None and not group.isdigit():
            call.err(f"{name_of(call)}: invalid group: ‘{names[0]}’\n")
            return 1
        gid = int(row[2]) if row is not None else int(group)
    elif colon and owner:
        gid = users.gid_of(tree, owner)
    code = 0
    for name in names[1:]:
        try:
            paths = [path for path, _ in tree.walk(call.path(name))] if "R" in options else [call.path(name)]
            if call.uid != 0:
                raise error(errno.EPERM, name)
            for path in paths:
                node = tree.edit(path, follow="h" not in options)
                node.uid = uid if uid >= 0 else node.uid
                node.gid = gid if gid >= 0 else node.gid
        except OSError as failed:
            verb = "cannot access" if failed.errno == errno.ENOENT else "changing ownership of"
            call.err(f"{name_of(call)}: {verb} '{name}': {failed.strerror}\n")
            code = 1
    return code


def truncate(call: Call) -> int:
    """`truncate -s size files`."""
    options, names = parse(call, "s:c", "size=s")
    match = re.fullmatch(r"(\d+)([KMG]?)", options.get("s", ""))
    if match is None:
        raise usage(call, "you must specify either ‘--size’ or ‘--reference’")
    size = int(match.group(1)) * {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}[match.group(2)]
    for name in names:
        old = call.read_file(name) if call.exists(name) else b""
        if size > 64 * 1024 * 1024:
            raise OSError(errno.EFBIG, "File too large", name)
        call.write_file(name, old[:size].ljust(size, b"\0"))
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


def install(call: Call) -> int:
    """`install [-d] [-m mode] sources target`."""
    options, names = parse(call, "dm:o:g:DCvt:", "directory:d mode=m owner=o group=g target-directory=t")
    if "d" in options:
        for name in names:
            call.tree.mkdir(call.path(name), True, now=call.world.wall)
        return 0
    sources, target, inside = _destination(call, options, names)
    for name in sources:
        into = call.path(posixpath.join(target, posixpath.basename(name)) if inside else target)
        if "D" in options:
            call.tree.mkdir(posixpath.dirname(into), True, now=call.world.wall)
        try:
            copy_node(call, call.lookup(name), call.path(name), into, keep=False)
        except OSError as failed:
            call.err(f"install: cannot stat '{name}': {failed.strerror}\n")
            return 1
        call.tree.edit(into).mode = int(options.get("m", "755"), 8)
    return 0 if sources else 1


__all__ = ["SECOND"]

"""cp, mv and install."""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Generator
from typing import Any

from ...host import files
from ...host.filesystem import Inode, error
from ...host.invocation import Call
from ...host.program import Wait
from .common import Code, name_of, parse, usage
from .modes import _may_change, new_mode


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
        files.changing(world, call.host, call.proc.mnt, into)
        tree.put(into, Inode(node.kind, node.mode, owner[0], owner[1], when, node.data, None, node.target), world.wall)
        files.ring(world, call.host, call.proc.mnt, into)
        return
    data = files.read_file(world, call.host, path, mnt=call.proc.mnt)
    mode = node.mode if node.kind == "file" else 0o644
    call.write_file(into, data, mode=mode if keep else mode & ~0o022)
    if keep:
        made = tree.edit(into)
        made.uid, made.gid, made.mtime, made.mode = node.uid, node.gid, node.mtime, node.mode


def _agreed(call: Call, shown: str) -> Generator[Wait, Any, bool]:
    """The answer to `overwrite?`."""
    call.err(f"{name_of(call)}: overwrite '{shown}'? ")
    answer = (yield from call.read_line()).decode("utf-8", "replace").strip()
    return answer[:1] in ("y", "Y")


def _backed_up(call: Call, options: dict[str, str], into: str) -> None:
    """Put what is at the destination aside, as `-b` and `--backup=numbered` ask."""
    if "b" not in options or not call.exists(into) or call.isdir(into):
        return
    kept = into + options.get("S", "~")
    if options["b"] in ("numbered", "t"):
        number = next(n for n in range(1, 10_000) if not call.exists(f"{into}.~{n}~"))
        kept = f"{into}.~{number}~"
    files.rename_file(call.world, call.host, into, kept, mnt=call.proc.mnt)


def _told(call: Call, node: Inode, name: str, shown: str) -> str:
    """What `cp -v` says of a file, or of a directory and all that was copied with it."""
    lines = f"'{name}' -> '{shown}'\n"
    if node.kind == "dir":
        for entry in call.tree.listdir(call.path(name)):
            source = posixpath.join(name, entry)
            lines += _told(call, call.lookup(source, follow=False), source, posixpath.join(shown, entry))
    return lines


def cp(call: Call) -> Code:
    """`cp [-rapfvnT] sources target`."""
    options, names = parse(
        call,
        "rRapfvniTt:LPduxbS:lsH",
        "recursive:r archive:a force:f verbose:v no-clobber:n target-directory=t preserve?p no-target-directory:T parents:parents update?u dereference:L no-dereference:P interactive:i link:l symbolic-link:s backup?b suffix=S attributes-only:attributes remove-destination:f no-preserve=nopreserve debug:v",
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
        if "parents" in options:  # the source's whole name below the target
            if not inside:
                raise usage(call, "with --parents, the destination must be a directory")
            shown = posixpath.join(target, name.lstrip("/"))
            files.make_dir(
                call.world, call.host, posixpath.dirname(call.path(shown)), mnt=call.proc.mnt, uid=call.uid, gid=call.gid
            )
        into = call.path(shown)
        if "n" in options and call.exists(into):
            continue
        if "u" in options and call.exists(into) and call.lookup(into).mtime >= node.mtime:
            continue
        if "i" in options and call.exists(into) and not call.isdir(into) and not (yield from _agreed(call, shown)):
            code = 1
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
            _backed_up(call, options, into)
            if "s" in options:
                call.tree.symlink(name, into, uid=call.uid, gid=call.gid, now=call.world.wall)
            elif "l" in options and node.kind != "dir":
                call.tree.link(call.path(name), into, now=call.world.wall)
            else:
                if node.kind != "dir" and shown.endswith("/") and not call.isdir(shown):
                    raise error(errno.ENOTDIR if call.isdir(posixpath.dirname(into)) else errno.ENOENT, shown)
                copy_node(call, node, call.path(name), into, keep="a" in options or "p" in options)
            if "v" in options:
                call.out(_told(call, node, name, shown))
        except OSError as failed:
            what = "create directory" if node.kind == "dir" else "create regular file"
            call.err(f"cp: cannot {what} '{shown}': {failed.strerror}\n")
            code = 1
    return code


def mv(call: Call) -> Code:
    """`mv [-fnvT] sources target`."""
    options, names = parse(
        call,
        "fnviTt:ubS:",
        "force:f no-clobber:n verbose:v target-directory=t no-target-directory:T interactive:i update?u backup?b suffix=S",
    )
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
        if "u" in options and call.exists(into) and call.lookup(into).mtime >= node.mtime:
            continue
        if "i" in options and "f" not in options and call.exists(into) and not (yield from _agreed(call, shown)):
            code = 1
            continue
        try:
            _backed_up(call, options, into)
            _may_change(call, source)
            _may_change(call, into)
            if node.kind == "dir" and call.exists(into) and not call.isdir(into):
                call.err(f"mv: cannot overwrite non-directory '{shown}' with directory '{name}'\n")
                code = 1
                continue
            if node.kind != "dir" and call.isdir(into) and not inside:
                raise error(errno.EISDIR, shown)
            if node.kind != "dir" and shown.endswith("/") and not call.isdir(into):
                raise error(errno.ENOTDIR if call.isdir(posixpath.dirname(into)) else errno.ENOENT, shown)
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


def install(call: Call) -> int:
    """`install [-d] [-m mode] sources target`."""
    options, names = parse(call, "cdm:o:g:DCvt:", "directory:d mode=m owner=o group=g target-directory=t")
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
        made = call.tree.edit(into)
        wanted = new_mode(options.get("m", "755"), 0, False)
        if wanted is None:
            call.err(f"install: invalid mode ‘{options['m']}’\n")
            return 1
        made.mode = wanted
        if "v" in options:
            call.out(f"'{name}' -> '{posixpath.join(target, posixpath.basename(name)) if inside else target}'\n")
    return 0 if sources else 1

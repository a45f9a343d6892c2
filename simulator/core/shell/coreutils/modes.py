"""chmod, chown and chgrp."""

from __future__ import annotations

import errno
import posixpath
import re

from ...host import users
from ...host.filesystem import error
from ...host.invocation import Call
from .common import name_of, parse, usage
from .listing import permissions


def _may_change(call: Call, path: str) -> None:
    """The directory of a path must be writable."""
    parent = posixpath.dirname(path)
    node = call.tree.lookup(parent)
    if not users.may(node, call.uid, call.gid, users.WRITE):
        raise error(errno.EACCES, path)


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
            if not directory:  # what `=` says nothing of is taken from files; directories keep it
                mask |= (0o4000 if "u" in who or "a" in who else 0) | (0o2000 if "g" in who or "a" in who else 0)
            mode = mode | bits if op == "+" else mode & ~bits if op == "-" else (mode & ~mask) | bits
    return mode


def chmod(call: Call) -> int:
    """`chmod [-R] mode files`."""
    args = call.argv
    if len(args) > 1 and re.fullmatch(r"-[rwxXst]+", args[1]):
        call.argv = [args[0], "--", *args[1:]]
    options, names = parse(call, "Rvcf", "recursive:R verbose:v changes:c silent:f quiet:f reference=reference")
    if "reference" in options:
        try:
            names = [f"{call.lookup(options['reference']).mode & 0o7777:o}", *names]
        except OSError as failed:
            call.err(f"chmod: failed to get attributes of '{options['reference']}': {failed.strerror}\n")
            return 1
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
                before, node.mode = node.mode, new_mode(text, node.mode, node.kind == "dir") or 0
                shown = name if path == call.path(name) else posixpath.join(name, posixpath.relpath(path, call.path(name)))
                if before != node.mode and ("v" in options or "c" in options):
                    call.out(f"mode of '{shown}' changed from {_mode(before)} to {_mode(node.mode)}\n")
                elif "v" in options:
                    call.out(f"mode of '{shown}' retained as {_mode(node.mode)}\n")
        except OSError as failed:
            verb = "cannot access" if failed.errno == errno.ENOENT else "changing permissions of"
            call.err(f"chmod: {verb} '{name}': {failed.strerror}\n")
            code = 1
    return code


def _mode(mode: int) -> str:
    """`0644 (rw-r--r--)`."""
    return f"{mode & 0o7777:04o} ({permissions(mode)})"


def chown(call: Call) -> int:
    """`chown [-R] owner[:group] files`, `chgrp group files`."""
    options, names = parse(
        call, "Rvhfc", "recursive:R no-dereference:h verbose:v changes:c silent:f quiet:f reference=reference from=from"
    )
    if "reference" in options:
        try:
            like = call.lookup(options["reference"])
        except OSError as failed:
            call.err(f"{name_of(call)}: failed to get attributes of '{options['reference']}': {failed.strerror}\n")
            return 1
        names = [str(like.gid) if name_of(call) == "chgrp" else f"{like.uid}:{like.gid}", *names]
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
                held = (users.user_name(tree, node.uid), users.group_name(tree, node.gid))
                if "from" in options:
                    mine, _, theirs = options["from"].partition(":")
                    if (mine and mine not in (held[0], str(node.uid))) or (theirs and theirs not in (held[1], str(node.gid))):
                        continue
                changed = (uid >= 0 and uid != node.uid) or (gid >= 0 and gid != node.gid)
                if "v" in options or ("c" in options and changed):
                    wanted = ":".join(
                        part
                        for part in (
                            users.user_name(tree, uid) if uid >= 0 else "",
                            users.group_name(tree, gid) if gid >= 0 else "",
                        )
                        if part
                    )
                    of = ":".join(held) if ":" in wanted else held[0] if uid >= 0 else held[1]
                    what = "group" if name_of(call) == "chgrp" else "ownership"
                    call.out(
                        f"changed {what} of '{name}' from {of} to {wanted}\n"
                        if changed
                        else f"{what} of '{name}' retained as {of}\n"
                    )
                node.uid = uid if uid >= 0 else node.uid
                node.gid = gid if gid >= 0 else node.gid
        except OSError as failed:
            verb = "cannot access" if failed.errno == errno.ENOENT else "changing ownership of"
            call.err(f"{name_of(call)}: {verb} '{name}': {failed.strerror}\n")
            code = 1
    return code

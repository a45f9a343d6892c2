"""chroot: run a command with another directory as its root."""

from __future__ import annotations

from ...host.filesystem import FileSystem, Inode
from ...host.invocation import Call
from .common import Code, parse
from .process import _found


def chroot(call: Call) -> Code:
    """`chroot [--userspec=user:group] directory [command [arguments]]`: the command sees that directory as `/`, with what is mounted below."""
    options, rest = parse(call, "", "userspec=u groups=g skip-chdir:s", code=125, permute=False)
    if not rest:
        call.err("chroot: missing operand\nTry 'chroot --help' for more information.\n")
        return 125
    if call.uid:
        call.err(f"chroot: cannot change root directory to '{rest[0]}': Operation not permitted\n")
        return 125
    where = call.path(rest[0])
    if not call.tree.isdir(where):
        why = "Not a directory" if call.tree.exists(where) else "No such file or directory"
        call.err(f"chroot: cannot change root directory to '{rest[0]}': {why}\n")
        return 125
    place = call.tree.locate(where)
    base = place.path.rstrip("/")
    mounts = {"/": (place.key, place.path)}
    for path, source in call.tree.mounts.items():
        if path.startswith(where.rstrip("/") + "/") and call.proc.mnt == place.key:
            mounts[path[len(base) :]] = source
    key = f"chroot:{call.proc.pid}"
    call.host.filesystems[key] = FileSystem(Inode("dir", children={}), mounts)
    argv = rest[1:] or [call.env.get("SHELL", "/bin/sh"), "-i"]
    proc = call.proc
    before = proc.mnt, proc.cwd, proc.user
    try:
        proc.mnt, proc.cwd = key, "/"
        if "u" in options:
            proc.user = options["u"]
        code = _found(call, argv[0], f"chroot: failed to run command ‘{argv[0]}’")
        if code:
            return code
        child = call.executor.spawn_like(proc, argv, call.fds)
        return (yield from call.executor.wait(child))
    finally:
        proc.mnt, proc.cwd, proc.user = before
        call.host.filesystems.pop(key, None)

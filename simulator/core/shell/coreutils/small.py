"""Small commands: names of paths, environment, users, sums, base64, xargs, find helpers live elsewhere."""

from __future__ import annotations

import posixpath
import re

from ...host import files, users
from ...host.executor import DEFAULT_PATH, resolve
from ...host.inodes import letter
from ...host.invocation import Call
from ...kernel.clock import SECOND
from .common import Code, parse, usage


def true(call: Call) -> int:
    """`true`."""
    return 0


def false(call: Call) -> int:
    """`false`."""
    return 1


def pwd(call: Call) -> int:
    """`/bin/pwd`."""
    call.out(call.tree.realpath(call.cwd) + "\n")
    return 0


def basename(call: Call) -> int:
    """`basename name [suffix]`, `-a`, `-s suffix`."""
    options, names = parse(call, "as:z", "multiple:a suffix=s", permute=False)
    if not names:
        raise usage(call, "missing operand")
    suffix = options.get("s", "")
    if "a" not in options and "s" not in options:
        if len(names) > 2:
            raise usage(call, f"extra operand ‘{names[2]}’")
        suffix = names[1] if len(names) > 1 else ""
        names = names[:1]
    for name in names:
        base = posixpath.basename(name.rstrip("/")) or ("/" if name else "")
        call.out((base.removesuffix(suffix) or base if suffix != base else base) + "\n")
    return 0


def dirname(call: Call) -> int:
    """`dirname names`."""
    _, names = parse(call, "z")
    if not names:
        raise usage(call, "missing operand")
    for name in names:
        call.out((posixpath.dirname(name.rstrip("/")) or ("/" if name.startswith("/") else ".")) + "\n")
    return 0


def realpath(call: Call) -> int:
    """`realpath names` (all but the last part must exist)."""
    options, names = parse(
        call,
        "eqmszL",
        "canonicalize-existing:e canonicalize-missing:m no-symlinks:s strip:s quiet:q zero:z logical:L relative-to=to relative-base=base",
    )
    if not names:
        raise usage(call, "missing operand")

    def resolved(name: str) -> str:
        path = call.path(name)
        if "s" in options:
            return path
        try:
            place = call.tree.locate(path)
        except OSError:
            if "m" not in options:
                raise
            return path
        if place.node is None and ("e" in options or ("m" not in options and not call.tree.isdir(posixpath.dirname(place.seen)))):
            raise OSError(2, "No such file or directory")
        return place.seen

    code = 0
    for name in names:
        try:
            found = resolved(name)
            base = resolved(options["base"]) if "base" in options else "/"
            if ("to" in options or "base" in options) and (found + "/").startswith(base.rstrip("/") + "/"):
                found = posixpath.relpath(found, resolved(options.get("to", base)))
            call.out(found + ("\0" if "z" in options else "\n"))
        except OSError as failed:
            if "q" not in options:
                call.err(f"realpath: {name}: {failed.strerror}\n")
            code = 1
    return code


def readlink(call: Call) -> int:
    """`readlink [-f] names`."""
    options, names = parse(
        call,
        "fenmqsvz",
        "canonicalize:f canonicalize-existing:e canonicalize-missing:m no-newline:n quiet:q silent:s verbose:v zero:z",
    )
    if not names:
        raise usage(call, "missing operand")
    code = 0
    end = "" if "n" in options else "\0" if "z" in options else "\n"
    for name in names:
        try:
            if any(flag in options for flag in "fem"):
                call.out(call.tree.locate(call.path(name)).seen + end)
                continue
            node = call.lookup(name, follow=False)
            if node.kind != "link":
                if "v" in options:
                    call.err(f"readlink: {name}: Invalid argument\n")
                code = 1
                continue
            call.out(node.target + end)
        except OSError as failed:
            if "v" in options:
                call.err(f"readlink: {name}: {failed.strerror}\n")
            code = 1
    return code


def link(call: Call) -> int:
    """`link file name`: a hard link."""
    _, names = parse(call, "")
    if len(names) < 2:
        raise usage(call, f"missing operand after ‘{names[0]}’" if names else "missing operand")
    if len(names) > 2:
        raise usage(call, f"extra operand ‘{names[2]}’")
    try:
        call.tree.link(call.path(names[0]), call.path(names[1]), now=call.world.wall)
    except OSError as failed:
        call.err(f"link: cannot create link '{names[1]}' to '{names[0]}': {failed.strerror}\n")
        return 1
    return 0


def unlink(call: Call) -> int:
    """`unlink file`."""
    _, names = parse(call, "")
    if len(names) != 1:
        raise usage(call, f"extra operand ‘{names[1]}’" if names else "missing operand")
    try:
        if call.lookup(names[0], follow=False).kind == "dir":
            raise OSError(21, "Is a directory")
        files.remove_file(call.world, call.host, call.path(names[0]), mnt=call.proc.mnt)
    except OSError as failed:
        call.err(f"unlink: cannot unlink '{names[0]}': {failed.strerror}\n")
        return 1
    return 0


def which(call: Call) -> int:
    """`which [-a] names`."""
    _, names = parse(call, "as")
    code = 0
    for name in names:
        try:
            call.out(
                resolve(
                    call.host, call.proc.mnt, name, cwd=call.cwd, path=call.env.get("PATH", DEFAULT_PATH), user=call.proc.user
                )[0]
                + "\n"
            )
        except OSError:
            code = 1
    return code


def whereis(call: Call) -> int:
    """`whereis names`."""
    for name in call.argv[1:]:
        found = [f"{folder}/{name}" for folder in ("/usr/bin", "/usr/sbin", "/usr/local/bin") if call.exists(f"{folder}/{name}")]
        call.out(f"{name}:{''.join(' ' + path for path in found)}\n")
    return 0


def env(call: Call) -> Code:
    """`env [-i] [-u name] [name=value] [command]`."""
    options, rest = parse(call, "iu:0C:S:", "ignore-environment:i unset=u chdir=C", permute=False)
    table = {} if "i" in options else dict(call.env)
    if "u" in options:
        table.pop(options["u"], None)
    while rest and "=" in rest[0]:
        name, _, value = rest.pop(0).partition("=")
        table[name] = value
    if rest:
        try:
            resolve(call.host, call.proc.mnt, rest[0], cwd=call.cwd, path=table.get("PATH", DEFAULT_PATH), user=call.proc.user)
        except OSError as failed:
            call.err(f"env: ‘{rest[0]}’: {failed.strerror}\n")
            return 127 if failed.errno == 2 else 126
        return (yield from call.run(rest, env=table))
    call.out("".join(f"{name}={value}\n" for name, value in table.items()))
    return 0


def printenv(call: Call) -> int:
    """`printenv [names]`."""
    names = call.argv[1:]
    if not names:
        call.out("".join(f"{name}={value}\n" for name, value in call.env.items()))
        return 0
    code = 0
    for name in names:
        if name in call.env:
            call.out(call.env[name] + "\n")
        else:
            code = 1
    return code


def whoami(call: Call) -> int:
    """`whoami`."""
    call.out(users.user_name(call.tree, call.uid) + "\n")
    return 0


def id_(call: Call) -> int:
    """`id [-ugn] [user]`."""
    options, names = parse(call, "ugnGr", "user:u group:g name:n")
    tree = call.tree
    user = names[0] if names else call.proc.user
    if names and users.passwd(tree, user) is None:
        call.err(f"id: ‘{user}’: no such user\n")
        return 1
    uid, gid = users.uid_of(tree, user), users.gid_of(tree, user)
    if "u" in options:
        call.out(f"{users.user_name(tree, uid) if 'n' in options else uid}\n")
    elif "G" in options:
        call.out(" ".join(users.group_name(tree, g) if "n" in options else str(g) for g in users.groups_of(tree, user)) + "\n")
    elif "g" in options:
        call.out(f"{users.group_name(tree, gid) if 'n' in options else gid}\n")
    else:
        group = users.group_name(tree, gid)
        every = ",".join(f"{g}({users.group_name(tree, g)})" for g in users.groups_of(tree, user))
        call.out(f"uid={uid}({users.user_name(tree, uid)}) gid={gid}({group}) groups={every}\n")
    return 0


def groups(call: Call) -> int:
    """`groups`."""
    code = 0
    for name in call.argv[1:]:
        if users.passwd(call.tree, name) is None:
            call.err(f"groups: ‘{name}’: no such user\n")
            code = 1
            continue
        call.out(f"{name} : " + " ".join(users.group_name(call.tree, g) for g in users.groups_of(call.tree, name)) + "\n")
    if len(call.argv) < 2:
        call.out(" ".join(users.group_name(call.tree, g) for g in users.groups_of(call.tree, call.proc.user)) + "\n")
    return code


def file_(call: Call) -> int:
    """`file names`: by content."""
    options, names = parse(call, "bLi", "brief:b")
    for name in names:
        try:
            node = call.lookup(name, follow=False)
        except OSError:
            call.out(f"{name}: cannot open `{name}' (No such file or directory)\n")
            continue
        if node.kind == "dir":
            text = "directory"
        elif letter(node) == "s":
            text = "socket"
        elif node.kind == "virtual" and letter(node) == "c":
            text = "character special"
        elif node.kind == "link":
            text = f"symbolic link to {node.target}"
        elif node.kind == "exec":
            text = "ELF 64-bit LSB executable, x86-64, version 1 (SYSV), statically linked, stripped"
        else:
            text = _content(node.data)
        call.out(text + "\n" if "b" in options else f"{name}: {text}\n")
    return 0


def _content(data: bytes) -> str:
    if not data:
        return "empty"
    if data[:2] == b"\x1f\x8b":
        return f"gzip compressed data, from Unix, original size modulo 2^32 {int.from_bytes(data[-4:], 'little')}"
    if data[257:262] == b"ustar":
        return "POSIX tar archive (GNU)"
    if data.startswith(b"-----BEGIN CERTIFICATE"):
        return "PEM certificate"
    if data.startswith(b"-----BEGIN RSA PRIVATE KEY"):
        return "PEM RSA private key"
    if data.startswith(b"#!"):
        kind = "Bourne-Again shell" if b"bash" in data[:40] else "POSIX shell"
        return f"{kind} script, ASCII text executable"
    if b"\0" in data[:1024]:
        return "data"
    if re.match(rb"\s*[\[{]", data) and re.search(rb"[\]}]\s*\Z", data):
        return "JSON text data"
    try:
        data.decode("ascii")
        return "ASCII text"
    except UnicodeDecodeError:
        pass
    try:
        data.decode()
        return "Unicode text, UTF-8 text"
    except UnicodeDecodeError:
        return "data"


def uname(call: Call) -> int:
    """`uname [-asnrvmo]`."""
    options, _ = parse(
        call,
        "asnrvmpio",
        "all:a kernel-name:s nodename:n kernel-release:r kernel-version:v machine:m operating-system:o processor:p hardware-platform:i",
    )
    host = call.host
    parts = {
        "s": "Linux",
        "n": _hostname(call),
        "r": host.kernel,
        "v": "#45-Ubuntu SMP PREEMPT_DYNAMIC Fri Aug 30 12:02:04 UTC 2024",
        "m": "x86_64",
    }
    if "a" in options:
        call.out(" ".join([*parts.values(), "x86_64", "x86_64", "GNU/Linux"]) + "\n")
        return 0
    chosen = (
        [parts[flag] for flag in "snrvm" if flag in options]
        + ["x86_64" for flag in "pi" if flag in options]
        + (["GNU/Linux"] if "o" in options else [])
    )
    call.out(" ".join(chosen or ["Linux"]) + "\n")
    return 0


def arch(call: Call) -> int:
    """`arch`."""
    call.out("x86_64\n")
    return 0


def _hostname(call: Call) -> str:
    try:
        return call.tree.read("/etc/hostname").decode().strip() or call.host.name
    except OSError:
        return call.host.name


def hostname(call: Call) -> int:
    """`hostname [-isf]`."""
    options, names = parse(call, "isfIAd", "ip-address:i short:s fqdn:f all-ip-addresses:I")
    if names:
        if call.uid:
            call.err("hostname: you must be root to change the host name\n")
            return 1
        call.write_file("/etc/hostname", names[0].encode() + b"\n")
        return 0
    if "i" in options or "I" in options:
        from ...kernel.network import network

        found = network(call.world).namespaces.get(call.proc.netns)
        call.out(" ".join(found.ips if found else [call.host.ip]) + (" \n" if "I" in options else "\n"))
        return 0
    call.out(_hostname(call) + "\n")
    return 0


def nproc(call: Call) -> int:
    """`nproc`."""
    call.out(f"{call.host.cpus}\n")
    return 0


def tty(call: Call) -> int:
    """`tty`."""
    if call.stdin_tty:
        call.out("/dev/pts/0\n")
        return 0
    call.out("not a tty\n")
    return 1


def clear(call: Call) -> int:
    """`clear`."""
    call.out("\x1b[H\x1b[2J\x1b[3J")
    return 0


def sync(call: Call) -> int:
    """`sync`."""
    return 0


def logger(call: Call) -> int:
    """`logger [-t tag] text`: a line in the journal."""
    from ...host import processes

    options, words = parse(call, "t:p:is", "tag=t priority=p", permute=False)
    processes.journal(call.world, call.host.name, options.get("t", call.proc.user), call.proc.pid, " ".join(words))
    return 0


__all__ = ["SECOND"]

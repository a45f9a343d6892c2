"""busybox called by its own name (`libbb/appletlib.c`): what it is, which applets it has, and running one of them."""

from __future__ import annotations

import posixpath

from ...host.base import BOX
from ...host.invocation import Call
from .common import Code

#: Builds by version, as the official images have them.
BUILT = {"1.37.0": "2024-09-26 21:31:42", "1.36.1": "2023-05-18 22:34:17", "1.35.0": "2021-12-26 18:54:41"}
#: The version that each release of Alpine has.
OF_ALPINE = {"3.20": "1.36.1", "3.19": "1.36.1", "3.18": "1.36.1", "3.17": "1.35.0", "3.16": "1.35.0"}


def applets(call: Call) -> list[str]:
    """The names that are links to busybox here."""
    found: set[str] = set()
    for folder in ("/bin", "/sbin", "/usr/bin", "/usr/sbin"):
        if call.tree.isdir(folder):
            names = [(name, call.tree.lookup(f"{folder}/{name}")) for name in call.tree.listdir(folder)]
            found.update(name for name, node in names if node.kind == "exec" and node.data == BOX)
    return sorted(found)


def _version(call: Call) -> str:
    try:
        branch = call.tree.read("/etc/alpine-release").decode().strip().rpartition(".")[0]
    except OSError:
        return "1.37.0"
    return OF_ALPINE.get(branch, "1.37.0")


def busybox(call: Call) -> Code:
    """`busybox`, `busybox --list[-full]`, `busybox applet [arguments]`."""
    args = call.argv[1:]
    known = applets(call)
    if args[:1] in (["--list"], ["--list-full"]):
        full = args[0] == "--list-full"
        call.out("".join(f"{'bin/' if full else ''}{name}\n" for name in known))
        return 0
    if not args or args[0] == "--help":
        version = _version(call)
        call.out(
            f"BusyBox v{version} ({BUILT[version]} UTC) multi-call binary.\nBusyBox is copyrighted by many authors between 1998-2015.\n"
            "Licensed under GPLv2. See source distribution for detailed\ncopyright notices.\n\n"
            "Usage: busybox [function [arguments]...]\n   or: busybox --list[-full]\n   or: busybox --show SCRIPT\n"
            "   or: busybox --install [-s] [DIR]\n   or: function [arguments]...\n\nCurrently defined functions:\n"
        )
        line = "\t"
        for number, name in enumerate(known):
            word = name + (", " if number + 1 < len(known) else "")
            if len(line) + len(word) > 72:
                call.out(line.rstrip() + "\n")
                line = "\t"
            line += word
        call.out(line.rstrip() + "\n")
        return 0
    name = posixpath.basename(args[0])
    if name not in known:
        call.err(f"{name}: applet not found\n")
        return 127
    return (yield from call.run([name, *args[1:]]))

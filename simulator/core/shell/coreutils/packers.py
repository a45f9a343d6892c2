"""bzip2 and xz: files in the real formats (bzip2 1.0.8, xz 5.4)."""

from __future__ import annotations

import bz2
import lzma
from collections.abc import Callable

from ...host import files
from ...host.invocation import Call
from .archive import pack, unpack
from .common import Code, name_of, parse

#: What an archive may hold when it is unpacked.
LIMIT = 64 * 1024 * 1024


def _bzip(data: bytes) -> bytes:
    return _bounded(bz2.BZ2Decompressor, data)


def _xz(data: bytes) -> bytes:
    return _bounded(lzma.LZMADecompressor, data)


def _bounded(make: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor], data: bytes) -> bytes:
    """All streams of a file; raises ValueError for what is none, or holds too much."""
    out = b""
    while data:
        reader = make()
        try:
            out += reader.decompress(data, LIMIT + 1 - len(out))
        except (OSError, EOFError, lzma.LZMAError) as failed:
            raise ValueError(str(failed)) from None
        if not reader.eof:
            raise ValueError("too large" if len(out) > LIMIT else "unexpected end")
        data = reader.unused_data
    return out


def _run(call: Call, *, suffix: str, tool: str) -> Code:
    called = name_of(call)
    options, names = parse(
        call, "dzktcfvqsT:0123456789e", "decompress:d compress:z keep:k test:t stdout:c to-stdout:c force:f verbose:v quiet:q"
    )
    if called in (f"un{tool}", "bunzip2", "unxz"):
        options["d"] = "1"
    if called in ("bzcat", "xzcat"):
        options |= {"d": "1", "c": "1"}
    down = "d" in options or "t" in options

    def change(data: bytes) -> bytes:
        if down:
            return _bzip(data) if tool == "bzip2" else _xz(data)
        return bz2.compress(data) if tool == "bzip2" else lzma.compress(data, preset=1)

    if not names or names == ["-"]:
        try:
            call.out(change((yield from call.read())))
        except ValueError:
            call.err("bzip2: (stdin) is not a bzip2 file.\n" if tool == "bzip2" else "xz: (stdin): File format not recognized\n")
            return 2 if tool == "bzip2" else 1
        return 0
    code = 0
    for name in names:
        code = max(code, _one(call, name, options, change, suffix=suffix, tool=tool, down=down))
    return code


def _one(
    call: Call, name: str, options: dict[str, str], change: Callable[[bytes], bytes], *, suffix: str, tool: str, down: bool
) -> int:
    """Pack or unpack a file; the exit status."""
    try:
        if call.isdir(name):
            call.err(
                f"bzip2: Input file {name} is a directory.\n" if tool == "bzip2" else f"xz: {name}: Is a directory, skipping\n"
            )
            return 1
        data, node = call.read_file(name), call.lookup(name)
    except OSError as failed:
        call.err(
            f"bzip2: Can't open input file {name}: {failed.strerror}.\n"
            if tool == "bzip2"
            else f"xz: {name}: {failed.strerror}\n"
        )
        return 1
    try:
        changed = change(data) if down else change(pack(node))
    except ValueError:
        call.err(f"bzip2: {name} is not a bzip2 file.\n" if tool == "bzip2" else f"xz: {name}: File format not recognized\n")
        return 2 if tool == "bzip2" else 1
    if "t" in options:
        return 0
    if "c" in options:
        call.out(changed)
        return 0
    if not down and name.endswith(suffix):
        call.err(
            f"bzip2: Input file {name} already has {suffix} suffix.\n"
            if tool == "bzip2"
            else f"xz: {name}: File already has '{suffix}' suffix, skipping\n"
        )
        return 1
    into = (name.removesuffix(suffix) if name.endswith(suffix) else name + ".out") if down else name + suffix
    if call.exists(into) and "f" not in options:
        call.err(f"bzip2: Output file {into} already exists.\n" if tool == "bzip2" else f"xz: {into}: File exists\n")
        return 1
    made = unpack(changed, node.mode, node.uid, node.gid, node.mtime)
    call.tree.put(call.path(into), made, call.world.wall)
    files.ring(call.world, call.host, call.proc.mnt, call.path(into))
    if "k" not in options:
        files.remove_file(call.world, call.host, call.path(name), mnt=call.proc.mnt)
    return 0


def bzip2(call: Call) -> Code:
    """`bzip2 [-dktcf] [files]`, `bunzip2`, `bzcat`."""
    return (yield from _run(call, suffix=".bz2", tool="bzip2"))


def xz(call: Call) -> Code:
    """`xz [-dktcf] [files]`, `unxz`, `xzcat`."""
    return (yield from _run(call, suffix=".xz", tool="xz"))

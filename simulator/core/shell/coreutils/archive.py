"""`gzip`, `gunzip`, `zcat`, and the archives that downloads and layers are; an executable travels as a file with an ELF head and its program's name."""

from __future__ import annotations

import gzip as _gzip
import io
import tarfile
import zlib

from ...host import files
from ...host.filesystem import Inode
from ...host.invocation import Call
from ...kernel.clock import SECOND
from .common import Code, inputs, parse

#: Head of an executable in an archive; the program's name follows, up to a newline.
MAGIC = b"\x7fELF\x02\x01\x01\0slipway:"
LIMIT = 64 * 1024 * 1024
GZIP = b"\x1f\x8b"
HEAD = "         compressed        uncompressed  ratio uncompressed_name\n"


def pack(node: Inode) -> bytes:
    """The bytes that stand for an inode's content in an archive or download."""
    return MAGIC + node.target.encode() + b"\n" if node.kind == "exec" else node.data


def unpack(data: bytes, mode: int, uid: int, gid: int, mtime: int) -> Inode:
    """The inode of packed bytes."""
    if data.startswith(MAGIC):
        target = data[len(MAGIC) :].split(b"\n")[0].decode(errors="replace")
        return Inode("exec", mode, uid, gid, mtime, b"\x7fELF\x02\x01\x01" + b"\0" * 9, None, target)
    return Inode("file", mode, uid, gid, mtime, data)


def build(entries: list[tuple[str, Inode]], *, compress: bool) -> bytes:
    """A tar (gzip) of (name, inode) pairs."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, node in entries:
            info = tarfile.TarInfo(name)
            info.mode, info.uid, info.gid, info.mtime = node.mode, node.uid, node.gid, node.mtime // SECOND
            if node.kind == "dir":
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
            elif node.kind == "link":
                info.type, info.linkname = tarfile.SYMTYPE, node.target
                archive.addfile(info)
            else:
                data = pack(node)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return _gzip.compress(raw.getvalue(), 6, mtime=0) if compress else raw.getvalue()


def inflate(data: bytes) -> bytes:
    """Decompress, bounded.  Raises ValueError when it is no gzip or too large."""
    worker = zlib.decompressobj(31)
    try:
        out = worker.decompress(data, LIMIT)
    except zlib.error as failed:
        raise ValueError(str(failed)) from None
    if worker.unconsumed_tail:
        raise ValueError("too large")
    return out


def gzip(call: Call) -> Code:
    """`gzip [-cdfklqrtv1..9] [-S suffix] [files]`, `gunzip`, `zcat` (gzip 1.12)."""
    options, names = parse(call, "dkcfvnNlqrtS:123456789", "decompress:d keep:k stdout:c to-stdout:c force:f uncompress:d list:l test:t "
                           "verbose:v quiet:q recursive:r suffix=S fast:1 best:9 no-name:n name:N")  # fmt: skip
    name_called = call.argv[0].rpartition("/")[2]
    if name_called in ("gunzip", "zcat") or "t" in options or "l" in options:
        options["d"] = "1"
    level = next((int(digit) for digit in "987654321" if digit in options), 6)
    if not names or names == ["-"]:
        found, code = yield from inputs(call, [])
        return _stdin(call, found[0][1], options, level) or code
    if "c" in options or name_called == "zcat":
        options["c"] = "1"
    if "r" in options:
        names = [path for name in names for path in _below(call, name)]
    code = 0
    rows: list[str] = []
    for name in names:
        status = _one(call, name, options, level, rows)
        code = 1 if 1 in (code, status) else max(code, status)
    if rows:
        call.out(HEAD + "".join(rows))
    return code


def _below(call: Call, name: str) -> list[str]:
    """The files below a directory, or the name itself."""
    if not call.isdir(name):
        return [name]
    return [path for path, node in call.tree.walk(call.path(name)) if node.kind in ("file", "exec")]


def _row(packed: int, plain: int, name: str) -> str:
    """A line of `gzip -l`."""
    ratio = 100.0 * (1 - (packed - 18) / plain) if plain else 0.0
    return f"{packed:>19} {plain:>19} {ratio:5.1f}% {name}\n"


def _stdin(call: Call, data: bytes, options: dict[str, str], level: int) -> int:
    if "d" not in options:
        call.out(_gzip.compress(data, level, mtime=0))
        return 0
    try:
        plain = inflate(data)
    except ValueError:
        call.err("\ngzip: stdin: unexpected end of file\n" if data[:2] == GZIP else "\ngzip: stdin: not in gzip format\n")
        return 1
    if "l" in options:
        call.out(HEAD + _row(len(data), len(plain), "stdout"))
    elif "t" not in options:
        call.out(plain)
    return 0


def _one(call: Call, name: str, options: dict[str, str], level: int, rows: list[str]) -> int:
    """Compress or expand one file; the exit status (2 is a warning)."""
    down, suffix = "d" in options, options.get("S", ".gz")
    if down and not call.exists(name) and call.exists(name + suffix):
        name += suffix
    try:
        if call.isdir(name):
            call.err(f"gzip: {name} is a directory -- ignored\n")
            return 2
        data, node = call.read_file(name), call.lookup(name)
    except OSError as failed:
        shown = name + suffix if down and not name.endswith(suffix) else name
        call.err(f"gzip: {shown}: {failed.strerror}\n")
        return 1
    if down and not name.endswith((suffix, ".tgz", "-gz", ".taz")) and not ("c" in options and "f" in options):
        call.err(f"gzip: {name}: unknown suffix -- ignored\n")
        return 2
    if not down and name.endswith((suffix, ".tgz")) and "c" not in options:
        call.err(f"gzip: {name} already has {suffix if name.endswith(suffix) else '.tgz'} suffix -- unchanged\n")
        return 2
    try:
        changed = inflate(data) if down else _gzip.compress(pack(node), level, mtime=0)
    except ValueError:
        call.err(f"\ngzip: {name}: {'unexpected end of file' if data[:2] == GZIP else 'not in gzip format'}\n")
        return 1
    if name.endswith((".tgz", ".taz")):
        into = name[:-4] + ".tar" if down else name
    else:
        into = name.removesuffix(suffix) if down else name + suffix
    if "l" in options:
        rows.append(_row(len(data), len(changed), into))
        return 0
    if "t" in options:
        if "v" in options:
            call.err(f"{name}:\t OK\n")
        return 0
    if "c" in options:
        call.out(changed)
        return 0
    if call.exists(into) and "f" not in options:
        call.err(f"gzip: {into} already exists;\tnot overwritten\n")
        return 2
    made = unpack(changed, node.mode, node.uid, node.gid, node.mtime)
    call.tree.put(call.path(into), made, call.world.wall)
    files.ring(call.world, call.host, call.proc.mnt, call.path(into))
    if "k" not in options:
        files.remove_file(call.world, call.host, call.path(name), mnt=call.proc.mnt)
    if "v" in options:
        plain, packed = (len(changed), len(data)) if down else (len(data), len(changed))
        ratio = 100.0 * (1 - (packed - 18) / plain) if plain else 0.0
        call.err(f"{name}:\t{ratio:5.1f}% -- {'created' if 'k' in options else 'replaced with'} {into}\n")
    return 0

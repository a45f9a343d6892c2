"""`tar`, `gzip`, `gunzip`, `zcat`: real formats (tarfile over BytesIO); an executable travels as a file with an ELF head and its program's name."""

from __future__ import annotations

import gzip as _gzip
import io
import posixpath
import tarfile
import zlib

from ...host import files, users
from ...host.filesystem import Inode
from ...host.invocation import Call
from ...kernel.clock import SECOND, to_datetime
from .common import Code, inputs, parse, unknown
from .listing import mode_text

#: Head of an executable in an archive; the program's name follows, up to a newline.
MAGIC = b"\x7fELF\x02\x01\x01\0slipway:"
LIMIT = 64 * 1024 * 1024


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


def _options(call: Call) -> tuple[str, str, list[str], dict[str, str]]:
    """tar's old and new option styles: (flags, archive, operands, long options)."""
    args = call.argv[1:]
    flags, archive = "", ""
    longs: dict[str, str] = {}
    rest: list[str] = []
    if args and not args[0].startswith("-"):
        args[0] = "-" + args[0]
    while args:
        word = args.pop(0)
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            short = {"extract": "x", "create": "c", "list": "t", "verbose": "v", "gzip": "z", "get": "x"}.get(name)
            if short:
                flags += short
            elif name in ("file", "directory"):
                value = value if equals else (args.pop(0) if args else "")
                if name == "file":
                    archive = value
                else:
                    longs["C"] = value
            elif name in ("strip-components", "exclude", "wildcards", "no-same-owner", "overwrite", "transform"):
                longs[name] = value if equals or name in ("wildcards", "no-same-owner", "overwrite") else args.pop(0)
            else:
                call.err(f"tar: unrecognized option '{word}'\nTry 'tar --help' or 'tar --usage' for more information.\n")
                return "!", "", [], {}
        elif word.startswith("-") and len(word) > 1:
            letters = word[1:]
            while letters:
                letter, letters = letters[0], letters[1:]
                if letter in "fC":
                    value = letters or (args.pop(0) if args else "")
                    letters = ""
                    if letter == "f":
                        archive = value
                    else:
                        longs["C"] = value
                elif letter in "xctvzpJjkhmOP":
                    flags += letter
                else:
                    raise unknown(call, f"-{letter}", f"invalid option -- '{letter}'", 64)
        else:
            rest.append(word)
    return flags, archive, rest, longs


def tar(call: Call) -> Code:
    """`tar -c|-x|-t [-vz] [-f archive] [-C dir] [--strip-components=n] [names]`."""
    flags, archive, rest, longs = _options(call)
    if flags == "!":
        return 64
    if not set(flags) & set("cxt"):
        call.err(
            "tar: You must specify one of the '-Acdtrux', '--delete' or '--test-label' options\nTry 'tar --help' or 'tar --usage' for more information.\n"
        )
        return 2
    base = call.path(longs.get("C", "."))
    if not call.tree.isdir(base):
        call.err(f"tar: {longs.get('C')}: Cannot open: No such file or directory\ntar: Error is not recoverable: exiting now\n")
        return 2
    if "c" in flags:
        return _create(call, flags, archive, rest, base)
    try:
        data = (yield from call.read()) if archive in ("", "-") else call.read_file(archive)
    except OSError as failed:
        call.err(f"tar: {archive}: Cannot open: {failed.strerror}\ntar: Error is not recoverable: exiting now\n")
        return 2
    try:
        if data[:2] == b"\x1f\x8b":
            data = inflate(data)
        elif "z" in flags:
            call.err(
                "\ngzip: stdin: not in gzip format\ntar: Child returned status 1\ntar: Error is not recoverable: exiting now\n"
            )
            return 2
        with tarfile.open(fileobj=io.BytesIO(data)) as opened:
            return _read(call, opened, flags, rest, longs, base)
    except (tarfile.TarError, ValueError):
        call.err("tar: This does not look like a tar archive\ntar: Exiting with failure status due to previous errors\n")
        return 2


def _read(call: Call, opened: tarfile.TarFile, flags: str, rest: list[str], longs: dict[str, str], base: str) -> int:
    strip = int(longs.get("strip-components", "0"))
    seen: set[str] = set()
    for info in opened.getmembers()[:20_000]:
        name = info.name
        hit = next(
            (
                want
                for want in rest
                if name == want.rstrip("/")
                or name.startswith(want.rstrip("/") + "/")
                or ("wildcards" in longs and _glob(want, name))
            ),
            None,
        )
        if rest and hit is None:
            continue
        if hit:
            seen.add(hit)
        shown = name + ("/" if info.isdir() else "")
        if "t" in flags or "v" in flags:
            call.out(_long(info, shown) if flags.count("v") > ("x" in flags) else shown + "\n")
        if "t" in flags:
            continue
        parts = [part for part in name.split("/") if part not in ("", ".", "..")][strip:]
        content = opened.extractfile(info) if info.isfile() else None
        if "O" in flags:
            if content is not None:
                call.out(content.read())
            continue
        if not parts:
            continue
        path = posixpath.join(base, *parts)
        uid, gid = (info.uid, info.gid) if call.uid == 0 else (call.uid, call.gid)
        try:
            if info.isdir():
                call.tree.mkdir(path, True, now=call.world.wall)
                continue
            users.check(call.tree, path, call.proc.user, users.WRITE)
            call.tree.mkdir(posixpath.dirname(path), True, now=call.world.wall)
            if info.issym():
                node = Inode("link", 0o777, uid, gid, int(info.mtime) * SECOND, target=info.linkname)
            else:
                node = unpack(content.read() if content is not None else b"", info.mode, uid, gid, int(info.mtime) * SECOND)
            call.tree.put(path, node, call.world.wall)
            files.ring(call.world, call.host, call.proc.mnt, path)
        except OSError as failed:
            call.err(f"tar: {name}: Cannot open: {failed.strerror}\ntar: Exiting with failure status due to previous errors\n")
            return 2
    missing = [want for want in rest if want not in seen]
    for want in missing:
        call.err(f"tar: {want}: Not found in archive\n")
    if missing:
        call.err("tar: Exiting with failure status due to previous errors\n")
        return 2
    return 0


def _glob(pattern: str, name: str) -> bool:
    from .. import patterns

    return patterns.matches(pattern, name)


def _long(info: tarfile.TarInfo, shown: str) -> str:
    kind = "dir" if info.isdir() else "link" if info.issym() else "file"
    owner = f"{info.uname or info.uid}/{info.gname or info.gid}"
    moment = to_datetime(int(info.mtime) * SECOND)
    return f"{mode_text(Inode(kind, info.mode))} {owner} {info.size:>{max(18 - len(owner), 1)}} {moment:%Y-%m-%d %H:%M} {shown}{' -> ' + info.linkname if info.issym() else ''}\n"


def _create(call: Call, flags: str, archive: str, rest: list[str], base: str) -> int:
    if not rest:
        call.err("tar: Cowardly refusing to create an empty archive\nTry 'tar --help' or 'tar --usage' for more information.\n")
        return 2
    entries: list[tuple[str, Inode]] = []
    code = 0
    for name in rest:
        root = posixpath.normpath(posixpath.join(base, name))
        if name.startswith("/"):
            call.err("tar: Removing leading `/' from member names\n")
        try:
            for path, node in call.tree.walk(root):
                inside = posixpath.normpath(posixpath.join(name, posixpath.relpath(path, root))).lstrip("/")
                if name.startswith("./") or name == ".":
                    inside = "./" + inside if inside != "." else "."
                entries.append((inside, node))
                if "v" in flags:
                    (call.err if archive in ("", "-") else call.out)(inside + ("/" if node.kind == "dir" else "") + "\n")
        except OSError as failed:
            call.err(f"tar: {name}: Cannot stat: {failed.strerror}\n")
            code = 2
    data = build(entries, compress="z" in flags)
    if archive in ("", "-"):
        call.out(data)
    else:
        call.write_file(archive, data)
    if code:
        call.err("tar: Exiting with failure status due to previous errors\n")
    return code


def gzip(call: Call) -> Code:
    """`gzip [-dkcf] [files]`, `gunzip`, `zcat`."""
    options, names = parse(call, "dkcfvnlt123456789", "decompress:d keep:k stdout:c to-stdout:c force:f uncompress:d")
    name_called = call.argv[0].rpartition("/")[2]
    down = "d" in options or name_called in ("gunzip", "zcat")
    to_stdout = "c" in options or name_called == "zcat" or not names
    if not names:
        found, code = yield from inputs(call, [])
        try:
            call.out(inflate(found[0][1]) if down else _gzip.compress(found[0][1], 6, mtime=0))
        except ValueError:
            call.err("\ngzip: stdin: not in gzip format\n")
            return 1
        return code
    code = 0
    for name in names:
        try:
            data = call.read_file(name)
            node = call.lookup(name)
        except OSError as failed:
            call.err(f"gzip: {name}: {failed.strerror}\n")
            code = 1
            continue
        if down and not name.endswith((".gz", ".tgz")):
            call.err(f"gzip: {name}: unknown suffix -- ignored\n")
            code = 2
            continue
        try:
            changed = inflate(data) if down else _gzip.compress(pack(node), 6, mtime=0)
        except ValueError:
            call.err(f"\ngzip: {name}: not in gzip format\n")
            code = 1
            continue
        if to_stdout:
            call.out(changed)
            continue
        into = (name[:-4] + ".tar" if name.endswith(".tgz") else name[:-3]) if down else name + ".gz"
        made = unpack(changed, node.mode, node.uid, node.gid, node.mtime)
        call.tree.put(call.path(into), made, call.world.wall)
        files.ring(call.world, call.host, call.proc.mnt, call.path(into))
        if "k" not in options:
            files.remove_file(call.world, call.host, call.path(name), mnt=call.proc.mnt)
    return code

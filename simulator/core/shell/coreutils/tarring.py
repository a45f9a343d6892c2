"""tar: archives in the real format, plain or compressed with gzip, bzip2 or xz (GNU tar 1.35).

An executable travels as a file with an ELF head and its program's name (`archive.pack`).
"""

from __future__ import annotations

import bz2
import io
import lzma
import posixpath
import re
import tarfile
from dataclasses import dataclass, field

from ...host import files, users
from ...host.filesystem import Inode, error
from ...host.invocation import Call
from ...kernel.clock import SECOND, to_datetime
from .. import patterns
from . import harmless
from .archive import LIMIT, build, inflate, unpack
from .common import Code, device_fd, unknown, whole
from .listing import mode_text

HELP = "Try 'tar --help' or 'tar --usage' for more information.\n"
FAILED = "tar: Exiting with failure status due to previous errors\n"
FATAL = "tar: Error is not recoverable: exiting now\n"
#: Long options that are letters, those with a value, and those that change nothing here.
SHORT = {"extract": "x", "get": "x", "create": "c", "list": "t", "append": "r", "update": "u", "diff": "d", "compare": "d", "verbose": "v",
         "gzip": "z", "gunzip": "z", "bzip2": "j", "xz": "J", "auto-compress": "a", "to-stdout": "O", "keep-old-files": "k", "touch": "m",
         "same-permissions": "p", "preserve-permissions": "p", "absolute-names": "P", "dereference": "h"}  # fmt: skip
VALUED = {"file": "f", "directory": "C", "files-from": "T", "exclude": "exclude", "exclude-from": "X", "strip-components": "strip",
          "transform": "transform", "xform": "transform", "owner": "owner", "group": "group", "mode": "mode"}  # fmt: skip
IDLE = frozenset({"wildcards", "no-same-owner", "no-same-permissions", "overwrite", "numeric-owner", "no-recursion", "skip-old-files",
                  "remove-files", "totals", "show-transformed-names", "same-owner"})  # fmt: skip
SUFFIXES = {".gz": "z", ".tgz": "z", ".bz2": "j", ".tbz2": "j", ".xz": "J", ".txz": "J"}


@dataclass
class Wish:
    """A command line: letters, the archive's name, operands with the directory each is looked for in, and options with values."""

    flags: str = ""
    archive: str = ""
    operands: list[tuple[str, str]] = field(default_factory=list)
    folder: str = "."
    exclude: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)


class _Refused(Exception):
    """The command line is wrong; its message has been printed, the value is the exit status."""


def _wish(call: Call) -> Wish:
    """Read tar's old (`tar xzf a`) and new option styles."""
    args = list(call.argv[1:])
    wish = Wish()
    if args and not args[0].startswith("-"):
        # a bundle without a dash takes its arguments from the words after it, in order
        letters, rest = args[0], args[1:]
        bundle: list[str] = []
        for letter in letters:
            bundle += [f"-{letter}", rest.pop(0)] if letter in "fCTXb" and rest else [f"-{letter}"]
        args = bundle + rest
    while args:
        word = args.pop(0)
        if word == "--":
            wish.operands += [(name, wish.folder) for name in args]
            break
        if word.startswith("--"):
            _long(call, wish, word, args)
        elif word.startswith("-") and len(word) > 1:
            _letters(call, wish, word[1:], args)
        else:
            wish.operands.append((word, wish.folder))
    return wish


def _long(call: Call, wish: Wish, word: str, args: list[str]) -> None:
    name, equals, value = word[2:].partition("=")
    if name in SHORT:
        wish.flags += SHORT[name]
    elif name in VALUED:
        if not equals and not args:
            call.err(f"tar: option '{word}' requires an argument\n{HELP}")
            raise _Refused(64)
        _value(call, wish, VALUED[name], value if equals else args.pop(0))
    elif name in IDLE:
        wish.words.add(name)
    elif name == "version":
        call.out("tar (GNU tar) 1.35\n")
        raise _Refused(0)
    elif (taken := harmless.long("tar", name)) is not None:
        if taken == "=" and not equals and args:
            args.pop(0)
    elif name in ("exclude-vcs", "exclude-backups"):
        vcs = (
            ".git .git/* */.git */.git/* .gitignore .gitmodules .svn .svn/* .hg .hg/*" if name == "exclude-vcs" else ".#* *~ #*#"
        )
        wish.exclude += vcs.split()
    else:
        raise unknown(call, f"--{name}", f"unrecognized option '{word}'", 64)


def _letters(call: Call, wish: Wish, letters: str, args: list[str]) -> None:
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter in "fCTX":
            if not letters and not args:
                call.err(f"tar: option requires an argument -- '{letter}'\n{HELP}")
                raise _Refused(64)
            _value(call, wish, letter, letters or args.pop(0))
            return
        if (taken := harmless.short("tar", letter)) is not None:
            if taken == ":":
                letters = letters or (args.pop(0) if args else "")
                return
            continue
        if letter not in "xctrudvzjJapkmhOPWS":
            raise unknown(call, f"-{letter}", f"invalid option -- '{letter}'", 64)
        wish.flags += letter


def _value(call: Call, wish: Wish, key: str, value: str) -> None:
    if key == "f":
        wish.archive = value
    elif key == "C":
        wish.folder = posixpath.join(wish.folder, value)
    elif key == "exclude":
        wish.exclude.append(value)
    elif key in "TX" and len(key) == 1:
        try:
            stream = call.fds.get(fd) if (fd := device_fd(value)) is not None else None
            data = b"".join(iter(lambda: stream.take(65536), b"")) if stream is not None else call.read_file(value)
            names = data.decode("utf-8", "replace").splitlines()
        except OSError as failed:
            call.err(f"tar: {value}: Cannot open: {failed.strerror}\n{FATAL}")
            raise _Refused(2) from None
        if key == "T":
            wish.operands += [(name, wish.folder) for name in names if name]
        else:
            wish.exclude += [name for name in names if name]
    else:
        wish.values[key] = value


def tar(call: Call) -> Code:
    """`tar -c|-x|-t|-r|-u|-d [-vzjJaO] [-f archive] [-C dir] [--exclude pattern] [--strip-components n] [--transform s] [names]`."""
    try:
        wish = _wish(call)
    except _Refused as refused:
        return int(str(refused))
    modes = set(wish.flags) & set("cxtrud")
    if len(modes) != 1:
        what = "You may not specify more than one '-Acdtrux', '--delete' or  '--test-label' option" if modes else (
            "You must specify one of the '-Acdtrux', '--delete' or '--test-label' options")  # fmt: skip
        call.err(f"tar: {what}\n{HELP}")
        return 2
    for folder in {wish.folder, *(folder for _, folder in wish.operands)}:
        if not call.isdir(folder):
            call.err(f"tar: {folder.removeprefix('./')}: Cannot open: No such file or directory\n{FATAL}")
            return 2
    if "c" in modes:
        return _create(call, wish, [])
    data: bytes | None = b""
    if not ("r" in modes or "u" in modes) or call.exists(wish.archive):
        try:
            data = (yield from call.read()) if wish.archive in ("", "-") else call.read_file(wish.archive)
        except OSError as failed:
            call.err(f"tar: {wish.archive}: Cannot open: {failed.strerror}\n{FATAL}")
            return 2
        data = _plain(call, wish, data)
    if data is None:
        return 2
    try:
        with tarfile.open(fileobj=io.BytesIO(data or bytes(10240)), mode="r:") as opened:
            if "r" in modes or "u" in modes:
                return _create(call, wish, _held(opened))
            return _compare(call, wish, opened) if "d" in modes else _read(call, wish, opened)
    except (tarfile.TarError, ValueError, EOFError):
        call.err(f"tar: This does not look like a tar archive\n{FAILED}")
        return 2


def _plain(call: Call, wish: Wish, data: bytes) -> bytes | None:
    """The archive without its compression, told by its first bytes; None after a message when the letters ask for another."""
    try:
        if data[:2] == b"\x1f\x8b":
            return inflate(data)
        if data[:3] == b"BZh":
            return bz2.BZ2Decompressor().decompress(data, LIMIT)
        if data[:6] == b"\xfd7zXZ\0":
            return lzma.LZMADecompressor(memlimit=LIMIT * 2).decompress(data, LIMIT)
    except (ValueError, OSError, lzma.LZMAError, EOFError):
        call.err(f"tar: This does not look like a tar archive\n{FAILED}")
        return None
    for letter, text in (("z", "gzip: stdin: not in gzip format"), ("j", "bzip2: (stdin) is not a bzip2 file."), ("J", "xz: (stdin): File format not recognized")):  # fmt: skip
        if letter in wish.flags:
            status = 1 if letter != "j" else 2
            call.err(f"{chr(10) if letter == 'z' else ''}{text}\ntar: Child returned status {status}\n{FATAL}")
            return None
    return data


def _held(opened: tarfile.TarFile) -> list[tuple[str, Inode]]:
    """What an archive that grows holds already."""
    found: list[tuple[str, Inode]] = []
    for info in opened.getmembers()[:20_000]:
        content = opened.extractfile(info) if info.isfile() else None
        kind = "dir" if info.isdir() else "link" if info.issym() else "file"
        node = Inode(kind, info.mode, info.uid, info.gid, int(info.mtime) * SECOND, content.read() if content else b"", {} if kind == "dir" else None)  # fmt: skip
        node.target = info.linkname
        found.append((info.name, node))
    return found


def _excluded(wish: Wish, name: str) -> bool:
    """Whether `--exclude` leaves a name out: the pattern fits the whole of it, or from any `/` on."""
    parts = name.split("/")
    tails = ["/".join(parts[at:]) for at in range(len(parts))]
    heads = ["/".join(parts[start:end]) for start in range(len(parts)) for end in range(start + 1, len(parts) + 1)]
    return any(patterns.matches(one.rstrip("/"), tail) for one in wish.exclude for tail in (*tails, *heads))


def _transformed(wish: Wish, name: str) -> str:
    """A member's name after `--transform s/old/new/[g]`."""
    rule = wish.values.get("transform", "")
    match = re.fullmatch(r"s(.)(.*?)\1(.*?)\1([gi]*)(?:;.*)?", rule)
    if match is None:
        return name
    from . import regexes

    pattern = regexes.compile_posix(match.group(2), extended=False, ignore_case="i" in match.group(4))
    by = re.sub(r"\\(\d)", r"\\\1", match.group(3).replace("&", r"\g<0>"))
    return pattern.sub(by, name, count=0 if "g" in match.group(4) else 1)


def _wanted(wish: Wish, name: str) -> tuple[bool, str]:
    """Whether a member is asked for, and by which operand."""
    if _excluded(wish, name.rstrip("/")):
        return False, ""
    if not wish.operands:
        return True, ""
    for want, _ in wish.operands:
        plain = want.rstrip("/")
        if name == plain or name.startswith(plain + "/") or ("wildcards" in wish.words and patterns.matches(want, name)):
            return True, want
    return False, ""


def _read(call: Call, wish: Wish, opened: tarfile.TarFile) -> int:
    """List or extract."""
    flags = wish.flags
    strip = whole(call, wish.values.get("strip", "0"), "Invalid number of elements: {}", 64)
    base = call.path(wish.folder)
    seen: set[str] = set()
    code = 0
    for info in opened.getmembers()[:20_000]:
        take, by = _wanted(wish, info.name)
        if not take:
            continue
        seen.add(by)
        shown = info.name + ("/" if info.isdir() else "")
        if "t" in flags or "v" in flags:
            text = _line(info, shown) if flags.count("v") > ("t" not in flags) else shown + "\n"
            (call.err if "O" in flags else call.out)(text)
        if "t" in flags:
            continue
        content = opened.extractfile(info) if info.isfile() else None
        if "O" in flags:
            call.out(content.read() if content is not None else b"")
            continue
        name = _transformed(wish, info.name)
        parts = [part for part in name.split("/") if part not in ("", ".", "..")][strip:]
        if not parts:
            continue
        try:
            _extract(call, wish, info, posixpath.join(base, *parts), content.read() if content is not None else b"", base)
        except OSError as failed:
            call.err(f"tar: {name}: Cannot open: {failed.strerror}\n")
            code = 2
    for want in (want for want, _ in wish.operands if want not in seen):
        call.err(f"tar: {want}: Not found in archive\n")
        code = 2
    if code:
        call.err(FAILED)
    return code


def _extract(call: Call, wish: Wish, info: tarfile.TarInfo, path: str, content: bytes, base: str) -> None:
    """Put one member on the disk."""
    uid, gid = (info.uid, info.gid) if call.uid == 0 and "no-same-owner" not in wish.words else (call.uid, call.gid)
    mtime = call.world.wall if "m" in wish.flags else int(info.mtime) * SECOND
    if info.isdir():
        call.tree.mkdir(path, True, now=mtime)
        node = call.tree.edit(path)
        node.mode, node.mtime = info.mode, mtime
        return
    users.check(call.tree, path, call.proc.user, users.WRITE)
    if call.tree.exists(path):
        if "k" in wish.flags:
            raise error(17, path)
        if "skip-old-files" in wish.words:
            return
    call.tree.mkdir(posixpath.dirname(path), True, now=call.world.wall)
    if info.islnk():
        call.tree.link(posixpath.join(base, info.linkname), path, now=call.world.wall)
        return
    if info.issym():
        node = Inode("link", 0o777, uid, gid, mtime, target=info.linkname)
    else:
        node = unpack(content, info.mode if call.uid == 0 or "p" in wish.flags else info.mode & ~call.proc.umask, uid, gid, mtime)
    files.room(call.world, call.host, len(node.data), len(node.data))
    call.tree.put(path, node, call.world.wall)
    files.ring(call.world, call.host, call.proc.mnt, path)


def _compare(call: Call, wish: Wish, opened: tarfile.TarFile) -> int:
    """`tar -d`: what differs from the disk."""
    code = 0
    for info in opened.getmembers()[:20_000]:
        if not _wanted(wish, info.name)[0]:
            continue
        path = call.path(posixpath.join(wish.folder, info.name))
        if not call.tree.exists(path):
            call.err(f"tar: {info.name}: Warning: Cannot stat: No such file or directory\n")
            code = 1
            continue
        node = call.tree.lookup(path)
        if node.mode & 0o7777 != info.mode & 0o7777:
            call.out(f"{info.name}: Mode differs\n")
            code = 1
        if info.isfile():
            if node.mtime // SECOND != int(info.mtime):
                call.out(f"{info.name}: Mod time differs\n")
                code = 1
            if len(node.data) != info.size:
                call.out(f"{info.name}: Size differs\n")
                code = 1
            else:
                content = opened.extractfile(info)
                if content is not None and content.read() != node.data:
                    call.out(f"{info.name}: Contents differ\n")
                    code = 1
    return code


def _line(info: tarfile.TarInfo, shown: str) -> str:
    """A member as `tar tv` lists it."""
    kind = "dir" if info.isdir() else "link" if info.issym() else "file"
    owner = f"{info.uname or info.uid}/{info.gname or info.gid}"
    moment = to_datetime(int(info.mtime) * SECOND)
    where = f" -> {info.linkname}" if info.issym() else f" link to {info.linkname}" if info.islnk() else ""
    return f"{mode_text(Inode(kind, info.mode))} {owner} {info.size:>{max(18 - len(owner), 1)}} {moment:%Y-%m-%d %H:%M} {shown}{where}\n"


def _create(call: Call, wish: Wish, entries: list[tuple[str, Inode]]) -> int:
    """Write an archive of the operands, behind what it held already."""
    if not wish.operands:
        call.err(f"tar: Cowardly refusing to create an empty archive\n{HELP}")
        return 2
    to_stdout = wish.archive in ("", "-")
    code, told = 0, False
    for name, folder in wish.operands:
        root = posixpath.normpath(posixpath.join(call.path(folder), name))
        if name.startswith("/") and not told and "P" not in wish.flags:
            told = True
            call.err("tar: Removing leading `/' from member names\n")
        try:
            for path, node in call.tree.walk(root):
                inside = posixpath.normpath(posixpath.join(name, posixpath.relpath(path, root)))
                if name.startswith("./") or name == ".":
                    inside = "./" + inside if inside != "." else "."
                if _excluded(wish, inside) and inside != ".":
                    continue
                if path == call.path(wish.archive) and not to_stdout:
                    call.err(f"tar: {inside}: archive cannot contain itself; not dumped\n")
                    continue
                stored = _transformed(wish, inside if "P" in wish.flags else inside.lstrip("/"))
                if "u" in wish.flags and any(
                    have == stored and node.mtime // SECOND <= old.mtime // SECOND for have, old in entries
                ):
                    continue
                entries.append((stored, node))
                if "v" in wish.flags:
                    (call.err if to_stdout else call.out)(
                        inside + ("/" if node.kind == "dir" and inside[-1:] != "/" else "") + "\n"
                    )
                if "no-recursion" in wish.words:
                    break
        except OSError as failed:
            call.err(f"tar: {name}: Cannot stat: {failed.strerror}\n")
            code = 2
    data = _compressed(wish, build(entries, compress=False))
    if to_stdout:
        call.out(data)
    else:
        try:
            call.write_file(wish.archive, data)
        except OSError as failed:
            call.err(f"tar: {wish.archive}: Cannot open: {failed.strerror}\n{FATAL}")
            return 2
    if code:
        call.err(FAILED)
    if "remove-files" in wish.words:
        for name, folder in wish.operands:
            files.remove_file(call.world, call.host, posixpath.join(call.path(folder), name), mnt=call.proc.mnt)
    return code


def _compressed(wish: Wish, data: bytes) -> bytes:
    """The archive as its letters (or with `-a` its name's ending) ask."""
    letters = set(wish.flags) & set("zjJ")
    if "a" in wish.flags:
        letters |= {letter for suffix, letter in SUFFIXES.items() if wish.archive.endswith(suffix)}
    if "z" in letters:
        import gzip

        return gzip.compress(data, 6, mtime=0)
    return bz2.compress(data) if "j" in letters else lzma.compress(data, preset=1) if "J" in letters else data

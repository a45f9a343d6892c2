"""`zip` and `unzip` (Info-ZIP 3.0 and 6.0): archives of a machine's own files, an executable by its packed form (shell/coreutils/archive)."""

from __future__ import annotations

import fnmatch
import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator

from ..host.invocation import Call
from ..kernel import clock
from ..shell.coreutils.archive import LIMIT, pack, unpack
from ..shell.coreutils.common import Code

ABSENT = "not simulated in Slipway yet"

#: How unzip ends when a member could not be read.
DAMAGED = 2
#: What reading a member may raise.
DAMAGES = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, OverflowError)


def _letters(call: Call, known: str, taking: str = "") -> tuple[str, dict[str, str], list[str]] | None:
    """(letters, values of those that take one, operands); None after an error."""
    letters = ""
    values: dict[str, str] = {}
    words: list[str] = []
    args = list(call.argv[1:])
    while args:
        word = args.pop(0)
        if not word.startswith("-") or word == "-" or word.startswith("--"):
            words.append(word)
            continue
        rest = word[1:]
        while rest:
            letter, rest = rest[0], rest[1:]
            if letter in taking:
                values[letter] = rest or (args.pop(0) if args else "")
                if letter == "x":
                    while args and not args[0].startswith("-"):
                        values[letter] += "\n" + args.pop(0)
                rest = ""
            elif letter in known:
                letters += letter
            else:
                call.err(f"{posixpath.basename(call.argv[0])}: option '-{letter}': {ABSENT}\n")
                return None
    return letters, values, words


def _below(call: Call, path: str) -> Iterator[str]:
    """A path and, for a directory, everything below it."""
    yield path
    if call.isdir(path):
        for name in call.tree.listdir(call.path(path)):
            yield from _below(call, posixpath.join(path, name))


def zip_(call: Call) -> Code:
    """`zip [-rqjmu9…] [-x PATTERN…] ARCHIVE FILE…`."""
    found = _letters(call, "rqjmu0123456789fyXDo", "x")
    if found is None:
        return 16
    letters, values, words = found
    if len(words) < 2:
        call.err("\nzip error: Nothing to do! (" + (words[0] if words else "zip") + ")\n")
        return 12
    target = words[0] if "." in posixpath.basename(words[0]) else words[0] + ".zip"
    skip = values.get("x", "").split("\n") if "x" in values else []
    held: dict[str, tuple[zipfile.ZipInfo, bytes]] = {}
    if call.exists(target):
        old = _open(call, target)
        try:
            held = {info.filename: (info, old.read(info)) for info in old.infolist()} if old is not None else {}
        except DAMAGES:
            old = None
        if old is None:
            call.err(f"\nzip error: Zip file structure invalid ({target})\n")
            return 3
    missing, done = 0, 0
    for word in words[1:]:
        if not call.exists(word):
            call.err(f"\tzip warning: name not matched: {word}\n")
            missing += 1
            continue
        for path in _below(call, word) if "r" in letters else [word]:
            name = posixpath.basename(path) if "j" in letters else posixpath.normpath(path).lstrip("/")
            folder = call.isdir(path)
            if (
                name in (".", "")
                or any(fnmatch.fnmatchcase(name, one) for one in skip)
                or (folder and ("j" in letters or "D" in letters))
            ):
                continue
            node = call.lookup(path)
            data = b"" if folder else pack(node) if node.kind == "exec" else call.read_file(path)
            when = clock.to_datetime(max(node.mtime, call.world.epoch - 40 * 365 * clock.DAY))
            info = zipfile.ZipInfo(
                name + "/" * folder, (max(when.year, 1980), when.month, when.day, when.hour, when.minute, when.second)
            )
            info.external_attr = (node.mode | (0o40000 if folder else 0o100000)) << 16
            info.compress_type = zipfile.ZIP_STORED if folder or not data or "0" in letters else zipfile.ZIP_DEFLATED
            if "q" not in letters:
                small = _deflated(data)
                word_ = "updating" if info.filename in held else "adding"
                how = (
                    f"(deflated {100 - small * 100 // len(data)}%)"
                    if data and small < len(data) and info.compress_type
                    else "(stored 0%)"
                )
                call.out(f"  {word_}: {info.filename} {how}\n")
            held[info.filename] = (info, data)
            done += 1
    if not done:
        call.err(f"\nzip error: Nothing to do! ({target})\n")
        return 12
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for info, data in held.values():
            archive.writestr(info, data)
    call.write_file(target, raw.getvalue())
    if "m" in letters:
        for word in words[1:]:
            if call.exists(word):
                call.tree.remove(call.path(word), recursive=True)
    return 18 if missing else 0
    yield


def _deflated(data: bytes) -> int:
    return len(zlib.compress(data, 6)) - 6


def _open(call: Call, path: str) -> zipfile.ZipFile | None:
    try:
        archive = zipfile.ZipFile(io.BytesIO(call.read_file(path)))
    except (OSError, zipfile.BadZipFile, ValueError):
        return None
    return archive if sum(info.file_size for info in archive.infolist()) <= LIMIT else None


def unzip(call: Call) -> Code:
    """`unzip [-loqnpjtZ1] [-d DIRECTORY] ARCHIVE [FILE…]`."""
    found = _letters(call, "loqnptjuvaZ1", "dxP")
    if found is None:
        return 10
    letters, values, words = found
    if not words:
        call.out(
            "UnZip 6.00 of 20 April 2009, by Debian. Original by Info-ZIP.\n\nUsage: unzip [-Z] [-opts[modifiers]] file[.zip] [list] [-x xlist] [-d exdir]\n"
        )
        return 0 if len(call.argv) == 1 else 10
    name = words[0] if call.exists(words[0]) else words[0] + ".zip"
    if not call.exists(name):
        call.err(f"unzip:  cannot find or open {words[0]}, {words[0]}.zip or {words[0]}.ZIP.\n")
        return 9
    archive = _open(call, name)
    if archive is None:
        call.err(
            f"Archive:  {name}\n  End-of-central-directory signature not found.  Either this file is not\n  a zipfile, or it constitutes one disk of a multi-part archive.\n"
            f"unzip:  cannot find zipfile directory in one of {words[0]} or\n        {words[0]}.zip, and cannot find {words[0]}.ZIP, period.\n"
        )
        return 9
    skip = values.get("x", "").split("\n") if "x" in values else []
    chosen = [
        info
        for info in archive.infolist()
        if (not words[1:] or any(fnmatch.fnmatchcase(info.filename, one) for one in words[1:]))
        and not any(fnmatch.fnmatchcase(info.filename, one) for one in skip)
    ]
    if words[1:] and not chosen:
        call.err(f"caution: filename not matched:  {words[1]}\n")
        return 11
    if "1" in letters:
        call.out("".join(info.filename + "\n" for info in chosen))
        return 0
    if "l" in letters or "v" in letters or "Z" in letters:
        call.out(_table(name, chosen))
        return 0
    code = 0
    if "p" in letters:
        for info in chosen:
            data = _content(call, archive, info)
            call.out(data or b"")
            code = code if data is not None else DAMAGED
        return code
    quiet = "q" in letters
    if not quiet:
        call.out(f"Archive:  {name}\n")
    if "t" in letters:
        for info in chosen:
            if _content(call, archive, info) is None:
                code = DAMAGED
            else:
                call.out(f"    testing: {info.filename:22}   OK\n")
        call.out(
            f"No errors detected in compressed data of {name}.\n" if not code else f"At least one error was detected in {name}.\n"
        )
        return code
    root = values.get("d", ".")
    for info in chosen:
        parts = [part for part in info.filename.split("/") if part not in ("", ".", "..")]
        inner = parts[-1:] if "j" in letters else parts
        path = call.path(posixpath.join(root, *inner))
        shown = posixpath.join(root, *inner) if root != "." else "/".join(inner)
        if info.is_dir():
            if "j" not in letters and not call.isdir(path):
                call.tree.mkdir(path, parents=True, uid=call.uid, gid=call.gid, now=call.world.wall)
                if not quiet:
                    call.out(f"   creating: {shown}/\n")
            continue
        if call.exists(path):
            if "n" in letters:
                continue
            if "o" not in letters:
                call.out(f"replace {shown}? [y]es, [n]o, [A]ll, [N]one, [r]ename: ")
                answer = (yield from call.read_line()).decode("utf-8", "replace").strip()
                if answer in ("N", ""):
                    call.out(' NULL\n(EOF or read error, treating as "[N]one" ...)\n' if not answer else "")
                    letters += "n"
                    continue
                if answer == "n":
                    continue
                letters += "o" if answer == "A" else ""
        data = _content(call, archive, info)
        if data is None:
            code = DAMAGED
            continue
        node = unpack(data, (info.external_attr >> 16) & 0o777 or 0o644, call.uid, call.gid, call.world.wall)
        call.tree.mkdir(posixpath.dirname(path), True, uid=call.uid, gid=call.gid, now=call.world.wall)
        if node.kind == "exec":
            call.tree.put(path, node, call.world.wall)
        else:
            call.write_file(path, data, mode=node.mode)
        if not quiet:
            call.out(f"  {'inflating' if info.compress_type else ' extracting'}: {shown:22}  \n")
    return code


def _content(call: Call, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | None:
    """What a member holds; None, with a word about it, when it cannot be had."""
    name = info.filename
    if info.flag_bits & 1:
        call.err(f"   skipping: {name:22}  unable to get password\n")
        return None
    try:
        return archive.read(info)
    except NotImplementedError:
        call.err(f"   skipping: {name:22}  unsupported compression method {info.compress_type}\n")
    except DAMAGES as failed:
        what = "bad CRC" if "CRC" in str(failed) else "invalid compressed data to inflate"
        call.err(f"  error:  {what} {name}\n")
    return None


def _table(name: str, chosen: list[zipfile.ZipInfo]) -> str:
    rows = "".join(
        f"{info.file_size:9}  {info.date_time[0]:04}-{info.date_time[1]:02}-{info.date_time[2]:02} {info.date_time[3]:02}:{info.date_time[4]:02}   {info.filename}\n"
        for info in chosen
    )
    total, count = sum(info.file_size for info in chosen), len(chosen)
    head = f"Archive:  {name}\n  Length      Date    Time    Name\n---------  ---------- -----   ----\n"
    return (
        head
        + rows
        + f"---------                     -------\n{total:9}                     {count} file{'s' if count != 1 else ''}\n"
    )

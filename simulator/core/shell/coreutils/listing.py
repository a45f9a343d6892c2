"""`ls` and `stat`: GNU's columns, long format, sizes and colours."""

from __future__ import annotations

import contextlib
import fnmatch
import posixpath
import re
import unicodedata
import zlib
from collections.abc import Callable

from ...host import users
from ...host.filesystem import Inode
from ...host.inodes import letter
from ...host.invocation import Call
from ...host.virtual import used_disk
from ...kernel.clock import DAY, SECOND, to_datetime
from .common import human, name_of, parse, usage

#: Sizes of real binaries, where a learner may look.
BINARY_SIZES = {
    "kubectl": 58_597_560, "kubeadm": 72_360_120, "kubelet": 58_110_244, "etcd": 25_731_224, "etcdctl": 16_982_168, "etcdutl": 15_872_152,
    "crictl": 39_857_440, "containerd": 44_219_440, "ctr": 23_416_120, "nerdctl": 26_583_224, "bash": 1_446_024, "sh": 129_784,
}  # fmt: skip
COLOURS = {"dir": "\x1b[01;34m", "link": "\x1b[01;36m", "exec": "\x1b[01;32m"}


def size_of(node: Inode) -> int:
    """The size that `ls -l` shows."""
    if node.kind == "dir":
        return 4096
    if node.kind == "link":
        return len(node.target.encode())
    if node.kind == "exec":
        name = node.target.partition(":")[0]
        return BINARY_SIZES.get(name) or 14_000 + zlib.crc32(name.encode()) % 160_000 // 8 * 8
    # a file that fallocate made has a size and nothing in it
    return int(node.target[5:]) if node.target.startswith("hole:") else len(node.data)


def mode_text(node: Inode) -> str:
    """`drwxr-xr-x`."""
    return letter(node) + permissions(node.mode)


def permissions(mode: int) -> str:
    """`rwxr-xr-x`, with the letters of set-id bits and of the sticky bit."""
    out = ""
    for shift, special, sign in ((6, 0o4000, "s"), (3, 0o2000, "s"), (0, 0o1000, "t")):
        bits = mode >> shift & 7
        x = "x" if bits & 1 else "-"
        if mode & special:
            x = sign if bits & 1 else sign.upper()
        out += ("r" if bits & 4 else "-") + ("w" if bits & 2 else "-") + x
    return out


def links(call: Call, node: Inode) -> int:
    """The link count: a directory has one for each subdirectory, a file one for each name."""
    if node.kind == "dir" and node.children is not None:
        return 2 + sum(1 for child in node.children.values() if child.kind in ("dir", "frozen"))
    for fs in call.tree.filesystems.values():
        for ident, shared in fs.shared.items():
            if shared is node:
                return _names(fs.root, ident)
    return 1


def _names(node: Inode, ident: str) -> int:
    """How many names below a directory lead to a shared inode (bases have none)."""
    if node.kind == "hard":
        return int(node.target == ident)
    return sum(_names(child, ident) for child in (node.children or {}).values())


def when(call: Call, mtime: int) -> str:
    """The time as `ls -l` prints it: the year when older than six months."""
    moment = to_datetime(mtime)
    recent = call.world.wall - 183 * DAY < mtime <= call.world.wall + 3600 * SECOND
    return f"{moment:%b} {moment.day:2d} " + (f"{moment:%H:%M}" if recent else f" {moment.year}")


def width(text: str) -> int:
    """Columns of a text on a terminal."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class _Lister:
    def __init__(self, call: Call, options: dict[str, str]) -> None:
        self.call, self.o = call, options
        self.colour = (options.get("color") in ("always", "") and "color" in options) or (
            options.get("color") == "auto" and call.stdout_tty
        )

    def shown(self, name: str, node: Inode, path: str) -> str:
        text = name
        if "Q" in self.o:
            text = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        elif "b" in self.o:
            text = name.replace("\\", "\\\\").replace(" ", "\\ ")
        elif self.call.stdout_tty and "N" not in self.o and any(c in " '\"$&|;<>*?()#~`\\\t\n" for c in name):
            text = "'" + name.replace("'", "'\\''") + "'" if "'" not in name else '"' + name + '"'
        executable = node.kind == "exec" or (node.kind == "file" and node.mode & 0o111)
        if self.colour:
            code = COLOURS.get("exec" if executable else node.kind)
            text = f"{code}{text}\x1b[0m" if code else text
        if "F" in self.o or "p" in self.o:
            if node.kind == "dir":
                text += "/"
            elif "F" in self.o:
                text += (
                    "="
                    if letter(node) == "s"
                    else "@"
                    if node.kind == "link" and "l" not in self.o
                    else "*"
                    if executable
                    else ""
                )
        return text

    def key(self) -> Callable[[tuple[str, Inode]], object]:
        if "t" in self.o:
            return lambda item: (-item[1].mtime, item[0])
        if "S" in self.o:
            return lambda item: (-size_of(item[1]), item[0])
        if "X" in self.o:
            return lambda item: (posixpath.splitext(item[0])[1], item[0])
        if "v" in self.o or self.o.get("sort") == "version":
            return lambda item: [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", item[0])]
        return lambda item: item[0]

    def entries(self, items: list[tuple[str, Inode]], folder: str) -> None:
        if "U" not in self.o:
            items.sort(key=self.key())  # type: ignore[arg-type]
        if "r" in self.o:
            items.reverse()
        if "l" in self.o or "n" in self.o or "g" in self.o or "o" in self.o:
            self.long(items, folder)
            return
        names = [
            (f"{inode(self.call, path_of(folder, n), node)} " if "i" in self.o else "") + self.shown(n, node, folder)
            for n, node in items
        ]
        plain = [(f"{inode(self.call, path_of(folder, n), node)} " if "i" in self.o else "") + n for n, node in items]
        if "s" in self.o:
            names = [
                f"{-(-size_of(node) // 4096) * 4 if node.kind != 'link' else 0} {one}"
                for one, (_, node) in zip(names, items, strict=True)
            ]
        if "m" in self.o and names:
            self.commas(names)
        elif "1" in self.o or not (self.call.stdout_tty or "C" in self.o or "x" in self.o):
            self.call.out("".join(name + "\n" for name in names))
        elif names:
            self.columns(
                names,
                [
                    width(p) + width(_bare(s)) - width(_bare(s)) + (len(_bare(s)) - len(p) if len(_bare(s)) > len(p) else 0)
                    for p, s in zip(plain, names, strict=True)
                ],
            )

    def columns(self, names: list[str], widths: list[int]) -> None:
        total = self.call.columns
        count = len(names)
        if "x" in self.o:
            self.across(names, widths)
            return
        for rows in range(1, count + 1):
            cols = -(-count // rows)
            spans = [max(widths[c * rows : (c + 1) * rows]) for c in range(cols) if widths[c * rows : (c + 1) * rows]]
            if sum(spans) + 2 * (len(spans) - 1) <= total or rows == count:
                break
        for row in range(rows):
            line = ""
            cells = list(range(row, count, rows))
            for col, at in enumerate(cells):
                line += names[at]
                if at != cells[-1]:
                    line += " " * (spans[col] + 2 - widths[at])
            self.call.out(line + "\n")

    def across(self, names: list[str], widths: list[int]) -> None:
        """`-x`: rows first."""
        count = len(names)
        for cols in range(count, 0, -1):
            spans = [max(widths[col::cols]) for col in range(cols)]
            if sum(spans) + 2 * (cols - 1) < self.call.columns or cols == 1:
                break
        for start in range(0, count, cols):
            row = range(start, min(start + cols, count))
            self.call.out(
                "".join(names[at] + (" " * (spans[at - start] + 2 - widths[at]) if at != row[-1] else "\n") for at in row)
            )

    def styled(self, mtime: int) -> str:
        """The time in the style that was asked for; empty for the ordinary one."""
        from .dates import render

        style = "full-iso" if "full-time" in self.o else self.o.get("time-style", "").removeprefix("posix-")
        if style.startswith("+"):
            older, _, recent = style[1:].partition("\n")
            young = self.call.world.wall - 183 * DAY < mtime <= self.call.world.wall
            return render(mtime, recent if recent and young else older)
        forms = {"long-iso": "%Y-%m-%d %H:%M", "full-iso": "%Y-%m-%d %H:%M:%S.%N %z"}
        if style == "iso":
            forms["iso"] = "%m-%d %H:%M" if self.call.world.wall - 183 * DAY < mtime else "%Y-%m-%d "
        return render(mtime, forms[style]) if style in forms else ""

    def commas(self, names: list[str]) -> None:
        """`-m`: names after one another, a comma between them."""
        line = ""
        for number, name in enumerate(names):
            text = name + ("," if number < len(names) - 1 else "")
            if line and width(_bare(line)) + 1 + width(_bare(text)) >= self.call.columns:
                self.call.out(line + "\n")
                line = ""
            line += (" " if line else "") + text
        self.call.out(line + "\n")

    def long(self, items: list[tuple[str, Inode]], folder: str) -> None:
        tree = self.call.tree
        numeric = "n" in self.o
        rows = []
        for name, node in items:
            size = size_of(node)
            text = human(size, si="si" in self.o) if "h" in self.o else str(size)
            if node.kind == "virtual" and node.target.startswith("dev:"):
                text = "1, 3"
            owner = str(node.uid) if numeric else users.user_name(tree, node.uid)
            group = str(node.gid) if numeric else users.group_name(tree, node.gid)
            shown = self.shown(name, node, folder)
            if node.kind == "link":
                shown += f" -> {node.target}"
            stamp = when(self.call, node.mtime)
            stamp = self.styled(node.mtime) or stamp
            number = [str(inode(self.call, path_of(folder, name), node))] if "i" in self.o else []
            if "s" in self.o:
                number.append(str(-(-size // 4096) * 4 if node.kind != "link" else 0))
            owners = ([owner] if "g" not in self.o else []) + ([group] if "o" not in self.o and "G" not in self.o else [])
            if "author" in self.o:
                owners.append(owner)
            rows.append((number, mode_text(node), str(links(self.call, node)), owners, text, stamp, shown))
        if not rows:
            return
        wide = [max(len(row[2]) for row in rows), max(len(row[4]) for row in rows)]
        owner_widths = [max(len(row[3][n]) for row in rows) for n in range(len(rows[0][3]))]
        for number, mode, count, owners, text, stamp, shown in rows:
            cells = [
                *number,
                mode,
                count.rjust(wide[0]),
                *(o.ljust(owner_widths[n]) for n, o in enumerate(owners)),
                text.rjust(wide[1]),
                stamp,
                shown,
            ]
            self.call.out(" ".join(cells) + "\n")


def _bare(text: str) -> str:

    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def path_of(folder: str, name: str) -> str:
    """A name in a folder, or an operand as it is."""
    return posixpath.join(folder, name) if folder else name


def inode(call: Call, name: str, node: Inode) -> int:
    """The number of an inode: all names of a file that is linked hard share one."""
    for key, fs in call.tree.filesystems.items():
        for ident, shared in fs.shared.items():
            if shared is node:
                return 260_000 + zlib.crc32(f"{key} {ident}".encode()) % 500_000
    path = call.path(name)
    with contextlib.suppress(OSError):
        path = call.tree.locate(path, follow=False).seen
    return 260_000 + zlib.crc32(path.encode()) % 500_000


def ls(call: Call) -> int:
    """`ls [options] [files]`."""
    options, names = parse(
        call,
        "alhtrRSd1FCiAnpGgoXUsI:cufmLqQvw:xbBN",
        "literal:N all:a almost-all:A human-readable:h recursive:R reverse:r directory:d color?color classify:F inode:i time-style=time-style group-directories-first full-time no-group:G numeric-uid-gid:n sort=sort ignore=I author:author size:s dereference:L quote-name:Q hide=hide file-type:p ignore-backups:B escape:b hide-control-chars:q si:si zero:zero indicator-style=indicator format=format time=time width=w",
        code=2,
    )
    style = options.get("format", "")
    options |= {
        key: "1"
        for key, words in (
            ("l", ("long", "verbose")),
            ("1", ("single-column",)),
            ("m", ("commas",)),
            ("x", ("across", "horizontal")),
            ("C", ("vertical",)),
        )
        if style in words
    }
    options |= {"si": {"h": "1"}, "f": {"a": "1", "U": "1"}, "zero": {"1": "1"}}.get(
        next((k for k in ("si", "f", "zero") if k in options), ""), {}
    )
    options |= {"slash": {"p": "1"}, "classify": {"F": "1"}, "file-type": {"p": "1"}}.get(options.get("indicator", ""), {})
    if ("c" in options or "u" in options) and "l" not in options:
        options["t"] = "1"
    if "color" in options and options["color"] == "":
        options["color"] = "always"
    if "full-time" in options:
        options["l"] = "1"
    lister = _Lister(call, options)
    code = 0
    plain: list[tuple[str, Inode]] = []
    folders: list[str] = []
    for name in sorted(names) or ["."]:
        try:
            node = call.lookup(name, follow="L" in options or ("l" not in options and "d" not in options))
            if node.kind == "link" and name.endswith("/"):
                node = call.lookup(name)
        except OSError as failed:
            try:
                node = call.lookup(name, follow=False)
            except OSError:
                call.err(f"{name_of(call)}: cannot access '{name}': {failed.strerror}\n")
                code = 2
                continue
        if node.kind == "dir" and "d" not in options:
            folders.append(name)
        else:
            plain.append((name, node))
    lister.entries(plain, "")
    title = len(names) > 1 or "R" in options
    first = not plain
    queue = list(folders)
    while queue:
        name = queue.pop(0)
        try:
            node = call.lookup(name)
            users.check(call.tree, call.path(name), call.proc.user, users.READ)
        except OSError as failed:
            call.err(f"{name_of(call)}: cannot open directory '{name}': {failed.strerror}\n")
            code = 2
            continue
        items = []
        for child in call.tree.listdir(call.path(name)):
            if child.startswith(".") and not ("a" in options or "A" in options):
                continue
            if ("B" in options and child.endswith("~")) or (
                "a" not in options and any(fnmatch.fnmatchcase(child, options[k]) for k in ("I", "hide") if k in options)
            ):
                continue
            items.append((child, call.lookup(posixpath.join(name, child), follow="L" in options)))
        if title:
            call.out(("" if first else "\n") + f"{name}:\n")
        first = False
        subfolders = [child for child, found in items if found.kind == "dir"] if "R" in options else []
        if "a" in options:
            items += [(".", node), ("..", call.lookup(posixpath.join(name, "..")))]
        if "l" in options or "n" in options or "s" in options:
            blocks = sum(
                4 if found.kind == "dir" else -(-size_of(found) // 4096) * 4 if found.kind != "link" and size_of(found) else 0
                for _, found in items
            )
            call.out(f"total {human(blocks * 1024) if 'h' in options else blocks}\n")
        lister.entries(items, name)
        queue = [posixpath.join(name, child) for child in sorted(subfolders)] + queue
    return code


def stat(call: Call) -> int:
    """`stat [-c format] files`."""
    options, names = parse(call, "c:Lft", "format=c printf=printf dereference:L file-system:f terse:t")
    if not names:
        raise usage(call, "missing operand")
    code = 0
    for name in names:
        try:
            node = call.lookup(name, follow="L" in options)
        except OSError as failed:
            call.err(f"stat: cannot statx '{name}': {failed.strerror}\n")
            code = 1
            continue
        if "f" in options:
            _file_system(call, name, options.get("c"))
            continue
        if "c" in options or "printf" in options:
            text = _format(call, options["c"] if "c" in options else options["printf"], name, node)
            if "c" in options:
                text += "\n"
            else:
                from .echo import expand

                text = expand(text)[0]
            call.out(text)
            continue
        size = size_of(node)
        kind = _kind(node)
        if "t" in options:
            call.out(_format(call, "%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %W %o\n", name, node))
            continue
        stamp = f"{to_datetime(node.mtime):%Y-%m-%d %H:%M:%S}.{node.mtime % SECOND:09d} +0000"
        arrow = f" -> {node.target}" if node.kind == "link" else ""
        owner = f"Uid: ({node.uid:5d}/{users.user_name(call.tree, node.uid):>8})   Gid: ({node.gid:5d}/{users.group_name(call.tree, node.gid):>8})"
        call.out(
            f"  File: {name}{arrow}\n  Size: {size:<10}\tBlocks: {-(-size // 4096) * 8:<10} IO Block: 4096   {kind}\n"
            f"Device: 253,1\tInode: {inode(call, name, node):<11} Links: {links(call, node)}\n"
            f"Access: ({node.mode:04o}/{mode_text(node)})  {owner}\nAccess: {stamp}\nModify: {stamp}\nChange: {stamp}\n Birth: {stamp}\n"
        )
    return code


def _file_system(call: Call, name: str, form: str | None) -> None:
    """`stat -f`: the file system that holds a path."""
    path = call.tree.realpath(call.path(name))
    kinds = (("/sys/fs/cgroup", "cgroup2fs"), ("/sys", "sysfs"), ("/proc", "proc"), ("/run", "tmpfs"), ("/dev/shm", "tmpfs"))
    kind = next((kind for root, kind in kinds if (path + "/").startswith(root + "/")), "")
    kind = kind or ("ext2/ext3" if call.proc.mnt == "host" else "overlayfs")
    total, used = (call.host.disk_kib // 4, used_disk(call.host) // 4) if kind in ("ext2/ext3", "overlayfs") else (0, 0)
    free = max(total - used, 0)
    if form is not None:
        table = {"T": kind, "n": name, "b": str(total), "f": str(free), "a": str(free), "s": "4096", "S": "4096", "l": "255", "c": str(total // 2), "d": str(free // 2)}  # fmt: skip
        call.out(re.sub(r"%(.)", lambda match: table.get(match.group(1), "?"), form) + "\n")
        return
    call.out(
        f'  File: "{name}"\n    ID: {zlib.crc32(kind.encode()):x} Namelen: 255     Type: {kind}\nBlock size: 4096       Fundamental block size: 4096\n'
        f"Blocks: Total: {total:<10} Free: {free:<10} Available: {free}\nInodes: Total: {total // 2:<10} Free: {free // 2}\n"
    )


def _kind(node: Inode) -> str:
    if node.kind == "dir":
        return "directory"
    if node.kind == "link":
        return "symbolic link"
    if node.kind == "virtual" and node.target.startswith("dev:"):
        return "character special file"
    if letter(node) == "s":
        return "socket"
    return "regular file" if size_of(node) else "regular empty file"


def _format(call: Call, form: str, name: str, node: Inode) -> str:
    table = {
        "n": name, "N": f"'{name}'" + (f" -> '{node.target}'" if node.kind == "link" else ""), "s": str(size_of(node)), "a": f"{node.mode:o}",
        "A": mode_text(node), "u": str(node.uid), "g": str(node.gid), "U": users.user_name(call.tree, node.uid),
        "G": users.group_name(call.tree, node.gid), "F": _kind(node), "Y": str(node.mtime // SECOND), "X": str(node.mtime // SECOND),
        "Z": str(node.mtime // SECOND), "h": str(links(call, node)), "i": str(inode(call, name, node)), "%": "%",
        "y": f"{to_datetime(node.mtime):%Y-%m-%d %H:%M:%S}.{node.mtime % SECOND:09d} +0000", "b": str(-(-size_of(node) // 4096) * 8), "B": "512",
    }  # fmt: skip
    kind = {"d": 0o40000, "l": 0o120000, "c": 0o20000, "s": 0o140000}.get(letter(node), 0o100000)
    table |= {"f": f"{kind | node.mode:x}", "t": "0", "T": "0", "d": "64769", "D": "fd01", "o": "4096", "w": table["y"], "W": table["Y"],
              "x": table["y"], "z": table["y"], "m": "/", "C": "?"}  # fmt: skip

    def one(match: re.Match[str]) -> str:
        flags, width, precision, letter = match.groups()
        text = table.get(letter, "?")
        if precision is not None and letter in "nNAFUGm":
            text = text[: int(precision or 0)]
        size = min(int(width or 0), 4096)
        if "-" in flags:
            return text.ljust(size)
        return text.rjust(size, "0" if "0" in flags and letter in "afugshibBXYZ" else " ")

    return re.sub(r"%([-0#+ ']*)(\d*)(?:\.(\d*))?(.)", one, form)

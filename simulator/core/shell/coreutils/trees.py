"""`tree` (2.1.1): directories as they hang, with sizes, owners, patterns and orders."""

from __future__ import annotations

import fnmatch
import posixpath

from ...host import users
from ...host.filesystem import Inode
from ...host.invocation import Call
from .common import human, parse, whole
from .listing import mode_text, size_of, when

_LONG = (
    "dirsfirst filesfirst noreport du:du si prune inodes:inodes sort?sort filelimit=filelimit matchdirs ignore-case gitignore metafirst "
    "fromfile timefmt=timefmt"
)


def tree(call: Call) -> int:
    """`tree [-adfilpsughDFrtUqNQCn] [-L LEVEL] [-P|-I PATTERN] [DIRECTORY…]`."""
    options, names = parse(call, "L:adfipshugDFrtcvUqNQCnxlP:I:o:JX", _LONG)
    for word in ("J", "X", "gitignore", "fromfile", "timefmt"):
        if word in options:
            from ...kernel.errors import NotSimulated

            raise NotSimulated(f"option '{'-' * (1 + (len(word) > 1))}{word}'")
    depth = whole(call, options["L"], "Invalid level, must be greater than 0.") if "L" in options else 1 << 20
    if depth < 1:
        call.err("tree: Invalid level, must be greater than 0.\n")
        return 1
    view = _View(call, options)
    for name in names or ["."]:
        if not call.isdir(name):
            view.say(f"{name}  [error opening dir]\n")
            continue
        view.say(view.head(name, call.lookup(name)) + name + "\n")
        view.branch(call.path(name), name.rstrip("/") or "/", "", depth)
    if "noreport" not in options:
        folders, files = view.counts
        view.say(
            f"\n{folders} director{'y' if folders == 1 else 'ies'}"
            + ("" if "d" in options else f", {files} file{'' if files == 1 else 's'}")
            + "\n"
        )
    if "o" in options:
        call.write_file(options["o"], "".join(view.out).encode("utf-8", "surrogateescape"))
    else:
        call.out("".join(view.out).encode("utf-8", "surrogateescape"))
    return 0


class _View:
    def __init__(self, call: Call, options: dict[str, str]) -> None:
        self.call, self.o = call, options
        self.counts = [0, 0]
        self.out: list[str] = []
        self.colour = "C" in options and "n" not in options

    def say(self, text: str) -> None:
        """Keep text for the end."""
        self.out.append(text)

    def head(self, path: str, node: Inode) -> str:
        """What stands in brackets before a name."""
        cells: list[str] = []
        tree = self.call.tree
        if "p" in self.o:
            cells.append(mode_text(node))
        if "u" in self.o:
            cells.append(f"{users.user_name(tree, node.uid):8}")
        if "g" in self.o:
            cells.append(f"{users.group_name(tree, node.gid):8}")
        if "s" in self.o or "h" in self.o or "du" in self.o or "si" in self.o:
            size = self.total(self.call.path(path), node) if "du" in self.o else size_of(node)
            cells.append(f"{human(size, si='si' in self.o):>4}" if "h" in self.o or "si" in self.o else f"{size:11}")
        if "D" in self.o:
            cells.append(when(self.call, node.mtime))
        return f"[{' '.join(cells)}]  " if cells else ""

    def total(self, path: str, node: Inode) -> int:
        """The size of a directory with what it holds."""
        return sum(size_of(one) for _, one in self.call.tree.walk(path)) if node.kind == "dir" else size_of(node)

    def _fits(self, name: str, patterns: str) -> bool:
        fold = "ignore-case" in self.o
        return any(
            fnmatch.fnmatchcase(name.lower() if fold else name, (one.lower() if fold else one).rstrip("/"))
            for one in patterns.split("|")
        )

    def rows(self, path: str) -> list[tuple[str, Inode]]:
        """The entries that are shown, in their order."""
        found: list[tuple[str, Inode]] = []
        for name in self.call.tree.listdir(path):
            node = self.call.tree.lookup(posixpath.join(path, name), follow=False)
            folder = node.kind == "dir"
            if (name.startswith(".") and "a" not in self.o) or ("d" in self.o and not folder):
                continue
            if "I" in self.o and self._fits(name, self.o["I"]):
                continue
            if "P" in self.o and not self._fits(name, self.o["P"]) and not folder:
                continue
            found.append((name, node))
        if "prune" in self.o:
            found = [(name, node) for name, node in found if node.kind != "dir" or self.rows(posixpath.join(path, name))]
        if "t" in self.o or "c" in self.o or self.o.get("sort") in ("mtime", "ctime"):
            found.sort(key=lambda row: (row[1].mtime, row[0]))
        elif self.o.get("sort") == "size":
            found.sort(key=lambda row: (-size_of(row[1]), row[0]))
        if "r" in self.o:
            found.reverse()
        if "dirsfirst" in self.o or "filesfirst" in self.o:
            found.sort(key=lambda row: (row[1].kind == "dir") != ("dirsfirst" in self.o))
        return found

    def branch(self, path: str, shown: str, indent: str, depth: int) -> None:
        """What hangs below a directory."""
        if depth == 0:
            return
        rows = self.rows(path)
        limit = self.o.get("filelimit", "")
        if limit.isdigit() and len(rows) > int(limit):
            self.out[-1] = self.out[-1].rstrip("\n") + f"  [{len(rows)} entries exceeds filelimit, not opening dir]\n"
            return
        for number, (name, node) in enumerate(rows):
            last = number == len(rows) - 1
            full = posixpath.join(shown, name)
            text = full if "f" in self.o else name
            text = f'"{text}"' if "Q" in self.o else text
            if self.colour and node.kind in ("dir", "link", "exec"):
                text = f"\x1b[{ {'dir': '01;34', 'link': '01;36', 'exec': '01;32'}[node.kind] }m{text}\x1b[0m"
            if "F" in self.o:
                text += (
                    "/"
                    if node.kind == "dir"
                    else "*"
                    if node.kind == "exec" or (node.kind == "file" and node.mode & 0o111)
                    else ""
                )
            link = f" -> {node.target}" if node.kind == "link" else ""
            self.say(
                ("" if "i" in self.o else indent + ("└── " if last else "├── "))
                + self.head(posixpath.join(path, name), node)
                + text
                + link
                + "\n"
            )
            self.counts[0 if node.kind == "dir" else 1] += 1
            if node.kind == "dir":
                self.branch(posixpath.join(path, name), full, indent + ("    " if last else "│   "), depth - 1)

"""`find`, `tree`, `diff`, `cmp`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Generator
from typing import Any

from ...host import files, users
from ...host.filesystem import Inode
from ...host.inodes import letter
from ...host.invocation import Call
from ...host.program import Wait
from ...kernel.clock import DAY, MINUTE, to_datetime
from .. import patterns
from . import modes, regexes
from .common import Code
from .dateparse import parse_date
from .dates import render
from .listing import links, mode_text, size_of

Test = Callable[[str, Inode], Generator[Wait, Any, bool]]
VALUED = {"-name", "-iname", "-path", "-wholename", "-ipath", "-type", "-xtype", "-size", "-mtime", "-mmin", "-newer", "-perm", "-user", "-group", "-maxdepth", "-mindepth", "-printf", "-regex", "-iregex", "-links", "-newermt", "-anewer", "-cnewer", "-cmin", "-amin", "-ctime", "-atime", "-samefile", "-inum", "-fprintf"}  # fmt: skip


class _Find:
    def __init__(self, call: Call, words: list[str]) -> None:
        self.call, self.words, self.at = call, words, 0
        self.maxdepth, self.mindepth = 1 << 20, 0
        self.acts = self.pruned = self.stop = False

    def peek(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def either(self) -> Test:
        left = self.both()
        while self.peek() in ("-o", "-or"):
            self.at += 1
            left = self._or(left, self.both())
        return left

    def _or(self, a: Test, b: Test) -> Test:
        def test(path: str, node: Inode) -> Generator[Wait, Any, bool]:
            return (yield from a(path, node)) or (yield from b(path, node))

        return test

    def both(self) -> Test:
        tests = [self.one()]
        while self.peek() and self.peek() not in (")", "-o", "-or"):
            if self.peek() in ("-a", "-and"):
                self.at += 1
            tests.append(self.one())

        def test(path: str, node: Inode) -> Generator[Wait, Any, bool]:
            for part in tests:
                if not (yield from part(path, node)):
                    return False
            return True

        return test

    def one(self) -> Test:
        word = self.peek()
        self.at += 1
        if word in ("!", "-not"):
            inner = self.one()

            def negated(path: str, node: Inode) -> Generator[Wait, Any, bool]:
                return not (yield from inner(path, node))

            return negated
        if word == "(":
            inner = self.either()
            self.at += 1
            return inner
        if word in ("-exec", "-execdir", "-ok", "-okdir"):
            return self.exec_(word)
        value = ""
        if word in VALUED:
            if self.at >= len(self.words):
                raise ValueError(f"missing argument to `{word}'")
            value = self.peek()
            self.at += 1
        simple = self.simple(word, value)

        def test(path: str, node: Inode) -> Generator[Wait, Any, bool]:
            return simple(path, node)
            yield

        return test

    def simple(self, word: str, value: str) -> Callable[[str, Inode], bool]:
        call = self.call
        if word in ("-name", "-iname"):
            return lambda path, node: patterns.matches(
                value, posixpath.basename(path.rstrip("/")) or path, nocase=word == "-iname"
            )
        if word in ("-path", "-wholename", "-ipath"):
            return lambda path, node: patterns.matches(value, path, nocase=word == "-ipath")
        if word in ("-regex", "-iregex"):
            pattern = regexes.compile_posix(value, extended=False, ignore_case=word == "-iregex")
            return lambda path, node: pattern.fullmatch(path) is not None
        if word == "-type":
            for one in value.split(","):
                if one not in ("b", "c", "d", "p", "f", "l", "s", "D"):
                    raise ValueError(f"Unknown argument to -type: {one[:1]}")
            wanted = value.replace("f", "-").split(",")
            return lambda path, node: letter(node) in wanted
        if word == "-xtype":
            inner = self.simple("-type", value)

            def target(path: str, node: Inode) -> bool:
                try:
                    return inner(path, call.lookup(path))
                except OSError:
                    return "l" in value.split(",")

            return target
        if word == "-empty":
            return lambda path, node: (node.kind == "dir" and not node.children) or (node.kind == "file" and not node.data)
        if word == "-size":
            return self._number(
                value, lambda node: size_of(node), {"c": 1, "k": 1024, "M": 1024**2, "G": 1024**3, "b": 512, "": 512}
            )
        if word in ("-mtime", "-ctime", "-atime", "-mmin", "-cmin", "-amin"):
            unit = DAY if word.endswith("time") else MINUTE
            return self._number(value, lambda node: (call.world.wall - node.mtime) // unit, {"": 1})
        if word in ("-newer", "-anewer", "-cnewer"):
            reference = call.lookup(value).mtime
            return lambda path, node: node.mtime > reference
        if word == "-newermt":
            moment = parse_date(value, call.world.wall)
            if moment is None:
                raise ValueError(f"I cannot figure out how to interpret ‘{value}’ as a date or time")
            return lambda path, node: node.mtime > moment
        if word == "-links":
            return self._number(
                value,
                lambda node: links(call, node),
                {"": 1},
            )
        if word == "-samefile":
            same = call.tree.realpath(call.path(value))
            return lambda path, node: call.tree.realpath(call.path(path)) == same
        if word in ("-executable", "-readable", "-writable"):
            bit = {"-executable": 1, "-readable": 4, "-writable": 2}[word]
            return lambda path, node: users.may(node, call.uid, call.gid, bit)
        if word in ("-nouser", "-nogroup"):
            return lambda path, node: False
        if word == "-perm":
            plain = value.lstrip("-/")
            found = int(plain, 8) if re.fullmatch("[0-7]{1,4}", plain) else modes.new_mode(plain, 0, False)
            if found is None:
                raise ValueError(f"invalid mode ‘{value}’")
            bits = found
            return lambda path, node: (
                node.mode & bits == bits
                if value[0] == "-"
                else bool(node.mode & bits)
                if value[0] == "/"
                else node.mode & 0o7777 == bits
            )
        if word in ("-user", "-group"):
            return lambda path, node: (
                (users.user_name(call.tree, node.uid) if word == "-user" else users.group_name(call.tree, node.gid)) == value
            )
        if word in ("-maxdepth", "-mindepth"):
            if not (value.isascii() and value.isdigit()):
                raise ValueError(f"Expected a positive decimal integer argument to {word}, but got ‘{value}’")
            setattr(self, word[1:], int(value[:9]))
            return lambda path, node: True
        if word in ("-true", "-depth", "-mount", "-xdev", "-follow"):
            return lambda path, node: True
        if word == "-false":
            return lambda path, node: False
        return self.action(word, value)

    def _number(self, value: str, measure: Callable[[Inode], int], units: dict[str, int]) -> Callable[[str, Inode], bool]:
        match = re.fullmatch(r"([-+]?)(\d+)([ckMGb]?)", value)
        if match is None or match.group(3) not in units:
            raise ValueError(f"Invalid argument `{value}'")
        sign, count, unit = match.group(1), int(match.group(2)), units[match.group(3)]

        def test(path: str, node: Inode) -> bool:
            have = -(-measure(node) // unit)
            return have > count if sign == "+" else have < count if sign == "-" else have == count

        return test

    def printer(self, text: Callable[[str, Inode], str]) -> Callable[[str, Inode], bool]:
        """An action that prints a text for each path and is true."""

        def show(path: str, node: Inode) -> bool:
            self.call.out(text(path, node).encode("utf-8", "surrogateescape"))
            return True

        return show

    def action(self, word: str, value: str) -> Callable[[str, Inode], bool]:
        call = self.call
        if word == "-prune":

            def prune(path: str, node: Inode) -> bool:
                self.pruned = True
                return True

            return prune
        self.acts = True
        if word in ("-print", "-print0"):
            end = "\n" if word == "-print" else "\0"
            return self.printer(lambda path, node: path + end)
        if word == "-printf":
            return self.printer(lambda path, node: self.form(value, path, node))
        if word == "-ls":
            return self.printer(lambda path, node: f"{mode_text(node)} {size_of(node):>8} {path}\n")
        if word == "-quit":

            def finish(path: str, node: Inode) -> bool:
                self.stop = True
                return True

            return finish
        if word == "-delete":

            def delete(path: str, node: Inode) -> bool:
                try:
                    files.remove_file(call.world, call.host, call.path(path), mnt=call.proc.mnt)
                except OSError as failed:
                    call.err(f"find: cannot delete ‘{path}’: {failed.strerror}\n")
                    return False
                return True

            return delete
        raise ValueError(f"unknown predicate `{word}'")

    def form(self, text: str, path: str, node: Inode) -> str:
        from .echo import expand

        table = {
            "p": path,
            "f": posixpath.basename(path),
            "h": posixpath.dirname(path) if "/" in path else ".",
            "s": str(size_of(node)),
            "m": f"{node.mode:o}",
            "M": mode_text(node),
            "y": letter(node).replace("-", "f"),
            "P": self.below(path),
            "H": self.root,
            "d": str(self.below(path).count("/") + 1 if self.below(path) else 0),
            "u": users.user_name(self.call.tree, node.uid),
            "g": users.group_name(self.call.tree, node.gid),
            "U": str(node.uid),
            "G": str(node.gid),
            "n": str(links(self.call, node)),
            "k": str(-(-size_of(node) // 1024)),
            "b": str(-(-size_of(node) // 4096) * 8),
            "i": "0",
            "Y": letter(node).replace("-", "f"),
            "%": "%",
            "t": f"{to_datetime(node.mtime):%a %b %d %H:%M:%S %Y}",
            "l": node.target,
        }

        def moment(code: str) -> str:
            if code == "@":
                return f"{node.mtime / 1e9:.10f}"
            if code == "+":
                return f"{to_datetime(node.mtime):%Y-%m-%d+%H:%M:%S}.{node.mtime % 10**9:09d}0"
            if code in "ST":
                return f"{to_datetime(node.mtime):%H:%M:%S}.{node.mtime % 10**9:09d}0"[0 if code == "T" else 6 :]
            return render(node.mtime, f"%{code}")

        def one(match: re.Match[str]) -> str:
            if match.group("when"):
                return moment(match.group("when"))
            found = table.get(match.group("what"))
            if found is None:
                return match.group()
            width = match.group("width")
            return found.ljust(int(width[1:] or 0)) if width.startswith("-") else found.rjust(int(width or 0))

        return re.sub(r"%(?P<width>-?\d{0,3})(?:[TAC](?P<when>[@+a-zA-Z])|(?P<what>[a-zA-Z%]))", one, expand(text)[0])

    root = ""

    def below(self, path: str) -> str:
        """A path without the starting point it was found under."""
        return path[len(self.root) :].lstrip("/") if path.startswith(self.root) else path

    def exec_(self, verb: str) -> Test:
        self.acts = True
        argv: list[str] = []
        while self.peek() not in (";", "+") or (self.peek() == "+" and argv[-1:] != ["{}"]):
            if self.at >= len(self.words):
                raise ValueError(f"missing argument to `{verb}'")
            argv.append(self.peek())
            self.at += 1
        many = self.peek() == "+"
        self.at += 1
        if many:
            batch: list[str] = []
            self.batches.append((argv[:-1], batch))

            def collect(path: str, node: Inode) -> Generator[Wait, Any, bool]:
                batch.append(path)
                return True
                yield

            return collect

        def run(path: str, node: Inode) -> Generator[Wait, Any, bool]:
            if verb.startswith("-ok"):
                self.call.err(f"< {argv[0]} ... {path} > ? ")
                if not (yield from self._yes()):
                    return False
            return (yield from self.call.run([word.replace("{}", path) for word in argv], stdin=b"")) == 0

        return run

    def _yes(self) -> Generator[Wait, Any, bool]:
        """Whether the next line of standard input says yes."""
        if self.answers is None:
            self.answers = (yield from self.call.read()).decode("utf-8", "replace").split("\n")
        return bool(self.answers) and self.answers.pop(0)[:1] in ("y", "Y")

    answers: list[str] | None = None
    batches: list[tuple[list[str], list[str]]]


def find(call: Call) -> Code:
    """`find [paths] [expression]`."""
    words = [word for word in call.argv[1:] if word not in ("-L", "-H", "-P")]
    start = next((n for n, word in enumerate(words) if word[:1] in ("-", "(", "!") and word != "-"), len(words))
    roots, words = words[:start] or ["."], words[start:]
    finder = _Find(call, words)
    finder.batches = []
    try:
        test = finder.either() if words else _always
        if finder.at < len(words):
            raise ValueError(f"paths must precede expression: `{finder.peek()}'")
    except ValueError as failed:
        call.err(f"find: {failed}\n")
        return 1
    code = 0
    for root in roots:
        try:
            call.lookup(root, follow=False)
        except OSError as failed:
            call.err(f"find: ‘{root}’: {failed.strerror}\n")
            code = 1
            continue
        finder.root = root
        yield from _visit(call, finder, test, root, 0, "-delete" in words or "-depth" in words)
    for argv, batch in finder.batches:
        if batch and (yield from call.run([*argv, *batch], stdin=b"")):
            code = 1
    return code


def _always(path: str, node: Inode) -> Generator[Wait, Any, bool]:
    return True
    yield


def _visit(call: Call, finder: _Find, test: Test, path: str, depth: int, children_first: bool) -> Generator[Wait, Any, None]:
    node = call.lookup(path, follow=False)
    finder.pruned = False

    def here() -> Generator[Wait, Any, None]:
        if depth >= finder.mindepth and (yield from test(path, node)) and not finder.acts:
            call.out((path + "\n").encode("utf-8", "surrogateescape"))

    if not children_first:
        yield from here()
    if node.kind == "dir" and depth < finder.maxdepth and not finder.pruned:
        for name in call.tree.listdir(call.path(path)):
            if finder.stop:
                return
            yield from _visit(
                call, finder, test, path + name if path.endswith("/") else f"{path}/{name}", depth + 1, children_first
            )
    if children_first:
        yield from here()

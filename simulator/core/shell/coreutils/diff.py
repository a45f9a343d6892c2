"""diff and cmp."""

from __future__ import annotations

import difflib
import posixpath
import re

from ...host.invocation import Call
from ...kernel.clock import to_datetime
from .common import Code, parse, read_path, text_lines


def diff(call: Call) -> Code:
    """`diff [-u] [-q] [-r] a b`."""
    options, names = parse(call, "uqrNbwiBU:yc", "unified?u brief:q recursive:r new-file:N ignore-all-space:w", code=2)
    if len(names) != 2:
        call.err(
            f"diff: missing operand after '{names[0] if names else 'diff'}'\ndiff: Try 'diff --help' for more information.\n"
        )
        return 2
    return (yield from _diff(call, options, names[0], names[1]))


def _diff(call: Call, options: dict[str, str], a: str, b: str) -> Code:
    if call.isdir(a) and call.isdir(b):
        return (yield from _directories(call, options, a, b))
    if call.isdir(a) != call.isdir(b) and "-" not in (a, b):
        a, b = (posixpath.join(a, posixpath.basename(b)), b) if call.isdir(a) else (a, posixpath.join(b, posixpath.basename(a)))
    data = []
    for name in (a, b):
        try:
            data.append((yield from call.read()) if name == "-" else (yield from read_path(call, name)))
        except OSError as failed:
            if "N" in options:
                data.append(b"")
                continue
            call.err(f"diff: {name}: {failed.strerror}\n")
            return 2
    if data[0] == data[1]:
        return 0
    if "q" in options:
        call.out(f"Files {a} and {b} differ\n")
        return 1
    left, right = text_lines(data[0]), text_lines(data[1])
    if "w" in options or "b" in options:
        between = "" if "w" in options else " "
        stripped = [[re.sub(r"\s+", between, line).rstrip() for line in side] for side in (left, right)]
        if stripped[0] == stripped[1]:
            return 0
    if "u" in options or "U" in options:
        _unified(call, options, a, b, left, right, data)
    else:
        _normal(call, left, right, data)
    return 1


def _directories(call: Call, options: dict[str, str], a: str, b: str) -> Code:
    code = 0
    left, right = (set(call.tree.listdir(call.path(name))) for name in (a, b))
    for name in sorted(left | right):
        if (name not in right or name not in left) and "N" not in options:
            call.out(f"Only in {a if name in left else b}: {name}\n")
            code = 1
            continue
        one, two = posixpath.join(a, name), posixpath.join(b, name)
        if call.isdir(one) and call.isdir(two):
            if "r" in options:
                code = (yield from _directories(call, options, one, two)) or code
            else:
                call.out(f"Common subdirectories: {one} and {two}\n")
            continue
        text = yield from call.capture(["diff", *(word for word in call.argv[1:] if word.startswith("-")), one, two])
        if text[0]:
            flags = "".join(" " + word for word in call.argv[1:] if word.startswith("-"))
            call.out(("" if "q" in options else f"diff{flags} {one} {two}\n").encode() + text[1])
            code = 1
    return code


def _stamp(call: Call, name: str) -> str:
    try:
        mtime = call.lookup(name).mtime
    except OSError:
        mtime = call.world.wall
    return f"{to_datetime(mtime):%Y-%m-%d %H:%M:%S}.{mtime % 1_000_000_000:09d} +0000"


def _unified(call: Call, options: dict[str, str], a: str, b: str, left: list[str], right: list[str], data: list[bytes]) -> None:
    context = int(options.get("U") or 3)
    if call.env.get("LABEL"):
        pass
    call.out(f"--- {a}\t{_stamp(call, a)}\n+++ {b}\t{_stamp(call, b)}\n")
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    for group in matcher.get_grouped_opcodes(context):
        i1, i2, j1, j2 = group[0][1], group[-1][2], group[0][3], group[-1][4]

        def span(start: int, stop: int) -> str:
            size = stop - start
            return f"{start + 1 if size else start}" + ("" if size == 1 else f",{size}")

        call.out(f"@@ -{span(i1, i2)} +{span(j1, j2)} @@\n")
        for tag, a1, a2, b1, b2 in group:
            if tag == "equal":
                call.out("".join(f" {line}\n" for line in left[a1:a2]).encode("utf-8", "surrogateescape"))
                continue
            call.out(_marked("-", left, a1, a2, data[0]) + _marked("+", right, b1, b2, data[1]))


def _marked(mark: str, rows: list[str], start: int, stop: int, data: bytes) -> bytes:
    text = "".join(f"{mark}{line}\n" for line in rows[start:stop])
    if stop == len(rows) and stop > start and not data.endswith(b"\n"):
        text += "\\ No newline at end of file\n"
    return text.encode("utf-8", "surrogateescape")


def _normal(call: Call, left: list[str], right: list[str], data: list[bytes]) -> None:
    def span(start: int, stop: int) -> str:
        return f"{start + 1}" if stop - start == 1 else f"{start + 1},{stop}"

    for tag, a1, a2, b1, b2 in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        if tag == "delete":
            call.out(f"{span(a1, a2)}d{b1}\n")
        elif tag == "insert":
            call.out(f"{a1}a{span(b1, b2)}\n")
        else:
            call.out(f"{span(a1, a2)}c{span(b1, b2)}\n")
        call.out(_marked("< ", left, a1, a2, data[0]))
        if tag == "replace":
            call.out("---\n")
        call.out(_marked("> ", right, b1, b2, data[1]))


def cmp(call: Call) -> Code:
    """`cmp [-s] a b`."""
    options, names = parse(call, "sl", "silent:s quiet:s", code=2)
    data = []
    for name in names[:2]:
        try:
            data.append((yield from call.read()) if name == "-" else (yield from read_path(call, name)))
        except OSError as failed:
            call.err(f"cmp: {name}: {failed.strerror}\n")
            return 2
    a, b = data
    for at, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            if "s" not in options:
                call.out(f"{names[0]} {names[1]} differ: byte {at + 1}, line {a[:at].count(10) + 1}\n")
            return 1
    if len(a) != len(b):
        short = 0 if len(a) < len(b) else 1
        if "s" not in options:
            size = min(len(a), len(b))
            call.err(
                f"cmp: EOF on {names[short]} after byte {size}, in line {(a if short == 0 else b).count(10) + 1}\n"
                if size
                else f"cmp: EOF on {names[short]} which is empty\n"
            )
        return 1
    return 0

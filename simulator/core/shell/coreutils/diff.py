"""diff and cmp."""

from __future__ import annotations

import difflib
import posixpath
import re

from ...host.invocation import Call
from ...kernel.clock import to_datetime
from .. import patterns as globs
from . import diffviews
from .common import Code, parse, read_path, text_lines, whole

LONG = """unified?u brief:q recursive:r new-file:N ignore-all-space:w ignore-space-change:b ignore-case:i ignore-blank-lines:B context?c
side-by-side:y width=W ed:e report-identical-files:s text:a color?color label=label exclude=x suppress-common-lines:common
strip-trailing-cr:cr minimal:d left-column:left ignore-matching-lines=I"""


def diff(call: Call) -> Code:
    """`diff [-u|-U n|-c|-C n|-y|-e] [-qsrNbwiB] [--label x] [--color=when] a b`."""
    labels = [word.partition("=")[2] for word in call.argv if word.startswith("--label=")]
    for at, word in enumerate(call.argv[:-1]):
        if word in ("--label", "-L"):
            labels.append(call.argv[at + 1])
    call.argv = [re.sub(r"^-u(\d+)$", r"-U\1", re.sub(r"^-c(\d+)$", r"-C\1", word)) for word in call.argv]
    options, names = parse(call, "uqrNbwiBU:yC:cW:esaL:x:dI:tpT", LONG, code=2)
    if len(names) != 2:
        if len(names) > 2:
            call.err(f"diff: extra operand '{names[2]}'\ndiff: Try 'diff --help' for more information.\n")
        else:
            call.err(
                f"diff: missing operand after '{names[0] if names else 'diff'}'\ndiff: Try 'diff --help' for more information.\n"
            )
        return 2
    return (yield from _diff(call, options, names[0], names[1], labels))


def _diff(call: Call, options: dict[str, str], a: str, b: str, labels: list[str]) -> Code:
    if call.isdir(a) and call.isdir(b):
        return (yield from _directories(call, options, a, b))
    if call.isdir(a) != call.isdir(b) and "-" not in (a, b):
        a, b = (posixpath.join(a, posixpath.basename(b)), b) if call.isdir(a) else (a, posixpath.join(b, posixpath.basename(a)))
    data: list[bytes] = []
    missing = False
    for name in (a, b):
        try:
            data.append((yield from call.read()) if name == "-" else (yield from read_path(call, name)))
        except OSError as failed:
            if "N" in options:
                data.append(b"")
                continue
            call.err(f"diff: {name}: {failed.strerror}\n")
            missing = True
    if missing:
        return 2
    if "cr" in options:
        data = [part.replace(b"\r\n", b"\n") for part in data]
    left, right = text_lines(data[0]), text_lines(data[1])
    blocks = compare(_keys(left, options), _keys(right, options), data)
    if "B" in options:
        blocks = [
            (tag if not all(not line.strip() for line in left[i:j] + right[k:m]) else "equal", i, j, k, m)
            for tag, i, j, k, m in blocks
        ]
    if all(block[0] == "equal" for block in blocks):
        if "s" in options:
            call.out(f"Files {a} and {b} are identical\n")
        if "y" in options and "common" not in options:
            diffviews.side_by_side(call, options, left, right, blocks)
        return 0
    if "q" in options:
        call.out(f"Files {a} and {b} differ\n")
        return 1
    if any(b"\0" in part[:4096] for part in data) and "a" not in options:
        call.out(f"Binary files {a} and {b} differ\n")
        return 2
    names = [labels[n] if n < len(labels) else f"{name}\t{_stamp(call, name)}" for n, name in enumerate((a, b))]
    painter = diffviews.Painter(call, options)
    if "y" in options:
        diffviews.side_by_side(call, options, left, right, blocks)
    elif "e" in options:
        diffviews.ed(call, right, blocks)
    elif "u" in options or "U" in options:
        diffviews.unified(painter, options, names, left, right, data, blocks)
    elif "c" in options or "C" in options:
        diffviews.context(painter, options, names, left, right, data, blocks)
    else:
        diffviews.normal(painter, left, right, data, blocks)
    return 1


def _keys(rows: list[str], options: dict[str, str]) -> list[str]:
    """Lines as they are compared."""
    if "w" in options:
        rows = [re.sub(r"\s+", "", row) for row in rows]
    elif "b" in options:
        rows = [re.sub(r"\s+", " ", row).rstrip() for row in rows]
    return [row.lower() for row in rows] if "i" in options else rows


def compare(left: list[str], right: list[str], data: list[bytes]) -> list[diffviews.Block]:
    """What is equal, replaced, deleted and inserted; a last line without its newline differs from one with it."""
    left, right = list(left), list(right)
    if left and data[0] and not data[0].endswith(b"\n"):
        left[-1] += "\0"
    if right and data[1] and not data[1].endswith(b"\n"):
        right[-1] += "\0"
    return [(str(tag), *rest) for tag, *rest in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes()]  # type: ignore[misc]


def _directories(call: Call, options: dict[str, str], a: str, b: str) -> Code:
    code = 0
    skipped = options.get("x", "")
    left, right = (set(call.tree.listdir(call.path(name))) for name in (a, b))
    for name in sorted(left | right):
        if skipped and globs.matches(skipped, name):
            continue
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


def _char(value: int) -> str:
    return chr(value) if 32 <= value < 127 else f"^{chr(value ^ 64)}" if value < 32 else f"M-{value:o}"


def cmp(call: Call) -> Code:
    """`cmp [-s] a b`."""
    options, names = parse(call, "sln:i:b", "silent:s quiet:s verbose:l bytes=n ignore-initial=i print-bytes:b", code=2)
    if not names:
        call.err("cmp: missing operand after 'cmp'\ncmp: Try 'cmp --help' for more information.\n")
        return 2
    if len(names) > 4:
        call.err(f"cmp: extra operand '{names[4]}'\ncmp: Try 'cmp --help' for more information.\n")
        return 2
    data = []
    for name in [*names, "-"][:2]:
        try:
            data.append((yield from call.read()) if name == "-" else (yield from read_path(call, name)))
        except OSError as failed:
            call.err(f"cmp: {name}: {failed.strerror}\n")
            return 2
    skips = (options.get("i", "0").split(":") * 2)[:2]
    a, b = (part[whole(call, skip, "invalid --ignore-initial value '{}'", 2) :] for part, skip in zip(data, skips, strict=True))
    if "n" in options:
        most = whole(call, options["n"], "invalid --bytes value '{}'", 2)
        a, b = a[:most], b[:most]
    names = [*names, "-"]
    for at, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            if "l" in options:
                width = len(str(max(len(a), len(b))))
                call.out(
                    "".join(f"{n + 1:{width}} {p:3o} {q:3o}\n" for n, (p, q) in enumerate(zip(a, b, strict=False)) if p != q)
                )
            elif "s" not in options:
                shown = f" is {x:3o} {_char(x)} {y:3o} {_char(y)}" if "b" in options else ""
                call.out(f"{names[0]} {names[1]} differ: byte {at + 1}, line {a[:at].count(10) + 1}{shown}\n")
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

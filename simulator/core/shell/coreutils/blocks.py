"""dd: copy in blocks.  Zeros in quantity are reserved on the disk, not stored."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from ...host import files, streams
from ...host.executor import Ended
from ...host.invocation import Call
from ...host.program import Sleep, Wait
from ...host.virtual import used_disk
from ...kernel.errors import NotSimulated
from .common import Code

Data = Generator[Wait, Any, bytes]

_UNITS = {
    "": 1,
    "c": 1,
    "w": 2,
    "b": 512,
    "k": 1024,
    "kb": 1000,
    "m": 1024**2,
    "mb": 10**6,
    "g": 1024**3,
    "gb": 10**9,
    "t": 1024**4,
}
#: From here on zeros are a hole that the disk keeps room for.
HOLE = 8 * 1024 * 1024
#: How much a copy may hold in memory.
MOST = 64 * 1024 * 1024
#: Bytes a second of the simulated disk.
RATE = 800_000_000


def _number(call: Call, text: str) -> int:
    product = 1
    for part in text.lower().split("x"):
        match = re.fullmatch(r"(\d+)([a-z]*?)(?:i?b)?", part) if part[-2:] != "kb" else re.fullmatch(r"(\d+)(kb)", part)
        if match is None or match.group(2) not in _UNITS:
            call.err(f"dd: invalid number: ‘{text}’\n")
            raise Ended(1)
        product *= int(match.group(1)) * _UNITS[match.group(2)]
    return product


def _human(count: int, base: int) -> str:
    units = ["bytes", *(["kB", "MB", "GB", "TB"] if base == 1000 else ["KiB", "MiB", "GiB", "TiB"])]
    value, at = float(count), 0
    while value >= base and at < len(units) - 1:
        value, at = value / base, at + 1
    shown = f"{value:.1f}" if value < 10 and at else f"{value:.0f}"
    return f"{shown.removesuffix('.0') if at else count} {units[at]}"


def _report(call: Call, read: int, wrote: int, block: int, level: str) -> None:
    if level == "none":
        return
    call.err(f"{read // block}+{int(bool(read % block))} records in\n{wrote // block}+{int(bool(wrote % block))} records out\n")
    if level == "noxfer":
        return
    seconds = max(wrote / RATE, 0.0001)
    sizes = (
        f" ({_human(wrote, 1000)}, {_human(wrote, 1024)})"
        if wrote >= 1024
        else f" ({_human(wrote, 1000)})"
        if wrote >= 1000
        else ""
    )
    call.err(f"{wrote} byte{'s' if wrote != 1 else ''}{sizes} copied, {seconds:.6g} s, {_human(int(wrote / seconds), 1000)}/s\n")


def dd(call: Call) -> Code:
    """`dd [if=] [of=] [bs=] [ibs=] [obs=] [count=] [skip=] [seek=] [conv=] [status=] [iflag=] [oflag=]`."""
    given: dict[str, str] = {}
    for word in call.argv[1:]:
        name, equals, value = word.partition("=")
        if not equals or name not in (
            "if",
            "of",
            "bs",
            "ibs",
            "obs",
            "count",
            "skip",
            "seek",
            "conv",
            "status",
            "iflag",
            "oflag",
            "cbs",
        ):
            call.err(f"dd: unrecognized operand ‘{word}’\nTry 'dd --help' for more information.\n")
            return 1
        given[name] = value
    block = _number(call, given.get("bs", given.get("ibs", "512")))
    if not block:
        call.err(f"dd: invalid number: ‘{given.get('bs', '0')}’\n")
        return 1
    count = _number(call, given["count"]) * block if "count" in given else None
    skip, seek = (_number(call, given.get(name, "0")) * block for name in ("skip", "seek"))
    level = given.get("status", "")
    source, target = given.get("if", ""), given.get("of", "")
    where = call.path(target) if target else ""
    if source and call.path(source) == "/dev/zero" and where and not where.startswith("/dev/"):
        free = (call.host.disk_kib - used_disk(call.host)) * 1024
        if count is None or count > HOLE:
            yield Sleep(min(count if count is not None else free, free) * 1_000_000_000 // RATE)
            return _hole(call, target, where, count, free, block, level, seek)
    try:
        data = (yield from _input(call, source, skip, count)) if source else (yield from _stdin(call, skip, count))
    except OSError as failed:
        call.err(f"dd: failed to open '{source}': {failed.strerror}\n")
        return 1
    body = data
    if "ucase" in given.get("conv", "").split(","):
        body = body.upper()
    if "lcase" in given.get("conv", "").split(","):
        body = body.lower()
    if "sync" in given.get("conv", "").split(",") and len(body) % block:
        body = body.ljust(-(-len(body) // block) * block, b"\0")
    try:
        if not target:
            call.out(body)
        elif where not in ("/dev/null", "/dev/zero"):
            old = call.read_file(target) if call.exists(target) and (seek or "notrunc" in given.get("conv", "")) else b""
            tail = old[seek + len(body) :] if "notrunc" in given.get("conv", "") else b""
            call.write_file(target, old[:seek].ljust(seek, b"\0") + body + tail)
    except OSError as failed:
        call.err(f"dd: failed to open '{target}': {failed.strerror}\n")
        return 1
    yield Sleep(len(body) * 1_000_000_000 // RATE)
    _report(call, len(data), len(body), block, level)
    return 0


def _stdin(call: Call, skip: int, count: int | None) -> Data:
    data = yield from call.read()
    return data[skip:] if count is None else data[skip : skip + count]


def _input(call: Call, source: str, skip: int, count: int | None) -> Data:
    where = call.path(source)
    yield Sleep(0)
    if where in ("/dev/zero", "/dev/urandom", "/dev/random"):
        if count is None or count > MOST:
            raise NotSimulated(f"more than 64 MiB of {where}")
        return b"\0" * count if where == "/dev/zero" else _take(streams.Random(call.world), count)
    data = call.read_file(source)
    return data[skip:] if count is None else data[skip : skip + count]


def _take(stream: streams.Stream, wanted: int) -> bytes:
    parts, size = [], 0
    while size < wanted:
        part = stream.take(min(65536, wanted - size))
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _hole(call: Call, target: str, where: str, count: int | None, free: int, block: int, level: str, seek: int) -> int:
    wrote = free // block * block if count is None or count > free else count
    call.write_file(target, b"")
    call.host.reserved[where] = wrote + seek
    files.tree(call.host, call.proc.mnt).edit(where).target = f"hole:{wrote + seek}"
    call.world.ring(f"disk:{call.host.name}")
    if count is None or count > free:
        call.err(f"dd: error writing '{target}': No space left on device\n")
        _report(call, wrote + block, wrote, block, level)
        return 1
    _report(call, wrote, wrote, block, level)
    return 0

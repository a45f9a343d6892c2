"""`dd` of coreutils 9.4: copies blocks, counts records, and fills a disk.

What comes from a device that never ends and is larger than `REAL` is not held byte by byte: the file gets its length and the disk its
loss, as with `fallocate`.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from ...host import files
from ...host.invocation import Call
from ...host.program import Wait
from ...host.virtual import used_disk
from ...kernel.errors import NotSimulated

Code = Generator[Wait, Any, int]
#: The largest file of zeros or of chance that is really written.
REAL = 1024 * 1024
ENDLESS = ("/dev/zero", "/dev/urandom", "/dev/random")
#: Bytes a second of the simulated disk.
SPEED = 1_100_000_000
_FACTORS = {"": 1, "c": 1, "w": 2, "b": 512, "kB": 1000, "K": 1024, "k": 1024, "KB": 1000, "MB": 1000**2, "M": 1024**2, "xM": 1024**2,
            "GB": 1000**3, "G": 1024**3}  # fmt: skip
_KNOWN = ("if", "of", "bs", "ibs", "obs", "count", "skip", "seek", "conv", "status", "iflag", "oflag")


class _Wrong(Exception):
    """The command line is refused."""


def dd(call: Call) -> Code:
    """`dd [if=FILE] [of=FILE] [bs=N] [count=N] [skip=N] [seek=N] [conv=…] [status=none]`."""
    try:
        given = _operands(call.argv[1:])
        size = _number(given.get("bs") or given.get("ibs") or "512", "bs")
        count = _number(given["count"], "count") if "count" in given else None
        skip = _number(given.get("skip", "0"), "skip")
        seek = _number(given.get("seek", "0"), "seek")
    except _Wrong as why:
        call.err(f"dd: {why}\n")
        return 1
    source, target = given.get("if", ""), given.get("of", "")
    conv = given.get("conv", "").split(",")
    if source in ENDLESS and (count is None or count * size > REAL) and target != "/dev/null":
        return _fill(call, given, size, count)
    limit = count * size if count is not None else None
    if source in ENDLESS:
        if limit is None:
            raise NotSimulated("dd from an endless device to /dev/null without count")
        data = (
            bytes(limit)
            if source == "/dev/zero"
            else bytes(call.world.rng("urandom").below(256) for _ in range(min(limit, REAL)))
        )
        data = data.ljust(limit, b"\0")
    elif source:
        try:
            data = call.read_file(source)
        except OSError as failed:
            call.err(f"dd: failed to open '{source}': {failed.strerror}\n")
            return 1
    else:
        data = yield from call.read()
    data = data[skip * size :]
    data = data if limit is None else data[:limit]
    if target and target != "/dev/null":
        try:
            old = call.read_file(target) if call.exists(target) and (seek or "notrunc" in conv) else b""
            kept = old[: seek * size].ljust(seek * size, b"\0")
            tail = old[len(kept) + len(data) :] if "notrunc" in conv else b""
            call.write_file(target, kept + data + tail)
        except OSError as failed:
            call.err(f"dd: failed to open '{target}': {failed.strerror}\n")
            return 1
    elif not target:
        call.out(data)
    _told(call, given, size, len(data))
    return 0


def _fill(call: Call, given: dict[str, str], size: int, count: int | None) -> int:
    """An endless device into a file: to its count, or until the disk is full."""
    target = given.get("of", "")
    if not target or call.proc.mnt != "host":
        raise NotSimulated("dd from an endless device " + ("in a container" if target else "to standard output"))
    path = call.path(target)
    held = call.host.reserved.pop(path, 0)
    free = max(0, call.host.disk_kib - used_disk(call.host)) * 1024
    wanted = count * size if count is not None else None
    length = free if wanted is None else min(wanted, free)
    try:
        call.write_file(target, b"")
    except OSError as failed:
        call.host.reserved.update({path: held} if held else {})
        call.err(f"dd: failed to open '{target}': {failed.strerror}\n")
        return 1
    call.host.reserved[path] = length
    files.tree(call.host).edit(path).target = f"hole:{length}"
    call.world.ring(f"disk:{call.host.name}")
    full = wanted is None or length < wanted
    if full:
        call.err(f"dd: error writing '{target}': No space left on device\n")
    _told(call, given, size, length, failed=full)
    return 1 if full else 0


def _told(call: Call, given: dict[str, str], size: int, length: int, *, failed: bool = False) -> None:
    """What dd says at its end."""
    if given.get("status") == "none":
        return
    whole, rest = divmod(length, size)
    part = 1 if rest else 0
    seen = f"{whole + 1}+0" if failed else f"{whole}+{part}"
    call.err(f"{seen} records in\n{whole}+{part} records out\n")
    if given.get("status") == "noxfer":
        return
    seconds = max(length / SPEED, 0.000_01)
    units = [text for text in (_short(length, 1000, "kB MB GB TB"), _short(length, 1024, "KiB MiB GiB TiB")) if text]
    shown = f"{length} byte{'' if length == 1 else 's'}" + (f" ({', '.join(units)})" if units else "")
    call.err(
        f"{shown} copied, {seconds:.6g} s, {_short(int(length / seconds), 1000, 'kB MB GB TB') or f'{int(length / seconds)} B'}/s\n"
    )


def _short(length: int, base: int, names: str) -> str:
    """`105 MB`, `1.1 GB`; "" for what is less than one unit."""
    if length < base:
        return ""
    value, unit = float(length), ""
    units = names.split()
    while value >= base and units:
        value, unit = value / base, units.pop(0)
    return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"


def _operands(words: list[str]) -> dict[str, str]:
    out: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in _KNOWN:
            raise _Wrong(f"unrecognized operand ‘{word}’\nTry 'dd --help' for more information.")
        out[name] = value
    return out


def _number(text: str, name: str) -> int:
    match = re.fullmatch(r"(\d+)([a-zA-Z]{0,2})", text)
    if match is None or match.group(2) not in _FACTORS or (name == "bs" and int(match.group(1)) == 0):
        raise _Wrong(f"invalid number: ‘{text}’")
    return int(match.group(1)) * _FACTORS[match.group(2)]

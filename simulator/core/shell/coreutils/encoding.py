"""base64, checksums and hex dumps."""

from __future__ import annotations

import base64 as _b64
import hashlib
import re
import zlib
from contextlib import suppress

from ...host.invocation import Call
from .common import Code, inputs, name_of, parse


def base64(call: Call) -> Code:
    """`base64 [-d] [-w cols] [file]`, `base32`."""
    options, names = parse(call, "diw:", "decode:d wrap=w ignore-garbage:i")
    found, code = yield from inputs(call, names)
    encode, decode = (_b64.b64encode, _b64.b64decode) if name_of(call) == "base64" else (_b64.b32encode, _b64.b32decode)
    for _, data in found:
        if "d" in options:
            clean = re.sub(rb"[^A-Za-z0-9+/=]" if "i" in options else rb"\s", b"", data)
            if "i" in options:
                clean += b"=" * (-len(clean) % 4)
            valid = re.match(rb"[A-Za-z0-9+/]*={0,2}", clean)
            good = clean if valid and valid.end() == len(clean) else (valid.group() if valid else b"")
            size = len(good) // 4 * 4
            with suppress(ValueError):
                call.out(decode(good[:size] if name_of(call) == "base64" else clean))
            if size != len(clean) and "i" not in options:
                rest = good[size:].rstrip(b"=")
                if len(rest) > 1:
                    call.out(decode(rest + b"=" * (-len(rest) % 4)))
                call.err(f"{name_of(call)}: invalid input\n")
                code = 1
            continue
        text = encode(data).decode()
        width = int(options.get("w", 76))
        if width:
            call.out("".join(text[at : at + width] + "\n" for at in range(0, len(text), width)))
        else:
            call.out(text)
    return code


def checksum(call: Call) -> Code:
    """`md5sum`, `sha1sum`, `sha256sum`, `sha512sum`, with `-c`."""
    algorithm = name_of(call).removesuffix("sum").replace("b2", "blake2b")
    options, names = parse(call, "cbtw", "check:c quiet:q status:s ignore-missing:m")
    found, code = yield from inputs(call, names)
    if "c" in options:
        return _check(call, found, algorithm, options)
    for name, data in found:
        call.out(f"{hashlib.new(algorithm, data).hexdigest()}  {name}\n")
    return code


def _check(call: Call, found: list[tuple[str, bytes]], algorithm: str, options: dict[str, str]) -> int:
    bad = 0
    for _, data in found:
        for line in data.decode(errors="replace").splitlines():
            match = re.fullmatch(r"([0-9a-f]+) [ *](.+)", line.strip())
            if match is None:
                continue
            try:
                good = hashlib.new(algorithm, call.read_file(match.group(2))).hexdigest() == match.group(1)
                verdict = "OK" if good else "FAILED"
            except OSError as failed:
                call.err(f"{name_of(call)}: {match.group(2)}: {failed.strerror}\n")
                good, verdict = False, "FAILED open or read"
            bad += not good
            if "s" not in options and not (good and "q" in options):
                call.out(f"{match.group(2)}: {verdict}\n")
    if bad:
        call.err(f"{name_of(call)}: WARNING: {bad} computed checksum{'' if bad == 1 else 's'} did NOT match\n")
    return int(bad > 0)


def cksum(call: Call) -> Code:
    """`cksum` as CRC-32 of POSIX."""
    found, code = yield from inputs(call, call.argv[1:])
    for name, data in found:
        crc = 0
        length = len(data)
        suffix = b""
        while length:
            suffix += bytes([length & 0xFF])
            length >>= 8
        for byte in data + suffix:
            crc ^= byte << 24
            for _ in range(8):
                crc = ((crc << 1) ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
        call.out(f"{crc ^ 0xFFFFFFFF} {len(data)}{'' if name == '-' else ' ' + name}\n")
    return code


def sum_(call: Call) -> Code:
    """`sum`: the BSD checksum and the blocks of 1 KiB."""
    found, code = yield from inputs(call, [word for word in call.argv[1:] if word != "-r"])
    for name, data in found:
        value = 0
        for byte in data:
            value = (((value >> 1) + ((value & 1) << 15)) + byte) & 0xFFFF
        call.out(f"{value:05d} {-(-len(data) // 1024):5d}{'' if name == '-' else ' ' + name}\n")
    return code


def crc(name: str) -> int:
    """A stable number for a name."""
    return zlib.crc32(name.encode())

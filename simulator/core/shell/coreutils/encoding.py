"""base64, checksums and hex dumps."""

from __future__ import annotations

import base64 as _b64
import hashlib
import re
import zlib
from collections.abc import Callable
from contextlib import suppress

from ...host.invocation import Call
from .common import Code, inputs, name_of, parse, usage, whole


def base64(call: Call) -> Code:
    """`base64 [-d] [-w cols] [file]`, `base32`, `basenc --base64|--base32|--base16|--base64url`."""
    options, names = parse(
        call,
        "diw:",
        f"decode:d wrap=w ignore-garbage:i{' base64:64 base32:32 base16:16 base64url:url' if name_of(call) == 'basenc' else ''}",
    )
    kind = next((kind for kind in ("64", "32", "16", "url") if kind in options), name_of(call).removeprefix("base"))
    if kind not in _CODINGS:
        raise usage(call, "missing encoding type")
    found, code = yield from inputs(call, names)
    encode, decode = _CODINGS[kind]
    if "d" in options and kind in ("32", "16"):
        return _decoded(call, found, decode, "i" in options, b"A-Z2-7=" if kind == "32" else b"0-9A-F") or code
    for _, data in found:
        if "d" in options:
            clean = re.sub(rb"[^A-Za-z0-9+/=]" if "i" in options else rb"\s", b"", data)
            if "i" in options:
                clean += b"=" * (-len(clean) % 4)
            valid = re.match(rb"[A-Za-z0-9+/]*={0,2}", clean)
            good = clean if valid and valid.end() == len(clean) else (valid.group() if valid else b"")
            size = len(good) // 4 * 4
            with suppress(ValueError):
                call.out(decode(good[:size]))
            if size != len(clean) and "i" not in options:
                rest = good[size:].rstrip(b"=")
                if len(rest) > 1:
                    call.out(decode(rest + b"=" * (-len(rest) % 4)))
                call.err(f"{name_of(call)}: invalid input\n")
                code = 1
            continue
        text = encode(data).decode()
        width = whole(call, options.get("w", "76"), "invalid wrap size: ‘{}’")
        if width:
            call.out("".join(text[at : at + width] + "\n" for at in range(0, len(text), width)))
        else:
            call.out(text)
    return code


_CODINGS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "64": (_b64.b64encode, _b64.b64decode),
    "32": (_b64.b32encode, _b64.b32decode),
    "16": (_b64.b16encode, _b64.b16decode),
    "url": (_b64.urlsafe_b64encode, _b64.urlsafe_b64decode),
}


def _decoded(call: Call, found: list[tuple[str, bytes]], decode: Callable[[bytes], bytes], lenient: bool, alphabet: bytes) -> int:
    """Decode base32 or base16; what is not of the alphabet ends it, unless garbage is ignored."""
    code = 0
    for _, data in found:
        clean = re.sub(rb"[^" + alphabet + rb"]" if lenient else rb"\s", b"", data)
        try:
            call.out(decode(clean))
        except ValueError:
            call.err(f"{name_of(call)}: invalid input\n")
            code = 1
    return code


def checksum(call: Call) -> Code:
    """`md5sum`, `sha1sum`, `sha256sum`, `sha512sum`, with `-c`."""
    algorithm = name_of(call).removesuffix("sum").replace("b2", "blake2b")
    options, names = parse(
        call, "cbtwz", "check:c quiet:q status:s ignore-missing:m tag:tag strict:strict warn:w binary:b text:t zero:z"
    )
    found, code = yield from inputs(call, names)
    if "c" in options:
        return max(_check(call, found, algorithm, options), code)
    title = {"blake2b": "BLAKE2b"}.get(algorithm, algorithm.upper())
    end = "\0" if "z" in options else "\n"
    for name, data in found:
        digest = hashlib.new(algorithm, data).hexdigest()
        call.out(
            f"{title} ({name}) = {digest}{end}" if "tag" in options else f"{digest} {'*' if 'b' in options else ' '}{name}{end}"
        )
    return code


def _check(call: Call, found: list[tuple[str, bytes]], algorithm: str, options: dict[str, str]) -> int:
    tool, code = name_of(call), 0
    size = hashlib.new(algorithm).digest_size * 2
    line_form = re.compile(rf"(?:([0-9a-fA-F]{{{size}}}) [ *](.+)|\w+ \((.+)\) = ([0-9a-fA-F]{{{size}}}))")
    for source, data in found:
        wrong = unread = malformed = checked = 0
        for line in data.decode(errors="replace").splitlines():
            match = line_form.fullmatch(line.strip())
            if match is None:
                malformed += bool(line) and not line.startswith("#")
                continue
            name, expected = match.group(2) or match.group(3), (match.group(1) or match.group(4)).lower()
            if "m" in options and not call.exists(name):
                continue
            checked += 1
            try:
                good = hashlib.new(algorithm, call.read_file(name)).hexdigest() == expected
                verdict = "OK" if good else "FAILED"
                wrong += not good
            except OSError as failed:
                call.err(f"{tool}: {name}: {failed.strerror}\n")
                good, verdict = False, "FAILED open or read"
                unread += 1
            if "s" not in options and not (good and "q" in options):
                call.out(f"{name}: {verdict}\n")
        shown = "'standard input'" if source == "-" else source
        if not checked:
            call.err(
                f"{tool}: {shown}: no {'file was verified' if 'm' in options and not malformed else 'properly formatted checksum lines found'}\n"
            )
            code = 1
            continue
        for count, (one, many) in ((malformed, ("line is improperly formatted", "lines are improperly formatted")),
                                   (unread, ("listed file could not be read", "listed files could not be read")),
                                   (wrong, ("computed checksum did NOT match", "computed checksums did NOT match"))):  # fmt: skip
            if count and "s" not in options:
                call.err(f"{tool}: WARNING: {count} {one if count == 1 else many}\n")
        code = 1 if wrong or unread or (malformed and "strict" in options) else code
    return code


#: Each byte with its bits in the other order.
MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def cksum(call: Call) -> Code:
    """`cksum [-a algorithm] [files]`: CRC-32 of POSIX, or a digest with its name."""
    options, names = parse(call, "a:cbtwz", "algorithm=a check:c untagged:untagged quiet:q status:s strict:strict warn:w zero:z")
    algorithm = options.get("a", "crc")
    if algorithm not in ("crc", "bsd", "sysv", "md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b"):
        raise usage(call, f"invalid argument ‘{algorithm}’ for ‘--algorithm’")
    if algorithm in ("bsd", "sysv"):
        call.argv = ["sum", "-r" if algorithm == "bsd" else "-s", *names]
        return (yield from sum_(call))
    if algorithm != "crc":
        call.argv = [f"{algorithm.replace('blake2b', 'b2')}sum", *([] if "untagged" in options else ["--tag"]), *names]
        return (yield from checksum(call))
    found, code = yield from inputs(call, names)
    for name, data in found:
        length, suffix = len(data), b""
        while length:
            suffix += bytes([length & 0xFF])
            length >>= 8
        # POSIX's CRC goes from the highest bit: zlib's over mirrored bytes, mirrored, starting at zero
        mirrored = zlib.crc32((data + suffix).translate(MIRROR), 0xFFFFFFFF)
        value = int(f"{mirrored:032b}"[::-1], 2)
        call.out(f"{value} {len(data)}{'' if name == '-' else ' ' + name}\n")
    return code


def sum_(call: Call) -> Code:
    """`sum [-rs]`: the BSD checksum and the blocks of 1 KiB, or (`-s`) System V's and blocks of 512 bytes."""
    options, names = parse(call, "rs", "sysv:s")
    found, code = yield from inputs(call, names)
    for name, data in found:
        if "s" in options:
            total = sum(data)
            folded = (total & 0xFFFF) + ((total & 0xFFFFFFFF) >> 16)
            folded = (folded & 0xFFFF) + (folded >> 16)
            call.out(f"{folded} {-(-len(data) // 512)}{'' if name == '-' else ' ' + name}\n")
            continue
        value = 0
        for byte in data:
            value = (((value >> 1) + ((value & 1) << 15)) + byte) & 0xFFFF
        call.out(f"{value:05d} {-(-len(data) // 1024):5d}{'' if name == '-' else ' ' + name}\n")
    return code


def crc(name: str) -> int:
    """A stable number for a name."""
    return zlib.crc32(name.encode())

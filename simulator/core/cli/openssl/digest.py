"""`openssl dgst | sha256 … | base64 | enc -base64 | rand` (apps/dgst.c, enc.c, rand.c)."""

from __future__ import annotations

import base64
import hashlib
import textwrap
from collections.abc import Callable, Generator
from typing import Any

from ...host.invocation import Call
from ...host.program import Wait
from ...kernel.errors import NotSimulated
from .keys import give
from .options import Wrong, number, parse, thread

Code = Generator[Wait, Any, int]
#: How digests are called in `SHA2-256(stdin)= …`.
NAMES = {"md5": "MD5", "sha1": "SHA1", "sha224": "SHA2-224", "sha256": "SHA2-256", "sha384": "SHA2-384", "sha512": "SHA2-512"}


def _digest(call: Call, command: str, name: str, words: list[str]) -> Code:
    try:
        asked = parse(command, words, "out", f"hex r binary c d {' '.join(NAMES)}", not_yet="sign verify hmac prverify signature mac",
                      other="option or message digest")  # fmt: skip
    except Wrong as wrong:
        call.err(str(wrong))
        return 1
    name = next((flag for flag in asked.flags if flag in NAMES), name)
    code, out = 0, b""
    for path in asked.rest or [""]:
        try:
            data = call.read_file(path) if path else (yield from call.read())
        except OSError as failed:
            mark, why = thread(call), failed.strerror
            call.err(f"{path}: {why}\n{mark}:error:80000002:system library:file_ctrl:{why}:../crypto/bio/bss_file.c:297:calling fopen({path}, r)\n"
                     f"{mark}:error:10080002:BIO routines:file_ctrl:system lib:../crypto/bio/bss_file.c:300:\n")  # fmt: skip
            code = 1
            continue
        found = hashlib.new(name, data)
        if asked.on("binary"):
            out += found.digest()
        elif asked.on("r"):
            out += f"{found.hexdigest()} *{path or 'stdin'}\n".encode()
        else:
            out += f"{NAMES[name]}({path or 'stdin'})= {found.hexdigest()}\n".encode()
    give(call, asked.text("out"), out)
    return code


def dgst(call: Call, words: list[str]) -> Code:
    """`openssl dgst [-sha256 …] [FILE …]`."""
    return (yield from _digest(call, "dgst", "sha256", words))


def named(name: str) -> Callable[[Call, list[str]], Code]:
    """`openssl sha256` and the like."""

    def run(call: Call, words: list[str]) -> Code:
        return (yield from _digest(call, name, name, words))

    return run


def _base64(call: Call, words: list[str], command: str) -> Code:
    try:
        asked = parse(
            command,
            words,
            "in out",
            "d e A a base64",
            not_yet="aes-256-cbc aes256 k pass pbkdf2 iter K iv salt nosalt des3",
            other="cipher",
        )
        if command == "enc" and not (asked.on("base64") or asked.on("a")):
            raise NotSimulated("openssl enc")
        data = call.read_file(asked.text("in")) if asked.text("in") else (yield from call.read())
    except Wrong as wrong:
        call.err(str(wrong))
        return 1
    except OSError as failed:
        call.err(f'Can\'t open "{asked.text("in")}" for reading, {failed.strerror}\n')
        return 1
    if asked.on("d"):
        try:
            out = base64.b64decode(b"".join(data.split()))
        except ValueError:
            out = b""
    else:
        text = base64.b64encode(data).decode()
        out = (text if asked.on("A") else "".join(line + "\n" for line in textwrap.wrap(text, 64))).encode()
    give(call, asked.text("out"), out)
    return 0


def base64_command(call: Call, words: list[str]) -> Code:
    """`openssl base64`."""
    return (yield from _base64(call, words, "base64"))


def enc(call: Call, words: list[str]) -> Code:
    """`openssl enc -base64`."""
    return (yield from _base64(call, words, "enc"))


def rand(call: Call, words: list[str]) -> Code:
    """`openssl rand [-hex | -base64] NUM`."""
    yield from ()
    try:
        asked = parse("rand", words, "out", "hex base64")
        if len(asked.rest) > 1:
            raise Wrong("rand: Use -help for summary.\n")
        count = number("rand", asked.rest[0]) if asked.rest else 0
        if count < 0 or count > 1 << 20:
            raise Wrong(f'rand: Can\'t parse "{asked.rest[0]}" as a number\n' if count < 0 else "rand: too many bytes\n")
        rng = call.world.rng("openssl")
        data = b"".join(rng.bits64().to_bytes(8, "big") for _ in range((count + 7) // 8))[:count]
        if asked.on("hex"):
            data = data.hex().encode() + b"\n"
        elif asked.on("base64"):
            data = "".join(line + "\n" for line in textwrap.wrap(base64.b64encode(data).decode(), 64)).encode()
        give(call, asked.text("out"), data)
    except Wrong as wrong:
        call.err(str(wrong))
        return 1
    return 0

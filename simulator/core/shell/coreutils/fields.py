"""cut and paste: columns of lines."""

from __future__ import annotations

import re

from ...host.invocation import Call
from .common import Code, inputs, lines, parse, usage


def _ranges(call: Call, text: str, kind: str) -> list[tuple[int, int]]:
    zero, what = (
        ("fields are numbered from 1", "field value")
        if kind == "f"
        else ("byte/character positions are numbered from 1", "byte or character position")
    )
    out = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d*)(-?)(\d*)", part)
        if match is None or not (match.group(1) or match.group(3)):
            raise usage(
                call, f"invalid {what} ‘{part}’" if part.strip("-") else ("invalid range with no endpoint: -" if part else zero)
            )
        first = int(match.group(1) or 1)
        last = int(match.group(3) or 1 << 30) if match.group(2) else first
        if first == 0:
            raise usage(call, zero)
        if last < first:
            raise usage(call, "invalid decreasing range")
        out.append((first, last))
    return out


def cut(call: Call) -> Code:
    """`cut -f list [-d delimiter] [-s] | -c list | -b list [files]`."""
    options, names = parse(
        call, "f:d:c:b:sn", "fields=f delimiter=d characters=c bytes=b only-delimited:s output-delimiter=o complement"
    )
    kinds = [flag for flag in "fcb" if flag in options]
    if not kinds:
        raise usage(call, "you must specify a list of bytes, characters, or fields")
    if len(kinds) > 1:
        raise usage(call, "only one list may be specified")
    ranges = _ranges(call, options[kinds[0]], kinds[0])
    delimiter = options.get("d", "\t")
    if len(delimiter) > 1:
        raise usage(call, "the delimiter must be a single character")
    joiner = options.get("o", delimiter if kinds[0] == "f" else "")

    def wanted(n: int) -> bool:
        inside = any(first <= n <= last for first, last in ranges)
        return inside != ("complement" in options)

    found, code = yield from inputs(call, names)
    for _, data in found:
        out = []
        for raw in lines(data):
            line = raw.decode("utf-8", "surrogateescape").removesuffix("\n")
            if kinds[0] == "f":
                if delimiter not in line:
                    if "s" not in options:
                        out.append(line)
                    continue
                parts = line.split(delimiter)
                out.append(joiner.join(part for n, part in enumerate(parts, 1) if wanted(n)))
            else:
                out.append(joiner.join(c for n, c in enumerate(line, 1) if wanted(n)))
        call.out("".join(line + "\n" for line in out).encode("utf-8", "surrogateescape"))
    return code


def paste(call: Call) -> Code:
    """`paste [-s] [-d delimiters] files`."""
    options, names = parse(call, "sd:", "serial:s delimiters=d")
    seps = options.get("d", "\t").replace("\\n", "\n").replace("\\t", "\t").replace("\\0", "") or ""
    found, code = yield from inputs(call, names)
    if code and "s" not in options:
        return code
    columns = [data.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n") if data else [] for _, data in found]
    if names.count("-") > 1:
        source = columns[names.index("-")]
        dashes = names.count("-")
        columns = [source[n::dashes] for n in range(dashes)]

    def join(parts: list[str]) -> str:
        out = parts[0] if parts else ""
        for n, part in enumerate(parts[1:]):
            out += (seps[n % len(seps)] if seps else "") + part
        return out

    if "s" in options:
        call.out("".join(join(column) + "\n" for column in columns).encode("utf-8", "surrogateescape"))
        return code
    for n in range(max((len(column) for column in columns), default=0)):
        call.out((join([column[n] if n < len(column) else "" for column in columns]) + "\n").encode("utf-8", "surrogateescape"))
    return code

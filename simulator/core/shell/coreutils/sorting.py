"""sort, uniq and shuf."""

from __future__ import annotations

import re
from functools import cmp_to_key
from typing import Any

from ...host.executor import Ended
from ...host.invocation import Call
from .common import Code, inputs, lines, parse, usage, whole


def sort(call: Call) -> Code:
    """`sort [-nrufkthVMsco] [files]`."""
    options, names = _sort_options(call)
    for name in names:
        if name != "-" and not name.startswith("/dev/fd/") and not call.exists(name):
            call.err(f"sort: cannot read: {name}: No such file or directory\n")
            return 2
    found, code = yield from inputs(call, names)
    if code:
        return 2
    end = "\0" if "z" in options else "\n"
    data = b"".join(d if d.endswith(end.encode()) or not d else d + end.encode() for _, d in found)
    rows = data.decode("utf-8", "surrogateescape").split(end)[:-1]
    keys = [_sort_key(spec, options) for spec in options.get("k", "").split("\0") if spec]
    compare = _comparer(keys, options)
    if "c" in options or "C" in options:
        for number in range(1, len(rows)):
            if compare(rows[number - 1], rows[number]) > 0 or ("u" in options and compare(rows[number - 1], rows[number]) == 0):
                if "c" in options:
                    call.err(f"sort: {names[0] if names else '-'}:{number + 1}: disorder: {rows[number]}\n")
                return 1
        return 0
    rows.sort(key=cmp_to_key(compare))
    if "u" in options:
        rows = [row for n, row in enumerate(rows) if n == 0 or compare(rows[n - 1], row) != 0]
    text = "".join(row + end for row in rows).encode("utf-8", "surrogateescape")
    if "o" in options:
        call.write_file(options["o"], text)
    else:
        call.out(text)
    return code or 0


def _sort_options(call: Call) -> tuple[dict[str, str], list[str]]:
    keys = []
    args = [call.argv[0]]
    at = 1
    while at < len(call.argv):
        word = call.argv[at]
        joined = re.match(r"-([bcCdfghimMnRrsuVz]+)k", word)
        if joined is not None:  # `-rk1`: letters before a key
            args.append(f"-{joined.group(1)}")
            word = "-k" + word[joined.end() :]
        if word.startswith(("-k", "--key")):
            value = word[2:] if word.startswith("-k") else word.partition("=")[2]
            if not value:
                at += 1
                if at >= len(call.argv):
                    raise usage(
                        call, "option requires an argument -- 'k'" if word == "-k" else "option '--key' requires an argument", 2
                    )
                value = call.argv[at]
            keys.append(_checked(call, value))
        else:
            args.append(word)
        at += 1
    call.argv = args
    options, names = parse(
        call,
        "nrufbdhVMsczCgit:o:mRS:T:",
        "numeric-sort:n reverse:r unique:u ignore-case:f human-numeric-sort:h version-sort:V stable:s check:c field-separator=t output=o month-sort:M general-numeric-sort:g ignore-leading-blanks:b merge:m zero-terminated:z dictionary-order:d ignore-nonprinting:i random-sort:R random-source=source sort=sort",
        code=2,
    )
    if "sort" in options:
        by = {"general-numeric": "g", "human-numeric": "h", "month": "M", "numeric": "n", "random": "R", "version": "V"}.get(
            options.pop("sort")
        )
        options |= {by: "1"} if by else {}
    if len(options.get("t", "")) > 1 and options["t"] not in ("\\0", "\\t"):
        call.err(f"sort: multi-character tab ‘{options['t']}’\n")
        raise Ended(2)
    if keys:
        options["k"] = "\0".join(keys)
    return options, names


def _checked(call: Call, spec: str) -> str:
    """A key's definition, when it is one; sort's own message else."""
    wrong = ""
    for number, part in enumerate(spec.split(",")[:2]):
        match = re.match(r"(\d+)(?:\.(\d+))?", part)
        if match is None:
            where = "field start" if number == 0 else "field end"
            wrong = f"invalid number {'at' if number == 0 else 'after'} {where if number == 0 else '‘,’'}: invalid count at start of ‘{part}’"
        elif int(match[1]) == 0:
            wrong = f"field number is zero: invalid field specification ‘{spec}’"
        elif number == 0 and match[2] is not None and int(match[2]) == 0:
            wrong = f"character offset is zero: invalid field specification ‘{spec}’"
        elif re.search(r"[^bdfghiMnRrV]", part[match.end() :]):
            wrong = f"stray character in field spec: invalid field specification ‘{spec}’"
        if wrong:
            call.err(f"sort: {wrong}\n")
            raise Ended(2)
    return spec


def _sort_key(spec: str, options: dict[str, str]) -> tuple[int, int, int, int, str]:
    match = re.match(r"(\d+)(?:\.(\d+))?([a-zA-Z]*)(?:,(\d+)(?:\.(\d+))?([a-zA-Z]*))?\Z", spec)
    if match is None:
        return 1, 1, 0, 0, ""
    a, b, flags, c, d, more = match.groups()
    return int(a), int(b or 1), int(c or 0), int(d or 0), (flags or "") + (more or "")


def _extract(row: str, key: tuple[int, int, int, int, str], sep: str | None) -> str:
    first, start, last, end, flags = key
    if sep is not None:
        parts = row.split(sep)
        starts, at = [], 0
        for part in parts:
            starts.append((at, at + len(part)))
            at += len(part) + len(sep)
    else:
        starts = [(m.start(), m.end()) for m in re.finditer(r"[ \t]*[^ \t]+|[ \t]+$", row)]
    if first > len(starts):
        return ""
    begin = starts[first - 1][0]
    if "b" in flags:
        begin += len(row[begin:]) - len(row[begin:].lstrip())
    begin += start - 1
    stop = len(row) if not last or last > len(starts) else (starts[last - 1][0] + end if end else starts[last - 1][1])
    return row[begin:stop]


MONTHS = ["", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


def _order(flags: str) -> Any:
    def number(text: str) -> float:
        match = re.match(r"\s*(-?\d*\.?\d*)", text)
        try:
            return float(match.group(1)) if match else 0.0
        except ValueError:
            return 0.0

    def human_number(text: str) -> tuple[int, float]:
        match = re.match(r"\s*(-?\d*\.?\d+)([KkMGTPE]?)", text)
        if not match:
            return (0, 0.0)
        return ("KMGTPE".find(match.group(2).upper()) + 1 if match.group(2) else 0, float(match.group(1)))

    def version(text: str) -> list[tuple[int, int, str]]:
        return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in re.findall(r"\d+|\D+", text)]

    if "n" in flags or "g" in flags:
        return number
    if "h" in flags:
        return human_number
    if "V" in flags:
        return version
    if "M" in flags:
        return lambda text: MONTHS.index(text.strip()[:3].upper()) if text.strip()[:3].upper() in MONTHS else 0
    if "f" in flags:
        return lambda text: text.upper().encode("utf-8", "surrogateescape")
    return lambda text: text.encode("utf-8", "surrogateescape")


def _comparer(keys: list[tuple[int, int, int, int, str]], options: dict[str, str]) -> Any:
    overall = "".join(flag for flag in "nhVMfgb" if flag in options)
    sep = options.get("t")
    sep = {"\\t": "\t"}.get(sep, sep) if sep else None
    plan = [
        (
            key,
            _order(key[4] if set(key[4]) & set("nhVMfg") else key[4] + overall),
            ("r" in key[4]) or ("r" in options and not set(key[4]) - {"b"}),
        )
        for key in keys
    ]
    whole = _order(overall)
    reverse = "r" in options

    def compare(a: str, b: str) -> int:
        for key, order, backwards in plan:
            x, y = order(_extract(a, key, sep)), order(_extract(b, key, sep))
            if x != y:
                return (-1 if x < y else 1) * (-1 if backwards else 1)
        if not plan:
            x, y = whole(a), whole(b)
            if x != y:
                return (-1 if x < y else 1) * (-1 if reverse else 1)
        if "s" in options or "u" in options:
            return 0
        raw_a, raw_b = a.encode("utf-8", "surrogateescape"), b.encode("utf-8", "surrogateescape")
        return ((raw_a > raw_b) - (raw_a < raw_b)) * (-1 if reverse else 1)

    return compare


def uniq(call: Call) -> Code:
    """`uniq [-cdui] [-f n] [input [output]]`."""
    options, names = parse(
        call,
        "cduif:s:w:D",
        "count:c repeated:d all-repeated?D unique:u ignore-case:i skip-fields=f skip-chars=s check-chars=w group?group zero-terminated:z",
    )
    if len(names) > 2:
        raise usage(call, f"extra operand ‘{names[2]}’")
    found, code = yield from inputs(call, names[:1])
    rows = [line.decode("utf-8", "surrogateescape").removesuffix("\n") for _, data in found for line in lines(data)]
    fields = whole(call, options.get("f", "0"), "{}: invalid number of fields to skip")
    skipped = whole(call, options.get("s", "0"), "{}: invalid number of bytes to skip")
    compared = whole(call, options["w"], "{}: invalid number of bytes to compare") if "w" in options else None
    groups: list[tuple[str, str, int]] = []
    members: list[list[str]] = []
    for row in rows:
        key = row.lower() if "i" in options else row
        if fields:
            key = re.sub(rf"^(?:\s*\S+){{0,{min(fields, 1000)}}}", "", key)
        key = key[skipped:][:compared]
        if groups and groups[-1][1] == key:
            groups[-1] = (groups[-1][0], key, groups[-1][2] + 1)
            members[-1].append(row)
        else:
            groups.append((row, key, 1))
            members.append([row])
    text = ""
    if "D" in options or "group" in options:
        wanted = [group for group in members if "group" in options or len(group) > 1]
        between = "\n" if "group" in options or options["D"] in ("separate", "prepend") else ""
        text = between.join("".join(row + "\n" for row in group) for group in wanted)
        call.out(text.encode("utf-8", "surrogateescape"))
        return code
    for row, _, count in groups:
        if ("d" in options and count < 2) or ("u" in options and count > 1):
            continue
        text += (f"{count:7d} " if "c" in options else "") + row + "\n"
    if len(names) > 1:
        call.write_file(names[1], text.encode("utf-8", "surrogateescape"))
    else:
        call.out(text)
    return code


def shuf(call: Call) -> Code:
    """`shuf [-n count] [-e args] [-i lo-hi] [file]`."""
    options, names = parse(
        call, "n:ei:ro:z", "head-count=n echo:e input-range=i repeat:r output=o zero-terminated:z random-source=source"
    )
    count = options.get("n", "")
    if "n" in options and not (count.isascii() and count.isdigit() and len(count) < 16):
        call.err(f"shuf: invalid line count: ‘{count}’\n")
        return 1
    if "i" in options:
        low, dash, high = options["i"].partition("-")
        given = low if not (low.isascii() and low.isdigit() and len(low) < 16) else high
        if not (dash and given.isascii() and given.isdigit() and len(given) < 16) or int(low) > int(high):
            shown = options["i"] if not dash or (given == high and high.isdigit()) else given
            call.err(f"shuf: invalid input range: ‘{shown}’\n")
            return 1
        rows = [str(n) for n in range(int(low), min(int(high), int(low) + 100_000) + 1)]
    elif "e" in options:
        rows = names
    else:
        found, code = yield from inputs(call, names)
        if code:
            return code
        rows = [line.decode("utf-8", "surrogateescape").removesuffix("\n") for _, data in found for line in lines(data)]
    rng = call.world.rng("shuf")
    end = "\0" if "z" in options else "\n"
    if "r" in options and rows:
        rows = [rows[rng.below(len(rows))] for _ in range(min(int(count or 0), 100_000))]
        call.out("".join(row + end for row in rows))
        return 0
    for n in range(len(rows) - 1, 0, -1):
        m = rng.below(n + 1)
        rows[n], rows[m] = rows[m], rows[n]
    text = "".join(row + end for row in rows[: int(count) if count else len(rows)])
    if "o" in options:
        call.write_file(options["o"], text.encode("utf-8", "surrogateescape"))
    else:
        call.out(text)
    return 0

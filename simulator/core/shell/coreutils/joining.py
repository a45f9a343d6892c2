"""comm and join: two sorted files, line by line."""

from __future__ import annotations

import re

from ...host.invocation import Call
from .common import Code, inputs, name_of, parse, text_lines, usage


def _two(call: Call, names: list[str]) -> None:
    if len(names) < 2:
        after = f" after ‘{names[-1]}’" if names else ""
        raise usage(call, f"missing operand{after}")
    if len(names) > 2:
        raise usage(call, f"extra operand ‘{names[2]}’")


def comm(call: Call) -> Code:
    """`comm [-123] a b`: lines of the first only, of the second only, of both."""
    options, names = parse(call, "123", "output-delimiter=d total nocheck-order")
    _two(call, names)
    files, code = yield from inputs(call, names)
    if code:
        return code
    left, right = (text_lines(data) for _, data in files)
    tab = options.get("d", "\t")
    prefix = {1: "", 2: "" if "1" in options else tab, 3: ("" if "1" in options else tab) + ("" if "2" in options else tab)}
    counts = {1: 0, 2: 0, 3: 0}
    a = b = 0
    while a < len(left) or b < len(right):
        if b >= len(right) or (a < len(left) and left[a] < right[b]):
            column, text, a = 1, left[a], a + 1
        elif a >= len(left) or right[b] < left[a]:
            column, text, b = 2, right[b], b + 1
        else:
            column, text, a, b = 3, left[a], a + 1, b + 1
        counts[column] += 1
        if str(column) not in options:
            call.out(f"{prefix[column]}{text}\n")
    if "total" in options:
        call.out(tab.join(str(count) for count in counts.values()) + f"{tab}total\n")
    if "nocheck-order" in options:
        return 0
    for number, rows in ((1, left), (2, right)):
        if rows != sorted(rows):
            call.err(f"comm: file {number} is not in sorted order\n")
            code = 1
    if code:
        call.err("comm: input is not in sorted order\n")
    return code


def join(call: Call) -> Code:
    """`join [-t char] [-1 field] [-2 field] [-a file] [-v file] a b`: lines with equal fields, side by side."""
    asked = " ".join(call.argv)
    both = re.search(r"-a ?1\b", asked) is not None and re.search(r"-a ?2\b", asked) is not None
    options, names = parse(call, "t:1:2:a:v:ij:o:e:", "ignore-case:i header:header nocheck-order:nocheck-order")
    _two(call, names)
    files, code = yield from inputs(call, names)
    if code:
        return code
    char = options.get("t")
    numbers = [options.get(n, options.get("j", "1")) for n in ("1", "2")]
    for given in numbers:
        if not re.fullmatch(r"0*[1-9]\d{0,8}", given):
            call.err(f"{name_of(call)}: invalid field number: ‘{given}’\n")
            return 1
    keys = [int(given) - 1 for given in numbers]

    def rows(data: bytes, key: int) -> list[tuple[str, list[str]]]:
        found = []
        for line in text_lines(data):
            parts = line.split(char) if char else line.split()
            value = parts[key] if key < len(parts) else ""
            found.append((value.lower() if "i" in options else value, [value, *parts[:key], *parts[key + 1 :]]))
        return found

    empty = options.get("e", "")

    def line(value: str, one: list[str] | None, two: list[str] | None) -> str:
        form = options.get("o", "")
        if not form or form == "auto":
            return glue.join([value, *(one or [value])[1:], *(two or [value])[1:]])
        cells = []
        for spec in form.replace(",", " ").split():
            if spec == "0":
                cells.append(value)
                continue
            side, _, place = spec.partition(".")
            parts = one if side == "1" else two
            key = keys[0 if side == "1" else 1]
            number = int(place) - 1 if place.isdigit() else 0
            ordered = [] if parts is None else [*parts[1 : key + 1], parts[0], *parts[key + 1 :]]
            cells.append(ordered[number] if number < len(ordered) else empty)
        return glue.join(cell or empty for cell in cells)

    left, right = rows(files[0][1], keys[0]), rows(files[1][1], keys[1])
    glue = char or " "
    seen: set[int] = set()
    for value, parts in left:
        same = [n for n, (other, _) in enumerate(right) if other == value]
        seen.update(same)
        if "v" not in options:
            call.out("".join(line(parts[0], parts, right[n][1]) + "\n" for n in same))
        if not same and (both or "1" in (options.get("a"), options.get("v"))):
            call.out(line(parts[0], parts, None) + "\n")
    if both or "2" in (options.get("a"), options.get("v")):
        call.out("".join(line(parts[0], None, parts) + "\n" for n, (_, parts) in enumerate(right) if n not in seen))
    if "nocheck-order" not in options:
        for (name, data), side in zip(files, (left, right), strict=True):
            for number in range(1 + ("header" in options), len(side)):
                if side[number][0] < side[number - 1][0]:
                    call.err(f"join: {name}:{number + 1}: is not sorted: {text_lines(data)[number]}\n")
                    code = 1
                    break
    if code:
        call.err("join: input is not in sorted order\n")
    return code

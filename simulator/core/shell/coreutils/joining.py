"""comm and join: two sorted files, line by line."""

from __future__ import annotations

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
    options, names = parse(call, "t:1:2:a:v:ij:", "ignore-case:i")
    _two(call, names)
    files, code = yield from inputs(call, names)
    if code:
        return code
    char = options.get("t")
    try:
        keys = [int(options.get(n, options.get("j", "1"))) - 1 for n in ("1", "2")]
    except ValueError:
        call.err(f"{name_of(call)}: invalid field number\n")
        return 1

    def rows(data: bytes, key: int) -> list[tuple[str, list[str]]]:
        found = []
        for line in text_lines(data):
            parts = line.split(char) if char else line.split()
            value = parts[key] if key < len(parts) else ""
            found.append((value.lower() if "i" in options else value, [value, *parts[:key], *parts[key + 1 :]]))
        return found

    left, right = rows(files[0][1], keys[0]), rows(files[1][1], keys[1])
    glue = char or " "
    seen: set[int] = set()
    for value, parts in left:
        same = [n for n, (other, _) in enumerate(right) if other == value]
        seen.update(same)
        if "v" not in options:
            call.out("".join(glue.join([*parts, *right[n][1][1:]]) + "\n" for n in same))
        if not same and "1" in (options.get("a"), options.get("v")):
            call.out(glue.join(parts) + "\n")
    if "2" in (options.get("a"), options.get("v")):
        call.out("".join(glue.join(parts) + "\n" for n, (_, parts) in enumerate(right) if n not in seen))
    return 0

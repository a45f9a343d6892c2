"""Lesser tools: csplit and tsort."""

from __future__ import annotations

import re

from ...host.invocation import Call
from . import regexes
from .common import Code, inputs, parse, usage, whole


def csplit(call: Call) -> Code:
    """`csplit [-sz] [-f prefix] [-n digits] file pattern…`: pieces up to a line that matches `/regex/`, without it `%regex%`, or up to a number."""
    options, names = parse(
        call, "szkf:n:b:", "quiet:s silent:s elide-empty-files:z keep-files:k prefix=f digits=n suffix-format=b"
    )
    if len(names) < 2:
        raise usage(call, "missing operand" + (f" after ‘{names[0]}’" if names else ""))
    found, code = yield from inputs(call, names[:1])
    if not found:
        return code
    lines = found[0][1].decode("utf-8", "surrogateescape").splitlines(keepends=True)
    pieces, at, words = [], 0, names[1:]
    for number, word in enumerate(words):
        times = re.fullmatch(r"\{(\d+|\*)\}", words[number + 1]) if number + 1 < len(words) else None
        if re.fullmatch(r"\{(\d+|\*)\}", word):
            continue
        left = 1 if times is None else len(lines) + 1 if times.group(1) == "*" else int(times.group(1)[:6]) + 1
        while left:
            left -= 1
            end = _end(call, lines, at, word)
            if end is None:
                if times is not None and times.group(1) == "*":
                    break
                if "s" not in options:  # what is left is a piece all the same
                    call.out(f"{len(''.join(lines[at:]).encode('utf-8', 'surrogateescape'))}\n")
                call.err(
                    f"csplit: ‘{word}’: match not found\n" if word[0] in "/%" else f"csplit: ‘{word}’: line number out of range\n"
                )
                return 1
            if not word.startswith("%"):
                pieces.append("".join(lines[at:end]))
            at = end
    pieces.append("".join(lines[at:]))
    digits = whole(call, options.get("n", "2"), "invalid number: ‘{}’")
    kept = [piece for piece in pieces if piece or "z" not in options]
    for number, piece in enumerate(kept):
        data = piece.encode("utf-8", "surrogateescape")
        call.write_file(f"{options.get('f', 'xx')}{number:0{min(digits, 16)}d}", data)
        if "s" not in options:
            call.out(f"{len(data)}\n")
    return code


def _end(call: Call, lines: list[str], at: int, word: str) -> int | None:
    """Where a piece that begins at line `at` ends."""
    match = re.fullmatch(r"([/%])(.*)\1([-+]?\d{1,6})?", word, re.DOTALL)
    if match is None:
        if not word.isdigit():
            raise usage(call, f"‘{word}’: invalid pattern")
        return int(word[:9]) - 1 if at <= int(word[:9]) - 1 <= len(lines) else None
    test = regexes.compile_posix(match.group(2), extended=False)
    # the line on which the last piece ended begins the next one and does not end it
    for number in range(at + (1 if at else 0), len(lines)):
        if test.search(lines[number].rstrip("\n")):
            return max(min(number + int(match.group(3) or 0), len(lines)), at)
    return None


def tsort(call: Call) -> Code:
    """`tsort [file]`: an order in which each first word of a pair comes before the second."""
    found, code = yield from inputs(call, call.argv[1:2])
    if not found:
        return code
    words = found[0][1].decode("utf-8", "surrogateescape").split()
    shown = "-" if found[0][0] == "-" else found[0][0]
    if len(words) % 2:
        call.err(f"tsort: {shown}: input contains an odd number of tokens\n")
        return 1
    after: dict[str, list[str]] = {word: [] for word in words}
    count = dict.fromkeys(words, 0)
    for first, second in zip(words[::2], words[1::2], strict=True):
        if first != second:
            after[first].append(second)
            count[second] += 1
    ready = sorted(word for word in after if not count[word])
    left = set(after)
    while left:
        if not ready:
            call.err(f"tsort: {shown}: input contains a loop:\n")
            ready, code = [min(left)], 1
            call.err(f"tsort: {ready[0]}\n")
        word = ready.pop(0)
        if word not in left:
            continue
        left.discard(word)
        call.out(word + "\n")
        for one in reversed(after[word]):
            count[one] -= 1
            if not count[one]:
                ready.append(one)
    return code

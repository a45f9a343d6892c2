"""tr: sets of characters translated, squeezed or deleted."""

from __future__ import annotations

import re
from collections.abc import Callable

from ...host.executor import Ended
from ...host.invocation import Call
from .common import Code, parse, usage


def _shown(char: str) -> str:
    return {"\n": "\\n", "\t": "\\t", "\\": "\\\\"}.get(char, char if char.isprintable() else f"\\{ord(char):03o}")


def _set(call: Call, text: str) -> list[str]:
    from .echo import expand

    classes = {
        "alpha": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "digit": "0123456789", "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "lower": "abcdefghijklmnopqrstuvwxyz", "space": " \t\n\r\v\f", "blank": " \t", "punct": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
        "xdigit": "0123456789ABCDEFabcdef", "cntrl": "".join(map(chr, range(32))) + "\x7f", "print": "".join(map(chr, range(32, 127))), "graph": "".join(map(chr, range(33, 127))),
    }  # fmt: skip
    classes["alnum"] = classes["digit"] + classes["alpha"]
    out: list[str] = []
    at = 0
    while at < len(text):
        match = re.compile(r"\[:(\w+):\]").match(text, at)
        if match and match.group(1) not in classes:
            call.err(f"tr: invalid character class ‘{match.group(1)}’\n")
            raise Ended(1)
        if match:
            out += classes[match.group(1)]
            at = match.end()
            continue
        repeat = re.compile(r"\[(\\[0-7]{1,3}|\\.|[^\\])\*(0[0-7]*|[1-9]\d{0,6})?\]", re.DOTALL).match(text, at)
        if repeat:
            # `[c*]` fills up to the other set: padding with the last sign does the same
            count = repeat.group(2) or "1"
            out += _one(repeat.group(1), 0, expand)[0] * max(min(int(count, 8 if count[0] == "0" else 10), 65536), 1)
            at = repeat.end()
            continue
        first, at = _one(text, at, expand)
        if at + 1 < len(text) and text[at] == "-":
            last, at = _one(text, at + 1, expand)
            if ord(last) < ord(first):
                call.err(f"tr: range-endpoints of '{_shown(first)}-{_shown(last)}' are in reverse collating sequence order\n")
                raise Ended(1)
            out += [chr(c) for c in range(ord(first), ord(last) + 1)]
        else:
            out.append(first)
    return out


def _one(text: str, at: int, expand: Callable[[str], tuple[str, bool]]) -> tuple[str, int]:
    """The sign at a place, its escapes undone, and the place after it."""
    octal = re.compile(r"\\([0-7]{1,3})").match(text, at)
    if octal:
        return chr(int(octal.group(1), 8) & 0xFF), octal.end()
    if text[at] == "\\" and at + 1 < len(text):
        return (expand(text[at : at + 2])[0] if text[at + 1] in "nrtabfv\\" else text[at + 1]), at + 2
    return text[at], at + 1


def tr(call: Call) -> Code:
    """`tr [-cds] set1 [set2]`."""
    options, sets = parse(call, "cCdst", "complement:c delete:d squeeze-repeats:s truncate-set1:t")
    if not sets:
        raise usage(call, "missing operand")
    if len(sets) < 2 and "d" not in options and "s" not in options:
        raise usage(call, f"missing operand after ‘{sets[0]}’\nTwo strings must be given when translating.")
    if len(sets) < 2 and "d" in options and "s" in options:
        raise usage(
            call, f"missing operand after ‘{sets[0]}’\nTwo strings must be given when both deleting and squeezing repeats."
        )
    most = 1 if "d" in options and "s" not in options else 2
    if len(sets) > most:
        only = "\nOnly one string may be given when deleting without squeezing repeats." if len(sets) == 2 else ""
        raise usage(call, f"extra operand ‘{sets[most]}’{only}")
    first = _set(call, sets[0])
    second = _set(call, sets[1]) if len(sets) > 1 else []
    if len(sets) > 1 and not second and "t" not in options and "d" not in options:
        call.err("tr: when not truncating set1, string2 must be non-empty\n")
        return 1
    data = (yield from call.read()).decode("utf-8", "surrogateescape")
    complement = "c" in options or "C" in options
    members = set(first)

    def inside(c: str) -> bool:
        return (c in members) != complement

    if "d" in options:
        text = "".join(c for c in data if not inside(c))
        squeeze = set(second) if "s" in options else set()
    elif second:
        if "t" in options:
            first = first[: len(second)]
        if complement:
            text = "".join(second[-1] if inside(c) else c for c in data)
        else:
            padded = second + [second[-1]] * (len(first) - len(second))
            table = {ord(a): b for a, b in reversed(list(zip(first, padded, strict=False)))}
            text = data.translate(table)
        squeeze = set(second) if "s" in options else set()
    else:
        text, squeeze = data, ({c for c in set(data) if inside(c)})
    if squeeze:
        text = re.sub("([" + re.escape("".join(sorted(squeeze))) + r"])\1+", r"\1", text, flags=re.DOTALL)
    call.out(text.encode("utf-8", "surrogateescape"))
    return 0

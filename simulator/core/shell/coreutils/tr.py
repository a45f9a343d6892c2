"""tr: sets of characters translated, squeezed or deleted."""

from __future__ import annotations

import re

from ...host.invocation import Call
from .common import Code, parse, usage


def _set(text: str) -> list[str]:
    from .echo import expand

    classes = {
        "alpha": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "digit": "0123456789", "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "lower": "abcdefghijklmnopqrstuvwxyz", "space": " \t\n\r\v\f", "blank": " \t", "punct": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
        "xdigit": "0123456789ABCDEFabcdef", "cntrl": "".join(map(chr, range(32))) + "\x7f", "print": "".join(map(chr, range(32, 127))), "graph": "".join(map(chr, range(33, 127))),
    }  # fmt: skip
    classes["alnum"] = classes["digit"] + classes["alpha"]
    out: list[str] = []
    text = re.sub(r"\\([0-7]{1,3})", lambda m: chr(int(m.group(1), 8)), text)
    at = 0
    while at < len(text):
        match = re.compile(r"\[:(\w+):\]").match(text, at)
        if match and match.group(1) in classes:
            out += classes[match.group(1)]
            at = match.end()
            continue
        if text[at] == "\\" and at + 1 < len(text):
            out.append(expand(text[at : at + 2])[0] if text[at + 1] in "nrtabfv\\" else text[at + 1])
            at += 2
        elif at + 2 < len(text) and text[at + 1] == "-":
            out += [chr(c) for c in range(ord(text[at]), ord(text[at + 2]) + 1)]
            at += 3
        else:
            out.append(text[at])
            at += 1
    return out


def tr(call: Call) -> Code:
    """`tr [-cds] set1 [set2]`."""
    options, sets = parse(call, "cCdst", "complement:c delete:d squeeze-repeats:s truncate-set1:t")
    if not sets:
        raise usage(call, "missing operand")
    if len(sets) < 2 and "d" not in options and "s" not in options:
        raise usage(call, f"missing operand after ‘{sets[0]}’\nTwo strings must be given when translating.")
    first = _set(sets[0])
    second = _set(sets[1]) if len(sets) > 1 else []
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

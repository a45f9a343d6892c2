"""How diff shows what differs: normal, unified, context, side by side, ed."""

from __future__ import annotations

from ...host.invocation import Call

#: As difflib gives them: what happened, lines of the first file from, to, of the second from, to.
Block = tuple[str, int, int, int, int]


class Painter:
    """Lines with diff's colours where they are wanted."""

    def __init__(self, call: Call, options: dict[str, str]) -> None:
        when = options.get("color", "never") if "color" in options else "never"
        self.on = when == "always" or (when in ("", "auto", "1") and call.stdout_tty)
        self.call = call

    def out(self, text: str, colour: str = "") -> None:
        """Whole lines; each in a colour."""
        if self.on and colour:
            text = "".join(f"\x1b[{colour}m{line}\x1b[0m\n" for line in text.splitlines())
        self.call.out(text.encode("utf-8", "surrogateescape"))


def _marked(mark: str, rows: list[str], start: int, stop: int, data: bytes) -> str:
    text = "".join(f"{mark}{line}\n" for line in rows[start:stop])
    if stop == len(rows) and stop > start and not data.endswith(b"\n"):
        text += "\\ No newline at end of file\n"
    return text


def grouped(blocks: list[Block], around: int) -> list[list[Block]]:
    """Blocks in hunks with `around` equal lines on both sides."""
    groups: list[list[Block]] = []
    group: list[Block] = []
    for number, (tag, i1, i2, j1, j2) in enumerate(blocks):
        if tag != "equal":
            group.append((tag, i1, i2, j1, j2))
            continue
        first, last = not group, number == len(blocks) - 1
        if first:
            keep = min(around, i2 - i1)
            group = [(tag, i2 - keep, i2, j2 - keep, j2)] if not last else []
        elif last or i2 - i1 > 2 * around:
            keep = min(around, i2 - i1)
            group.append((tag, i1, i1 + keep, j1, j1 + keep))
            groups.append(group)
            keep = min(around, i2 - i1)
            group = [(tag, i2 - keep, i2, j2 - keep, j2)] if not last else []
        else:
            group.append((tag, i1, i2, j1, j2))
    if any(block[0] != "equal" for block in group):
        groups.append(group)
    return [[block for block in one if block[0] != "equal" or block[1] < block[2]] for one in groups]


def unified(
    out: Painter,
    options: dict[str, str],
    names: list[str],
    left: list[str],
    right: list[str],
    data: list[bytes],
    blocks: list[Block],
) -> None:
    """`diff -u`."""
    given = options.get("U") or (options["u"] if options.get("u", "").isdigit() and "unified" in " ".join(out.call.argv) else "")
    around = int(given) if given.isdigit() else 3
    out.out(f"--- {names[0]}\n", "1")
    out.out(f"+++ {names[1]}\n", "1")

    def span(start: int, stop: int) -> str:
        size = stop - start
        return f"{start + 1 if size else start}" + ("" if size == 1 else f",{size}")

    for group in grouped(blocks, around):
        out.out(f"@@ -{span(group[0][1], group[-1][2])} +{span(group[0][3], group[-1][4])} @@\n", "36")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                out.out(_marked(" ", left, i1, i2, data[0]))
                continue
            out.out(_marked("-", left, i1, i2, data[0]), "31")
            out.out(_marked("+", right, j1, j2, data[1]), "32")


def context(
    out: Painter,
    options: dict[str, str],
    names: list[str],
    left: list[str],
    right: list[str],
    data: list[bytes],
    blocks: list[Block],
) -> None:
    """`diff -c`."""
    around = int(options["C"]) if options.get("C", "").isdigit() else 3
    out.out(f"*** {names[0]}\n--- {names[1]}\n", "1")

    def span(start: int, stop: int) -> str:
        return f"{start + 1},{stop}" if stop - start > 1 else f"{stop}"

    for group in grouped(blocks, around):
        out.out("***************\n")
        for mark, rows, part, colour in (("-", left, data[0], "31"), ("+", right, data[1], "32")):
            pairs = [(i1, i2) if mark == "-" else (j1, j2) for _, i1, i2, j1, j2 in group]
            stars = "***" if mark == "-" else "---"
            out.out(f"{stars} {span(pairs[0][0], pairs[-1][1])} {stars}{'*' if mark == '-' else '-'}\n", "36")
            if not any(block[0] != "equal" and start < stop for block, (start, stop) in zip(group, pairs, strict=True)):
                continue
            for tag, i1, i2, j1, j2 in group:
                sign = "  " if tag == "equal" else "! " if tag == "replace" else f"{mark} "
                start, stop = (i1, i2) if mark == "-" else (j1, j2)
                out.out(_marked(sign, rows, start, stop, part), "" if sign == "  " else colour)


def normal(out: Painter, left: list[str], right: list[str], data: list[bytes], blocks: list[Block]) -> None:
    """The oldest form."""

    def span(start: int, stop: int) -> str:
        return f"{start + 1}" if stop - start == 1 else f"{start + 1},{stop}"

    for tag, i1, i2, j1, j2 in blocks:
        if tag == "equal":
            continue
        head = {"delete": f"{span(i1, i2)}d{j1}", "insert": f"{i1}a{span(j1, j2)}", "replace": f"{span(i1, i2)}c{span(j1, j2)}"}[
            tag
        ]
        out.out(head + "\n", "36")
        out.out(_marked("< ", left, i1, i2, data[0]), "31")
        if tag == "replace":
            out.out("---\n")
        out.out(_marked("> ", right, j1, j2, data[1]), "32")


def ed(call: Call, right: list[str], blocks: list[Block]) -> None:
    """`diff -e`: commands for ed, the last change first."""
    for tag, i1, i2, j1, j2 in reversed(blocks):
        if tag == "equal":
            continue
        place = f"{i1 + 1}" if i2 - i1 == 1 else f"{i1 + 1},{i2}"
        if tag == "delete":
            call.out(f"{place}d\n")
            continue
        call.out((f"{i1}a" if tag == "insert" else f"{place}c") + "\n" + "".join(f"{line}\n" for line in right[j1:j2]) + ".\n")


def side_by_side(call: Call, options: dict[str, str], left: list[str], right: list[str], blocks: list[Block]) -> None:
    """`diff -y`: two columns with tabs between them, as GNU's sdiff places them."""
    width = int(options["W"]) if options.get("W", "").isdigit() else 130
    tab = 8
    offset = (width + tab + 3) // (2 * tab) * tab
    half = max(0, min(offset - 3, width - offset))
    column = offset if half else width

    def cut(text: str) -> str:
        return text.expandtabs(tab)[:half]

    def row(one: str | None, sign: str, two: str | None) -> None:
        text = cut(one) if one is not None else ""
        at = len(text)
        if sign != " ":
            middle = (half + column - 1) // 2
            text, at = _to(text, at, middle, tab)
            text, at = text + sign, at + 1
        if two is not None:
            if two:
                text, at = _to(text, at, column, tab)
            text += cut(two)
        call.out((text + "\n").encode("utf-8", "surrogateescape"))

    for tag, i1, i2, j1, j2 in blocks:
        if tag == "equal":
            if "common" in options:
                continue
            for one, two in zip(left[i1:i2], right[j1:j2], strict=True):
                row(one, "(" if "left" in options else " ", None if "left" in options else two)
            continue
        both = min(i2 - i1, j2 - j1)
        for n in range(both):
            row(left[i1 + n], "|", right[j1 + n])
        for one in left[i1 + both : i2]:
            row(one, "<", None)
        for two in right[j1 + both : j2]:
            row(None, ">", two)


def _to(text: str, at: int, goal: int, tab: int) -> tuple[str, int]:
    """Tabs, then blanks, up to a column."""
    while at + (tab - at % tab) <= goal:
        text += "\t"
        at += tab - at % tab
    return text + " " * (goal - at), goal

"""pr: text in pages and columns (coreutils' pr.c): `-t -n -d -l -w -o -h -m -a -s -COLUMNS +PAGE`."""

from __future__ import annotations

import re

from ...host.invocation import Call
from ...kernel.clock import to_datetime
from .common import Code, inputs, parse, usage, whole

#: Lines of the head and of the foot of a page.
HEAD = FOOT = 5


def pr(call: Call) -> Code:
    """`pr [-COLUMNS] [-adFmrt] [-h header] [-l lines] [-n[sep[digits]]] [-o margin] [-s[char]] [-w width] [files]`."""
    columns, first_page = 1, 1
    words = []
    for word in call.argv[1:]:
        if re.fullmatch(r"-\d{1,3}", word):
            columns = max(int(word[1:]), 1)
        elif (page := re.fullmatch(r"-(\d{1,3})([a-zA-Z].*)", word)) is not None:
            columns = max(int(page.group(1)), 1)
            words.append(f"-{page.group(2)}")
        elif (page := re.fullmatch(r"\+(\d{1,6})(:\d+)?", word)) is not None:
            first_page = max(int(page.group(1)), 1)
        elif (joined := re.fullmatch(r"-([adFfmrtT]*)([ns])(.*)", word)) is not None and not word.startswith("--"):
            words += [f"-{joined.group(1)}"] * bool(joined.group(1)) + [f"--opt-{joined.group(2)}={joined.group(3)}"]
        else:
            words.append(word)
    call.argv = [call.argv[0], *words]
    options, names = parse(
        call,
        "adFfmrtTh:l:o:w:W:",
        "columns=columns across:a double-space:d header=h length=l merge:m indent=o no-file-warnings:r omit-header:t omit-pagination:T "
        "width=w page-width=W opt-n=n opt-s=s number-lines?n separator?s form-feed:F",
    )
    columns = int(options["columns"]) if options.get("columns", "").isdigit() else columns
    length = whole(call, options.get("l", "66"), "invalid number of lines: ‘{}’")
    width = whole(call, options.get("w", options.get("W", "72")), "invalid number of characters: ‘{}’")
    margin = min(whole(call, options.get("o", "0"), "invalid line offset: ‘{}’"), 1000)
    width, length, columns = min(width, 4096), min(length, 100_000), min(columns, 500)
    found, code = yield from inputs(call, names)
    if "m" in options:
        columns = max(len(found), 1)
    if width // max(columns, 1) < 1 and columns > 1:
        raise usage(call, "page width too narrow")
    bare = "t" in options or "T" in options or length <= HEAD + FOOT
    rows_a_page = length if bare else length - HEAD - FOOT
    if "d" in options:
        rows_a_page = max(rows_a_page // 2, 1)
    texts = [
        (name, data.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n") if data else []) for name, data in found
    ]
    groups = [texts] if "m" in options else [[text] for text in texts]
    for group in groups:
        shape = _Shape(options, columns, width, margin)
        number = 1
        lists = [[line.expandtabs() if columns > 1 else line for line in lines] for _, lines in group]
        if "m" in options:
            height = max((len(lines) for lines in lists), default=0)
            table = [[lines[n] if n < len(lines) else "" for lines in lists] for n in range(height)]
            pages = [table[at : at + rows_a_page] for at in range(0, len(table), rows_a_page)]
        else:
            each = rows_a_page * columns
            numbered = [shape.numbered(n + 1, line) for n, line in enumerate(lists[0])]
            blocks = [numbered[at : at + each] for at in range(0, len(numbered), each)]
            pages = [shape.arranged(block, rows_a_page, last=n == len(blocks) - 1) for n, block in enumerate(blocks)]
        for page_number, table_page in enumerate(pages, 1):
            if page_number < first_page:
                number += len(table_page)
                continue
            body = []
            for row in table_page:
                text = shape.line(row, number if "m" in options else 0)
                number += 1
                body += [text, ""] if "d" in options else [text]
            if bare:
                out = body
            else:
                title = options.get("h", "" if group[0][0] == "-" else group[0][0])
                when = f"{to_datetime(call.world.wall):%Y-%m-%d %H:%M}"
                shown = f"Page {page_number}"
                gap = max(width - len(when) - len(title) - len(shown), 0)
                left = gap // 2
                head = f"{when}{' ' * left}{title}{' ' * (gap - left)}{shown}"
                out = ["", "", head, "", "", *body, *[""] * (length - HEAD - len(body))]
            call.out("".join((" " * margin if line else "") + line + "\n" for line in out).encode("utf-8", "surrogateescape"))
    return code


class _Shape:
    """How the cells of a row stand beside each other."""

    def __init__(self, options: dict[str, str], columns: int, width: int, margin: int) -> None:
        self.columns, self.across = columns, "a" in options
        self.separator = None if "s" not in options else options["s"][:1] or "\t"
        self.number: tuple[str, int] | None = None
        if "n" in options:
            given = re.fullmatch(r"(\D?)(\d{0,2})", options["n"])
            self.number = ((given.group(1) if given else "") or "\t", int((given.group(2) if given else "") or 5))
        self.cell = (width - (columns - 1)) // columns if columns > 1 else 0

    def numbered(self, number: int, line: str) -> str:
        """A line with its number."""
        if self.number is None:
            return line
        mark, digits = self.number
        return f"{number % 10**digits:{digits}d}{mark}{line}"

    def arranged(self, block: list[str], rows: int, *, last: bool) -> list[list[str]]:
        """The rows of a page: down the columns, which the last page balances, or across them."""
        if self.columns == 1:
            return [[line] for line in block]
        if self.across:
            return [block[at : at + self.columns] for at in range(0, len(block), self.columns)]
        if not last:
            return [block[at::rows] for at in range(min(rows, len(block)))]
        full, over = divmod(len(block), self.columns)
        sizes = [full + (1 if n < over else 0) for n in range(self.columns)]
        starts = [sum(sizes[:n]) for n in range(self.columns)]
        return [[block[starts[n] + row] for n in range(self.columns) if row < sizes[n]] for row in range(max(sizes))]

    def line(self, cells: list[str], number: int) -> str:
        """One row as text; gaps are tabs as far as they go."""
        before = ""
        if number and self.number is not None:
            before = f"{number:{self.number[1]}d}{self.number[0]}"
        if self.columns == 1:
            return before + cells[0]
        if self.separator is not None:
            return before + self.separator.join(cells)
        text, at = before, len(before.expandtabs())
        for place, cell in enumerate(cells):
            want = place * (self.cell + 1)
            if place:
                text += _gap(at, want)
                at = want
            shown = cell.expandtabs()[: self.cell]
            text += shown
            at += len(shown)
        return text.rstrip(" ")


def _gap(at: int, to: int) -> str:
    """Blanks from one column to another, tabs where they fit."""
    out = ""
    while at < to:
        stop = at + 8 - at % 8
        if stop > to or to - at == 1:
            return out + " " * (to - at)
        out, at = out + "\t", stop
    return out

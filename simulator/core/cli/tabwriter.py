"""Column alignment as Go's `text/tabwriter` does it.

A cell ends with a tab; a column is a run of consecutive lines that have a cell there, so a shorter line ends a column and the next
one starts anew.  The text after a line's last tab is in no column.  Padded with tabs, widths round up to `tabwidth`.
"""

from __future__ import annotations


def align(text: str, *, minwidth: int = 0, tabwidth: int = 8, padding: int = 1, padchar: str = " ") -> str:
    """`text`, whose cells end with tabs, with its columns aligned; a form feed ends every column, as a flush does."""
    return "".join(_block(part, minwidth, tabwidth, padding, padchar) for part in text.split("\f"))


def _block(text: str, minwidth: int, tabwidth: int, padding: int, padchar: str) -> str:
    lines = [line.split("\t") for line in text.split("\n")]
    widths: list[list[int]] = [[0] * (len(line) - 1) for line in lines]
    _measure(lines, widths, 0, len(lines), 0, minwidth, padding)
    out = []
    for line, sizes in zip(lines, widths, strict=True):
        parts = []
        for cell, width in zip(line, sizes, strict=False):
            parts.append(cell)
            if padchar == "\t":
                gap = -(-width // tabwidth) * tabwidth - len(cell)
                parts.append("\t" * -(-gap // tabwidth))
            else:
                parts.append(padchar * (width - len(cell)))
        parts.append(line[-1])
        out.append("".join(parts))
    return "\n".join(out)


def _measure(
    lines: list[list[str]], widths: list[list[int]], start: int, end: int, column: int, minwidth: int, padding: int
) -> None:
    """Set the width of `column` in each run of lines in [start, end) that has it, then those of the columns right of it."""
    at = start
    while at < end:
        if len(lines[at]) - 1 <= column:
            at += 1
            continue
        run, width = at, minwidth
        while run < end and len(lines[run]) - 1 > column:
            width = max(width, len(lines[run][column]) + padding)
            run += 1
        for index in range(at, run):
            widths[index][column] = width
        _measure(lines, widths, at, run, column + 1, minwidth, padding)
        at = run

"""Tables that people take away: CSV that a spreadsheet cannot be made to run, and XLSX."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

Cell = str | float | int | None
#: What a spreadsheet takes for a formula at the start of a cell.
_LIVE = ("=", "+", "-", "@", "\t", "\r")


def safe(cell: Cell) -> Cell:
    """Text as text: a cell that a spreadsheet would run gets an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_LIVE) else cell


def csv_text(rows: Iterable[Sequence[Cell]]) -> str:
    """Comma-separated, CRLF (RFC 4180); an empty cell for None, numbers without needless zeros."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([_plain(safe(cell)) for cell in row])
    return out.getvalue()


def _plain(cell: Cell) -> Any:
    return "" if cell is None else f"{cell:.10g}" if isinstance(cell, float) else cell


def xlsx_bytes(name: str, rows: Iterable[Sequence[Cell]]) -> bytes:
    """One sheet with a frozen head; numbers are numbers, and text is text, whatever it begins with."""
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Font

    book = Workbook()
    sheet: Any = book.active
    sheet.title = "".join("_" if letter in r"[]:*?/\'" else letter for letter in name)[:31] or "Grades"
    for number, row in enumerate(rows, 1):
        for column, cell in enumerate(row, 1):
            value = ILLEGAL_CHARACTERS_RE.sub("", cell) if isinstance(cell, str) else cell
            target = sheet.cell(number, column, value)
            if isinstance(value, str):
                target.data_type = "s"  # never a formula
            if number == 1:
                target.font = Font(bold=True)
    sheet.freeze_panes = "B2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()

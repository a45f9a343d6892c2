"""Tables (gosuri/uitable), JSON and YAML as Helm prints them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .. import goyaml


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], width: int = 0) -> str:
    """Columns with a tab between them, each as wide as its longest cell; `width` cuts cells."""
    body = [[cell if not width or len(cell) <= width else cell[: width - 3] + "..." for cell in row] for row in rows]
    whole = [list(titles), *body] if titles else body
    if not whole:
        return ""
    widths = [max(len(row[n]) for row in whole) for n in range(len(whole[0]))]
    return "".join("\t".join(cell.ljust(widths[n]) for n, cell in enumerate(row)) + "\n" for row in whole)


def structured(form: str, value: Any) -> str:
    """`-o json` on one line, `-o yaml`."""
    if form == "json":
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n"
    return goyaml.dump(value)

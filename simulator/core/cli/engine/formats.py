"""`--format`: tables, JSON and Go templates over rows (docker/cli `cli/command/formatter`, `templates`)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from ...runtime.engine.creation import BadSpec
from .. import tabwriter
from ..kubectl import gotemplate
from ..kubectl.gotemplate_parse import TemplateError

Row = dict[str, Any]


def go_json(value: Any, *, indent: int | None = None) -> str:
    """JSON as Go's encoder writes it for these tools (no HTML escapes, separators without blanks)."""
    if indent:
        return json.dumps(value, indent=indent, ensure_ascii=False)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _pad(text: str, left: int, right: int) -> str:
    return " " * left + text + " " * right if text else text


_EXTRA: dict[str, Callable[..., Any]] = {
    "json": lambda value: go_json(None if value is gotemplate.MISSING else value),
    "split": lambda text, sep: str(text).split(sep),
    "join": lambda items, sep: sep.join(str(item) for item in items or []),
    "title": lambda text: str(text).title(),
    "lower": lambda text: str(text).lower(),
    "upper": lambda text: str(text).upper(),
    "pad": _pad,
    "truncate": lambda text, count: str(text)[:count],
}


def render(template: str, data: Any) -> str:
    """A Go template with docker's functions applied to data; raises BadSpec in the tool's words."""
    try:
        return gotemplate.Template(template, "", functions={**gotemplate.FUNCTIONS, **_EXTRA}).execute(data)
    except TemplateError as bad:
        raise BadSpec(f"template parsing error: {bad}" if "executing" not in str(bad) else str(bad)) from None


def table(rows: Sequence[Sequence[str]], *, minwidth: int = 10) -> str:
    """Rows as docker's tabwriter aligns them (`NewWriter(out, 10, 1, 3, ' ', 0)`)."""
    return tabwriter.align("".join("\t".join(row) + "\n" for row in rows), minwidth=minwidth, tabwidth=1, padding=3)


def listing(form: str, header: dict[str, str], columns: Sequence[str], rows: Sequence[Row], *, quiet: str = "") -> str:
    """Rows by `--format`: "" or `table` gives `columns`, `table {{…}}` those of the template, `json` a line each, else a template.

    `header` maps a field to its heading; with `quiet` only that field is printed.
    """
    if quiet and form in ("", "table"):
        return "".join(f"{row[quiet]}\n" for row in rows)
    if form in ("", "table"):
        return table([[header[c] for c in columns], *([str(row[c]) for c in columns] for row in rows)])
    if form == "json" or form == "{{json .}}":
        return "".join(go_json({k: str(v) for k, v in sorted(row.items())}) + "\n" for row in rows)
    own = form.startswith("table ")
    body = form.removeprefix("table ").replace("\\t", "\t").replace("\\n", "\n")
    lines = [render(body, row) for row in rows]
    if not own:
        return "".join(line + "\n" for line in lines)
    heads = re.sub(r"\{\{[^}]*?\.(\w+)[^}]*\}\}", lambda m: header.get(m[1], m[1]), body)
    return table([line.split("\t") for line in [heads, *lines]])


def inspect(form: str, found: Sequence[Any], *, indent: int = 4) -> str:
    """`inspect`: a JSON list, or a template a line."""
    if not form or (form == "json" and indent == 0):
        return go_json(list(found), indent=indent) + "\n"
    if form == "json":
        return go_json(list(found)) + "\n"
    body = form.replace("\\t", "\t").replace("\\n", "\n")
    return "".join(render(body, one) + "\n" for one in found)

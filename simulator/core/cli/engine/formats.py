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
    "json": lambda value: go_json(None if value is gotemplate.MISSING or isinstance(value, _NilList) else value),
    "split": lambda text, sep: str(text).split(sep),
    "join": lambda items, sep: sep.join(str(item) for item in items or []),
    "title": lambda text: str(text).title(),
    "lower": lambda text: str(text).lower(),
    "upper": lambda text: str(text).upper(),
    "pad": _pad,
    "truncate": lambda text, count: str(text)[:count],
}


#: Fields of `inspect` that are maps: a key that they lack is no error (docker/cli runs the template over the typed object first).
_MAPS = frozenset(
    {"Labels", "Annotations", "Networks", "Ports", "Options", "Sysctls", "Config", "Volumes", "ExposedPorts", "DriverOpts", "Data", "Containers",
     "Tmpfs", "StorageOpt", "PortBindings"}
)  # fmt: skip
#: Fields that may be absent: a pointer that is nil as long as nothing below it is asked for.
_POINTERS = frozenset({"Health", "Healthcheck", "SizeRw", "SizeRootFs", "Mounts", "Annotations", "ClusterVolume", "UsageData"})


#: Lists of objects: what is nil prints as `[]`, and is `null` in JSON.
_LISTS = frozenset(
    {"Aliases", "Binds", "BlkioWeightDevice", "CapAdd", "CapDrop", "Cmd", "DeviceCgroupRules", "DeviceRequests", "Devices", "Dns", "DnsOptions",
     "DnsSearch", "DNSNames", "Entrypoint", "Env", "ExecIDs", "ExtraHosts", "GroupAdd", "Links", "MaskedPaths", "OnBuild", "ReadonlyPaths",
     "RepoDigests", "RepoTags", "SecurityOpt", "Shell", "Ulimits", "VolumesFrom"}
)  # fmt: skip
#: Texts that the engine leaves out where they are empty.
_TEXTS = frozenset({"Variant", "OsVersion"})


class _NilList(list[Any]):
    """A Go slice that is nil."""


class _Labels(dict[str, str]):
    """Labels of a row: the client's `.Label` gives an empty text for one that is not there."""

    def get(self, key: str, default: Any = None) -> str:
        return super().get(key, "")


def _heading(label: str) -> str:
    """The heading of `{{.Label "a.b-c"}}`."""
    return re.sub("[-_]", " ", label.rpartition(".")[2])


class _Row(gotemplate.Template):
    """A template over a row of a list, a struct of the client's: `kind` is its type."""

    kind = ""

    def _field(self, value: Any, name: str, word: Any) -> Any:
        if self.kind and isinstance(value, dict) and name not in value:
            raise self._fail(f"at <{word.text}>: can't evaluate field {name} in type {self.kind}", word.where)
        return super()._field(value, name, word)


class _Object(gotemplate.Template):
    """A template over an object of the engine: what it has no field for is an error."""

    def _field(self, value: Any, name: str, word: Any) -> Any:
        if isinstance(value, dict) and name not in value:
            at = word.fields.index(name)
            inside = word.fields[at - 1] if at else ""
            within_map = inside in _MAPS and not (inside == "Config" and at == 1)
            last = at == len(word.fields) - 1
            if not within_map and not (name in _POINTERS | _TEXTS and last):
                raise self._fail(f'at <{word.text}>: map has no entry for key "{name}"', word.where)
            if not within_map:
                return "" if name in _TEXTS else None
        found = super()._field(value, name, word)
        if found is None and isinstance(value, dict):
            return _NilList() if name in _LISTS else {} if name in _MAPS else None
        return found

    def shown(self, value: Any) -> str:
        return "<nil>" if value is None else super().shown(value)


def render(template: str, data: Any, *, kind: str = "", strict: bool = False) -> str:
    """A Go template with docker's functions applied to data; raises BadSpec in the tool's words.

    `kind` is the client's type of a row, whose missing fields are errors; `strict` makes those of an inspected object errors.
    """
    if kind and ".Label " in template:
        template = re.sub(r'\.Label\s+("[^"]*")', r"index .LabelMap \1", template)
        pairs = (pair.partition("=") for pair in str(data.get("Labels", "")).split(",") if pair)
        data = {**data, "LabelMap": _Labels({name: value for name, _, value in pairs})}
    try:
        made = (_Object if strict else _Row)(template, "", functions={**gotemplate.FUNCTIONS, **_EXTRA})
        if isinstance(made, _Row):
            made.kind = kind
        return made.execute(data)
    except TemplateError as bad:
        lead = (
            "failed to execute template: "
            if kind.endswith("ContainerContext") and "executing" in str(bad)
            else "template parsing error: "
        )
        raise BadSpec(f"{lead}{bad}" if kind or strict or "executing" not in str(bad) else str(bad)) from None


def table(rows: Sequence[Sequence[str]], *, minwidth: int = 10) -> str:
    """Rows as docker's tabwriter aligns them (`NewWriter(out, 10, 1, 3, ' ', 0)`)."""
    return tabwriter.align("".join("\t".join(row) + "\n" for row in rows), minwidth=minwidth, tabwidth=1, padding=3)


def listing(
    form: str, header: dict[str, str], columns: Sequence[str], rows: Sequence[Row], *, quiet: str = "", kind: str = ""
) -> str:
    """Rows by `--format`: "" or `table` gives `columns`, `table {{…}}` those of the template, `json` a line each, else a template.

    `header` maps a field to its heading; with `quiet` only that field is printed; `kind` is the client's Go type of a row.
    """
    if quiet and form in ("", "table"):
        return "".join(f"{row[quiet]}\n" for row in rows)
    if form in ("", "table"):
        return table([[header[c] for c in columns], *([str(row[c]) for c in columns] for row in rows)])
    if form == "json" or form == "{{json .}}":
        return "".join(go_json({k: v if isinstance(v, bool) else str(v) for k, v in sorted(row.items())}) + "\n" for row in rows)
    own = form.startswith("table ")
    body = form.removeprefix("table ").replace("\\t", "\t").replace("\\n", "\n")
    lines = [render(body, row, kind=kind) for row in rows]
    if not own:
        return "".join(line + "\n" for line in lines)
    body = re.sub(r'\{\{\s*\.Label\s+"([^"]*)"\s*\}\}', lambda m: _heading(m[1]), body)
    heads = re.sub(r"\{\{[^}]*?\.(\w+)[^}]*\}\}", lambda m: header.get(m[1], m[1]), body)
    return table([line.split("\t") for line in [heads, *lines]])


def inspect(form: str, found: Sequence[Any], *, indent: int = 4, strict: bool = False) -> str:
    """`inspect`: a JSON list, or a template a line; `strict`: a field that is not there is an error."""
    if not form or (form == "json" and indent == 0):
        return go_json(list(found), indent=indent) + "\n"
    if form == "json":
        return go_json(list(found)) + "\n"
    body = form.replace("\\t", "\t").replace("\\n", "\n")
    return "".join(render(body, one, strict=strict) + "\n" for one in found)

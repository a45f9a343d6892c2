"""Charts: loading them from a directory or an archive, their values, their subcharts (helm `pkg/chart`, `chartutil`)."""

from __future__ import annotations

import fnmatch
import gzip
import io
import tarfile
from typing import Any

import msgspec

from ...host.filesystem import Tree
from .. import goyaml
from .sprig import satisfies, version_key

Obj = dict[str, Any]
#: How much a chart may hold.
MOST_FILES, MOST_BYTES = 2000, 8_000_000


class ChartError(Exception):
    """A chart that cannot be loaded; the text is Helm's."""


class Chart(msgspec.Struct):
    """A chart: Chart.yaml, values.yaml as text and data, templates, the definitions in crds/, other files, and its subcharts under their
    names (or aliases)."""

    meta: Obj
    values: Obj
    values_text: str = ""
    templates: dict[str, str] = {}
    crds: dict[str, str] = {}
    files: dict[str, bytes] = {}
    children: list[tuple[Chart, str]] = []
    raw: dict[str, bytes] = {}

    @property
    def name(self) -> str:
        """The name in Chart.yaml."""
        return str(self.meta.get("name", ""))

    @property
    def version(self) -> str:
        """The version in Chart.yaml."""
        return str(self.meta.get("version", ""))

    @property
    def app_version(self) -> str:
        """`appVersion`, as lists show it."""
        return str(self.meta.get("appVersion", ""))

    @property
    def label(self) -> str:
        """`name-version`."""
        return f"{self.name}-{self.version}"


def _mapping(text: bytes, what: str) -> Obj:
    try:
        found = goyaml.load(text.decode("utf-8", "replace"))
    except (goyaml.YamlError, ValueError) as bad:
        raise ChartError(f"cannot load {what}: error converting YAML to JSON: {bad}") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ChartError(
            f"cannot load {what}: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal into Go value of type map[string]interface {{}}"
        )
    return found


def build(raw: dict[str, bytes]) -> Chart:
    """A chart of its files by path; raises ChartError."""
    if "Chart.yaml" not in raw:
        raise ChartError("Chart.yaml file is missing")
    meta = _mapping(raw["Chart.yaml"], "Chart.yaml")
    _validate(meta)
    text = raw.get("values.yaml", b"").decode("utf-8", "replace")
    chart = Chart(meta, _mapping(raw.get("values.yaml", b""), "values.yaml"), text, raw=raw)
    below: dict[str, dict[str, bytes]] = {}
    archives: list[bytes] = []
    for path, data in sorted(raw.items()):
        if path.startswith("templates/"):
            chart.templates[path] = data.decode("utf-8", "replace")
        elif path.startswith("crds/"):
            chart.crds[path] = data.decode("utf-8", "replace")
        elif path.startswith("charts/"):
            rest = path.removeprefix("charts/")
            folder, slash, inner = rest.partition("/")
            if slash:
                below.setdefault(folder, {})[inner] = data
            elif rest.endswith(".tgz"):
                archives.append(data)
        elif path not in ("Chart.yaml", "values.yaml", "Chart.lock"):
            chart.files[path] = data
    found = [build(files) for name, files in sorted(below.items()) if "Chart.yaml" in files] + [unpack(data) for data in archives]
    wanted: list[Obj] = meta.get("dependencies") or []
    for one in wanted:
        match = next(
            (
                child
                for child in found
                if child.name == one.get("name") and satisfies(str(one.get("version") or "*"), child.version)
            ),
            None,
        )
        if match is not None:
            chart.children.append((match, one.get("alias") or match.name))
    listed = {one.get("name") for one in wanted}
    chart.children += [(child, child.name) for child in found if child.name not in listed]
    return chart


def missing(chart: Chart) -> list[str]:
    """Dependencies that Chart.yaml names and charts/ lacks."""
    have = {child.name for child, _ in chart.children}
    return [str(one.get("name")) for one in chart.meta.get("dependencies") or [] if one.get("name") not in have]


def _validate(meta: Obj) -> None:
    for key, why in (
        ("apiVersion", "chart.metadata.apiVersion is required"),
        ("name", "chart.metadata.name is required"),
        ("version", "chart.metadata.version is required"),
    ):
        if not meta.get(key):
            raise ChartError(f"validation: {why}")
    try:
        version_key(str(meta["version"]))
    except ValueError:
        raise ChartError(f'validation: chart.metadata.version "{meta["version"]}" is invalid') from None
    if meta.get("type", "application") not in ("application", "library"):
        raise ChartError("validation: chart.metadata.type must be application or library")


def unpack(data: bytes) -> Chart:
    """A chart of an archive."""
    raw: dict[str, bytes] = {}
    size = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                size += member.size
                if size > MOST_BYTES or len(raw) >= MOST_FILES:
                    raise ChartError("chart archive is too large: stopped by Slipway")
                body = archive.extractfile(member)
                raw[member.name.partition("/")[2]] = body.read() if body is not None else b""
    except (tarfile.TarError, OSError, EOFError) as bad:
        raise ChartError(
            f"file does not appear to be a gzipped archive; got 'application/octet-stream' ({bad})"
            if isinstance(bad, OSError)
            else str(bad)
        ) from None
    return build(raw)


def pack(chart: Chart) -> bytes:
    """The archive of a chart, the same bytes for the same files."""
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, data in sorted(chart.raw.items()):
            info = tarfile.TarInfo(f"{chart.name}/{path}")
            info.size, info.mode = len(data), 0o644
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(body.getvalue(), mtime=0)


def read(tree: Tree, path: str) -> dict[str, bytes]:
    """The files of a chart's directory; `.helmignore` counts."""
    if not tree.exists(f"{path}/Chart.yaml"):
        raise ChartError("Chart.yaml file is missing")
    ignored: list[str] = []
    if tree.exists(f"{path}/.helmignore"):
        ignored = [
            line.strip()
            for line in tree.read(f"{path}/.helmignore").decode(errors="replace").splitlines()
            if line.strip() and not line.startswith("#")
        ]
    out: dict[str, bytes] = {}
    size = 0
    for where, node in tree.walk(path):
        name = where[len(path) :].lstrip("/")
        if node.kind != "file" or any(
            fnmatch.fnmatchcase(part, pattern.strip("/")) for pattern in ignored for part in (name, *name.split("/"))
        ):
            continue
        size += len(node.data)
        if size > MOST_BYTES or len(out) >= MOST_FILES:
            raise ChartError("chart is too large: stopped by Slipway")
        out[name] = node.data
    return out


# -- values ---------------------------------------------------------------------------------------------------------------
def coalesce(over: Obj, base: Obj) -> Obj:
    """`over` on top of `base`; null takes a default away (chartutil.CoalesceTables)."""
    out = dict(base)
    for key, value in over.items():
        held = out.get(key)
        if value is None:
            out.pop(key, None)
        elif isinstance(value, dict) and isinstance(held, dict):
            out[key] = coalesce(value, held)
        else:
            out[key] = value
    return out


def effective(chart: Chart, given: Obj) -> Obj:
    """The values of a chart with all below it: subcharts get their own part and `global`; those that are switched off are dropped."""
    values = coalesce(given, chart.values)
    _switch(chart, values)
    shared = values.get("global") if isinstance(values.get("global"), dict) else {}
    for child, name in chart.children:
        own = values.get(name)
        below = dict(own) if isinstance(own, dict) else {}
        if shared:
            below["global"] = coalesce(shared, below.get("global") or {})
        values[name] = effective(child, below)
    return values


def _switch(chart: Chart, values: Obj) -> None:
    kept: list[tuple[Chart, str]] = []
    rules = {one.get("alias") or one.get("name"): one for one in chart.meta.get("dependencies") or []}
    for child, name in chart.children:
        rule = rules.get(name) or {}
        on = True
        tags = [bool((values.get("tags") or {}).get(tag)) for tag in rule.get("tags") or [] if tag in (values.get("tags") or {})]
        if tags:
            on = any(tags)
        for path in str(rule.get("condition") or "").split(","):
            found = _at(values, path.strip()) if path.strip() else None
            if isinstance(found, bool):
                on = found
                break
        if on:
            kept.append((child, name))
    chart.children = kept


def _at(values: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(values, dict) or key not in values:
            return None
        values = values[key]
    return values

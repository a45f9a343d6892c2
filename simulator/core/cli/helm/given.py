"""What the command line gives: values of `-f` and `--set`, and the chart that an argument names (helm `pkg/cli/values`, `pkg/strvals`)."""

from __future__ import annotations

import re
from typing import Any

from ...host.invocation import Call
from .. import goyaml
from ..flags import Values
from . import charts, repositories
from .charts import Chart, ChartError
from .cluster import HelmError
from .sprig import satisfies

Obj = dict[str, Any]
#: The longest list that `--set` may make (strvals: MaxIndex).
MAX_INDEX = 65536


def _scalar(text: str) -> Any:
    """A value of `--set`: null, true, false, a whole number without a leading zero, or text."""
    if text in ("true", "false"):
        return text == "true"
    if text == "null":
        return None
    if re.fullmatch(r"-?(0|[1-9]\d{0,17})", text):
        return int(text)
    return text


def _split(text: str, mark: str) -> list[str]:
    """Parts at a mark that is neither escaped nor in braces."""
    out, part, depth, at = [], "", 0, 0
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            part += text[at : at + 2]
            at += 2
            continue
        depth += (char == "{") - (char == "}")
        if char == mark and depth <= 0:
            out.append(part)
            part = ""
        else:
            part += char
        at += 1
    return [*out, part]


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _assign(target: Any, keys: list[str], value: Any, whole: str) -> Any:
    if not keys:
        return value
    key, rest = keys[0], keys[1:]
    match = re.fullmatch(r"(.*?)((?:\[\d+\])+)", key)
    if match is not None and match[1]:
        indexes = [int(n) for n in re.findall(r"\d+", match[2])]
        held = target if isinstance(target, dict) else {}
        held[_plain(match[1])] = _index(held.get(_plain(match[1])), indexes, rest, value, whole)
        return held
    held = target if isinstance(target, dict) else {}
    held[_plain(key)] = _assign(held.get(_plain(key)), rest, value, whole)
    return held


def _index(target: Any, indexes: list[int], rest: list[str], value: Any, whole: str) -> list[Any]:
    at = indexes[0]
    if at > MAX_INDEX:
        raise HelmError(
            f"failed parsing --set data: error parsing index: index of {at} is greater than maximum supported index of {MAX_INDEX}"
        )
    items = list(target) if isinstance(target, list) else []
    items += [None] * (at + 1 - len(items))
    items[at] = _index(items[at], indexes[1:], rest, value, whole) if len(indexes) > 1 else _assign(items[at], rest, value, whole)
    return items


def set_values(values: Obj, text: str, *, strings: bool = False, literal: bool = False, flag: str = "--set") -> None:
    """`a.b=1,c[0].d={x,y}` into values; raises HelmError."""
    for part in [text] if literal else _split(text, ","):
        if not part.strip():
            continue
        key, equals, raw = part.partition("=")
        if not equals:
            raise HelmError(f'failed parsing {flag} data: key "{part}" has no value')
        value: Any
        if literal:
            value = raw
        elif raw.startswith("{") and raw.endswith("}"):
            inner = raw[1:-1]
            value = [_plain(item) if strings else _scalar(_plain(item)) for item in _split(inner, ",")] if inner else []
        else:
            value = _plain(raw) if strings else _scalar(_plain(raw))
        _assign(values, _split(key, "."), value, part)


def merged(call: Call, given: Values, inputs: dict[str, bytes]) -> Obj:
    """The values of a command line: files first, then `--set-json`, `--set`, `--set-string`, `--set-file`, `--set-literal`.  `inputs` holds what
    was read of descriptors (`-f -`, `-f <(…)`)."""
    out: Obj = {}
    for path in given.items("values"):
        if path.startswith(("http://", "https://")):
            raise HelmError(f"failed to fetch {path} : values from an address: not simulated in Slipway yet")
        try:
            text = (inputs[path] if path in inputs else call.read_file(path)).decode("utf-8", "replace")
        except OSError as failed:
            raise HelmError(f"open {path}: {(failed.strerror or '').lower()}") from None
        try:
            found = goyaml.load(text)
        except (goyaml.YamlError, ValueError) as bad:
            raise HelmError(f"failed to parse {path}: error converting YAML to JSON: {bad}") from None
        if found is not None and not isinstance(found, dict):
            raise HelmError(
                f"failed to parse {path}: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal into Go value of type map[string]interface {{}}"
            )
        out = charts.coalesce(found or {}, out) if out else dict(found or {})
    for text in given.items("set-json"):
        key, _, raw = text.partition("=")
        try:
            _assign(out, _split(key, "."), goyaml.load(raw), text)
        except (goyaml.YamlError, ValueError):
            raise HelmError(f"failed parsing --set-json data {text}") from None
    for text in given.items("set"):
        set_values(out, text)
    for text in given.items("set-string"):
        set_values(out, text, strings=True, flag="--set-string")
    for text in given.items("set-file"):
        key, _, path = text.partition("=")
        try:
            _assign(out, _split(key, "."), call.read_file(path).decode("utf-8", "replace"), text)
        except OSError as failed:
            raise HelmError(f"failed parsing --set-file data: open {path}: {(failed.strerror or '').lower()}") from None
    for text in given.items("set-literal"):
        set_values(out, text, literal=True, flag="--set-literal")
    return out


def _offer(url: str, name: str, constraint: str) -> repositories.Offer | None:
    found = [one for one in repositories.offers(url) or () if one.name == name]
    if constraint:
        try:
            found = [one for one in found if satisfies(constraint, one.version)]
        except ValueError as bad:
            raise HelmError(str(bad)) from None
    ordered = repositories.newest(found)
    return ordered[0] if ordered else None


def remote(call: Call, name: str, given: Values) -> Chart | None:
    """A chart of a repository by `repo/name` or by `--repo`; None where the argument names none."""
    constraint, url = given.text("version"), given.text("repo")
    if url:
        if repositories.offers(url) is None:
            raise HelmError(repositories.absent(url))
        offer = _offer(url, name, constraint)
        if offer is None:
            told = f'"{name}"' + (f' version "{constraint}"' if constraint else "")
            raise HelmError(f"chart {told} not found in {url} repository")
        call.err(repositories.stand_in(url))
        return repositories.chart(url, offer)
    repo, slash, chart = name.partition("/")
    row = next((one for one in repositories.added(call) if one.get("name") == repo), None)
    if not slash or row is None:
        return None
    offer = _offer(row["url"], chart, constraint)
    if offer is None:
        if constraint:
            raise HelmError(
                f"chart \"{chart}\" matching {constraint} not found in {repo} index. (try 'helm repo update'): no chart version found for {chart}-{constraint}"
            )
        raise HelmError(f"chart \"{chart}\" matching  not found in {repo} index. (try 'helm repo update'): no chart name found")
    call.err(repositories.stand_in(row["url"]))
    return repositories.chart(row["url"], offer)


def chart_of(call: Call, name: str, given: Values) -> Chart:
    """The chart that an argument names: a directory, an archive, `repo/name`; raises HelmError."""
    path = call.path(name)
    try:
        if not given.text("repo") and call.isdir(name):
            return charts.build(charts.read(call.tree, path))
        if not given.text("repo") and call.exists(name):
            return charts.unpack(call.read_file(name))
    except ChartError as bad:
        raise HelmError(str(bad)) from None
    if name.startswith(("oci://", "http://", "https://")):
        raise HelmError(f"{name}: charts by address: not simulated in Slipway yet")
    found = remote(call, name, given)
    if found is not None:
        return found
    if name.startswith((".", "/")):
        raise HelmError(f'path "{name}" not found')
    repo, slash, _ = name.partition("/")
    if slash:
        raise HelmError(f"repo {repo} not found")
    raise HelmError(f"non-absolute URLs should be in form of repo_name/path_to_chart, got: {name}")


def check(chart: Chart) -> None:
    """Dependencies must be there; a library cannot be installed."""
    lacking = charts.missing(chart)
    if lacking:
        raise HelmError(
            f"An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {', '.join(lacking)}"
        )
    if chart.meta.get("type") == "library":
        raise HelmError("library charts are not installable")

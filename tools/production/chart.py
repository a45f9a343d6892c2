"""Renders the Helm chart without Helm, to check it offline: Go's templates by the simulator's own engine, with the few functions of
Helm's that the chart uses.  `python -m tools.production.chart` prints the result with the chart's own values.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import yaml

from simulator.core.cli.kubectl import gotemplate

CHART = Path(__file__).resolve().parents[2] / "deploy" / "helm" / "slipway"


def _text(value: Any) -> str:
    return gotemplate.show(value)


def _nindent(width: int, text: Any) -> str:
    return "\n" + "\n".join(" " * width + line if line else line for line in _text(text).splitlines())


def _helm(partials: str) -> dict[str, Any]:
    def include(name: str, dot: Any) -> str:
        called = gotemplate.Template(f'{partials}{{{{template "{name}" .}}}}', name)
        return called.execute(dot).strip("\n")

    return {
        "include": include,
        "nindent": _nindent,
        "toYaml": lambda value: yaml.safe_dump(value, default_flow_style=False, sort_keys=False).rstrip("\n"),
        "quote": lambda value: '"' + _text(value).replace("\\", "\\\\").replace('"', '\\"') + '"',
        "default": lambda fallback, value: value if gotemplate.truth(value) else fallback,
        "join": lambda separator, values: separator.join(map(_text, values)),
        "ternary": lambda yes, no, value: yes if value else no,
    }


def merged(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Values with changes laid over them, as `-f` and `--set` do."""
    out = dict(values)
    for key, value in changes.items():
        old = out.get(key)
        out[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return out


def render(changes: dict[str, Any] | None = None, *, release: str = "slipway") -> list[dict[str, Any]]:
    """Every object of the chart; raises TemplateError or YAMLError where it is wrong."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    values = merged(yaml.safe_load((CHART / "values.yaml").read_text()), changes or {})
    data = {
        "Values": values,
        "Release": {"Name": release, "Service": "Helm", "Revision": 1, "Namespace": "default"},
        "Chart": {"Name": chart["name"], "AppVersion": chart["appVersion"], "Version": chart["version"]},
    }
    partials = (CHART / "templates" / "_helpers.tpl").read_text()
    added = {name: function for name, function in _helm(partials).items() if name not in gotemplate.FUNCTIONS}
    gotemplate.FUNCTIONS.update(added)
    try:
        found: list[dict[str, Any]] = []
        for path in sorted((CHART / "templates").glob("*.yaml")):
            text = gotemplate.Template(re.sub(r"\s*\Z", "", partials) + path.read_text(), path.name).execute(data)
            found += [item for item in yaml.safe_load_all(text) if item]
        return found
    finally:
        for name in added:
            del gotemplate.FUNCTIONS[name]


if __name__ == "__main__":
    yaml.safe_dump_all(render(), sys.stdout, sort_keys=False)

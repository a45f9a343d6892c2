"""Rendering charts (helm `pkg/engine/engine.go`): Go templates with sprig's functions, `include`, `tpl`, `required` and `lookup`.

Templates of a chart and its subcharts share their named templates; a missing value prints nothing, a field of one is an error.
"""

from __future__ import annotations

import base64
import fnmatch
from collections.abc import Callable, Mapping
from typing import Any

from ...kernel.errors import NotSimulated
from ...kernel.world import World
from ..kubectl.gotemplate import MISSING, Template, show
from ..kubectl.gotemplate_parse import Chain, TemplateError, Words, parse
from . import sprig
from .charts import Chart

Obj = dict[str, Any]
#: How deep `include` and `tpl` may call each other (engine.go: recursionMaxNums).
DEEPEST = 40
MOST_STEPS = 400_000


class RenderError(Exception):
    """A chart that cannot be rendered; the text is Helm's."""


class _Template(Template):
    """A template whose missing values print nothing and whose data may hold methods."""

    def __init__(self, text: str, name: str, run: Run) -> None:
        self.run = run
        super().__init__(text, name, functions=run.functions)

    def shown(self, value: Any) -> str:
        """Nothing for what is missing."""
        return "" if value is MISSING or value is None else _text(value)

    def _field(self, value: Any, name: str, word: Chain) -> Any:
        if callable(value):
            value = value()
        if value is MISSING or value is None:
            raise self._fail(f"at <{word.text}>: nil pointer evaluating interface {{}}.{name}", word.where)
        return super()._field(value, name, word)

    def _value(self, word: Any, dot: Any, names: list[tuple[str, list[Any]]]) -> Any:
        value = super()._value(word, dot, names)
        return value() if callable(value) and not isinstance(value, type) else value

    def _command(self, words: Words, dot: Any, names: list[tuple[str, list[Any]]], last: list[Any]) -> Any:
        first = words[0]
        if isinstance(first, Chain) and first.fields and (len(words) > 1 or last):
            method = Template._value(self, first, dot, names)
            if callable(method):
                try:
                    return method(*[self._value(word, dot, names) for word in words[1:]], *last)
                except (TypeError, ValueError) as error:
                    raise self._fail(f"at <{first.text}>: error calling {first.fields[-1]}: {error}", first.where) from None
        try:
            return super()._command(words, dot, names, last)
        except NotSimulated as absent:
            raise RenderError(str(absent)) from None

    def _run(self, nodes: list[Any], dot: Any, names: list[tuple[str, list[Any]]], out: list[str], depth: int) -> None:
        self.run.steps += len(nodes)
        if self.run.steps > MOST_STEPS:
            raise self._fail(": rendering takes too many steps: stopped by Slipway")
        super()._run(nodes, dot, names, out, depth)


def _text(value: Any) -> str:
    return show(value)


class Files(dict[str, Any]):
    """`.Files`: the chart's other files."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(files)
        self.methods: dict[str, Callable[..., Any]] = {
            "Get": lambda name: self.text(name), "GetBytes": lambda name: self.text(name), "Lines": lambda name: self.text(name).rstrip("\n").split("\n") if self.text(name) else [],
            "Glob": lambda pattern: Files({name: data for name, data in files.items() if fnmatch.fnmatchcase(name, pattern.replace("**", "*"))}),
            "AsConfig": lambda: sprig.to_yaml({name.rpartition("/")[2]: data.decode("utf-8", "replace") for name, data in sorted(files.items())}) if files else "",
            "AsSecrets": lambda: sprig.to_yaml({name.rpartition("/")[2]: base64.b64encode(data).decode() for name, data in sorted(files.items())}) if files else "",
        }  # fmt: skip
        self.files = files

    def text(self, name: str) -> str:
        """A file's content, "" when it is not there."""
        return self.files.get(name, b"").decode("utf-8", "replace")

    def get(self, name: str, default: Any = None) -> Any:
        """Methods first, then files."""
        return self.methods.get(name) or super().get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self.methods or super().__contains__(name)


class Run:
    """One rendering of a chart with all below it."""

    def __init__(self, world: World, lookup: Callable[..., Any] | None = None) -> None:
        self.functions: Mapping[str, Callable[..., Any]] = {
            **sprig.functions(world), "include": self.include, "tpl": self.tpl, "lookup": lookup or (lambda *_: {}),
        }  # fmt: skip
        self.defines: dict[str, list[Any]] = {}
        self.depth = 0
        self.steps = 0
        self.current: _Template | None = None

    def include(self, name: str, data: Any = None) -> str:
        """A named template as text."""
        if self.depth > DEEPEST:
            raise ValueError(f"rendering template has a nested reference name: {name}: unable to execute template")
        if name not in self.defines:
            raise ValueError(f'template: no template "{name}" associated with template "gotpl"')
        template = self._blank(name)
        template.nodes = self.defines[name]
        return self._nested(template, data)

    def tpl(self, text: str, data: Any) -> str:
        """A text as a template."""
        if self.depth > DEEPEST:
            raise ValueError("rendering template nested too deeply")
        nodes, own = parse(sprig.text(text), "gotpl", self.functions)
        template = self._blank("gotpl")
        template.nodes, template.defines = nodes, {**self.defines, **own}
        return self._nested(template, data)

    def _blank(self, name: str) -> _Template:
        template = _Template("", name, self)
        template.defines = self.defines
        return template

    def _nested(self, template: _Template, data: Any) -> str:
        self.depth += 1
        try:
            return template.execute(data)
        except TemplateError as error:
            raise ValueError(str(error)) from None
        finally:
            self.depth -= 1


def _collect(chart: Chart, path: str, top: Obj, values: Obj, out: list[tuple[str, str, Obj]]) -> None:
    """(name, text, data) of every template, subcharts with their own values."""
    meta = {
        **chart.meta,
        **{name[0].upper() + name[1:]: value for name, value in chart.meta.items()},
        "IsRoot": path == chart.name,
    }
    meta["AppVersion"], meta["APIVersion"] = chart.meta.get("appVersion", ""), chart.meta.get("apiVersion", "v2")
    scope = {**top, "Chart": meta, "Values": values, "Files": Files(chart.files), "Subcharts": {}}
    for child, name in chart.children:
        own = values.get(name)
        below = own if isinstance(own, dict) else {}
        scope["Subcharts"][name] = {"Values": below, "Chart": child.meta}
        _collect(child, f"{path}/charts/{name}", top, below, out)
    for name, text in sorted(chart.templates.items()):
        full = f"{path}/{name}"
        out.append((full, text, {**scope, "Template": {"Name": full, "BasePath": f"{path}/templates"}}))


def render(
    world: World, chart: Chart, values: Obj, release: Obj, capabilities: Obj, lookup: Callable[..., Any] | None = None
) -> dict[str, str]:
    """The text of each template by name (`chart/templates/x.yaml`); raises RenderError."""
    run = Run(world, lookup)
    found: list[tuple[str, str, Obj]] = []
    _collect(chart, chart.name, {"Release": release, "Capabilities": capabilities}, values, found)
    parsed: list[tuple[str, list[Any], Obj]] = []
    for name, text, data in sorted(found, key=lambda item: (-item[0].count("/"), item[0]), reverse=False):
        try:
            nodes, own = parse(text, name, run.functions)
        except TemplateError as error:
            raise RenderError("parse error at (" + name + ":1): " + str(error).removeprefix(f"template: {name}:1: ")) from None
        run.defines.update(own)
        run.defines[name] = nodes
        parsed.append((name, nodes, data))
    out: dict[str, str] = {}
    for name, nodes, data in parsed:
        if name.rpartition("/")[2].startswith("_"):
            continue
        template = _Template("", name, run)
        template.nodes, template.defines = nodes, run.defines
        try:
            out[name] = template.execute(data)
        except TemplateError as error:
            raise RenderError(_told(name, str(error))) from None
        except sprig.Failed as error:
            raise RenderError(str(error)) from None
    return out


def _told(name: str, message: str) -> str:
    """`fail` and `required` are told as execution errors of the template."""
    return message if message.startswith("template:") else f"template: {name}:1: {message}"

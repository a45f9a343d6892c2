"""JSONPath, Go templates, custom columns, tables, KYAML: the printers without a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core.cli.kubectl import kyaml
from simulator.core.cli.kubectl.customcolumns import CustomColumns
from simulator.core.cli.kubectl.describe.doc import selector_text
from simulator.core.cli.kubectl.errors import CommandError
from simulator.core.cli.kubectl.gotemplate import Template
from simulator.core.cli.kubectl.gotemplate_parse import TemplateError
from simulator.core.cli.kubectl.jsonpath import JSONPath, JSONPathError
from simulator.core.cli.kubectl.jsontext import compact, indented
from simulator.core.cli.kubectl.printers import go_syntax
from simulator.core.cli.kubectl.table import TableOptions, TablePrinter, columns, sort_objects
from simulator.core.kube.api.printers.base import human

POD: dict[str, Any] = {
    "kind": "Pod",
    "metadata": {"name": "duo", "annotations": {"a.b/c": "x"}},
    "spec": {"containers": [{"name": "main", "image": "n:1"}, {"name": "side", "image": "h:2"}], "empty": [], "n": 3, "f": 0.5},
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.metadata.name}", "duo"),
        ("{.spec.containers[*].name}", "main side"),
        ('{.spec.containers[?(@.name=="side")].image}', "h:2"),
        ("{range .spec.containers[*]}{.name}={.image}{'\\n'}{end}", "main=n:1\nside=h:2\n"),
        ("{range .spec.empty[*]}x{end}done", "done"),
        ("{range .spec.containers[*]}{.name} ", "main side  "),  # without its end it goes on outside
        (r"{.metadata.annotations.a\.b/c}", "x"),
        ("{.spec.containers[-1:].name}", "side"),
        ("{.spec['n','f']}", "3 0.5"),
        ("{..image}", "n:1 h:2"),
        ("{.spec.containers[0]}", '{"image":"n:1","name":"main"}'),
        ("{.nothing}", ""),
    ],
)
def test_jsonpath(template: str, text: str) -> None:
    assert JSONPath(template, allow_missing=True).execute(POD) == text


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{.spec.containers[}", "unterminated array"),
        ("{.spec.containers[5].name}", "array index out of bounds: index 5, length 2"),
        ("{.a", "unclosed action"),
        ("{end}", "not in range, nothing to end"),
        ("{.nothing}", "nothing is not found"),
        ("{.spec.containers[x]}", "invalid array index x"),
    ],
)
def test_jsonpath_errors(template: str, message: str) -> None:
    with pytest.raises(JSONPathError) as caught:
        JSONPath(template).execute(POD)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.metadata.name}} {{.spec.n}}", "duo 3"),
        ("{{range .spec.containers}}{{.name}}:{{len .image}} {{end}}", "main:3 side:3 "),
        ("{{.spec.missing}}", "<no value>"),
        ("{{if eq .spec.n 3}}three{{else}}no{{end}}", "three"),
        ("{{with .spec.empty}}x{{else}}none{{end}}", "none"),
        ('{{range $i, $c := .spec.containers}}{{if $i}},{{end}}{{$c.name | printf "%q"}}{{end}}', '"main","side"'),
        ("a {{- /* c */ -}} b", "ab"),
        ("{{(index .spec.containers 1).name}}", "side"),
        ('{{define "t"}}<{{.}}>{{end}}{{template "t" .kind}}', "<Pod>"),
        ('{{exists . "kind"}} {{"aGk=" | base64decode}}', "true hi"),
    ],
)
def test_gotemplate(template: str, text: str) -> None:
    assert Template(template).execute(POD) == text


@pytest.mark.parametrize("template", ["{{.metadata.name", "{{range .x}}", "{{foo}}", "{{end}}", "{{if}}x{{end}}"])
def test_gotemplate_errors(template: str) -> None:
    with pytest.raises(TemplateError):
        Template(template).execute(POD)


def test_gotemplate_is_bounded() -> None:
    with pytest.raises(TemplateError, match="too many steps"):
        Template("{{range 100000}}{{range 100000}}x{{end}}{{end}}").execute({})


def test_columns_are_six_wide_and_three_apart() -> None:
    assert columns([["A", "B", "C"], ["1", "22", "333"]]) == "A     B     C\n1     22    333\n"
    assert columns([["NAME", "X"], ["longer-name", "y"]]) == "NAME          X\nlonger-name   y\n"
    remembered: list[int] = []
    columns([["longer-name", "x"]], remembered)
    assert columns([["n", "x"]], remembered) == "n             x\n"


TABLE: dict[str, Any] = {
    "columnDefinitions": [{"name": "Name", "format": "name", "priority": 0}, {"name": "Ip", "priority": 1}],
    "rows": [
        {"cells": ["b", "10.0.0.1"], "object": {"metadata": {"name": "b", "namespace": "x", "labels": {"app": "web"}}}},
        {"cells": ["a", None], "object": {"metadata": {"name": "a", "namespace": "y"}}},
    ],
}


def test_table_options() -> None:
    assert TablePrinter(TableOptions()).text(TABLE) == "NAME\nb\na\n"
    assert TablePrinter(TableOptions(wide=True, with_namespace=True)).text(TABLE) == (
        "NAMESPACE   NAME   IP\nx           b      10.0.0.1\ny           a      \n"
    )
    shown = TablePrinter(TableOptions(kind_prefix="pod", show_labels=True, label_columns=["app"], sort_by=".metadata.name"))
    assert shown.text(TABLE) == "NAME    APP   LABELS\npod/a         <none>\npod/b   web   app=web\n"


def test_sorting_by_quantity_and_missing_fields() -> None:
    items = [{"v": "1Gi"}, {"v": "500Mi"}, {}]
    assert sort_objects(items, lambda item: item, ".v") == [{}, {"v": "500Mi"}, {"v": "1Gi"}]
    dated: list[dict[str, Any]] = [{"v": "2026-01-01T00:00:00Z"}, {"v": None}, {"v": "2025-01-01T00:00:00Z"}]
    assert sort_objects(dated, lambda item: item, ".v") == [dated[1], dated[2], dated[0]], "null is less than any other"
    with pytest.raises(JSONPathError, match="couldn't find any field with path"):
        sort_objects(items, lambda item: item, ".nope")


def test_custom_columns() -> None:
    shown = CustomColumns("NAME:.metadata.name,IMAGES:spec.containers[*].image,NO:.x")
    assert shown.text(POD) == "NAME   IMAGES    NO\nduo    n:1,h:2   <none>\n"
    with pytest.raises(CommandError, match="unexpected custom-columns spec: POD, expected <header>:<json-path-expr>"):
        CustomColumns("POD")
    with pytest.raises(CommandError, match="number of headers"):
        CustomColumns("A B\n.a\n", from_file=True)


def test_json_text_is_gos() -> None:
    assert compact({"b": "<&>", "a": 1.0}) == '{"a":1,"b":"\\u003c\\u0026\\u003e"}'
    assert indented({"b": [], "a": {}}, 4) == '{\n    "a": {},\n    "b": []\n}'
    assert go_syntax({"a": ["x", 1, None]}) == 'map[string]interface {}{"a":[]interface {}{"x", 1, interface {}(nil)}}'


def test_kyaml() -> None:
    text = kyaml.dump({"kind": "Pod", "apiVersion": "v1", "spec": {"ports": [{"port": 80}], "on": "yes"}})
    assert (
        text
        == '---\n{\n  apiVersion: "v1",\n  kind: "Pod",\n  spec: {\n    "on": "yes",\n    ports: [{\n      port: 80,\n    }],\n  },\n}\n'
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (-1.5, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (200, "3m20s"),
        (3600, "60m"),
        (10800, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (200000, "2d7h"),
    ],
)
def test_ages(seconds: float, text: str) -> None:
    assert human(int(seconds * 10**9)) == text


def test_selector_text() -> None:
    selector = {"matchLabels": {"b": "1", "a": "2"}, "matchExpressions": [{"key": "c", "operator": "In", "values": ["y", "x"]}]}
    assert selector_text(selector) == "a=2,b=1,c in (x,y)" and selector_text({}) == "<none>"
